"""Methods of `Tensor` that move elements about, a line each: what they do is in `ops`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.views import unfold_windows
from tinygrad_cnn.tensor.facts import FactMethods


class ShapeMethods(FactMethods):
    """Other shapes of the same elements."""

    __slots__ = ()

    reshape = ops.reshape
    view = ops.view
    as_strided = ops.as_strided
    permute = ops.permute
    transpose = ops.transpose
    t = ops.t
    swapaxes = ops.swapaxes
    swapdims = ops.swapdims
    movedim = ops.movedim
    moveaxis = ops.moveaxis
    flatten = ops.flatten
    unflatten = ops.unflatten
    ravel = ops.ravel
    narrow = ops.narrow
    select = ops.select
    squeeze = ops.squeeze
    unsqueeze = ops.unsqueeze
    expand = ops.expand
    broadcast_to = ops.broadcast_to
    repeat = ops.repeat
    flip = ops.flip
    roll = ops.roll
    chunk = ops.chunk
    unbind = ops.unbind
    tril = ops.tril
    triu = ops.triu
    diagonal = ops.diagonal
    tile = ops.tile
    repeat_interleave = ops.repeat_interleave
    tensor_split = ops.tensor_split
    hsplit = ops.hsplit
    vsplit = ops.vsplit
    dsplit = ops.dsplit
    split_with_sizes = ops.split_with_sizes
    fliplr = ops.fliplr
    flipud = ops.flipud
    rot90 = ops.rot90
    sum_to_size = ops.sum_to_size
    diag = ops.diag
    diag_embed = ops.diag_embed
    diagonal_scatter = ops.diagonal_scatter
    narrow_copy = ops.narrow_copy
    diagflat = ops.diagflat
    trace = ops.trace

    @flexible
    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[Self, ...]:
        """Parts of a dim: of this size (the last may be smaller), or of these sizes.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.arange(5).split(2)
        (tensor([0, 1]), tensor([2, 3]), tensor([4]))
        """
        return ops.split(self, split_size, dim)

    def reshape_as(self, other: Tensor) -> Self:
        """In the shape of another tensor.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.arange(4).reshape_as(tg.zeros(2, 2))
        tensor([[0, 1],
                [2, 3]])
        """
        return ops.reshape(self, other.array_shape)

    def view_as(self, other: Tensor) -> Self:
        """In the shape of another tensor, in the same memory.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.arange(4).view_as(tg.zeros(2, 2))
        tensor([[0, 1],
                [2, 3]])
        """
        return ops.view(self, other.array_shape)

    def expand_as(self, other: Tensor) -> Self:
        """Repeated to the shape of another tensor.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([[1], [2]]).expand_as(tg.zeros(2, 3))
        tensor([[1, 1, 1],
                [2, 2, 2]])
        """
        return ops.expand(self, other.array_shape)

    def unfold(self, dimension: int, size: int, step: int) -> Self:
        """The windows of a dim, `step` apart, their elements as a new last dim.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2, 3, 4]).unfold(0, 2, 1)
        tensor([[1, 2],
                [2, 3],
                [3, 4]])
        """
        return unfold_windows(self, dimension, size, step)

    @property
    def T(self) -> Self:
        """With the dims in reverse order.

        It shares memory with the tensor.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([[1, 2], [3, 4]]).T
        tensor([[1, 3],
                [2, 4]])
        """
        return ops.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Self:
        """With the last two dims swapped.

        It shares memory with the tensor.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([[1, 2], [3, 4]]).mT
        tensor([[1, 3],
                [2, 4]])
        """
        return ops.adjoint(self)

    @property
    def H(self) -> Self:
        """The transpose of a matrix; of a number the number itself.

        It shares memory with the tensor. RuntimeError unless there are 2 dims, or none.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([[1, 2], [3, 4]]).H
        tensor([[1, 3],
                [2, 4]])
        """
        if self.ndim not in (0, 2):
            raise ArgumentError(f"H: a tensor of shape {self.array_shape} is no matrix; use .mT for a batch of them")
        return ops.adjoint(self)

    @property
    def mH(self) -> Self:
        """With the last two dims swapped.

        It shares memory with the tensor.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([[1, 2], [3, 4]]).mH
        tensor([[1, 3],
                [2, 4]])
        """
        return ops.adjoint(self)
