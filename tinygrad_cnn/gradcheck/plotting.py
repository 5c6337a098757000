"""The picture of a report: error against step size, and heat maps of the gradient that was found and the right one."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.display import write_figure
from tinygrad_cnn.gradcheck.verdicts import Entry, Verdict


class Figure(Protocol):
    """Of matplotlib's figures, what can be relied on here: matplotlib is optional."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write it to a file or a stream."""


BLUE, RED, GREY, TRUNCATION, ROUNDING = "#1f5fa8", "#c23b22", "#777777", "#e8f0fa", "#fbeee6"


def draw(
    title: str, worst: Entry | None, entries: Sequence[Entry], shapes: dict[int, Shape], noise: float, path: Any = None
) -> Figure:
    """The figure; written to `path` if one is given."""
    try:
        figures: Any = import_module("matplotlib.figure")
    except ImportError as error:
        raise ImportError("Report.plot: matplotlib is not installed; pip install 'tinygrad-cnn[plot]'") from error
    maps = [] if worst is None else heat_maps(worst, entries, shapes)
    figure: Any = figures.Figure(figsize=(10, 7.2 if maps else 4.2), layout="constrained")
    figure.suptitle(title, fontsize=11)
    grid = figure.add_gridspec(2 if maps else 1, 3, height_ratios=(1.25, 1) if maps else (1,))
    if worst is not None:
        _curve(figure.add_subplot(grid[0, :]), worst, noise)
    if maps and worst is not None:
        place = folded_place(worst.place, shapes[worst.input])
        _maps(figure, grid, maps, place, worst)
    drawn: Figure = figure
    if path is not None:
        write_figure(drawn, path, dpi=120)
    return drawn


def _curve(axes: Any, worst: Entry, noise: float) -> None:
    """|difference − extrapolated value| over the step, with the regions in which truncation or rounding rules."""
    steps = [(h, d) for h, d in worst.steps if np.isfinite(d)]
    axes.set_title(f"{worst.name} at {worst.place}: {worst.verdict.value}", fontsize=10, loc="left", pad=14)
    axes.set_xlabel("step size h")
    axes.set_ylabel("error of the central difference")
    if not steps or not np.isfinite(worst.numeric):
        axes.text(0.5, 0.5, "no finite differences to draw", ha="center", va="center", transform=axes.transAxes)
        return
    h = np.array([pair[0] for pair in steps])
    size = max(abs(worst.numeric), 1e-300)
    off = np.maximum(np.abs(np.array([pair[1] for pair in steps]) - worst.numeric), 1e-17 * size)
    axes.loglog(h, off, "o-", color=BLUE, ms=3.5, lw=1, label="central difference − extrapolated value")
    if noise > 0:
        axes.loglog(h, noise / h, "--", color=GREY, lw=1, label="bound of rounding, ∝ 1/h")
    low, high = h.min() / 1.5, h.max() * 1.5
    best = float(h[int(np.argmin(np.maximum(off, noise / h)))])
    best = high if best == h.max() else best
    axes.set_xlim(low, high)
    for name, left, right, colour in (("rounding", low, best, ROUNDING), ("truncation", best, high, TRUNCATION)):
        axes.axvspan(left, right, color=colour, zorder=0)
        if right > 6 * left:
            style = {"fontsize": 9, "ha": "center", "va": "bottom", "color": "#444444"}
            axes.text(np.sqrt(left * right), 1.01, f"{name} rules", transform=axes.get_xaxis_transform(), **style)
    if worst.off > 0 and np.isfinite(worst.off):
        axes.axhline(worst.off, color=RED, lw=1.2, label=f"analytic − numeric: {worst.off:.3g}")
    if worst.error > 0 and np.isfinite(worst.error):
        axes.axhline(worst.error, color=BLUE, lw=1, ls=":", label=f"error bar: {worst.error:.1g}")
    if worst.where is not None and worst.where != 0 and h.min() < abs(worst.where) < h.max():
        axes.axvline(abs(worst.where), color=RED, lw=1, ls="-.", label=f"kink at {worst.where:.3g}")
    axes.legend(fontsize=8, loc="lower left", framealpha=0.9)


def heat_maps(worst: Entry, entries: Sequence[Entry], shapes: dict[int, Shape]) -> list[tuple[str, NDArray]]:
    """Analytic, numeric and their difference for the input of the worst entry, if all its elements were judged."""
    shape = shapes.get(worst.input, ())
    mine = [e for e in entries if e.input == worst.input and len(e.place) == len(shape)]
    if not shape or len({e.place for e in mine}) != int(np.prod(shape)):
        return []
    analytic, numeric = np.zeros(shape), np.zeros(shape)
    for e in mine:
        analytic[e.place], numeric[e.place] = e.analytic, e.numeric
    arrays = ("analytic", analytic), ("numeric", numeric), ("analytic − numeric", analytic - numeric)
    return [(name, folded(a)) for name, a in arrays]


def folded(a: NDArray) -> NDArray:
    """As a matrix: the axes from the last go to the columns and the rows by turns."""
    rows, columns = _turns(a.ndim)
    height = int(np.prod([a.shape[k] for k in rows], dtype=np.int64))
    return np.asarray(np.transpose(a, (*rows, *columns)).reshape(height, -1))


def folded_place(place: Sequence[int], shape: Shape) -> tuple[int, int]:
    """Where an element lies in the matrix."""
    rows, columns = _turns(len(shape))
    row, column = (
        int(np.ravel_multi_index([place[k] for k in axes], [shape[k] for k in axes])) if axes else 0
        for axes in (rows, columns)
    )
    return row, column


def _turns(ndim: int) -> tuple[list[int], list[int]]:
    columns = [k for k in range(ndim) if (ndim - 1 - k) % 2 == 0]
    return [k for k in range(ndim) if k not in columns], columns


def _maps(figure: Any, grid: Any, maps: Sequence[tuple[str, NDArray]], place: tuple[int, int], worst: Entry) -> None:
    both = np.concatenate([m.reshape(-1) for _, m in maps[:2]])
    limit = float(np.max(np.abs(both[np.isfinite(both)]), initial=0.0)) or 1.0
    for k, (name, matrix) in enumerate(maps):
        axes = figure.add_subplot(grid[1, k])
        known = np.abs(matrix[np.isfinite(matrix)])
        most = limit if k < 2 else float(np.max(known, initial=0.0)) or 1.0
        image = axes.imshow(matrix, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.get_major_locator().set_params(integer=True)
        if len(matrix) == 1:
            axes.set_yticks([])
        axes.set_facecolor("#dddddd")  # where there is no number
        figure.colorbar(image, ax=axes, fraction=0.05, pad=0.03).ax.tick_params(labelsize=7)
        if worst.verdict is not Verdict.PASS:
            axes.plot(place[1], place[0], "s", mfc="none", mec="black", ms=9, mew=1.3)
