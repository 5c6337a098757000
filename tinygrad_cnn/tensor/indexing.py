"""Methods of `Tensor` that read and write by index, a line each: what they do is in `ops`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_cnn import ops
from tinygrad_cnn.ops.reduce import Extreme
from tinygrad_cnn.tensor.methods import Methods
from tinygrad_cnn.types import ArrayLike

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class IndexingMethods(Methods):
    """By index."""

    __slots__ = ()

    def gather(self, dim: int, index: ArrayLike) -> Tensor:
        """Read along a dim; see `ops.gather`."""
        return ops.gather(self, dim, index)

    def scatter_add(self, dim: int, index: ArrayLike, src: ArrayLike) -> Tensor:
        """Added along a dim; see `ops.scatter_add`."""
        return ops.scatter_add(self, dim, index, src)

    def index_select(self, dim: int, index: ArrayLike) -> Tensor:
        """Some slices of a dim."""
        return ops.index_select(self, dim, index)

    def masked_select(self, mask: ArrayLike) -> Tensor:
        """The elements where the mask holds."""
        return ops.masked_select(self, mask)

    def sort(self, dim: int = -1, descending: bool = False) -> Extreme:
        """`(values, indices)` sorted along a dim."""
        return ops.sort(self, dim, descending)

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> Extreme:
        """`(values, indices)` of the k largest along a dim."""
        return ops.topk(self, k, dim, largest)
