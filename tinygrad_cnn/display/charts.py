"""Curves and tables of counts, in SVG and HTML; every point says its number when pointed at."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_cnn.display.numbers import number

__all__ = ["confusion_table", "line_chart", "ticks"]


def line_chart(
    series: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str,
    first: int = 1,
    percent: bool = False,
    width: int = 460,
    height: int = 260,
) -> str:
    """One or two curves over whole numbers from `first` on, as an SVG element, with scales and names."""
    if not series or not all(len(values) for values in series.values()):
        raise ValueError("line_chart: there is nothing to draw; each series needs one number or more")
    most = max(map(len, series.values()))
    finite = [v for values in series.values() for v in values if math.isfinite(v)] or [0.0, 1.0]
    marks = ticks(min(finite), max(finite))
    low, high = min(marks[0], min(finite)), max(marks[-1], max(finite))
    room = max(8.0 * len(name) for name in series) + 16
    left, right, top, bottom = 58.0, width - room, 14.0, height - 44.0

    def x(k: float) -> float:
        return left + (right - left) * (k / (most - 1) if most > 1 else 0.5)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (high - low)

    def told(value: float) -> str:
        return f"{value:.2%}" if percent else number(value)

    def marked(value: float) -> str:
        return f"{round(100 * value, 6):g} %" if percent else number(value)

    parts = [
        f'<line class="tg-grid" x1="{left}" y1="{y(m):.1f}" x2="{right:.1f}" y2="{y(m):.1f}"/>'
        f'<text class="tg-tick tg-end" x="{left - 6}" y="{y(m) + 4:.1f}">{marked(m)}</text>'
        for m in marks
    ]
    every = max(1, math.ceil(most / 10))
    parts += [
        f'<text class="tg-tick" x="{x(k):.1f}" y="{bottom + 16:.1f}">{first + k}</text>' for k in range(0, most, every)
    ]
    ends = _apart([y(next((v for v in reversed(s) if math.isfinite(v)), low)) for s in series.values()])
    for which, (name, values), end in zip("ab" * len(series), series.items(), ends, strict=False):
        kept = [(k, v) for k, v in enumerate(values) if math.isfinite(v)]
        line = " ".join(f"{x(k):.1f},{y(v):.1f}" for k, v in kept)
        parts.append(f'<polyline class="tg-curve tg-{which}" points="{line}"/>')
        if len(kept) <= 100:
            parts += [
                f'<circle class="tg-dot tg-{which}" cx="{x(k):.1f}" cy="{y(v):.1f}" r="3.5">'
                f"<title>{escape(name)}, {escape(x_label)} {first + k}: {told(v)}</title></circle>"
                for k, v in kept
            ]
        parts.append(f'<text class="tg-t{which}" x="{right + 9:.1f}" y="{end + 4:.1f}">{escape(name)}</text>')
    says = "; ".join(f"{name} from {told(v[0])} to {told(v[-1])}" for name, v in series.items())
    middle = (top + bottom) / 2
    return (
        f'<svg class="tg-chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(f"{y_label} by {x_label}: {says}")}">'
        f'<path class="tg-axis" d="M{left} {top}V{bottom}H{right:.1f}"/>{"".join(parts)}'
        f'<text x="{(left + right) / 2:.1f}" y="{height - 8}">{escape(x_label)}</text>'
        f'<text transform="translate(13 {middle:.1f}) rotate(-90)">{escape(y_label)}</text></svg>'
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About so many round numbers that reach from `low` to `high` or just beyond."""
    if high <= low:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    raw = (high - low) / (count - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(start, stop + 1)]


def _apart(heights: list[float], least: float = 16.0) -> list[float]:
    """The same heights, moved so that names at them do not overlap."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for above, below in pairwise(order):
        moved[below] = max(moved[below], moved[above] + least)
    return moved


def confusion_table(counts: Any, names: Sequence[str] | None = None) -> str:
    """Right and wrong answers: the true class by row, the answer by column, the colour by share of the row."""
    table = np.asarray(counts)
    called = [str(k) for k in range(len(table))] if names is None else list(names)
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in called)
    lines = []
    for r, line in enumerate(table):
        total = int(line.sum())
        right = f"{line[r] / total:.1%}" if total else "–"
        cells = []
        for c, n in enumerate(line):
            kind = "tg-right" if r == c else "tg-wrong" if n else "tg-none"
            what = f"true {called[r]}, answer {called[c]}: {n} of {total}"
            share = f"{n / total if total else 0:.3f}"
            cells.append(
                f'<td class="{kind}" style="--share:{share}" title="{escape(what)}">{n if n or r == c else "·"}</td>'
            )
        lines.append(f'<tr><th scope="row">{escape(called[r])}</th>{"".join(cells)}<td>{right}</td></tr>')
    return (
        '<div class="tg-box" tabindex="0"><table class="tg-counts">'
        "<caption>True class by row, answer by column; the last column is the share that is right</caption>"
        f'<thead><tr><th scope="col">true</th>{heads}<th scope="col">right</th></tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
