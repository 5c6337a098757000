"""Element-wise passes over large arrays, where NumPy's own leave the machine idle."""

from collections.abc import Sequence

import numpy as np

from tinygrad_cnn.kernels.threads import share, split
from tinygrad_cnn.types import NDArray

RUN = 1 << 14
"""Elements of a run: 64 KiB of float32."""


def relu(x: NDArray) -> NDArray:
    """max(x, 0), in the memory order of x; NaN stays NaN.

    NumPy's maximum with a number takes 2.5 times as long as with an array, so a large array is compared, run by
    run, with a run of zeros.
    """
    if np.size(x) < 4 * RUN:
        return np.maximum(x, 0)
    order = np.argsort([-s for s in x.strides], kind="stable")
    run = x.transpose(order)
    if not run.flags.c_contiguous:
        return np.asarray(np.maximum(x, 0))
    y = np.empty(run.shape, x.dtype)
    source, out, zeros = run.reshape(-1), y.reshape(-1), np.zeros(RUN, x.dtype)
    whole = x.size // RUN * RUN
    rows, results = source[:whole].reshape(-1, RUN), out[:whole].reshape(-1, RUN)

    def work(blocks: Sequence[slice]) -> None:
        for block in blocks:
            np.maximum(rows[block], zeros, out=results[block])

    share(split(len(rows), 8), work, cost=2 * x.nbytes)
    np.maximum(source[whole:], 0, out=out[whole:])
    return y.transpose(np.argsort(order))


def channel_sums(g: NDArray) -> NDArray:
    """Σ over images and places of g (N,C,H,W), as (C,); by BLAS, a row of ones times g, if it lies by pixels."""
    lying = g.transpose(2, 3, 0, 1)
    if not (lying.flags.c_contiguous and g.dtype.kind == "f"):
        return np.asarray(np.sum(g, axis=(0, 2, 3)))
    rows = lying.reshape(-1, g.shape[1])
    return np.asarray(np.ones(len(rows), g.dtype) @ rows)
