"""Numerical derivatives with an estimate of their own error."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STEP = 2.0**-7
"""The largest step: well inside the gaps that samplers keep from kinks, and far above rounding."""


COARSE = 1e-4
"""An error beyond this part of the derivative (or of 1) decides nothing: noise, or a kink within reach."""


class Estimate(NamedTuple):
    """A derivative and a bound on how far off it may be."""

    value: float
    error: float

    @property
    def coarse(self) -> bool:
        """Whether the error is too large to tell a right derivative from a wrong one."""
        return not self.error <= COARSE * max(1.0, abs(self.value))


def derivative(function: Callable[[float], float], step: float = STEP) -> Estimate:
    """The derivative at 0 of a function of a number: central differences, extrapolated twice to step 0.

    Central differences at h, h/2, h/4 have errors in even powers of h; Richardson's extrapolation (Phil. Trans.
    210, 1911) removes h² and h⁴. The error is the distance of the two values that have only h² removed, plus the
    rounding of the values divided by the smallest step: generous where the function is smooth, and of the right
    size where it is noisy or has a kink.
    """
    steps = step, step / 2, step / 4
    ends = [(function(h), function(-h)) for h in steps]
    first = [(high - low) / (2 * h) for (high, low), h in zip(ends, steps, strict=True)]
    second = [(4 * first[k + 1] - first[k]) / 3 for k in range(2)]
    third = (16 * second[1] - second[0]) / 15
    size = max(abs(value) for pair in ends for value in pair)
    rounding = 4 * np.finfo(np.float64).eps * size / steps[-1]
    return Estimate(float(third), float(abs(second[1] - second[0]) + rounding))
