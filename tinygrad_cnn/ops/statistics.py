"""Statistics of elements: spreads with their means, middles, quantiles, counts."""

import math
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.checks import check_axis, dtype_of, shape_of
from tinygrad_cnn.core.domain import Distinct
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError, DTypeError, PlaceError
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import A, Array, ArrayLike, Axis, NDArray
from tinygrad_cnn.kernels.orders import is_nan, order_along, ranked, run_lengths
from tinygrad_cnn.ops.blends import lerp
from tinygrad_cnn.ops.calling import flexible, vectorial
from tinygrad_cnn.ops.elementwise import sqrt
from tinygrad_cnn.ops.indexing import Gather
from tinygrad_cnn.ops.piecewise import clamp, where
from tinygrad_cnn.ops.reduce import amax, amin, evenly, mean, nonempty, norm, reduced_axes, std, sum, var
from tinygrad_cnn.ops.shape import flatten, movedim, reshape, squeeze, transpose, unsqueeze
from tinygrad_cnn.ops.untracked import dressed, plain
from tinygrad_cnn.torch_names import return_types
from tinygrad_cnn.torch_names.errors import KernelMissingError

__all__ = [
    "aminmax", "bincount", "corrcoef", "cov", "histc", "histogram", "histogramdd", "median", "mode", "nanmean",
    "nanmedian", "nanquantile", "nansum", "quantile", "renorm", "std_mean", "var_mean",
]  # fmt: skip


