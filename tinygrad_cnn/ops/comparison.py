"""Comparisons, logic, bits and questions about elements: truth values and integers, which have no derivative."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.ops.untracked import array_of, paired, plain, untracked

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "count_nonzero", "eq", "equal", "gcd", "ge", "greater", "greater_equal", "gt", "heaviside",
    "is_nonzero", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lcm", "le",
    "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne", "not_equal", "signbit",
]  # fmt: skip


def eq(input: A, other: ArrayLike) -> A:
    """Where two are equal, element by element.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.eq(tg.tensor([1, 2, 3]), tg.tensor([1, 0, 3]))
    tensor([ True, False,  True])
    """
    return paired("eq", np.equal, input, other)


def ne(input: A, other: ArrayLike) -> A:
    """Where two differ, element by element.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ne(tg.tensor([1, 2, 3]), 2)
    tensor([ True, False,  True])
    """
    return paired("ne", np.not_equal, input, other)


def lt(input: A, other: ArrayLike) -> A:
    """Where `input` is less than `other`.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.lt(tg.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """
    return paired("lt", np.less, input, other)


def le(input: A, other: ArrayLike) -> A:
    """Where `input` is at most `other`.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.le(tg.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """
    return paired("le", np.less_equal, input, other)


def gt(input: A, other: ArrayLike) -> A:
    """Where `input` is greater than `other`.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.gt(tg.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """
    return paired("gt", np.greater, input, other)


def ge(input: A, other: ArrayLike) -> A:
    """Where `input` is at least `other`.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ge(tg.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """
    return paired("ge", np.greater_equal, input, other)


less, less_equal, greater, greater_equal, not_equal = lt, le, gt, ge, ne


def equal(input: ArrayLike, other: ArrayLike) -> bool:
    """Whether two have the same shape and the same elements.

    The result is a Python bool.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.equal(tg.tensor([1, 2]), tg.tensor([1, 2]))
    True
    >>> tg.equal(tg.tensor([1, 2]), tg.tensor([[1, 2]]))
    False
    """
    a, b = plain("equal", input), plain("equal", other)
    if a.shape != b.shape:
        return False
    some = (slice(64),) * a.ndim  # these may differ already
    return bool(np.array_equal(a[some], b[some]) and np.array_equal(a, b))


def isclose(input: A, other: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> A:
    """Where ``|input - other| <= atol + rtol |other|``; infinities are close to themselves only.

    Shapes broadcast; the result is a bool tensor. ValueError if rtol or atol is below 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isclose(tg.tensor([1.0, 2.0]), tg.tensor([1.000001, 2.1]))
    tensor([ True, False])
    """
    if rtol < 0 or atol < 0:
        raise ArgumentError(f"isclose: rtol is {rtol}, atol {atol}; both must be at least 0")
    return paired("isclose", lambda a, b: np.isclose(a, b, rtol, atol, equal_nan), input, other)


def allclose(
    input: ArrayLike, other: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether ``|input - other| <= atol + rtol |other|`` everywhere.

    Shapes broadcast; the result is a Python bool. ValueError if rtol or atol is below 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.allclose(tg.tensor([1.0, 2.0]), tg.tensor([1.000001, 2.0]))
    True
    """
    return bool(np.all(plain("allclose", isclose(input, other, rtol, atol, equal_nan))))


def isnan(input: A) -> A:
    """Where an element is NaN.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isnan(tg.tensor([1.0, tg.nan]))
    tensor([False,  True])
    """
    return untracked("isnan", np.isnan, input)


def isinf(input: A) -> A:
    """Where an element is infinite.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isinf(tg.tensor([1.0, -tg.inf, tg.nan]))
    tensor([False,  True, False])
    """
    return untracked("isinf", np.isinf, input)


def isfinite(input: A) -> A:
    """Where an element is neither infinite nor NaN.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isfinite(tg.tensor([1.0, tg.inf, tg.nan]))
    tensor([ True, False, False])
    """
    return untracked("isfinite", np.isfinite, input)


def isposinf(input: A) -> A:
    """Where an element is +∞.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isposinf(tg.tensor([tg.inf, -tg.inf, 1.0]))
    tensor([ True, False, False])
    """
    return untracked("isposinf", lambda x: np.isinf(x) & (np.asarray(x) > 0), input)


def isneginf(input: A) -> A:
    """Where an element is -∞.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isneginf(tg.tensor([tg.inf, -tg.inf, 1.0]))
    tensor([False,  True, False])
    """
    return untracked("isneginf", lambda x: np.isinf(x) & (np.asarray(x) < 0), input)


def isreal(input: A) -> A:
    """Where an element is real: everywhere.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isreal(tg.tensor([1.0, -2.0]))
    tensor([True, True])
    """
    return untracked("isreal", np.isreal, input)


def signbit(input: A) -> A:
    """Where the sign bit is set, as it is of -0.0, too.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.signbit(tg.tensor([1.0, -2.0, -0.0]))
    tensor([False,  True,  True])
    """
    return untracked("signbit", lambda x: np.signbit(x) if np.asarray(x).dtype.kind == "f" else np.less(x, 0), input)


def isin(elements: A, test_elements: ArrayLike, *, assume_unique: bool = False, invert: bool = False) -> A:
    """Where an element is among `test_elements`; with `invert`, where it is not.

    The result is a bool tensor of the shape of `elements`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.isin(tg.tensor([1, 2, 3]), tg.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    return paired(
        "isin", lambda a, b: np.isin(a, b, assume_unique=assume_unique, invert=invert), elements, test_elements
    )


def logical_and(input: A, other: ArrayLike) -> A:
    """Where both are not 0.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logical_and(tg.tensor([True, True, False]), tg.tensor([True, False, False]))
    tensor([ True, False, False])
    """
    return paired("logical_and", np.logical_and, input, other)


def logical_or(input: A, other: ArrayLike) -> A:
    """Where one or both are not 0.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logical_or(tg.tensor([True, True, False]), tg.tensor([True, False, False]))
    tensor([ True,  True, False])
    """
    return paired("logical_or", np.logical_or, input, other)


def logical_xor(input: A, other: ArrayLike) -> A:
    """Where just one of the two is not 0.

    Shapes broadcast, and dtypes may differ. The result is a bool tensor without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logical_xor(tg.tensor([True, True, False]), tg.tensor([True, False, False]))
    tensor([False,  True, False])
    """
    return paired("logical_xor", np.logical_xor, input, other)


def logical_not(input: A) -> A:
    """Where an element is 0.

    Works element by element: a bool tensor of the input's shape, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logical_not(tg.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return untracked("logical_not", np.logical_not, input)


def _of_integers(op: str, function: Any, *inputs: Array) -> Array:
    for value in inputs:
        if np.asarray(array_of(op, value)).dtype.kind not in "biu":
            raise DTypeError(f"{op}: works on the bits of integers and booleans; convert the input with .long()")
    return paired(op, function, *inputs)


def bitwise_and(input: A, other: ArrayLike) -> A:
    """The bits that both have set.

    Integers or bools, which broadcast; their dtypes promote. There is no gradient; floating dtypes are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bitwise_and(tg.tensor([12, 10]), 6)
    tensor([4, 2])
    """
    return _of_integers("bitwise_and", np.bitwise_and, input, other)


def bitwise_or(input: A, other: ArrayLike) -> A:
    """The bits that one or both have set.

    Integers or bools, which broadcast; their dtypes promote. There is no gradient; floating dtypes are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bitwise_or(tg.tensor([12, 10]), 6)
    tensor([14, 14])
    """
    return _of_integers("bitwise_or", np.bitwise_or, input, other)


def bitwise_xor(input: A, other: ArrayLike) -> A:
    """The bits that just one of the two has set.

    Integers or bools, which broadcast; their dtypes promote. There is no gradient; floating dtypes are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bitwise_xor(tg.tensor([12, 10]), 6)
    tensor([10, 12])
    """
    return _of_integers("bitwise_xor", np.bitwise_xor, input, other)


def bitwise_not(input: A) -> A:
    """Every bit turned over; of booleans, not.

    Integers or bools; shape and dtype stay. There is no gradient; floating dtypes are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bitwise_not(tg.tensor([0, 5]))
    tensor([-1, -6])
    >>> tg.bitwise_not(tg.tensor([True, False]))
    tensor([False,  True])
    """
    return _of_integers("bitwise_not", np.invert, input)


def bitwise_left_shift(input: A, other: ArrayLike) -> A:
    """Bits shifted up: times 2 to the power of `other`.

    Integers or bools, which broadcast; their dtypes promote. There is no gradient; floating dtypes are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bitwise_left_shift(tg.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """
    return _of_integers("bitwise_left_shift", np.left_shift, input, other)


def bitwise_right_shift(input: A, other: ArrayLike) -> A:
    """Bits shifted down: divided by 2 to the power of `other`, rounded down.

    Integers or bools, which broadcast; their dtypes promote. There is no gradient; floating dtypes are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bitwise_right_shift(tg.tensor([8, -5]), 1)
    tensor([ 4, -3])
    """
    return _of_integers("bitwise_right_shift", np.right_shift, input, other)


def gcd(input: A, other: ArrayLike) -> A:
    """The greatest common divisor of each two integers.

    Integers, which broadcast; their dtypes promote. There is no gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.gcd(tg.tensor([12, 18]), tg.tensor([8, 27]))
    tensor([4, 9])
    """
    return _of_integers("gcd", np.gcd, input, other)


def lcm(input: A, other: ArrayLike) -> A:
    """The least common multiple of each two integers.

    Integers, which broadcast; their dtypes promote. There is no gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.lcm(tg.tensor([4, 6]), tg.tensor([6, 9]))
    tensor([12, 18])
    """
    return _of_integers("lcm", np.lcm, input, other)


def heaviside(input: A, values: ArrayLike) -> A:
    """0 below 0, 1 above, and `values` at 0; 0 of NaN, as in PyTorch.

    Shapes broadcast; both must have the same dtype. There is no gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.heaviside(tg.tensor([-1.0, 0.0, 2.0]), tg.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if np.asarray(array_of("heaviside", input)).dtype != np.asarray(array_of("heaviside", values)).dtype:
        raise DTypeError("heaviside: input and values must have the same dtype")
    return untracked("heaviside", _step, input, values)


def _step(x: Any, v: Any) -> Any:
    return np.where(np.equal(x, 0), v, np.greater(x, 0)).astype(np.asarray(x).dtype)


def count_nonzero(input: A, dim: Any = None) -> A:
    """How many elements are not 0, in all or along dims.

    The counts are int64, without the dims counted over.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.count_nonzero(tg.tensor([[0, 1], [2, 3]]))
    tensor(3)
    >>> tg.count_nonzero(tg.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """
    return untracked("count_nonzero", lambda x: np.count_nonzero(x, axis=_axis(dim)), input)


def _axis(dim: Any) -> Any:
    return dim if dim is None or isinstance(dim, int) else tuple(dim)


def is_nonzero(input: ArrayLike) -> bool:
    """Whether the only element is not 0.

    The result is a Python bool. RuntimeError unless there is just one element.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_nonzero(tg.tensor([2.0]))
    True
    """
    values = plain("is_nonzero", input)
    if values.size != 1:
        raise ArgumentError(f"is_nonzero: input has shape {values.shape}; expected one element")
    return bool(values.item())
