"""Every entry of a gradient against extrapolated differences: a quick pass over all, a thorough one over the doubtful.

The quick pass asks two or three step sizes and is content where they agree with each other and with the gradient.
Whatever it does not settle is asked again with other steps down to small ones, and searched for kinks: only that
pass can say "fail".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.gradcheck.differences import SIGNS, STEP, Extrapolated, extrapolate
from tinygrad_cnn.gradcheck.kinks import Kink, Sides, find_kink, inside
from tinygrad_cnn.gradcheck.point import LEAST, Ends, Point, place_of
from tinygrad_cnn.gradcheck.verdicts import INSIDE, OUTSIDE, Entry, Verdict
from tinygrad_cnn.types import NDArray, Shape

QUICK = 3
"""Step sizes of the quick pass at most; functions of degree 2 in an element need 2."""

DEPTH = 16
"""Step sizes of the thorough pass at most."""

PATIENT = 6
"""After so many of them steps shrink faster, and an error bar above the tolerance has to do."""

SMALLEST = 2.0**-6
"""Steps go down to this part of the first one times `Point.tiny`."""

OTHER_BASE = 0.71875
"""The first step of the thorough pass, as part of that of the quick one: its steps are all different."""

CLOSER = 0.45
"""The first step beside a kink, as part of the distance to it."""

FINE = 0.1
"""An error bar of this part of what decides anything at all is small enough to look no further."""

LOUD, DROWNED = 100.0, 12.0
"""A jump of slope is sure if it is so many times its noise; it may be gone for noise only if it is less than this."""

GONE = 0.8
"""A jump left behind: smooth functions' shrink no faster than with the cube of the step, but for this factor."""

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


@dataclass(frozen=True)
class Examined:
    """What the thorough pass knows of one element, or of one line, under one cotangent."""

    numeric: float
    error: float
    steps: tuple[tuple[float, float], ...]
    sides: Sides | None = None
    kink: Kink | None = None
    why: str = ""
    """Why nothing can be said, or only so much."""

    @property
    def at_kink(self) -> bool:
        """Whether there is a kink at the point itself."""
        return self.kink is not None and self.kink.at_point


class Rung(NamedTuple):
    """What one step along a line gives: the central difference, the jump from left to right slope, their rounding."""

    step: float
    central: float
    jump: float
    noise: float


@dataclass(frozen=True)
class Line:
    """A line through the point, along which ⟨v, f⟩ is differentiated: `ends` gives the outputs at both ends of a step.

    Its steps are of another base than those of the quick pass, halved down to small ones; kinks are located, and
    stayed away from or judged at.
    """

    point: Point
    v: NDArray
    ends: Ends
    tolerance: Tolerance
    scale: Scale

    def examine(self, first: float, *, kinks: bool = True) -> Examined:
        """Differences from the step `first` down, and the kinks in reach of them, if these are asked for."""
        ladder = _Ladder(self, first)
        if ladder.good:
            kink = find_kink(self.point, self.v, self.ends, first, ladder.kink_in) if ladder.kink_in and kinks else None
            return ladder.examined(None if kink is None or kink.at_point else kink)
        if not ladder.finite:
            one_sided = self._one_sided(first)
            if one_sided is not None:
                return Examined(*one_sided, ladder.steps, why="the function is defined on one side only")
        kink = find_kink(self.point, self.v, self.ends, first, ladder.kink_in) if kinks else None
        if kink is None:
            return ladder.examined(why="the differences do not settle")
        if kink.at_point:
            sides = Sides.at(self.point, self.v, self.ends, first)
            return Examined(ladder.value, ladder.error, ladder.steps, sides, kink)
        closer = _Ladder(self, CLOSER * abs(kink.where))
        return closer.examined(kink, why="" if closer.good else "a kink is too near to tell")

    def rung(self, h: float) -> Rung | None:
        """The differences at a step; None if rounding swallows it."""
        high, low, up, down = self.ends(h)
        if up <= 0 or down <= 0:
            return None
        ends = high[None], low[None], np.array([up]), np.array([down])
        return Rung(h, *(float(a[0, 0]) for a in differences(self.point, self.v[None], *ends)))

    def coarse(self, value: float) -> float:
        """An error bar beyond this decides nothing."""
        return float(self.tolerance.coarse(value, self.scale.ruler))

    def _one_sided(self, first: float) -> tuple[float, float] | None:
        """The derivative from the only side on which the function is defined, and its error bar."""
        steps = [first * 0.5**s for s in range(DEPTH)]
        slopes = []
        for h in steps:
            high, low, up, down = self.ends(h)
            ahead, behind = (float(project(self.v[None], a[None], self.point.values)[0, 0]) for a in (high, low))
            slopes.append([ahead / up, -behind / down])
        noise = SIGNS * float(np.sqrt(np.sum((self.v[None] * self.point.noise) ** 2)))
        for side in np.array(slopes).T:
            if np.all(np.isfinite(side)):
                best = extrapolate(steps, side, np.array([noise / h for h in steps]), power=1)
                value, error = float(best.value), float(errorbar(best))
                if error <= self.coarse(value):
                    return value, error
        return None


