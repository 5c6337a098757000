"""Convolution of many groups of channels, one channel each if it is depthwise: group after group in one loop.

The border of a group's planes, and with a stride their phases, are made in a room that stays in the cache, where the
loops of `direct` then work. Shares of threads are of groups.
"""

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pair
from tinygrad_cnn.kernels.compiled.direct import add_dots, set_planes, set_runs
from tinygrad_cnn.kernels.compiled.jit import prange, shared, sums
from tinygrad_cnn.kernels.compiled.layout import join_phases, split_phases
from tinygrad_cnn.kernels.compiled.panel import copy_run


@shared
def correlate(
    x: NDArray,
    w: NDArray,
    b: NDArray,
    y: NDArray,
    taps: NDArray,
    runs: NDArray,
    groups: int,
    corner: Pair,
    stride: Pair,
    size: Pair,
    width: int,
    shares: int,
) -> None:
    """y (O,P,Q·N) of x (C,H,W,N), w (O,K) and b (O), of so many groups.

    `corner` is the border above and to the left, `size` that of a phase with its border; see `conv.Plan` for the rest.
    """
    for share in prange(shares):
        first, last = groups * share // shares, groups * (share + 1) // shares
        _correlate_some(x, w, b, y, taps, runs, groups, first, last, corner, stride, size, width)


@sums
def _correlate_some(
    x: NDArray,
    w: NDArray,
    b: NDArray,
    y: NDArray,
    taps: NDArray,
    runs: NDArray,
    groups: int,
    first: int,
    last: int,
    corner: Pair,
    stride: Pair,
    size: Pair,
    width: int,
) -> None:
    depth, outputs = len(x) // groups, len(y) // groups
    room = np.zeros((depth, stride[0], stride[1], size[0], size[1], x.shape[3]), x.dtype)
    flat = room.reshape(-1)
    for k in range(first, last):
        split_phases(x[k * depth : (k + 1) * depth], room, corner, stride, False)
        one, end = k * outputs, (k + 1) * outputs
        if width:
            set_planes(flat, taps, w[one:end], b[one:end], y[one:end], width)
        else:
            set_runs(flat, taps, w[one:end], b[one:end], y[one:end].reshape(outputs, -1), runs)


@shared
def contract(
    x: NDArray,
    g: NDArray,
    d: NDArray,
    taps: NDArray,
    runs: NDArray,
    corner: Pair,
    stride: Pair,
    size: Pair,
    width: int,
    most: int,
    shares: int,
) -> None:
    """The gradient in w of `correlate`: d (groups, *direct.room_for(outputs, K)), zeros, of x and g (O,P,Q·N)."""
    for share in prange(shares):
        first, last = len(d) * share // shares, len(d) * (share + 1) // shares
        _contract_some(x, g, d, taps, runs, first, last, corner, stride, size, width, most)


@sums
def _contract_some(
    x: NDArray,
    g: NDArray,
    d: NDArray,
    taps: NDArray,
    runs: NDArray,
    first: int,
    last: int,
    corner: Pair,
    stride: Pair,
    size: Pair,
    width: int,
    most: int,
) -> None:
    depth, outputs = len(x) // len(d), len(g) // len(d)
    room = np.zeros((depth, stride[0], stride[1], size[0], size[1], x.shape[3]), x.dtype)
    rows = np.zeros((outputs, g.shape[1] * max(width, g.shape[2])), g.dtype)
    flat = room.reshape(-1)
    for k in range(first, last):
        split_phases(x[k * depth : (k + 1) * depth], room, corner, stride, False)
        lay_rows(g[k * outputs : (k + 1) * outputs], rows, max(width, g.shape[2]))
        add_dots(flat, taps, rows, d[k], runs, most)


@shared
def spread(
    x: NDArray,
    w: NDArray,
    g: NDArray,
    taps: NDArray,
    bounds: NDArray,
    runs: NDArray,
    corner: Pair,
    size: Pair,
    part: Pair,
    stride: Pair,
    width: int,
    shares: int,
) -> None:
    """The gradient in x of `correlate`, x (C,H,W,N), of w (groups, C/groups, K) and g (O,P,Q,N).

    Phase f of x is a correlation of g, with a border, with the taps and weights from ``bounds[f]`` to
    ``bounds[f + 1]``; see `conv.Back`.
    """
    for share in prange(shares):
        first, last = len(w) * share // shares, len(w) * (share + 1) // shares
        _spread_some(x, w, g, taps, bounds, runs, first, last, corner, size, part, stride, width)


@sums
def _spread_some(
    x: NDArray,
    w: NDArray,
    g: NDArray,
    taps: NDArray,
    bounds: NDArray,
    runs: NDArray,
    first: int,
    last: int,
    corner: Pair,
    size: Pair,
    part: Pair,
    stride: Pair,
    width: int,
) -> None:
    depth, outputs, n = len(x) // len(w), len(g) // len(w), x.shape[3]
    room = np.zeros((outputs, 1, 1, size[0], size[1], n), x.dtype)
    parts = np.empty((len(bounds) - 1, depth, part[0], part[1], n), x.dtype)
    flat, none = room.reshape(-1), np.zeros(depth, x.dtype)
    for k in range(first, last):
        split_phases(g[k * outputs : (k + 1) * outputs], room, corner, (1, 1), False)
        for f in range(len(bounds) - 1):
            begin, end = bounds[f], bounds[f + 1]
            matrix = np.ascontiguousarray(w[k][:, begin:end])
            if width:
                rows = parts[f].reshape(depth, part[0], part[1] * n)
                set_planes(flat, taps[begin:end], matrix, none, rows, width)
            else:
                set_runs(flat, taps[begin:end], matrix, none, parts[f].reshape(depth, -1), runs)
        join_phases(parts, x[k * depth : (k + 1) * depth], stride, 0)


@sums
def lay_rows(g: NDArray, rows: NDArray, width: int) -> None:
    """The rows of g (O,P,Q·N) in those of `rows`, as far apart as `width`; between them stays what was there."""
    outputs, height, run = g.shape
    source, into = g.reshape(-1), rows.reshape(-1)
    for k in range(outputs * height):
        copy_run(source, k * run, into, k * width, run)
