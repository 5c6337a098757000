"""Methods of `Tensor` that reduce dims or run along one, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import Any, Self

from tinygrad_cnn import ops
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.tensor.facts import FactMethods


class ReductionMethods(FactMethods):
    """Over dims."""

    __slots__ = ()

    sum = ops.sum
    mean = ops.mean
    prod = ops.prod
    var = ops.var
    std = ops.std
    amax = ops.amax
    amin = ops.amin
    max = ops.max
    min = ops.min
    logsumexp = ops.logsumexp
    norm = ops.norm
    dist = ops.dist
    cumsum = ops.cumsum
    argmax = ops.argmax
    argmin = ops.argmin
    any = ops.any
    all = ops.all
    cumprod = ops.cumprod
    cummax = ops.cummax
    cummin = ops.cummin
    diff = ops.diff
    logcumsumexp = ops.logcumsumexp
    nansum = ops.nansum
    nanmean = ops.nanmean
    aminmax = ops.aminmax
    median = ops.median
    nanmedian = ops.nanmedian
    mode = ops.mode
    quantile = ops.quantile
    nanquantile = ops.nanquantile
    cov = ops.cov
    corrcoef = ops.corrcoef
    histc = ops.histc
    histogram = ops.histogram
    bincount = ops.bincount
    renorm = ops.renorm

    @flexible
    def softmax(self, dim: int, dtype: Any = None) -> Self:
        """Exponentials along a dim, normalised to sum 1.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0, 3.0]).softmax(0)
        tensor([0.0900, 0.2447, 0.6652])
        """
        return ops.softmax(self, dim, dtype)

    @flexible
    def log_softmax(self, dim: int, dtype: Any = None) -> Self:
        """The logarithm of softmax along a dim, exact where softmax underflows.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0, 3.0]).log_softmax(0)
        tensor([-2.4076, -1.4076, -0.4076])
        """
        return ops.log_softmax(self, dim, dtype)
