"""Logarithms and powers in other bases, and sums of exponentials."""

import math
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.domain import Positive, Real
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Elementwise, Kink, Unary
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.ops.elementwise import Parabola, Pow, pow, sigmoid
from tinygrad_cnn.ops.piecewise import clamp

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
    """y = ln(exp a + exp b)        da = g sigmoid(a - b),  db = g sigmoid(b - a), 0 where both are -∞"""

    floating = True
    kinks = (Kink("both -∞", (-math.inf, -math.inf), (0.0, 0.0)),)
    numpy = (np.logaddexp,)

    def forward(a: Array, b: Array) -> Array:
        return np.logaddexp(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        return part_of(g, a, b)

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return part_of(g, b, a)


def part_of(g: Array, a: Array, b: Array) -> Array:
    """g exp(a) / (exp a + exp b): from the difference, which is small where both are large."""
    nothing = np.logical_and(a == -math.inf, b == -math.inf)
    return choose(nothing, 0.0, g * sigmoid(choose(nothing, 0.0, a) - choose(nothing, 0.0, b)))


class Xlogy(Elementwise):
    """y = a ln b, 0 where a = 0 and b is a number        da = g ln b, 0 where a = 0 and b <= 0,  db = g a / b"""

    floating = True
    domain = {"b": Positive()}
    kinks = (
        Kink("a = 0, b = 2", (0.0, 2.0), (math.log(2), 0.0)),
        Kink("a = 0, b = 0", (0.0, 0.0), (0.0, math.nan)),
    )

    def forward(a: Array, b: Array) -> Array:
        b = np.asarray(b, np.result_type(a, b))
        nothing = np.logical_and(a == 0, ~np.isnan(b))
        return choose(nothing, 0.0, a * np.log(choose(nothing, 1.0, b)))

    def d_a(g: Array, a: Array, b: Array) -> Array:
        dead = np.logical_and(a == 0, b <= 0)
        return choose(dead, 0.0, g * np.log(choose(dead, np.ones_like(g), b)))

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return g * (a / b)


class Logit(Unary):
    """y = ln(x / (1 - x))        dx = g / (x (1 - x)), NaN outside [0, 1]"""

    domain = {"x": Real(low=0.0625, high=0.9375)}
    kinks = (
        Kink("x < 0", (-0.5,), (math.nan,)),
        Kink("x > 1", (1.5,), (math.nan,)),
        Kink("x = 0", (0.0,), (math.inf,)),
    )

    def forward(x: Array) -> Array:
        middle = np.abs(x - 0.5) < 0.25
        near = choose(middle, x, 0.5)
        return choose(middle, np.log1p((2 * near - 1) / (1 - near)), np.log(x) - np.log1p(-x))

    def d_x(g: Array, x: Array) -> Array:
        outside = np.logical_or(x < 0, x > 1)
        return choose(outside, math.nan, g / Parabola.apply(x, low=0.0, high=1.0))


def log2(input: A) -> A:
    """Logarithm to base 2 of each element; NaN below 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.log2(tg.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return Log2.apply(input)


def log10(input: A) -> A:
    """Logarithm to base 10 of each element; NaN below 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.log10(tg.tensor([1.0, 10.0]))
    tensor([0., 1.])
    """
    return Log10.apply(input)


def exp2(input: A) -> A:
    """2 to the power of each element.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.exp2(tg.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return Pow.apply(2.0, input)


def logaddexp(input: A, other: ArrayLike) -> A:
    """``log(exp(input) + exp(other))``; nothing overflows.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logaddexp(tg.tensor([0.0, 1000.0]), tg.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    return Logaddexp.apply(input, other)


def logaddexp2(input: A, other: ArrayLike) -> A:
    """``log2(2 ** input + 2 ** other)``; nothing overflows.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logaddexp2(tg.tensor([3.0]), tg.tensor([3.0]))
    tensor([4.])
    """
    return Logaddexp.apply(input * math.log(2), other * math.log(2)) / math.log(2)


def xlogy(input: A, other: ArrayLike) -> A:
    """``input * log(other)``, 0 where `input` is 0 and `other` is a number.

    Shapes broadcast; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.xlogy(tg.tensor([0.0, 2.0]), tg.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    return Xlogy.apply(input, other)


def logit(input: A, eps: float | None = None) -> A:
    """``log(p / (1 - p))``, the inverse of `sigmoid`; `eps` keeps p inside [eps, 1 - eps].

    Outside [0, 1], which `eps` prevents, it is NaN, and so is its gradient.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logit(tg.tensor([0.5, 0.75]))
    tensor([0.0000, 1.0986])
    """
    return Logit.apply(input if eps is None else clamp(input, eps, 1 - eps))


@overload
def float_power(input: float, exponent: A) -> A: ...
@overload
def float_power(input: A, exponent: ArrayLike) -> A: ...
def float_power(input: Any, exponent: Any) -> Any:
    """`input` to the power of `exponent`, in float64.

    Shapes broadcast.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.float_power(tg.tensor([1, 2, 3]), 2)
    tensor([1., 4., 9.], dtype=torch.float64)
    """
    if not hasattr(input, "astype") and not hasattr(exponent, "astype"):
        raise ArgumentError("float_power: neither the input nor the exponent is a tensor")
    a = input.astype(np.float64) if hasattr(input, "astype") else float(input)
    b = exponent.astype(np.float64) if hasattr(exponent, "astype") else float(exponent)
    return pow(a, b)
