"""What the experiments share: the command line, a table as text, and the look of the pictures.

Nothing here knows a gradient. Pictures need matplotlib; without it an experiment still prints the numbers that it
would have drawn.
"""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

# Okabe and Ito's colours, which also the colour-blind can tell apart
BLUE, RED, GREEN, ORANGE, PURPLE, BLACK, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#AA4499", "#000000", "#6B6B6B",
)  # fmt: skip

STYLE = {
    "font.size": 14,
    "axes.titlesize": 17,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.labelsize": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "lines.linewidth": 2.5,
    "lines.markersize": 6,
}
"""Large enough for the last row of a lecture room."""

COLOURS = 64
"""Lines and letters need no more, and the files are half as large."""


def run(main: Callable[..., Any], story: str | None) -> None:
    """Call ``main(out, quick)`` as the command line says; the story is its help."""
    parser = argparse.ArgumentParser(description=story, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the pictures here (needs matplotlib)")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller, as the tests run it")
    main(**vars(parser.parse_args()))


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print columns, each as wide as its widest cell; numbers with three digits."""
    cells = [[_told(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print()


def _told(cell: Any) -> str:
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def picture(
    out: Path | str | None, name: str, draw: Callable[[Any], None], size: tuple[float, float] = (10, 5.8)
) -> None:
    """Let ``draw(figure)`` draw, and write it to the folder; without a folder nothing is drawn."""
    if out is None:
        return
    try:
        matplotlib, figures = import_module("matplotlib"), import_module("matplotlib.figure")
        images = import_module("PIL.Image")  # which matplotlib needs, too
    except ImportError:
        print(f"{name} is not drawn: matplotlib is not installed; pip install 'tinygrad-cnn[plot]'")
        return
    with matplotlib.rc_context(STYLE):
        figure = figures.Figure(figsize=size, layout="constrained")
        draw(figure)
        drawn = BytesIO()
        figure.savefig(drawn, dpi=100)
    Path(out).mkdir(parents=True, exist_ok=True)
    images.open(drawn).convert("RGB").quantize(COLOURS).save(Path(out) / name, optimize=True)
    print(f"wrote {Path(out) / name}")


def label(axes: Any, x: float, y: float, text: str, colour: str = BLACK, **options: Any) -> None:
    """Words beside what they name, instead of a legend."""
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
    given = {"fontsize": 14, "ha": "left", "va": "center", "bbox": paper} | options
    axes.text(x, y, text, color=colour, **given)
