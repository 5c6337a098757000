"""Methods of `Tensor` that write into it: each is `Tensor.become` of the function whose name it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import DTypeError
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import ArrayLike, NDArray
from tinygrad_cnn.ops.checks import fitted
from tinygrad_cnn.ops.diagonals import diagonal_places
from tinygrad_cnn.ops.scatter import put
from tinygrad_cnn.tensor.facts import FactMethods
from tinygrad_cnn.torch_names.conversion import check_memory_format

P = ParamSpec("P")
T = TypeVar("T", bound=Tensor)


def in_place(function: Callable[Concatenate[Any, P], Any], gives: str = "") -> Callable[Concatenate[T, P], T]:
    """The method that writes into a tensor what a function makes of it.

    Its docstring has the function's first example, called as the method; `gives` is what that prints, if it is
    something else, since the tensor keeps its dtype.
    """
    name = f"{function.__name__}_"

    def method(self: T, *args: P.args, **options: P.kwargs) -> T:
        return self.become(name, lambda x: function(x, *args, **options), *args, *options.values())

    what = "The tensor itself changes, and is returned: its shape and dtype stay."
    return named(method, name, function, what, gives)


def turned(function: Callable[Concatenate[Any, P], Any]) -> Callable[Concatenate[T, P], T]:
    """The method by which a tensor becomes what a function gives: another view of the same memory."""
    name = f"{function.__name__}_"

    def method(self: T, *args: P.args, **options: P.kwargs) -> T:
        self.turn(name, lambda before: function(before, *args, **options))
        return self

    return named(method, name, function, "The tensor itself gets the other shape, and is returned: its memory stays.")


def named(method: Any, name: str, function: Any, what: str, gives: str = "") -> Any:
    """A method made here, under its name, with the signature of its function, whose docstring is the source of its own.

    The docstring's first line stays, and of the examples the first: ``tg.exp(x)`` becomes ``x.exp_()``.
    """
    method.__name__, method.__qualname__, method.__wrapped__ = name, f"Tensor.{name}", function
    if (said := function.__doc__) is not None:  # None without docstrings, as in `python -OO`
        summary, _, rest = said.partition("\n")
        before, _, call = rest.partition(f".{function.__name__}(")
        call, _, printed = call.partition("\n")
        receiver = before.rpartition(">>> ")[2]
        if receiver.partition(".")[0] == "tg" and "(" not in receiver:
            receiver, call = first_and_others(call)
        printed = gives or printed.partition(">>>")[0].strip()
        method.__doc__ = (
            f"In place: {summary}\n\n    {what} See `{function.__name__}`.\n\n    Examples\n    --------\n"
            f"    >>> import tinygrad_cnn as tg\n    >>> {receiver}.{name}({call}\n    {printed}\n    "
        )
    return method


def first_and_others(call: str) -> tuple[str, str]:
    """The first argument of a call, written ``first, others)``, and what follows it."""
    depth = 0
    for place, letter in enumerate(call):
        if depth == 0 and letter in ",)":
            return call[:place], call[place:].lstrip(", ")
        depth += (letter in "([{") - (letter in ")]}")
    return call, ")"


class InPlaceMethods(FactMethods):
    """In place."""

    __slots__ = ()

    add_ = in_place(ops.add)
    sub_ = in_place(ops.sub)
    mul_ = in_place(ops.mul)
    neg_ = in_place(ops.neg)
    exp_ = in_place(ops.exp)
    expm1_ = in_place(ops.expm1)
    log_ = in_place(ops.log)
    log1p_ = in_place(ops.log1p)
    sqrt_ = in_place(ops.sqrt)
    rsqrt_ = in_place(ops.rsqrt)
    sin_ = in_place(ops.sin)
    cos_ = in_place(ops.cos)
    tan_ = in_place(ops.tan)
    sinh_ = in_place(ops.sinh)
    cosh_ = in_place(ops.cosh)
    tanh_ = in_place(ops.tanh)
    arcsin_ = in_place(ops.arcsin)
    arccos_ = in_place(ops.arccos)
    arctan_ = in_place(ops.arctan)
    asin_ = in_place(ops.asin)
    acos_ = in_place(ops.acos)
    atan_ = in_place(ops.atan)
    negative_ = in_place(ops.negative)
    subtract_ = in_place(ops.subtract)
    multiply_ = in_place(ops.multiply)
    sigmoid_ = in_place(ops.sigmoid)
    digamma_ = in_place(ops.digamma)
    erf_ = in_place(ops.erf)
    erfc_ = in_place(ops.erfc)
    erfinv_ = in_place(ops.erfinv)
    i0_ = in_place(ops.i0)
    lgamma_ = in_place(ops.lgamma)
    mvlgamma_ = in_place(ops.mvlgamma)
    square_ = in_place(ops.square)
    reciprocal_ = in_place(ops.reciprocal)
    floor_ = in_place(ops.floor)
    ceil_ = in_place(ops.ceil)
    trunc_ = in_place(ops.trunc)
    fix_ = in_place(ops.fix)
    round_ = in_place(ops.round)
    frac_ = in_place(ops.frac)
    fmod_ = in_place(ops.fmod)
    div_ = in_place(ops.div)
    divide_ = in_place(ops.divide)
    true_divide_ = in_place(ops.true_divide)
    log2_ = in_place(ops.log2)
    log10_ = in_place(ops.log10)
    exp2_ = in_place(ops.exp2)
    xlogy_ = in_place(ops.xlogy)
    logit_ = in_place(ops.logit)
    arcsinh_ = in_place(ops.arcsinh)
    arccosh_ = in_place(ops.arccosh)
    arctanh_ = in_place(ops.arctanh)
    asinh_ = in_place(ops.asinh)
    acosh_ = in_place(ops.acosh)
    atanh_ = in_place(ops.atanh)
    arctan2_ = in_place(ops.arctan2)
    atan2_ = in_place(ops.atan2)
    hypot_ = in_place(ops.hypot)
    sinc_ = in_place(ops.sinc)
    deg2rad_ = in_place(ops.deg2rad)
    rad2deg_ = in_place(ops.rad2deg)
    lerp_ = in_place(ops.lerp)
    addcmul_ = in_place(ops.addcmul)
    addcdiv_ = in_place(ops.addcdiv)
    copysign_ = in_place(ops.copysign)
    sgn_ = in_place(ops.sgn)
    nan_to_num_ = in_place(ops.nan_to_num)
    conj_physical_ = in_place(ops.conj_physical)
    ldexp_ = in_place(ops.ldexp)
    nextafter_ = in_place(ops.nextafter)
    eq_ = in_place(ops.eq, "tensor([1, 0, 1])")
    ne_ = in_place(ops.ne, "tensor([1, 0, 1])")
    lt_ = in_place(ops.lt, "tensor([1, 0, 0])")
    le_ = in_place(ops.le, "tensor([1, 1, 0])")
    gt_ = in_place(ops.gt, "tensor([0, 0, 1])")
    ge_ = in_place(ops.ge, "tensor([0, 1, 1])")
    less_ = in_place(ops.less, "tensor([1, 0, 0])")
    less_equal_ = in_place(ops.less_equal, "tensor([1, 1, 0])")
    greater_ = in_place(ops.greater, "tensor([0, 0, 1])")
    greater_equal_ = in_place(ops.greater_equal, "tensor([0, 1, 1])")
    not_equal_ = in_place(ops.not_equal, "tensor([1, 0, 1])")
    logical_and_ = in_place(ops.logical_and)
    logical_or_ = in_place(ops.logical_or)
    logical_xor_ = in_place(ops.logical_xor)
    logical_not_ = in_place(ops.logical_not, "tensor([1., 0.])")
    bitwise_and_ = in_place(ops.bitwise_and)
    bitwise_or_ = in_place(ops.bitwise_or)
    bitwise_xor_ = in_place(ops.bitwise_xor)
    bitwise_not_ = in_place(ops.bitwise_not)
    bitwise_left_shift_ = in_place(ops.bitwise_left_shift)
    bitwise_right_shift_ = in_place(ops.bitwise_right_shift)
    gcd_ = in_place(ops.gcd)
    lcm_ = in_place(ops.lcm)
    heaviside_ = in_place(ops.heaviside)
    floor_divide_ = in_place(ops.floor_divide)
    abs_ = in_place(ops.abs)
    absolute_ = in_place(ops.absolute)
    sign_ = in_place(ops.sign)
    remainder_ = in_place(ops.remainder)
    relu_ = in_place(ops.relu)
    clamp_ = in_place(ops.clamp)
    clip_ = in_place(ops.clip)
    clamp_min_ = in_place(ops.clamp_min)
    clamp_max_ = in_place(ops.clamp_max)
    masked_fill_ = in_place(ops.masked_fill)
    cumsum_ = in_place(ops.cumsum)
    cumprod_ = in_place(ops.cumprod)
    transpose_ = turned(ops.transpose)
    t_ = turned(ops.t)
    swapaxes_ = turned(ops.swapaxes)
    swapdims_ = turned(ops.swapdims)
    squeeze_ = turned(ops.squeeze)
    unsqueeze_ = turned(ops.unsqueeze)
    tril_ = in_place(ops.tril)
    triu_ = in_place(ops.triu)
    scatter_add_ = in_place(ops.scatter_add)
    scatter_ = in_place(ops.scatter)
    scatter_reduce_ = in_place(ops.scatter_reduce)
    index_reduce_ = in_place(ops.index_reduce)
    index_add_ = in_place(ops.index_add)
    index_copy_ = in_place(ops.index_copy)
    index_fill_ = in_place(ops.index_fill)
    index_put_ = in_place(ops.index_put)
    masked_scatter_ = in_place(ops.masked_scatter)
    addmm_ = in_place(ops.addmm)
    addmv_ = in_place(ops.addmv)
    addr_ = in_place(ops.addr)
    addbmm_ = in_place(ops.addbmm)
    baddbmm_ = in_place(ops.baddbmm)
    renorm_ = in_place(ops.renorm)

    def copy_(self, src: ArrayLike, non_blocking: bool = False) -> Self:
        """Take the values of `src`, broadcast, in this tensor's dtype.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2).copy_(tg.tensor([1, 2]))
        tensor([1., 2.])
        """
        other = isinstance(src, Tensor) and src.array_dtype != self.array_dtype
        return self.assign("copy_", src.astype(self.array_dtype) if other else src)

    def pow_(self, exponent: ArrayLike) -> Self:
        """To the power of the exponent, in place: the tensor itself changes, and is returned; its dtype stays.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0, 3.0]).pow_(2)
        tensor([1., 4., 9.])
        """
        return self.become("pow_", lambda x: ops.pow(x, exponent), exponent)

    def float_power_(self, exponent: ArrayLike) -> Self:
        """To the power of the exponent, in place; the tensor must be float64, as the result is.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0], dtype=tg.float64).float_power_(3)
        tensor([1., 8.], dtype=torch.float64)
        """
        if self.array_dtype != np.float64:
            raise DTypeError(f"float_power_: this tensor has dtype {self.array_dtype}, the result float64; use pow_")
        return self.become("float_power_", lambda x: ops.float_power(x, exponent), exponent)

    def fill_(self, value: ArrayLike) -> Self:
        """Make every element this value, a number or a tensor without dims.

        Shape and dtype stay.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).fill_(7)
        tensor([7., 7.])
        """
        return self.assign("fill_", value if isinstance(value, Tensor) else fitted("fill_", value, self.array_dtype))

    def zero_(self) -> Self:
        """Make every element 0.

        Shape and dtype stay.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).zero_()
        tensor([0., 0.])
        """
        return self.fill_(0)

    def resize_(self, *sizes: Any, memory_format: Any = None) -> Self:
        """Take another shape: the first elements are kept, further ones are 0 (in PyTorch they are anything).

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2, 3, 4]).resize_(2)
        tensor([1, 2])
        """
        check_memory_format("resize_", memory_format)
        return self._resized(tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], Sequence) else sizes)

    def put_(self, index: ArrayLike, source: ArrayLike, accumulate: bool = False) -> Self:
        """In place: elements of the flattened tensor replaced, or added to, by their numbers.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(3).put_(tg.tensor([2]), tg.tensor([7.0]))
        tensor([0., 0., 7.])
        """
        return self.become("put_", lambda x: put(x, index, source, accumulate), source)

    def polygamma_(self, n: int) -> Self:
        """In place: see `polygamma`.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).polygamma_(1)
        tensor([1.6449, 0.6449])
        """
        return self.become("polygamma_", lambda x: ops.polygamma(n, x))

    def fill_diagonal_(self, fill_value: float, wrap: bool = False) -> Self:
        """Make every element of the main diagonal this value; with `wrap`, of a tall matrix again and again.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.zeros(2, 2).fill_diagonal_(7)
        tensor([[7., 0.],
                [0., 7.]])
        """
        places = diagonal_places(self.array_shape, wrap)
        return self.become("fill_diagonal_", lambda x: ops.setitem(x, places, fill_value))

    def _resized(self, shape: tuple[Any, ...]) -> Self:
        """Have other memory, with as many of the elements as fit, in another shape."""
        if self.requires_grad:
            raise RuntimeError("resize_: a tensor that requires a gradient cannot be resized; use reshape, or detach()")
        self.array = np.resize(self.array, shape) if self.array.size >= math.prod(shape) else self._grown(shape)
        self.view_of = None
        return self

    def _grown(self, shape: tuple[Any, ...]) -> NDArray:
        grown = np.zeros(shape, self.array.dtype)
        grown.reshape(-1)[: self.array.size] = self.array.reshape(-1)
        return grown
