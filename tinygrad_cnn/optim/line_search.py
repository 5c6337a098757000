"""How far to go along a direction: a search for a point that meets Wolfe's strong conditions."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray

DECREASE, CURVATURE = 1e-4, 0.9
"""Wolfe's constants: the share of the promised decrease to be had, and of the slope that may be left."""


class Trial(NamedTuple):
    """A point t of the line: the loss there, the gradient and the slope along the line."""

    t: float
    loss: float
    gradient: NDArray
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Trial], start: Trial, t: float, d: NDArray, most: int, tolerance: float
) -> tuple[Trial, int]:
    """A point with loss ≤ loss₀ + c₁ t slope₀ and |slope| ≤ c₂ |slope₀| (Nocedal & Wright, algorithms 3.5 and 3.6).

    First t grows until a bracket holds such a point, then the bracket is narrowed by cubic interpolation; after
    `most` evaluations more, the better end is returned. The constants are PyTorch's.

    Returns
    -------
    The point, and how often `evaluate` was called.
    """

    def too_high(point: Trial) -> bool:
        return point.loss > start.loss + DECREASE * point.t * start.slope

    def flat(point: Trial) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    before, point, calls = start, evaluate(t), 0
    while calls < most:
        if too_high(point) or (calls > 1 and point.loss >= before.loss):
            break
        if flat(point):
            return point, calls + 1
        if point.slope >= 0:
            break
        span = (point.t + 0.01 * (point.t - before.t), 10 * point.t)
        before, point, calls = point, evaluate(cubic_minimum(before, point, span)), calls + 1
    else:
        before = start
    bracket, wide, hesitated = [before, point], float(np.abs(d).max()), False
    low = int(before.loss > point.loss)
    while calls < most and not abs(bracket[1].t - bracket[0].t) * wide < tolerance:
        left, right = sorted(end.t for end in bracket)
        t, hesitated = _inside(cubic_minimum(bracket[0], bracket[1], (left, right)), left, right, hesitated)
        point, calls = evaluate(t), calls + 1
        if too_high(point) or point.loss >= bracket[low].loss:
            bracket[1 - low] = point
            low = int(bracket[0].loss > bracket[1].loss)
            continue
        if flat(point):
            return point, calls + 1
        if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
    return bracket[low], calls + 1


def cubic_minimum(a: Trial, b: Trial, bounds: tuple[float, float]) -> float:
    """The minimum of the cubic with the losses and slopes of both points, within the bounds; else their middle."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2
    d2 = float(np.sqrt(square))
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, bounds[0]), bounds[1])


def _inside(t: float, left: float, right: float, hesitated: bool) -> tuple[float, bool]:
    """t, kept a tenth away from the ends of the bracket if it came close to one twice; and whether it came close."""
    margin = 0.1 * (right - left)
    if not min(right - t, t - left) < margin:
        return t, False
    if hesitated or t >= right or t <= left:
        return (right - margin if abs(t - right) < abs(t - left) else left + margin), False
    return t, True
