"""Normalisation, a channel or a row at a time, which stays in the cache for all its passes; compare `kernels.norm`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import contracted, exact, prange, shared, sums
from tinygrad_cnn.kernels.compiled.layout import DTYPES
from tinygrad_cnn.kernels.norm import lying, rows_last

SHORTEST = 8
"""Runs of fewer elements are left to NumPy, which puts rows side by side."""
BLOCK = 4096
"""Elements that are summed in their own dtype, before their sum is added in float64."""


def normalize(
    x: NDArray, w: NDArray, b: NDArray, *, axes: tuple[int, ...], along: tuple[int, ...], eps: float, centred: bool
) -> tuple[NDArray, NDArray, NDArray]:
    """w (x - mean) / √(variance + eps) + b, the mean, and the variance, over the axes; without `centred` the mean is 0.

    w and b lie along some axes, all kept or all reduced, and are numbers if there are none.
    """
    inner = bool(along) and along[0] in axes
    at = lying(x, axes, rows_last(x.ndim, axes) if inner else None)
    if x.dtype not in DTYPES or not w.dtype == b.dtype == x.dtype or at.x.shape[3] < SHORTEST:
        return numpy_set.normalize(x, w, b, axes=axes, along=along, eps=eps, centred=centred)
    y, (outer, _, kept, _) = np.empty_like(at.x), at.x.shape
    mean, variance = np.zeros((outer, kept), x.dtype), np.empty((outer, kept), x.dtype)
    least = x.dtype.type(eps)
    if inner:
        _rows(
            at.x[0, 0], w.reshape(-1), b.reshape(-1), y[0, 0], mean[0], variance[0], least, centred, cost=3 * x.nbytes
        )
    else:
        scale, shift = at.spread(w, along), at.spread(b, along)
        _runs(at.x, scale, shift, y, mean, variance, least, centred, cost=3 * x.nbytes)
    return at.place(y), at.full(mean), at.full(variance)


def normalize_back(
    g: NDArray,
    x: NDArray,
    w: NDArray,
    mean: NDArray,
    variance: NDArray,
    *,
    axes: tuple[int, ...],
    along: tuple[int, ...],
    eps: float,
    centred: bool,
    wanted: Sequence[bool],
) -> tuple[NDArray | None, NDArray | None, NDArray | None]:
    """The cotangents of x, w and b; None where they are not wanted."""
    inner = bool(along) and along[0] in axes
    at = lying(x, axes, rows_last(x.ndim, axes) if inner else None)
    if x.dtype not in DTYPES or not w.dtype == g.dtype == x.dtype or at.x.shape[3] < SHORTEST:
        how: dict[str, Any] = {"axes": axes, "along": along, "eps": eps, "centred": centred, "wanted": wanted}
        return numpy_set.normalize_back(g, x, w, mean, variance, **how)
    cotangent = at.like(g)
    middle, inverse = at.flat(mean), 1 / np.sqrt(at.flat(variance) + x.dtype.type(eps))
    dx = np.empty_like(at.x)
    if inner:
        h, source, column = cotangent[0, 0], at.x[0, 0], w.reshape(-1)
        dw, db = np.empty_like(column), np.empty_like(column)
        _rows_back(h, source, column, middle[0], inverse[0], dx[0, 0], centred, cost=4 * x.nbytes)
        _column_sums(h, source, middle[0], inverse[0], dw, db, cost=3 * x.nbytes)
        return at.place(dx), dw.reshape(w.shape), db.reshape(w.shape)
    scale = at.spread(w, along)
    total, product = np.empty_like(middle), np.empty_like(middle)
    _runs_back(cotangent, at.x, scale, middle, inverse, dx, total, product, centred, bool(wanted[0]), cost=4 * x.nbytes)
    dw, db = at.gathered(product, along), at.gathered(total, along)
    return at.place(dx) if wanted[0] else None, dw, db


@sums
def _sum(run: NDArray, shift: Any) -> Any:
    total = run.dtype.type(0)
    for k in range(run.size):
        total += run[k] - shift
    return total


@sums
def _square(run: NDArray, shift: Any) -> Any:
    total = run.dtype.type(0)
    for k in range(run.size):
        total += (run[k] - shift) * (run[k] - shift)
    return total


@sums
def _product(run: NDArray, other: NDArray, shift: Any) -> Any:
    total = run.dtype.type(0)
    for k in range(run.size):
        total += other[k] * (run[k] - shift)
    return total


@contracted
def _affine(run: NDArray, factor: Any, shift: Any, out: NDArray) -> None:
    for k in range(run.size):
        out[k] = factor * run[k] + shift


@contracted
def _combined(g: NDArray, run: NDArray, of_g: Any, of_x: Any, rest: Any, out: NDArray) -> None:
    for k in range(run.size):
        out[k] = of_g * g[k] + (of_x * run[k] + rest)


@shared
def _runs(
    x: NDArray,
    w: NDArray,
    b: NDArray,
    y: NDArray,
    mean: NDArray,
    variance: NDArray,
    eps: Any,
    centred: bool,
    shares: int,
) -> None:
    for share in prange(shares):
        _some_runs(x, w, b, y, mean, variance, eps, centred, share, shares)


@exact
def _some_runs(
    x: NDArray,
    w: NDArray,
    b: NDArray,
    y: NDArray,
    mean: NDArray,
    variance: NDArray,
    eps: Any,
    centred: bool,
    share: int,
    shares: int,
) -> None:
    outer, rows, kept, run = x.shape
    n, zero = rows * run, x.dtype.type(0)
    for place in range(outer * kept * share // shares, outer * kept * (share + 1) // shares):
        o, c = place // kept, place % kept
        middle = zero
        if centred:
            total = 0.0
            for a in range(rows):
                for start in range(0, run, BLOCK):
                    total += _sum(x[o, a, c, start : start + BLOCK], zero)
            middle = x.dtype.type(total / n)
        total = 0.0
        for a in range(rows):
            for start in range(0, run, BLOCK):
                total += _square(x[o, a, c, start : start + BLOCK], middle)
        mean[o, c], variance[o, c] = middle, total / n
        factor = w[o, c] / np.sqrt(variance[o, c] + eps)
        shift = b[o, c] - middle * factor
        for a in range(rows):
            _affine(x[o, a, c], factor, shift, y[o, a, c])


@shared
def _runs_back(
    g: NDArray,
    x: NDArray,
    w: NDArray,
    mean: NDArray,
    inverse: NDArray,
    dx: NDArray,
    total: NDArray,
    product: NDArray,
    centred: bool,
    wanted: bool,
    shares: int,
) -> None:
    for share in prange(shares):
        _some_runs_back(g, x, w, mean, inverse, dx, total, product, centred, wanted, share, shares)


@exact
def _some_runs_back(
    g: NDArray,
    x: NDArray,
    w: NDArray,
    mean: NDArray,
    inverse: NDArray,
    dx: NDArray,
    total: NDArray,
    product: NDArray,
    centred: bool,
    wanted: bool,
    share: int,
    shares: int,
) -> None:
    outer, rows, kept, run = x.shape
    n, zero = x.dtype.type(rows * run), x.dtype.type(0)
    for place in range(outer * kept * share // shares, outer * kept * (share + 1) // shares):
        o, c = place // kept, place % kept
        whole, other = 0.0, 0.0
        for a in range(rows):
            for start in range(0, run, BLOCK):
                h = g[o, a, c, start : start + BLOCK]
                whole += _sum(h, zero)
                other += _product(x[o, a, c, start : start + BLOCK], h, mean[o, c])
        total[o, c], product[o, c] = whole, other * inverse[o, c]
        factor = w[o, c] * inverse[o, c]
        of_x = -factor * inverse[o, c] * product[o, c] / n
        rest = -of_x * mean[o, c]
        if centred:
            rest -= factor * total[o, c] / n
        if wanted:
            for a in range(rows):
                _combined(g[o, a, c], x[o, a, c], factor, of_x, rest, dx[o, a, c])


@shared
def _rows(
    x: NDArray,
    w: NDArray,
    b: NDArray,
    y: NDArray,
    mean: NDArray,
    variance: NDArray,
    eps: Any,
    centred: bool,
    shares: int,
) -> None:
    for share in prange(shares):
        some = slice(len(x) * share // shares, len(x) * (share + 1) // shares)
        _some_rows(x[some], w, b, y[some], mean[some], variance[some], eps, centred)


@exact
def _some_rows(
    x: NDArray, w: NDArray, b: NDArray, y: NDArray, mean: NDArray, variance: NDArray, eps: Any, centred: bool
) -> None:
    n, zero = x.dtype.type(x.shape[1]), x.dtype.type(0)
    for r in range(len(x)):
        middle = _sum(x[r], zero) / n if centred else zero
        mean[r], variance[r] = middle, _square(x[r], middle) / n
        _row(x[r], middle, 1 / np.sqrt(variance[r] + eps), w, b, y[r])


@contracted
def _row(run: NDArray, mean: Any, inverse: Any, w: NDArray, b: NDArray, out: NDArray) -> None:
    for k in range(run.size):
        out[k] = (run[k] - mean) * inverse * w[k] + b[k]


@shared
def _rows_back(
    g: NDArray, x: NDArray, w: NDArray, mean: NDArray, inverse: NDArray, dx: NDArray, centred: bool, shares: int
) -> None:
    for share in prange(shares):
        some = slice(len(x) * share // shares, len(x) * (share + 1) // shares)
        _some_rows_back(g[some], x[some], w, mean[some], inverse[some], dx[some], centred)


@exact
def _some_rows_back(
    g: NDArray, x: NDArray, w: NDArray, mean: NDArray, inverse: NDArray, dx: NDArray, centred: bool
) -> None:
    n = x.dtype.type(x.shape[1])
    for r in range(len(x)):
        total, product = _row_sums(g[r], x[r], w, mean[r])
        v = inverse[r]
        of_x = -product * v * v * v / n
        rest = -of_x * mean[r]
        if centred:
            rest -= total * v / n
        _row_back(g[r], x[r], w, v, of_x, rest, dx[r])


@sums
def _row_sums(g: NDArray, x: NDArray, w: NDArray, mean: Any) -> Any:
    total, product = x.dtype.type(0), x.dtype.type(0)
    for k in range(x.size):
        h = g[k] * w[k]
        total += h
        product += h * (x[k] - mean)
    return total, product


@contracted
def _row_back(g: NDArray, x: NDArray, w: NDArray, inverse: Any, of_x: Any, rest: Any, out: NDArray) -> None:
    for k in range(x.size):
        out[k] = inverse * (g[k] * w[k]) + (of_x * x[k] + rest)


@shared
def _column_sums(
    g: NDArray, x: NDArray, mean: NDArray, inverse: NDArray, dw: NDArray, db: NDArray, shares: int
) -> None:
    for share in prange(shares):
        some = slice(x.shape[1] * share // shares, x.shape[1] * (share + 1) // shares)
        _some_column_sums(g, x, mean, inverse, dw, db, some.start, some.stop)


@exact
def _some_column_sums(
    g: NDArray, x: NDArray, mean: NDArray, inverse: NDArray, dw: NDArray, db: NDArray, first: int, last: int
) -> None:
    """Of 64 rows at a time in the dtype of x, and of all in float64."""
    width = last - first
    whole, part = np.zeros((2, width)), np.empty((2, width), x.dtype)
    for start in range(0, len(x), 64):
        part[:] = 0
        for r in range(start, min(start + 64, len(x))):
            _add_row(g[r, first:last], x[r, first:last], mean[r], inverse[r], part[0], part[1])
        for k in range(width):
            whole[0, k] += part[0, k]
            whole[1, k] += part[1, k]
    dw[first:last], db[first:last] = whole[0], whole[1]


@contracted
def _add_row(g: NDArray, x: NDArray, mean: Any, inverse: Any, dw: NDArray, db: NDArray) -> None:
    for k in range(x.size):
        dw[k] += g[k] * ((x[k] - mean) * inverse)
        db[k] += g[k]


def scale_channels(x: NDArray, w: NDArray, b: NDArray) -> NDArray:
    """Each channel (axis 1) of x times its w plus its b."""
    at = lying(x, (0, *range(2, x.ndim))) if x.size and x.dtype in DTYPES else None
    if at is None or not w.dtype == b.dtype == x.dtype or at.x.shape[3] < SHORTEST:
        return numpy_set.scale_channels(x, w, b)
    y = np.empty_like(at.x)
    _scaled(at.x, w, b, y, cost=2 * x.nbytes)
    return at.place(y)


@shared
def _scaled(x: NDArray, w: NDArray, b: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        _some_scaled(x, w, b, y, x.shape[2] * share // shares, x.shape[2] * (share + 1) // shares)


@exact
def _some_scaled(x: NDArray, w: NDArray, b: NDArray, y: NDArray, first: int, last: int) -> None:
    for c in range(first, last):
        for a in range(x.shape[1]):
            _affine(x[0, a, c], w[c], b[c], y[0, a, c])
