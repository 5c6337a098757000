"""Angles, and the hyperbolic functions' inverses."""

import math

import numpy as np

from tinygrad_cnn.core.domain import AwayFrom, Real
from tinygrad_cnn.core.op import Elementwise, Kink, Unary
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.ops.elementwise import sin
from tinygrad_cnn.ops.piecewise import where
from tinygrad_cnn.ops.untracked import plain

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
        return g / np.sqrt(x * x + 1)


class Arccosh(Unary):
    """y = arcosh x        dx = g / √(x² - 1)"""

    domain = {"x": Real(low=1.25, high=4)}
    numpy = (np.arccosh,)

    def forward(x: Array) -> Array:
        return np.arccosh(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / np.sqrt(x * x - 1)


class Arctanh(Unary):
    """y = artanh x        dx = g / (1 - x²)"""

    domain = {"x": Real(low=-0.75, high=0.75)}
    numpy = (np.arctanh,)

    def forward(x: Array) -> Array:
        return np.arctanh(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / (1 - x * x)


class Arctan2(Elementwise):
    """y = the angle of the point (b, a)        da = g b / (a² + b²),  db = -g a / (a² + b²), 0 at the origin"""

    floating = True
    domain = {"a": AwayFrom((0.0,), gap=0.5)}  # the angle jumps by 2π where a = 0 and b < 0
    kinks = (Kink("the origin", (0.0, 0.0), (0.0, 0.0)),)
    numpy = (np.arctan2,)

    def forward(a: Array, b: Array) -> Array:
        return np.arctan2(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        return g * b / _square_radius(a, b)

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return -g * a / _square_radius(a, b)


def _square_radius(a: Array, b: Array) -> Array:
    square = a * a + b * b
    return np.where(square == 0, 1.0, square)


class Hypot(Elementwise):
    """y = √(a² + b²)        da = g a / y,  db = g b / y"""

    floating = True
    domain = {"b": AwayFrom((0.0,), gap=0.5)}
    numpy = (np.hypot,)

    def forward(a: Array, b: Array) -> Array:
        return np.hypot(a, b)

    def d_a(g: Array, y: Array, a: Array) -> Array:
        return g * (a / y)

    def d_b(g: Array, y: Array, b: Array) -> Array:
        return g * (b / y)


def arcsinh(input: A) -> A:
    """Inverse hyperbolic sine of each element."""
    return Arcsinh.apply(input)


def arccosh(input: A) -> A:
    """Inverse hyperbolic cosine of each element; NaN below 1."""
    return Arccosh.apply(input)


def arctanh(input: A) -> A:
    """Inverse hyperbolic tangent of each element; NaN outside [-1, 1]."""
    return Arctanh.apply(input)


asinh, acosh, atanh = arcsinh, arccosh, arctanh


def arctan2(input: A, other: ArrayLike) -> A:
    """The angle, in radians in [-π, π], of the point with ordinate `input` and abscissa `other`."""
    return Arctan2.apply(input, other)


atan2 = arctan2


def hypot(input: A, other: ArrayLike) -> A:
    """The hypotenuse over two legs: ``sqrt(input² + other²)``; nothing overflows."""
    return Hypot.apply(input, other)


def sinc(input: A) -> A:
    """``sin(π x) / (π x)``, 1 at 0."""
    centre = plain("sinc", input) == 0
    angle = where(centre, 1.0, input) * math.pi
    return where(centre, 1.0, sin(angle) / angle)


def deg2rad(input: A) -> A:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: A) -> A:
    """Radians as degrees."""
    return input * (180 / math.pi)
