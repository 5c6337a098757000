"""Functions that are linear in an input, on integers: there ⟨v, f(x)⟩ = ⟨Jᵀv, x⟩ holds to the last bit.

No step, no tolerance. Whether a function is linear is tried: f(x − 3y) = f(x) − 3f(y), exactly on integers and to
rounding on others, and its VJP may not depend on x.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.judge import Tolerance, largest
from tinygrad_cnn.gradcheck.point import Point
from tinygrad_cnn.gradcheck.tolerances import APART, ATOL, DIGITS, NEARLY, RTOL, STRAIGHT

INTEGERS = np.array([-4, -3, -2, -1, 1, 2, 3, 4], np.int8)
"""What is drawn: no 0, of which nothing can be seen."""


class Adjoint(NamedTuple):
    """Both sides of the adjoint identity."""

    found: float
    expected: float
    exact: bool
    wrong: bool
    allowed: float
    """What they may differ by."""


def exact_adjoint(
    point: Point,
    k: int,
    random: np.random.Generator,
    tolerance: Tolerance,
    given: tuple[NDArray, NDArray] | None = None,
) -> Adjoint | None:
    """Try the identity for input k, the others rounded to integers; None if the function is not linear in it.

    `given` is a cotangent and the gradient of input k: where ⟨v, f(x)⟩ and ⟨Jᵀv, x⟩ are far apart at the point itself,
    the function is not linear, or differences show that the gradient is wrong.
    """
    if given is not None and not _may_be_linear(point, k, *given):
        return None
    others = [a if j == k or not np.isfinite(a).all() else np.round(a * 2) for j, a in enumerate(point.arrays)]
    shape, dtype = point.arrays[k].shape, point.arrays[k].dtype

    def at(values: NDArray) -> list[NDArray]:
        return [values if j == k else a for j, a in enumerate(others)]

    def f(values: NDArray) -> NDArray:
        return point.evaluate(at(values))

    x, y = (_drawn(random, shape).astype(dtype) for _ in range(2))
    of_x = f(x)
    if not (np.isfinite(of_x).all() and (of_x == np.round(of_x)).all() and of_x.any()):
        return None
    if not np.array_equal(f(x - 3 * y), of_x - 3 * f(y)):
        return None
    v = _drawn(random, (point.size,)).astype(np.float64)
    try:
        gradient = point.vjp(v, at(x))[k]
    except Exception:  # at this other point the VJP may fail in any way
        return None
    products, outputs = (np.zeros(shape) if gradient is None else gradient * x), v * of_x
    product, expected = _sum(products), _sum(outputs)
    size, off = float(np.sum(np.abs(outputs))) + 1.0, abs(product - expected)
    granted = tolerance.granted(float(np.sum(np.abs(products))), float(np.sum(np.abs(x))))
    least = max(DIGITS * point.eps * size, granted)
    wrong = least < off <= APART * size  # more than that, and f would not be linear after all
    if wrong and not _is_linear(point, k, random, f, (x, of_x), lambda z: point.vjp(v, at(z))[k]):
        return None
    return Adjoint(product, expected, product == expected, wrong, least)


def _drawn(random: np.random.Generator, shape: Shape) -> NDArray:
    return np.asarray(INTEGERS[np.frombuffer(random.bytes(math.prod(shape)), np.uint8).reshape(shape) % 8])


def _may_be_linear(point: Point, k: int, v: NDArray, gradient: NDArray) -> bool:
    """Whether the identity holds nearly at the point itself, as it does for gradients that are nearly right."""
    outputs, a = v * point.values, point.arrays[k]
    products = gradient.reshape(-1) * np.where(np.isfinite(a), a, 0.0).reshape(-1)
    sums = float(np.sum(outputs)), float(np.sum(products))
    # terms of random signs add up like a random walk, those of one sign by their number
    spread = float(np.sqrt(outputs @ outputs) + np.sqrt(products @ products))
    return not abs(sums[0] - sums[1]) > 2 * APART * spread + NEARLY * (abs(sums[0]) + abs(sums[1]))


def _is_linear(
    point: Point,
    k: int,
    random: np.random.Generator,
    f: Callable[[NDArray], NDArray],
    known: tuple[NDArray, NDArray],
    gradient: Callable[[NDArray], NDArray | None],
) -> bool:
    """Whether a function that is linear on some integers is so on other numbers, and its gradient the same there."""
    (x, of_x), shape, dtype = known, point.arrays[k].shape, point.arrays[k].dtype
    p = x
    for _ in range(3):
        p, q = (np.asarray(random.uniform(-3, 3, shape)).astype(dtype) for _ in range(2))
        of_p, of_q = f(p), f(q)
        most = STRAIGHT * point.eps * (np.abs(of_p) + np.abs(of_q) + np.max(np.abs(of_x)))
        if not np.all(np.abs(f(p - 3 * q) - (of_p - 3 * of_q)) <= most) or not np.all(np.abs(f(-p) + of_p) <= most):
            return False
    if not np.array_equal(f(-x), -of_x):
        return False
    try:
        here, there = (np.zeros(shape) if g is None else np.asarray(g) for g in map(gradient, (x, p)))
    except Exception:  # at this other point the VJP may fail in any way
        return False
    return np.allclose(here, there, rtol=RTOL, atol=ATOL * largest(here))


def _sum(values: Any) -> float:
    return float(np.sum(np.asarray(values, np.longdouble)))
