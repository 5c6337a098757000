"""Element-wise arithmetic and functions. Inputs broadcast; the engine sums cotangents back to their shapes.

Piecewise functions (relu, maximum, clamp) live in `piecewise`, beside the conventions at their kinks.
"""

import math
from typing import Any, TypeAlias, overload

import numpy as np

from tinygrad_cnn.core.checks import dtype_of
from tinygrad_cnn.core.domain import AwayFrom, Positive, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.elementwise import Add, Exp, Log, Mul, Neg, PowScalar, Sub
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.op import Elementwise, Kink, Op, Sample, Unary
from tinygrad_cnn.core.promotion import common_dtype, default
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.passes import FLAT
from tinygrad_cnn.kernels.passes import tail as tail_of
from tinygrad_cnn.kernels.special import tanhshrink
from tinygrad_cnn.ops.checks import fitted
from tinygrad_cnn.ops.special import Gauss
from tinygrad_cnn.ops.untracked import plain

__all__ = [
    "acos", "add", "arccos", "arcsin", "arctan", "asin", "atan", "cos", "cosh", "exp", "expm1", "gelu",
    "log", "log1p", "mul", "multiply", "neg", "negative", "pow", "reciprocal", "rsqrt", "sigmoid", "silu", "sin",
    "sinh", "softplus", "sqrt", "square", "sub", "subtract", "tan", "tanh",
]  # fmt: skip

Tail: TypeAlias = tuple[NDArray, NDArray] | None
"""Places in a flattened array, and the values there; None if there are none."""
INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)


class Refined(Op):
    """y = x, but for its last digits: those of the values at some places        dx = g

    ``1 - y²`` has few digits where y is nearly 1. They are computed from the input, where that is large, and take the
    place of the difference, whose derivative they have.
    """

    linear = "jointly"

    def forward(x: Array, *, tail: Tail) -> Array:
        y = np.array(x)
        if tail is not None:
            np.put(y, *tail)
        return y

    def d_x(g: Array) -> Array:
        return g

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.array(draw.shape(), Real()),), {"tail": None})


def refined(x: Array, tail: Tail) -> Array:
    """x with the digits of its tail, if it has one. A rule made x: nobody else has its memory."""
    if tail is None:
        return x
    if type(x) is np.ndarray:
        np.put(x, *tail)
        return x
    return Refined.apply(x, tail=tail)


class Tanh(Unary):
    """y = tanh x        dx = g (1 - y²)"""

    numpy = (np.tanh,)

    def forward(x: Array) -> Array:
        return np.tanh(x)

    def aside(y: Array, x: Array) -> Tail:
        return tail_of(lambda x: 4 * bell(2 * x), (y > 1 - FLAT / 2) | (y < FLAT / 2 - 1), x)

    def d_x(g: Array, y: Array, aside: Tail) -> Array:
        return g * refined(1 - y * y, aside)


class Sigmoid(Unary):
    """y = 1 / (1 + exp(-x))        dx = g y (1 - y)"""

    def forward(x: Array) -> Array:
        return chosen.sigmoid(x)

    def aside(y: Array, x: Array) -> Tail:
        return tail_of(bell, y > 1 - FLAT, x)

    def d_x(g: Array, y: Array, aside: Tail) -> Array:
        return g * refined(y * (1 - y), aside)


def sigmoid_slope(x: Array, s: Array) -> Array:
    """The derivative of s = sigmoid(x)."""
    return refined(s * (1 - s), Sigmoid.aside(plain("sigmoid", s), plain("sigmoid", x)))


def bell(x: Array) -> Array:
    """The derivative of sigmoid, exp(-|x|) / (1 + exp(-|x|))²."""
    e = np.exp(-np.absolute(x))
    return e / ((1 + e) * (1 + e))


class Sqrt(Unary):
    """y = √x        dx = g / (2 y)"""

    domain = {"x": Positive()}
    numpy = (np.sqrt,)

    def forward(x: Array) -> Array:
        return np.sqrt(x)

    def d_x(g: Array, y: Array) -> Array:
        return g / (2 * y)