@flexible
def var_mean(
    input: A, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float = 1
) -> tuple[A, A]:
    """Variance and mean; see `var`.

    Both lack the dims, unless `keepdim`; the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.var_mean(tg.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    over = None if isinstance(dim, bool) else dim
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    return variance, mean(input, over, keepdim)


@flexible
def std_mean(
    input: A, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float = 1
) -> tuple[A, A]:
    """Standard deviation and mean; see `std`.

    Both lack the dims, unless `keepdim`; the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.std_mean(tg.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    over = None if isinstance(dim, bool) else dim
    deviation = std(input, dim, unbiased, keepdim, correction=correction)
    return deviation, mean(input, over, keepdim)


@flexible
def nansum(input: A, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """Sum of the elements that are not NaN; see `sum` for integers, which never are.

    The result lacks the dims, unless `keepdim`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nansum(tg.tensor([1.0, tg.nan, 3.0]))
    tensor(4.)
    """
    if dtype_of(input).kind == "f":
        input = where(np.isnan(plain("nansum", input)), 0.0, input)
    return sum(input, dim, keepdim, dtype=dtype)


@flexible
def nanmean(input: A, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """Mean of the elements that are not NaN, in a floating dtype.

    The result lacks the dims, unless `keepdim`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nanmean(tg.tensor([1.0, tg.nan, 3.0]))
    tensor(2.)
    """
    if dtype_of(input).kind != "f":
        raise DTypeError(f"nanmean: input has dtype {dtype_of(input)}; expected a floating dtype")
    axes = reduced_axes("nanmean", input, dim)
    counted = np.sum(~np.isnan(plain("nanmean", input)), axis=axes, keepdims=keepdim)
    total = nansum(input, dim, keepdim, dtype=dtype)
    return total / counted.astype(dtype_of(total))


@flexible
def aminmax(input: A, *, dim: int | None = None, keepdim: bool = False) -> return_types.aminmax[A]:
    """``(min, max)`` of all elements or along a dim; elements that tie share the gradient.

    Both lack the dim, unless `keepdim`; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.aminmax(tg.tensor([3, 1, 2]))
    torch.return_types.aminmax(
    min=tensor(1),
    max=tensor(3))
    """
    nonempty("aminmax", input, dim)
    return return_types.aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


@overload
def median(input: A, dim: int, keepdim: bool = False) -> return_types.median[A]: ...
@overload
def median(input: A, dim: None = None, keepdim: bool = False) -> A: ...
@flexible
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of all elements, the lower one of two; with `dim`, ``(values, indices)`` along it.

    NaN if there is one. Of all elements, those that equal the middle share the gradient evenly.

    The result lacks the dim, unless `keepdim`; the dtype stays, indices are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.median(tg.tensor([3.0, 1.0, 2.0]))
    tensor(2.)
    >>> tg.median(tg.tensor([[3.0, 1.0, 2.0]]), dim=1)
    torch.return_types.median(
    values=tensor([2.]),
    indices=tensor([2]))
    """
    return _middle("median", input, dim, keepdim, return_types.median, ignore_nan=False)


@overload
def nanmedian(input: A, dim: int, keepdim: bool = False) -> return_types.nanmedian[A]: ...
@overload
def nanmedian(input: A, dim: None = None, keepdim: bool = False) -> A: ...
@flexible
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of the elements that are not NaN; with `dim`, ``(values, indices)`` along it. See `median`.

    The result lacks the dim, unless `keepdim`; the dtype stays, indices are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nanmedian(tg.tensor([3.0, tg.nan, 2.0, 4.0]))
    tensor(3.)
    """
    return _middle("nanmedian", input, dim, keepdim, return_types.nanmedian, ignore_nan=True)


def _middle(op: str, x: Array, dim: int | None, keepdim: bool, kind: Any, ignore_nan: bool) -> Any:
    if dtype_of(x).kind == "b":
        raise KernelMissingError(f"{op}: truth values have no order; convert the input with .int()")
    if dim is None:
        return Median.apply(x, ignore_nan=ignore_nan)
    return _middle_along(x, dim, op, keepdim, kind, ignore_nan)


@vectorial
def _middle_along(x: Array, dim: int, op: str, keepdim: bool, kind: Any, ignore_nan: bool) -> Any:
    values = plain(op, x)
    axis = check_axis(op, dim, values.ndim)
    check_ordered(op, values, axis)
    return pick(x, middle_places(values, axis, ignore_nan), axis, keepdim, kind)


def middle_places(values: NDArray, axis: int, ignore_nan: bool) -> NDArray:
    """Where the middle along an axis stands, the lower one of two: the first NaN, or the middle of the others."""
    n = values.shape[axis]
    if values.dtype.kind != "f" or not np.isnan(np.max(values)):
        return ranked(values, (n - 1) // 2, axis)
    order = order_along(values, axis)
    missing = np.sum(is_nan(values), axis=axis, keepdims=True)
    rank = np.maximum((n - missing - 1) // 2, 0) if ignore_nan else np.where(missing, n - missing, (n - 1) // 2)
    return np.take_along_axis(order, rank, axis)


def check_ordered(op: str, values: NDArray, axis: int) -> None:
    """PlaceError if there is nothing along the axis, DTypeError of truth values: none stands in the middle."""
    if values.dtype.kind == "b":
        raise KernelMissingError(f"{op}: truth values have no order; convert the input with .int()")
    if not values.shape[axis]:
        raise PlaceError(f"{op}: input of shape {values.shape} has no elements along dim {axis}; expected at least one")


class Median(Op):
    """y = the middle of x        dx = g, shared evenly by the elements that equal y"""

    domain = {"x": Distinct()}
    kinks = (Kink("a tie", (np.array([3.0, 1.0, 1.0]),), (np.array([0.0, 0.5, 0.5]),), {"ignore_nan": False}),)

    def forward(x: Array, *, ignore_nan: bool) -> Array:
        if not x.size:
            return np.asarray(math.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min, x.dtype)
        row = x.reshape(-1)
        check_ordered("median", row, 0)
        return row[middle_places(row, 0, ignore_nan)][0]

    def d_x(g: Array, y: Array, x: Array) -> Array:
        return evenly(g, y, x, tuple(range(x.ndim)), False)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.array(draw.shape(0, 3, smallest=1), cls.domain["x"]),), {"ignore_nan": draw.boolean()})


def pick(x: Array, indices: NDArray, axis: int, keepdim: bool, kind: Any) -> Any:
    """``(values, indices)`` of one element along an axis, which the indices (size 1 there) name."""
    values = Gather.apply(x, indices, axis=axis)
    if not keepdim:
        values, indices = squeeze(values, axis), np.squeeze(indices, axis)
    return kind(values, dressed(indices, x))


@flexible
@vectorial
def mode(input: A, dim: int = -1, keepdim: bool = False) -> return_types.mode[A]:
    """``(values, indices)`` of the most frequent element along a dim, the smallest of several; its last place.

    A NaN equals nothing, so that each is found once.

    Both lack the dim, unless `keepdim`; the dtype stays, indices are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.mode(tg.tensor([3, 1, 3, 2]))
    torch.return_types.mode(
    values=tensor(3),
    indices=tensor(2))
    """
    values = plain("mode", input)
    axis = check_axis("mode", dim, values.ndim)
    if not values.shape[axis]:
        raise PlaceError(f"mode: input of shape {values.shape} has no elements along dim {dim}")
    rows = np.moveaxis(values, axis, -1)
    order = order_along(rows, -1)
    longest = np.argmax(run_lengths(np.take_along_axis(rows, order, -1)), axis=-1)
    last = np.take_along_axis(order, longest[..., None], -1)
    return pick(input, np.moveaxis(last, -1, axis), axis, keepdim, return_types.mode)


@flexible
def quantile(input: A, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> A:
    """The q-th quantile (q in [0, 1], one or several) of all elements or along a dim; NaN if one of them is.

    Several q make a new first dim. The input must have a floating dtype; ValueError for q outside [0, 1].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.quantile(tg.tensor([1.0, 2.0, 3.0, 4.0]), 0.5)
    tensor(2.5000)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, ignore_nan=False)


@flexible
def nanquantile(input: A, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> A:
    """The q-th quantile of the elements that are not NaN, NaN if there are none; see `quantile`.

    Shapes, dtypes and errors as of `quantile`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nanquantile(tg.tensor([1.0, tg.nan, 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, ignore_nan=True)


def _quantile(op: str, x: Array, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool) -> Any:
    ndim, chances = len(shape_of(x)), _checked_chances(op, x, q, interpolation)
    axis = None if dim is None else check_axis(op, dim, max(ndim, 1))
    rows = movedim(x, axis, -1) if axis is not None and ndim else flatten(x)
    if not shape_of(rows)[-1]:
        raise ArgumentError(f"{op}: input of shape {shape_of(x)} is empty along dim {dim}; it must be non-empty")
    last = len(shape_of(rows)) - 1
    values = plain(op, rows)
    order = order_along(values, last)
    ordered = Gather.apply(rows, order, axis=last)
    missing = np.sum(is_nan(values), axis=-1, keepdims=True)
    end = values.shape[-1] - 1
    known = np.maximum(end - missing, 0) if ignore_nan else np.broadcast_to(end, missing.shape)
    rank = reshape(chances, (-1,)) * known.astype(values.dtype)
    if not ignore_nan:
        rank = where(missing > 0, float(end), rank)  # where NaN stands
    found = movedim(_between(ordered, rank, last, interpolation), -1, 0)
    if keepdim and dim is None:
        found = reshape(found, (shape_of(found)[0], *(1,) * ndim))
    elif keepdim and axis is not None and ndim:
        found = unsqueeze(found, axis + 1)
    return found if shape_of(chances) else found[0]


def _checked_chances(op: str, x: Array, q: Any, interpolation: str) -> Any:
    """The q that are asked for, as an array or Tensor of the dtype of x."""
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ArgumentError(
            f"{op}: interpolation is {interpolation!r}; it must be 'linear', 'lower', 'higher', 'midpoint' or 'nearest'"
        )
    dtype = dtype_of(x)
    if dtype.kind != "f":
        raise ArgumentError(f"{op}: input has dtype {dtype}; expected a floating dtype, convert it with .float()")
    chances = plain(op, q)
    if isinstance(q, Tensor) and chances.dtype != dtype:
        raise ArgumentError(f"{op}: q has dtype {chances.dtype}, input {dtype}; they must be the same dtype")
    if chances.ndim > 1:
        raise ArgumentError(f"{op}: q has shape {chances.shape}; expected a number or 1 dim")
    if chances.size and not np.all((chances >= 0) & (chances <= 1)):
        raise ArgumentError(f"{op}: q is {q!r}; it must be in the range [0, 1]")
    return q if isinstance(q, Tensor) else dressed(chances.astype(dtype), x)


def _between(ordered: Array, rank: Array, last: int, interpolation: str) -> Array:
    """What lies at these ranks of sorted rows, between two elements by the rule of that name."""
    if interpolation in ("lower", "higher", "nearest"):
        whole: dict[str, Any] = {"lower": np.floor, "higher": np.ceil, "nearest": np.round}
        rank = whole[interpolation](plain("quantile", rank))  # no slope
    below = np.floor(plain("quantile", rank)).astype(np.int64)
    above = np.ceil(plain("quantile", rank)).astype(np.int64)
    low, high = Gather.apply(ordered, below, axis=last), Gather.apply(ordered, above, axis=last)
    if interpolation == "midpoint":
        return lerp(low, high, 0.5)
    return lerp(low, high, rank - below.astype(dtype_of(rank)))


def cov(input: A, *, correction: int = 1, fweights: ArrayLike | None = None, aweights: ArrayLike | None = None) -> A:
    """The covariances of variables, one a row; of a single row its variance.

    `fweights` says how often each observation counts, `aweights` how much.

    (n, m) gives (n, n). A floating dtype stays; integers give the default floating dtype. ValueError for more than
    2 dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cov(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    shape = shape_of(input)
    if len(shape) > 2:
        raise ArgumentError(f"cov: input has shape {shape}; expected two or fewer dimensions")
    x = reshape(input, (1, -1)) if len(shape) < 2 else input
    x = x if dtype_of(x).kind == "f" else x.astype(default.dtype)
    count = shape_of(x)[1]
    weights = _weights("cov", count, fweights, aweights)
    if weights is None:
        centred, freedom = x - mean(x, 1, True), count - correction
        product = centred @ transpose(centred, 0, 1)
        return squeeze(product / _freedom(freedom))
    total = sum(weights)
    if not plain("cov", total) > 0:
        raise ArgumentError("cov: the weights sum to zero, so they cannot be normalized")
    centred = x - sum(x * weights, 1, True) / total
    if aweights is None or correction == 0:
        freedom = total - correction
    else:
        freedom = total - correction * (sum(weights * aweights) / total)
    return squeeze((centred * weights) @ transpose(centred, 0, 1) / _freedom(freedom))


def _weights(op: str, count: int, fweights: Any, aweights: Any) -> Any:
    """How much each observation counts: None if all do so once."""
    for name, given, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "f")):
        if given is None:
            continue
        if shape_of(given) != (count,):
            raise ArgumentError(
                f"{op}: {name} has shape {shape_of(given)}; expected one for each of {count} observations"
            )
        if dtype_of(given).kind not in kinds:
            raise ArgumentError(
                f"{op}: {name} has dtype {dtype_of(given)}; expected {'integers' if kinds == 'iu' else 'floats'}"
            )
        if np.any(plain(op, given) < 0):
            raise ArgumentError(f"{op}: {name} has a negative element; weights are at least 0")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return fweights * aweights


def _freedom(n: Any) -> Any:
    """Degrees of freedom, none instead of fewer than none."""
    return where(n > 0, n, 0.0) if hasattr(n, "dtype") else max(n, 0)


def corrcoef(input: A) -> A:
    """The correlations of variables, one a row, at most 1 in size.

    (n, m) gives (n, n); the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.corrcoef(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if len(shape_of(input)) > 2:
        raise ArgumentError(f"corrcoef: input has shape {shape_of(input)}; expected two or fewer dimensions")
    c = cov(input)
    if not shape_of(c):
        return c / c
    size = sqrt(np.diagonal(c))
    return clamp(c / size[:, None] / size[None, :], -1, 1)


def histc(input: A, bins: int = 100, min: float = 0, max: float = 0) -> A:
    """How many elements fall into each of `bins` equal parts of [min, max]; 0 and 0 mean the elements' range.

    The result has shape (bins,) and the floating dtype of the input; integers are refused. ValueError unless min <=
    max.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.histc(tg.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
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

    The input has any shape. Counts (bins,) and edges (bins + 1,) have its floating dtype; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.histogram(tg.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0))
    torch.return_types.histogram(
    hist=tensor([0., 2., 1., 0.]),
    bin_edges=tensor([0.0000, 0.7500, 1.5000, 2.2500, 3.0000]))
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


def histogramdd(
    input: A,
    bins: Any,
    *,
    range: Sequence[float] | None = None,
    weight: ArrayLike | None = None,
    density: bool = False,
) -> return_types.histogramdd[A]:
    """The sums of the weights of points (…, D) in each cell of a grid, and the edges along each of its D dims.

    `bins` is one number, or a number or the edges for each dim; `range` has two limits for each. See `histogram`.

    Counts and edges have the floating dtype of the points; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.histogramdd(tg.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    values = plain("histogramdd", input)
    if values.dtype.kind != "f" or values.ndim < 2:
        raise ArgumentError(f"histogramdd: {values.dtype} of shape {values.shape}; expected floating points (…, D)")
    points = values.reshape(-1, values.shape[-1])
    weights = None if weight is None else plain("histogramdd", weight).reshape(-1)
    each = [bins] * points.shape[1] if isinstance(bins, int) else list(bins)
    if len(each) != points.shape[1] or (weights is not None and len(weights) != len(points)):
        raise ArgumentError(f"histogramdd: {len(each)} bins for points of shape {values.shape}, or weights of another")
    limits = [None if range is None else range[2 * k : 2 * k + 2] for k, _ in enumerate(each)]
    edges = [_edges(column, b, pair) for column, b, pair in zip(points.T, each, limits, strict=True)]
    counted, _ = np.histogramdd(points, edges, weights=weights, density=density)
    return return_types.histogramdd(
        dressed(counted.astype(values.dtype), input), tuple(dressed(edge, input) for edge in edges)
    )


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
    """How often each integer from 0 on occurs in a 1-D array, or the sums of the `weights` there.

    The result is int64, or has the dtype of the weights. ValueError for integers below 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bincount(tg.tensor([1, 3, 1]))
    tensor([0, 2, 0, 1])
    """
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
    """Each slice along a dim scaled down to at most this p-norm.

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.renorm(tg.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    if len(shape_of(input)) < 2:
        raise ArgumentError(f"renorm: input has shape {shape_of(input)}; expected at least 2 dims")
    axis = check_axis("renorm", dim, len(shape_of(input)))
    others = tuple(a for a in range(len(shape_of(input))) if a != axis)
    length = norm(input, p, others, True)
    too_long = plain("renorm", length) > maxnorm
    return input * where(too_long, maxnorm / (where(too_long, length, 1.0) + 1e-7), 1.0)
