"""Before a gradient is called wrong: is the function another one at finer steps than those that were looked at?

What turns within 10⁻¹² looks like a kink, a jump or noise from further away, and what repeats itself within less
than a step looks like anything. Differences that were taken too far away say nothing of the derivative.
"""

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.differences import SIGNS
from tinygrad_cnn.gradcheck.point import Ends, Point

FINER = 0.5
"""From one step to the next: wherever a function turns, a step meets it."""

NEARER = 0.25
"""A difference speaks for the gradient if it is so many times nearer to it than what was found at larger steps."""

QUIET = 0.125
"""Its rounding has to be as small, as part of the distance of the two."""

PARTS = 1.0, 0.8125, 0.625, 0.4375
"""The steps that have to agree, as parts of the largest of them."""

MANY, ALIKE = 64.0, 8.0
"""What changes with the step changes by 64 times as much over 64 steps, and not by less than this."""


def smallest_step(a: NDArray, value: float) -> float:
    """The smallest step from an element at which there are some numbers between."""
    info = np.finfo(a.dtype)
    return float(max(4 * info.eps * abs(value), info.tiny / info.eps))


def telling_step(
    point: Point, v: NDArray, ends: Ends, gradient: float, slopes: tuple[float, float], first: float, least: float
) -> float:
    """The largest step below the first at which differences speak for a gradient, not for the slopes; or 0.

    The slopes, the lower and the higher, are what larger steps have given. Of a wrong gradient no step speaks: there
    all differences are the right one, up to their rounding. And noise does not speak four times alike.
    """
    off = max(slopes[0] - gradient, gradient - slopes[1])
    rounding = SIGNS * float(np.sqrt(np.sum((v * point.floor) ** 2)))
    h = first * FINER
    while h >= least and rounding <= QUIET * off * h:
        if all(abs(slope(point, v, ends, h * part) - gradient) <= NEARER * off for part in PARTS):
            return h
        h *= FINER
    return 0.0


def slope(point: Point, v: NDArray, ends: Ends, h: float) -> float:
    """The central difference at a step; NaN where there is none."""
    high, low, up, down = ends(h)
    return float(v @ (high - low)) / (up + down) if up > 0 and down > 0 else float("nan")


def is_unresolved(point: Point, v: NDArray, ends: Ends, gradient: float, first: float, least: float) -> bool:
    """Whether the function changes between neighbouring numbers as much as over many, and the gradient is so steep.

    Less steep ones count where it changes no more over the whole of the first step.
    """

    def change(h: float) -> float:
        high, low, _, _ = ends(h)
        return float(np.max(np.abs(np.stack([high, low]) @ v - point.values @ v)))

    near, far, all_over = (max(change(h * part) for part in PARTS) for h in (2 * least, MANY * least, first))
    rounding = SIGNS * float(np.sqrt(np.sum((v * point.floor) ** 2)))
    steep = abs(gradient) * least / near if near > ALIKE * rounding and ALIKE * near > far else 0.0
    return steep > QUIET or (steep > QUIET / MANY and ALIKE * near > all_over)