class _Ladder:
    """Differences along a line at ever smaller steps, until one is precise and no kink is in reach of it."""

    def __init__(self, line: Line, first: float) -> None:
        self.line = line
        self.rungs: list[Rung] = []
        self.value, self.error = float("nan"), float("inf")
        self.good = False
        """Whether the error bar is small enough to judge by."""
        self.clean = 0
        """The first rung below which no kink was met."""
        self.kink_in = 0.0
        """A step within which there is a kink; 0 if none was met."""
        self.jump = 0.0
        """The last jump from left to right slope that was too large for a smooth function."""
        self._descend(first)
        self._settle()

    @property
    def steps(self) -> tuple[tuple[float, float], ...]:
        """The pairs (step, central difference)."""
        return tuple((rung.step, rung.central) for rung in self.rungs)

    @property
    def finite(self) -> bool:
        """Whether any difference is a number."""
        return bool(np.any(np.isfinite([rung.central for rung in self.rungs])))

    def examined(self, kink: Kink | None = None, why: str = "") -> Examined:
        """What the ladder says, beside a kink if there is one."""
        sides = None if kink is None else Sides.around(self.line.point, self.line.v, self.line.ends, kink)
        return Examined(self.value, self.error, self.steps, sides, kink, why)

    def _descend(self, first: float) -> None:
        h, smallest = first, first * self.line.point.tiny * SMALLEST
        while len(self.rungs) < DEPTH and h >= smallest and not self.good:
            rung = self.line.rung(h)
            if rung is None:
                break
            self.rungs.append(rung)
            if len(self.rungs) > 1:
                tolerance, scale = self.line.tolerance, self.line.scale
                bound = float(tolerance.allowed(float(np.nan_to_num(rung.central)), scale.size))
                self._look_for_kinks(bound)
                self._estimate(bound)
            h /= 2.0 if len(self.rungs) < PATIENT else 8.0

    def _look_for_kinks(self, bound: float) -> None:
        """Compare the jumps of slope at the last two steps: those of a smooth function shrink with the step."""
        last, here = self.rungs[-2:]
        before, after = abs(last.jump), abs(here.jump)
        ratio = last.step / here.step
        if after > bound and suspicious(last.jump, here.jump, here.noise, ratio):
            self.jump, self.clean = after, len(self.rungs)
            if not self.kink_in or after > LOUD * here.noise:
                self.kink_in = here.step
        elif before > bound and before > LOUD * last.noise and after < GONE * before / ratio**3:
            self.kink_in, self.clean = last.step, len(self.rungs) - 1  # it was there a step before
        elif self.jump and DROWNED * here.noise > self.jump:  # in noise, not gone
            self.clean = len(self.rungs)

    def _estimate(self, bound: float) -> None:
        """Extrapolate the rungs below the last kink, and see whether that is precise enough to stop."""
        if len(self.rungs) - self.clean < 2:
            return
        self.value, self.error = self._extrapolated(self.rungs[self.clean :])
        precise = self.error <= FINE * self.line.coarse(self.value)
        self.good = len(self.rungs) > 2 and precise and (self.error <= bound or len(self.rungs) >= PATIENT)

    def _settle(self) -> None:
        """At the end: be content with a larger error bar, or show what all rungs give, kinks or not."""
        if len(self.rungs) > 1 and len(self.rungs) - self.clean < 2:  # for the report only
            self.value, error = self._extrapolated(self.rungs)
            self.error = max(error, self.jump)
        elif not self.good and np.isfinite(self.value):
            self.good = self.error <= self.line.coarse(self.value)

    def _extrapolated(self, rungs: Sequence[Rung]) -> tuple[float, float]:
        steps, central, _, noise = zip(*rungs, strict=True)
        found = extrapolate(steps, np.array(central), np.array(noise))
        return float(found.value), float(errorbar(found))


