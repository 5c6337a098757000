"""How a batch lies in memory here: channels outermost, and a pixel of all images as one run (C,H,W,N)."""

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Pair, Shape
from tinygrad_cnn.kernels.compiled.jit import exact, prange, shared
from tinygrad_cnn.kernels.compiled.panel import copy_run
from tinygrad_cnn.kernels.passes import NOTHING, planes_of_channels

DTYPES = np.dtype(np.float32), np.dtype(np.float64)
"""What the loops are compiled for."""
SHORTEST_RUN = 8
"""Fewer images than these are too short a run to be vectors; a row, or a plane, is the run then."""


def phases(x: NDArray, pads: Pads, stride: Pair) -> NDArray:
    """x (N,C,H,W) with a border of zeros as (C, S, T, ⌈H/S⌉, ⌈W/T⌉, N): what windows see under one tap lies together.

    [c, a, b, p, q] is the pixel (p S + a, q T + b). With stride 1 that is `planes`.
    """
    if stride == (1, 1):
        lying = planes(x, pads)
        return lying.reshape(len(lying), 1, 1, *lying.shape[1:])
    lying = planes(x)
    out = np.empty((len(lying), *stride, *phase_size(x.shape[2:], pads, stride), len(x)), x.dtype)
    _split(lying, out, (pads[0][0], pads[1][0]), stride, cost=2 * out.nbytes)
    return out


def framed(x: NDArray, corner: Pair, size: Pair) -> NDArray:
    """x (N,C,H,W) as (C, *size, N): its first pixel at `corner`, zeros where it has none, and no more than has room."""
    lying = planes(x)
    if corner == (0, 0) and size == lying.shape[1:3]:
        return lying
    out = np.empty((len(lying), 1, 1, *size, len(x)), x.dtype)
    _split(lying, out, corner, (1, 1), cost=2 * out.nbytes)
    return out.reshape(len(lying), *size, len(x))


