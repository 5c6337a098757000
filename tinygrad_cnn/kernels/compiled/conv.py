"""Convolution and its two gradients by the algorithm that suits their shape; compare `kernels.conv`.

3×3 windows over enough channels and images: Winograd. Everything else: sums of shifted runs, group by group. Windows
that move by more than one pixel see phases of the planes, see `layout.phases`, by one element a time. dtypes other
than float32 and float64: the NumPy kernels.
"""

import itertools
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Pair, Shape
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled import direct, grouped, winograd
from tinygrad_cnn.kernels.compiled.layout import (
    DTYPES,
    SHORTEST_RUN,
    framed,
    from_planes,
    join,
    phase_size,
    phases,
    planes,
)
from tinygrad_cnn.kernels.conv import FEW_WINDOWS, channel_groups, contract_lowered, mostly_border, turned
from tinygrad_cnn.kernels.passes import NOTHING, split
from tinygrad_cnn.kernels.threads import thread_count
from tinygrad_cnn.kernels.windows import output_size, reaching

FEW_PIXELS, MANY_WEIGHTS = 256, 8192
"""Windows of one pixel are a product of BLAS up to so many pixels of all images, where the loops begin to be faster;
the weight's gradient also from so many weights on, in one thread: 1.1 to 1.8 times as fast."""


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
    if not suits((x, w, x if b is None else b)):
        return numpy_set.conv2d(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
    plan = planned(x.shape, w.shape, stride, padding, dilation, groups, thread_count(), "output")
    if of_pixels(w.shape, padding, groups) and math.prod(plan.lying[1:]) <= FEW_PIXELS:
        y = numpy_set.matmul(w.reshape(len(w), -1), pixels_seen(x, stride))
        if b is not None:
            y += b[:, None]
        return from_planes(y.reshape(plan.lying))
    bias = np.zeros(len(w), x.dtype) if b is None else np.ascontiguousarray(b)
    y = np.empty(plan.lying, x.dtype)
    if plan.by_tiles:
        source = planes(x, plan.padding)
        for ins, outs in zip(channel_groups(len(source), groups), channel_groups(len(w), groups), strict=True):
            winograd.correlate(source[ins], w[outs], bias[outs], y[outs])
    elif groups > 1:
        correlate_groups(planes(x), w, bias, y, plan, groups)
    else:
        correlate(phases(x, plan.padding, plan.stride), w, bias, y, plan)
    return from_planes(y)


def conv2d_input(
    g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in x: with stride 1 a convolution of g, bordered, with the kernel turned round.

    With a stride it is one such convolution for each phase of x. Where the border would be most of the work, each run
    of g is added where it came from.
    """
    if not suits((g, w)):
        return numpy_set.conv2d_input(
            g, w, input_size=input_size, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    (n, _, oh, ow), depth = g.shape, w.shape[1]
    if of_pixels(w.shape, padding, groups) and n * oh * ow <= FEW_PIXELS:
        return from_planes(pixels_back(planes(g), w, input_size, stride))
    as_convolution = turned(w, stride, padding, dilation, groups)
    border = mostly_border(input_size, (oh, ow), stride)
    if as_convolution is not None and (n < SHORTEST_RUN or not border or groups > 1):
        weight, pads = as_convolution
        return conv2d(g, weight, stride=(1, 1), padding=pads, dilation=dilation, groups=groups)
    if groups == 1 and n >= SHORTEST_RUN and border:
        (top, bottom), (left, right) = padding
        canvas = np.zeros((depth, input_size[0] + top + bottom, input_size[1] + left + right, n), g.dtype)
        scatter(planes(g), w, canvas, ow, stride, dilation)
        return from_planes(canvas[:, top : top + input_size[0], left : left + input_size[1]])
    corner = padding[0][0], padding[1][0]
    back = planned_back(g.shape, input_size, w.shape, stride, corner, dilation, groups, thread_count())
    dx = np.empty((groups * depth, *input_size, n), g.dtype)
    (spread_groups if groups > 1 or n < SHORTEST_RUN else spread)(g, w, dx, back, groups)
    return from_planes(dx)


def conv2d_weight(
    x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """The gradient in w: Σ over images and places of g[n,o,p,q] times the window of x that y[n,·,p,q] saw."""
    if not suits((x, g)):
        return numpy_set.conv2d_weight(
            x, g, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups
        )
    o, depth, windows = g.shape[1], x.shape[1] // groups, g.size // g.shape[1]
    if of_pixels((o, depth, *kernel_size), padding, groups):
        if windows <= FEW_PIXELS or (o * depth >= MANY_WEIGHTS and thread_count() == 1):
            return numpy_set.matmul(planes(g).reshape(o, -1), pixels_seen(x, stride).T).reshape(o, depth, 1, 1)
    elif groups == 1 and windows <= FEW_WINDOWS and depth >= winograd.LEAST_CHANNELS:
        return contract_lowered(x, g, kernel_size, stride, padding, dilation)
    plan = planned(x.shape, (o, depth, *kernel_size), stride, padding, dilation, groups, thread_count(), "weight")
    if plan.by_tiles:
        source, cotangent = planes(x, plan.padding), planes(g, plan.border)
        pairs = zip(channel_groups(len(source), groups), channel_groups(o, groups), strict=True)
        found = [winograd.contract(source[ins], cotangent[outs]) for ins, outs in pairs]
        return found[0] if groups == 1 else np.concatenate(found)
    if groups > 1:
        return contract_groups(planes(x), planes(g), kernel_size, plan, groups)
    return contract(phases(x, plan.padding, stride), planes(g, plan.border), kernel_size, plan)


def of_pixels(w: Shape, padding: Pads, groups: int) -> bool:
    """Whether windows are single pixels of x, so that everything is a product of matrices."""
    return w[2] == w[3] == 1 == groups and padding == NOTHING


def pixels_seen(x: NDArray, stride: Pair) -> NDArray:
    """The pixels (C,P·Q·N) of x (N,C,H,W) that windows of one pixel see."""
    seen = planes(x)
    if stride != (1, 1):
        seen = np.ascontiguousarray(seen[:, :: stride[0], :: stride[1]])
    return seen.reshape(len(seen), -1)


def pixels_back(g: NDArray, w: NDArray, size: Pair, stride: Pair) -> NDArray:
    """The gradient (C,H,W,N) in x of windows of one pixel, of g (O,P,Q,N)."""
    o, oh, ow, n = g.shape
    found = numpy_set.matmul(w.reshape(o, -1).T, g.reshape(o, -1)).reshape(-1, oh, ow, n)
    if stride == (1, 1):
        return found
    dx = np.zeros((len(found), *size, n), g.dtype)
    dx[:, :: stride[0], :: stride[1]] = found
    return dx


def suits(arrays: tuple[NDArray, ...]) -> bool:
    """Whether the loops here compute with such arrays."""
    dtype = arrays[0].dtype
    return dtype in DTYPES and all(a.dtype is dtype and a.size for a in arrays)


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
    """Elements of a row of a phase of x, or 0 if rows are not brought together to one run."""
    stride: Pair
    """How many phases there are down and across."""
    phase: Pair
    """The size of a phase of x with its border."""
    taps: NDArray
    runs: NDArray


@lru_cache(1024)
def planned(
    x: Shape, w: Shape, stride: Pair, padding: Pads, dilation: Pair, groups: int, threads: int, of: str
) -> Plan:
    """The plan for x (N,C,H,W) and w (O,C/G,KH,KW), `of` the "output", or of the "weight", its gradient.

    With a stride over many images the output's runs are the images of a pixel: 0.8 of the time that phases take. Fewer
    images do not fill a panel, and to the sums of the weight's gradient such runs are too short.
    """
    n, _, h, width = x
    o, depth, *kernel = w
    oh = output_size(h, kernel[0], stride[0], sum(padding[0]), dilation[0])
    ow = output_size(width, kernel[1], stride[1], sum(padding[1]), dilation[1])
    by_tiles = winograd.pays(n, depth, o // groups, (kernel[0], kernel[1]), stride, dilation, (oh, ow))
    border, across, together = NOTHING, ow, 0
    if by_tiles:
        padding, border = winograd.whole_tiles(padding, (oh, ow)), winograd.whole_tiles(NOTHING, (oh, ow))
    few = n < SHORTEST_RUN
    apart, steps = (stride, (1, 1)) if n < direct.PANEL or groups > 1 or of == "weight" else ((1, 1), stride)
    size = phase_size((h, width), padding, apart)
    wide = size[1]
    if few or (of == "weight" and groups > 1 and not by_tiles):
        border, across, together = ((0, 0), (0, wide - ow)), wide, wide * n
    return Plan(
        by_tiles,
        padding,
        border,
        (o, oh, ow, n),
        together,
        apart,
        size,
        taps_of((depth, *size, n), (kernel[0], kernel[1]), dilation, apart),
        runs_of((oh, across, ow, n), wide, steps, threads, together > 0),
    )


def correlate(x: NDArray, w: NDArray, b: NDArray, y: NDArray, plan: Plan) -> None:
    """y (O,P,Q,N) of the phases x (C,S,T,H,W,N)."""
    matrix = np.ascontiguousarray(w.reshape(len(w), -1))
    cost = y.nbytes + y.size * len(plan.taps) / 4
    if plan.width:
        rows = y.reshape(len(y), y.shape[1], -1)
        direct.correlate_planes(x.reshape(-1), plan.taps, matrix, b, rows, plan.width, cost=cost)
    else:
        direct.correlate(x.reshape(-1), plan.taps, matrix, b, y.reshape(len(y), -1), plan.runs, cost=cost)


def contract(x: NDArray, g: NDArray, kernel: Pair, plan: Plan) -> NDArray:
    """The gradient (O,C,KH,KW) of the phases x (C,S,T,H,W,N) and g (O,P,·,N)."""
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


def correlate_groups(x: NDArray, w: NDArray, b: NDArray, y: NDArray, plan: Plan, groups: int) -> None:
    """y (O,P,Q,N) of x (C,H,W,N)."""
    matrix, rows = np.ascontiguousarray(w.reshape(len(w), -1)), y.reshape(*y.shape[:2], -1)
    cost = x.nbytes + y.nbytes + y.size * len(plan.taps) / 4
    corner = plan.padding[0][0], plan.padding[1][0]
    grouped.correlate(
        x, matrix, b, rows, plan.taps, plan.runs, groups, corner, plan.stride, plan.phase, plan.width, cost=cost
    )


def contract_groups(x: NDArray, g: NDArray, kernel: Pair, plan: Plan, groups: int) -> NDArray:
    """The gradient (O,C/G,KH,KW) of x (C,H,W,N) and g (O,P,Q,N)."""
    o, depth, k = len(g) // groups, len(x) // groups, len(plan.taps)
    d = np.zeros((groups, *direct.room_for(o, k)), x.dtype)
    cost = x.nbytes + g.nbytes + g.size * k / 4
    corner, rows = (plan.padding[0][0], plan.padding[1][0]), g.reshape(*g.shape[:2], -1)
    grouped.contract(
        x, rows, d, plan.taps, plan.runs, corner, plan.stride, plan.phase, plan.width, 4 * direct.RUN, cost=cost
    )
    return np.ascontiguousarray(d[:, :o, :k]).reshape(groups * o, depth, *kernel)


class Back(NamedTuple):
    """How the gradient in x of a convolution of given shapes is computed, phase by phase."""

    corner: Pair
    """Where the first pixel of g lies in its frame; negative, if windows lie beyond x altogether."""
    frame: Pair
    """The size of a plane of g with its border."""
    part: Pair
    """The size of a phase of x."""
    stride: Pair
    width: int
    """Elements of a row of the frame, or 0 if rows are not brought together to one run."""
    picks: tuple[NDArray, ...]
    """For each phase its places in the flat kernel."""
    taps: NDArray
    """Where each weight's first pixel lies in the flat frame of a group, phase after phase."""
    bounds: NDArray
    """Where each phase begins in `taps`, and where the last one ends."""
    runs: NDArray


@lru_cache(1024)
def planned_back(
    g: Shape, x: Pair, w: Shape, stride: Pair, corner: Pair, dilation: Pair, groups: int, threads: int
) -> Back:
    """The plan for g (N,O,P,Q), the size of x and w (O,C/G,KH,KW)."""
    n, o, kernel = g[0], w[0] // groups, w[2:]
    part = -(-x[0] // stride[0]), -(-x[1] // stride[1])
    axes = [reaching(*each) for each in zip(kernel, stride, corner, dilation, strict=True)]
    offsets = [[k for phase in phases for k in phase.offsets] for phases in axes]
    before = -min(offsets[0]), -min(offsets[1])
    frame = part[0] + max(offsets[0]) + before[0], part[1] + max(offsets[1]) + before[1]
    picks, places, bounds = [], [], [0]
    for down, across in itertools.product(*axes):
        rows, columns = np.array(down.taps, int)[:, None], np.array(across.taps, int)
        picks.append(np.ravel(rows * kernel[1] + columns))
        row, column = np.array(down.offsets, int)[:, None] + before[0], np.array(across.offsets, int) + before[1]
        place = np.ravel((row * frame[1] + column) * n)
        places.append(np.ravel(np.arange(o)[:, None] * (frame[0] * frame[1] * n) + place))
        bounds.append(bounds[-1] + len(places[-1]))
    together = n < SHORTEST_RUN
    runs = runs_of((*part, part[1], n), frame[1], (1, 1), threads)
    taps, width = np.concatenate(places), frame[1] * n if together else 0
    return Back(before, frame, part, stride, width, tuple(picks), taps, np.array(bounds), runs)


def weights_back(w: NDArray, back: Back, groups: int) -> list[NDArray]:
    """For each phase the weights (G, C/G, K) of w (O,C/G,KH,KW)."""
    o, depth = len(w) // groups, w.shape[1]
    matrices = w.reshape(groups, o, depth, -1).transpose(0, 2, 1, 3)
    return [np.ascontiguousarray(matrices[..., pick].reshape(groups, depth, -1)) for pick in back.picks]


def spread(g: NDArray, w: NDArray, x: NDArray, back: Back, groups: int) -> None:
    """x (C,H,W,N) as the gradient of g (N,O,P,Q), of one group: shares of threads are of rows."""
    source = framed(g, back.corner, back.frame).reshape(-1)
    alone, none = back.stride == (1, 1), np.zeros(len(x), x.dtype)
    parts = x[None] if alone else np.empty((len(back.picks), len(x), *back.part, x.shape[3]), x.dtype)
    weights, bounds = weights_back(w, back, groups), itertools.pairwise(back.bounds)
    for part, matrix, (begin, end) in zip(parts, weights, bounds, strict=True):
        cost = part.nbytes + part.size * (end - begin) / 4
        direct.correlate(source, back.taps[begin:end], matrix[0], none, part.reshape(len(x), -1), back.runs, cost=cost)
    if not alone:
        join(parts, x, back.stride, cost=2 * x.nbytes)


def spread_groups(g: NDArray, w: NDArray, x: NDArray, back: Back, groups: int) -> None:
    """The same group after group; shares of threads are of groups."""
    matrices = np.concatenate(weights_back(w, back, groups), axis=2)
    corner, frame, part, stride = back[:4]
    cost = x.nbytes + g.nbytes + x.size * matrices.shape[2] / (4 * math.prod(stride))
    grouped.spread(
        x, matrices, planes(g), back.taps, back.bounds, back.runs, corner, frame, part, stride, back.width, cost=cost
    )


@lru_cache(256)
def taps_of(size: tuple[int, int, int, int], kernel: Pair, dilation: Pair, stride: Pair = (1, 1)) -> NDArray:
    """Where each tap (c,i,j) of the first window lies in flat phases (C,S,T,H,W,N) whose (C,H,W,N) is `size`."""
    c, h, w, n = size
    (p, a), (q, b) = (np.divmod(np.arange(k) * d, s) for k, d, s in zip(kernel, dilation, stride, strict=True))
    phase = np.arange(c)[:, None, None] * stride[0] * stride[1] + a[:, None] * stride[1] + b
    return np.ravel(((phase * h + p[:, None]) * w + q) * n)


@lru_cache(256)
def runs_of(out: tuple[int, int, int, int], width: int, stride: Pair, threads: int, together: bool = False) -> NDArray:
    """(from, into, length) of every run of windows side by side, from a plane of that width into (P,Q,·,N).

    With `together` the whole plane is one run, of which each thread has a share.
    """
    oh, ow, columns, n = out
    if together:
        length = ((oh - 1) * width + columns) * n
        return np.array([[s.start, s.start, s.stop - s.start] for s in split(length, -(-length // threads))])
    if stride[1] == 1:  # a row
        rows = np.arange(oh)
        return np.stack([rows * stride[0] * width * n, rows * ow * n, np.full(oh, columns * n)], axis=1)
    down, across = (a.ravel() for a in np.mgrid[:oh, :ow])  # a pixel
    start = (down * stride[0] * width + across * stride[1]) * n
    return np.stack([start, (down * ow + across) * n, np.full(oh * ow, n)], axis=1)
