"""The complex step: f'(x) = Im f(x + ih) / h, to the last digit, for functions that are analytic and say so.

Squire and Trapp, Using complex variables to estimate derivatives of real functions (SIAM Review 40, 1998). There is
no difference of two close values, so h may be 10⁻³⁰. A function that takes absolute values, compares or drops the
imaginary part gives nonsense: so along random directions it must first agree with differences.
"""

import warnings
from collections.abc import Sequence

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.functions import NumpyPair
from tinygrad_cnn.gradcheck.judge import Column, Scale, Tolerance
from tinygrad_cnn.gradcheck.point import COARSE, Point, signed
from tinygrad_cnn.gradcheck.thorough import Line
from tinygrad_cnn.gradcheck.tolerances import ANALYTIC, IMAGINARY, REPEATED, SIGNS

H, OTHER = 2.0**-100, 0.7 * 2.0**-98
"""The step, and another that rounds differently: terms that cancel inside the function show in the difference."""

TRIALS = 3
"""Along so many directions it must agree with differences."""


def complex_columns(point: Point, k: int, V: NDArray, random: np.random.Generator) -> Column | None:
    """The derivative in every element of input k under each cotangent; None if the function does not take it."""
    a = point.arrays[k]
    if not isinstance(point.adapter, NumpyPair) or point.eps > COARSE or not np.all(np.isfinite(a)):
        return None
    if not all(_agrees(point, k, V[0], signed(random, a.shape)) for _ in range(TRIALS)):
        return None
    column = Column(len(V), a.size)
    for i in range(a.size):
        u = np.zeros(a.size)
        u[i] = 1.0
        slopes, again = (_imaginary(point, k, u.reshape(a.shape), h) for h in (H, OTHER))
        if slopes is None or again is None or not np.all(np.isfinite(slopes)):
            return None
        column.numeric[:, i] = V @ slopes
        rounding = SIGNS * np.maximum(IMAGINARY * point.eps * np.abs(slopes), REPEATED * np.abs(slopes - again))
        column.error[:, i] = np.sqrt(np.sum((V * rounding) ** 2, axis=1))
    return column


def _agrees(point: Point, k: int, v: NDArray, u: NDArray) -> bool:
    slopes = _imaginary(point, k, u)
    if slopes is None or not np.all(np.isfinite(slopes)):
        return False
    scale = float(np.sqrt(np.sum((v * slopes) ** 2)))
    tolerance = Tolerance(None, ANALYTIC, point.eps, None)
    line = Line(point, v, point.ends_along(point.only(k, u)), tolerance, Scale(scale, scale))
    found = line.examine(2.0**-8, kinks=False)
    return not found.why and abs(float(v @ slopes) - found.numeric) <= found.error + ANALYTIC * scale


def _imaginary(point: Point, k: int, u: NDArray, h: float = H) -> NDArray | None:
    """Im f(x + ihu) / h, or None if the function refuses complex numbers or drops them with a warning."""
    arguments: list[object] = list(point.inputs)
    for j, (place, a) in enumerate(zip(point.checked, point.arrays, strict=True)):
        arguments[place] = a + 1j * h * u if j == k else a.copy()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            outputs: Sequence[NDArray] = point.adapter.evaluate(arguments)
    except Exception:  # a function may refuse complex numbers in any way
        return None
    parts = point.differentiable(outputs)
    if [y.shape for y in parts] != point.output_shapes:
        return None
    return np.concatenate([np.imag(y).reshape(-1) / h for y in parts])
