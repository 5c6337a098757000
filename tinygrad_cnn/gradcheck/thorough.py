"""The doubtful entries of a gradient, one by one: the thorough pass.

Steps of another base go down to small ones, kinks are searched for, and stayed away from or judged at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.differences import extrapolate
from tinygrad_cnn.gradcheck.finer import (
    is_settled,
    is_unresolved,
    is_unsettled,
    jumps,
    moved,
    smallest_step,
    telling_step,
)
from tinygrad_cnn.gradcheck.judge import FINE, Scale, Tolerance, differences, errorbar, project, suspicious
from tinygrad_cnn.gradcheck.kinks import Kink, Sides, find_kink, inside
from tinygrad_cnn.gradcheck.point import Ends, Point
from tinygrad_cnn.gradcheck.tolerances import CERTAIN, SIGNS
from tinygrad_cnn.gradcheck.verdicts import INSIDE, OUTSIDE, Entry, Verdict

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

LOUD, DROWNED = 100.0, 12.0
"""A jump of slope is sure if it is so many times its noise; it may be gone for noise only if it is less than this."""

GONE = 0.8
"""A jump left behind: smooth functions' shrink no faster than with the cube of the step, but for this factor."""

UNRESOLVED = "the function changes between neighbouring numbers"
"""Why nothing can be said of what no step resolves."""

UNSETTLED = "the function turns within less than the steps"
"""Why nothing can be said of what is another function at smaller steps."""

JUMPS = "the function jumps at the point"
"""Why there is no derivative to compare with."""


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
    """A line through the point, along which ⟨v, f⟩ is differentiated."""

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

    def rung(self, h: float, moved: NDArray | None = None) -> Rung | None:
        """The differences at a step; None if rounding swallows it. `moved` are the outputs that it has moved."""
        high, low, up, down = self.ends(h)
        if up <= 0 or down <= 0:
            return None
        ends = high[None], low[None], np.array([up]), np.array([down])
        return Rung(h, *(float(a[0, 0]) for a in differences(self.point, self.v[None], *ends, moved=moved)))

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
        moved = np.zeros((1, self.line.point.size), dtype=bool)
        while len(self.rungs) < DEPTH and h >= smallest and not self.good:
            rung = self.line.rung(h, moved)
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


def confirmed(
    point: Point, k: int, i: int, v: NDArray, tolerance: Tolerance, scale: Scale, gradient_noise: float, entry: Entry
) -> Entry:
    """An entry that is wrong, or what is said of it nearer to the point, if the function is another one there.

    Nothing is said either of one that lies between the slopes of what is no kink, but a jump.
    """
    if entry.verdict is not Verdict.FAIL and entry.reason != INSIDE:
        return entry
    least = smallest_step(point.arrays[k], float(point.arrays[k].reshape(-1)[i]))
    ends, first = point.ends_of_element(k, i), _first_step(point, k, i, tolerance)
    v = np.where(moved(ends, first, least), v, 0.0)
    if entry.reason == INSIDE:
        jump = jumps(point, v, ends, least)
        return replace(entry, verdict=Verdict.INCONCLUSIVE, reason=JUMPS) if jump else entry
    line, step = Line(point, v, ends, tolerance, scale), first
    while entry.verdict is Verdict.FAIL and np.isfinite(entry.analytic):
        if is_settled(point, v, ends, entry.analytic, slopes_of(entry), first, least):
            return entry
        step = telling_step(point, v, ends, entry.analytic, slopes_of(entry), step, least)
        if not step:
            break
        entry = judged(entry, line.examine(step), tolerance, scale, gradient_noise)
    if entry.verdict is not Verdict.FAIL or not np.isfinite(entry.analytic):
        return entry
    finest = min((h for h, _ in entry.steps), default=first)
    if is_unsettled(point, v, ends, entry.analytic, slopes_of(entry), finest, least):
        return replace(entry, verdict=Verdict.INCONCLUSIVE, reason=UNSETTLED)
    if jumps(point, v, ends, least):
        return replace(entry, verdict=Verdict.INCONCLUSIVE, reason=JUMPS)
    if is_unresolved(point, v, ends, entry.analytic, first, least):
        return replace(entry, verdict=Verdict.INCONCLUSIVE, reason=UNRESOLVED)
    return entry


def slopes_of(entry: Entry) -> tuple[float, float]:
    """The lowest and the highest derivative that was found: one, unless at a kink."""
    if entry.reason == OUTSIDE and entry.one_sided is not None:
        return min(entry.one_sided), max(entry.one_sided)
    return entry.numeric, entry.numeric


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
        if not np.isfinite(found.sides.high - found.sides.low):
            return Verdict.INCONCLUSIVE, "the slopes at a kink are no numbers"
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
