"""Slides of a chapter of the course, from the chapter itself: ``python -m scripts.slides docs/course/01_by_hand.py``.

Each ``##`` begins a slide, and so does each text that follows code. Of a longer paragraph a slide shows the first
sentence; the rest is in the notes (key N). The code is run, and what it prints and draws is shown. Everything is in one
HTML file, which needs no network. Formulas are drawn by matplotlib; without it they are shown as they are written. Of a
cell that draws, only the picture is shown.
"""

import argparse
import base64
import contextlib
import html
import io
import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

try:
    import matplotlib as mpl
    from matplotlib import mathtext
    from matplotlib import pyplot as plt

    mpl.use("Agg")
except ImportError:
    plt = None

STYLE = Path(__file__).with_name("slides.css")
KEYS = Path(__file__).with_name("slides.js")
CODE = re.compile(r"(^```.*?^```$|`[^`]+`)", re.M | re.S)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.S)
SPELLINGS = {
    r"\\(le|ge|ne)\b": r"\\\1q",
    r"\\[Bb]igg?[lr]?\b": "",
    r"frac(\w)(\w)": r"frac{\1}{\2}",
}
"""What matplotlib has under another name, or only in the long form."""
FORMATTER = HtmlFormatter(style="default")
SHORT = 170
"""A paragraph with more characters is shown by its first sentence."""


class Cell(NamedTuple):
    """A cell of a percent script: text without its comment signs, or code; `line` is where it begins, from 0."""

    code: bool
    source: str
    line: int


class Slide:
    """HTML of what is shown, HTML of the notes, and the heading."""

    def __init__(self, heading: str, level: int) -> None:
        self.heading, self.level = heading, level
        self.shown: list[str] = []
        self.notes: list[str] = []

    def has_code(self) -> bool:
        """Whether code is on it, so that a text that follows goes to the next."""
        return any('class="highlight"' in part or 'class="plot"' in part for part in self.shown)


