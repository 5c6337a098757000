"""Functions that are linear in an input, on integers: there ⟨v, f(x)⟩ = ⟨Jᵀv, x⟩ holds to the last bit.

No step, no tolerance. Whether a function is linear is tried: f(x − 3y) = f(x) − 3f(y), exactly on integers and to
rounding on others, and its VJP may not depend on x.
"""

from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.judge import Tolerance
from tinygrad_cnn.gradcheck.point import Point

VISIBLE = 1e-3
"""An error beyond this part shows in differences; here it would only say that f is linear in the points tried."""


class Adjoint(NamedTuple):
    """Both sides of the adjoint identity."""

    found: float
    expected: float
    exact: bool
    wrong: bool
    allowed: float
    """What they may differ by."""


def exact_adjoint(point: Point, k: int, random: np.random.Generator, tolerance: Tolerance) -> Adjoint | None:
    """Try the identity for input k, the others rounded to integers; None if the function is not linear in it."""
    others = [np.asarray(np.round(a * 2)) if np.all(np.isfinite(a)) else a for a in point.arrays]
    shape, dtype = point.arrays[k].shape, point.arrays[k].dtype
    x, y = (np.asarray(random.integers(-4, 5, shape)).astype(dtype) for _ in range(2))

    def f(values: NDArray) -> NDArray:
        return point.evaluate([values if j == k else a for j, a in enumerate(others)])

    of_x, of_y, of_0 = f(x), f(y), f(np.zeros(shape, dtype))
    whole = np.all(np.isfinite(of_x)) and np.all(of_x == np.round(of_x)) and np.any(of_x)
    if not whole or np.any(of_0) or not np.array_equal(f(x - 3 * y), of_x - 3 * of_y):
        return None
    p = x
    for _ in range(3):
        p, q = (np.asarray(random.uniform(-3, 3, shape)).astype(dtype) for _ in range(2))
        of_p, of_q = f(p), f(q)
        most = 256 * point.eps * (np.abs(of_p) + np.abs(of_q) + np.max(np.abs(of_x)))
        if not np.all(np.abs(f(p - 3 * q) - (of_p - 3 * of_q)) <= most) or not np.all(np.abs(f(-p) + of_p) <= most):
            return None
    if not np.array_equal(f(-x), -of_x):
        return None
    v = random.integers(-4, 5, point.size).astype(np.float64)
    try:
        gradient, elsewhere = (point.vjp(v, [z if j == k else a for j, a in enumerate(others)])[k] for z in (x, p))
    except Exception:  # at this other point the VJP may fail in any way
        return None
    given, other = (np.zeros(shape) if g is None else np.asarray(g) for g in (gradient, elsewhere))
    if not np.allclose(given, other):
        return None
    product = _sum(given * x)
    expected = _sum(v * of_x)
    size, off = _sum(np.abs(v * of_x)) + 1.0, abs(product - expected)
    least = max(64 * point.eps * size, tolerance.granted(_sum(np.abs(given * x)), _sum(np.abs(x))))
    wrong = least < off <= VISIBLE * size  # more than that, and f would not be linear after all
    return Adjoint(product, expected, product == expected, wrong, least)


def _sum(values: Any) -> float:
    return float(np.sum(np.asarray(values, np.longdouble)))
