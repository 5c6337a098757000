"""Convolution and its two gradients by the algorithm that suits their shape; compare `kernels.conv`.

3×3 windows over enough channels and images: Winograd. Everything else: sums of shifted runs. Windows that move by
more than one pixel over few images, and dtypes other than float32 and float64: the NumPy kernels.
"""

from functools import lru_cache

import numpy as np

from tinygrad_cnn.kernels import conv as plain
from tinygrad_cnn.kernels.compiled import direct, winograd
from tinygrad_cnn.kernels.compiled.layout import DTYPES, images, planes
from tinygrad_cnn.kernels.conv import parts
from tinygrad_cnn.kernels.geometry import output_size
from tinygrad_cnn.kernels.threads import get_num_threads, split
from tinygrad_cnn.types import NDArray, Pads, Pair

MOSTLY_BORDER = 1.5
"""From this ratio of input to output on, a convolution of the bordered output would mostly multiply zeros."""
FEW_IMAGES = 8
"""Below this number the rows of a plane are one run, and what comes out between them is dropped."""


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
    if not suits((x, w, x if b is None else b), stride):
        return plain.conv2d(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
    n, c, h, width = x.shape
    o, depth, *kernel = w.shape
    oh = output_size(h, kernel[0], stride[0], sum(padding[0]), dilation[0])
    ow = output_size(width, kernel[1], stride[1], sum(padding[1]), dilation[1])
    bias = np.zeros(o, x.dtype) if b is None else np.ascontiguousarray(b)
    by_tiles = winograd.pays(n, depth, o // groups, (kernel[0], kernel[1]), stride, dilation)
    source = planes(x, winograd.whole_tiles(padding, (oh, ow)) if by_tiles else padding)
    together = not by_tiles and n < FEW_IMAGES
    y = np.empty((o, oh, source.shape[2] if together else ow, n), x.dtype)
    for ins, outs in zip(parts(c, groups), parts(o, groups), strict=True):
        if by_tiles:
            winograd.correlate(source[ins], w[outs], bias[outs], y[outs])
        else:
            correlate(source[ins], w[outs], bias[outs], y[outs], ow, stride, dilation)
    return images(y[:, :, :ow])


def conv2d_input(
    g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in x: with stride 1 a convolution of g, bordered, with the kernel turned round.

    Where the border would be most of the work, or with a stride, each run of g is added where it came from.
    """
    if not suits((g, w), stride):
        return plain.conv2d_input(
            g, w, input_size=input_size, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    (n, o, oh, ow), depth = g.shape, w.shape[1]
    turned = plain.turned(w, stride, padding, dilation, groups)
    if turned is not None and (n < FEW_IMAGES or input_size[0] * input_size[1] < MOSTLY_BORDER * oh * ow):
        weight, back = turned
        return conv2d(g, weight, stride=(1, 1), padding=back, dilation=dilation, groups=groups)
    (top, bottom), (left, right) = padding
    canvas = np.zeros((groups * depth, input_size[0] + top + bottom, input_size[1] + left + right, n), g.dtype)
    if n < FEW_IMAGES:
        source = planes(g, ((0, 0), (0, canvas.shape[2] - ow)))
    else:
        source = planes(g)
    for ins, outs in zip(parts(len(canvas), groups), parts(o, groups), strict=True):
        spread(source[outs], w[outs], canvas[ins], ow, stride, dilation)
    return images(canvas[:, top : top + input_size[0], left : left + input_size[1]])


def conv2d_weight(
    x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in w: Σ over images and places of g[n,o,p,q] times the window of x that y[n,·,p,q] saw."""
    if not suits((x, g), stride):
        return plain.conv2d_weight(
            x, g, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    n, c = x.shape[:2]
    o, oh, ow = g.shape[1:]
    d = np.empty((o, c // groups, *kernel_size), x.dtype)
    by_tiles = winograd.pays(n, c // groups, o // groups, kernel_size, stride, dilation)
    source = planes(x, winograd.whole_tiles(padding, (oh, ow)) if by_tiles else padding)
    if by_tiles:
        cotangent = planes(g, winograd.whole_tiles(((0, 0), (0, 0)), (oh, ow)))
    else:
        cotangent = planes(g, ((0, 0), (0, source.shape[2] - ow if n < FEW_IMAGES else 0)))
    for ins, outs in zip(parts(c, groups), parts(o, groups), strict=True):
        if by_tiles:
            d[outs] = winograd.contract(source[ins], cotangent[outs])
        else:
            d[outs] = contract(source[ins], cotangent[outs], kernel_size, ow, stride, dilation)
    return d


def suits(arrays: tuple[NDArray, ...], stride: Pair) -> bool:
    """Whether the loops here compute with such arrays."""
    dtype = arrays[0].dtype
    few = len(arrays[0]) < FEW_IMAGES
    same = dtype in DTYPES and all(a.dtype == dtype and a.size for a in arrays)
    return same and not (few and stride != (1, 1))


def correlate(x: NDArray, w: NDArray, b: NDArray, y: NDArray, columns: int, stride: Pair, dilation: Pair) -> None:
    """y (O,P,Q,N) of x (C,H,W,N), of which `columns` per row are wanted."""
    o, oh, ow, n = y.shape
    c, h, width, _ = x.shape
    matrix = np.ascontiguousarray(w.reshape(o, -1))
    taps = taps_of((c, h, width, n), (w.shape[2], w.shape[3]), dilation)
    runs = runs_of((oh, ow, columns, n), width, stride, get_num_threads())
    flat, results = x.reshape(-1), y.reshape(o, -1)
    direct.correlate(flat, taps, matrix, b, results, runs, cost=y.nbytes + y.size * len(taps) / 4)


def contract(x: NDArray, g: NDArray, kernel: Pair, columns: int, stride: Pair, dilation: Pair) -> NDArray:
    """The gradient (O,C,KH,KW) of x (C,H,W,N) and g (O,P,Q,N), of which `columns` per row are no border."""
    o, oh, ow, n = g.shape
    c, h, width, _ = x.shape
    taps = taps_of((c, h, width, n), kernel, dilation)
    runs = runs_of((oh, ow, columns, n), width, stride, get_num_threads())
    flat, cotangent = x.reshape(-1), g.reshape(o, -1)
    d = np.zeros((get_num_threads(), o + -o % 4, len(taps) + -len(taps) % 4), x.dtype)
    direct.contract(flat, taps, cotangent, d, runs, cost=g.nbytes + g.size * len(taps) / 4)
    return np.asarray(d.sum(axis=0)[:o, : len(taps)].reshape(o, c, *kernel))


def spread(g: NDArray, w: NDArray, x: NDArray, columns: int, stride: Pair, dilation: Pair) -> None:
    """The adjoint of `correlate` in x: add to x (C,H,W,N), whose planes are whole, what g (O,P,Q,N) gives it."""
    o, oh, ow, n = g.shape
    c, h, width, _ = x.shape
    matrices = np.ascontiguousarray(w.transpose(2, 3, 1, 0).reshape(-1, c, o))
    taps = taps_of((1, h, width, n), (w.shape[2], w.shape[3]), dilation)
    runs = runs_of((oh, ow, columns, n), width, stride, 1)
    cost = x.nbytes + g.size * c * len(taps) / 4
    direct.spread(x.reshape(c, -1), taps, matrices, g.reshape(o, -1), runs, cost=cost)


@lru_cache(256)
def taps_of(size: tuple[int, int, int, int], kernel: Pair, dilation: Pair) -> NDArray:
    """Where each tap (c,i,j) of the first window lies in a flat array of size (C,H,W,N)."""
    c, h, w, n = size
    down, across = np.arange(kernel[0]) * dilation[0] * w * n, np.arange(kernel[1]) * dilation[1] * n
    return np.ravel(np.arange(c)[:, None, None] * h * w * n + down[:, None] + across)


@lru_cache(256)
def runs_of(out: tuple[int, int, int, int], width: int, stride: Pair, threads: int) -> NDArray:
    """(from, into, length) of every run of windows side by side, from a plane of that width into (P,Q,·,N)."""
    oh, ow, columns, n = out
    if n < FEW_IMAGES:  # the whole plane is one run, a part for each thread
        length = ((oh - 1) * width + columns) * n
        return np.array([[s.start, s.start, s.stop - s.start] for s in split(length, -(-length // threads))])
    if stride[1] == 1:  # a row
        rows = np.arange(oh)
        return np.stack([rows * stride[0] * width * n, rows * ow * n, np.full(oh, columns * n)], axis=1)
    down, across = (a.ravel() for a in np.mgrid[:oh, :ow])  # a pixel
    start = (down * stride[0] * width + across * stride[1]) * n
    return np.stack([start, (down * ow + across) * n, np.full(oh * ow, n)], axis=1)
