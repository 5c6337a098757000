"""Before a gradient is called wrong: is the function another one at finer steps than those that were looked at?

What turns within 10⁻¹² looks like a kink, a jump or noise from further away, and what repeats itself within less
than a step looks like anything. Differences that were taken too far away say nothing of the derivative.
"""

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.point import Ends, Point
from tinygrad_cnn.gradcheck.tolerances import SIGNS

FINER = 0.5
"""From one step to the next: wherever a function turns, a step meets it."""

COARSER = 2.0**-4
"""The same, where it is only asked what a step changes."""

NEARER = 0.25
"""A difference speaks for the gradient if it is so many times nearer to it than what was found at larger steps."""

QUIET = 0.125
"""Its rounding has to be as small, as part of the distance of the two."""

PARTS = 1.0, 0.8125, 0.625, 0.4375
"""The steps that have to agree, as parts of the largest of them."""

SHARE, STRAIGHT = 0.1, 1e-3
"""A jump is so much of the change across a point, and what is left of a line through the changes so little of it."""

MANY, ALIKE = 64.0, 8.0
"""What changes with the step changes by 64 times as much over 64 steps, and not by less than this."""


def smallest_step(a: NDArray, value: float) -> float:
    """The smallest step from an element at which there are some numbers between."""
    info = np.finfo(a.dtype)
    return float(max(4 * info.eps * abs(value), info.tiny / info.eps))


def moved(ends: Ends, first: float, least: float) -> NDArray:
    """The outputs that any step changes: the rounding of the others is in no difference."""
    taken = [ends(h) for h in first * COARSER ** np.arange(np.log(max(least / first, 1e-300)) / np.log(COARSER) + 1)]
    return np.asarray(np.any([high != low for high, low, _, _ in taken], axis=0))  # NaN has moved


def telling_step(
    point: Point, v: NDArray, ends: Ends, gradient: float, slopes: tuple[float, float], first: float, least: float
) -> float:
    """The largest step below the first at which differences speak for a gradient, not for the slopes; or 0.

    The slopes, the lower and the higher, are what larger steps have given. Of a wrong gradient no step speaks: there
    all differences are the right one, up to their rounding. And noise does not speak four times alike.
    """
    off = max(slopes[0] - gradient, gradient - slopes[1])
    rounding = rounded(v, point.floor)
    h = first * FINER
    while h >= least and rounding <= QUIET * off * h:
        if all(abs(slope(point, v, ends, h * part) - gradient) <= NEARER * off for part in PARTS):
            return h
        h *= FINER
    return 0.0


def is_settled(
    point: Point, v: NDArray, ends: Ends, gradient: float, slopes: tuple[float, float], first: float, least: float
) -> bool:
    """Whether the smallest steps that the precision leaves readable give the slopes that larger ones have given.

    So must those in the middle: the smallest may be lost inside the function. Slopes that differ by a part of the
    distance to the gradient are not the same.
    """
    h, near = _readable(v, point.floor, gradient, slopes, first, least)
    steps = [size * part for size in (np.sqrt(h * first), h) for part in PARTS]
    return h > 0 and all(slopes[0] - near <= slope(point, v, ends, step) <= slopes[1] + near for step in steps)


def is_unsettled(
    point: Point, v: NDArray, ends: Ends, gradient: float, slopes: tuple[float, float], finest: float, least: float
) -> bool:
    """Whether the smallest steps that rounding leaves readable give other slopes than larger ones have given.

    `finest` is the smallest step that was looked at. Slopes that move away from what was found, by a part of its
    distance to the gradient, say that it is not the derivative, even if they do not speak for the gradient.
    """
    h, near = _readable(v, point.noise, gradient, slopes, finest, least)
    return h > 0 and not any(slopes[0] - near <= slope(point, v, ends, h * part) <= slopes[1] + near for part in PARTS)


def _readable(
    v: NDArray, noise: NDArray, gradient: float, slopes: tuple[float, float], first: float, least: float
) -> tuple[float, float]:
    """The smallest step below the first that the noise leaves readable, or 0; and what slopes may differ by there."""
    off = max(slopes[0] - gradient, gradient - slopes[1])
    smallest = max(least, rounded(v, noise) / (QUIET * off)) if off > 0 else np.inf
    halvings = np.floor(np.log2(first / smallest)) if smallest < first else 0.0
    return float(first * FINER**halvings) if halvings > 0 else 0.0, NEARER * off


def jumps(point: Point, v: NDArray, ends: Ends, least: float) -> bool:
    """Whether the change of the function is a line in the step that does not go to 0 with it: it jumps at the point."""
    taken = [ends(2 * least * part) for part in PARTS]
    steps = [up + down for _, _, up, down in taken]
    changes = [float(v @ (high - low)) for high, low, _, _ in taken]
    if not np.all(np.isfinite(changes)) or len(set(steps)) < len(PARTS):
        return False
    t, c = np.array(steps) / max(steps), np.array(changes)  # steps from 0 may be too small to be squared
    rate = np.sum((t - np.mean(t)) * (c - np.mean(c))) / np.sum((t - np.mean(t)) ** 2)
    jump = np.mean(c) - rate * np.mean(t)
    crooked = np.max(np.abs(jump + rate * t - c))
    rounding = rounded(v, point.floor)
    sure = abs(jump) > max(MANY * rounding, SHARE * np.max(np.abs(changes)))
    return bool(sure and crooked <= max(2 * rounding, STRAIGHT * abs(jump)))


def rounded(v: NDArray, noise: NDArray) -> float:
    """What ⟨v, f⟩ is off by if each output is off by its noise: all at once, or as many as have the same sign."""
    each = np.abs(v * noise)
    return float(min(np.sum(each), SIGNS * np.sqrt(each @ each)))


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
    rounding = rounded(v, point.floor)
    steep = abs(gradient) * least / near if near > ALIKE * rounding and ALIKE * near > far else 0.0
    return steep > QUIET or (steep > QUIET / MANY and ALIKE * near > all_over)
