"""Element-wise functions with kinks: each op states what it returns there, following PyTorch."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.domain import AwayFrom, Distinct, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.op import Elementwise, Kink, Op, Sample, Unary
from tinygrad_cnn.core.piecewise import AWAY_FROM_ZERO, Relu
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.types import A, Array, ArrayLike, Shape
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.ops.checks import check_mask, fitted
from tinygrad_cnn.ops.untracked import paired
from tinygrad_cnn.torch_names.errors import DivisionError, KernelMissingError

__all__ = [
    "abs", "absolute", "clamp", "clamp_max", "clamp_min", "clip", "elu", "fill", "fmax", "fmin", "hardtanh",
    "leaky_relu", "masked_fill", "maximum", "minimum", "relu", "remainder", "selu", "sign",
]  # fmt: skip

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717
FAR_FROM_ZERO = AwayFrom((0.0,), low=-1000.0, high=1000.0)
"""Where the exponential of the other branch overflows."""


class Where(Elementwise):
    """y = a where the condition holds, else b        da = g [c],  db = g [not c]"""

    linear = "jointly"
    constant = ("condition",)

    def forward(condition: Array, a: Array, b: Array) -> Array:
        return choose(condition, a, b)

    def d_a(g: Array, condition: Array) -> Array:
        return choose(condition, g, 0.0)

    def d_b(g: Array, condition: Array) -> Array:
        return choose(condition, 0.0, g)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        condition, a, b = super().sample(draw).inputs
        return Sample((np.asarray(condition > 0), a, b), {})


class Sign(Elementwise):
    """y = [x > 0] - [x < 0]        dx = 0"""

    domain = AWAY_FROM_ZERO
    kinks = (Kink("x = 0", (0.0,), (0.0,)), Kink("x is NaN", (np.nan,), (0.0,)))
    numpy = (np.sign,)

    def forward(x: Array) -> Array:
        return np.array(x) if x.dtype.kind == "b" else np.subtract(x > 0, x < 0, dtype=x.dtype)

    def d_x(g: Array) -> Array:
        return np.zeros_like(g)


class Remainder(Elementwise):
    """y = a - b ⌊a / b⌋        da = g,  db = -g ⌊a / b⌋"""

    kinks = (Kink("a / b is whole", (4.0, 2.0), (1.0, -2.0)),)
    numpy = (np.remainder,)

    def forward(a: Array, b: Array) -> Array:
        check_divisor("remainder", a, b)
        return np.remainder(a, b)

    def d_a(g: Array) -> Array:
        return g

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return -g * np.floor_divide(a, b)  # exact, while a / b may round up to a whole number

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        first, second = draw.broadcastable(2)
        b = draw.array(second, AwayFrom((0.0,), gap=0.5))
        quotient = draw.array(np.broadcast_shapes(first, second), AwayFrom(tuple(range(-3, 4)), gap=0.25))
        return Sample((np.asarray(quotient * b), b), {})


def check_divided(op: str, a: Array, b: Array) -> None:
    """DTypeError of truth values, which are not divided by each other."""
    if dtype_of(a).kind == "b" and dtype_of(b).kind == "b":
        raise KernelMissingError(f"{op}: truth values cannot be divided; convert one of them, with .long()")


def check_divisor(op: str, a: Array, b: Array) -> None:
    """DivisionError if an integer is divided by 0."""
    if np.result_type(a, b).kind in "iu" and not np.all(b):
        raise DivisionError(
            f"{op}: integer division by zero (ZeroDivisionError); only floating-point numbers have ±inf"
        )


class Tied(Op):
    """y = x, which is made with `of`, constant in pieces        dx = g;  dof = 0

    So a slope requires a gradient where its place does, as in PyTorch.
    """

    def forward(x: Array, of: Array) -> Array:
        return np.array(x)

    def d_x(g: Array) -> Array:
        return g

    def d_of(g: Array, of_shape: Shape) -> Array:
        return np.zeros(of_shape, g.dtype)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = draw.shape(0, 3)
        return Sample((draw.array(shape, Real()), draw.array(shape, Real())), {})


class Threshold(Elementwise):
    """y = x where x > low, else value        dx = g where x > low"""

    domain = AWAY_FROM_ZERO
    kinks = (
        Kink("x = low", (0.0,), (0.0,), {"low": 0.0, "value": 2.0}),
        Kink("x is NaN", (np.nan,), (1.0,), {"low": 0.0, "value": 2.0}),
    )

    def forward(x: Array, *, low: float, value: float) -> Array:
        return choose(x <= low, x.dtype.type(value), x)

    def d_x(g: Array, x: Array, *, low: float) -> Array:
        return Tied.apply(choose(x <= low, 0.0, g), x)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"low": 0.0, "value": draw.choice([0.0, 2.0])})


def threshold(input: A, low: float, value: float) -> A:
    """``x`` above `low`, else `value`."""
    if dtype_of(input).kind != "f":
        return masked_fill(input, input <= low, value)
    return Threshold.apply(input, low=float(low), value=float(value))


class LeakyRelu(Unary):
    """y = x where x > 0, else slope x        dx = g where x > 0, else slope g"""

    domain = AWAY_FROM_ZERO
    kinks = (Kink("x = 0", (0.0,), (0.25,), {"negative_slope": 0.25}),)

    def forward(x: Array, *, negative_slope: float) -> Array:
        if 0 < negative_slope <= 1:
            return np.maximum(x, negative_slope * x)
        return choose(x > 0, x, negative_slope * x)

    def d_x(g: Array, x: Array, *, negative_slope: float) -> Array:
        return Tied.apply(choose(x > 0, g, negative_slope * g), x)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"negative_slope": draw.choice([0.01, 0.0, 2.0, -0.5])})


class Elu(Unary):
    """y = s (x where x > 0, else α (exp(κx) - 1))        dx = g s (1 where x > 0, else α κ exp(κx))

    At 0 the second derivative is 0, as in PyTorch: that of the right.
    """

    domain = AWAY_FROM_ZERO
    kinks = (
        Kink("x = 0", (0.0,), (2.0,), {"alpha": 2.0}),
        Kink("x = 0, scaled", (0.0,), (3.0,), {"alpha": 2.0, "scale": 3.0, "rate": 0.5}),
    )

    def forward(x: Array, *, alpha: float, scale: float = 1.0, rate: float = 1.0) -> Array:
        y = choose(x > 0, x, alpha * np.expm1(rate * np.minimum(x, 0)))
        return y if scale == 1 else scale * y

    def d_x(g: Array, x: Array, *, alpha: float, scale: float = 1.0, rate: float = 1.0) -> Array:
        return g * choose(x > 0, scale, (scale * alpha * rate) * np.exp(rate * choose(x < 0, x, 0.0)))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(), draw.choice([cls.domain["x"], FAR_FROM_ZERO]))
        scales = draw.choice([{}, {"scale": 2.0, "rate": 0.5}])
        return Sample((x,), {"alpha": draw.choice([1.0, 0.5, 2.0]), **scales})


class Hardswish(Unary):
    """y = x min(max(x + 3, 0), 6) / 6        dx = g (x / 3 + 1/2 where |x| < 3, 0 below, 1 above), by `HardswishSlope`

    At -∞ it is 0, as everywhere below.
    """

    domain = {"x": AwayFrom((-3.0, 3.0))}
    kinks = (Kink("x = -3", (-3.0,), (0.0,)), Kink("x = 3", (3.0,), (1.0,)))

    def forward(x: Array) -> Array:
        return chosen.hardswish(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * HardswishSlope.apply(x)


class HardswishSlope(Unary):
    """y = x / 3 + 1/2 where |x| < 3, 0 below, 1 above        dx = g / 3 where |x| < 3"""

    domain = {"x": AwayFrom((-3.0, 3.0))}
    kinks = (Kink("x = -3", (-3.0,), (0.0,)), Kink("x = 3", (3.0,), (0.0,)))

    def forward(x: Array) -> Array:
        return chosen.hardswish_slope(x)

    def d_x(g: Array, x: Array) -> Array:
        return Tied.apply(choose(np.absolute(x) >= 3, 0.0, g / 3), x)


class Softsign(Unary):
    """y = x / (1 + |x|)        dx = g / (1 + |x|)²

    At 0 the second derivative jumps from 2 to -2; there it is 0.
    """

    domain = AWAY_FROM_ZERO
    kinks = (Kink("x = 0", (0.0,), (1.0,)),)

    def forward(x: Array) -> Array:
        return x / (1 + np.absolute(x))

    def d_x(g: Array, x: Array) -> Array:
        size = 1 + np.absolute(x)
        return g / size / size


class Hardtanh(Elementwise):
    """y = min(max(x, low), high)        dx = g where low < x < high"""

    domain = {"x": AwayFrom((-1.0, 0.5))}
    kinks = (
        Kink("x = low", (-1.0,), (0.0,), {"min_val": -1.0, "max_val": 0.5}),
        Kink("x = high", (0.5,), (0.0,), {"min_val": -1.0, "max_val": 0.5}),
        Kink("x is NaN", (np.nan,), (1.0,), {"min_val": -1.0, "max_val": 0.5}),
    )

    def forward(x: Array, *, min_val: float, max_val: float) -> Array:
        return np.clip(x, min_val, max_val)

    def d_x(g: Array, x: Array, *, min_val: float, max_val: float) -> Array:
        return Tied.apply(choose(np.logical_or(x <= min_val, x >= max_val), 0.0, g), x)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"min_val": -1.0, "max_val": 0.5})


class Clamp(Elementwise):
    """y = min(max(x, low), high)        dx = g [low <= x <= high]"""

    domain = {"x": AwayFrom((-1.0, 0.5))}
    kinks = (
        Kink("x = low", (-1.0,), (1.0,), {"min": -1.0, "max": 0.5}),
        Kink("x = high", (0.5,), (1.0,), {"min": -1.0, "max": 0.5}),
    )

    def forward(x: Array, *, min: float | None, max: float | None) -> Array:
        return np.clip(x, min, max)

    def d_x(g: Array, x: Array, *, min: float | None, max: float | None) -> Array:
        inside = np.logical_and(True if min is None else x >= min, True if max is None else x <= max)
        return where(inside, g, 0.0)  # 0 · ∞ is none

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        low, high = draw.choice([(-1.0, 0.5), (None, 0.5), (-1.0, None)])
        return Sample((x,), {"min": low, "max": high})


class Abs(Elementwise):
    """y = |x|        dx = g sign(x)"""

    domain = AWAY_FROM_ZERO
    kinks = (Kink("x = 0", (0.0,), (0.0,)), Kink("x is NaN", (np.nan,), (0.0,)))
    numpy = (np.absolute, np.fabs)

    def forward(x: Array) -> Array:
        return np.absolute(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * sign(x)


class Maximum(Elementwise):
    """y = max(a, b)        da = g, 0 where a < b, g/2 where a = b;  db so, too"""

    kinks = (Kink("a = b", (1.0, 1.0), (0.5, 0.5)), Kink("a is NaN", (np.nan, 1.0), (1.0, 1.0)))
    numpy = (np.maximum,)

    def forward(a: Array, b: Array) -> Array:
        return np.maximum(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        return choose(a < b, 0.0, choose(a == b, 0.5 * g, g))

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return choose(b < a, 0.0, choose(a == b, 0.5 * g, g))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return differing_pair(draw)


class Minimum(Elementwise):
    """y = min(a, b)        da = g, 0 where a > b, g/2 where a = b;  db so, too"""

    kinks = (Kink("a = b", (1.0, 1.0), (0.5, 0.5)), Kink("a is NaN", (np.nan, 1.0), (1.0, 1.0)))
    numpy = (np.minimum,)

    def forward(a: Array, b: Array) -> Array:
        return np.minimum(a, b)

    def d_a(g: Array, a: Array, b: Array) -> Array:
        return choose(a > b, 0.0, choose(a == b, 0.5 * g, g))

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return choose(b > a, 0.0, choose(a == b, 0.5 * g, g))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return differing_pair(draw)


def differing_pair(draw: Draw) -> Sample:
    """Two broadcastable arrays no two of whose elements are equal."""
    first, second = draw.broadcastable(2)
    count = int(np.prod(first, dtype=np.int64)), int(np.prod(second, dtype=np.int64))
    values = Distinct().fill(draw, (sum(count),))
    a, b = values[: count[0]].reshape(first), values[count[0] :].reshape(second)
    return Sample((draw.layout(a), draw.layout(b)), {})


def abs(input: A) -> A:
    """Absolute value of each element; its gradient at 0 is 0, as in PyTorch.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.abs(tg.tensor([-2.0, 0.0, 3.0]))
    tensor([2., 0., 3.])
    """
    return Abs.apply(input)


absolute = abs


def sign(input: A) -> A:
    """-1, 0 or 1 for each element, 0 of NaN, as in PyTorch; its gradient is 0.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sign(tg.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    return Sign.apply(input)


def remainder(input: A, other: ArrayLike) -> A:
    """What is left of `input` after division by `other`, with the sign of `other`, as Python's ``%``.

    An integer modulo 0 raises a `ZeroDivisionError`, which is a RuntimeError, too.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.remainder(tg.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    check_divided("remainder", input, other)
    return Remainder.apply(input, other)


def relu(input: A) -> A:
    """Rectifier: each element, or 0 if it is negative; the gradient at 0 is 0, as in PyTorch.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.relu(tg.tensor([-2.0, 0.0, 3.0]))
    tensor([0., 0., 3.])
    """
    return Relu.apply(input)


def selu(input: A) -> A:
    """Self-normalising exponential linear unit (Klambauer et al. 2017).

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.selu(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-1.1113,  0.0000,  1.0507])
    """
    return Elu.apply(input, alpha=SELU_ALPHA, scale=SELU_SCALE)


def maximum(input: A, other: ArrayLike) -> A:
    """The larger of each two elements; equal ones get half of the gradient each. NaN where one is NaN.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.maximum(tg.tensor([1.0, 5.0]), tg.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return Maximum.apply(input, other)


def minimum(input: A, other: ArrayLike) -> A:
    """The smaller of each two elements; equal ones get half of the gradient each. NaN where one is NaN.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.minimum(tg.tensor([1.0, 5.0]), tg.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return Minimum.apply(input, other)


def leaky_relu(input: A, negative_slope: float = 0.01) -> A:
    """Leaky rectifier (Maas et al. 2013): ``x`` where positive, else ``negative_slope * x``.

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.leaky_relu(tg.tensor([-2.0, 3.0]))
    tensor([-0.0200,  3.0000])
    """
    return LeakyRelu.apply(input, negative_slope=float(negative_slope))


def elu(input: A, alpha: float = 1.0) -> A:
    """Exponential linear unit (Clevert et al. 2015).

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """
    return Elu.apply(input, alpha=float(alpha))


def hardtanh(input: A, min_val: float = -1.0, max_val: float = 1.0) -> A:
    """Clip to ``[min_val, max_val]``; the gradient at both ends is 0, as in PyTorch.

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.hardtanh(tg.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val {min_val} is larger than max_val {max_val}")
    kind = dtype_of(input).kind
    if kind == "b" or (kind == "u" and min_val < 0):
        raise DTypeError(f"hardtanh: {dtype_of(input)} with bounds {min_val} and {max_val}; convert it with .float()")
    if kind in "iu":
        min_val, max_val = int(min_val), int(max_val)
    return Hardtanh.apply(input, min_val=min_val, max_val=max_val)


def clamp(input: A, min: Any = None, max: Any = None) -> A:
    """Clip to ``[min, max]``, numbers or arrays, either of which may be None.

    The gradient at both ends is 1, as in PyTorch; outside, it goes to the bound if that is a Tensor.

    The shape stays, or broadcasts with those of the bounds; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.clamp(tg.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise ArgumentError("clamp: both min and max are None; give at least one of them")
    if not all(bound is None or isinstance(bound, (int, float)) for bound in (min, max)):
        return _clamp_between(input, min, max)
    if dtype_of(input).kind in "iub" and (isinstance(min, float) or isinstance(max, float)):
        input = input.astype(default.dtype)
    elif dtype_of(input).kind == "b":
        input = input.astype(np.int64)
    if dtype_of(input).kind in "iu":
        min, max = (None if n is None else fitted("clamp", n, dtype_of(input)).item() for n in (min, max))
    return Clamp.apply(input, min=min, max=max)


clip = clamp


def _clamp_between(x: Array, low: Any, high: Any) -> Array:
    """Between arrays. Where one of the three is NaN the result is NaN, and no gradient flows."""
    if high is None:
        value = paired("clamp", np.maximum, x, low)
        return where(paired("clamp", np.greater_equal, x, low), x, where(paired("clamp", np.less, x, low), low, value))
    if low is None:
        value = paired("clamp", np.minimum, x, high)
        return where(
            paired("clamp", np.less_equal, x, high), x, where(paired("clamp", np.greater, x, high), high, value)
        )
    value = paired("clamp", lambda a, b, c: np.minimum(np.maximum(a, b), c), x, low, high)
    inside = paired("clamp", lambda a, b, c: (b <= a) & (a <= c), x, low, high)
    below = paired("clamp", lambda a, b, c: (a < b) & (b < c), x, low, high)
    above = paired("clamp", lambda a, b, c: (a > c) | (c < b), x, low, high)
    return where(inside, x, where(below, low, where(above, high, value)))


def clamp_min(input: A, min: Any) -> A:
    """Clip from below.

    The shape stays, or broadcasts with that of `min`; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.clamp_min(tg.tensor([-2.0, 3.0]), 0)
    tensor([0., 3.])
    """
    return clamp(input, min)


def clamp_max(input: A, max: Any) -> A:
    """Clip from above.

    The shape stays, or broadcasts with that of `max`; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.clamp_max(tg.tensor([-2.0, 3.0]), 0)
    tensor([-2.,  0.])
    """
    return clamp(input, None, max)


def fmax(input: A, other: ArrayLike) -> A:
    """The larger of each two elements, a NaN only where both are; of equal ones `input` gets the gradient.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.fmax(tg.tensor([1.0, tg.nan]), tg.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """
    first = paired("fmax", lambda a, b: (a >= b) | np.isnan(b), input, other)
    return where(first, input, other)


def fmin(input: A, other: ArrayLike) -> A:
    """The smaller of each two elements, a NaN only where both are; of equal ones `input` gets the gradient.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.fmin(tg.tensor([1.0, tg.nan]), tg.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    first = paired("fmin", lambda a, b: (a <= b) | np.isnan(b), input, other)
    return where(first, input, other)


def where(condition: Array, input: Array, other: Array) -> Array:
    """Elements of `input` where the condition holds, else of `other`; the dead branch gets gradient 0."""
    return Where.apply(condition, input, other)


def masked_fill(input: A, mask: ArrayLike, value: float | ArrayLike) -> A:
    """`input` with `value`, a number or a tensor without dims, where the mask holds; the dtype stays.

    The mask is bool and broadcasts with the input.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.masked_fill(tg.tensor([1, 2, 3]), tg.tensor([True, False, True]), 0)
    tensor([0, 2, 0])
    """
    if shape_of(value):
        raise ArgumentError(f"masked_fill: value has shape {shape_of(value)}; expected a number or 0 dims")
    check_mask("masked_fill", mask)
    dtype = dtype_of(input)
    filling: Any = value
    if not hasattr(filling, "astype"):
        filling = fitted("masked_fill", filling, dtype)
    elif dtype_of(filling) != dtype:
        filling = filling.astype(dtype)
    return Where.apply(mask, filling, input)


def fill(input: A, value: float | ArrayLike) -> A:
    """An array of the shape and dtype of `input` that has this value everywhere.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.fill(tg.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    return masked_fill(input, np.True_, value)
