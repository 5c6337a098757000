"""Python's operators of `Tensor`: arithmetic is recorded, comparisons and bits are not."""

from __future__ import annotations

from typing import Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.tensor.facts import FactMethods


class Operators(FactMethods):
    """The operators."""

    __slots__ = ()

    __matmul__ = ops.matmul
    __abs__ = ops.abs

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
        return ops.eq(self, other)

    def __ne__(self, other: ArrayLike) -> Self:  # type: ignore[override]
        if other is None or isinstance(other, str):
            return NotImplemented
        return ops.ne(self, other)

    __hash__ = object.__hash__

    def __lt__(self, other: ArrayLike) -> Self:
        return ops.lt(self, other)

    def __le__(self, other: ArrayLike) -> Self:
        return ops.le(self, other)

    def __gt__(self, other: ArrayLike) -> Self:
        return ops.gt(self, other)

    def __ge__(self, other: ArrayLike) -> Self:
        return ops.ge(self, other)

    def __and__(self, other: ArrayLike) -> Self:
        return ops.bitwise_and(self, other)

    def __or__(self, other: ArrayLike) -> Self:
        return ops.bitwise_or(self, other)

    def __xor__(self, other: ArrayLike) -> Self:
        return ops.bitwise_xor(self, other)

    def __mod__(self, other: ArrayLike) -> Self:
        return ops.remainder(self, other)

    def __rmod__(self, other: ArrayLike) -> Self:
        return ops.remainder(other, self)

    def __floordiv__(self, other: ArrayLike) -> Self:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: ArrayLike) -> Self:
        return ops.floor_divide(other, self)

    def __invert__(self) -> Self:
        return ops.bitwise_not(self)

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
        return ops.bitwise_left_shift(self, other)

    def __rshift__(self, other: ArrayLike) -> Self:
        return ops.bitwise_right_shift(self, other)

    def __rtruediv__(self, other: ArrayLike) -> Self:
        return ops.reciprocal(self) * other  # keeps 1 / x, not x, and the result is another: both may be written

    def __rdiv__(self, other: ArrayLike) -> Self:
        return self.__rtruediv__(other)

    def __rlshift__(self, other: ArrayLike) -> Self:
        return ops.bitwise_left_shift(other, self)

    def __rrshift__(self, other: ArrayLike) -> Self:
        return ops.bitwise_right_shift(other, self)

    def __rand__(self, other: ArrayLike) -> Self:
        return ops.bitwise_and(self, other)

    def __ror__(self, other: ArrayLike) -> Self:
        return ops.bitwise_or(self, other)

    def __rxor__(self, other: ArrayLike) -> Self:
        return ops.bitwise_xor(self, other)
