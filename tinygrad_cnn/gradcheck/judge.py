"""Every entry of a gradient against extrapolated differences: a quick pass over all, a thorough one over the doubtful.

The quick pass asks two or three step sizes and is content where they agree with each other and with the gradient.
Whatever it does not settle is asked again with other steps down to small ones, and searched for kinks: only that
pass can say "fail".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.differences import SIGNS, STEP, Extrapolated, extrapolate
from tinygrad_cnn.gradcheck.kinks import Kink, Sides, find_kink, inside
from tinygrad_cnn.gradcheck.point import LEAST, Point
from tinygrad_cnn.gradcheck.verdicts import Entry, Verdict

QUICK = 3
"""Step sizes of the quick pass at most; functions of degree 2 in an element need 2."""

DEPTH = 16
"""Step sizes of the thorough pass at most."""

SAFETY = 4.0
"""The truncation error of the differences is taken this many times."""

CERTAIN = 2.0
"""An entry fails only if it lies outside so many error bars."""

CHUNK = 1 << 19
"""So many output values are kept at a time."""

CONFIRMED = 8
"""So many failures of an input are confirmed; the others are then believed."""

THOROUGH = 2000
"""So many entries of an input are examined thoroughly at most."""

RTOL = 1e-5
"""The relative tolerance, unless the user gives another."""

AWAY = 13 / 16
"""Steps are this times a power of two: short in binary, but not what periods and grids are made of."""


@dataclass(frozen=True)
class Tolerance:
    """What an entry may be off by, beside the error of the differences."""

    atol: float | None
    rtol: float
    eps: float
    step: float | None

    def largest_step(self, values: NDArray) -> NDArray:
        """The first step for elements of these values: the user's, or one that fits their size and precision."""
        if self.step is not None:
            return np.full(values.shape, self.step)
        base = AWAY * (STEP if self.eps < 1e-10 else 16 * STEP)
        size = np.maximum(1.0, np.abs(values))
        return np.asarray(base * 2.0 ** np.floor(np.log2(size)))

    def allowed(self, numeric: NDArray | float, scale: NDArray | float) -> NDArray:
        """Beside the error bars: relative to the entry; by default also 10⁻⁷ of the largest, and what rounds to 0."""
        absolute = 1e-7 * scale + 64 * self.eps * LEAST if self.atol is None else self.atol
        return np.asarray(absolute + self.rtol * np.abs(numeric))

    def granted(self, size: float, weight: float) -> float:
        """What a weighted sum of entries may be off by if the user allows each of them more than is usual, else 0.

        `size` is the sum of the sizes of the weighted entries, `weight` that of the weights. Oracles that ask the
        gradient as a whole are stricter than `allowed`, and must not fail what the user lets pass entry by entry.
        """
        if self.rtol >= 1:
            return float("inf")
        # entries of the gradient stand in for the right ones, which are at most 1/(1 - rtol) times as large
        part = self.rtol / (1 - self.rtol) if self.rtol > RTOL else 0.0
        return part * size + (self.atol or 0.0) * weight

    def coarse(self, numeric: NDArray | float, ruler: NDArray | float) -> NDArray:
        """An error bar beyond this decides nothing."""
        part = max(1e-4, 0.5 * self.eps ** (1 / 3))
        return np.asarray(part * np.maximum(np.abs(numeric), ruler))


def errorbar(found: Extrapolated) -> NDArray:
    """What a derivative may be off by: its truncation error several times, its rounding once."""
    return np.asarray(SAFETY * (found.error - found.rounding) + found.rounding)


class Scale(NamedTuple):
    """What derivatives are measured by: `size` for tolerances, `ruler` for error bars.

    Both are the largest derivative of the input; where the gradient is nothing but zeros, error bars are measured
    by the function's own values: that it does not depend on an input can be told up to rounding only.
    """

    size: float
    ruler: float


class Column:
    """What the quick pass found for one input: arrays of (cotangents, elements)."""

    def __init__(self, count: int, elements: int) -> None:
        self.numeric: NDArray = np.full((count, elements), np.nan)
        self.error: NDArray = np.full((count, elements), np.inf)
        self.doubt: NDArray = np.zeros(elements, dtype=bool)
        """Elements with a kink in reach, perhaps."""


def project(V: NDArray, moved: NDArray, here: NDArray) -> NDArray:
    """⟨v, f(x + t) − f(x)⟩ for each cotangent and each row of `moved`: (cotangents, rows)."""
    return np.asarray(V @ (moved - here).T)


