"""Methods of `Tensor` that move elements about, a line each: what they do is in `ops`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_cnn import ops
from tinygrad_cnn.tensor.methods import Methods
from tinygrad_cnn.types import Axis

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class ShapeMethods(Methods):
    """Other shapes of the same elements."""

    __slots__ = ()

    def reshape(self, *shape: Any) -> Tensor:
        """In another shape; see `ops.reshape`."""
        return ops.reshape(self, *shape)

    def view(self, *shape: Any) -> Tensor:
        """In another shape; see `ops.view`."""
        return ops.view(self, *shape)

    def permute(self, *dims: Any) -> Tensor:
        """With the dims in another order; see `ops.permute`."""
        return ops.permute(self, *dims)

    def expand(self, *sizes: Any) -> Tensor:
        """Repeated to this shape; see `ops.expand`."""
        return ops.expand(self, *sizes)

    def repeat(self, *repeats: Any) -> Tensor:
        """Laid several times along each dim; see `ops.repeat`."""
        return ops.repeat(self, *repeats)

    def flip(self, *dims: Any) -> Tensor:
        """Reversed along dims; see `ops.flip`."""
        return ops.flip(self, *dims)

    def reshape_as(self, other: Tensor) -> Tensor:
        """In the shape of another tensor."""
        return ops.reshape(self, other.array_shape)

    def expand_as(self, other: Tensor) -> Tensor:
        """Repeated to the shape of another tensor."""
        return ops.expand(self, other.array_shape)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """With two dims swapped."""
        return ops.transpose(self, dim0, dim1)

    def t(self) -> Tensor:
        """The transpose of a matrix."""
        return ops.t(self)

    @property
    def T(self) -> Tensor:
        """With the dims in reverse order."""
        return ops.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Tensor:
        """With the last two dims swapped."""
        return ops.transpose(self, -1, -2)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """With the dims from start to end made one."""
        return ops.flatten(self, start_dim, end_dim)

    def unflatten(self, dim: int, sizes: Sequence[int]) -> Tensor:
        """With one dim split into several."""
        return ops.unflatten(self, dim, sizes)

    def squeeze(self, dim: Axis = None) -> Tensor:
        """Without dims of size 1."""
        return ops.squeeze(self, dim)

    def unsqueeze(self, dim: int) -> Tensor:
        """With a new dim of size 1."""
        return ops.unsqueeze(self, dim)

    def movedim(self, source: int, destination: int) -> Tensor:
        """With one dim moved."""
        return ops.movedim(self, source, destination)

    def roll(self, shifts: int | Sequence[int], dims: Axis = None) -> Tensor:
        """Shifted cyclically."""
        return ops.roll(self, shifts, dims)

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """Parts of a dim; see `ops.split`."""
        return ops.split(self, split_size, dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """At most this many equal parts of a dim."""
        return ops.chunk(self, chunks, dim)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """The slices along a dim."""
        return ops.unbind(self, dim)

    def tril(self, diagonal: int = 0) -> Tensor:
        """With zeros above a diagonal."""
        return ops.tril(self, diagonal)

    def triu(self, diagonal: int = 0) -> Tensor:
        """With zeros below a diagonal."""
        return ops.triu(self, diagonal)

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """The diagonal of two dims."""
        return ops.diagonal(self, offset, dim1, dim2)