class Expm1(Unary):
    """y = exp x - 1        dx = g (y + 1)"""

    numpy = (np.expm1,)

    def forward(x: Array) -> Array:
        return np.expm1(x)

    def aside(y: Array, x: Array) -> Tail:
        return tail_of(np.exp, y < -0.9375, x)

    def d_x(g: Array, y: Array, aside: Tail) -> Array:
        return g * refined(y + 1, aside)


class Log1p(Unary):
    """y = ln(1 + x)        dx = g / (1 + x)"""

    domain = {"x": Real(low=-0.9375, high=3)}
    numpy = (np.log1p,)

    def forward(x: Array) -> Array:
        return np.log1p(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / (1 + x)


class Rsqrt(Unary):
    """y = 1 / √x        dx = -g y³ / 2"""

    domain = {"x": Positive()}

    def forward(x: Array) -> Array:
        return 1 / np.sqrt(x)

    def d_x(g: Array, y: Array) -> Array:
        return g * (-0.5 * y * y * y)


class Scaled(Elementwise):
    """y = s x        dx = s g"""

    linear = "jointly"

    def forward(x: Array, *, by: float) -> Array:
        return x * by

    def d_x(g: Array, *, by: float) -> Array:
        return g * by

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.array(draw.shape(), Real()),), {"by": draw.choice([2.0, -0.5, 0.0])})


def scaled(x: Any, by: Any) -> Any:
    """``by * x``; of a number and fractions nothing is kept for the backward pass."""
    return Scaled.apply(x, by=by) if type(by) in (int, float) and dtype_of(x).kind == "f" else mul(x, by)


class Reciprocal(Unary):
    """y = 1 / x        dx = -y² g"""

    domain = {"x": AwayFrom((0.0,), gap=0.5)}
    numpy = (np.reciprocal,)

    def forward(x: Array) -> Array:
        return 1.0 / x

    def d_x(g: Array, y: Array) -> Array:
        return -g * (y * y)


