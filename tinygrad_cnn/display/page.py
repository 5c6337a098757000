"""What pictures and tables stand in: a piece of a notebook, or a page that needs nothing else."""

import functools
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from tinygrad_cnn.version import __version__

__all__ = ["document", "figure", "fragment", "numbers_table", "row", "stacked_table", "style"]

DARK = """color-scheme: dark; --page: #14161a; --card: #1b1e23; --ink: #ebe8e2; --soft: #a5adb6; --line: #353b43;
  --faint: #22262c; --accent: #ff83b6; --neg: #86b4ff; --pos: #ffb765; --good: #86d49c; --goodback: #16331f;
  --warn: #efc56b; --warnback: #3f3010; --bad: #ff9d95; --badback: #47191a; --link: #82bbf5;
  --scale: linear-gradient(90deg, #8fbaff, #3a64a8, #14161a, #96591a, #ffbc6e);"""
"""What is other on a dark page: written once here, and put into each rule that makes a page dark."""


@functools.cache
def style() -> str:
    """The style of everything that this room draws, light and dark: all of it under the class ``tg``."""
    text = resources.files("tinygrad_cnn.display").joinpath("style.css").read_text(encoding="utf-8")
    light = text[text.index("{") + 1 : text.index("--mono")]
    return text.replace("@DARK@", DARK).replace("@LIGHT@", f"color-scheme: light; {light.strip()}")


def fragment(body: str) -> str:
    """A piece of a notebook: it brings its style along, and follows the notebook's light or dark theme."""
    return f'<div class="tg"><style>{style()}</style>{body}</div>'


def document(title: str, body: str, *, extra_style: str = "", script: str = "") -> str:
    """A whole page, light or dark as the reader's system is: no network, nothing beside it."""
    ending = f"<script>\n{script}</script>\n" if script else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="tinygrad-cnn {__version__}">
<title>{escape(title)}</title>
<style>
{style()}{extra_style}</style>
</head>
<body class="tg">
{body}
{ending}</body>
</html>
"""


def figure(drawing: str, caption: str = "") -> str:
    """A drawing with its caption, which is HTML."""
    told = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{drawing}{told}</figure>"


def row(figures: Iterable[str]) -> str:
    """Figures side by side, as many as the width allows."""
    return f'<div class="tg-row">{"".join(figures)}</div>'


def numbers_table(rows: Sequence[Sequence[str]], heads: Sequence[str] = (), caption: str = "") -> str:
    """Texts as a table, flush right, which scrolls if it is too wide."""
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col" class="tg-num">{escape(h)}</th>' for h in heads)
    top = f"<thead><tr>{head}</tr></thead>" if heads else ""
    lines = ("".join(f'<td class="tg-num">{escape(t)}</td>' for t in line) for line in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="tg-scroll" tabindex="0"><table>{above}{top}<tbody>{body}</tbody></table></div>'


def stacked_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str = "",
    numbers: Sequence[int] = (),
    wraps: Sequence[int] = (),
    classes: Sequence[str] = (),
) -> str:
    """A table whose rows become little lists where there is no room for columns, so that nothing is cut off.

    The cells are HTML, the heads and the caption text. The columns `numbers` are flush right, those of `wraps` may
    break lines; `classes` are of the rows. Empty cells are left out of the lists.
    """
    kinds = ["tg-num" if k in numbers else "tg-wrap" if k in wraps else "" for k in range(len(heads))]
    head = "".join(f'<th scope="col" class="{kind}">{escape(h)}</th>' for h, kind in zip(heads, kinds, strict=True))
    lines = []
    for k, cells in enumerate(rows):
        first = f'<th scope="row" class="{kinds[0]}">{cells[0]}</th>'
        rest = (
            f'<td class="{kind}{"" if cell else " tg-empty"}" data-head="{escape(h)}"><span>{cell}</span></td>'
            for h, cell, kind in list(zip(heads, cells, kinds, strict=True))[1:]
        )
        lines.append(f'<tr class="{classes[k] if classes else ""}">{first}{"".join(rest)}</tr>')
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="tg-box"><table class="tg-stack">{above}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
