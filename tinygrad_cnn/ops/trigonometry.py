"""Angles, and the hyperbolic functions' inverses."""

import math

import numpy as np

from tinygrad_cnn.core.domain import AwayFrom, Positive, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Elementwise, Kink, Sample, Unary
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.kernels.special import sinc_derivative
from tinygrad_cnn.ops.elementwise import Parabola

__all__ = [
    "acosh", "arccosh", "arcsinh", "arctan2", "arctanh", "asinh", "atan2", "atanh", "deg2rad", "hypot", "rad2deg",
    "sinc",
]  # fmt: skip


class Arcsinh(Unary):
    """y = arsinh x        dx = g / √(x² + 1)"""

    numpy = (np.arcsinh,)

    def forward(x: Array) -> Array:
        return np.arcsinh(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / np.hypot(x, 1)


class Arccosh(Unary):
    """y = arcosh x        dx = g / √((x - 1)(x + 1))"""

    domain = {"x": Real(low=1.0625, high=4)}
    numpy = (np.arccosh,)

    def forward(x: Array) -> Array:
        return np.arccosh(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / (np.sqrt(x - 1) * np.sqrt(x + 1))


class Arctanh(Unary):
    """y = artanh x        dx = g / ((1 - x)(1 + x))"""

    domain = {"x": Real(low=-0.9375, high=0.9375)}
    numpy = (np.arctanh,)

    def forward(x: Array) -> Array:
        return np.arctanh(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / Parabola.apply(x, low=-1.0, high=1.0)


class Arctan2(Elementwise):
    """y = the angle of the point (b, a)        da = g b / (a² + b²),  db = -g a / (a² + b²), 0 at the origin

    Where a = 0 and b < 0 the angle jumps by 2π; the derivative is that of the angle from below.
    """

    floating = True
    kinks = (Kink("the origin", (0.0, 0.0), (0.0, 0.0)), Kink("a = 0, b < 0", (0.0, -2.0), (-0.5, 0.0)))
    numpy = (np.arctan2,)

    def forward(a: Array, b: Array) -> Array:
        return np.arctan2(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        r = _radius(a, b)
        return g * (b / r / r)

    def d_b(g: Array, a: Array, b: Array) -> Array:
        r = _radius(a, b)
        return -g * (a / r / r)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        first, second = draw.broadcastable(2)
        a, b = draw.choice([(AwayFrom((0.0,), gap=0.5), Real()), (Real(), Positive(low=0.5))])
        return Sample((draw.array(first, a), draw.array(second, b)), {})


def _radius(a: Array, b: Array) -> Array:
    """The distance from the origin, and 1 there: neither its square nor a square below overflows or vanishes."""
    origin = np.logical_and(a == 0, b == 0)
    return np.hypot(a, np.where(origin, 1.0, b))


class Hypot(Elementwise):
    """y = √(a² + b²)        da = g a / y,  db = g b / y; NaN at the origin, as in PyTorch"""

    floating = True
    kinks = (Kink("the origin", (0.0, 0.0), (math.nan, math.nan)),)
    numpy = (np.hypot,)

    def forward(a: Array, b: Array) -> Array:
        return np.hypot(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        return g * Cosine.apply(a, b)

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return g * Cosine.apply(b, a)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        domains = draw.choice([(Real(), AwayFrom((0.0,), gap=0.5)), (AwayFrom((0.0,), gap=0.5), Real())])
        shapes = draw.broadcastable(2)
        return Sample(tuple(draw.array(s, d) for s, d in zip(shapes, domains, strict=True)), {})


class Cosine(Elementwise):
    """y = a / r,  r = √(a² + b²)        da = g (b / r)² / r,  db = -g (a / r) (b / r) / r"""

    floating = True
    kinks = (Kink("the origin", (0.0, 0.0), (math.nan, math.nan)),)

    def forward(a: Array, b: Array) -> Array:
        return a / np.hypot(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        other = Cosine.apply(b, a)
        return g * (other * other / np.hypot(a, b))

    def d_b(g: Array, y: Array, a: Array, b: Array) -> Array:
        return -g * (y * Cosine.apply(b, a) / np.hypot(a, b))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Hypot.sample(draw)


class Sinc(Unary):
    """y = the k-th derivative of sin(πx) / (πx)        dx = g times the next one"""

    def forward(x: Array, *, order: int) -> Array:
        return sinc_derivative(x, order)

    def d_x(g: Array, x: Array, *, order: int) -> Array:
        return g * Sinc.apply(x, order=order + 1)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.array(draw.shape(), Real()),), {"order": draw.integer(0, 3)})


def arcsinh(input: A) -> A:
    """Inverse hyperbolic sine of each element.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arcsinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return Arcsinh.apply(input)


def arccosh(input: A) -> A:
    """Inverse hyperbolic cosine of each element; NaN below 1.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arccosh(tg.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return Arccosh.apply(input)


def arctanh(input: A) -> A:
    """Inverse hyperbolic tangent of each element; NaN outside [-1, 1].

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arctanh(tg.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return Arctanh.apply(input)


asinh, acosh, atanh = arcsinh, arccosh, arctanh


def arctan2(input: A, other: ArrayLike) -> A:
    """The angle, in radians in [-π, π], of the point with ordinate `input` and abscissa `other`.

    Shapes broadcast; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arctan2(tg.tensor([1.0, -1.0]), tg.tensor([1.0, -1.0]))
    tensor([ 0.7854, -2.3562])
    """
    return Arctan2.apply(input, other)


atan2 = arctan2


def hypot(input: A, other: ArrayLike) -> A:
    """The hypotenuse over two legs: ``sqrt(input² + other²)``; nothing overflows.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.hypot(tg.tensor([3.0, 5.0]), tg.tensor([4.0, 12.0]))
    tensor([ 5., 13.])
    """
    return Hypot.apply(input, other)


def sinc(input: A) -> A:
    """``sin(π x) / (π x)``, 1 at 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sinc(tg.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    return Sinc.apply(input, order=0)


def deg2rad(input: A) -> A:
    """Degrees as radians.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.deg2rad(tg.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """
    return input * (math.pi / 180)


def rad2deg(input: A) -> A:
    """Radians as degrees.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.rad2deg(tg.tensor([tg.pi, tg.pi / 2]))
    tensor([180.,  90.])
    """
    return input * (180 / math.pi)
