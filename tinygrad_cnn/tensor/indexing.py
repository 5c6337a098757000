"""Methods of `Tensor` that read and write by index, a line each: what they do is in `ops`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.tensor.facts import FactMethods


class IndexingMethods(FactMethods):
    """By index."""

    __slots__ = ()

    @flexible
    def gather(self, dim: int, index: ArrayLike, *, sparse_grad: bool = False) -> Self:
        """Read along a dim: ``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on."""
        return ops.gather(self, dim, index, sparse_grad=sparse_grad)

    @flexible
    def scatter_add(self, dim: int, index: ArrayLike, src: ArrayLike) -> Self:
        """Add along a dim: ``out[index[i][j]][j] += src[i][j]`` for dim 0, and so on, on a copy of `input`."""
        return ops.scatter_add(self, dim, index, src)

    @flexible
    def index_select(self, dim: int, index: ArrayLike) -> Self:
        """The slices of a dim that a 1-D integer array names, in its order."""
        return ops.index_select(self, dim, index)

    @flexible
    def sort(self, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
        """``(values, indices)`` sorted along a dim, and the order; equal elements keep theirs, stable or not."""
        return ops.sort(self, dim, descending, stable=stable)

    @flexible
    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        """``(values, indices)`` of the k largest (or smallest) along a dim, in order whether `sorted` or not."""
        return ops.topk(self, k, dim, largest, sorted)

    def masked_select(self, mask: ArrayLike) -> Self:
        """The elements where the mask, broadcast to the input, holds; one-dimensional."""
        return ops.masked_select(self, mask)

    @flexible
    def scatter(
        self, dim: int, index: ArrayLike, src: Any = None, *, value: Any = None, reduce: str | None = None
    ) -> Self:
        """Write along a dim: ``out[index[i][j]][j] = src[i][j]`` for dim 0, and so on, on a copy of `input`."""
        return ops.scatter(self, dim, index, src, value=value, reduce=reduce)

    @flexible
    def scatter_reduce(
        self, dim: int, index: ArrayLike, src: ArrayLike, reduce: str, *, include_self: bool = True
    ) -> Self:
        """Reduce along a dim the elements of `src` that go to one place: "sum", "prod", "mean", "amax" or "amin"."""
        return ops.scatter_reduce(self, dim, index, src, reduce, include_self=include_self)

    @flexible
    def index_add(self, dim: int, index: ArrayLike, source: ArrayLike, *, alpha: float = 1) -> Self:
        """``alpha * source`` added to slices of a dim, more than once where the index repeats."""
        return ops.index_add(self, dim, index, source, alpha=alpha)

    @flexible
    def index_copy(self, dim: int, index: ArrayLike, source: ArrayLike) -> Self:
        """The slices of `source` written over slices of a dim."""
        return ops.index_copy(self, dim, index, source)

    @flexible
    def index_fill(self, dim: int, index: ArrayLike, value: Any) -> Self:
        """One value written over slices of a dim."""
        return ops.index_fill(self, dim, index, value)

    def index_put(self, indices: Sequence[Any], values: ArrayLike, accumulate: bool = False) -> Self:
        """``input[indices] = values`` on a copy; with `accumulate`, added, more than once where an index repeats."""
        return ops.index_put(self, indices, values, accumulate)

    def masked_scatter(self, mask: ArrayLike, source: ArrayLike) -> Self:
        """The first elements of `source`, in order, where the mask, broadcast to the input, holds."""
        return ops.masked_scatter(self, mask, source)

    def take(self, index: ArrayLike) -> Self:
        """Elements of the flattened input by their numbers, in the shape of the index."""
        return ops.take(self, index)

    @flexible
    def take_along_dim(self, indices: ArrayLike, dim: int | None = None) -> Self:
        """Read along a dim as `gather` does, the other dims broadcast; without a dim, from the flattened input."""
        return ops.take_along_dim(self, indices, dim)

    def nonzero(self, *, as_tuple: bool = False) -> Any:
        """Where the elements are not 0: their indices as rows (n, dims), or for each dim those of all of them."""
        return ops.nonzero(self, as_tuple=as_tuple)

    def argwhere(self) -> Self:
        """Where the elements are not 0, a row of indices for each."""
        return ops.argwhere(self)

    @flexible
    def select_scatter(self, src: ArrayLike, dim: int, index: int) -> Self:
        """One slice of a dim replaced by `src`."""
        return ops.select_scatter(self, src, dim, index)

    @flexible
    def slice_scatter(
        self, src: ArrayLike, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
    ) -> Self:
        """The slices of a dim from start to end replaced by `src`."""
        return ops.slice_scatter(self, src, dim, start, end, step)

    def put(self, index: ArrayLike, source: ArrayLike, accumulate: bool = False) -> Self:
        """Elements of the flattened input replaced, or added to, by their numbers."""
        return ops.put(self, index, source, accumulate)

    @flexible
    def argsort(self, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Self:
        """The order that sorts along a dim; equal elements keep theirs."""
        return ops.argsort(self, dim, descending, stable=stable)

    def msort(self) -> Self:
        """Sorted along the first dim."""
        return ops.msort(self)

    @flexible
    def kthvalue(self, k: int, dim: int = -1, keepdim: bool = False) -> Any:
        """``(values, indices)`` of the k-th smallest along a dim, counted from 1."""
        return ops.kthvalue(self, k, dim, keepdim)

    @flexible
    def unique(
        self, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """The distinct elements (slices of a dim), sorted."""
        return ops.unique(self, sorted, return_inverse, return_counts, dim)

    @flexible
    def unique_consecutive(
        self, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """The elements (slices of a dim) without the neighbours that equal them; also see `unique`."""
        return ops.unique_consecutive(self, return_inverse, return_counts, dim)