def quick(point: Point, k: int, V: NDArray, tolerance: Tolerance, analytic: NDArray) -> Column:
    """Central differences of every element, at up to three steps; NaN where they need the thorough pass."""
    values = np.asarray(point.arrays[k], np.float64).reshape(-1)
    largest = tolerance.largest_step(values)
    column = Column(len(V), values.size)
    floor = nothing(point, V, analytic)
    active = np.flatnonzero(np.isfinite(values))
    central = np.full((QUICK, len(V), values.size), np.nan)
    bend, noise = central.copy(), central.copy()
    steps = [0.5**s for s in range(QUICK)]
    for s, q in enumerate(steps):
        for part in _chunks(active, point.size):
            central[s][:, part], bend[s][:, part], noise[s][:, part] = level(point, k, part, largest[part] * q, V)
        if s == 0:
            continue
        found = extrapolate(steps[: s + 1], central[: s + 1][:, :, active], noise[: s + 1][:, :, active])
        column.numeric[:, active], column.error[:, active] = found.value, errorbar(found)
        scale = scales(column.numeric)
        bends = suspicious(bend[s - 1][:, active], bend[s][:, active], noise[s][:, active], 2.0)
        matters = np.abs(bend[s][:, active]) > tolerance.allowed(found.value, scale)
        column.doubt[active] = np.any(bends & matters, axis=0)
        with np.errstate(invalid="ignore"):
            off = np.abs(analytic[:, active] - found.value)
            close = off <= tolerance.allowed(found.value, scale) + errorbar(found)
        ruler = np.maximum(np.maximum(scale, scales(analytic)), floor)
        fine = close & (errorbar(found) <= 0.1 * tolerance.coarse(found.value, ruler))
        active = active[~np.all(fine, axis=0) | column.doubt[active]]
        if not len(active):
            break
    return column


