"""Statistics of elements: spreads with their means, middles, quantiles, counts."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.checks import check_axes, check_axis, dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError, PlaceError
from tinygrad_cnn.core.types import A, Array, ArrayLike, Axis, NDArray
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.elementwise import sqrt
from tinygrad_cnn.ops.indexing import Gather, getitem
from tinygrad_cnn.ops.piecewise import where
from tinygrad_cnn.ops.reduce import amax, amin, mean, norm, std, sum, var
from tinygrad_cnn.ops.shape import clone, flatten, movedim, reshape, squeeze, transpose
from tinygrad_cnn.ops.untracked import dressed, is_tracked, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "aminmax", "bincount", "corrcoef", "cov", "histc", "histogram", "median", "mode", "nanmean", "nanmedian", "nansum",
    "quantile", "renorm", "std_mean", "var_mean",
]  # fmt: skip


@flexible
def var_mean(
    input: A, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float = 1
) -> tuple[A, A]:
    """Variance and mean; see `var`."""
    over = None if isinstance(dim, bool) else dim
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    return variance, mean(input, over, keepdim)


@flexible
def std_mean(
    input: A, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float = 1
) -> tuple[A, A]:
    """Standard deviation and mean; see `std`."""
    over = None if isinstance(dim, bool) else dim
    deviation = std(input, dim, unbiased, keepdim, correction=correction)
    return deviation, mean(input, over, keepdim)


@flexible
def nansum(input: A, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """Sum of the elements that are not NaN."""
    return sum(where(np.isnan(plain("nansum", input)), 0.0, input), dim, keepdim, dtype=dtype)


@flexible
def nanmean(input: A, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """Mean of the elements that are not NaN."""
    axes = check_axes("nanmean", dim, len(shape_of(input)))
    counted = np.sum(~np.isnan(plain("nanmean", input)), axis=axes, keepdims=keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / counted.astype(dtype_of(input))


@flexible
def aminmax(input: A, *, dim: int | None = None, keepdim: bool = False) -> return_types.aminmax[A]:
    """``(min, max)`` of all elements or along a dim; elements that tie share the gradient."""
    return return_types.aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


@overload
def median(input: A, dim: int, keepdim: bool = False) -> return_types.median[A]: ...
@overload
def median(input: A, dim: None = None, keepdim: bool = False) -> A: ...
@flexible
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of all elements, the lower one of two; with `dim`, ``(values, indices)`` along it."""
    return _middle("median", input, dim, keepdim, return_types.median, ignore_nan=False)


