"""Every entry of a gradient against extrapolated differences: the quick pass over all of them.

It asks two or three step sizes and is content where they agree with each other and with the gradient. Whatever it
does not settle is left to the thorough pass: only that one can say "fail".
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.differences import SIGNS, STEP, Extrapolated, extrapolate
from tinygrad_cnn.gradcheck.point import LEAST, Point, place_of
from tinygrad_cnn.gradcheck.verdicts import Entry, Verdict

QUICK = 3
"""Step sizes of the quick pass at most; functions of degree 2 in an element need 2."""

FINE = 0.1
"""An error bar of this part of what decides anything at all is small enough to look no further."""

SAFETY = 4.0
"""The truncation error of the differences is taken this many times."""

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
    by the function's own values: that it does not depend on an input can be seen up to rounding only.
    """

    size: float
    ruler: float


VERDICT = {False: Verdict.PASS, True: Verdict.FAIL}
"""Of an entry that is not wrong, and of one that is."""


class Column:
    """What the quick pass found for one input: arrays of (cotangents, elements)."""

    def __init__(self, count: int, elements: int) -> None:
        self.numeric: NDArray = np.full((count, elements), np.nan)
        self.error: NDArray = np.full((count, elements), np.inf)
        self.doubt: NDArray = np.zeros(elements, dtype=bool)
        """Elements with a kink in reach, perhaps."""


@dataclass(frozen=True)
class FirstLook:
    """What the quick pass says of an input, one number an element: under the cotangent where it is worst off."""

    analytic: NDArray
    numeric: NDArray
    error: NDArray
    allowed: NDArray
    badness: NDArray
    """How far off it is, in units of what it may be off by."""
    wrong: NDArray
    """Off by more than it may be, under any cotangent."""
    doubtful: NDArray
    """The error bar decides nothing, or there may be a kink."""
    scale: list[Scale]
    """Per cotangent, what derivatives are measured by."""

    @staticmethod
    def at(point: Point, V: NDArray, analytic: NDArray, column: "Column", tolerance: Tolerance) -> "FirstLook":
        """Compare the gradients with the differences: both are (cotangents, elements)."""
        size = scales(column.numeric)
        ruler = np.maximum(np.maximum(size, scales(analytic)), nothing(point, V, analytic))
        tolerated = tolerance.allowed(column.numeric, size)
        allowed = tolerated + column.error
        with np.errstate(all="ignore"):
            off = np.abs(analytic - column.numeric)
            coarse = column.error > tolerance.coarse(column.numeric, ruler)
            badness = np.where(np.isfinite(off), off / np.maximum(allowed, 1e-300), np.inf)
        wrong = ~np.all(off <= allowed, axis=0)
        doubtful = np.any(coarse, axis=0) | ~np.all(np.isfinite(column.error), axis=0) | column.doubt
        scale = [Scale(*pair) for pair in zip(size[:, 0], ruler[:, 0], strict=True)]
        worst = np.argmax(badness, axis=0)[None]
        a, n, error, bound, off = (
            np.take_along_axis(each, worst, 0)[0]
            for each in (analytic, column.numeric, column.error, tolerated, badness)
        )
        return FirstLook(a, n, error, bound, off, wrong, doubtful, scale)

    def entries(self, input: int, name: str, shape: Shape) -> list[Entry]:
        """An entry per element, as it stands after the quick pass."""
        numbers = (a.tolist() for a in (self.analytic, self.numeric, self.error, self.allowed, self.wrong))
        return [
            Entry(input, name, place_of(i, shape), a, n, error, VERDICT[wrong], allowed=allowed)
            for i, (a, n, error, allowed, wrong) in enumerate(zip(*numbers, strict=True))
        ]

    def unsettled(self) -> list[int]:
        """The elements that need the thorough pass, the worst first."""
        again = np.flatnonzero(self.doubtful | self.wrong)
        order: list[int] = again[np.argsort(-self.badness[again], kind="stable")].tolist()
        return order


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
        fine = close & (errorbar(found) <= FINE * tolerance.coarse(found.value, ruler))
        active = active[~np.all(fine, axis=0) | column.doubt[active]]
        if not len(active):
            break
    return column


def level(point: Point, k: int, part: NDArray, steps: NDArray, V: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """At one step per element: central differences, the jump from left to right slope, rounding of either."""
    high, low = np.empty((len(part), point.size)), np.empty((len(part), point.size))
    up, down = np.empty(len(part)), np.empty(len(part))
    for row, (i, h) in enumerate(zip(part.tolist(), steps.tolist(), strict=True)):
        high[row], low[row], up[row], down[row] = point.ends_of_element(k, i)(h)
    return differences(point, V, high, low, up, down)


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


def suspicious(before: NDArray | float, after: NDArray | float, noise: NDArray | float, ratio: float) -> NDArray:
    """Whether left and right slope keep apart though the step shrank by `ratio`: where f is smooth they close in."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(after) > (1 + 1 / ratio) / 2 * np.abs(before)) & (np.abs(after) > 6 * noise))


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
