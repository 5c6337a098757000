"""Sums of products and choices between elements, composed of arithmetic."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from tinygrad_cnn.core.checks import dtype_of
from tinygrad_cnn.core.domain import AwayFrom, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import DTypeError
from tinygrad_cnn.core.op import Elementwise, Op, Sample
from tinygrad_cnn.core.promotion import common_dtype, default
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.ops.checks import check_floating, check_same_dtype
from tinygrad_cnn.ops.elementwise import pow, times
from tinygrad_cnn.ops.piecewise import abs, sign, where
from tinygrad_cnn.ops.shape import clone
from tinygrad_cnn.ops.untracked import array_of, dressed, paired, plain
from tinygrad_cnn.torch_names import return_types

Function = TypeVar("Function", bound=Callable[..., Any])

__all__ = [
    "addcdiv", "addcmul", "angle", "conj", "conj_physical", "copysign", "frexp", "imag", "ldexp", "lerp",
    "nan_to_num", "nextafter", "real", "rsub", "sgn",
]  # fmt: skip


class Lerp(Elementwise):
    """y = a + w (b - a), from b where w > 1/2        da = g (1 - w),  db = g w,  dw = g (b - a)"""

    domain = {"w": AwayFrom((0.5,))}

    def forward(a: Array, b: Array, w: Array) -> Array:
        way = b - a
        return choose(np.absolute(w) < 0.5, a + w * way, b - (1 - w) * way)

    def d_a(g: Array, w: Array) -> Array:
        return g * (1 - w)

    def d_b(g: Array, w: Array) -> Array:
        return g * w

    def d_w(g: Array, a: Array, b: Array) -> Array:
        return g * (b - a)


class LerpBy(Elementwise):
    """y = a + w (b - a), from b where w > 1/2, w a number        da = g (1 - w),  db = g w"""

    linear = "jointly"

    def forward(a: Array, b: Array, *, weight: float) -> Array:
        way = b - a
        return a + weight * way if abs(weight) < 0.5 else b - (1 - weight) * way

    def d_a(g: Array, *, weight: float) -> Array:
        return g * (1 - weight)

    def d_b(g: Array, *, weight: float) -> Array:
        return g * weight

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        first, second = draw.broadcastable(2)
        return Sample(
            (draw.array(first, Real()), draw.array(second, Real())), {"weight": draw.choice([0.25, 0.5, 0.75, -1.0])}
        )


def in_float32(function: Function) -> Function:
    """Let a composed function take float16 as float32, so that only its result is rounded."""

    @wraps(function)
    def called(*values: Any, **options: Any) -> Any:
        if not any(dtype_of(v) == np.float16 for v in values if hasattr(v, "astype")):
            return function(*values, **options)
        result = function(*(v.astype(np.float32) if dtype_of(v) == np.float16 else v for v in values), **options)
        return result.astype(np.float16) if dtype_of(result) == np.float32 else result

    return cast(Function, called)


@in_float32
def lerp(input: A, end: ArrayLike, weight: ArrayLike) -> A:
    """The point on the way from `input` to `end`: ``input + weight * (end - input)``, exact at both ends.

    Shapes broadcast; all tensors must have the same floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.lerp(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 6.0]), 0.5)
    tensor([2., 4.])
    """
    check_same_dtype("lerp", input, end, weight)
    if isinstance(weight, (int, float)) and dtype_of(input).kind == "f":
        return LerpBy.apply(input, end, weight=float(weight))
    return Lerp.apply(input, end, weight)


def as_summed(*values: Any) -> list[Any]:
    """The values in the dtype of their sum, in which they are multiplied and divided, too."""
    dtype = common_dtype([getattr(value, "array", value) for value in values], False)
    return [v.astype(dtype) if hasattr(v, "astype") and dtype_of(v) != dtype else v for v in values]


@in_float32
def addcmul(input: A, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> A:
    """``input + value * tensor1 * tensor2``

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.addcmul(tg.tensor([1.0, 1.0]), tg.tensor([2.0, 3.0]), tg.tensor([4.0, 5.0]), value=0.5)
    tensor([5.0000, 8.5000])
    """
    input, tensor1, tensor2 = as_summed(input, tensor1, tensor2)
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


@in_float32
def addcdiv(input: A, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> A:
    """``input + value * tensor1 / tensor2``

    Shapes broadcast; dtypes promote. Integers are refused: divide floating numbers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.addcdiv(tg.tensor([1.0, 1.0]), tg.tensor([2.0, 3.0]), tg.tensor([4.0, 5.0]), value=2)
    tensor([2.0000, 2.2000])
    """
    if all(dtype_of(tensor).kind in "biu" for tensor in (tensor1, tensor2)):
        raise DTypeError(
            "addcdiv: tensor1 and tensor2 are integers, whose quotient may be rounded or not; use .float()"
        )
    input, tensor1, tensor2 = as_summed(input, tensor1, tensor2)
    return input + (tensor1 / tensor2 if value == 1 else value * tensor1 / tensor2)


def rsub(input: A, other: ArrayLike, *, alpha: float = 1) -> A:
    """``other - alpha * input``

    Shapes broadcast; dtypes promote as in `sub`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.rsub(tg.tensor([1.0, 2.0]), 10)
    tensor([9., 8.])
    """
    return other - (input if type(alpha) is int and alpha == 1 else times("rsub", other, input, alpha))


def copysign(input: A, other: ArrayLike) -> A:
    """The size of `input` with the sign of `other`, that of -0.0 included.

    Shapes broadcast; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.copysign(tg.tensor([1.0, 2.0]), tg.tensor([-0.0, 3.0]))
    tensor([-1.,  2.])
    """
    dtype = common_dtype([plain("copysign", input), array_of("copysign", other)], True)
    x = input if dtype_of(input) == dtype else input.astype(dtype)
    signs = np.copysign(np.ones((), dtype), plain("copysign", other).astype(dtype))
    return abs(x) * dressed(signs, input, other)


def angle(input: A) -> A:
    """The angle of real numbers as complex ones: 0, π below 0; NaN of NaN.

    The shape stays; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.angle(tg.tensor([1.0, -1.0]))
    tensor([0.0000, 3.1416])
    """
    x = input if dtype_of(input).kind == "f" else input.astype(default.dtype)
    values = plain("angle", x)
    angles = choose(np.isnan(values), values, np.multiply(values < 0, math.pi, dtype=values.dtype))
    return sign(x) * 0.0 + angles


def real(input: A) -> A:
    """The input itself, which is not complex.

    The same tensor: shape, dtype and memory stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.real(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return input


conj = real


def conj_physical(input: A) -> A:
    """The input itself, which is not complex; see `real`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.conj_physical(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return input


def imag(input: A) -> A:
    """Of complex numbers only: a RuntimeError, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.imag(tg.tensor([1.0]))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    DTypeError: imag: is not implemented for real numbers, such as float32
    """
    raise DTypeError(f"imag: is not implemented for real numbers, such as {dtype_of(input)}; they have no such part")


class Frexp(Op):
    """y, e: x = y 2^e with 1/2 <= |y| < 1        dx = g / 2^e"""

    aux = ("exponent",)

    def forward(x: Array) -> tuple[Array, Array]:
        return np.frexp(x)

    def d_x(g: Array, exponent: Array) -> Array:
        return g / 2.0 ** exponent.astype(g.dtype)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(), Real(low=0.5625, high=0.9375))  # between two powers of 2
        return Sample((np.asarray(x * draw.choice([1.0, -1.0, 4.0, 0.125])),), {})


def frexp(input: A) -> return_types.frexp[A]:
    """``(mantissa, exponent)``: the input is ``mantissa * 2 ** exponent``, with 1/2 <= abs(mantissa) < 1.

    Both have the shape of the input; the exponents are int32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.frexp(tg.tensor([1.0, 10.0]))
    torch.return_types.frexp(
    mantissa=tensor([0.5000, 0.6250]),
    exponent=tensor([1, 4], dtype=torch.int32))
    """
    check_floating("frexp", "input", input)
    return return_types.frexp(*Frexp.apply(input))


def ldexp(input: A, other: ArrayLike) -> A:
    """``input * 2 ** other``, in the floating dtype of the result throughout.

    Shapes broadcast.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ldexp(tg.tensor([1.0, 3.0]), tg.tensor([2, 3]))
    tensor([ 4., 24.])
    """
    dtype = common_dtype([array_of("ldexp", input), array_of("ldexp", other)], True)
    power = other.astype(dtype) if hasattr(other, "astype") else np.asarray(other, dtype)
    return input * pow(2.0, power)


def nextafter(input: A, other: ArrayLike) -> A:
    """The next floating-point number from `input` towards `other`.

    Shapes broadcast; floating dtypes promote, integers are refused. There is no gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nextafter(tg.tensor([1.0]), tg.tensor([2.0])) > 1
    tensor([True])
    """
    check_floating("nextafter", "input", input)
    return paired("nextafter", np.nextafter, input, other)


def sgn(input: A) -> A:
    """-1, 0 or 1 for each element; see `sign`.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sgn(tg.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    return sign(input)


def nan_to_num(input: A, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> A:
    """With numbers for NaN (0) and for the infinities (the largest and the least number of the dtype).

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nan_to_num(tg.tensor([tg.nan, tg.inf, 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    values = plain("nan_to_num", input)
    if values.dtype.kind != "f":
        return clone(input)
    if np.isfinite(values).all():
        return clone(input)
    limits = np.finfo(values.dtype)
    out = where(np.isnan(values), 0.0 if nan is None else nan, input)
    out = where(values == np.inf, float(limits.max) if posinf is None else posinf, out)
    return where(values == -np.inf, float(limits.min) if neginf is None else neginf, out)
