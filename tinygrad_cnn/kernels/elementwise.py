"""Element-wise passes over large arrays, where NumPy's own leave the machine idle."""

from collections.abc import Sequence

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.threads import share, split

RUN = 1 << 14
"""Elements of a run: 64 KiB of float32."""


def relu(x: NDArray) -> NDArray:
    """max(x, 0), in the memory order of x; NaN stays NaN.

    NumPy's maximum with a number takes 2.5 times as long as with an array, so a large array is compared, run by
    run, with a run of zeros.
    """
    if np.size(x) < 4 * RUN:
        return np.maximum(x, 0)
    order = memory_order(x)
    if order is None:
        return np.asarray(np.maximum(x, 0))
    lying = x.transpose(order)
    y = np.empty(lying.shape, x.dtype)
    source, out, zeros = lying.reshape(-1), y.reshape(-1), np.zeros(RUN, x.dtype)
    whole = x.size // RUN * RUN
    rows, results = source[:whole].reshape(-1, RUN), out[:whole].reshape(-1, RUN)

    def work(blocks: Sequence[slice]) -> None:
        for block in blocks:
            np.maximum(rows[block], zeros, out=results[block])

    share(split(len(rows), 8), work, cost=2 * x.nbytes)
    np.maximum(source[whole:], 0, out=out[whole:])
    return y.transpose(np.argsort(order))


def gate(x: NDArray, of: NDArray) -> NDArray:
    """x where `of` is above 0, else 0."""
    return np.asarray(x * (of > 0))


def descend(value: NDArray, gradient: NDArray, rate: float) -> None:
    """value -= rate · gradient, in place, run by run, so that the product stays in the cache."""
    if value.size <= RUN or not (value.flags.c_contiguous and gradient.flags.c_contiguous):
        value -= rate * gradient
        return
    target, source = value.reshape(-1), gradient.reshape(-1)
    product = np.empty(RUN, np.result_type(gradient, rate))
    for start in range(0, value.size, RUN):
        run = source[start : start + RUN]
        target[start : start + RUN] -= np.multiply(run, rate, out=product[: run.size])


def memory_order(x: NDArray) -> tuple[int, ...] | None:
    """The order of the axes in which x is contiguous, the slowest first; None if it is in none."""
    if x.flags.c_contiguous:
        return tuple(range(x.ndim))
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    return tuple(order) if x.transpose(order).flags.c_contiguous else None


def channel_sums(g: NDArray) -> NDArray:
    """Σ over images and places of g (N,C,H,W), as (C,); by BLAS, a row of ones times g, if it lies by pixels."""
    lying = g.transpose(2, 3, 0, 1)
    if not (lying.flags.c_contiguous and g.dtype.kind == "f"):
        return np.asarray(np.sum(g, axis=(0, 2, 3)))
    rows = lying.reshape(-1, g.shape[1])
    return np.asarray(np.ones(len(rows), g.dtype) @ rows)