@overload
def nanmedian(input: A, dim: int, keepdim: bool = False) -> return_types.nanmedian[A]: ...
@overload
def nanmedian(input: A, dim: None = None, keepdim: bool = False) -> A: ...
@flexible
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of the elements that are not NaN; with `dim`, ``(values, indices)`` along it."""
    return _middle("nanmedian", input, dim, keepdim, return_types.nanmedian, ignore_nan=True)


def _middle(op: str, x: Array, dim: int | None, keepdim: bool, kind: Any, ignore_nan: bool) -> Any:
    if dim is None:
        values, _ = _middle(op, flatten(x), 0, False, lambda *pair: pair, ignore_nan)
        return values
    values = plain(op, x)
    axis = check_axis(op, dim, max(values.ndim, 1))
    if not values.ndim:
        return kind(clone(x), dressed(np.int64(0), x))
    if not values.shape[axis]:
        raise PlaceError(f"{op}: input of shape {values.shape} has no elements along dim {dim}")
    order = np.argsort(values, axis=axis, kind="stable")
    missing = np.sum(np.isnan(values), axis=axis, keepdims=True) if values.dtype.kind == "f" else 0
    n = values.shape[axis]
    rank = np.broadcast_to(
        np.maximum((n - missing - 1) // 2, 0) if ignore_nan else np.where(missing, n - missing, (n - 1) // 2),
        tuple(1 if a == axis else m for a, m in enumerate(values.shape)),
    )
    return pick(x, np.take_along_axis(order, rank, axis), axis, keepdim, kind)


def pick(x: Array, indices: NDArray, axis: int, keepdim: bool, kind: Any) -> Any:
    """``(values, indices)`` of one element along an axis, which the indices (size 1 there) name."""
    values = Gather.apply(x, indices, axis=axis)
    if not keepdim:
        values, indices = squeeze(values, axis), np.squeeze(indices, axis)
    return kind(values, dressed(indices, x))


@flexible
def mode(input: A, dim: int = -1, keepdim: bool = False) -> return_types.mode[A]:
    """``(values, indices)`` of the most frequent element along a dim, the smallest of several; its last place."""
    values = plain("mode", input)
    if not values.ndim:
        return return_types.mode(input, dressed(np.int64(0), input))
    axis = check_axis("mode", dim, values.ndim)
    if not values.shape[axis]:
        raise PlaceError(f"mode: input of shape {values.shape} has no elements along dim {dim}")
    rows = np.moveaxis(values, axis, -1)
    counts = np.sum(rows[..., :, None] == rows[..., None, :], axis=-1)
    likeliest = counts == counts.max(axis=-1, keepdims=True)
    order = np.argsort(rows, axis=-1, kind="stable")
    first = np.argmax(np.take_along_axis(likeliest, order, -1), axis=-1)[..., None]
    chosen = np.take_along_axis(rows, np.take_along_axis(order, first, -1), -1)
    last = rows.shape[-1] - 1 - np.argmax((rows == chosen)[..., ::-1], axis=-1)
    return pick(input, np.expand_dims(last, axis), axis, keepdim, return_types.mode)


@flexible
def quantile(input: A, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> A:
    """The q-th quantile (q in [0, 1], one or several) of all elements or along a dim."""
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ArgumentError(
            f"quantile: interpolation is {interpolation!r}; it must be 'linear', 'lower', 'higher', 'midpoint' or "
            "'nearest'"
        )
    wanted = plain("quantile", q)
    if wanted.size and (wanted.min() < 0 or wanted.max() > 1):
        raise ArgumentError(f"quantile: q is {q!r}; it must lie in [0, 1]")
    ndim = len(shape_of(input))
    rows = flatten(input) if dim is None else movedim(input, dim, -1)
    n = shape_of(rows)[-1]
    order = np.argsort(plain("quantile", rows), axis=-1, kind="stable")
    ordered = Gather.apply(rows, order, axis=len(shape_of(rows)) - 1)
    place = wanted.astype(np.float64) * (n - 1)
    if interpolation in ("lower", "higher", "nearest"):
        place = {"lower": np.floor(place), "higher": np.ceil(place), "nearest": np.round(place)}[interpolation]
    low, high = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
    below, above = getitem(ordered, (..., np.atleast_1d(low))), getitem(ordered, (..., np.atleast_1d(high)))
    if interpolation == "midpoint":
        weight: Any = np.where(place == low, 0.0, 0.5)
    elif interpolation == "linear" and is_tracked(q):
        weight = q * (n - 1) - low  # the gradient of q is the slope there
    else:
        weight = place - low
    found = below + (above - below) * reshape(weight, (-1,)).astype(dtype_of(input))  # (…, len(q))
    found = movedim(found, -1, 0)
    if keepdim and dim is None:
        found = reshape(found, (len(found), *(1,) * ndim))
    elif keepdim and dim is not None:
        found = movedim(found[..., None], -1, dim if dim < 0 else dim + 1)
    return found if wanted.ndim else found[0]


def cov(input: A, *, correction: int = 1) -> A:
    """The covariances of variables, one a row; of a single row its variance."""
    x = input[None] if len(shape_of(input)) == 1 else input
    centred = x - mean(x, 1, True)
    product = centred @ transpose(centred, 0, 1) / max(shape_of(x)[1] - correction, 0)
    return squeeze(product)


def corrcoef(input: A) -> A:
    """The correlations of variables, one a row."""
    c = cov(input)
    if not shape_of(c):
        return c / c
    size = sqrt(np.diagonal(c))
    return c / size[:, None] / size[None, :]


def histc(input: A, bins: int = 100, min: float = 0, max: float = 0) -> A:
    """How many elements fall into each of `bins` equal parts of [min, max]; 0 and 0 mean the elements' range."""
    values = plain("histc", input)
    if values.dtype.kind != "f":
        raise DTypeError(f"histc: input has dtype {values.dtype}; expected a floating dtype")
    if bins <= 0 or min > max:
        raise ArgumentError(f"histc: {bins} bins of [{min}, {max}]; expected at least one, and min <= max")
    low, high = (values.min(), values.max()) if min == max and values.size else (min, max)
    low, high = (low - 1, high + 1) if low == high else (low, high)
    inside = values[(values >= low) & (values <= high)]
    place = np.minimum(((inside - low) / (high - low) * bins).astype(np.int64), bins - 1)
    return dressed(np.bincount(place, minlength=bins).astype(values.dtype), input)


