"""Pooling: the maximum of each window and where it stood, reading and writing there, and averages."""

from collections.abc import Iterator

import numpy as np

from tinygrad_cnn.kernels.geometry import ceil_output_size, output_size, padded, tap
from tinygrad_cnn.types import NDArray, Pads, Pair


def pooled_size(size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool) -> Pair:
    """The size of the result of a pooling."""
    measure = ceil_output_size if ceil_mode else lambda n, k, s, p, d: output_size(n, k, s, 2 * p, d)
    h, w = (measure(size[a], kernel[a], stride[a], padding[a], dilation[a]) for a in (0, 1))
    return h, w


def _border(size: Pair, out: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Pads:
    """Padding on each side such that every window, an incomplete last one too, lies inside."""
    top, left = (
        (
            padding[a],
            max(0, (out[a] - 1) * stride[a] + dilation[a] * (kernel[a] - 1) + 1 - size[a] - padding[a]),
        )
        for a in (0, 1)
    )
    return top, left


def _taps(out: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Iterator[tuple[int, int, tuple[slice, slice]]]:
    """The places of each tap of the window, in row-major order."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            yield i, j, (tap(i, stride[0], dilation[0], out[0]), tap(j, stride[1], dilation[1], out[1]))


def max_pool2d(
    x: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[NDArray, NDArray]:
    """The maximum of each window of x (N,C,H,W), and its place in the flattened plane, H·W.

    The first maximum in row-major order wins. A NaN counts as the largest, the last one of a window winning,
    as in PyTorch. Padding never wins.
    """
    size = x.shape[2], x.shape[3]
    out = pooled_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    canvas = padded(x, _border(size, out, kernel_size, stride, padding, dilation), lowest)
    taps = list(_taps(out, kernel_size, stride, dilation))
    y = canvas[:, :, *taps[0][2]].copy()
    for _, _, place in taps[1:]:
        np.maximum(y, canvas[:, :, *place], out=y)

    first = np.zeros(y.shape, np.int64)
    rows = np.arange(out[0])[:, None] * stride[0] - padding[0]
    columns = np.arange(out[1]) * stride[1] - padding[1]
    for i, j, place in reversed(taps):
        at_tap = (rows + i * dilation[0]) * size[1] + (columns + j * dilation[1])
        inside = (rows + i * dilation[0] >= 0) & (columns + j * dilation[1] >= 0)
        inside = inside & (rows + i * dilation[0] < size[0]) & (columns + j * dilation[1] < size[1])
        first = np.where((canvas[:, :, *place] == y) & inside, at_tap, first)
    if x.dtype.kind == "f" and np.isnan(y).any():
        for i, j, place in taps:
            at_tap = (rows + i * dilation[0]) * size[1] + (columns + j * dilation[1])
            first = np.where(np.isnan(canvas[:, :, *place]), at_tap, first)
    return y, first


def window_take(x: NDArray, indices: NDArray) -> NDArray:
    """The elements of the planes of x (N,C,H,W) at flat indices (N,C,OH,OW)."""
    n, c = indices.shape[:2]
    return np.take_along_axis(x.reshape(n, c, -1), indices.reshape(n, c, -1), axis=2).reshape(indices.shape)


def window_put(g: NDArray, indices: NDArray, *, input_size: Pair, overlapping: bool) -> NDArray:
    """The adjoint of `window_take`: zeros (N,C,H,W) with g added at the indices."""
    n, c = indices.shape[:2]
    planes = np.zeros((n, c, input_size[0] * input_size[1]), g.dtype)
    if not overlapping:  # no place is written twice
        np.put_along_axis(planes, indices.reshape(n, c, -1), g.reshape(n, c, -1), axis=2)
    else:
        plane = np.arange(n * c).reshape(n, c, 1, 1) * planes.shape[2]
        np.add.at(planes.reshape(-1), (indices + plane).reshape(-1), g.reshape(-1))
    return planes.reshape(n, c, *input_size)


def avg_pool2d(
    x: NDArray,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> NDArray:
    """The mean of each window; what it is divided by follows PyTorch (see `divisors`)."""
    size = x.shape[2], x.shape[3]
    out = pooled_size(size, kernel_size, stride, padding, (1, 1), ceil_mode)
    canvas = padded(x, _border(size, out, kernel_size, stride, padding, (1, 1)))
    y = np.zeros((*x.shape[:2], *out), x.dtype)
    for _, _, place in _taps(out, kernel_size, stride, (1, 1)):
        y += canvas[:, :, *place]
    over = divisors(size, out, kernel_size, stride, padding, count_include_pad, divisor_override)
    return np.asarray(y / over.astype(x.dtype))


def avg_pool2d_input(
    g: NDArray,
    *,
    input_size: Pair,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor_override: int | None,
) -> NDArray:
    """The adjoint of `avg_pool2d`: each g spread evenly over its window."""
    out = g.shape[2], g.shape[3]
    (top, bottom), (left, right) = _border(input_size, out, kernel_size, stride, padding, (1, 1))
    share = g / divisors(input_size, out, kernel_size, stride, padding, count_include_pad, divisor_override).astype(
        g.dtype
    )
    canvas = np.zeros((*g.shape[:2], input_size[0] + top + bottom, input_size[1] + left + right), g.dtype)
    for _, _, place in _taps(out, kernel_size, stride, (1, 1)):
        canvas[:, :, *place] += share
    return canvas[:, :, top : top + input_size[0], left : left + input_size[1]]


def divisors(
    size: Pair,
    out: Pair,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    override: int | None,
) -> NDArray:
    """Per window (OH,OW): the override, the elements inside the padded plane, or those inside the plane."""
    if override is not None:
        return np.full(out, override)
    lengths = []
    for n, o, k, s, p in zip(size, out, kernel, stride, padding, strict=True):
        start = np.arange(o) * s - p
        end = np.minimum(start + k, n + p)
        lengths.append(end - start if count_include_pad else np.minimum(end, n) - np.maximum(start, 0))
    rows, columns = lengths
    return np.asarray(np.outer(rows, columns))
