"""Logarithms and powers in other bases, and sums of exponentials."""

import math
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.domain import Positive
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Elementwise, Kink, Unary
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.ops.elementwise import Pow, log, log1p, pow
from tinygrad_cnn.ops.piecewise import clamp, where
from tinygrad_cnn.ops.untracked import plain

__all__ = [
    "exp2", "float_power", "log2", "log10", "logaddexp", "logaddexp2", "logit", "xlogy",
]  # fmt: skip


class Log2(Unary):
    """y = log₂ x        dx = g / (x ln 2)"""

    domain = {"x": Positive()}
    numpy = (np.log2,)

    def forward(x: Array) -> Array:
        return np.log2(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / (x * math.log(2))


class Log10(Unary):
    """y = log₁₀ x        dx = g / (x ln 10)"""

    domain = {"x": Positive()}
    numpy = (np.log10,)

    def forward(x: Array) -> Array:
        return np.log10(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / (x * math.log(10))


class Logaddexp(Elementwise):
    """y = ln(exp a + exp b)        da = g exp(a - y),  db = g exp(b - y)"""

    floating = True
    kinks = (Kink("both -∞", (-math.inf, -math.inf), (0.0, 0.0)),)
    numpy = (np.logaddexp,)

    def forward(a: Array, b: Array) -> Array:
        return np.logaddexp(a, b)

    def d_a(g: Array, y: Array, a: Array) -> Array:
        return g * np.exp(a - np.where(y == -math.inf, 0.0, y))

    def d_b(g: Array, y: Array, b: Array) -> Array:
        return g * np.exp(b - np.where(y == -math.inf, 0.0, y))


def log2(input: A) -> A:
    """Logarithm to base 2 of each element; NaN below 0."""
    return Log2.apply(input)


def log10(input: A) -> A:
    """Logarithm to base 10 of each element; NaN below 0."""
    return Log10.apply(input)


def exp2(input: A) -> A:
    """2 to the power of each element."""
    return Pow.apply(2.0, input)


def logaddexp(input: A, other: ArrayLike) -> A:
    """``log(exp(input) + exp(other))``; nothing overflows."""
    return Logaddexp.apply(input, other)


def logaddexp2(input: A, other: ArrayLike) -> A:
    """``log2(2 ** input + 2 ** other)``; nothing overflows."""
    return Logaddexp.apply(input * math.log(2), other * math.log(2)) / math.log(2)


def xlogy(input: A, other: ArrayLike) -> A:
    """``input * log(other)``, 0 where `input` is 0 and `other` is a number."""
    nothing = np.logical_and(plain("xlogy", input) == 0, ~np.isnan(plain("xlogy", other)))
    return where(nothing, 0.0, input * log(where(nothing, 1.0, other)))


def logit(input: A, eps: float | None = None) -> A:
    """``log(p / (1 - p))``, the inverse of `sigmoid`; `eps` keeps p inside [eps, 1 - eps]."""
    p = input if eps is None else clamp(input, eps, 1 - eps)
    return log(p) - log1p(-p)


@overload
def float_power(input: float, exponent: A) -> A: ...
@overload
def float_power(input: A, exponent: ArrayLike) -> A: ...
def float_power(input: Any, exponent: Any) -> Any:
    """`input` to the power of `exponent`, in float64."""
    if not hasattr(input, "astype") and not hasattr(exponent, "astype"):
        raise ArgumentError("float_power: neither the input nor the exponent is a tensor")
    a = input.astype(np.float64) if hasattr(input, "astype") else float(input)
    b = exponent.astype(np.float64) if hasattr(exponent, "astype") else float(exponent)
    return pow(a, b)
