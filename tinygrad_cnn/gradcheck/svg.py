"""Small drawings as SVG text, inline in a page: colours come from the page's own style, so they follow dark mode."""

import math
from collections.abc import Sequence
from html import escape

from tinygrad_cnn.gradcheck.verdicts import Entry

DECADES = range(-8, 3)
"""The histogram has a bar for each power of ten in between, and one for what is below and above."""


def histogram(ratios: Sequence[float], name: str) -> str:
    """How many entries are off by which part of their bound, a bar a decade; beyond 1 it is red."""
    counts = binned(ratios)
    width, height, base = 26, 66, 84
    most = max(counts)
    bars = []
    for k, count in enumerate(counts):
        tall = max(1.5, height * count / most) if count else 0.0
        kind = "over" if k > len(counts) - 4 else "bar"
        x = 8 + k * width
        if count:
            bars.append(
                f'<rect class="{kind}" x="{x + 2}" y="{base - tall:.1f}" width="{width - 4}" height="{tall:.1f}"/>'
            )
            bars.append(f'<text x="{x + width / 2}" y="{base - tall - 3:.1f}">{count}</text>')
    one = 8 + (1 - DECADES[0]) * width
    ticks = [(k, DECADES[0] + k - 1) for k in range(1, len(counts)) if (k - 1) % 2 == 0]
    labels = [
        f'<text x="{8 + k * width}" y="{base + 13}">{"1" if p == 0 else f"10{_raised(p)}"}</text>' for k, p in ticks
    ]
    total = 16 + len(counts) * width
    label = (
        f"{name}: {len(ratios)} derivatives by error over bound; {sum(counts[-3:])} above 1, {sum(counts[:-3])} below"
    )
    return (
        f'<svg class="chart" viewBox="0 0 {total} 112" width="{total}" height="112" role="img" '
        f'aria-label="{escape(label)}">'
        f'<line class="axis" x1="8" y1="{base}" x2="{total - 8}" y2="{base}"/>'
        f'<line class="limit" x1="{one}" y1="6" x2="{one}" y2="{base}"/>'
        f"{''.join(bars)}{''.join(labels)}"
        f'<text x="{total / 2}" y="{base + 26}">error ÷ bound</text></svg>'
    )


def binned(ratios: Sequence[float]) -> list[int]:
    """Counts: up to 10⁻⁸, a decade each up to 100, above."""
    counts = [0] * (len(DECADES) + 1)
    for ratio in ratios:
        power = -math.inf if ratio <= 0 else math.log10(ratio)
        counts[sum(power > edge for edge in DECADES)] += 1
    return counts


def step_curve(entry: Entry, noise: float) -> str:
    """Error of the central difference over the step, both logarithmic; the analytic value's distance as a line."""
    off = entry.off if math.isfinite(entry.off) else 0.0
    floor = 1e-17 * (max(abs(entry.numeric), off) or 1.0)  # where the difference is exact
    pairs = [(h, abs(d - entry.numeric)) for h, d in entry.steps]
    pairs = [(h, max(error, floor)) for h, error in pairs if h > 0 and math.isfinite(error)]
    if len(pairs) < 2:
        return ""
    levels = [value for _, value in pairs] + [value for value in (off, entry.error) if value > 0]
    left, right = (math.log10(f(h for h, _ in pairs)) for f in (min, max))
    low, high = math.floor(math.log10(min(levels))), math.ceil(math.log10(max(levels)))
    high += low == high

    def x(h: float) -> float:
        return 48 + 300 * (math.log10(h) - left) / max(right - left, 1e-9)

    def y(value: float) -> float:
        return 12 + 140 * (high - math.log10(value)) / (high - low)

    points = " ".join(f"{x(h):.1f},{y(v):.1f}" for h, v in pairs)
    parts = [f'<polyline class="curve" points="{points}"/>']
    parts += [f'<circle class="dot" cx="{x(h):.1f}" cy="{y(v):.1f}" r="2.5"/>' for h, v in pairs]
    if noise > 0:
        kept = [(h, noise / h) for h, _ in pairs if low <= math.log10(noise / h) <= high]
        parts.append(f'<polyline class="rounding" points="{" ".join(f"{x(h):.1f},{y(v):.1f}" for h, v in kept)}"/>')
    if off > 0:
        parts.append(f'<line class="wrong" x1="48" y1="{y(off):.1f}" x2="348" y2="{y(off):.1f}"/>')
        above = y(off) > 26
        parts.append(
            f'<text class="wrong-text" x="346" y="{y(off) + (-4 if above else 12):.1f}" text-anchor="end">'
            f"analytic − numeric: {off:.2g}</text>"
        )
    every = max(1, (high - low) // 5)
    for power in range(low, high + 1, every):
        parts.append(
            f'<text class="left" x="42" y="{y(10.0**power) + 4:.1f}" text-anchor="end">10{_raised(power)}</text>'
        )
    for power in range(math.ceil(left), math.floor(right) + 1, max(1, int(right - left) // 5 or 1)):
        parts.append(f'<text x="{x(10.0**power):.1f}" y="168">10{_raised(power)}</text>')
    label = f"error of the central difference over the step size; the gradient is off by {off:.2g}"
    return (
        f'<svg class="chart" viewBox="0 0 360 186" width="360" height="186" role="img" aria-label="{escape(label)}">'
        '<path class="axis" d="M48 12V152H348" fill="none"/>'
        f'{"".join(parts)}<text x="198" y="182">step size h</text></svg>'
    )


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
