"""Normalisation: mean and variance over some axes, what they scale and shift, and the way back, in few passes.

An array is seen as it lies in memory. What is kept apart (channels, say) and what the statistics are taken over come
in turns: ``O`` kept, ``A`` reduced, ``K`` kept, ``B`` reduced, each of them perhaps 1. Planes of channels, NCHW and the
rows of a layer norm end in runs of B elements; pixels end in K, and then several rows side by side are one.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.kernels.passes import Result, Task, memory_order, share, split

CACHED = 1 << 15
"""Elements of a block: 128 KiB of float32, of which several fit the second cache."""
ROW = 1 << 12
"""Elements that rows of pixels side by side should have."""


def _definition() -> Any:
    """The formulas, for dtypes that have no kernel; loaded when they are needed."""
    return import_module("tinygrad_cnn.kernels.definition")


class Turns(NamedTuple):
    """How the axes of an array lie in memory, found once for each shape."""

    order: tuple[int, ...]
    """The axes in the order of memory."""
    back: tuple[int, ...]
    """Where each axis is in that order."""
    straight: bool
    """Whether they lie in their own order."""
    sizes: tuple[int, int, int, int]
    """O, A, K, B."""
    whole: Shape
    """The shape in that order."""
    kept: tuple[int, ...]
    """The axes that are kept, in that order."""
    full: Shape
    """The shape in that order, 1 for the reduced ones."""


@lru_cache(maxsize=4096)
def _turns(shape: Shape, axes: tuple[int, ...], order: tuple[int, ...] | None) -> Turns:
    """How an array of this shape lies, if its axes lie in this order, or else what is reduced is brought innermost."""
    sizes = None if order is None else _sizes(shape, axes, order)
    if order is None or sizes is None:
        order = rows_last(len(shape), axes)
        sizes = _sizes(shape, axes, order)
    assert sizes is not None
    back = tuple(order.index(axis) for axis in range(len(order)))
    kept = tuple(a for a in order if a not in axes)
    full = tuple(1 if a in axes else shape[a] for a in order)
    return Turns(order, back, order == tuple(range(len(order))), sizes, tuple(shape[a] for a in order), kept, full)


def _sizes(shape: Shape, axes: tuple[int, ...], order: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """The sizes O, A, K, B; None if kept and reduced axes take more turns."""
    sizes, turn = [1, 1, 1, 1], 0
    for axis in order:
        if shape[axis] == 1:
            continue
        if turn % 2 != (axis in axes):
            turn += 1
        if turn > 3:
            return None
        sizes[turn] *= shape[axis]
    if sizes[2] == 1 and sizes[3] == 1:  # whole rows
        sizes = [1, 1, sizes[0], sizes[1]]
    return sizes[0], sizes[1], sizes[2], sizes[3]


class Lying(NamedTuple):
    """An array as it lies in memory, as (O, A, K, B), and how to come back."""

    x: NDArray
    how: Turns

    def like(self, y: NDArray) -> NDArray:
        """Another array of the same axes, as (O, A, K, B)."""
        return _in_order(y, self.how).reshape(self.how.sizes)

    def place(self, y: NDArray) -> NDArray:
        """What lies as `x` does, with the axes of the array."""
        y = y.reshape(self.how.whole)
        return y if self.how.straight else y.transpose(self.how.back)

    def flat(self, statistic: NDArray) -> NDArray:
        """A statistic of the array's axes as (O, K)."""
        return _in_order(statistic, self.how).reshape(self.how.sizes[0], self.how.sizes[2])

    def full(self, statistic: NDArray) -> NDArray:
        """A statistic (O, K) with the array's axes, 1 for the reduced ones."""
        statistic = statistic.reshape(self.how.full)
        return statistic if self.how.straight else statistic.transpose(self.how.back)

    def spread(self, v: NDArray, along: tuple[int, ...]) -> NDArray:
        """What lies along some kept axes, repeated along all of them, as (O, K)."""
        how = self.how
        if along == how.kept:
            return np.ascontiguousarray(v).reshape(how.sizes[0], how.sizes[2])
        full, ndim = self.how.full, range(len(how.order))
        own = v.reshape([full[how.back[a]] if a in along else 1 for a in ndim])
        return self.flat(np.broadcast_to(own, [full[how.back[a]] for a in ndim]))

    def gathered(self, v: NDArray, along: tuple[int, ...]) -> NDArray:
        """The sum of a statistic (O, K) over all axes but those."""
        if along == self.how.kept:
            return v.reshape([n for n, a in zip(self.how.full, self.how.order, strict=True) if a in along])
        v = self.full(v)
        return np.asarray(np.sum(v, axis=tuple(a for a in range(v.ndim) if a not in along)))


