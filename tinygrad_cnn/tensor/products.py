"""Methods of `Tensor` from linear algebra, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_cnn import ops
from tinygrad_cnn.tensor.methods import Methods
from tinygrad_cnn.types import ArrayLike

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class ProductMethods(Methods):
    """Products of matrices."""

    __slots__ = ()

    def matmul(self, other: ArrayLike) -> Tensor:
        """See `ops.matmul`."""
        return ops.matmul(self, other)

    def mm(self, mat2: ArrayLike) -> Tensor:
        """See `ops.mm`."""
        return ops.mm(self, mat2)

    def bmm(self, mat2: ArrayLike) -> Tensor:
        """See `ops.bmm`."""
        return ops.bmm(self, mat2)

    def dot(self, tensor: ArrayLike) -> Tensor:
        """See `ops.dot`."""
        return ops.dot(self, tensor)

    def outer(self, vec2: ArrayLike) -> Tensor:
        """See `ops.outer`."""
        return ops.outer(self, vec2)