def phase_size(size: Shape, pads: Pads, stride: Pair) -> Pair:
    """The size of a phase of a plane with its border."""
    down, across = (-(-(n + sum(p)) // s) for n, p, s in zip(size, pads, stride, strict=True))
    return down, across


def planes(x: NDArray, pads: Pads = NOTHING, value: float = 0) -> NDArray:
    """x (N,C,H,W) as contiguous (C,H,W,N) with a border of `value`: a copy only where it must be."""
    lying = x.transpose(1, 2, 3, 0)
    if pads == NOTHING and lying.flags.c_contiguous:
        return lying
    if x.dtype not in DTYPES:
        return planes_of_channels(x, pads, value)
    if not lying.flags.c_contiguous:
        if x.flags.c_contiguous:
            lying = transposed(x.reshape(len(x), -1)).reshape(lying.shape)
        else:
            lying = np.ascontiguousarray(lying)
    if pads == NOTHING:
        return lying
    n, c, h, w = x.shape
    (top, bottom), (left, right) = pads
    out = np.empty((c, top + h + bottom, (left + w + right) * n), x.dtype)
    _border(lying.reshape(c, h, w * n), out, top, left * n, value, cost=2 * out.nbytes)
    return out.reshape(c, top + h + bottom, left + w + right, n)


def transposed(x: NDArray) -> NDArray:
    """The transpose of a matrix in C order, in C order."""
    y = np.empty(x.shape[::-1], x.dtype)
    _transpose(x, y, cost=4 * x.nbytes)
    return y


def from_planes(y: NDArray) -> NDArray:
    """y (C,H,W,N) as a view (N,C,H,W)."""
    return y.transpose(3, 0, 1, 2)


@shared
def _border(x: NDArray, y: NDArray, top: int, left: int, value: float, shares: int) -> None:
    for share in prange(shares):
        first, last = len(x) * share // shares, len(x) * (share + 1) // shares
        _border_planes(x[first:last], y[first:last], top, left, value)


@exact
def _border_planes(x: NDArray, y: NDArray, top: int, left: int, value: float) -> None:
    """Each row of y (C,H',W'·N): a row of x (C,H,W·N) between borders, or a border."""
    planes, height, width = x.shape
    rows, columns = y.shape[1:]
    source, into, stop = x.reshape(-1), y.reshape(-1), left + width
    for c in range(planes):
        for i in range(rows):
            at = (c * rows + i) * columns
            if top <= i < top + height:
                for k in range(left):
                    into[at + k] = value
                copy_run(source, (c * height + i - top) * width, into, at + left, width)
                for k in range(stop, columns):
                    into[at + k] = value
            else:
                for k in range(columns):
                    into[at + k] = value


@shared
def _split(x: NDArray, y: NDArray, corner: Pair, stride: Pair, shares: int) -> None:
    for share in prange(shares):
        first, last = len(x) * share // shares, len(x) * (share + 1) // shares
        split_phases(x[first:last], y[first:last], corner, stride, True)


@exact
def split_phases(x: NDArray, y: NDArray, corner: Pair, stride: Pair, border: bool) -> None:
    """y as `phases` of x (C,H,W,N), whose border begins with `corner`; with `border` that is written, too."""
    (channels, height, width, n), (rows, columns) = x.shape, y.shape[3:5]
    (top, left), (down, across) = corner, stride
    source, into, at, run = x.reshape(-1), y.reshape(-1), 0, columns * n
    for c in range(channels):
        for a in range(down):
            for b in range(across):
                first = max(0, -((b - left) // across))  # the columns that are none of the border
                last = max(first, min(columns, (width - 1 + left - b) // across + 1))
                for p in range(rows):
                    i = p * down + a - top
                    inside = 0 <= i < height and first < last
                    if border:
                        for k in range(first * n if inside else run):
                            into[at + k] = 0
                        for k in range(last * n, run):
                            into[at + k] = 0
                    if inside:
                        start = ((c * height + i) * width + first * across + b - left) * n
                        if across == 1:
                            copy_run(source, start, into, at + first * n, (last - first) * n)
                        elif n == 1:
                            row, side = into[at + first :], source[start:]
                            for q in range(last - first):
                                row[q] = side[q * across]
                        else:
                            for q in range(first, last):
                                copy_run(source, start + (q - first) * across * n, into, at + q * n, n)
                    at += run


@shared
def join(y: NDArray, x: NDArray, stride: Pair, shares: int) -> None:
    """See `join_phases`."""
    for share in prange(shares):
        first, last = len(x) * share // shares, len(x) * (share + 1) // shares
        join_phases(y, x[first:last], stride, first)


@exact
def join_phases(y: NDArray, x: NDArray, stride: Pair, first: int) -> None:
    """x (C,H,W,N) of its phases y (S·T,·,P,Q,N), whose channels begin with `first`.

    [s T + t, first + c, p, q] is the pixel (p S + s, q T + t) of channel c.
    """
    channels, height, width, n = x.shape
    down, across = stride
    source, into = y.reshape(-1), x.reshape(-1)
    for c in range(channels):
        for i in range(height):
            for t in range(min(across, width)):
                plane = (i % down * across + t) * y.shape[1] + first + c
                at, start = (plane * y.shape[2] + i // down) * y.shape[3] * n, ((c * height + i) * width + t) * n
                columns = (width - t + across - 1) // across
                if across == 1:
                    copy_run(source, at, into, start, width * n)
                elif n == 1:
                    row, side = into[start:], source[at:]
                    for q in range(columns):
                        row[q * across] = side[q]
                else:
                    for q in range(columns):
                        copy_run(source, at + q * n, into, start + q * across * n, n)


@shared
def _transpose(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        _transpose_some(x, y, len(y) * share // shares, len(y) * (share + 1) // shares)


@exact
def _transpose_some(x: NDArray, y: NDArray, first: int, last: int) -> None:
    """Some rows of y = x transposed, in squares that stay in the cache."""
    for left in range(first, last, 16):
        for top in range(0, len(x), 16):
            for j in range(left, min(left + 16, last)):
                for i in range(top, min(top + 16, len(x))):
                    y[j, i] = x[i, j]
