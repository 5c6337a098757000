"""Large inputs: ⟨Jᵀv, u⟩ along random signed directions, and the search for the elements that are wrong.

A direction touches every element, so a function of a million inputs costs a few dozen calls. Among so many some are
always beside a kink: outputs that kink within the step are left out, by a 0 in the cotangent. A wrong projection is
halved, and halved again, until single elements are left; these are judged one by one. A kink hides from projections
what it hides, so small inputs are judged element by element where one is met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.differences import STEP
from tinygrad_cnn.gradcheck.finer import is_settled, is_unsettled, rounded, smallest_step, telling_step
from tinygrad_cnn.gradcheck.judge import BENT, FINE, Scale, Tolerance, nothing
from tinygrad_cnn.gradcheck.kinks import find_kink
from tinygrad_cnn.gradcheck.point import Point, blocks, finite, signed
from tinygrad_cnn.gradcheck.thorough import Examined, Line
from tinygrad_cnn.gradcheck.tolerances import CERTAIN, DECIDES, DIGITS, HIDDEN, SAFETY
from tinygrad_cnn.gradcheck.verdicts import Verdict

DIRECTIONS = 3
"""So many directions per input."""

FOUND = 4
"""So many wrong elements are searched for."""

FEW = 1000
"""Up to so many elements are judged one by one where a projection meets a kink or does not pass."""

NEARER = 1 / 64
"""The first step along a direction, as part of that of a single element (1/8 in float32): it meets fewer kinks."""

SMALL = 2.0**-16
"""A step that leaves ten digits of a derivative of size 1."""

SAMPLE = 1000
"""A typical slope is the median of so many, or twice as many."""


class Projection(NamedTuple):
    """One projection: by the gradient, by differences, and what they may differ by."""

    analytic: float
    found: Examined
    allowed: float
    verdict: Verdict


@dataclass
class Glance:
    """The outputs along a direction u of input k, ahead and behind, at a step and, if asked for, at half of it."""

    point: Point
    k: int
    u: NDArray
    h: float

    @cached_property
    def ends(self) -> tuple[NDArray, NDArray]:
        """At the step."""
        return self._at(self.h)

    @cached_property
    def nearer(self) -> tuple[NDArray, NDArray]:
        """At half of it."""
        return self._at(self.h / 2)

    def _at(self, t: float) -> tuple[NDArray, NDArray]:
        directions = self.point.only(self.k, self.u)
        return self.point.along(directions, t), self.point.along(directions, -t)

    def settled(self, v: NDArray, gradient: NDArray, tolerance: Tolerance) -> Projection | None:
        """The projection, if nothing kinks and the gradient is within the tolerance of the difference at the step."""
        point, h, (high, low) = self.point, self.h, self.ends
        change = high - low
        if point.size > 1 and self._bends(change) and np.any(self._kinks(point.floor)):
            return None
        line = Products.of(point, self.k, self.u, v, gradient, tolerance)
        value = float(v @ change) / (2 * h)
        off = abs(line.analytic - value)
        error = SAFETY * off + rounded(v, point.floor) / h
        if off <= line.allowed and error <= FINE * float(tolerance.coarse(value, line.scale.ruler)):
            return Projection(line.analytic, Examined(value, error, ()), line.allowed, Verdict.PASS)
        return None

    def _bends(self, change: NDArray) -> bool:
        """Whether an output bends by more than a part of its change, or of a typical one, and than rounding."""
        point, (high, low), typical = self.point, self.ends, _typical(change)
        for part in blocks(point.size):
            bend = high[part] + low[part]
            bend -= 2 * point.values[part]
            most = np.abs(change[part])
            most += typical
            most *= BENT / 2
            most += 8 * point.floor[part]
            if not np.all(np.abs(bend, out=bend) <= most):
                return True
        return False

    def smooth_outputs(self) -> NDArray:
        """The outputs without a kink in reach: 1 for these, 0 for the others."""
        point = self.point
        kept = np.ones(point.size)
        if point.size < 2:
            return kept
        kinks = self._kinks(point.noise)
        loud = point.noise > 64 * np.median(point.noise) + 64 * point.eps * np.abs(point.values)
        if np.mean(loud) < 0.05:  # the noise of a few outputs is that of kinks
            kinks |= loud
        kept[kinks] = 0.0
        return kept

    def _kinks(self, noise: NDArray) -> NDArray:
        """The outputs whose slopes do not close in as those of a smooth function do, if each is off by its noise."""
        here, h, (high, low), (high_nearer, low_nearer) = self.point.values, self.h, self.ends, self.nearer
        slope, nearer = (high - low) / (2 * h), (high_nearer - low_nearer) / h
        bend, nearer_bend = np.abs(high + low - 2 * here) / h, np.abs(high_nearer + low_nearer - 2 * here) / (h / 2)
        size = np.abs(nearer)
        much = BENT * (_typical(size) + size) + 8 / h * noise
        return np.asarray((np.abs(slope - nearer) > much) | ((nearer_bend > 0.75 * bend) & (nearer_bend > much)))


def _typical(values: NDArray) -> float:
    """The median of a thousand sizes or so."""
    return float(np.median(np.abs(values[:: 1 + values.size // SAMPLE]))) if values.size else 0.0


class Products(NamedTuple):
    """What a gradient says of a direction: the projection, what it may be off by, and what that is measured by."""

    analytic: float
    allowed: float
    scale: Scale

    @staticmethod
    def of(point: Point, k: int, u: NDArray, v: NDArray, gradient: NDArray, tolerance: Tolerance) -> "Products":
        """⟨gradient, u⟩ for input k, where the gradient is that of ⟨v, f⟩."""
        products = (gradient * u).reshape(-1)
        total, known = float(np.sum(products)), products
        if not np.isfinite(total):
            known = products[np.isfinite(products)]
        scale = float(np.sqrt(known @ known))
        # a projection that is 0 in every term has no size of its own to measure error bars by
        ruler = max(scale, float(nothing(point, v[None], products.reshape(1, -1))[0, 0]))
        allowed = float(tolerance.allowed(scale, scale)) + DIGITS * point.eps * scale
        if tolerance.generous:
            allowed += tolerance.granted(float(np.sum(np.abs(known))), float(np.sum(np.abs(u))))
        return Products(total, allowed, Scale(scale, ruler))


def first_step(point: Point, k: int, tolerance: Tolerance) -> float:
    """The largest step along a direction."""
    first = float(tolerance.largest_step(np.array([_typical(finite(point.arrays[k]).reshape(-1))]))[0])
    if tolerance.step is not None:
        return first
    return first * (NEARER if tolerance.eps < 1e-10 else 8 * NEARER)


def along(
    point: Point, k: int, u: NDArray, v: NDArray, gradient: NDArray, tolerance: Tolerance, noise: NDArray | None = None
) -> Projection:
    """Judge ⟨gradient, u⟩ for input k, where the gradient is that of ⟨v, f⟩, and each element off by its noise."""
    analytic, allowed, scale = Products.of(point, k, u, v, gradient, tolerance)
    slack = 0.0 if noise is None else rounded(u.reshape(-1), noise)
    allowed += slack
    line = Line(point, v, point.ends_along(point.only(k, u)), tolerance, scale)
    found = line.examine(first_step(point, k, tolerance), kinks=False)
    off, verdict = abs(analytic - found.numeric), Verdict.INCONCLUSIVE
    if not np.isfinite(analytic):
        verdict = Verdict.FAIL
    elif not found.why and found.error <= line.coarse(found.numeric) and slack <= HIDDEN * scale.ruler:
        if off <= allowed + found.error:
            verdict = Verdict.PASS
        elif off > allowed + CERTAIN * found.error:
            verdict = Verdict.FAIL
    return Projection(analytic, found, allowed, verdict)


def glance(point: Point, v: NDArray, directions: Sequence[NDArray]) -> float:
    """The same by one difference, at a step where truncation and rounding are about as small."""
    h = SMALL * max([1.0, *(_typical(finite(a).reshape(-1)) for a in point.arrays)])
    return float(v @ (point.along(directions, h) - point.along(directions, -h))) / (2 * h)


def tell(point: Point, v: NDArray, directions: Sequence[NDArray], bound: float) -> tuple[float, float]:
    """The derivative of ⟨v, f⟩ along directions of all inputs, and its error: as small as this, if it can be had.

    Infinite where there is a kink in reach, or the differences do not settle.
    """
    tolerance = Tolerance(bound, 0.0, point.eps, None)
    line = Line(point, v, point.ends_along(directions), tolerance, Scale(0.0, bound / DECIDES))
    typical = np.concatenate([finite(a).reshape(-1) for a in point.arrays])
    found = line.examine(float(tolerance.largest_step(np.array([_typical(typical)]))[0]), kinks=False)
    return found.numeric, float("inf") if found.why or found.kink is not None else found.error


def stays(point: Point, v: NDArray, directions: Sequence[NDArray], gradient: float, found: float) -> bool:
    """Whether the smallest readable steps along directions of all inputs give the derivative that larger ones gave."""
    largest = max(float(np.max(np.abs(finite(a)), initial=0.0)) for a in point.arrays)
    least = max(smallest_step(a, largest) for a in point.arrays)
    return is_settled(point, v, point.ends_along(directions), gradient, (found, found), STEP, 4 * least)


def turns_nearer(point: Point, k: int, u: NDArray, v: NDArray, wrong: Projection, tolerance: Tolerance) -> bool:
    """Whether differences nearer to the point speak for a projection that those further away call wrong."""
    a = np.abs(finite(point.arrays[k]))
    moved = np.abs(u[u != 0])
    least = smallest_step(point.arrays[k], float(np.max(a, initial=0.0))) / float(np.min(moved, initial=1.0))
    ends, found = point.ends_along(point.only(k, u)), wrong.found.numeric
    first = first_step(point, k, tolerance)
    if telling_step(point, v, ends, wrong.analytic, (found, found), first, least):
        return True
    finest = min((h for h, _ in wrong.found.steps), default=first)
    return is_unsettled(point, v, ends, wrong.analytic, (found, found), finest, least)


def meets_kink(point: Point, k: int, u: NDArray, v: NDArray, tolerance: Tolerance) -> bool:
    """Whether a direction runs through a kink of ⟨v, f⟩, at the point or within the first step."""
    ends = point.ends_along(point.only(k, u))
    return find_kink(point, v, ends, first_step(point, k, tolerance), 0.0) is not None


def search(
    point: Point, k: int, u: NDArray, v: NDArray, gradient: NDArray, tolerance: Tolerance, noise: NDArray | None = None
) -> Sequence[int]:
    """The elements of input k with the largest errors, by halving the direction where it is most wrong."""
    blocks = [np.arange(u.size)]
    flat_u, flat_gradient = u.reshape(-1), gradient.reshape(-1)
    while any(len(b) > 1 for b in blocks):
        halves: list[tuple[float, NDArray]] = []
        for block in blocks:
            for part in np.array_split(block, 2) if len(block) > 1 else [block]:
                part_u, part_gradient = np.zeros(u.size), np.zeros(u.size)
                part_u[part], part_gradient[part] = flat_u[part], flat_gradient[part]  # NaN elsewhere is none here
                result = along(point, k, part_u.reshape(u.shape), v, part_gradient.reshape(u.shape), tolerance, noise)
                off = abs(result.analytic - result.found.numeric)
                if result.verdict is Verdict.FAIL:
                    halves.append((np.inf if np.isnan(off) else off, part))
        if not halves:
            return []
        halves.sort(key=lambda pair: pair[0], reverse=True)
        blocks = [part for _, part in halves[:FOUND]]
    return [int(b[0]) for b in blocks]


def direction(random: np.random.Generator, point: Point, k: int) -> NDArray:
    """Signed steps for every element, 0 where it is not finite."""
    known = np.isfinite(point.arrays[k])
    drawn = signed(random, known.shape)
    return drawn if known.all() else np.where(known, drawn, 0.0)
