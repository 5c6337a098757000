"""Convolution and its two gradients as blocked im2col + GEMM (Chellapilla, Puri, Simard 2006).

All three are contractions of one trilinear form of x (N,C,H,W), w (O,C/G,KH,KW) and g (N,O,OH,OW). Columns are
built for a few images at a time, so that they stay in cache; never for the whole batch.
"""

from collections.abc import Iterator

import numpy as np

from tinygrad_cnn.kernels.geometry import output_size, padded, tap, windows
from tinygrad_cnn.types import NDArray, Pads, Pair

BLOCK_ELEMENTS = 1 << 18
"""Elements of the column matrix built at once: 1 MiB of float32, half of a usual second-level cache."""


def conv2d(
    x: NDArray,
    w: NDArray,
    b: NDArray | None = None,
    *,
    stride: Pair,
    padding: Pads,
    dilation: Pair,
    groups: int,
) -> NDArray:
    """y[n,o,p,q] = b[o] + Σ_cij w[o,c,i,j] x[n,c, p·stride + i·dilation - pad, …], per group of channels."""
    n, _, h, width = x.shape
    o, _, *kernel = w.shape
    oh = output_size(h, kernel[0], stride[0], sum(padding[0]), dilation[0])
    ow = output_size(width, kernel[1], stride[1], sum(padding[1]), dilation[1])
    y = np.empty((n, o, oh, ow), np.result_type(x, w))
    rows = np.ascontiguousarray(w).reshape(groups, o // groups, -1)  # (G,O/G,K)
    flat = y.reshape(n, groups, o // groups, oh * ow)
    for block, columns in im2col_blocks(x, (kernel[0], kernel[1]), stride, padding, dilation, groups):
        np.matmul(rows, columns, out=flat[block])
    if b is not None:
        y += b[:, None, None]
    return y


def conv2d_weight(
    x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in w: Σ over images and places of g[n,o,p,q] times the window of x that y[n,·,p,q] saw."""
    n, o, oh, ow = g.shape
    channels = x.shape[1] // groups
    flat = np.ascontiguousarray(g).reshape(n, groups, o // groups, oh * ow)
    d = np.zeros((groups, o // groups, channels * kernel_size[0] * kernel_size[1]), np.result_type(x, g))
    for block, columns in im2col_blocks(x, kernel_size, stride, padding, dilation, groups):
        d += np.matmul(flat[block], columns.swapaxes(-1, -2)).sum(axis=0)
    return d.reshape(o, channels, *kernel_size)


def conv2d_input(
    g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in x: each g[n,o,p,q] times w[o] added to the window it came from (col2im)."""
    n, o, oh, ow = g.shape
    _, channels, kh, kw = w.shape
    (top, bottom), (left, right) = padding
    h, width = input_size
    dtype = np.result_type(g, w)
    out = np.empty((n, groups * channels, h, width), dtype)
    columns_of = np.ascontiguousarray(w).reshape(groups, o // groups, -1).swapaxes(-1, -2)  # (G,K,O/G)
    flat = np.ascontiguousarray(g).reshape(n, groups, o // groups, oh * ow)
    for block in blocks(n, groups * channels * kh * kw * oh * ow):
        columns = np.matmul(columns_of, flat[block])  # (n,G,K,P)
        taps = columns.reshape(len(columns), groups * channels, kh, kw, oh, ow)
        canvas = np.zeros((len(columns), groups * channels, h + top + bottom, width + left + right), dtype)
        for i in range(kh):
            rows = tap(i, stride[0], dilation[0], oh)
            for j in range(kw):
                canvas[:, :, rows, tap(j, stride[1], dilation[1], ow)] += taps[:, :, i, j]
        out[block] = canvas[:, :, top : top + h, left : left + width]
    return out


def blocks(n: int, elements: int) -> Iterator[slice]:
    """Slices of a batch of n images whose columns, `elements` an image, fit the cache together."""
    size = max(1, BLOCK_ELEMENTS // max(1, elements))
    return (slice(k, min(k + size, n)) for k in range(0, n, size))


def im2col_blocks(
    x: NDArray, kernel: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> Iterator[tuple[slice, NDArray]]:
    """The columns (n,G,K,P) of a few images at a time: row k holds tap k of every window.

    The buffer is reused: a block is only valid until the next one is asked for.
    """
    n, c, h, w = x.shape
    oh = output_size(h, kernel[0], stride[0], sum(padding[0]), dilation[0])
    ow = output_size(w, kernel[1], stride[1], sum(padding[1]), dilation[1])
    depth = c * kernel[0] * kernel[1]
    buffer = None
    for block in blocks(n, depth * oh * ow):
        size = block.stop - block.start
        if buffer is None:
            buffer = np.empty((size, c, *kernel, oh, ow), x.dtype)
        np.copyto(buffer[:size], windows(padded(x[block], padding), kernel, stride, dilation))
        yield block, buffer[:size].reshape(size, groups, depth // groups, oh * ow)