def examine(point: Point, k: int, i: int, v: NDArray, tolerance: Tolerance, scale: Scale) -> Examined:
    """Examine one element of an input under one cotangent."""
    line = Line(point, v, point.ends_of_element(k, i), tolerance, scale)
    return line.examine(OTHER_BASE * _first_step(point, k, i, tolerance))


def _first_step(point: Point, k: int, i: int, tolerance: Tolerance) -> float:
    return float(tolerance.largest_step(np.asarray(point.arrays[k], np.float64).reshape(-1)[i : i + 1])[0])


def judged(entry: Entry, found: Examined, tolerance: Tolerance, scale: Scale, gradient_noise: float) -> Entry:
    """The entry with the verdict of the thorough pass."""
    allowed = float(tolerance.allowed(found.numeric, scale.size)) + gradient_noise
    coarse = float(tolerance.coarse(found.numeric, scale.ruler))
    verdict, reason = _verdict(entry.analytic, found, allowed, coarse)
    sides, numeric, error = found.sides, found.numeric, found.error
    if sides is not None and found.at_kink and np.isfinite(entry.analytic):
        numeric, error = (sides.left + sides.right) / 2, sides.error
    return replace(
        entry,
        numeric=numeric,
        error=error,
        verdict=verdict,
        reason=reason,
        one_sided=None if sides is None else (sides.left, sides.right),
        where=None if found.kink is None else found.kink.where,
        steps=found.steps,
        allowed=allowed,
    )


def _verdict(analytic: float, found: Examined, allowed: float, coarse: float) -> tuple[Verdict, str]:
    """What can be said of a value, and why."""
    if not np.isfinite(analytic):
        return Verdict.FAIL, "the gradient is no number"
    if found.at_kink and found.sides is not None:
        between = inside(analytic, found.sides, allowed + found.sides.error)
        return (Verdict.PASS, INSIDE) if between else (Verdict.FAIL, OUTSIDE)
    why = found.why or "the differences are too noisy"
    if np.isfinite(found.numeric) and found.error <= coarse:
        off = abs(analytic - found.numeric)
        if off <= allowed + found.error:
            return Verdict.PASS, "" if found.kink is None else "beside a kink"
        if not off <= allowed + CERTAIN * found.error:
            return Verdict.FAIL, found.why
        why = "just outside the error bar"
    if found.kink is not None:
        why = f"a kink at {found.kink.where:.2g} from it is too near to tell"
    return Verdict.INCONCLUSIVE, why


def curve(
    point: Point, k: int, i: int, v: NDArray, tolerance: Tolerance
) -> tuple[tuple[tuple[float, float], ...], float]:
    """Central differences of an element at steps from large to tiny, and what rounding adds to each, times the step."""
    first = _first_step(point, k, i, tolerance)
    smallest = 4 * point.eps * max(1.0, abs(float(point.arrays[k].reshape(-1)[i])))
    steps = 4 * first * 0.5 ** np.arange(np.log2(4 * first / smallest))
    line = Line(point, v, point.ends_of_element(k, i), tolerance, Scale(0.0, 0.0))
    pairs, noise = [], 0.0
    for h in steps.tolist():
        rung = line.rung(h)
        if rung is None:
            break
        pairs.append((h, rung.central))
        if np.isfinite(rung.noise) and h < point.tiny:
            noise = max(noise, rung.noise * h)
    return tuple(pairs), noise
