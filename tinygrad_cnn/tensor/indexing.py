"""Methods of `Tensor` that read and write by index, a line each: what they do is in `ops`."""

from __future__ import annotations

from tinygrad_cnn import ops
from tinygrad_cnn.tensor.facts import FactMethods


class IndexingMethods(FactMethods):
    """By index."""

    __slots__ = ()

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
