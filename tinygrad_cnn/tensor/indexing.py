"""Methods of `Tensor` that read and write by index, a line each, and what PyTorch reads in an index."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.tensor.facts import FactMethods


class IndexingMethods(FactMethods):
    """By index."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Self:
        if type(index) is not int and type(index) is not slice:
            views, index = as_pytorch(index)
            if views is not None:
                return ops.getitem(ops.getitem(self, views), index)
        return ops.getitem(self, index)

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        if type(index) is not int and type(index) is not slice:
            views, index = as_pytorch(index)
            if views is not None:
                self = Tensor.__getitem__(self, views)
        Tensor.__setitem__(self, index, value)

    gather = ops.gather
    scatter_add = ops.scatter_add
    index_select = ops.index_select
    sort = ops.sort
    topk = ops.topk
    masked_select = ops.masked_select
    scatter = ops.scatter
    scatter_reduce = ops.scatter_reduce
    index_reduce = ops.index_reduce
    index_add = ops.index_add
    index_copy = ops.index_copy
    index_fill = ops.index_fill
    index_put = ops.index_put
    masked_scatter = ops.masked_scatter
    take = ops.take
    take_along_dim = ops.take_along_dim
    nonzero = ops.nonzero
    argwhere = ops.argwhere
    select_scatter = ops.select_scatter
    slice_scatter = ops.slice_scatter
    put = ops.put
    argsort = ops.argsort
    msort = ops.msort
    kthvalue = ops.kthvalue
    unique = ops.unique
    unique_consecutive = ops.unique_consecutive


def as_pytorch(index: Any) -> tuple[Any, Any]:
    """What PyTorch reads in an index, for NumPy: first a view, or None, and then an index into that.

    A list that holds tensors, lists, slices, None or "..." is a tuple. A tensor of bytes is a mask. Among arrays a
    number is no array of one element, as for NumPy, but takes its slice before the arrays are looked at.
    """
    if isinstance(index, list) and len(index) < 32 and any(is_part(part) for part in index):
        index = tuple(index)
    if not isinstance(index, tuple):
        return None, masked(index)
    parts = tuple(masked(part) for part in index)
    while parts and parts[-1] is Ellipsis and sum(part is Ellipsis for part in parts) > 1:
        parts = parts[:-1]
    kinds = [kind_of(part) for part in parts]
    if "number" not in kinds or "array" not in kinds:
        return None, parts
    views, rest = [], []
    for part, kind in zip(parts, kinds, strict=True):
        if kind == "array":
            values = np.asarray(part)
            views += [slice(None)] * (values.ndim if values.dtype.kind == "b" else 1)
            rest.append(part)
        else:
            views.append(part)
            rest += [] if kind == "number" else [Ellipsis if part is Ellipsis else slice(None)]
    return tuple(views), tuple(rest)


def is_part(value: Any) -> bool:
    """Whether an element of a list says that the list is an index of several dims."""
    return value is None or value is Ellipsis or isinstance(value, (slice, list, tuple, Tensor, np.ndarray))


def kind_of(part: Any) -> str:
    """Whether a part of an index takes one slice, is an array, or neither."""
    if part is None or part is Ellipsis or isinstance(part, slice):
        return "view"
    if isinstance(part, (bool, np.bool_)):
        return "array"
    if isinstance(part, (int, np.integer)):
        return "number"
    return "array" if shape_of(part) or np.asarray(part).dtype.kind == "b" else "number"


def masked(part: Any) -> Any:
    """A part of an index, a tensor of bytes as the mask that it is."""
    if isinstance(part, Tensor) and part.array.dtype == np.uint8:
        warnings.warn(
            "indexing with a tensor of dtype uint8, which is a mask; convert it with .bool(), or numbers with .long()",
            UserWarning,
            stacklevel=4,
        )
        return part.array.astype(bool)
    return part