def _in_order(y: NDArray, how: Turns) -> NDArray:
    """An array whose axes are those of the other, contiguous in the order in which that one lies."""
    return np.ascontiguousarray(y if how.straight else y.transpose(how.order))


def rows_last(ndim: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of all axes in which those that are reduced are innermost."""
    return (*(a for a in range(ndim) if a not in axes), *axes)


def lying(x: NDArray, axes: tuple[int, ...], order: tuple[int, ...] | None = None) -> Lying:
    """How x lies, in memory or in the given order of its axes: a copy only where it must be."""
    how = _turns(x.shape, axes, memory_order(x) if order is None else order)
    return Lying(_in_order(x, how).reshape(how.sizes), how)


# ---- both ways -------------------------------------------------------------------------------------------------------


def normalize(
    x: NDArray, w: NDArray, b: NDArray, *, axes: tuple[int, ...], along: tuple[int, ...], eps: float, centred: bool
) -> tuple[NDArray, NDArray, NDArray]:
    """w (x - mean) / √(variance + eps) + b, the mean, and the variance, over the axes; without `centred` the mean is 0.

    w and b lie along some axes, all kept or all reduced, and are numbers if there are none.
    """
    if x.dtype.char not in "fd" or not w.dtype == b.dtype == x.dtype:
        how: dict[str, Any] = {"axes": axes, "along": along, "eps": eps, "centred": centred}
        if (dtype := np.result_type(x, w, b)) != np.float16:
            found: tuple[NDArray, NDArray, NDArray] = _definition().normalize(x, w, b, **how)
            return found
        y, mean, variance = normalize(*(np.asarray(v, np.float32) for v in (x, w, b)), **how)
        return y.astype(dtype), mean, variance
    at = lying(x, axes)
    if along and along[0] in axes:
        at = lying(x, axes, rows_last(x.ndim, axes))
        y, mean, variance = _rows(at.x[0, 0], w.reshape(-1), b.reshape(-1), eps, centred)
    else:
        scale, shift = at.spread(w, along), at.spread(b, along)
        if x.size <= CACHED and at.x.shape[3] > 1:
            y, mean, variance = _in_cache(at.x, scale, shift, eps, centred)
            return at.place(y), at.full(mean), at.full(variance)
        mean, variance = _moments(at.x, centred)
        factor = scale / np.sqrt(variance + x.dtype.type(eps))
        y = _linear(at.x, factor, shift - mean * factor)
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
    if x.dtype.char not in "fd" or not w.dtype == g.dtype == x.dtype:
        how: dict[str, Any] = {"axes": axes, "along": along, "eps": eps, "centred": centred, "wanted": wanted}
        if np.result_type(x, w, g) != np.float16:
            back: tuple[NDArray | None, NDArray | None, NDArray | None]
            back = _definition().normalize_back(g, x, w, mean, variance, **how)
            return back
        g, x, w = (np.asarray(v, np.float32) for v in (g, x, w))
        return normalize_back(g, x, w, mean, variance, **how)
    inner = bool(along) and along[0] in axes
    order = rows_last(x.ndim, axes) if inner else None
    at = lying(x, axes, order)
    cotangent = at.like(g)
    middle, inverse = at.flat(mean), 1 / np.sqrt(at.flat(variance) + x.dtype.type(eps))
    if inner:
        dx, dw, db = _rows_back(cotangent[0, 0], at.x[0, 0], w.reshape(-1), middle[0], inverse[0], centred)
        return at.place(dx), dw.reshape(w.shape), db.reshape(w.shape)
    scale = at.spread(w, along)
    if x.size <= CACHED and at.x.shape[3] > 1:
        found, total, product = _back_in_cache(cotangent, at.x, scale, middle, inverse, centred, wanted[0])
        dw, db = at.gathered(product, along), at.gathered(total, along)
        return None if found is None else at.place(found), dw, db
    total, product = _products(cotangent, at.x, middle)
    dw, db = at.gathered(product * inverse, along), at.gathered(total, along)
    if not wanted[0]:
        return None, dw, db
    n = x.dtype.type(at.x.shape[1] * at.x.shape[3])
    factor = scale * inverse
    of_x = -factor * inverse * inverse * product / n
    rest = -factor * total / n - of_x * middle if centred else -of_x * middle
    return at.place(_combined(cotangent, at.x, factor, of_x, rest)), dw, db


# ---- a scale and a shift for each of the statistics (batch norm) -----------------------------------------------------


def scale_channels(x: NDArray, w: NDArray, b: NDArray) -> NDArray:
    """Each channel (axis 1) of x times its w plus its b."""
    if x.dtype.char not in "fd" or not w.dtype == b.dtype == x.dtype or x.size == 0:
        y: NDArray = _definition().scale_channels(x, w, b)
        return y
    at = lying(x, (0, *range(2, x.ndim)))
    if x.size <= CACHED:
        with np.errstate(invalid="ignore", over="ignore"):
            y = at.x * w[None, None, :, None]
            y += b[None, None, :, None]
        return at.place(y)
    return at.place(_linear(at.x, w.reshape(1, -1), b.reshape(1, -1)))


def _line_sums(x: NDArray, sums: NDArray) -> NDArray:
    """Sums of lines of (O, A, K, B), added in float64, as (O, K)."""
    return np.asarray(np.add.reduce(sums.reshape(x.shape[:3]), 1, np.float64))


@np.errstate(invalid="ignore", over="ignore")
def _in_cache(
    x: NDArray, scale: NDArray, shift: NDArray, eps: float, centred: bool
) -> tuple[NDArray, NDArray, NDArray]:
    """What is normalised, the mean and the variance, of (O, A, K, B) that is one block: whole passes and no others."""
    run, n, dtype = x.shape[3], x.shape[1] * x.shape[3], x.dtype
    if centred:
        mean = (_line_sums(x, x.reshape(-1, run) @ np.ones(run, dtype)) / n).astype(dtype)
        z = x - mean[:, None, :, None]
    else:
        mean, z = np.zeros((x.shape[0], x.shape[2]), dtype), x
    lines = z.reshape(-1, run)
    variance = (_line_sums(x, np.einsum("ij,ij->i", lines, lines)) / n).astype(dtype)
    factor = scale / np.sqrt(variance + dtype.type(eps))
    y = np.multiply(z, factor[:, None, :, None], out=z if centred else None)
    y += shift[:, None, :, None]
    return y, mean, variance


@np.errstate(invalid="ignore", over="ignore")
def _back_in_cache(
    g: NDArray, x: NDArray, scale: NDArray, mean: NDArray, inverse: NDArray, centred: bool, wanted: bool
) -> tuple[NDArray | None, NDArray, NDArray]:
    """The cotangents of x, of what is added, and of the scale, of (O, A, K, B) that is one block."""
    run, n, dtype = x.shape[3], x.shape[1] * x.shape[3], x.dtype
    lines, z = g.reshape(-1, run), x - mean[:, None, :, None]
    total = _line_sums(x, lines @ np.ones(run, dtype)).astype(dtype)
    product = _line_sums(x, np.einsum("ij,ij->i", z.reshape(-1, run), lines)).astype(dtype) * inverse
    if not wanted:
        return None, total, product
    factor = scale * inverse
    z *= (-factor * inverse * product / dtype.type(n))[:, None, :, None]
    if centred:
        z -= (factor * total / dtype.type(n))[:, None, :, None]
    z += g * factor[:, None, :, None]
    return z, total, product


def _share(tasks: Sequence[Task], work: Callable[[Sequence[Task]], Result], *, cost: float) -> list[Result]:
    """`share`, without a warning of infinities, whose statistics are NaN."""

    def quietly(some: Sequence[Task]) -> Result:
        with np.errstate(invalid="ignore", over="ignore"):
            return work(some)

    return share(tasks, quietly, cost=cost)


def _side_by_side(x: NDArray, *columns: NDArray) -> tuple[NDArray, ...]:
    """(O, A, K) with several rows as one, and what lies along K (O, K) as often."""
    outer, rows, width = x.shape
    times = math.gcd(rows, 1 << max(0, (ROW // max(1, width)).bit_length() - 1))
    return x.reshape(outer, rows // times, times * width), *(np.tile(c, (1, times)) for c in columns)


def _added(sums: NDArray, width: int) -> NDArray:
    """Sums of rows side by side (O, times · K), as (O, K)."""
    return np.asarray(sums.reshape(len(sums), -1, width).sum(1))


def _blocks(x: NDArray) -> list[tuple[int, slice]]:
    """Parts of (O, A, K) that fit the cache: the place in O, and rows."""
    rows = max(1, CACHED // max(1, x.shape[2]))
    return [(o, part) for o in range(len(x)) for part in split(x.shape[1], rows)]


def _moments(x: NDArray, centred: bool) -> tuple[NDArray, NDArray]:
    """Mean and variance of (O, A, K, B) as (O, K): sums of blocks in the dtype of x, the blocks in float64."""
    outer, rows, kept, run = x.shape
    n, dtype = rows * run, x.dtype
    if run > 1 or rows == 1:
        lines, ones = x.reshape(-1, run), np.ones(run, dtype)
        parts = split(len(lines), max(1, CACHED // run))

        def over(values: list[NDArray]) -> NDArray:
            return np.asarray(_line_sums(x, np.concatenate(values)) / n)

        def means(some: Sequence[slice]) -> NDArray:
            return np.concatenate([lines[part] @ ones for part in some])

        mean = over(_share(parts, means, cost=x.nbytes)).astype(dtype) if centred else np.zeros((outer, kept), dtype)
        middles = np.broadcast_to(mean[:, None], (outer, rows, kept)).reshape(-1, 1)

        def squares(some: Sequence[slice]) -> NDArray:
            spare, found = np.empty((min(len(lines), max(1, CACHED // run)), run), dtype), []
            for part in some:
                z = np.subtract(lines[part], middles[part], out=spare[: part.stop - part.start])
                found.append(np.einsum("ij,ij->i", z, z))
            return np.concatenate(found)

        return mean, over(_share(parts, squares, cost=3 * x.nbytes)).astype(dtype)
    wide, *_ = _side_by_side(x[..., 0])
    parts_of = _blocks(wide)

    def column_means(some: Sequence[tuple[int, slice]]) -> NDArray:
        sums = np.zeros((outer, wide.shape[2]))
        for o, part in some:
            sums[o] += np.ones(part.stop - part.start, dtype) @ wide[o, part]
        return sums

    total = sum(_share(parts_of, column_means, cost=x.nbytes)) if centred else np.zeros((outer, wide.shape[2]))
    mean = (_added(np.asarray(total), kept) / n).astype(dtype)
    middle = np.tile(mean, (1, wide.shape[2] // kept))

    def column_squares(some: Sequence[tuple[int, slice]]) -> NDArray:
        sums = np.zeros((outer, wide.shape[2]))
        spare = np.empty((max(1, CACHED // wide.shape[2]), wide.shape[2]), dtype)
        for o, part in some:
            z = np.subtract(wide[o, part], middle[o], out=spare[: part.stop - part.start])
            np.multiply(z, z, out=z)
            sums[o] += np.ones(len(z), dtype) @ z
        return sums

    squares_of = np.asarray(sum(_share(parts_of, column_squares, cost=4 * x.nbytes)))
    return mean, (_added(squares_of, kept) / n).astype(dtype)


def _products(g: NDArray, x: NDArray, mean: NDArray) -> tuple[NDArray, NDArray]:
    """Σ g and Σ g (x - mean), each (O, K)."""
    outer, rows, kept, run = x.shape
    dtype = x.dtype
    if run > 1 or rows == 1:
        lines, others, ones = x.reshape(-1, run), g.reshape(-1, run), np.ones(run, dtype)
        middles = np.broadcast_to(mean[:, None], (outer, rows, kept)).reshape(-1, 1)

        def sums(some: Sequence[slice]) -> NDArray:
            spare, found = np.empty((min(len(lines), max(1, CACHED // run)), run), dtype), []
            for part in some:
                z = np.subtract(lines[part], middles[part], out=spare[: part.stop - part.start])
                found.append(np.stack([others[part] @ ones, np.einsum("ij,ij->i", z, others[part])]))
            return np.concatenate(found, 1)

        found = _share(split(len(lines), max(1, CACHED // run)), sums, cost=4 * x.nbytes)
        both = np.concatenate(found, 1).astype(np.float64).reshape(2, outer, rows, kept).sum(2).astype(dtype)
        return both[0], both[1]
    wide, middle = _side_by_side(x[..., 0], mean)
    other = g.reshape(wide.shape)

    def column_sums(some: Sequence[tuple[int, slice]]) -> NDArray:
        both = np.zeros((2, outer, wide.shape[2]))
        spare = np.empty((max(1, CACHED // wide.shape[2]), wide.shape[2]), dtype)
        for o, part in some:
            z, h, ones = spare[: part.stop - part.start], other[o, part], np.ones(part.stop - part.start, dtype)
            both[0, o] += ones @ h
            np.subtract(wide[o, part], middle[o], out=z)
            both[1, o] += ones @ np.multiply(z, h, out=z)
        return both

    both = np.asarray(sum(_share(_blocks(wide), column_sums, cost=5 * x.nbytes)))
    return _added(both[0], kept).astype(dtype), _added(both[1], kept).astype(dtype)


def _linear(x: NDArray, factor: NDArray, shift: NDArray) -> NDArray:
    """factor x + shift, of (O, A, K, B) and (O, K)."""
    y = np.empty(x.shape, x.dtype)
    source, out, factors, shifts = _in_rows(x, y, factor, shift)

    def work(some: Sequence[tuple[int, slice]]) -> None:
        for o, part in some:
            f, s = (v[o] if v.shape[1] == 1 else v[o, part] for v in (factors, shifts))
            np.multiply(source[o, part], f, out=out[o, part])
            np.add(out[o, part], s, out=out[o, part])

    _share(_blocks(source), work, cost=4 * x.nbytes)
    return y


def _combined(g: NDArray, x: NDArray, of_g: NDArray, of_x: NDArray, rest: NDArray) -> NDArray:
    """of_g g + of_x x + rest, of (O, A, K, B) and (O, K)."""
    y = np.empty(x.shape, x.dtype)
    source, out, own, other, left = _in_rows(x, y, of_x, of_g, rest)
    cotangent = g.reshape(source.shape)

    def work(some: Sequence[tuple[int, slice]]) -> None:
        spare = np.empty((min(source.shape[1], max(1, CACHED // source.shape[2])), source.shape[2]), x.dtype)
        for o, part in some:
            a, b, c = (v[o] if v.shape[1] == 1 else v[o, part] for v in (own, other, left))
            z, into = spare[: part.stop - part.start], out[o, part]
            np.multiply(source[o, part], a, out=into)
            np.add(into, c, out=into)
            np.add(into, np.multiply(cotangent[o, part], b, out=z), out=into)

    _share(_blocks(source), work, cost=6 * x.nbytes)
    return y


def _in_rows(x: NDArray, y: NDArray, *values: NDArray) -> tuple[NDArray, ...]:
    """x and y as (·, rows, columns), and values (O, K) as they broadcast against these rows."""
    outer, rows, kept, run = x.shape
    if run > 1 or rows == 1:  # (1, O·A·K, B)
        repeated = (np.broadcast_to(v[:, None], (outer, rows, kept)).reshape(1, -1, 1) for v in values)
        return x.reshape(1, -1, run), y.reshape(1, -1, run), *repeated
    wide, *tiled = _side_by_side(x[..., 0], *values)
    return wide, y.reshape(wide.shape), *(v[:, None] for v in tiled)


# ---- statistics of each row, scale and shift along it (layer norm) ---------------------------------------------------


def _rows(x: NDArray, w: NDArray, b: NDArray, eps: float, centred: bool) -> tuple[NDArray, NDArray, NDArray]:
    """Each row normalised, times w, plus b; its mean and its variance as (1, rows)."""
    rows, width = x.shape
    y, mean, variance = np.empty_like(x), np.zeros((rows, 1), x.dtype), np.empty((rows, 1), x.dtype)
    part_of, n, least = np.full((width, 1), 1 / width, x.dtype), x.dtype.type(width), x.dtype.type(eps)

    def work(some: Sequence[slice]) -> None:
        for part in some:
            source, z = x[part], y[part]
            if centred:
                np.matmul(source, part_of, out=mean[part])
                source = np.subtract(source, mean[part], out=z)
            variance[part, 0] = np.einsum("ij,ij->i", source, source) / n
            np.multiply(source, 1 / np.sqrt(variance[part] + least), out=z)
            np.multiply(z, w, out=z)
            np.add(z, b, out=z)

    _share(split(rows, max(1, CACHED // width)), work, cost=6 * x.nbytes)
    return y, mean.T, variance.T


def _rows_back(
    g: NDArray, x: NDArray, w: NDArray, mean: NDArray, inverse: NDArray, centred: bool
) -> tuple[NDArray, NDArray, NDArray]:
    """The cotangents of x, w and b of `_rows`."""
    rows, width = x.shape
    dx, column, n = np.empty_like(x), w[:, None], x.dtype.type(width)
    means, inverses = mean[:, None], inverse[:, None]

    def work(some: Sequence[slice]) -> NDArray:
        spare, sums = np.empty((2, min(rows, max(1, CACHED // width)), width), x.dtype), np.zeros((2, width))
        for part in some:
            h, into, count = g[part], dx[part], part.stop - part.start
            z, t = spare[:, :count]
            ones = np.ones(count, x.dtype)
            np.multiply(np.subtract(x[part], means[part], out=z), inverses[part], out=z)  # the normalised rows
            np.multiply(h, z, out=t)
            sums[0] += ones @ t
            sums[1] += ones @ h
            np.multiply(z, (t @ column) / n, out=z)
            np.multiply(h, w, out=into)
            np.subtract(into, z, out=into)
            if centred:
                np.subtract(into, (h @ column) / n, out=into)
            np.multiply(into, inverses[part], out=into)
        return sums

    sums = np.asarray(sum(_share(split(rows, max(1, CACHED // width)), work, cost=8 * x.nbytes))).astype(x.dtype)
    return dx, sums[0], sums[1]
