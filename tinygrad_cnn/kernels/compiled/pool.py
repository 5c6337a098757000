"""The maximum of windows and its adjoint, one pass over memory each; compare `kernels.pool`."""

import numpy as np

from tinygrad_cnn.kernels import pool as plain
from tinygrad_cnn.kernels.compiled.jit import exact
from tinygrad_cnn.kernels.compiled.layout import DTYPES, images, planes
from tinygrad_cnn.kernels.threads import share_evenly
from tinygrad_cnn.types import NDArray, Pair

FEW_IMAGES = 8
"""Below this number runs of images are too short to be vectors."""


def max_pool2d(
    x: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[NDArray, NDArray]:
    """The maximum of each window of x (N,C,H,W), and the tap of the window where it stood: i·KW + j, a byte.

    The first maximum in row-major order wins; a NaN counts as the largest, the last one of a window winning.
    """
    geometry = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    if x.dtype not in DTYPES or x.size == 0 or kernel_size[0] * kernel_size[1] > 256:
        return plain.max_pool2d(x, **geometry, ceil_mode=ceil_mode)
    size = x.shape[2], x.shape[3]
    out = plain.pooled_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    border = plain.border(size, out, kernel_size, stride, padding, dilation)
    source = planes(x, border, -np.inf)
    first = plain.first_inside(size, out, kernel_size, stride, padding, dilation)
    y = np.empty((x.shape[1], *out, len(x)), x.dtype)
    winner = np.empty(y.shape, np.uint8)
    loop = _maxima_one_by_one if len(x) < FEW_IMAGES else _maxima

    def work(some: slice) -> None:
        loop(source[some], first, y[some], winner[some], kernel_size, stride, dilation)

    share_evenly(len(y), work, source.nbytes + y.nbytes)
    return images(y), images(winner)


def window_put(
    g: NDArray, winner: NDArray, *, input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> NDArray:
    """Zeros (N,C,H,W) with each g added under the tap `winner` of its window."""
    if g.dtype not in DTYPES or winner.dtype != np.uint8 or g.size == 0:
        return plain.window_put(
            g,
            winner,
            input_size=input_size,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
        )
    out = g.shape[2], g.shape[3]
    (top, bottom), (left, right) = plain.border(input_size, out, kernel_size, stride, padding, dilation)
    source, at = planes(g), planes(winner)
    few = len(g) < FEW_IMAGES
    canvas = np.empty((g.shape[1], input_size[0] + top + bottom, input_size[1] + left + right, len(g)), g.dtype)
    tiled = (
        kernel_size == stride and dilation == (1, 1) and canvas.shape[1:3] == (out[0] * stride[0], out[1] * stride[1])
    )

    def work(some: slice) -> None:
        if tiled and not few:
            _tile(source[some], at[some], canvas[some], kernel_size)
        else:
            canvas[some] = 0
            _put(source[some], at[some], canvas[some], kernel_size[1], stride, dilation)

    share_evenly(len(canvas), work, canvas.nbytes + g.nbytes)
    return images(canvas[:, top : top + input_size[0], left : left + input_size[1]])


@exact
def _maxima(
    x: NDArray, first: NDArray, y: NDArray, winner: NDArray, kernel: Pair, stride: Pair, dilation: Pair
) -> None:
    """Tap by tap, for all images of a window at once."""
    channels, rows, columns, n = y.shape
    for c in range(channels):
        for p in range(rows):
            for q in range(columns):
                best, at = y[c, p, q], winner[c, p, q]
                value = x[c, p * stride[0], q * stride[1]]
                for k in range(n):
                    best[k] = value[k]
                    at[k] = first[p, q]
                for t in range(kernel[0] * kernel[1]):
                    i, j = divmod(t, kernel[1])
                    value, mark = x[c, p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]], np.uint8(t)
                    for k in range(n):
                        better = (value[k] > best[k]) | (value[k] != value[k])
                        best[k] = value[k] if better else best[k]
                        at[k] = mark if better else at[k]


@exact
def _maxima_one_by_one(
    x: NDArray, first: NDArray, y: NDArray, winner: NDArray, kernel: Pair, stride: Pair, dilation: Pair
) -> None:
    """Window by window, of each image."""
    channels, rows, columns, n = y.shape
    for c in range(channels):
        for p in range(rows):
            for q in range(columns):
                for k in range(n):
                    best, at = x[c, p * stride[0], q * stride[1], k], first[p, q]
                    for i in range(kernel[0]):
                        for j in range(kernel[1]):
                            value = x[c, p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1], k]
                            if value > best or value != value:
                                best, at = value, i * kernel[1] + j
                    y[c, p, q, k], winner[c, p, q, k] = best, at


@exact
def _tile(g: NDArray, winner: NDArray, x: NDArray, kernel: Pair) -> None:
    """Windows side by side make up x: every element is written once."""
    channels, rows, columns, n = g.shape
    for c in range(channels):
        for p in range(rows):
            for i in range(kernel[0]):
                for q in range(columns):
                    value, at = g[c, p, q], winner[c, p, q]
                    for j in range(kernel[1]):
                        into, mark = x[c, p * kernel[0] + i, q * kernel[1] + j], np.uint8(i * kernel[1] + j)
                        for k in range(n):
                            into[k] = value[k] if at[k] == mark else 0


@exact
def _put(g: NDArray, winner: NDArray, x: NDArray, width: int, stride: Pair, dilation: Pair) -> None:
    channels, rows, columns, n = g.shape
    for c in range(channels):
        for p in range(rows):
            for q in range(columns):
                for k in range(n):
                    i, j = divmod(np.int64(winner[c, p, q, k]), width)
                    x[c, p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1], k] += g[c, p, q, k]
