"""Pooling: the maximum of each window and where it stood, reading and writing there, and averages.

Memory is (H,W,N,C), see `passes`: a tap of all windows of a row is runs as long as a pixel of all images.
"""

import math
from collections.abc import Sequence
from functools import lru_cache, reduce

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Pair, Shape
from tinygrad_cnn.kernels.passes import from_pixels, pixels, row_blocks, share
from tinygrad_cnn.kernels.windows import output_size, taps


def ceil_output_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows there are along an axis with a last, incomplete one, if it starts inside or in the left padding.

    `padding` is that of one side. The rule is that of PyTorch's MaxPool2d.
    """
    out = -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out


@lru_cache(1024)
def pooled_size(size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool) -> Pair:
    """The size of the result of a pooling of planes."""
    h, w = windows_along(size, kernel, stride, padding, dilation, ceil_mode)
    return h, w


def windows_along(size: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool) -> Shape:
    """How many windows there are along each dim."""
    measure = ceil_output_size if ceil_mode else lambda n, k, s, p, d: output_size(n, k, s, 2 * p, d)
    return tuple(map(measure, size, kernel, stride, padding, dilation))


@lru_cache(1024)
def border(size: Pair, out: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Pads:
    """Padding on each side such that every window, an incomplete last one too, lies inside."""
    top, left = (
        (
            padding[a],
            max(0, (out[a] - 1) * stride[a] + dilation[a] * (kernel[a] - 1) + 1 - size[a] - padding[a]),
        )
        for a in (0, 1)
    )
    return top, left


def max_pool2d(
    x: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[NDArray, NDArray]:
    """The maximum of each window of x (N,C,H,W), and the tap of the window where it stood: i·KW + j.

    The first maximum in row-major order wins. A NaN counts as the largest, the last one of a window winning,
    as in PyTorch. Padding never wins.
    """
    size = x.shape[2], x.shape[3]
    out = pooled_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    edge = border(size, out, kernel_size, stride, padding, dilation)
    canvas = pixels(x, edge, lowest)
    y = np.empty((*out, *canvas.shape[2:]), x.dtype)
    winner = np.empty(y.shape, np.min_scalar_type(math.prod(kernel_size) - 1))
    first = first_inside(size, out, kernel_size, stride, padding, dilation) if any(map(any, edge)) else None

    def work(rows: Sequence[slice]) -> None:
        for block in rows:
            best, at = y[block], winner[block]
            better, mark = np.empty(best.shape, bool), np.empty(best.shape, at.dtype)
            seen = taps((len(best), out[1]), kernel_size, stride, dilation, block.start)
            for t, place in enumerate(seen):
                value = canvas[place]
                if not t:
                    np.copyto(best, value)
                    at[...] = 0 if first is None else first[block, :, None, None]
                    continue
                np.greater(value, best, out=better)
                np.maximum(best, value, out=best)
                np.multiply(better, at.dtype.type(t), out=mark)
                np.maximum(at, mark, out=at)  # taps come in order, so the last better one is the largest
            if x.dtype.kind == "f" and np.isnan(best).any():
                for t, place in enumerate(seen):
                    np.copyto(at, at.dtype.type(t), where=np.isnan(canvas[place]))

    share(row_blocks(out[0], math.prod(y.shape[1:])), work, cost=canvas.nbytes + y.nbytes)
    return from_pixels(y), from_pixels(winner)


@lru_cache(256)
def first_inside(size: Pair, out: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> NDArray:
    """Per window (OH,OW) its first tap that is no padding."""
    down, across = (np.maximum(0, -((np.arange(out[a]) * stride[a] - padding[a]) // dilation[a])) for a in (0, 1))
    first = np.asarray(down[:, None] * kernel[1] + across)
    first.flags.writeable = False  # kept for the next call
    return first


def places(winner: NDArray, size: Pair, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair) -> NDArray:
    """Where in the flattened plane H·W the winning taps (N,C,OH,OW) of a pooling stand, int64."""
    i, j = np.divmod(winner.astype(np.int64), kernel_size[1])
    down = np.arange(winner.shape[2])[:, None] * stride[0] - padding[0]
    across = np.arange(winner.shape[3]) * stride[1] - padding[1]
    return np.asarray((down + i * dilation[0]) * size[1] + across + j * dilation[1])


def window_take(
    x: NDArray, winner: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> NDArray:
    """Of each window of the planes of x (N,C,H,W) the element under its tap `winner` (N,C,OH,OW)."""
    size, out = (x.shape[2], x.shape[3]), (winner.shape[2], winner.shape[3])
    canvas = pixels(x, border(size, out, kernel_size, stride, padding, dilation))
    at = pixels(winner)
    y = np.zeros(at.shape, x.dtype)
    for t, place in enumerate(taps(out, kernel_size, stride, dilation)):
        np.copyto(y, canvas[place], where=at == t)
    return from_pixels(y)


def window_put(
    g: NDArray, winner: NDArray, *, input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> NDArray:
    """The adjoint of `window_take`: zeros (N,C,H,W) with each g added under the tap `winner` of its window."""
    out = g.shape[2], g.shape[3]
    (top, bottom), (left, right) = border(input_size, out, kernel_size, stride, padding, dilation)
    shape = input_size[0] + top + bottom, input_size[1] + left + right
    apart = all(s >= d * (k - 1) + 1 for s, d, k in zip(stride, dilation, kernel_size, strict=True))
    tiled = apart and kernel_size == stride and shape == (out[0] * stride[0], out[1] * stride[1])
    source, at = pixels(g), pixels(winner)
    canvas = (np.empty if tiled else np.zeros)((*shape, *source.shape[2:]), g.dtype)

    def work(rows: Sequence[slice]) -> None:
        for block in rows:
            seen = taps((block.stop - block.start, out[1]), kernel_size, stride, dilation, block.start)
            for t, place in enumerate(seen):
                into = canvas[place]
                if apart:  # no place is written twice
                    np.multiply(source[block], at[block] == t, out=into)
                else:
                    into += source[block] * (at[block] == t)

    cost = 2 * canvas.nbytes if apart else 0  # rows of windows that overlap are not for two threads at once
    share(row_blocks(out[0], math.prod(source.shape[1:])), work, cost=cost)
    return from_pixels(canvas[top : top + input_size[0], left : left + input_size[1]])


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
    canvas = pixels(x, border(size, out, kernel_size, stride, padding, (1, 1)))
    y = np.zeros((*out, *canvas.shape[2:]), x.dtype)
    for place in taps(out, kernel_size, stride, (1, 1)):
        y += canvas[place]
    over = divisors(size, out, kernel_size, stride, padding, count_include_pad, divisor_override)
    return from_pixels(quotient(y, over.astype(y.dtype)[:, :, None, None]))


def quotient(total: NDArray, over: NDArray) -> NDArray:
    """The sums over how many they are of: of integers, as in PyTorch, an integer, the fraction left off."""
    if total.dtype.kind == "f":
        return np.asarray(total / over)
    return np.asarray(np.sign(total) * np.sign(over) * (np.abs(total) // np.abs(over)))


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
    (top, bottom), (left, right) = border(input_size, out, kernel_size, stride, padding, (1, 1))
    over = divisors(input_size, out, kernel_size, stride, padding, count_include_pad, divisor_override)
    each = pixels(g) / over.astype(g.dtype)[:, :, None, None]
    canvas = np.zeros((input_size[0] + top + bottom, input_size[1] + left + right, *each.shape[2:]), g.dtype)
    for place in taps(out, kernel_size, stride, (1, 1)):
        canvas[place] += each
    return from_pixels(canvas[top : top + input_size[0], left : left + input_size[1]])


def divisors(
    size: Shape,
    out: Shape,
    kernel: Shape,
    stride: Shape,
    padding: Shape,
    count_include_pad: bool,
    override: int | None,
) -> NDArray:
    """Per window (OH,OW), or of more dims: the override, the elements inside the padded plane, or inside the plane."""
    if override is not None:
        return np.full(out, override)
    lengths = []
    for n, o, k, s, p in zip(size, out, kernel, stride, padding, strict=True):
        start = np.arange(o) * s - p
        end = np.minimum(start + k, n + p)
        lengths.append(end - start if count_include_pad else np.minimum(end, n) - np.maximum(start, 0))
    return reduce(np.multiply.outer, lengths)