def cells_of(script: str) -> list[Cell]:
    """The cells of a percent script."""
    cells: list[Cell] = []
    lines = script.splitlines()
    starts = [k for k, line in enumerate(lines) if line.startswith("# %%")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        body, code = lines[start + 1 : end], "[markdown]" not in lines[start]
        if not code:
            body = [line.removeprefix("#").removeprefix(" ") for line in body]
        if source := "\n".join(body).rstrip():
            cells.append(Cell(code, source, start + 1))
    return cells


@cache
def drawn_formula(tex: str, display: bool) -> str:
    """A formula as a picture; as it is written, where matplotlib is missing or does not know it."""
    tex, kind = " ".join(tex.split()), "display" if display else "inline"
    known = re.sub(r"\\[td]?frac", r"\\dfrac" if display else r"\\frac", tex)
    for pattern, spelling in SPELLINGS.items():
        known = re.sub(pattern, spelling, known)
    written = f'<code class="formula {kind}">{html.escape(tex)}</code>'
    if plt is None:
        return written
    file = io.BytesIO()
    try:
        with mpl.rc_context({"mathtext.fontset": "cm"}):
            depth = mathtext.math_to_image(f"${known}$", file, dpi=72, format="svg")
    except ValueError:
        return written
    height, width = (
        float(re.search(rf' {side}="([\d.]+)pt"', file.getvalue().decode())[1]) for side in ("height", "width")
    )
    size = f"height:{height / 10:.3f}em;width:{width / 10:.3f}em;vertical-align:{-depth / 10:.3f}em"
    picture = base64.b64encode(file.getvalue()).decode()
    return f'<img class="{kind}" style="{size}" alt="{html.escape(tex)}" src="data:image/svg+xml;base64,{picture}">'


def rendered(markdown: str, heading: bool = False) -> str:
    """HTML of Markdown with formulas; of a heading, what stands in one line."""
    formulas: list[str] = []

    def keep(found: re.Match[str]) -> str:
        formulas.append(drawn_formula(found[1] or found[2], bool(found[1])))
        return f"\x02{len(formulas) - 1}\x03"

    parts = CODE.split(markdown)
    parts[::2] = [FORMULA.sub(keep, part) for part in parts[::2]]
    parser = MarkdownIt("commonmark").enable("table")
    made = (parser.renderInline if heading else parser.render)("".join(parts))
    made = re.sub(r'<pre><code class="language-py(?:thon)?">(.*?)</code></pre>', _colored, made, flags=re.S)
    return re.sub(r"\x02(\d+)\x03", lambda found: formulas[int(found[1])], made)


def _colored(found: re.Match[str]) -> str:
    return highlight(html.unescape(found[1]), PythonLexer(), FORMATTER)


def shortened(paragraph: str) -> str:
    """The first sentence of a long paragraph; what is no plain paragraph stays as it is."""
    if len(paragraph) <= SHORT or re.match(r"[-|>#]|```|\d+\. |\$\$", paragraph):
        return paragraph
    return re.split(r"(?<=[.!?:])\s+(?=[^a-z])", paragraph, maxsplit=1)[0]


def blocks_of(text: str) -> list[str]:
    """Paragraphs, lists, tables, code and directives, each in one piece."""
    pieces = re.split(r"(^```.*?^```$|^:::\{.*?^:::$)", text, flags=re.M | re.S)
    blocks: list[str] = []
    for k, piece in enumerate(pieces):
        blocks += [piece] if k % 2 else re.split(r"\n\s*\n", re.sub(r"(?m)^(#+ .*)$", r"\n\1\n", piece))
    return [block.strip() for block in blocks if block.strip()]


def add_text(slides: list[Slide], text: str) -> None:
    """Put a cell of text on slides: a heading and an exercise begin one."""
    if slides and slides[-1].has_code() and not re.match(r"#+ ", text):
        slides.append(Slide(slides[-1].heading, 2))
    for block in blocks_of(text):
        if heading := re.match(r"(#+) (.*)", block):
            slides.append(Slide(heading[2], len(heading[1])))
        elif directive := re.match(r":::\{(\w+)\} ?([^\n]*)\n(.*?)\n?:::$", block, re.S):
            name, title, body = directive.groups()
            if name == "dropdown":
                answer = rendered(body)
                slides[-1].shown.append(f"<details><summary>{html.escape(title)}</summary>{answer}</details>")
            else:
                slides[-1].shown.append("<p><em>See the page of this chapter: there you can step through it.</em></p>")
        else:
            if re.match(r"\*\*\d+\.\*\*", block) and slides[-1].shown:
                slides.append(Slide(slides[-1].heading, 2))
            exercise = slides[-1].heading == "Exercises"
            slides[-1].shown.append(rendered(block if exercise else shortened(block)))
            slides[-1].notes.append(rendered(block))


def run(cell: Cell, path: Path, names: dict[str, Any]) -> str:
    """Run a cell; HTML of what it printed and drew."""
    printed = io.StringIO()
    code = compile("\n" * cell.line + cell.source, str(path.resolve()), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    shown = f'<pre class="output">{html.escape(printed.getvalue().rstrip())}</pre>' if printed.getvalue() else ""
    for number in plt.get_fignums() if plt else ():
        file = io.BytesIO()
        plt.figure(number).savefig(file, format="png", dpi=110, bbox_inches="tight")
        shown += f'<img alt="" class="plot" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'
        plt.close(number)
    return shown


def slides_of(path: Path) -> list[Slide]:
    """The slides of a chapter, whose code is run in a folder of its own."""
    slides: list[Slide] = []
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    text = path.read_text(encoding="utf-8")
    path = path.resolve()
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for cell in cells_of(text):
                if cell.code:
                    code, result = highlight(cell.source, PythonLexer(), FORMATTER), run(cell, path, names)
                    only_draws = cell.source.startswith("try:\n    import matplotlib") and 'class="plot"' in result
                    slides[-1].shown.append(result if only_draws else code + result)
                else:
                    add_text(slides, cell.source)
        finally:
            os.chdir(before)
    return slides


def page(path: Path) -> str:
    """The HTML file of a chapter's slides."""
    slides = slides_of(path)
    sections = []
    for slide in slides:
        level, heading = min(slide.level, 2), rendered(slide.heading, heading=True)
        shown, notes = "".join(slide.shown), "".join(slide.notes)
        body = f'<div class="body"><h{level}>{heading}</h{level}>{shown}</div>'
        sections.append(f"<section>{body}<aside>{notes}</aside></section>")
    title = html.escape(slides[0].heading.replace("`", ""))
    style = STYLE.read_text(encoding="utf-8") + FORMATTER.get_style_defs(".highlight")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head>\n<body>\n'
        + "\n".join(sections)
        + '\n<footer>← → to move, N for the notes, P for all slides, <span id="place"></span></footer>\n'
        f"<script>{KEYS.read_text(encoding='utf-8')}</script></body></html>\n"
    )


def main(arguments: list[str] | None = None) -> None:
    """Write a file of slides for each chapter."""
    parser = argparse.ArgumentParser(prog="python -m scripts.slides", description=__doc__.split("\n\n")[0])
    parser.add_argument("chapters", nargs="+", type=Path, metavar="CHAPTER", help="such as docs/course/01_by_hand.py")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where to write (this folder)")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    for chapter in given.chapters:
        file = given.out / f"{chapter.stem}.html"
        file.write_text(page(chapter), encoding="utf-8")
        print(file)


if __name__ == "__main__":
    main()
