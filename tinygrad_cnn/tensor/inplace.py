"""Methods of `Tensor` that write into it: each is `Tensor._become` of the function that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_cnn.ops.indexing import SetItem
from tinygrad_cnn.tensor.methods import Methods
from tinygrad_cnn.types import ArrayLike

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class InPlaceMethods(Methods):
    """In place."""

    __slots__ = ()

    def copy_(self, src: ArrayLike) -> Tensor:
        """Take the values of `src`, broadcast."""
        return self._become("copy_", lambda x: SetItem.apply(x, src, index=...), src)

    def fill_(self, value: float) -> Tensor:
        """Make every element this value."""
        return self._become("fill_", lambda x: SetItem.apply(x, value, index=...))

    def zero_(self) -> Tensor:
        """Make every element 0."""
        return self.fill_(0)

    def add_(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """Add in place."""
        return self._become("add_", lambda x: x.add(other, alpha=alpha), other)

    def sub_(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """Subtract in place."""
        return self._become("sub_", lambda x: x.sub(other, alpha=alpha), other)

    def mul_(self, other: ArrayLike) -> Tensor:
        """Multiply in place."""
        return self._become("mul_", lambda x: x * other, other)

    def div_(self, other: ArrayLike) -> Tensor:
        """Divide in place."""
        return self._become("div_", lambda x: x / other, other)

    def clamp_(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Clip in place."""
        return self._become("clamp_", lambda x: x.clamp(min, max))

    def masked_fill_(self, mask: ArrayLike, value: float) -> Tensor:
        """Write `value` where the mask holds."""
        return self._become("masked_fill_", lambda x: x.masked_fill(mask, value))
