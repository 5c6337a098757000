"""The maximum of windows and its adjoint, one pass over memory each; compare `kernels.pool`."""

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pair
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import exact, prange, shared
from tinygrad_cnn.kernels.compiled.layout import DTYPES, SHORTEST_RUN, from_planes, planes
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
    else:
        by_window = len(x) < SHORTEST_RUN
        first = first_inside(size, out, kernel_size, stride, padding, dilation)
        _maxima(source, first, y, winner, kernel_size, stride, dilation, by_window, cost=cost)
    return from_planes(y), from_planes(winner)


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
        tiles = kernel_size if tiled and len(g) >= SHORTEST_RUN else (0, 0)
        _put(source, at, canvas, tiles, kernel_size[1], stride, dilation, cost=cost)
    return from_planes(canvas[:, top : top + input_size[0], left : left + input_size[1]])


@shared
def _maxima(
    x: NDArray,
    first: NDArray,
    y: NDArray,
    winner: NDArray,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    by_window: bool,
    shares: int,
) -> None:
    for share in prange(shares):
        for c in range(len(y) * share // shares, len(y) * (share + 1) // shares):
            if by_window:
                _maxima_by_window(x[c], first, y[c], winner[c], kernel, stride, dilation)
            else:
                _maxima_by_tap(x[c], first, y[c], winner[c], kernel, stride, dilation)


@exact
def _maxima_by_tap(
    x: NDArray, first: NDArray, y: NDArray, winner: NDArray, kernel: Pair, stride: Pair, dilation: Pair
) -> None:
    rows, columns, n = y.shape
    for p in range(rows):
        for q in range(columns):
            best, at = y[p, q], winner[p, q]
            value = x[p * stride[0], q * stride[1]]
            for k in range(n):
                best[k] = value[k]
                at[k] = first[p, q]
            for t in range(kernel[0] * kernel[1]):
                i, j = divmod(t, kernel[1])
                value, mark = x[p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]], np.uint8(t)
                for k in range(n):
                    better = (value[k] > best[k]) | (value[k] != value[k])
                    best[k] = value[k] if better else best[k]
                    at[k] = mark if better else at[k]


@exact
def _maxima_by_window(
    x: NDArray, first: NDArray, y: NDArray, winner: NDArray, kernel: Pair, stride: Pair, dilation: Pair
) -> None:
    rows, columns, n = y.shape
    for p in range(rows):
        for q in range(columns):
            for k in range(n):
                best, at = x[p * stride[0], q * stride[1], k], first[p, q]
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        value = x[p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1], k]
                        better = (value > best) | (value != value)  # no branch: which one wins is chance
                        best, at = value if better else best, i * kernel[1] + j if better else at
                y[p, q, k], winner[p, q, k] = best, at


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
            best, at = x[2 * p, 2 * q], np.int32(0)
            value = x[2 * p, 2 * q + 1]
            better = (value > best) | (value != value)
            best, at = value if better else best, np.int32(1) if better else at
            value = x[2 * p + 1, 2 * q]
            better = (value > best) | (value != value)
            best, at = value if better else best, np.int32(2) if better else at
            value = x[2 * p + 1, 2 * q + 1]
            better = (value > best) | (value != value)
            y[p, q], winner[p, q] = value if better else best, np.int32(3) if better else at


@shared
def _put(
    g: NDArray, winner: NDArray, x: NDArray, tiles: Pair, width: int, stride: Pair, dilation: Pair, shares: int
) -> None:
    """x: g under the taps; `tiles` is the size of windows that make up x, else (0, 0)."""
    for share in prange(shares):
        for c in range(len(g) * share // shares, len(g) * (share + 1) // shares):
            if tiles[0]:
                _put_tiles(g[c], winner[c], x[c], tiles)
            else:
                _put_one_by_one(g[c], winner[c], x[c], width, stride, dilation)


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
def _put_one_by_one(g: NDArray, winner: NDArray, x: NDArray, width: int, stride: Pair, dilation: Pair) -> None:
    rows, columns, n = g.shape
    flat = x.reshape(-1)
    for k in range(flat.size):
        flat[k] = 0
    for p in range(rows):
        for q in range(columns):
            for k in range(n):
                i, j = divmod(np.int64(winner[p, q, k]), width)
                x[p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1], k] += g[p, q, k]
