"""Convolution as sums of shifted runs: no window is ever brought together.

Memory is (C,H,W,N): the pixels of a row, of all images, are one run, so tap j of a row is the same run from j·N on,
whatever the number of channels or images. Panels of results, rows of channels by vectors along the run, take up all
taps in registers; compare Georganas et al. 2018 (Anatomy of high-performance deep learning convolutions on SIMD
architectures), whose vectors lie along the channels.
"""

from collections.abc import Callable

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pair
from tinygrad_cnn.kernels.compiled.jit import inner, prange, shared, sums
from tinygrad_cnn.kernels.compiled.panel import copy_run, dots_of, panel_of
from tinygrad_cnn.kernels.compiled.registers import BYTES, TILES

(ROWS, VECTORS), (DOTS, TAPS) = TILES
PANEL = VECTORS * BYTES // 4
"""Elements side by side in a panel of float32."""
ROW_VECTORS, ROW_TAPS = 8, 9
"""The same of a single channel, as in a depthwise convolution: so many sums that none is waited for."""
RUN, SHORT_RUN = 1152, 512
"""Elements of a run worked on at once by `contract`, and of a run of tiles: eight rows of it fit the first caches."""


def channels_of(vectors: int, *, onto: bool, most: int = ROWS, turned: bool = False) -> Callable[..., None]:
    """A function for all channels of a panel of so many vectors: by as many as the tile has, then four, two, one."""
    many, four, two, one = (panel_of(rows, vectors, onto=onto, turned=turned) for rows in (most, 4, 2, 1))

    def channels(x: NDArray, taps: NDArray, start: int, w: NDArray, b: NDArray, y: NDArray, into: int) -> None:
        o = 0
        while len(y) - o >= most:
            many(x, taps, start, w, o, b, y, into)
            o += most
        while len(y) - o >= 4:
            four(x, taps, start, w, o, b, y, into)
            o += 4
        if (len(y) - o) & 2:
            two(x, taps, start, w, o, b, y, into)
        if (len(y) - o) & 1:
            one(x, taps, start, w, len(y) - 1, b, y, into)

    return inner(channels)


set_wide, set_vector = (channels_of(vectors, onto=False) for vectors in (VECTORS, 1))
add_wide, add_vector = (channels_of(vectors, onto=True) for vectors in (VECTORS, 1))
set_row, row_dots = panel_of(1, ROW_VECTORS, onto=False), dots_of(1, ROW_TAPS)
dots = dots_of(DOTS, TAPS)


def room_for(outputs: int, taps: int) -> Pair:
    """The size of the sums of so many outputs and taps, with room for whole tiles."""
    if outputs == 1:
        return 1, taps + -taps % ROW_TAPS
    return outputs + -outputs % DOTS, taps + -taps % TAPS


