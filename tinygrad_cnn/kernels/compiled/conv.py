"""Convolution and its two gradients by the algorithm that suits their shape; compare `kernels.conv`.

3×3 windows over enough channels and images: Winograd. Everything else: sums of shifted runs. Windows that move by
more than one pixel over few images, and dtypes other than float32 and float64: the NumPy kernels.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Pair, Shape
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled import direct, winograd
from tinygrad_cnn.kernels.compiled.layout import DTYPES, SHORTEST_RUN, from_planes, planes
from tinygrad_cnn.kernels.conv import channel_groups, output_size, turned
from tinygrad_cnn.kernels.passes import NOTHING, split
from tinygrad_cnn.kernels.threads import thread_count

MOSTLY_BORDER = 1.5
"""From this ratio of input to output on, a convolution of the bordered output would mostly multiply zeros."""


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
        return numpy_set.conv2d(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
    plan = planned(x.shape, w.shape, stride, padding, dilation, groups, thread_count())
    bias = np.zeros(len(w), x.dtype) if b is None else np.ascontiguousarray(b)
    source = planes(x, plan.padding)
    y = np.empty(plan.lying, x.dtype)
    for ins, outs in plan.groups:
        if plan.by_tiles:
            winograd.correlate(source[ins], w[outs], bias[outs], y[outs])
        else:
            correlate(source[ins], w[outs], bias[outs], y[outs], plan)
    return from_planes(y)


def conv2d_input(
    g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in x: with stride 1 a convolution of g, bordered, with the kernel turned round.

    Where the border would be most of the work, or with a stride, each run of g is added where it came from.
    """
    if not suits((g, w), stride):
        return numpy_set.conv2d_input(
            g, w, input_size=input_size, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    (n, o, oh, ow), depth = g.shape, w.shape[1]
    as_convolution = turned(w, stride, padding, dilation, groups)
    if as_convolution is not None and (n < SHORTEST_RUN or input_size[0] * input_size[1] < MOSTLY_BORDER * oh * ow):
        weight, back = as_convolution
        return conv2d(g, weight, stride=(1, 1), padding=back, dilation=dilation, groups=groups)
    (top, bottom), (left, right) = padding
    canvas = np.zeros((groups * depth, input_size[0] + top + bottom, input_size[1] + left + right, n), g.dtype)
    if n < SHORTEST_RUN:
        source = planes(g, ((0, 0), (0, canvas.shape[2] - ow)))
    else:
        source = planes(g)
    for ins, outs in zip(channel_groups(len(canvas), groups), channel_groups(o, groups), strict=True):
        scatter(source[outs], w[outs], canvas[ins], ow, stride, dilation)
    return from_planes(canvas[:, top : top + input_size[0], left : left + input_size[1]])


def conv2d_weight(
    x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in w: Σ over images and places of g[n,o,p,q] times the window of x that y[n,·,p,q] saw."""
    if not suits((x, g), stride):
        return numpy_set.conv2d_weight(
            x, g, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    o, depth = g.shape[1], x.shape[1] // groups
    plan = planned(x.shape, (o, depth, *kernel_size), stride, padding, dilation, groups, thread_count())
    source, cotangent = planes(x, plan.padding), planes(g, plan.border)
    found = []
    for ins, outs in plan.groups:
        if plan.by_tiles:
            found.append(winograd.contract(source[ins], cotangent[outs]))
        else:
            found.append(contract(source[ins], cotangent[outs], kernel_size, plan))
    return found[0] if groups == 1 else np.concatenate(found)


def suits(arrays: tuple[NDArray, ...], stride: Pair) -> bool:
    """Whether the loops here compute with such arrays."""
    dtype = arrays[0].dtype
    if dtype not in DTYPES or (stride != (1, 1) and len(arrays[0]) < SHORTEST_RUN):
        return False
    return all(a.dtype is dtype and a.size for a in arrays)


class Plan(NamedTuple):
    """How a convolution of given shapes is computed: all that Python has to find out, once."""

    by_tiles: bool
    padding: Pads
    """The border of x."""
    border: Pads
    """The border of the output's cotangent, so that its rows are as long as those of x, or its tiles whole."""
    lying: tuple[int, int, int, int]
    """The shape (O,P,Q,N) of the output in memory."""
    width: int
    """Elements of a row of x, or 0 if rows are not brought together to one run."""
    groups: tuple[tuple[slice, slice], ...]
    """The channels of x and of the output in each group."""
    taps: NDArray
    runs: NDArray


@lru_cache(1024)
def planned(x: Shape, w: Shape, stride: Pair, padding: Pads, dilation: Pair, groups: int, threads: int) -> Plan:
    """The plan for x (N,C,H,W) and w (O,C/G,KH,KW)."""
    n, c, h, width = x
    o, depth, *kernel = w
    oh = output_size(h, kernel[0], stride[0], sum(padding[0]), dilation[0])
    ow = output_size(width, kernel[1], stride[1], sum(padding[1]), dilation[1])
    by_tiles = winograd.pays(n, depth, o // groups, (kernel[0], kernel[1]), stride, dilation)
    border, across, together = NOTHING, ow, 0
    if by_tiles:
        padding, border = winograd.whole_tiles(padding, (oh, ow)), winograd.whole_tiles(NOTHING, (oh, ow))
    height, wide = h + sum(padding[0]), width + sum(padding[1])
    if n < SHORTEST_RUN:  # never in tiles
        border, across, together = ((0, 0), (0, wide - ow)), wide, wide * n
    return Plan(
        by_tiles,
        padding,
        border,
        (o, oh, ow, n),
        together,
        tuple(zip(channel_groups(c, groups), channel_groups(o, groups), strict=True)),
        taps_of((depth, height, wide, n), (kernel[0], kernel[1]), dilation),
        runs_of((oh, across, ow, n), wide, stride, threads),
    )


def correlate(x: NDArray, w: NDArray, b: NDArray, y: NDArray, plan: Plan) -> None:
    """y (O,P,Q,N) of x (C,H,W,N), both of one group."""
    matrix = np.ascontiguousarray(w.reshape(len(w), -1))
    cost = y.nbytes + y.size * len(plan.taps) / 4
    if plan.width:
        rows = y.reshape(len(y), y.shape[1], -1)
        direct.correlate_planes(x.reshape(-1), plan.taps, matrix, b, rows, plan.width, cost=cost)
    else:
        direct.correlate(x.reshape(-1), plan.taps, matrix, b, y.reshape(len(y), -1), plan.runs, cost=cost)


def contract(x: NDArray, g: NDArray, kernel: Pair, plan: Plan) -> NDArray:
    """The gradient (O,C,KH,KW) of x (C,H,W,N) and g (O,P,·,N), both of one group."""
    o, taps, threads = len(g), plan.taps, thread_count()
    d = np.zeros((threads, *direct.room_for(o, len(taps))), x.dtype)
    cost = g.nbytes + g.size * len(taps) / 4
    direct.contract(x.reshape(-1), taps, g.reshape(o, -1), d, plan.runs, cost=cost)
    whole = d[0] if threads == 1 else d.sum(axis=0)
    return np.ascontiguousarray(whole[:o, : len(taps)]).reshape(o, len(x), *kernel)


def scatter(g: NDArray, w: NDArray, x: NDArray, columns: int, stride: Pair, dilation: Pair) -> None:
    """The adjoint of `correlate` in x: add to x (C,H,W,N), whose planes are whole, what g (O,P,Q,N) gives it."""
    o, oh, ow, n = g.shape
    c, h, width, _ = x.shape
    matrices = np.ascontiguousarray(w.transpose(2, 3, 1, 0).reshape(-1, c, o))
    taps = taps_of((1, h, width, n), (w.shape[2], w.shape[3]), dilation)
    runs = runs_of((oh, ow, columns, n), width, stride, 1)
    cost = x.nbytes + g.size * c * len(taps) / 4
    direct.scatter(x.reshape(c, -1), taps, matrices, g.reshape(o, -1), runs, cost=cost)


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
    if n < SHORTEST_RUN:  # the whole plane is one run, a share of it for each thread
        length = ((oh - 1) * width + columns) * n
        return np.array([[s.start, s.start, s.stop - s.start] for s in split(length, -(-length // threads))])
    if stride[1] == 1:  # a row
        rows = np.arange(oh)
        return np.stack([rows * stride[0] * width * n, rows * ow * n, np.full(oh, columns * n)], axis=1)
    down, across = (a.ravel() for a in np.mgrid[:oh, :ow])  # a pixel
    start = (down * stride[0] * width + across * stride[1]) * n
    return np.stack([start, (down * ow + across) * n, np.full(oh * ow, n)], axis=1)