def level(point: Point, k: int, part: NDArray, steps: NDArray, V: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """At one step per element: central differences, the jump from left to right slope, rounding of either."""
    high, low = np.empty((len(part), point.size)), np.empty((len(part), point.size))
    up, down = np.empty(len(part)), np.empty(len(part))
    for row, (i, h) in enumerate(zip(part.tolist(), steps.tolist(), strict=True)):
        high[row], up[row] = point.at_element(k, i, h)
        low[row], down[row] = point.at_element(k, i, -h)
    return differences(point, V, high, low, up, -down)


def differences(
    point: Point, V: NDArray, high: NDArray, low: NDArray, up: NDArray, down: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Central differences, jumps of slope and rounding, from the outputs at both ends."""
    ahead, behind = project(V, high, point.values), project(V, low, point.values)
    width = up + down
    with np.errstate(all="ignore"):
        central = (ahead - behind) / width
        jump = ahead / up + behind / down
        changed = ((high != point.values) | (low != point.values)).astype(np.float64)
        squares = (V * point.noise) ** 2
        least = np.max(np.abs(V * point.floor), axis=1, initial=0.0)[:, None]
        most = np.minimum(SIGNS * np.sqrt(squares @ changed.T), np.sqrt(squares) @ changed.T)
        rounding = np.maximum(most, least) * 2 / width
        rounding = rounding + np.abs(jump) * np.abs(up - down) / width
    return central, jump, rounding


def suspicious(before: NDArray, after: NDArray, noise: NDArray, ratio: float) -> NDArray:
    """Whether left and right slope keep apart though the step shrank by `ratio`: where f is smooth they close in."""
    with np.errstate(invalid="ignore"):
        return (np.abs(after) > (1 + 1 / ratio) / 2 * np.abs(before)) & (np.abs(after) > 6 * noise)


def _chunks(active: NDArray, size: int) -> list[NDArray]:
    rows = max(1, CHUNK // max(1, size))
    return [active[s : s + rows] for s in range(0, len(active), rows)]


def nothing(point: Point, V: NDArray, analytic: NDArray) -> NDArray:
    """The size of the function under each cotangent, if the gradient is nothing beside it, else 0."""
    size = np.sqrt(np.sum(V**2, axis=1, keepdims=True)) * np.max(np.abs(point.values), initial=LEAST)
    most = np.max(np.abs(np.nan_to_num(analytic)), axis=1, initial=0.0, keepdims=True)
    return np.where(most <= 64 * point.eps * size, size, 0.0)


def scales(numeric: NDArray) -> NDArray:
    """The largest derivative under each cotangent: (cotangents, 1)."""
    return np.asarray(np.max(np.abs(np.nan_to_num(numeric, posinf=0, neginf=0)), axis=1, initial=0.0, keepdims=True))


@dataclass
class Examined:
    """What the thorough pass knows of one element under one cotangent."""

    numeric: float
    error: float
    steps: tuple[tuple[float, float], ...]
    sides: Sides | None = None
    kink: Kink | None = None
    why: str = ""


def examine(point: Point, k: int, i: int, v: NDArray, tolerance: Tolerance, scale: Scale) -> Examined:
    """Steps of another base, halved down to small ones; kinks located, and stayed away from or judged at."""
    V = v[None]
    first = float(tolerance.largest_step(np.asarray(point.arrays[k], np.float64).reshape(-1)[i : i + 1])[0])

    def ends(h: float) -> tuple[NDArray, NDArray, float, float]:
        high, up = point.at_element(k, i, h)
        low, down = point.at_element(k, i, -h)
        return high, low, up, -down

    return examine_line(point, V, ends, 0.71875 * first, tolerance, scale)


Ends = Callable[[float], tuple[NDArray, NDArray, float, float]]


def examine_line(
    point: Point, V: NDArray, ends: Ends, first: float, tolerance: Tolerance, scale: Scale, kinks: bool = True
) -> Examined:
    """The same along any line through the point: `ends(h)` gives the outputs at both ends and the distances."""
    ladder = _ladder(point, V, ends, first, tolerance, scale)
    if ladder.good and ladder.kink_in and kinks:
        kink = find_kink(point, V[0], ends, first, ladder.kink_in)
        if kink is not None and not kink.at_point:
            sides = Sides.around(point, V[0], ends, kink)
            return Examined(ladder.value, ladder.error, ladder.steps, sides=sides, kink=kink)
    if ladder.good:
        return Examined(ladder.value, ladder.error, ladder.steps)
    if ladder.one_sided is not None:
        value, error = ladder.one_sided
        return Examined(value, error, ladder.steps, why="the function is defined on one side only")
    if not kinks:
        return Examined(ladder.value, ladder.error, ladder.steps, why="the differences do not settle")
    kink = find_kink(point, V[0], ends, first, ladder.kink_in)
    if kink is None:
        return Examined(ladder.value, ladder.error, ladder.steps, why="the differences do not settle")
    if kink.at_point:
        sides = Sides.at(point, V[0], ends, first)
        return Examined(ladder.value, ladder.error, ladder.steps, sides=sides, kink=kink)
    closer = _ladder(point, V, ends, 0.45 * abs(kink.where), tolerance, scale)
    sides = Sides.around(point, V[0], ends, kink)
    if closer.good:
        return Examined(closer.value, closer.error, closer.steps, sides=sides, kink=kink)
    return Examined(closer.value, closer.error, closer.steps, sides, kink, why="a kink is too near to tell")


@dataclass
class _Ladder:
    value: float
    error: float
    steps: tuple[tuple[float, float], ...]
    good: bool
    kink_in: float
    one_sided: tuple[float, float] | None = None


def _ladder(point: Point, V: NDArray, ends: Ends, first: float, tolerance: Tolerance, scale: Scale) -> _Ladder:
    """Differences at ever smaller steps until one of them is precise and no kink is in reach of it."""
    steps: list[float] = []
    rows: list[tuple[float, float, float]] = []  # central, jump, noise
    value, error, kink_in, doubted, clean = np.nan, np.inf, 0.0, 0.0, 0
    smallest = first * point.tiny * 2.0**-6
    h, good = first, False
    while len(steps) < DEPTH and h >= smallest and not good:
        high, low, up, down = ends(h)
        if up <= 0 or down <= 0:
            break
        central, jump, noise = differences(point, V, high[None], low[None], np.array([up]), np.array([down]))
        steps.append(h)
        rows.append((float(central[0, 0]), float(jump[0, 0]), float(noise[0, 0])))
        s = len(steps) - 1
        if s:
            table = np.array(rows)
            bound = float(tolerance.allowed(float(np.nan_to_num(rows[-1][0])), scale.size))
            ratio = steps[-2] / steps[-1]
            apart = suspicious(table[-2, 1], table[-1, 1], table[-1, 2], ratio)
            before, after = abs(rows[-2][1]), abs(rows[-1][1])
            if apart and after > bound:
                doubted, clean = after, s + 1
                kink_in = h if not kink_in or after > 100 * rows[-1][2] else kink_in
            elif before > bound and before > 100 * rows[-2][2] and after < 0.8 * before / ratio**3:
                kink_in, clean = steps[-2], s  # it was there a step before
            elif doubted and 12 * rows[-1][2] > doubted:  # drowned in noise, not gone
                clean = s + 1
            if s - clean >= 1:
                found = extrapolate(steps[clean:], table[clean:, 0], table[clean:, 2])
                value, error = float(found.value), float(errorbar(found))
                precise = error <= 0.1 * float(tolerance.coarse(value, scale.ruler))
                good = s >= 2 and precise and (error <= bound or s >= 5)
        h /= 2.0 if s < 5 else 8.0
    if clean > len(steps) - 2 and len(steps) > 1:  # for the report only
        table = np.array(rows)
        found = extrapolate(steps, table[:, 0], table[:, 2])
        value, error = float(found.value), max(float(errorbar(found)), doubted)
    elif not good and np.isfinite(value):
        good = error <= float(tolerance.coarse(value, scale.ruler))
    pairs = tuple((h, row[0]) for h, row in zip(steps, rows, strict=True))
    ladder = _Ladder(float(value), float(error), pairs, good, kink_in)
    if not good and not np.any(np.isfinite([row[0] for row in rows])):
        ladder.one_sided = _one_sided(point, V, ends, first, tolerance, scale)
    return ladder


def _one_sided(
    point: Point, V: NDArray, ends: Ends, first: float, tolerance: Tolerance, scale: Scale
) -> tuple[float, float] | None:
    """The derivative from the only side on which the function is defined."""
    steps = [first * 0.5**s for s in range(16)]
    found = []
    for h in steps:
        high, low, up, down = ends(h)
        found.append(
            [
                float(project(V, high[None], point.values)[0, 0]) / up,
                -float(project(V, low[None], point.values)[0, 0]) / down,
            ]
        )
    noise = SIGNS * float(np.sqrt(np.sum((V * point.noise) ** 2)))
    for side in np.array(found).T:
        if np.all(np.isfinite(side)):
            best = extrapolate(steps, side, np.array([noise / h for h in steps]), power=1)
            if errorbar(best) <= tolerance.coarse(best.value, scale.ruler):
                return float(best.value), float(errorbar(best))
    return None


def judged(entry: Entry, found: Examined, tolerance: Tolerance, scale: Scale, gradient_noise: float) -> Entry:
    """The verdict on an entry that was examined thoroughly."""
    verdict, reason = Verdict.INCONCLUSIVE, found.why or "the differences are too noisy"
    numeric, error = found.numeric, found.error
    allowed = float(tolerance.allowed(numeric, scale.size)) + gradient_noise
    where = None if found.kink is None else found.kink.where
    pair = None if found.sides is None else (found.sides.left, found.sides.right)
    if not np.isfinite(entry.analytic):
        verdict, reason = Verdict.FAIL, "the gradient is no number"
    elif found.kink is not None and found.kink.at_point and found.sides is not None:
        slack = allowed + found.sides.error
        numeric, error = (found.sides.left + found.sides.right) / 2, found.sides.error
        if inside(entry.analytic, found.sides, slack):
            verdict, reason = Verdict.PASS, "at a kink, inside the subdifferential"
        else:
            verdict, reason = Verdict.FAIL, "at a kink, outside the subdifferential"
    elif np.isfinite(numeric) and error <= float(tolerance.coarse(numeric, scale.ruler)):
        if abs(entry.analytic - numeric) <= allowed + error:
            verdict, reason = Verdict.PASS, "" if found.kink is None else "beside a kink"
        elif abs(entry.analytic - numeric) <= allowed + CERTAIN * error:
            reason = "just outside the error bar"
        else:
            verdict, reason = Verdict.FAIL, found.why
    if verdict is Verdict.INCONCLUSIVE and found.kink is not None:
        reason = f"a kink at {where:.2g} from it is too near to tell"
    return Entry(
        entry.input, entry.name, entry.place, entry.analytic, numeric, error, verdict, reason, pair, where, found.steps,
        allowed,
    )  # fmt: skip


def curve(
    point: Point, k: int, i: int, v: NDArray, tolerance: Tolerance
) -> tuple[tuple[tuple[float, float], ...], float]:
    """Central differences of an element at steps from large to tiny, and what rounding adds to each, times the step."""
    first = float(tolerance.largest_step(np.asarray(point.arrays[k], np.float64).reshape(-1)[i : i + 1])[0])
    smallest = 4 * point.eps * max(1.0, abs(float(point.arrays[k].reshape(-1)[i])))
    steps = 4 * first * 0.5 ** np.arange(np.log2(4 * first / smallest))
    pairs, noise = [], 0.0
    for h in steps.tolist():
        high, up = point.at_element(k, i, h)
        low, down = point.at_element(k, i, -h)
        if up <= 0 or down >= 0:
            break
        central, _, rounding = differences(point, v[None], high[None], low[None], np.array([up]), np.array([-down]))
        pairs.append((h, float(central[0, 0])))
        if np.isfinite(rounding[0, 0]) and h < point.tiny:
            noise = max(noise, float(rounding[0, 0]) * h)
    return tuple(pairs), noise