@shared
def correlate(x: NDArray, taps: NDArray, w: NDArray, b: NDArray, y: NDArray, runs: NDArray, shares: int) -> None:
    """y[o, into + v] = b[o] + Σ_k w[o, k] x[taps[k] + from + v] for v < n, for each (from, into, n) of `runs`.

    x (flat); taps (K); w (O, K); b (O); y (O, elements).
    """
    for share in prange(shares):
        set_runs(x, taps, w, b, y, runs[len(runs) * share // shares : len(runs) * (share + 1) // shares])


@shared
def correlate_planes(x: NDArray, taps: NDArray, w: NDArray, b: NDArray, y: NDArray, width: int, shares: int) -> None:
    """The same of whole planes: y[o, p, v] = b[o] + Σ_k w[o, k] x[taps[k] + p width + v]; y (O, P, Q).

    The plane is one run, so that vectors are full, and what comes out between its rows is dropped. Shares are of
    channels.
    """
    for share in prange(shares):
        first, last = len(y) * share // shares, len(y) * (share + 1) // shares
        set_planes(x, taps, w[first:last], b[first:last], y[first:last], width)


@shared
def contract(x: NDArray, taps: NDArray, g: NDArray, d: NDArray, runs: NDArray, shares: int) -> None:
    """Add to d[share, o, k] the share's Σ_v g[o, into + v] x[taps[k] + from + v] for v < n; see `correlate`.

    g (O, elements); d (shares, *room_for(O, K)), what is beyond (O, K) being of no meaning.
    """
    for share in prange(shares):
        add_dots(x, taps, g, d[share], runs[len(runs) * share // shares : len(runs) * (share + 1) // shares], RUN)


@shared
def scatter(x: NDArray, taps: NDArray, w: NDArray, g: NDArray, runs: NDArray, shares: int) -> None:
    """The adjoint of `correlate` in x: add w[k, c, o] g[o, into + v] to x[c, taps[k] + from + v], v < n.

    x (C, elements), zeros; taps (K) of one channel; w (K, C, O); g (O, elements). Shares are of channels, since runs
    overlap in x.
    """
    for share in prange(shares):
        first, last = len(x) * share // shares, len(x) * (share + 1) // shares
        scatter_some(x[first:last], taps, np.ascontiguousarray(w[:, first:last]), g, runs)


@sums
def set_runs(x: NDArray, taps: NDArray, w: NDArray, b: NDArray, y: NDArray, runs: NDArray) -> None:
    """See `correlate`."""
    lanes = BYTES // x.itemsize
    wide = ROW_VECTORS * lanes if len(y) == 1 else VECTORS * lanes
    for r in range(len(runs)):
        source, into, n = runs[r]
        if len(y) == 1:
            for v in range(0, n - wide + 1, wide):
                set_row(x, taps, source + v, w, 0, b, y, into + v)
        else:
            for v in range(0, n - wide + 1, wide):
                set_wide(x, taps, source + v, w, b, y, into + v)
        for v in range(n - n % wide, n - lanes + 1, lanes):
            set_vector(x, taps, source + v, w, b, y, into + v)
        if n % lanes and n >= lanes:  # the last vector, some of it once more
            set_vector(x, taps, source + n - lanes, w, b, y, into + n - lanes)
        elif n % lanes:
            for o in range(len(y)):
                for v in range(n):
                    total = b[o]
                    for k in range(len(taps)):
                        total += w[o, k] * x[taps[k] + source + v]
                    y[o, into + v] = total


@sums
def set_planes(x: NDArray, taps: NDArray, w: NDArray, b: NDArray, y: NDArray, width: int) -> None:
    """See `correlate_planes`."""
    outputs, rows, columns = y.shape
    size = (rows - 1) * width + columns
    run, lying = np.array([[0, 0, size]]), np.empty((ROWS, size), x.dtype)
    flat, results = y.reshape(-1), lying.reshape(-1)
    for o in range(0, outputs, ROWS):
        few = min(ROWS, outputs - o)
        set_runs(x, taps, w[o : o + few], b[o : o + few], lying[:few], run)
        for r in range(few):
            for p in range(rows):
                copy_run(results, r * size + p * width, flat, ((o + r) * rows + p) * columns, columns)


@sums
def scatter_some(x: NDArray, taps: NDArray, w: NDArray, g: NDArray, runs: NDArray) -> None:
    """See `scatter`."""
    lanes = BYTES // x.itemsize
    wide = VECTORS * lanes
    flat, rows, none = g.reshape(-1), np.arange(len(g)) * g.shape[1], x[0]
    for r in range(len(runs)):
        source, into, n = runs[r]
        for k in range(len(taps)):
            matrix, at = w[k], taps[k] + source
            for v in range(0, n - wide + 1, wide):
                add_wide(flat, rows, into + v, matrix, none, x, at + v)
            for v in range(n - n % wide, n - lanes + 1, lanes):
                add_vector(flat, rows, into + v, matrix, none, x, at + v)
            for v in range(n - n % lanes, n):
                for c in range(len(x)):
                    for o in range(len(rows)):
                        x[c, at + v] += matrix[c, o] * flat[rows[o] + into + v]


@sums
def add_dots(x: NDArray, taps: NDArray, g: NDArray, d: NDArray, runs: NDArray, most: int) -> None:
    """See `contract`; `most` elements of a run at once."""
    for r in range(len(runs)):
        for start in range(0, runs[r, 2], most):
            size = min(most, runs[r, 2] - start)
            if len(g) == 1:
                for k in range(0, len(taps), ROW_TAPS):
                    row_dots(x, taps, k, runs[r, 0] + start, g, 0, runs[r, 1] + start, size, d)
                continue
            for o in range(0, len(g), DOTS):
                for k in range(0, len(taps), TAPS):
                    dots(x, taps, k, runs[r, 0] + start, g, o, runs[r, 1] + start, size, d)
