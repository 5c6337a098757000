"""Every entry of a gradient against extrapolated differences: the quick pass over all of them.

It asks one step size, three or five, and is content where they agree with each other and with the gradient. Whatever
it does not settle is left to the thorough pass: only that one can say "fail".
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.differences import STEP, Extrapolated, extrapolate
from tinygrad_cnn.gradcheck.point import COARSE, LEAST, Point
from tinygrad_cnn.gradcheck.tolerances import ATOL, DECIDES, DIGITS, RTOL, SAFETY, SIGNS
from tinygrad_cnn.gradcheck.verdicts import Entry, Verdict

STAGES = (2.0**-6,), (2.0**-3, 2.0**-4), (1.0, 2.0**-1)
COARSE_STAGES = (1.0, 2.0**-1), (2.0**-2,)
"""The step sizes of the quick pass, as parts of the largest: those of the next stage where the first leave doubt.

Small ones settle more in float64; in a coarse precision there is no room below the largest.
"""

BENT = 1e-3
"""Left and right slope that differ by less than this part of the largest derivative meet in no kink that counts."""

FINE = 0.1
"""An error bar of this part of what decides anything at all is small enough to look no further."""

CHUNK = 1 << 19
"""So many output values are kept at a time."""

CONFIRMED = 8
"""So many failures of an input are confirmed; the others are then believed."""

THOROUGH = 2000
"""So many entries of an input are examined thoroughly at most."""

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
        absolute = ATOL * scale + DIGITS * self.eps * LEAST if self.atol is None else self.atol
        return np.asarray(absolute + self.rtol * np.abs(numeric))

    @property
    def generous(self) -> bool:
        """Whether the user allows more than is usual."""
        return self.rtol > RTOL or bool(self.atol)

    def granted(self, size: float, weight: float) -> float:
        """What a weighted sum of entries may be off by if the user allows each of them more than is usual, else 0.

        `size` is the sum of the sizes of the weighted entries, `weight` that of the weights. Oracles that ask the
        gradient as a whole are stricter than `allowed`, and must not fail what the user lets pass entry by entry.
        """
        if not self.generous:
            return 0.0
        if self.rtol >= 1:
            return float("inf")
        # entries of the gradient stand in for the right ones, which are at most 1/(1 - rtol) times as large
        part = self.rtol / (1 - self.rtol) if self.rtol > RTOL else 0.0
        return part * size + (self.atol or 0.0) * weight

    def coarse(self, numeric: NDArray | float, ruler: NDArray | float) -> NDArray:
        """An error bar beyond this decides nothing."""
        part = max(DECIDES, 0.5 * self.eps ** (1 / 3))
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
        worst = np.argmax(badness, axis=0), np.arange(badness.shape[1])
        a, n, error, bound, off = (each[worst] for each in (analytic, column.numeric, column.error, tolerated, badness))
        return FirstLook(a, n, error, bound, off, wrong, doubtful, scale)

    def entries(self, input: int, name: str, shape: Shape) -> list[Entry]:
        """An entry per element, as it stands after the quick pass."""
        numbers = (a.tolist() for a in (self.analytic, self.numeric, self.error, self.allowed, self.wrong))
        return [
            Entry(input, name, place, a, n, error, VERDICT[wrong], allowed=allowed)
            for place, a, n, error, allowed, wrong in zip(np.ndindex(*shape), *numbers, strict=True)
        ]

    def unsettled(self) -> list[int]:
        """The elements that need the thorough pass, the worst first."""
        again = np.flatnonzero(self.doubtful | self.wrong)
        order: list[int] = again[np.argsort(-self.badness[again], kind="stable")].tolist()
        return order


def project(V: NDArray, moved: NDArray, here: NDArray) -> NDArray:
    """⟨v, f(x + t) − f(x)⟩ for each cotangent and each row of `moved`: (cotangents, rows)."""
    return np.asarray(V @ (moved - here).T)


def quick(
    point: Point, k: int, V: NDArray, tolerance: Tolerance, analytic: NDArray, among: NDArray | None = None
) -> Column:
    """Central differences of every element, at one step, three or five; NaN where they need the thorough pass.

    `among` are the elements that are asked for, by their numbers; the others are NaN.

    The first asks nothing but whether all is well: if the function is smooth and the gradient within the tolerance of
    the difference, that settles it, and their distance is the error bar. The noise of the function is measured
    for the last steps only: before it is the least that it can be, which passes nothing that it should not.
    """
    values = np.asarray(point.arrays[k], np.float64).reshape(-1)
    first = tolerance.largest_step(values)
    column = Column(len(V), values.size)
    floor = nothing(point, V, analytic)
    active = np.arange(values.size) if among is None else among
    active = active[np.isfinite(values[active])]
    rungs: dict[float, NDArray] = {}
    stages = STAGES if point.eps < COARSE else COARSE_STAGES
    for parts in stages:
        if not len(active):
            break
        last = parts is stages[-1]
        for q in parts:
            rung = rungs[q] = np.full((3, len(V), values.size), np.nan)
            for part in _chunks(active, point.size):
                rung[:, :, part] = level(point, k, part, first[part] * q, V, measured=last)
        steps = sorted(rungs, reverse=True)
        central, bend, noise = np.stack([rungs[q][:, :, active] for q in steps], axis=1)
        if last:  # what was taken for rounding at the steps before was the least that it can be
            noise = np.maximum(noise, [rungs[parts[0]][2][:, active] * (parts[0] / q) for q in steps])
        several = len(steps) > 1
        with np.errstate(invalid="ignore"):
            if several:
                found = extrapolate(steps, central, noise)
                value, error = found.value, errorbar(found)
            else:
                value = central[0]
                error = SAFETY * np.abs(analytic[:, active] - value) + noise[0]
            column.numeric[:, active], column.error[:, active] = value, error
            scale = scales(column.numeric)
            allowed = tolerance.allowed(value, scale)
            ruler = np.maximum(np.maximum(scale, scales(analytic)), floor)
            close = np.abs(analytic[:, active] - value) <= allowed + several * error
            fine = close & (error <= FINE * tolerance.coarse(value, ruler))
            bends = np.abs(bend[-1]) > (allowed if several else BENT * scale)
            if several:
                bends &= suspicious(bend[-2], bend[-1], noise[-1], steps[-2] / steps[-1])
        column.doubt[active] = bends.any(axis=0)
        active = active[~fine.all(axis=0) | column.doubt[active]]
    return column


def level(
    point: Point, k: int, part: NDArray, steps: NDArray, V: NDArray, *, measured: bool = True
) -> tuple[NDArray, NDArray, NDArray]:
    """At one step per element: central differences, the jump from left to right slope, rounding of either."""
    high, low = np.empty((len(part), point.size)), np.empty((len(part), point.size))
    up, down = np.empty(len(part)), np.empty(len(part))
    for row, (i, h) in enumerate(zip(part.tolist(), steps.tolist(), strict=True)):
        high[row], up[row] = point.at_element(k, i, h)
        low[row], down[row] = point.at_element(k, i, -h)
    return differences(point, V, high, low, up, -down, measured=measured)


def differences(
    point: Point,
    V: NDArray,
    high: NDArray,
    low: NDArray,
    up: NDArray,
    down: NDArray,
    *,
    measured: bool = True,
    moved: NDArray | None = None,
) -> tuple[NDArray, NDArray, NDArray]:
    """Central differences, jumps of slope and rounding, from the outputs at both ends.

    Rounding is what was measured, or the least that it can be, of the outputs that change; `moved` are those that
    changed at larger steps, to which these are added: what stands still at a small step has been rounded there, too.
    """
    ahead, behind = project(V, high, point.values), project(V, low, point.values)
    width = up + down
    with np.errstate(all="ignore"):
        central = (ahead - behind) / width
        jump = ahead / up + behind / down
        changed = (high != point.values) | (low != point.values)
        if moved is not None:
            changed = np.logical_or(moved, changed, out=moved)
        changed = changed.astype(np.float64)
        each = np.abs(V * (point.noise if measured else point.floor))
        least = np.max(each if not measured else np.abs(V * point.floor), axis=1, initial=0.0)[:, None]
        most = np.minimum(SIGNS * np.sqrt((each * each) @ changed.T), each @ changed.T)
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
    size = np.sqrt(np.einsum("ij,ij->i", V, V))[:, None] * max(LEAST, point.largest)
    most = scales(analytic)
    return np.where(most <= DIGITS * point.eps * size, size, 0.0)


def largest(values: NDArray, least: float = 0.0) -> float:
    """The size of the largest number, or `least`; what is no number does not count."""
    return max(least, float(scales(values.reshape(1, -1))[0, 0]))


def scales(numeric: NDArray) -> NDArray:
    """The largest derivative under each cotangent: (cotangents, 1)."""
    most = np.maximum.reduce(numeric, axis=1, initial=0.0, keepdims=True)
    least = np.minimum.reduce(numeric, axis=1, initial=0.0, keepdims=True)
    found = np.maximum(most, -least)
    if not np.isfinite(found).all():
        found = np.max(np.abs(numeric), axis=1, initial=0.0, keepdims=True, where=np.isfinite(numeric))
    return np.asarray(found)
