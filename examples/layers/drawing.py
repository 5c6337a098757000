"""What the pages of layers share: colours, how an image and a table of numbers are drawn, and where a picture goes.

Nothing here knows a layer. Pictures need matplotlib; without it a program still computes and checks its numbers.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

BLUE, RED, GREEN, ORANGE, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#6B6B6B"
"""Okabe and Ito's colours, which the colour-blind can tell apart. In grey print, lines differ by dashes and marks."""

STYLE = {
    "font.size": 11.5,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "figure.constrained_layout.h_pad": 0.08,  # inches
    "figure.constrained_layout.w_pad": 0.08,
    "savefig.dpi": 110,
}


def picture(name: str, draw: Callable[[Any], None], size: tuple[float, float]) -> None:
    """Let ``draw(figure)`` draw. If the program got a folder as its argument, write the picture there as ``name``."""
    try:
        pyplot = import_module("matplotlib.pyplot")
    except ImportError:
        print(f"{name} is not drawn: matplotlib is not installed; pip install 'tinygrad-cnn[plot]'")
        return
    pyplot.rcParams.update(STYLE)  # to stay: notebooks and the gallery paint what is open after the program
    figure = pyplot.figure(figsize=size, layout="constrained")
    draw(figure)
    for folder in (a for a in sys.argv[1:2] if not a.startswith("-")):
        Path(folder).mkdir(parents=True, exist_ok=True)
        figure.savefig(Path(folder) / name)
        print(f"wrote {Path(folder) / name}")


def image(axes: Any, values: Any, title: str, *, colours: str = "Greys", limit: float | None = None) -> Any:
    """An image, one square a number. Signed values: ``colours="RdBu"``; then 0 is white."""
    values = np.asarray(values)
    most = float(np.abs(values).max()) if limit is None else limit
    least = -most if colours == "RdBu" else 0
    axes.set(title=title, xlabel="column", ylabel="row")
    return axes.imshow(values, cmap=colours, vmin=least, vmax=most)


def numbers(axes: Any, values: Any, form: str = "{:.0f}", size: float = 10.5) -> None:
    """Write each number into its square of an image, white where the square is dark."""
    shown = axes.images[-1]
    for (row, column), value in np.ndenumerate(np.asarray(values)):
        red, green, blue, _ = shown.cmap(shown.norm(value))
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
        axes.text(column, row, form.format(value), ha="center", va="center", fontsize=size, color="w" if dark else "k")


def frame(axes: Any, row: float, column: float, height: float, width: float, colour: str = RED, **options: Any) -> None:
    """A rectangle around squares of an image: from this row and column, so many rows and columns."""
    patches = import_module("matplotlib.patches")
    given = {"fill": False, "edgecolor": colour, "lw": 2} | options
    axes.add_patch(patches.Rectangle((column - 0.5, row - 0.5), width, height, **given))
