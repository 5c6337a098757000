"""The maximum of windows and its adjoint, one pass over memory each; compare `kernels.pool`."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pair
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import exact, inlined, prange, shared
from tinygrad_cnn.kernels.compiled.layout import DTYPES, SHORTEST_RUN, from_planes, planes
from tinygrad_cnn.kernels.compiled.panel import copy_run
from tinygrad_cnn.kernels.passes import NOTHING
from tinygrad_cnn.kernels.pool import border, first_inside, pooled_size

TWO: Pair = (2, 2)


def max_pool2d(
    x: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[NDArray, NDArray]:
    """The maximum of each window of x (N,C,H,W), and the tap of the window where it stood: i·KW + j, a byte.

    The first maximum in row-major order wins; a NaN counts as the largest, the last one of a window winning.
    """
    geometry = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    if x.dtype not in DTYPES or x.size == 0 or kernel_size[0] * kernel_size[1] > 256:
        return numpy_set.max_pool2d(x, **geometry, ceil_mode=ceil_mode)
    size = x.shape[2], x.shape[3]
    out = pooled_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    edge = border(size, out, kernel_size, stride, padding, dilation)
    source = planes(x, edge, -np.inf)
    y = np.empty((x.shape[1], *out, len(x)), x.dtype)
    winner = np.empty(y.shape, np.uint8)
    cost = source.nbytes + y.nbytes
    if len(x) == 1 and kernel_size == stride == TWO and dilation == (1, 1) and edge == NOTHING:
        _maxima_of_four(source[..., 0], y[..., 0], winner[..., 0], cost=cost)
    elif len(x) >= SHORTEST_RUN and kernel_size == TWO and dilation == (1, 1) and edge == NOTHING:
        _maxima_of_four_runs(source, y, winner, stride, marks_of(x), cost=cost)
    else:
        first = np.repeat(first_inside(size, out, kernel_size, stride, padding, dilation), len(x), axis=1)
        _maxima(source, first, y, winner, kernel_size, stride, dilation, marks_of(x), cost=cost)
    return from_planes(y), from_planes(winner)


def marks_of(x: NDArray) -> NDArray:
    """No integers, as wide as the values: so that one mask of a vector chooses the value and its tap."""
    return np.empty(0, np.int32 if x.itemsize == 4 else np.int64)


def window_put(
    g: NDArray, winner: NDArray, *, input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> NDArray:
    """Zeros (N,C,H,W) with each g added under the tap `winner` of its window."""
    if g.dtype not in DTYPES or winner.dtype != np.uint8 or g.size == 0:
        return numpy_set.window_put(
            g,
            winner,
            input_size=input_size,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
        )
    out = g.shape[2], g.shape[3]
    (top, bottom), (left, right) = border(input_size, out, kernel_size, stride, padding, dilation)
    source, at = planes(g), planes(winner)
    canvas = np.empty((g.shape[1], input_size[0] + top + bottom, input_size[1] + left + right, len(g)), g.dtype)
    tiled = (
        kernel_size == stride and dilation == (1, 1) and canvas.shape[1:3] == (out[0] * stride[0], out[1] * stride[1])
    )
    cost = canvas.nbytes + g.nbytes
    if tiled and len(g) == 1 and kernel_size == TWO:
        _put_in_fours(source[..., 0], at[..., 0], canvas[..., 0], cost=cost)
    else:
        in_tiles = tiled and len(g) >= SHORTEST_RUN
        _put(source, at, canvas, in_tiles, kernel_size, stride, dilation, marks_of(g), cost=cost)
    return from_planes(canvas[:, top : top + input_size[0], left : left + input_size[1]])


# ---- rows of windows as runs -----------------------------------------------------------------------------------------
# Under one tap, the windows of a row see elements `stride` columns apart. With the columns of a row sorted by their
# remainder, which is a copy in the cache, these are one run of all windows and images, however few the images are.


@inlined
def _line(width: int, n: int, stride: int) -> int:
    """Elements of a row so sorted."""
    return -(-width // stride) * n * stride


@inlined
def _under(row: int, column: int, line: int, n: int, stride: int) -> int:
    """Where the run under a tap begins."""
    return row * line + column % stride * (line // stride) + column // stride * n


@exact
def _sorted(x: NDArray, stride: int) -> NDArray:
    """The rows of x (H,W,N), each with its columns by their remainder, flat."""
    height, width, n = x.shape
    line = _line(width, n, stride)
    y, source = np.empty(height * line, x.dtype), x.reshape(-1)
    for i in range(height):
        if n == 1 and stride == 2:
            row, even, odd = source[i * width :], y[i * line :], y[i * line + line // 2 :]
            for q in range(width // 2):
                even[q], odd[q] = row[2 * q], row[2 * q + 1]
            if width % 2:
                even[width // 2] = row[width - 1]
        else:
            for first in range(stride):
                into = i * line + first * (line // stride)
                for q in range(first, width, stride):
                    copy_run(source, (i * width + q) * n, y, into, n)
                    into += n
    return y


@exact
def _sort_back(y: NDArray, x: NDArray, stride: int) -> None:
    """x (H,W,N) of its sorted rows y; the inverse of `_sorted`."""
    height, width, n = x.shape
    line, into = _line(width, n, stride), x.reshape(-1)
    for i in range(height):
        if n == 1 and stride == 2:
            row, even, odd = into[i * width :], y[i * line :], y[i * line + line // 2 :]
            for q in range(width // 2):
                row[2 * q], row[2 * q + 1] = even[q], odd[q]
            if width % 2:
                row[width - 1] = even[width // 2]
        else:
            for first in range(stride):
                at = i * line + first * (line // stride)
                for q in range(first, width, stride):
                    copy_run(y, at, into, (i * width + q) * n, n)
                    at += n


# ---- maxima ----------------------------------------------------------------------------------------------------------


@inlined
def _larger(value: Any, mark: Any, other: Any, tap: Any) -> tuple[Any, Any]:
    """The larger value and its tap: the first of equals, the last NaN. Both are known: no branch, so it is vectors."""
    better = (other > value) | (other != other)
    return other if better else value, tap if better else mark


@shared
def _maxima(
    x: NDArray,
    first: NDArray,
    y: NDArray,
    winner: NDArray,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    marks: NDArray,
    shares: int,
) -> None:
    for share in prange(shares):
        for c in range(len(y) * share // shares, len(y) * (share + 1) // shares):
            _maxima_of_a_plane(x[c], first, y[c], winner[c], kernel, stride, dilation, marks)


@exact
def _maxima_of_a_plane(
    x: NDArray,
    first: NDArray,
    y: NDArray,
    winner: NDArray,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    marks: NDArray,
) -> None:
    rows, columns, n = y.shape
    run, line = columns * n, _line(x.shape[1], n, stride[1])
    flat = x.reshape(-1) if stride[1] == 1 else _sorted(x, stride[1])
    mark = np.empty(run, marks.dtype)
    for p in range(rows):
        best, at, top = y[p].reshape(-1), winner[p].reshape(-1), p * stride[0]
        for k in range(run):
            mark[k] = first[p, k]
        if kernel == (3, 3):
            _maxima_of_nine(flat, top, line, n, best, mark, stride[1], dilation)
        else:
            value = flat[_under(top, 0, line, n, stride[1]) :]
            for k in range(run):
                best[k] = value[k]
            for t in range(1, kernel[0] * kernel[1]):
                i, j = divmod(t, kernel[1])
                value, tap = (
                    flat[_under(top + i * dilation[0], j * dilation[1], line, n, stride[1]) :],
                    mark.dtype.type(t),
                )
                for k in range(run):
                    best[k], mark[k] = _larger(best[k], mark[k], value[k], tap)
        for k in range(run):
            at[k] = mark[k]


@exact
def _maxima_of_nine(
    x: NDArray, top: int, line: int, n: int, best: NDArray, mark: NDArray, stride: int, dilation: Pair
) -> None:
    """The windows of 3×3 of one row, in one pass: a third of the time of nine."""
    kind = mark.dtype.type
    middle, last = dilation[1], 2 * dilation[1]
    a, b, c = (
        x[_under(top, 0, line, n, stride) :],
        x[_under(top, middle, line, n, stride) :],
        x[_under(top, last, line, n, stride) :],
    )
    row = top + dilation[0]
    d, e, f = (
        x[_under(row, 0, line, n, stride) :],
        x[_under(row, middle, line, n, stride) :],
        x[_under(row, last, line, n, stride) :],
    )
    row += dilation[0]
    g, h, i = (
        x[_under(row, 0, line, n, stride) :],
        x[_under(row, middle, line, n, stride) :],
        x[_under(row, last, line, n, stride) :],
    )
    for k in range(len(mark)):
        value, m = _larger(a[k], mark[k], b[k], kind(1))
        value, m = _larger(value, m, c[k], kind(2))
        value, m = _larger(value, m, d[k], kind(3))
        value, m = _larger(value, m, e[k], kind(4))
        value, m = _larger(value, m, f[k], kind(5))
        value, m = _larger(value, m, g[k], kind(6))
        value, m = _larger(value, m, h[k], kind(7))
        best[k], mark[k] = _larger(value, m, i[k], kind(8))


@shared
def _maxima_of_four_runs(x: NDArray, y: NDArray, winner: NDArray, stride: Pair, marks: NDArray, shares: int) -> None:
    """Windows of 2×2, of runs of images: x (C,H,W,N), y (C,P,Q,N)."""
    for share in prange(shares):
        for c in range(len(y) * share // shares, len(y) * (share + 1) // shares):
            _maxima_of_four_runs_in_a_plane(x[c], y[c], winner[c], stride, marks)


@exact
def _maxima_of_four_runs_in_a_plane(x: NDArray, y: NDArray, winner: NDArray, stride: Pair, marks: NDArray) -> None:
    """The marks are narrowed in a loop of their own: else the vectors are as narrow as a byte lets them be."""
    rows, columns, n = y.shape
    mark = np.empty(n, marks.dtype)
    kind = marks.dtype.type
    for p in range(rows):
        for q in range(columns):
            i, j = p * stride[0], q * stride[1]
            a, b, c, d = x[i, j], x[i, j + 1], x[i + 1, j], x[i + 1, j + 1]
            best, at = y[p, q], winner[p, q]
            for k in range(n):
                value, m = _larger(a[k], kind(0), b[k], kind(1))
                value, m = _larger(value, m, c[k], kind(2))
                best[k], mark[k] = _larger(value, m, d[k], kind(3))
            for k in range(n):
                at[k] = mark[k]


@shared
def _maxima_of_four(x: NDArray, y: NDArray, winner: NDArray, shares: int) -> None:
    """Windows of 2×2 side by side, of one image: x (C,H,W). As vectors a tenth of the time of windows one by one."""
    for share in prange(shares):
        for c in range(len(y) * share // shares, len(y) * (share + 1) // shares):
            _maxima_of_four_in_a_plane(x[c], y[c], winner[c])


@exact
def _maxima_of_four_in_a_plane(x: NDArray, y: NDArray, winner: NDArray) -> None:
    for p in range(y.shape[0]):
        for q in range(y.shape[1]):
            value, at = _larger(x[2 * p, 2 * q], np.int32(0), x[2 * p, 2 * q + 1], np.int32(1))
            value, at = _larger(value, at, x[2 * p + 1, 2 * q], np.int32(2))
            y[p, q], winner[p, q] = _larger(value, at, x[2 * p + 1, 2 * q + 1], np.int32(3))


# ---- and back --------------------------------------------------------------------------------------------------------


@shared
def _put(
    g: NDArray,
    winner: NDArray,
    x: NDArray,
    in_tiles: bool,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    marks: NDArray,
    shares: int,
) -> None:
    """x: g under the taps; `in_tiles` if windows make up x without overlap."""
    for share in prange(shares):
        for c in range(len(g) * share // shares, len(g) * (share + 1) // shares):
            if in_tiles:
                _put_tiles(g[c], winner[c], x[c], kernel)
            else:
                _put_rows(g[c], winner[c], x[c], kernel, stride, dilation, marks)


@exact
def _put_tiles(g: NDArray, winner: NDArray, x: NDArray, tiles: Pair) -> None:
    """Every element of x is written once."""
    rows, columns, n = g.shape
    for p in range(rows):
        for i in range(tiles[0]):
            for q in range(columns):
                value, at = g[p, q], winner[p, q]
                for j in range(tiles[1]):
                    into, mark = x[p * tiles[0] + i, q * tiles[1] + j], np.uint8(i * tiles[1] + j)
                    for k in range(n):
                        into[k] = value[k] if at[k] == mark else 0


@shared
def _put_in_fours(g: NDArray, winner: NDArray, x: NDArray, shares: int) -> None:
    """Windows of 2×2 that make up x (C,H,W), of one image."""
    for share in prange(shares):
        for c in range(len(g) * share // shares, len(g) * (share + 1) // shares):
            _put_in_fours_of_a_plane(g[c], winner[c], x[c])


@exact
def _put_in_fours_of_a_plane(g: NDArray, winner: NDArray, x: NDArray) -> None:
    zero = x.dtype.type(0)
    for p in range(g.shape[0]):
        for i in range(2):
            for q in range(g.shape[1]):
                value, at = g[p, q], np.int32(winner[p, q]) - 2 * i
                x[2 * p + i, 2 * q] = value if at == 0 else zero
                x[2 * p + i, 2 * q + 1] = value if at == 1 else zero


@exact
def _put_rows(
    g: NDArray, winner: NDArray, x: NDArray, kernel: Pair, stride: Pair, dilation: Pair, marks: NDArray
) -> None:
    """A row of windows after the other, tap by tap."""
    rows, columns, n = g.shape
    run, line, zero = columns * n, _line(x.shape[1], n, stride[1]), g.dtype.type(0)
    flat = x.reshape(-1) if stride[1] == 1 else np.empty(len(x) * line, x.dtype)
    for k in range(flat.size):
        flat[k] = zero
    mark = np.empty(run, marks.dtype)
    for p in range(rows):
        value, at = g[p].reshape(-1), winner[p].reshape(-1)
        for k in range(run):
            mark[k] = at[k]
        for t in range(kernel[0] * kernel[1]):
            i, j = divmod(t, kernel[1])
            start = _under(p * stride[0] + i * dilation[0], j * dilation[1], line, n, stride[1])
            into, tap = flat[start:], mark.dtype.type(t)
            for k in range(run):
                into[k] += value[k] if mark[k] == tap else zero
    if stride[1] != 1:
        _sort_back(flat, x, stride[1])
