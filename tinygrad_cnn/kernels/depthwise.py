"""Convolution with one channel a group: sums of shifted planes, since there is nothing to sum in a product of matrices.

Memory is (H,W,N,C), see `passes`: under one tap all channels of all images of a row of windows are long runs, which are
multiplied by the tap's weights and added up while they stay in the cache.
"""

from collections.abc import Sequence

import numpy as np

from tinygrad_cnn.core.types import DType, NDArray, Pair
from tinygrad_cnn.kernels.passes import share, split
from tinygrad_cnn.kernels.threads import thread_count
from tinygrad_cnn.kernels.windows import taps

Block = tuple[slice, slice]
"""Rows of the plane, and runs of images."""
FEW = 1 << 15
"""Elements worked on at once: a block, what is added to it and the planes under it fit a second-level cache."""
RUN = 2048
"""Elements up to which the weights of a tap are repeated for several images, so that NumPy's inner loops are long."""


def correlate(x: NDArray, w: NDArray, b: NDArray, y: NDArray, stride: Pair, dilation: Pair) -> None:
    """y (P,Q,N,O) of x (H,W,N,C), w (O,1,KH,KW) and b (O); each channel has O/C outputs."""
    (_, ow, n, o), kernel = y.shape, (w.shape[2], w.shape[3])
    beside = images_beside(n, o)
    source, out = in_runs(repeated(x, o), beside), in_runs(y, beside)
    first, factors = np.tile(b.astype(y.dtype, copy=False), beside), weights(w, beside, y.dtype)

    def work(blocks: Sequence[Block]) -> None:
        for rows, some in blocks:
            total = out[rows, :, some]
            product, added = np.empty(total.shape, y.dtype), first
            seen = taps((len(total), ow), kernel, stride, dilation, rows.start)
            for (down, across), factor in zip(seen, factors, strict=True):
                np.multiply(source[down, across, some], factor, out=product)
                np.add(added, product, out=total)
                added = total

    share(blocks_of(out), work, cost=2 * len(factors) * y.nbytes)


def contract(x: NDArray, g: NDArray, kernel: Pair, stride: Pair, dilation: Pair) -> NDArray:
    """The gradient (O,1,KH,KW) in w of `correlate`, of x (H,W,N,C) and g (P,Q,N,O)."""
    _, ow, n, o = g.shape
    beside, dtype = images_beside(n, o), np.result_type(x, g)
    source, cotangent = in_runs(repeated(x, o), beside), in_runs(g, beside)

    def work(blocks: Sequence[Block]) -> NDArray:
        d = np.zeros((kernel[0] * kernel[1], beside * o), dtype)
        for rows, some in blocks:
            part = cotangent[rows, :, some]
            product = np.empty(part.shape, dtype)
            ones = np.ones(product.size // d.shape[1], dtype)
            for k, (down, across) in enumerate(taps((len(part), ow), kernel, stride, dilation, rows.start)):
                np.multiply(source[down, across, some], part, out=product)
                d[k] += ones @ product.reshape(-1, d.shape[1])
        return d

    sums = share(blocks_of(cotangent), work, cost=2 * kernel[0] * kernel[1] * g.nbytes)
    d = np.add.reduce(sum(sums[1:], sums[0]).reshape(-1, beside, o), axis=1, dtype=dtype)
    return np.ascontiguousarray(d.T).reshape(o, 1, *kernel)


def scatter(g: NDArray, w: NDArray, canvas: NDArray, stride: Pair, dilation: Pair) -> None:
    """The gradient in x of `correlate`, added to the canvas (H,W,N,C), of g (P,Q,N,O) and w."""
    (_, ow, n, o), kernel, c = g.shape, (w.shape[2], w.shape[3]), canvas.shape[3]
    beside = images_beside(n, o)
    source, factors = in_runs(g, beside), weights(w, beside, canvas.dtype)
    into = in_runs(canvas, beside)
    for rows, some in blocks_of(source):  # not by threads: rows of windows overlap
        part = source[rows, :, some]
        product = np.empty(part.shape, canvas.dtype)
        seen = taps((len(part), ow), kernel, stride, dilation, rows.start)
        for (down, across), factor in zip(seen, factors, strict=True):
            target = into[down, across, some]
            np.multiply(part, factor, out=product)
            target += product if c == o else product.reshape(*target.shape, o // c).sum(axis=-1)


def repeated(x: NDArray, outputs: int) -> NDArray:
    """x (H,W,N,C) with each channel once for each of its outputs."""
    return x if x.shape[3] == outputs else np.repeat(x, outputs // x.shape[3], axis=3)


def images_beside(n: int, channels: int) -> int:
    """How many images are one run of the weights: a divisor of n."""
    return max((k for k in range(1, n + 1) if n % k == 0 and k * channels <= RUN), default=1)


def in_runs(x: NDArray, beside: int) -> NDArray:
    """x (H,W,N,C) with so many images side by side, (H, W, N / beside, beside · C)."""
    h, w, n, c = x.shape
    return x.reshape(h, w, n // beside, beside * c)


def weights(w: NDArray, beside: int, dtype: DType) -> NDArray:
    """w (O,1,KH,KW) as a row (beside · O) for each tap."""
    return np.tile(w.reshape(len(w), -1).T.astype(dtype, copy=False), (1, beside))


def blocks_of(x: NDArray) -> list[Block]:
    """Blocks of x (H, W, N / beside, beside · C) that fit the cache; one of rows a thread at least."""
    height, width, images, run = x.shape
    rows = min(FEW // max(1, width * images * run), -(-height // thread_count()))
    some = images if rows else max(1, FEW // max(1, width * run))
    return [(r, m) for r in split(height, max(1, rows)) for m in split(images, max(1, some))]