class Sin(Unary):
    """y = sin x        dx = g cos x"""

    numpy = (np.sin,)

    def forward(x: Array) -> Array:
        return np.sin(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * np.cos(x)


class Cos(Unary):
    """y = cos x        dx = -g sin x"""

    numpy = (np.cos,)

    def forward(x: Array) -> Array:
        return np.cos(x)

    def d_x(g: Array, x: Array) -> Array:
        return -g * np.sin(x)


class Tan(Unary):
    """y = tan x        dx = g (1 + y²)"""

    domain = {"x": AwayFrom((-math.pi / 2, math.pi / 2), gap=0.25, low=-4, high=4)}
    numpy = (np.tan,)

    def forward(x: Array) -> Array:
        return np.tan(x)

    def d_x(g: Array, y: Array) -> Array:
        return g * (1 + y * y)


class Sinh(Unary):
    """y = sinh x        dx = g cosh x"""

    numpy = (np.sinh,)

    def forward(x: Array) -> Array:
        return np.sinh(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * np.cosh(x)


class Cosh(Unary):
    """y = cosh x        dx = g sinh x"""

    numpy = (np.cosh,)

    def forward(x: Array) -> Array:
        return np.cosh(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * np.sinh(x)


class Parabola(Unary):
    """y = (x - low) (high - x)        dx = g (low + high - 2x)

    With its digits near both ends, where a difference of squares has none, and its slope with its digits in the middle.
    """

    def forward(x: Array, *, low: float, high: float) -> Array:
        return (x - low) * (high - x)

    def d_x(g: Array, x: Array, *, low: float, high: float) -> Array:
        return g * (low + high - 2 * x)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"low": draw.choice([-1.0, 0.0]), "high": 1.0})


class Arcsin(Unary):
    """y = arcsin x        dx = g / √((1 - x)(1 + x))"""

    domain = {"x": Real(low=-0.9375, high=0.9375)}
    numpy = (np.arcsin,)

    def forward(x: Array) -> Array:
        return np.arcsin(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / np.sqrt(Parabola.apply(x, low=-1.0, high=1.0))


class Arccos(Unary):
    """y = arccos x        dx = -g / √((1 - x)(1 + x))"""

    domain = {"x": Real(low=-0.9375, high=0.9375)}
    numpy = (np.arccos,)

    def forward(x: Array) -> Array:
        return np.arccos(x)

    def d_x(g: Array, x: Array) -> Array:
        return -g / np.sqrt(Parabola.apply(x, low=-1.0, high=1.0))


class Arctan(Unary):
    """y = arctan x        dx = g / (1 + x²)"""

    numpy = (np.arctan,)

    def forward(x: Array) -> Array:
        return np.arctan(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / (1 + x * x)


class Softplus(Unary):
    """y = ln(1 + exp(βx)) / β, and x itself where βx > threshold        dx = g sigmoid(βx)"""

    kinks = (Kink("βx = threshold", (0.0,), (0.5,), {"beta": 2.0, "threshold": 0.0}),)

    def forward(x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Array:
        if beta == 1:
            return chosen.softplus(x, threshold)
        scaled = beta * x
        return choose(scaled > threshold, x, chosen.softplus(scaled, math.inf) / beta)

    def d_x(g: Array, x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Array:
        return g * choose(beta * x > threshold, 1.0, sigmoid(beta * x))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        options = draw.choice([{}, {"beta": 0.5, "threshold": 1.0}, {"beta": 2.0, "threshold": 4.0}])
        return Sample((draw.array(draw.shape(), AwayFrom((2.0,)) if options else Real()),), options)


class Silu(Unary):
    """y = x sigmoid(x)        dx = g (s + x s'),  s = sigmoid(x), by `SiluSlope`"""

    def forward(x: Array) -> Array:
        return chosen.silu(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * SiluSlope.apply(x)


class SiluSlope(Unary):
    """y = s + x s',  s = sigmoid(x)        dx = g s' (2 + x (1 - 2s))"""

    def forward(x: Array) -> Array:
        return chosen.silu_slope(x)

    def d_x(g: Array, x: Array) -> Array:
        s = sigmoid(x)
        return g * sigmoid_slope(x, s) * (2 + x * (1 - 2 * s))


class Gelu(Unary):
    """y = x Φ(x), with Φ the normal distribution        dx = g (Φ(x) + x φ(x)), by `GeluSlope`"""

    def forward(x: Array) -> Array:
        return chosen.gelu(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * GeluSlope.apply(x)


class GeluSlope(Unary):
    """y = Φ(x) + x φ(x), with Φ the normal distribution and φ its density        dx = g φ(x) (2 - x²)"""

    def forward(x: Array) -> Array:
        return chosen.gelu_slope(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * ((2 - x * x) * (INV_SQRT_2PI * Gauss.apply(x, scale=-0.5)))


class GeluTanh(Unary):
    """y = x s,  s = sigmoid(2u),  u = √(2/π) (x + 0.044715 x³)        dx = g (s + 2 x s' u')

    The same as x (1 + tanh u) / 2, with its digits where tanh is nearly -1.
    """

    def forward(x: Array) -> Array:
        return x * Sigmoid.forward(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))

    def d_x(g: Array, x: Array) -> Array:
        u = (2 * math.sqrt(2 / math.pi)) * (x + 0.044715 * x * x * x)
        s = sigmoid(u)
        return g * (s + x * sigmoid_slope(u, s) * ((2 * math.sqrt(2 / math.pi)) * (1 + 3 * 0.044715 * x * x)))


class Tanhshrink(Unary):
    """y = x - tanh x        dx = g tanh² x"""

    def forward(x: Array) -> Array:
        return tanhshrink(x)

    def d_x(g: Array, x: Array) -> Array:
        t = np.tanh(x)
        return g * (t * t)


class Pow(Elementwise):
    """y = a ** b        da = g b a**(b-1) (0 where a = b = 0),  db = g y ln a (0 where a = 0 and b >= 0)"""

    domain = {"a": Positive()}
    numpy = (np.power,)
    kinks = (
        Kink("a = 0, b = 0", (0.0, 0.0), (0.0, 0.0)),
        Kink("a = 0, b = 2", (0.0, 2.0), (0.0, 0.0)),
        Kink("a = 0, b = -1", (0.0, -1.0), (-np.inf, -np.inf)),
        Kink("a < 0, whole b", (-2.0, 3.0), (12.0, np.nan)),
    )

    def forward(a: Array, b: Array) -> Array:
        if np.asarray(a).dtype.kind in "biu" and np.asarray(b).dtype.kind == "i":
            return whole_power(a, b)
        return np.power(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        flat = np.logical_and(a == 0, b == 0)
        return g * (b * np.power(choose(flat, 1.0, a), b - 1))

    def d_b(g: Array, y: Array, a: Array, b: Array) -> Array:
        dead = np.logical_and(a == 0, b >= 0)
        return choose(dead, 0.0, g * (y * np.log(choose(dead, np.ones_like(y), a))))


def whole_power(a: Array, b: Array) -> Array:
    """Powers of integers; those with a negative exponent rounded towards 0, as in PyTorch."""
    inverse = choose(a == 1, 1, choose(a == -1, 1 - 2 * (b % 2), 0)).astype(np.result_type(a, b))
    return choose(np.less(b, 0), inverse, np.power(a, np.maximum(b, 0)))


def add(input: A, other: ArrayLike, *, alpha: float = 1) -> A:
    """Sum: ``input + alpha * other``.

    Shapes broadcast. The result has the dtype that both promote to; a Python number keeps the tensor's. ValueError
    if the shapes do not broadcast.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.add(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([10.0, 20.0]), alpha=2)
    tensor([[21., 42.],
            [23., 44.]])
    """
    return Add.apply(input, other if type(alpha) is int and alpha == 1 else times("add", input, other, alpha))


def sub(input: A, other: ArrayLike, *, alpha: float = 1) -> A:
    """Difference: ``input - alpha * other``.

    Shapes broadcast; dtypes promote as in `add`. A DTypeError for bools, which have no difference.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sub(tg.tensor([5.0, 7.0]), 2)
    tensor([3., 5.])
    """
    return Sub.apply(input, other if type(alpha) is int and alpha == 1 else times("sub", input, other, alpha))


def times(op: str, input: Any, other: Any, alpha: Any) -> Any:
    """``alpha * other``, to be added to the input: in the dtype of the sum, since 2 * 200 is no uint8."""
    dtype = common_dtype([getattr(value, "array", value) for value in (input, other)], False)
    if (dtype.kind in "biu" and isinstance(alpha, float)) or (dtype.kind != "b" and isinstance(alpha, bool)):
        raise ArgumentError(f"{op}: alpha is {alpha!r}, and the result has dtype {dtype}; give a number of that kind")
    if dtype.kind == "b":
        return np.logical_and(other, bool(alpha))
    if isinstance(other, (int, float)):
        return other * alpha
    return scaled(other if dtype_of(other) == dtype else other.astype(dtype), alpha)


def mul(input: A, other: ArrayLike) -> A:
    """Product of each two elements.

    Shapes broadcast; dtypes promote as in `add`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.mul(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([10.0, 20.0]))
    tensor([[10., 40.],
            [30., 80.]])
    """
    return Mul.apply(input, other)


def neg(input: A) -> A:
    """Each element with the other sign.

    Shape and dtype stay. DTypeError for bools.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.neg(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    if dtype_of(input).kind == "b":
        raise DTypeError("neg: input has dtype bool, which has no sign; use ~x, or logical_not")
    return Neg.apply(input)


def exp(input: A) -> A:
    """Exponential of each element: e to its power.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.exp(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return Exp.apply(input)


def expm1(input: A) -> A:
    """``exp(x) - 1``, exact for small x, too.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.expm1(tg.tensor([0.0, 1e-5]))
    tensor([0.0000e+00, 1.0000e-05])
    """
    return Expm1.apply(input)


def log(input: A) -> A:
    """Natural logarithm of each element; NaN below 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.log(tg.tensor([1.0, tg.e]))
    tensor([0., 1.])
    """
    return Log.apply(input)


def log1p(input: A) -> A:
    """``log(1 + x)``, exact for small x, too.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.log1p(tg.tensor([0.0, 1e-5]))
    tensor([0.0000e+00, 9.9999e-06])
    """
    return Log1p.apply(input)


def sqrt(input: A) -> A:
    """Square root of each element; NaN below 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sqrt(tg.tensor([4.0, 2.0]))
    tensor([2.0000, 1.4142])
    """
    return Sqrt.apply(input)


def rsqrt(input: A) -> A:
    """One over the square root of each element.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.rsqrt(tg.tensor([4.0, 0.25]))
    tensor([0.5000, 2.0000])
    """
    return Rsqrt.apply(input)


def sin(input: A) -> A:
    """Sine of each element, in radians.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sin(tg.tensor([0.0, tg.pi / 6]))
    tensor([0.0000, 0.5000])
    """
    return Sin.apply(input)


def cos(input: A) -> A:
    """Cosine of each element, in radians.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cos(tg.tensor([0.0, tg.pi / 3]))
    tensor([1.0000, 0.5000])
    """
    return Cos.apply(input)


def tan(input: A) -> A:
    """Tangent of each element, in radians.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tan(tg.tensor([0.0, tg.pi / 4]))
    tensor([0., 1.])
    """
    return Tan.apply(input)


def sinh(input: A) -> A:
    """Hyperbolic sine of each element.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return Sinh.apply(input)


def cosh(input: A) -> A:
    """Hyperbolic cosine of each element.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cosh(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return Cosh.apply(input)


def tanh(input: A) -> A:
    """Hyperbolic tangent of each element.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tanh(tg.tensor([-1.0, 0.0, 9.0]))
    tensor([-0.7616,  0.0000,  1.0000])
    """
    return Tanh.apply(input)


def arcsin(input: A) -> A:
    """Inverse sine in radians, in [-π/2, π/2]; NaN outside [-1, 1].

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arcsin(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return Arcsin.apply(input)


def arccos(input: A) -> A:
    """Inverse cosine in radians, in [0, π]; NaN outside [-1, 1].

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arccos(tg.tensor([1.0, 0.0]))
    tensor([0.0000, 1.5708])
    """
    return Arccos.apply(input)


def arctan(input: A) -> A:
    """Inverse tangent in radians, in (-π/2, π/2).

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arctan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return Arctan.apply(input)


asin, acos, atan = arcsin, arccos, arctan
negative, subtract, multiply = neg, sub, mul


def sigmoid(input: A) -> A:
    """Logistic function of each element, ``1 / (1 + exp(-x))``; nothing overflows.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sigmoid(tg.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.0000, 0.5000, 0.8808])
    """
    return Sigmoid.apply(input)


def silu(input: A) -> A:
    """Sigmoid linear unit, ``x sigmoid(x)`` (Elfwing et al. 2017), also known as swish.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.silu(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return Silu.apply(input)


@overload
def pow(input: A, exponent: float) -> A: ...
@overload
def pow(input: float, exponent: A) -> A: ...
@overload
def pow(input: A, exponent: ArrayLike) -> A: ...
def pow(input: Any, exponent: Any) -> Any:
    """`input` to the power of `exponent`; a plain number as exponent is cheaper than an array.

    Shapes broadcast; dtypes promote as in `add`. ValueError for integers to a negative integer power.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.pow(tg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> tg.pow(2, tg.tensor([1, 2, 3]))
    tensor([2, 4, 8])
    """
    if isinstance(exponent, (int, float)):
        kind = dtype_of(input).kind
        if kind in "biu" and isinstance(exponent, float):
            input = input.astype(default.dtype)
        elif kind in "biu" and exponent < 0:
            raise ArgumentError(f"pow: integers to the negative power {exponent} are fractions; use .float() first")
        elif kind == "b":
            input = input.astype(np.int64)
        elif kind in "iu":
            exponent = fitted("pow", exponent, dtype_of(input)).item()
        return PowScalar.apply(input, p=exponent)
    return Pow.apply(input, exponent)


def softplus(input: A, beta: float = 1.0, threshold: float = 20.0) -> A:
    """Softplus: ``ln(1 + exp(beta x)) / beta``, linear where ``beta x > threshold``.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.softplus(tg.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    return Softplus.apply(input, beta=float(beta), threshold=float(threshold))


def gelu(input: A, approximate: str = "none") -> A:
    """Gaussian error linear unit (Hendrycks & Gimpel 2016), exact or by its tanh approximation.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.gelu(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate is {approximate!r}; it must be 'none' or 'tanh'")
    return Gelu.apply(input) if approximate == "none" else GeluTanh.apply(input)


def square(input: A) -> A:
    """The square of each element: ``x * x``, int64 of truth values.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.square(tg.tensor([-1.0, 2.0]))
    tensor([1., 4.])
    """
    x = input.astype(np.int64) if dtype_of(input).kind == "b" else input
    return mul(x, x)


def reciprocal(input: A) -> A:
    """One over each element.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.reciprocal(tg.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """
    return Reciprocal.apply(input)
