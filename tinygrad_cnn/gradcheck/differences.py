"""Numerical derivatives with an estimate of their own error: extrapolation, and the noise of a function.

Nothing here knows what is checked: numbers in, numbers and error bars out.
"""

from collections.abc import Callable, Sequence
from math import factorial
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray

__all__ = ["Estimate", "derivative"]

STEP = 2.0**-7
"""The largest step: well inside the gaps that samplers keep from kinks, and far above rounding."""

COARSE = 1e-4
"""An error beyond this part of the derivative (or of 1) decides nothing: noise, or a kink within reach."""

ORDERS = 4
"""So many even powers of the step are removed at most: more would only amplify rounding."""

NOISE_POINTS = 9
NOISE_ORDERS = (4, 5, 6, 7)
"""The orders of differences in which a smooth function has died out and only its rounding is left."""


class Estimate(NamedTuple):
    """A derivative and a bound on how far off it may be.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck import Estimate
    >>> Estimate(2.0, 1e-9).value
    2.0
    """

    value: float
    error: float

    @property
    def coarse(self) -> bool:
        """Whether the error is too large to tell a right derivative from a wrong one."""
        return not self.error <= COARSE * max(1.0, abs(self.value))


class Extrapolated(NamedTuple):
    """The best entry of each extrapolation table, its error, and the part of the error that is rounding."""

    value: NDArray
    error: NDArray
    rounding: NDArray


def derivative(function: Callable[[float], float], step: float = STEP) -> Estimate:
    """The derivative at 0 of a function of a number: central differences, extrapolated twice to step 0.

    Central differences at h, h/2, h/4 have errors in even powers of h; Richardson's extrapolation (Phil. Trans.
    210, 1911) removes h² and h⁴. The error is the distance of the two values that have only h² removed, plus the
    rounding of the values divided by the smallest step: generous where the function is smooth, and of the right
    size where it is noisy or has a kink.

    Examples
    --------
    >>> import math
    >>> from tinygrad_cnn.gradcheck import derivative
    >>> round(float(derivative(math.sin).value), 6)
    1.0
    """
    steps = step, step / 2, step / 4
    ends = [(function(h), function(-h)) for h in steps]
    first = [(high - low) / (2 * h) for (high, low), h in zip(ends, steps, strict=True)]
    second = [(4 * first[k + 1] - first[k]) / 3 for k in range(2)]
    third = (16 * second[1] - second[0]) / 15
    size = max(abs(value) for pair in ends for value in pair)
    rounding = 4 * np.finfo(np.float64).eps * size / steps[-1]
    return Estimate(float(third), float(abs(second[1] - second[0]) + rounding))


def extrapolate(steps: Sequence[float], values: NDArray, noise: NDArray, power: int = 2) -> Extrapolated:
    """Richardson's table for many derivatives at once; of each table the entry that is best by its own estimate.

    Parameters
    ----------
    steps : decreasing, one per row of `values`; only their ratios count
    values : (steps, ...) differences; NaN where the function is undefined
    noise : of the same shape, the error of each value that comes from rounding
    power : errors are in powers of h^power: 2 for central differences, 1 for one-sided ones

    An entry of the table is as good as its distance from the two it was made of, whichever is larger, plus what
    rounding amounts to in it: an overestimate where the values converge, since the better of the two neighbours is
    already further from the limit than the entry is. Where rounding is all there is, as in linear functions, the
    difference at the larger of two steps is better than what they are extrapolated to, and competes with it.
    """
    best = np.full(values.shape[1:], np.nan)
    error = np.full(values.shape[1:], np.inf)
    rounding = np.full(values.shape[1:], np.inf)
    row: list[tuple[NDArray, NDArray]] = []
    for i in range(len(steps)):
        above, row = row, [(values[i], noise[i])]
        for j in range(1, min(i, ORDERS) + 1):
            ratio = (steps[i - j] / steps[i]) ** power
            (left, left_noise), (corner, corner_noise) = row[j - 1], above[j - 1]
            entry = left + (left - corner) / (ratio - 1)
            amplified = (ratio * left_noise + corner_noise) / (ratio - 1)
            row.append((entry, amplified))
            candidates = [(entry, amplified), (corner, corner_noise)] if j == 1 else [(entry, amplified)]
            for value, its_noise in candidates:
                distance = np.maximum(np.abs(value - left), np.abs(entry - corner)) + its_noise
                better = distance < error  # False for NaN
                best = np.where(better, value, best)
                rounding = np.where(better, its_noise, rounding)
                error = np.where(better, distance, error)
    return Extrapolated(best, error, rounding)


def noise_level(values: NDArray) -> NDArray:
    """How much a function jitters by rounding, from its values at equally spaced points close together.

    After Moré and Wild, Estimating computational noise (SIAM J. Sci. Comput. 33, 2011): differences of order k of a
    smooth function die out with the spacing, those of its rounding errors grow as √C(2k, k) σ. The estimate is the
    root mean square over the orders 4 to 7; `values` has `NOISE_POINTS` rows.
    """
    variances = []
    table = values
    for k in range(1, max(NOISE_ORDERS) + 1):
        table = np.diff(table, axis=0)
        if k in NOISE_ORDERS:
            variances.append(np.mean(table**2, axis=0) * (factorial(k) ** 2 / factorial(2 * k)))
    return np.asarray(np.sqrt(np.mean(variances, axis=0)))
