"""Rounding, and what is left after it. Between the jumps the derivative is 0, or 1 of what is left."""

import numpy as np

from tinygrad_cnn.core.domain import AwayFrom
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.elementwise import Div
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Elementwise, Kink, Sample
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.ops.piecewise import Remainder, check_divided, check_divisor
from tinygrad_cnn.ops.shape import clone
from tinygrad_cnn.ops.untracked import paired, plain

__all__ = [
    "ceil", "div", "divide", "fix", "floor", "floor_divide", "fmod", "frac", "round", "true_divide", "trunc",
]  # fmt: skip

WHOLE = tuple(float(n) for n in range(-4, 5))
HALVES = tuple(n + 0.5 for n in range(-4, 4))


class Floor(Elementwise):
    """y = ⌊x⌋        dx = 0"""

    domain = {"x": AwayFrom(WHOLE)}
    kinks = (Kink("x is whole", (1.0,), (0.0,)),)
    numpy = (np.floor,)

    def forward(x: Array) -> Array:
        return np.floor(x)

    def d_x(g: Array) -> Array:
        return np.zeros_like(g)


class Ceil(Elementwise):
    """y = ⌈x⌉        dx = 0"""

    domain = {"x": AwayFrom(WHOLE)}
    kinks = (Kink("x is whole", (1.0,), (0.0,)),)
    numpy = (np.ceil,)

    def forward(x: Array) -> Array:
        return np.ceil(x)

    def d_x(g: Array) -> Array:
        return np.zeros_like(g)


class Trunc(Elementwise):
    """y = x without its fraction        dx = 0"""

    domain = {"x": AwayFrom(WHOLE)}
    kinks = (Kink("x is whole", (1.0,), (0.0,)),)
    numpy = (np.trunc,)

    def forward(x: Array) -> Array:
        return np.trunc(x)

    def d_x(g: Array) -> Array:
        return np.zeros_like(g)


class Round(Elementwise):
    """y = x rounded, halves to even        dx = 0"""

    domain = {"x": AwayFrom(HALVES)}
    kinks = (Kink("half way", (0.5,), (0.0,), {"decimals": 0}),)

    def forward(x: Array, *, decimals: int) -> Array:
        return np.round(x, decimals)

    def d_x(g: Array) -> Array:
        return np.zeros_like(g)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"decimals": 0})


class Fmod(Elementwise):
    """y = a - b trunc(a / b)        da = g,  db = -g trunc(a / b)"""

    kinks = (Kink("a / b is whole", (4.0, 2.0), (1.0, -2.0)),)
    numpy = (np.fmod,)

    def forward(a: Array, b: Array) -> Array:
        check_divisor("fmod", a, b)
        return np.fmod(a, b)

    def d_a(g: Array) -> Array:
        return g

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return -g * (np.floor_divide(np.absolute(a), np.absolute(b)) * np.sign(a) * np.sign(b))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Remainder.sample(draw)


class Quotient(Elementwise):
    """y = a / b, rounded        da = 0,  db = 0"""

    kinks = (Kink("a / b is whole", (4.0, 2.0), (0.0, 0.0), {"mode": "floor"}),)

    def forward(a: Array, b: Array, *, mode: str) -> Array:
        return floored(a, b) if mode == "floor" else truncated(a, b)

    def d_a(g: Array) -> Array:
        return np.zeros_like(g)

    def d_b(g: Array) -> Array:
        return np.zeros_like(g)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample(Remainder.sample(draw).inputs, {"mode": draw.choice(["floor", "trunc"])})


def floored(a: Array, b: Array) -> Array:
    """The quotient rounded down."""
    check_divisor("floor_divide", a, b)
    return np.floor_divide(a, b)


def truncated(a: Array, b: Array) -> Array:
    """The quotient rounded towards 0."""
    check_divisor("div", a, b)
    if np.result_type(a, b).kind == "f":
        return np.trunc(np.divide(a, b))
    return np.floor_divide(a - np.fmod(a, b), b)


def _is_whole(input: Array) -> bool:
    return plain("round", input).dtype.kind in "biu"


def floor(input: A) -> A:
    """Rounded down.

    Works element by element: shape and dtype stay. The gradient is 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.floor(tg.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return clone(input) if _is_whole(input) else Floor.apply(input)


def ceil(input: A) -> A:
    """Rounded up.

    Works element by element: shape and dtype stay. The gradient is 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ceil(tg.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return clone(input) if _is_whole(input) else Ceil.apply(input)


def trunc(input: A) -> A:
    """Rounded towards 0.

    Works element by element: shape and dtype stay. The gradient is 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.trunc(tg.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return clone(input) if _is_whole(input) else Trunc.apply(input)


fix = trunc


def round(input: A, *, decimals: int = 0) -> A:
    """Rounded to this many decimals, halves to the even neighbour.

    Works element by element: shape and dtype stay. The gradient is 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.round(tg.tensor([0.5, 1.5, 2.345]))
    tensor([0., 2., 2.])
    >>> tg.round(tg.tensor([2.345]), decimals=1)
    tensor([2.3000])
    """
    return clone(input) if _is_whole(input) else Round.apply(input, decimals=decimals)


def frac(input: A) -> A:
    """The fraction, with the sign of the number: ``x - trunc(x)``.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.frac(tg.tensor([-1.5, 2.25]))
    tensor([-0.5000,  0.2500])
    """
    return input - trunc(input)


def fmod(input: A, other: ArrayLike) -> A:
    """What is left of `input` after division by `other`, with the sign of `input`, as C's ``fmod``.

    Shapes broadcast; dtypes promote. Integers must not be divided by 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.fmod(tg.tensor([-3.0, 3.0]), 2)
    tensor([-1.,  1.])
    """
    check_divided("fmod", input, other)
    return Fmod.apply(input, other)


def div(input: A, other: ArrayLike, *, rounding_mode: str | None = None) -> A:
    """Quotient of each two elements, rounded by "floor" or "trunc" if that is asked for.

    Integers are divided as floating-point numbers; their rounded quotients are integers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.div(tg.tensor([7.0, -7.0]), 2)
    tensor([ 3.5000, -3.5000])
    >>> tg.div(tg.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """
    if rounding_mode is None:
        return Div.apply(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise ArgumentError(f"div: rounding_mode is {rounding_mode!r}; it must be None, 'trunc' or 'floor'")
    check_divided("div", input, other)
    return Quotient.apply(input, other, mode=rounding_mode)


divide = div


def true_divide(input: A, other: ArrayLike) -> A:
    """Quotient of each two elements, integers divided as floating-point numbers.

    Shapes broadcast; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.true_divide(tg.tensor([1.0, 2.0]), 4)
    tensor([0.2500, 0.5000])
    """
    return Div.apply(input, other)


def floor_divide(input: A, other: ArrayLike) -> A:
    """The quotient rounded down, element by element; integers stay integers, and must not be divided by 0.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.floor_divide(tg.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """
    check_divided("floor_divide", input, other)
    return paired("floor_divide", floored, input, other)
