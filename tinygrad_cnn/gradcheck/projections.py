"""Large inputs: ⟨Jᵀv, u⟩ along random signed directions, and the search for the elements that are wrong.

A direction touches every element, so a function of a million inputs costs a few dozen calls. A wrong projection is
halved, and halved again, until single elements are left; these are judged one by one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.gradcheck.judge import Examined, Scale, Tolerance, examine_line
from tinygrad_cnn.gradcheck.point import Point, signed
from tinygrad_cnn.gradcheck.verdicts import Verdict
from tinygrad_cnn.types import NDArray

DIRECTIONS = 3
"""So many directions per input."""

FOUND = 4
"""So many wrong elements are searched for."""


class Projection(NamedTuple):
    """One projection: by the gradient, by differences, and what they may differ by."""

    analytic: float
    found: Examined
    allowed: float
    verdict: Verdict


def along(point: Point, k: int, u: NDArray, v: NDArray, gradient: NDArray, tolerance: Tolerance) -> Projection:
    """Judge ⟨gradient, u⟩ for input k."""
    directions: list[NDArray | None] = [u if j == k else None for j in range(len(point.arrays))]
    values = np.asarray(point.arrays[k], np.float64)
    size = float(np.median(np.abs(values[np.isfinite(values)]))) if values.size else 1.0
    first = float(tolerance.largest_step(np.array([size]))[0])

    def ends(h: float) -> tuple[NDArray, NDArray, float, float]:
        return point.along(directions, h), point.along(directions, -h), h, h

    products = gradient.astype(np.float64) * u
    analytic = float(np.sum(products))
    scale = float(np.sqrt(np.sum(np.nan_to_num(products) ** 2)))
    found = examine_line(point, v[None], ends, first, tolerance, Scale(scale, scale), kinks=False)
    allowed = float(tolerance.allowed(scale, scale)) + 64 * point.eps * scale
    if not np.isfinite(analytic):
        return Projection(analytic, found, allowed, Verdict.FAIL)
    coarse = float(tolerance.coarse(found.numeric, scale))
    if not np.isfinite(found.numeric) or not found.error <= max(coarse, 0.01 * abs(found.numeric)):
        return Projection(analytic, found, allowed, Verdict.INCONCLUSIVE)
    right = abs(analytic - found.numeric) <= allowed + found.error
    return Projection(analytic, found, allowed, Verdict.PASS if right else Verdict.FAIL)


def search(point: Point, k: int, u: NDArray, v: NDArray, gradient: NDArray, tolerance: Tolerance) -> Sequence[int]:
    """The elements of input k with the largest errors, by halving the direction where it is most wrong."""
    blocks = [np.arange(u.size)]
    flat_u = u.reshape(-1)
    while any(len(b) > 1 for b in blocks):
        halves: list[tuple[float, NDArray]] = []
        for block in blocks:
            for part in np.array_split(block, 2) if len(block) > 1 else [block]:
                part_u = np.zeros(u.size)
                part_u[part] = flat_u[part]
                result = along(point, k, part_u.reshape(u.shape), v, gradient, tolerance)
                off = abs(result.analytic - result.found.numeric)
                if result.verdict is not Verdict.PASS:
                    halves.append((np.inf if np.isnan(off) else off, part))
        if not halves:
            return []
        halves.sort(key=lambda pair: pair[0], reverse=True)
        blocks = [part for _, part in halves[:FOUND]]
    return [int(b[0]) for b in blocks]


def direction(random: np.random.Generator, point: Point, k: int) -> NDArray:
    """Signed steps for every element, in proportion to its size where that is above 1; 0 where it is not finite."""
    a = np.asarray(point.arrays[k], np.float64)
    return np.where(np.isfinite(a), signed(random, a.shape), 0.0)
