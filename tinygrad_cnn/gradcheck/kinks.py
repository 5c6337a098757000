"""Kinks: where they are, which slopes meet there, and whether a gradient lies between them.

A convex or concave function has a subdifferential at its kink, Clarke's generalised gradient in the other cases
(Optimization and Nonsmooth Analysis, 1983): everything between the slopes that are seen nearby.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.differences import NOISE_POINTS
from tinygrad_cnn.gradcheck.finer import FINER, is_unsettled, smallest_step, telling_step
from tinygrad_cnn.gradcheck.point import COARSE, Ends, Point
from tinygrad_cnn.gradcheck.tolerances import FAINT, SIGNS, SLOPES, TERMS, TIED
from tinygrad_cnn.gradcheck.verdicts import Entry, Verdict

HALVINGS = 44

LOUD, UNEVEN = 8.0, 3.0
"""A bend is looked into if it is so many times its noise; a part with a kink bends so many times as much as others."""

TIES = 24
"""So many outputs whose elements are tied are looked at."""


@dataclass(frozen=True)
class Kink:
    """A kink at the signed distance `where` from the point, known to ± `resolution`."""

    where: float
    resolution: float

    @property
    def at_point(self) -> bool:
        """Whether it cannot be told from a kink exactly at the point."""
        return abs(self.where) <= self.resolution


@dataclass(frozen=True)
class Sides:
    """The slopes to the left and to the right of a kink; what a gradient at the kink may be: from low to high."""

    left: float
    right: float
    low: float
    high: float
    error: float

    @staticmethod
    def at(point: Point, v: NDArray, ends: Ends, first: float) -> "Sides":
        """One-sided slopes at the point itself, extrapolated; for each output apart, since each has its own kink."""
        h = min(first, 64 * point.tiny)
        left, right = (np.zeros(point.size) for _ in range(2))
        for weight, q in ((8 / 3, 0.25), (-2.0, 0.5), (1 / 3, 1.0)):
            high, low, up, down = ends(q * h)
            right += weight * (high - point.values) / up
            left += weight * (point.values - low) / down
        both = np.sort(np.stack([v * left, v * right]), axis=0)
        error = SIGNS * 16 / h * float(np.sqrt(np.sum((v * point.noise * (left != right)) ** 2))) + SLOPES * float(
            np.max(np.abs(both), initial=0.0)
        )
        return Sides(float(v @ left), float(v @ right), float(np.sum(both[0])), float(np.sum(both[1])), error)

    @staticmethod
    def around(point: Point, v: NDArray, ends: Ends, kink: Kink) -> "Sides":
        """The slopes on either side of a kink that is not at the point."""
        near, far = 0.5 * abs(kink.where), 1.5 * abs(kink.where)
        ahead, behind, up, down = ends(near)
        own = ratio(float(v @ (ahead - behind)), up + down)
        high, low, up, down = ends(far)
        high_nearer, low_nearer, up_nearer, down_nearer = ends(1.25 * abs(kink.where))
        if kink.where > 0:
            beyond = ratio(float(v @ (high - high_nearer)), up - up_nearer)
            return Sides(own, beyond, min(own, beyond), max(own, beyond), 0.0)
        beyond = ratio(float(v @ (low_nearer - low)), down - down_nearer)
        return Sides(beyond, own, min(own, beyond), max(own, beyond), 0.0)


def ratio(change: float, width: float) -> float:
    """A slope; NaN if it is too near to be resolved."""
    return change / width if width else float("nan")


def inside(value: float, sides: Sides, slack: float) -> bool:
    """Whether a gradient lies between the one-sided derivatives."""
    return sides.low - slack <= value <= sides.high + slack


def find_kink(point: Point, v: NDArray, ends: Ends, first: float, reach: float) -> Kink | None:
    """Where left and right slope part, by bisection on [-first, first]; None if nothing stands out of the noise."""
    noise = SIGNS * float(np.sqrt(np.sum((v * point.noise) ** 2)))
    seen: dict[float, float] = {0.0: 0.0}

    def at(t: float) -> float:
        if t not in seen:
            seen[t] = float(v @ (ends.at(t)[0] - point.values))
        return seen[t]

    def bend(a: float, b: float) -> float:
        return abs(at(a) - 2 * at((a + b) / 2) + at(b))

    a, b = (-first, first) if reach == 0 else (-reach, reach)
    found = False
    for _ in range(HALVINGS):
        m, w = (a + b) / 2, (b - a) / 4
        thirds = ((m - w, m + w), (a, m), (m, b))
        bends = [bend(*third) for third in thirds]
        if not np.all(np.isfinite(bends)) or max(bends) <= LOUD * noise:
            break
        # a smooth function bends alike in all parts, and four times less in half the length
        found = found or max(bends) > UNEVEN * sorted(bends)[0]
        a, b = thirds[int(np.argmax(bends))]
    if not found:
        return None
    middle = (a + b) / 2
    resolution = max((b - a) / 2, first * point.tiny * 2.0**-4)
    return Kink(middle, resolution)


def check_ties(
    point: Point,
    entries: Sequence[Entry],
    kinked: Mapping[int, Sequence[int]],
    random: np.random.Generator,
    granted: Callable[[float, float], float],
) -> list[Entry]:
    """Elements that kink together, moved together: a gradient that counts a tie twice is inside each alone.

    Where the greatest of two equal elements is taken, each alone has the slopes 0 and 1, but both together 1. So at
    each output that kinks, ⟨gradient, u⟩ must lie between the derivatives along u that are seen nearby, for
    directions u in which several elements move; `granted` is that of the `Tolerance`.
    """
    judged = list(entries)
    starts = np.cumsum([0, *(a.size for a in point.arrays)])
    rows: dict[int, list[tuple[int, int]]] = {}
    h = point.tiny
    for k, elements in kinked.items():
        for i in elements:
            high, low, up, down = point.ends_of_element(k, i)(h)
            slopes = (high - point.values) / up + (low - point.values) / down
            loud = np.abs(slopes) > FAINT * np.max(np.abs(slopes), initial=0) + 4 * SIGNS * point.noise / h
            for j in np.flatnonzero(loud).tolist():
                rows.setdefault(j, []).append((k, i))
    several = [j for j, members in rows.items() if len(members) > 1]
    for j in several[:TIES]:
        members = rows[j]
        v = np.zeros(point.size)
        v[j] = 0.75
        gradients = point.gradients(v)
        support = [np.zeros(a.shape, dtype=bool) for a in point.arrays]
        for k, i in members:
            support[k].reshape(-1)[i] = True
        for sample in (np.ones, lambda n: random.uniform(0.3, 1, n), lambda n: random.uniform(-1, 1, n)):
            numbers = np.asarray(sample(len(members)))
            u = [np.zeros(a.shape) for a in point.arrays]
            for (k, i), number in zip(members, numbers, strict=True):
                u[k].reshape(-1)[i] = number
            low_end, high_end, error = generalised(point, v, u, support, random)
            found = float(sum(np.sum(g * d) for g, d in zip(gradients, u, strict=True)))
            slack = error + TIED * max(1e-300, abs(low_end), abs(high_end))
            terms = sum(float(np.sum(np.abs(g * d))) for g, d in zip(gradients, u, strict=True))
            slack += granted(terms, float(np.sum(np.abs(numbers)))) + TERMS * point.eps * terms
            if low_end - slack <= found <= high_end + slack:
                continue
            least = max(
                smallest_step(point.arrays[k], float(point.arrays[k].reshape(-1)[i])) / (FINER * abs(number))
                for (k, i), number in zip(members, numbers.tolist(), strict=True)
            )
            together = point.ends_along(u)
            ends = low_end, high_end
            if telling_step(point, v, together, found, ends, point.tiny / FINER, least) or is_unsettled(
                point, v, together, found, ends, point.tiny, least
            ):
                continue  # they do not kink, but turn within less than was looked at
            rounding = rounding_along(point, v, u, random)
            if low_end - slack - rounding <= found <= high_end + slack + rounding:
                continue
            for k, i in members:
                e = judged[int(starts[k]) + i]
                if e.verdict is Verdict.PASS:
                    judged[int(starts[k]) + i] = replace(
                        e,
                        verdict=Verdict.FAIL,
                        reason=f"tied: together {found:.3g}, which should be {low_end:.3g} to {high_end:.3g}",
                    )
    return judged


def rounding_along(point: Point, v: NDArray, directions: Sequence[NDArray], random: np.random.Generator) -> float:
    """What rounding does to ⟨gradient, u⟩, whatever meets at the point."""
    jitters = point.gradient_jitter(random, v, NOISE_POINTS - 1)
    each = [
        np.abs(u).reshape(-1) * (jitter.rounding + (point.unseen(k, v) if point.eps < COARSE else 0.0))
        for k, (u, jitter) in enumerate(zip(directions, jitters, strict=True))
    ]
    return float(sum(np.sum(part) for part in each))


def generalised(
    point: Point,
    v: NDArray,
    directions: Sequence[NDArray | None],
    support: Sequence[NDArray],
    random: np.random.Generator,
) -> tuple[float, float, float]:
    """The least and the largest derivative along the directions that are seen nearby, and their error.

    Nearby means displaced at random on the support (the elements that kink) by a little.
    """
    size = sum(int(np.sum(s)) for s in support)
    step, radius = point.tiny, 256 * point.tiny
    scale = max((float(np.max(np.abs(u), initial=0.0)) for u in directions if u is not None), default=1.0)
    slopes = []
    for _ in range(16 + 4 * size):
        offsets = [np.where(s, random.uniform(-radius, radius, s.shape), 0.0) for s in support]
        ends = []
        for sign in (1, -1):
            moved = [
                np.asarray(a.astype(np.float64) + o + (0 if u is None else sign * step / scale * u)).astype(a.dtype)
                for a, o, u in zip(point.arrays, offsets, directions, strict=True)
            ]
            ends.append(point.evaluate(moved))
        slopes.append(float(v @ (ends[0] - ends[1])) * scale / (2 * step))
    error = scale / step * SIGNS * float(np.sqrt(np.sum((v * point.noise) ** 2)))
    return min(slopes), max(slopes), error
