"""Every kernel as its definition: after ``set_kernels("definition")`` this page is what computes.

Read it to see what a kernel does. Nothing here is done for speed; the two fast sets must give the same numbers, and
their tests compare them with this page. In the formulas n is an image, c a channel of the input, o a channel of the
output, (p, q) a place in the output, (i, j) a tap, which is a place in the window; s is the stride, d the dilation.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinygrad_cnn.core.types import NDArray, Pads, Pair, Shape
from tinygrad_cnn.kernels.pool import border, pooled_size

name = "definition"


def windows(x: NDArray, kernel: Shape, stride: Pair, dilation: Pair) -> NDArray:
    """W[n,c,p,q,i,j] = x[n, c, p·s + i·d, q·s + j·d]; nothing is copied: what is written to W is written to x."""
    span = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    at_every_place = sliding_window_view(x, span, axis=(2, 3), writeable=True)
    return at_every_place[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def padded(x: NDArray, pads: Pads, value: float = 0) -> NDArray:
    """The planes of x (N,C,H,W) with a border of `value`."""
    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value)


def cropped(x: NDArray, pads: Pads) -> NDArray:
    """The planes of x (N,C,H,W) without that border."""
    (top, bottom), (left, right) = pads
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def grouped(x: NDArray, axis: int, groups: int) -> NDArray:
    """x with its axis of channels as two: the groups, and the channels of each."""
    return x.reshape(*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])


def conv2d(
    x: NDArray, w: NDArray, b: NDArray | None = None, *, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """y[n,o,p,q] = b[o] + Σ_cij x[n, c, p·s + i·d, q·s + j·d] w[o,c,i,j], for each group k of channels; x is padded."""
    seen = windows(padded(x, padding), w.shape[2:], stride, dilation)
    y: NDArray = np.einsum("nkcpqij,kocij->nkopq", grouped(seen, 1, groups), grouped(w, 0, groups))
    y = y.reshape(len(x), len(w), *y.shape[3:])
    return y if b is None else y + b.astype(y.dtype)[:, None, None]


def conv2d_input(
    g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """dx[n, c, p·s + i·d, q·s + j·d] += Σ_o g[n,o,p,q] w[o,c,i,j], over all places and taps: each y to what it saw."""
    dx = padded(np.zeros((len(g), groups * w.shape[1], *input_size), np.result_type(g, w)), padding)
    seen = windows(dx, w.shape[2:], stride, dilation)
    terms = np.einsum("nkopq,kocij->nkcpqij", grouped(g, 1, groups), grouped(w, 0, groups)).reshape(seen.shape)
    for i, j in np.ndindex(w.shape[2:]):  # windows overlap; under one tap, all their elements are different ones
        seen[..., i, j] += terms[..., i, j]
    return cropped(dx, padding)


def conv2d_weight(
    x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """dw[o,c,i,j] = Σ_npq g[n,o,p,q] x[n, c, p·s + i·d, q·s + j·d], for each group k of channels; x is padded."""
    seen = windows(padded(x, padding), kernel_size, stride, dilation)
    dw: NDArray = np.einsum("nkopq,nkcpqij->kocij", grouped(g, 1, groups), grouped(seen, 1, groups))
    return dw.reshape(g.shape[1], x.shape[1] // groups, *kernel_size)


def max_pool2d(
    x: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[NDArray, NDArray]:
    """y[n,c,p,q] = max_ij x[n, c, p·s + i·d, q·s + j·d], and the number i·KW + j of the tap that it came from.

    The first of equal maxima wins. A NaN wins over all numbers, the last one over other NaNs. Padding never wins.
    """
    size, taps = (x.shape[2], x.shape[3]), math.prod(kernel_size)
    out = pooled_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    pads = border(size, out, kernel_size, stride, padding, dilation)  # so wide that the last window is whole
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    seen, inside = (
        windows(plane, kernel_size, stride, dilation).reshape(*x.shape[:2], *out, taps)
        for plane in (padded(x, pads, lowest), padded(np.ones(x.shape, bool), pads, False))
    )
    first_maximum = np.argmax(inside & (seen == np.max(seen, axis=-1, keepdims=True)), axis=-1)
    last_nan = taps - 1 - np.argmax(np.isnan(seen)[..., ::-1], axis=-1)
    winner = np.where(np.isnan(seen).any(axis=-1), last_nan, first_maximum)
    y = np.take_along_axis(seen, winner[..., None], axis=-1)[..., 0]
    return y, winner.astype(np.min_scalar_type(taps - 1))


def window_put(
    g: NDArray, winner: NDArray, *, input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> NDArray:
    """dx[n, c, p·s + i·d, q·s + j·d] += g[n,c,p,q], for the tap with i·KW + j = winner[n,c,p,q]."""
    pads = border(input_size, (g.shape[2], g.shape[3]), kernel_size, stride, padding, dilation)
    dx = padded(np.zeros((*g.shape[:2], *input_size), g.dtype), pads)
    seen = windows(dx, kernel_size, stride, dilation)
    for tap, (i, j) in enumerate(np.ndindex(kernel_size)):
        seen[..., i, j] += np.where(winner == tap, g, 0)
    return cropped(dx, pads)


def relu(x: NDArray) -> NDArray:
    """y = max(x, 0)"""
    return np.maximum(x, 0)


def gate(x: NDArray, of: NDArray) -> NDArray:
    """y = 0 where `of` is at most 0, else x"""
    return np.where(of <= 0, 0, x)


def channel_sums(g: NDArray) -> NDArray:
    """y[c] = Σ_nhw g[n,c,h,w]"""
    return np.asarray(np.sum(g, axis=(0, 2, 3)))


def matmul(a: NDArray, b: NDArray, *, keep_order: bool = False) -> NDArray:
    """y[…,n,m] = Σ_k a[…,n,k] b[…,k,m]; `keep_order` is about how y lies in memory, which is no matter here."""
    return np.asarray(np.einsum("...nk,...km->...nm", a, b))


def class_losses(x: NDArray, t: NDArray) -> NDArray:
    """y[n] = -ln softmax(x)[n, t[n]] = ln Σ_k exp(x[n,k] - x[n, t[n]])"""
    return np.asarray(np.logaddexp.reduce(x - np.take_along_axis(x, t[:, None], axis=1), axis=1))


def class_losses_input(g: NDArray, x: NDArray, t: NDArray) -> NDArray:
    """dx[n,k] = g[n] (softmax(x)[n,k] - [k = t[n]]), with softmax(x)[n,k] = exp(x[n,k] - ln Σ_j exp x[n,j])"""
    softmax = np.exp(x - np.logaddexp.reduce(x, axis=1, keepdims=True))
    return np.asarray(g[:, None] * (softmax - (np.arange(x.shape[1]) == t[:, None])))


def descend(value: NDArray, gradient: NDArray, rate: float) -> None:
    """value -= rate · gradient, in place"""
    value -= rate * gradient


def random_words(generator: "np.random.Generator", count: int) -> NDArray:
    """The next `count` words of 32 bits of the generator, a Mersenne Twister MT19937."""
    return generator.integers(0, 2**32, count, dtype=np.uint32)
