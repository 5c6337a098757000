"""Python's operators of `Tensor`: arithmetic is recorded, comparisons and bits are not."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import check_numbers
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.tensor.arrays import as_plain
from tinygrad_cnn.tensor.facts import FactMethods


class Operators(FactMethods):
    """The operators."""

    __slots__ = ()

    __matmul__ = ops.matmul
    __abs__ = ops.abs

    def __getitem__(self, index: Any) -> Self:
        return ops.getitem(self, index)

    def __pow__(self, other: ArrayLike) -> Self:
        return ops.pow(self, other)

    def __rpow__(self, other: ArrayLike) -> Self:
        return ops.pow(other, self)

    def __rmatmul__(self, other: ArrayLike) -> Self:
        return ops.matmul(other, self)

    def __pos__(self) -> Self:
        return self

    def __eq__(self, other: ArrayLike) -> Self:  # type: ignore[override]
        if other is None or isinstance(other, str):
            return NotImplemented
        return compared(np.equal, self, other)

    def __ne__(self, other: ArrayLike) -> Self:  # type: ignore[override]
        if other is None or isinstance(other, str):
            return NotImplemented
        return compared(np.not_equal, self, other)

    __hash__ = object.__hash__

    def __lt__(self, other: ArrayLike) -> Self:
        return compared(np.less, self, other)

    def __le__(self, other: ArrayLike) -> Self:
        return compared(np.less_equal, self, other)

    def __gt__(self, other: ArrayLike) -> Self:
        return compared(np.greater, self, other)

    def __ge__(self, other: ArrayLike) -> Self:
        return compared(np.greater_equal, self, other)

    def __and__(self, other: ArrayLike) -> Self:
        return compared(np.bitwise_and, self, other)

    def __or__(self, other: ArrayLike) -> Self:
        return compared(np.bitwise_or, self, other)

    def __xor__(self, other: ArrayLike) -> Self:
        return compared(np.bitwise_xor, self, other)

    def __mod__(self, other: ArrayLike) -> Self:
        return ops.remainder(self, other)

    def __rmod__(self, other: ArrayLike) -> Self:
        return ops.remainder(other, self)

    def __floordiv__(self, other: ArrayLike) -> Self:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: ArrayLike) -> Self:
        return ops.floor_divide(other, self)

    def __invert__(self) -> Self:
        return self.wrap(np.asarray(np.invert(self.array)))

    def __iadd__(self, other: ArrayLike) -> Self:
        return self.become("add_", lambda x: x + other, other)

    def __isub__(self, other: ArrayLike) -> Self:
        return self.become("sub_", lambda x: x - other, other)

    def __imul__(self, other: ArrayLike) -> Self:
        return self.become("mul_", lambda x: x * other, other)

    def __itruediv__(self, other: ArrayLike) -> Self:
        return self.become("div_", lambda x: x / other, other)

    def __ifloordiv__(self, other: ArrayLike) -> Self:
        return self.become("floor_divide_", lambda x: x // other, other)

    def __imod__(self, other: ArrayLike) -> Self:
        return self.become("remainder_", lambda x: x % other, other)

    def __ipow__(self, other: ArrayLike) -> Self:
        return self.become("pow_", lambda x: x**other, other)

    def __iand__(self, other: ArrayLike) -> Self:
        return self.become("bitwise_and_", lambda x: x & other, other)

    def __ior__(self, other: ArrayLike) -> Self:
        return self.become("bitwise_or_", lambda x: x | other, other)

    def __ixor__(self, other: ArrayLike) -> Self:
        return self.become("bitwise_xor_", lambda x: x ^ other, other)

    def __ilshift__(self, other: ArrayLike) -> Self:
        return self.become("bitwise_left_shift_", lambda x: x << other, other)

    def __irshift__(self, other: ArrayLike) -> Self:
        return self.become("bitwise_right_shift_", lambda x: x >> other, other)

    def __lshift__(self, other: ArrayLike) -> Self:
        return compared(np.left_shift, self, other)

    def __rshift__(self, other: ArrayLike) -> Self:
        return compared(np.right_shift, self, other)

    def __rand__(self, other: ArrayLike) -> Self:
        return compared(np.bitwise_and, self, other)

    def __ror__(self, other: ArrayLike) -> Self:
        return compared(np.bitwise_or, self, other)

    def __rxor__(self, other: ArrayLike) -> Self:
        return compared(np.bitwise_xor, self, other)


def compared(ufunc: np.ufunc, x: Operators, other: Any) -> Any:
    """A comparison or integer operation: no gradient."""
    value = as_plain(other)
    if not isinstance(value, (int, float)):
        value = check_numbers(ufunc.__name__, value)
    try:
        return x.wrap(np.asarray(ufunc(x.array, value)))
    except ValueError:
        raise ArgumentError(
            f"{ufunc.__name__}: shapes {x.array_shape} and {np.shape(other)} do not broadcast; from the right, each "
            "pair of sizes must be equal or contain a 1"
        ) from None
