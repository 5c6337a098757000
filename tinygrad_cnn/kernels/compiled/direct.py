"""Convolution as sums of shifted runs: four taps on four channels at a time, no window is ever brought together.

Memory is (C,H,W,N): the pixels of a row, of all images, are one run, so tap j of a row is the same run from j·N on,
whatever the number of channels or images. Per four loads there are sixteen multiplications, the ratio that keeps
the processor's multipliers busy; the same register blocking as in Georganas et al. 2018 (Anatomy of
high-performance deep learning convolutions on SIMD architectures), with the vectors along the images.
"""

import numpy as np

from tinygrad_cnn.kernels.compiled.jit import prange, shared, sums
from tinygrad_cnn.types import NDArray

RUN = 512
"""Elements of a run worked on at once: four results and four inputs of it, 16 KiB of float32, fit the first cache."""


@shared
def correlate(x: NDArray, taps: NDArray, w: NDArray, b: NDArray, y: NDArray, runs: NDArray, parts: int) -> None:
    """y[o, into + v] = b[o] + Σ_k w[o, k] x[taps[k] + from + v] for v < n, for each (from, into, n) of `runs`.

    x (flat); taps (K); w (4 ⌈O/4⌉, K) and b, with zeros where there is no channel; y (O, elements).
    """
    for part in prange(parts):
        add_products(x, taps, w, b, y, runs[len(runs) * part // parts : len(runs) * (part + 1) // parts])


@shared
def contract(x: NDArray, taps: NDArray, g: NDArray, d: NDArray, runs: NDArray, parts: int) -> None:
    """Add to d[part, o, k] the part's Σ_v g[o, into + v] x[taps[k] + from + v] for v < n; see `correlate`.

    g (O, elements); d (parts, 4 ⌈O/4⌉, 4 ⌈K/4⌉), what is beyond (O, K) being of no meaning.
    """
    for part in prange(parts):
        add_dots(x, taps, g, d[part], runs[len(runs) * part // parts : len(runs) * (part + 1) // parts])


@shared
def spread(x: NDArray, taps: NDArray, w: NDArray, g: NDArray, runs: NDArray, parts: int) -> None:
    """The adjoint of `correlate` in x: add w[k, c, o] g[o, into + v] to x[c, taps[k] + from + v], v < n.

    x (C, elements), zeros; taps (K) of one channel; w (K, 4 ⌈C/4⌉, O); g (O, elements). Parts are of channels, since
    runs overlap in x.
    """
    for part in prange(parts):
        blocks = -(-len(x) // 4)
        for block in range(blocks * part // parts, blocks * (part + 1) // parts):
            _spread_four(x, taps, w, g, runs, 4 * block)


@sums
def _spread_four(x: NDArray, taps: NDArray, w: NDArray, g: NDArray, runs: NDArray, c: int) -> None:
    channels, flat, rows = min(4, len(x) - c), g.reshape(-1), np.arange(len(g)) * g.shape[1]
    acc = np.zeros((4, RUN), x.dtype)
    for r in range(len(runs)):
        for start in range(0, runs[r, 2], RUN):
            size = min(RUN, runs[r, 2] - start)
            for k in range(len(taps)):
                at = taps[k] + runs[r, 0] + start
                for i in range(channels):
                    row = x[c + i, at : at + size]
                    for v in range(size):
                        acc[i, v] = row[v]
                add_all(acc, flat, rows, w[k], c, runs[r, 1] + start, size)
                for i in range(channels):
                    row = x[c + i, at : at + size]
                    for v in range(size):
                        row[v] = acc[i, v]


@sums
def add_all(acc: NDArray, x: NDArray, taps: NDArray, w: NDArray, o: int, start: int, n: int) -> None:
    """Add to the four rows of acc all taps for four channels."""
    fours = len(taps) - len(taps) % 4
    for k in range(0, fours, 4):
        _add_four(acc, x, taps, w, o, k, start, n)
    for k in range(fours, len(taps)):
        _add_one(acc, x, taps, w, o, k, start, n)


@sums
def add_products(x: NDArray, taps: NDArray, w: NDArray, b: NDArray, y: NDArray, runs: NDArray) -> None:
    """See `correlate`."""
    outputs = len(y)
    acc = np.empty((4, RUN), y.dtype)
    for r in range(len(runs)):
        for start in range(0, runs[r, 2], RUN):
            size = min(RUN, runs[r, 2] - start)
            source, into = runs[r, 0] + start, runs[r, 1] + start
            for o in range(0, outputs, 4):
                begin(acc, b, o, size)
                add_all(acc, x, taps, w, o, source, size)
                for i in range(min(4, outputs - o)):
                    row = y[o + i, into : into + size]
                    for v in range(size):
                        row[v] = acc[i, v]


@sums
def begin(acc: NDArray, b: NDArray, o: int, n: int) -> None:
    """The bias of four channels."""
    b0, b1, b2, b3 = b[o], b[o + 1], b[o + 2], b[o + 3]
    for v in range(n):
        acc[0, v], acc[1, v], acc[2, v], acc[3, v] = b0, b1, b2, b3


@sums
def _add_four(acc: NDArray, x: NDArray, taps: NDArray, w: NDArray, o: int, k: int, start: int, n: int) -> None:
    """Four taps for four channels."""
    x0, x1 = x[taps[k] + start :], x[taps[k + 1] + start :]
    x2, x3 = x[taps[k + 2] + start :], x[taps[k + 3] + start :]
    a0, a1, a2, a3 = w[o, k], w[o, k + 1], w[o, k + 2], w[o, k + 3]
    b0, b1, b2, b3 = w[o + 1, k], w[o + 1, k + 1], w[o + 1, k + 2], w[o + 1, k + 3]
    c0, c1, c2, c3 = w[o + 2, k], w[o + 2, k + 1], w[o + 2, k + 2], w[o + 2, k + 3]
    d0, d1, d2, d3 = w[o + 3, k], w[o + 3, k + 1], w[o + 3, k + 2], w[o + 3, k + 3]
    y0, y1, y2, y3 = acc[0], acc[1], acc[2], acc[3]
    for v in range(n):
        p, q, r, s = x0[v], x1[v], x2[v], x3[v]
        y0[v] += a0 * p + a1 * q + a2 * r + a3 * s
        y1[v] += b0 * p + b1 * q + b2 * r + b3 * s
        y2[v] += c0 * p + c1 * q + c2 * r + c3 * s
        y3[v] += d0 * p + d1 * q + d2 * r + d3 * s


@sums
def _add_one(acc: NDArray, x: NDArray, taps: NDArray, w: NDArray, o: int, k: int, start: int, n: int) -> None:
    """One tap for four channels."""
    x0 = x[taps[k] + start :]
    a, b, c, d = w[o, k], w[o + 1, k], w[o + 2, k], w[o + 3, k]
    y0, y1, y2, y3 = acc[0], acc[1], acc[2], acc[3]
    for v in range(n):
        p = x0[v]
        y0[v] += a * p
        y1[v] += b * p
        y2[v] += c * p
        y3[v] += d * p


@sums
def add_dots(x: NDArray, taps: NDArray, g: NDArray, d: NDArray, runs: NDArray) -> None:
    """See `contract`."""
    outputs, last = len(g) - 1, len(taps) - 1
    zero = x.dtype.type(0)
    for r in range(len(runs)):
        for start in range(0, runs[r, 2], RUN):
            size = min(RUN, runs[r, 2] - start)
            source, into = runs[r, 0] + start, runs[r, 1] + start
            for o in range(0, outputs + 1, 4):
                g0, g1 = g[o, into:], g[min(o + 1, outputs), into:]
                g2, g3 = g[min(o + 2, outputs), into:], g[min(o + 3, outputs), into:]
                for k in range(0, last + 1, 4):
                    x0, x1 = x[taps[k] + source :], x[taps[min(k + 1, last)] + source :]
                    x2, x3 = x[taps[min(k + 2, last)] + source :], x[taps[min(k + 3, last)] + source :]
                    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero
                    c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = zero
                    for v in range(size):
                        p, q, s, t = x0[v], x1[v], x2[v], x3[v]
                        u = g0[v]
                        a0, a1, a2, a3 = a0 + u * p, a1 + u * q, a2 + u * s, a3 + u * t
                        u = g1[v]
                        b0, b1, b2, b3 = b0 + u * p, b1 + u * q, b2 + u * s, b3 + u * t
                        u = g2[v]
                        c0, c1, c2, c3 = c0 + u * p, c1 + u * q, c2 + u * s, c3 + u * t
                        u = g3[v]
                        d0, d1, d2, d3 = d0 + u * p, d1 + u * q, d2 + u * s, d3 + u * t
                    d[o, k] += a0
                    d[o, k + 1] += a1
                    d[o, k + 2] += a2
                    d[o, k + 3] += a3
                    d[o + 1, k] += b0
                    d[o + 1, k + 1] += b1
                    d[o + 1, k + 2] += b2
                    d[o + 1, k + 3] += b3
                    d[o + 2, k] += c0
                    d[o + 2, k + 1] += c1
                    d[o + 2, k + 2] += c2
                    d[o + 2, k + 3] += c3
                    d[o + 3, k] += d0
                    d[o + 3, k + 1] += d1
                    d[o + 3, k + 2] += d2
                    d[o + 3, k + 3] += d3
