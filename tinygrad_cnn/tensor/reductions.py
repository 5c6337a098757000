"""Methods of `Tensor` that reduce dims or run along one, a line each: what they compute is in `ops`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import ArrayLike, Axis
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.tensor.facts import FactMethods


class ReductionMethods(FactMethods):
    """Over dims."""

    __slots__ = ()

    @flexible
    def sum(self, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Sum over the given dims, all of them by default; booleans and integers are summed as int64."""
        return ops.sum(self, dim, keepdim, dtype=dtype)

    @flexible
    def mean(self, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Mean over the given dims, all of them by default."""
        return ops.mean(self, dim, keepdim, dtype=dtype)

    @flexible
    def prod(self, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Product over the given dims; the gradient is right where elements are zero, too."""
        return ops.prod(self, dim, keepdim, dtype=dtype)

    @flexible
    def var(
        self, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
    ) -> Self:
        """Variance with `correction` degrees of freedom taken off; NaN of a single element."""
        return ops.var(self, dim, unbiased, keepdim, correction=correction)

    @flexible
    def std(
        self, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
    ) -> Self:
        """Standard deviation, see `var`; where it is 0 its gradient is 0, as in PyTorch."""
        return ops.std(self, dim, unbiased, keepdim, correction=correction)

    @flexible
    def amax(self, dim: Axis = None, keepdim: bool = False) -> Self:
        """Maximum over the given dims; elements that tie share the gradient evenly."""
        return ops.amax(self, dim, keepdim)

    @flexible
    def amin(self, dim: Axis = None, keepdim: bool = False) -> Self:
        """Minimum over the given dims; elements that tie share the gradient evenly."""
        return ops.amin(self, dim, keepdim)

    @flexible
    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """Maximum of all elements; with `dim` an integer, `(values, indices)` along it; with an array, `maximum`."""
        return ops.max(self, dim, keepdim)

    @flexible
    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """Minimum of all elements; with `dim` an integer, `(values, indices)` along it; with an array, `minimum`."""
        return ops.min(self, dim, keepdim)

    @flexible
    def logsumexp(self, dim: Axis = None, keepdim: bool = False) -> Self:
        """The logarithm of the sum of exponentials, shifted by the maximum so that nothing overflows."""
        return ops.logsumexp(self, dim, keepdim)

    @flexible
    def norm(
        self, p: float | str | None = "fro", dim: Axis = None, keepdim: bool = False, *, dtype: Any = None
    ) -> Self:
        """The p-norm of the elements along the dims (all: of the flattened array); its gradient at 0 is 0."""
        return ops.norm(self, p, dim, keepdim, dtype=dtype)

    def dist(self, other: ArrayLike, p: float = 2) -> Self:
        """The p-norm of the difference."""
        return ops.dist(self, other, p)

    @flexible
    def cumsum(self, dim: int, *, dtype: Any = None) -> Self:
        """Sums of the elements up to each place along a dim."""
        return ops.cumsum(self, dim, dtype=dtype)

    @flexible
    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """Where the first maximum stands: in the flattened array, or along a dim."""
        return ops.argmax(self, dim, keepdim)

    @flexible
    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Self:
        """Where the first minimum stands: in the flattened array, or along a dim."""
        return ops.argmin(self, dim, keepdim)

    @flexible
    def any(self, dim: Axis = None, keepdim: bool = False) -> Self:
        """Whether any element along the dims is not 0."""
        return ops.any(self, dim, keepdim)

    @flexible
    def all(self, dim: Axis = None, keepdim: bool = False) -> Self:
        """Whether every element along the dims is not 0."""
        return ops.all(self, dim, keepdim)

    @flexible
    def cumprod(self, dim: int, *, dtype: Any = None) -> Self:
        """Products of the elements up to each place along a dim."""
        return ops.cumprod(self, dim, dtype=dtype)

    @flexible
    def cummax(self, dim: int) -> Any:
        """``(values, indices)`` of the largest element up to each place along a dim; of equal ones the last."""
        return ops.cummax(self, dim)

    @flexible
    def cummin(self, dim: int) -> Any:
        """``(values, indices)`` of the smallest element up to each place along a dim; of equal ones the last."""
        return ops.cummin(self, dim)

    @flexible
    def diff(
        self, n: int = 1, dim: int = -1, prepend: ArrayLike | None = None, append: ArrayLike | None = None
    ) -> Self:
        """Differences of neighbours along a dim, `n` times over."""
        return ops.diff(self, n, dim, prepend, append)

    @flexible
    def nansum(self, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Sum of the elements that are not NaN."""
        return ops.nansum(self, dim, keepdim, dtype=dtype)

    @flexible
    def nanmean(self, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> Self:
        """Mean of the elements that are not NaN."""
        return ops.nanmean(self, dim, keepdim, dtype=dtype)

    @flexible
    def aminmax(self, *, dim: int | None = None, keepdim: bool = False) -> Any:
        """``(min, max)`` of all elements or along a dim; elements that tie share the gradient."""
        return ops.aminmax(self, dim=dim, keepdim=keepdim)

    @flexible
    def median(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The middle of all elements, the lower one of two; with `dim`, ``(values, indices)`` along it."""
        return ops.median(self, dim, keepdim)

    @flexible
    def nanmedian(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The middle of the elements that are not NaN; with `dim`, ``(values, indices)`` along it."""
        return ops.nanmedian(self, dim, keepdim)

    @flexible
    def mode(self, dim: int = -1, keepdim: bool = False) -> Any:
        """``(values, indices)`` of the most frequent element along a dim, the smallest of several; its last place."""
        return ops.mode(self, dim, keepdim)

    @flexible
    def quantile(self, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Self:
        """The q-th quantile (q in [0, 1], one or several) of all elements or along a dim."""
        return ops.quantile(self, q, dim, keepdim, interpolation=interpolation)

    def cov(self, *, correction: int = 1) -> Self:
        """The covariances of variables, one a row; of a single row its variance."""
        return ops.cov(self, correction=correction)

    def corrcoef(self) -> Self:
        """The correlations of variables, one a row."""
        return ops.corrcoef(self)

    def histc(self, bins: int = 100, min: float = 0, max: float = 0) -> Self:
        """How many elements fall into each of `bins` equal parts of [min, max]; 0 and 0 mean the elements' range."""
        return ops.histc(self, bins, min, max)

    def histogram(
        self,
        bins: int | ArrayLike = 100,
        *,
        range: Sequence[float] | None = None,
        weight: ArrayLike | None = None,
        density: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """The sums of the weights of the elements in each bin, and the edges; see `tinygrad_cnn.histogram`."""
        return ops.histogram(self, bins, range=range, weight=weight, density=density)

    def bincount(self, weights: ArrayLike | None = None, minlength: int = 0) -> Self:
        """How often each integer from 0 on occurs in a 1-D array, or the sums of the `weights` there."""
        return ops.bincount(self, weights, minlength)

    @flexible
    def renorm(self, p: float, dim: int, maxnorm: float) -> Self:
        """Each slice along a dim scaled down to at most this p-norm."""
        return ops.renorm(self, p, dim, maxnorm)

    @flexible
    def softmax(self, dim: int, dtype: Any = None) -> Self:
        """Exponentials along a dim, normalised to sum 1."""
        return ops.softmax(self, dim, dtype)

    @flexible
    def log_softmax(self, dim: int, dtype: Any = None) -> Self:
        """The logarithm of softmax along a dim, exact where softmax underflows."""
        return ops.log_softmax(self, dim, dtype)
