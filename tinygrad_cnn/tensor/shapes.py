"""Methods of `Tensor` that move elements about, a line each: what they do is in `ops`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import Axis, Shape
from tinygrad_cnn.ops.arrangement import unfold_windows
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.tensor.facts import FactMethods


class ShapeMethods(FactMethods):
    """Other shapes of the same elements."""

    __slots__ = ()

    @flexible
    def reshape(self, *shape: Any) -> Self:
        """The same elements in another shape; one size may be -1 and is worked out. Shares memory if it can."""
        return ops.reshape(self, *shape)

    @flexible
    def view(self, *shape: Any) -> Self:
        """The same elements in another shape; one size may be -1 and is worked out. Shares memory if it can."""
        return ops.view(self, *shape)

    @flexible
    def permute(self, *dims: Any) -> Self:
        """The dims in another order, all of them named."""
        return ops.permute(self, *dims)

    def transpose(self, dim0: int, dim1: int) -> Self:
        """Two dims swapped."""
        return ops.transpose(self, dim0, dim1)

    def t(self) -> Self:
        """The transpose of a matrix; a vector or number is returned as it is."""
        return ops.t(self)

    def swapaxes(self, dim0: int, dim1: int) -> Self:
        """Two dims swapped."""
        return ops.swapaxes(self, dim0, dim1)

    def swapdims(self, dim0: int, dim1: int) -> Self:
        """Two dims swapped."""
        return ops.swapdims(self, dim0, dim1)

    def movedim(self, source: int | Sequence[int], destination: int | Sequence[int]) -> Self:
        """One dim, or several, moved to other places, the others keeping their order."""
        return ops.movedim(self, source, destination)

    def moveaxis(self, source: int | Sequence[int], destination: int | Sequence[int]) -> Self:
        """One dim, or several, moved to other places, the others keeping their order."""
        return ops.moveaxis(self, source, destination)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Self:
        """The dims from start to end made one."""
        return ops.flatten(self, start_dim, end_dim)

    @flexible
    def unflatten(self, dim: int, sizes: Sequence[int]) -> Self:
        """One dim split into several; one size may be -1."""
        return ops.unflatten(self, dim, sizes)

    def ravel(self) -> Self:
        """All dims made one."""
        return ops.ravel(self)

    @flexible
    def narrow(self, dim: int, start: Any, length: int) -> Self:
        """`length` slices of a dim from `start` on, sharing memory."""
        return ops.narrow(self, dim, start, length)

    @flexible
    def select(self, dim: int, index: int) -> Self:
        """One slice of a dim, without it, sharing memory."""
        return ops.select(self, dim, index)

    @flexible
    def squeeze(self, dim: Axis = None) -> Self:
        """Without the dims of size 1: all, or those among the given ones."""
        return ops.squeeze(self, dim)

    @flexible
    def unsqueeze(self, dim: int) -> Self:
        """With a new dim of size 1 at this place of the result."""
        return ops.unsqueeze(self, dim)

    @flexible
    def expand(self, *sizes: Any) -> Self:
        """Repeated to this shape along size-1 and new leading dims, without copying; -1 keeps a size."""
        return ops.expand(self, *sizes)

    def broadcast_to(self, shape: Shape) -> Self:
        """Repeated to this shape by NumPy's broadcasting rules, without copying."""
        return ops.broadcast_to(self, shape)

    @flexible
    def repeat(self, *repeats: Any) -> Self:
        """The whole array laid several times along each dim, as NumPy's `tile`."""
        return ops.repeat(self, *repeats)

    @flexible
    def flip(self, *dims: Any) -> Self:
        """Reversed along the given dims."""
        return ops.flip(self, *dims)

    def roll(self, shifts: int | Sequence[int], dims: Axis = None) -> Self:
        """Shifted cyclically; without dims, as one flat row that is then given its shape back."""
        return ops.roll(self, shifts, dims)

    @flexible
    def chunk(self, chunks: int, dim: int = 0) -> tuple[Self, ...]:
        """At most this many parts of equal size, the last one smaller if need be."""
        return ops.chunk(self, chunks, dim)

    @flexible
    def unbind(self, dim: int = 0) -> tuple[Self, ...]:
        """The slices along a dim, without it."""
        return ops.unbind(self, dim)

    def tril(self, diagonal: int = 0) -> Self:
        """With zeros above the diagonal of the last two dims."""
        return ops.tril(self, diagonal)

    def triu(self, diagonal: int = 0) -> Self:
        """With zeros below the diagonal of the last two dims."""
        return ops.triu(self, diagonal)

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Self:
        """The diagonal of two dims, as the last dim of the result."""
        return ops.diagonal(self, offset, dim1, dim2)

    @flexible
    def tile(self, *dims: Any) -> Self:
        """The whole array laid several times along its last dims; see `repeat`."""
        return ops.tile(self, *dims)

    @flexible
    def repeat_interleave(self, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Self:
        """Each element (slice of a dim) several times, one after the other; `repeats` is a number, or one for each."""
        return ops.repeat_interleave(self, repeats, dim, output_size=output_size)

    @flexible
    def tensor_split(self, indices_or_sections: Any, dim: int = 0) -> tuple[Self, ...]:
        """Parts of a dim: so many, as equal as can be, or cut before the given places."""
        return ops.tensor_split(self, indices_or_sections, dim)

    def hsplit(self, indices_or_sections: Any) -> tuple[Self, ...]:
        """Parts of dim 1, of a vector of dim 0; see `tensor_split`."""
        return ops.hsplit(self, indices_or_sections)

    def vsplit(self, indices_or_sections: Any) -> tuple[Self, ...]:
        """Parts of dim 0; see `tensor_split`."""
        return ops.vsplit(self, indices_or_sections)

    def dsplit(self, indices_or_sections: Any) -> tuple[Self, ...]:
        """Parts of dim 2; see `tensor_split`."""
        return ops.dsplit(self, indices_or_sections)

    @flexible
    def split_with_sizes(self, split_sizes: Sequence[int], dim: int = 0) -> tuple[Self, ...]:
        """Parts of a dim of these sizes; see `split`."""
        return ops.split_with_sizes(self, split_sizes, dim)

    def fliplr(self) -> Self:
        """Mirrored left to right: dim 1 reversed."""
        return ops.fliplr(self)

    def flipud(self) -> Self:
        """Mirrored top to bottom: dim 0 reversed."""
        return ops.flipud(self)

    def rot90(self, k: int = 1, dims: Sequence[int] = (0, 1)) -> Self:
        """Turned by 90 degrees `k` times in the plane of two dims, from the first towards the second."""
        return ops.rot90(self, k, dims)

    @flexible
    def sum_to_size(self, *size: Any) -> Self:
        """Summed over the dims along which an array of this shape would be broadcast."""
        return ops.sum_to_size(self, *size)

    def diag(self, diagonal: int = 0) -> Self:
        """The diagonal of a matrix, or a matrix with a vector on its diagonal."""
        return ops.diag(self, diagonal)

    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Self:
        """Matrices with the last dim of the input on a diagonal of their dims `dim1` and `dim2`."""
        return ops.diag_embed(self, offset, dim1, dim2)

    def diagflat(self, offset: int = 0) -> Self:
        """A matrix with all elements of the input on its diagonal."""
        return ops.diagflat(self, offset)

    def trace(self) -> Self:
        """The sum of the diagonal of a matrix."""
        return ops.trace(self)

    @flexible
    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Self, ...]:
        """Parts of a dim: of this size (the last may be smaller), or of these sizes."""
        return ops.split(self, split_size, dim)

    def reshape_as(self, other: Tensor) -> Self:
        """In the shape of another tensor."""
        return ops.reshape(self, other.array_shape)

    def view_as(self, other: Tensor) -> Self:
        """In the shape of another tensor."""
        return ops.reshape(self, other.array_shape)

    def expand_as(self, other: Tensor) -> Self:
        """Repeated to the shape of another tensor."""
        return ops.expand(self, other.array_shape)

    def unfold(self, dimension: int, size: int, step: int) -> Self:
        """The windows of a dim, `step` apart, their elements as a new last dim."""
        return unfold_windows(self, dimension, size, step)

    @property
    def T(self) -> Self:
        """With the dims in reverse order."""
        return ops.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Self:
        """With the last two dims swapped."""
        return ops.transpose(self, -1, -2)

    @property
    def H(self) -> Self:
        """The transpose of a matrix."""
        return ops.t(self)

    @property
    def mH(self) -> Self:
        """With the last two dims swapped."""
        return ops.transpose(self, -1, -2)