def histogram(
    input: A,
    bins: int | ArrayLike = 100,
    *,
    range: Sequence[float] | None = None,
    weight: ArrayLike | None = None,
    density: bool = False,
) -> return_types.histogram[A]:
    """The sums of the weights of the elements in each bin, and the edges; `density` makes the area of the bins 1.

    `bins` counts equal bins between the two numbers of `range` (default: the least and the greatest element), or holds
    the edges in order. A bin has its left edge, the last one its right edge, too. Nothing is recorded.
    """
    values = plain("histogram", input)
    if values.dtype.kind != "f":
        raise DTypeError(f"histogram: input has dtype {values.dtype}; expected a floating dtype")
    weights = None if weight is None else plain("histogram", weight)
    if weights is not None and weights.shape != values.shape:
        raise ArgumentError(f"histogram: weight has shape {weights.shape}, input {values.shape}; they must be equal")
    edges = _edges(values, bins, range)
    counted, _ = np.histogram(values, edges, weights=weights, density=density)
    return return_types.histogram(dressed(counted.astype(values.dtype), input), dressed(edges, input))


def _edges(values: NDArray, bins: int | Array, limits: Sequence[float] | None) -> NDArray:
    """The edges of the bins, of the values' dtype."""
    if not isinstance(bins, int):
        edges = plain("histogram", bins)
        if limits is not None:
            raise TypeError("histogram: bins holds the edges, and range says where they end; leave one out")
        if edges.ndim != 1 or edges.size < 2 or (np.diff(edges) < 0).any():
            raise ArgumentError(f"histogram: bins is {edges}; expected edges in order, 1-D, at least two")
        return edges.astype(values.dtype)
    low, high = limits if limits is not None else (values.min(), values.max()) if values.size else (0, 1)
    if bins <= 0 or not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise ArgumentError(f"histogram: {bins} bins of [{low}, {high}]; expected at least one, and finite min <= max")
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    return np.linspace(low, high, bins + 1, dtype=values.dtype)


def bincount(input: A, weights: ArrayLike | None = None, minlength: int = 0) -> A:
    """How often each integer from 0 on occurs in a 1-D array, or the sums of the `weights` there."""
    values = plain("bincount", input)
    if values.ndim != 1 or values.dtype.kind not in "iu" or (values.size and values.min() < 0):
        raise ArgumentError(
            f"bincount: expected 1-D integers of at least 0, got {values.dtype} of shape {values.shape}"
        )
    if weights is None:
        return dressed(np.bincount(values, minlength=minlength), input)
    w = plain("bincount", weights)
    if w.shape != values.shape:
        raise ArgumentError(f"bincount: weights have shape {w.shape}, input {values.shape}; they must be equal")
    counted = np.bincount(values, w, minlength)
    return dressed(counted.astype(w.dtype if w.dtype == np.float32 else np.float64), input)


@flexible
def renorm(input: A, p: float, dim: int, maxnorm: float) -> A:
    """Each slice along a dim scaled down to at most this p-norm."""
    if len(shape_of(input)) < 2:
        raise ArgumentError(f"renorm: input has shape {shape_of(input)}; expected at least 2 dims")
    axis = check_axis("renorm", dim, len(shape_of(input)))
    others = tuple(a for a in range(len(shape_of(input))) if a != axis)
    length = norm(input, p, others, True)
    too_long = plain("renorm", length) > maxnorm
    return input * where(too_long, maxnorm / (where(too_long, length, 1.0) + 1e-7), 1.0)
