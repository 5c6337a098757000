"""Products of matrices, shared by the threads of the pool."""

from collections.abc import Sequence

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.threads import get_num_threads, share, split

SMALL = 1 << 20
"""Multiplications below which it is not even asked whether threads would pay."""


def matmul(a: NDArray, b: NDArray, *, keep_order: bool = False) -> NDArray:
    """a (…,n,k) times b (…,k,m) as NumPy's; of two large matrices each thread computes some rows, or columns.

    With `keep_order` the result of two matrices lies in memory as a does, by rows or by columns.
    """
    a, b = np.asarray(a), np.asarray(b)
    if keep_order and a.ndim == b.ndim == 2 and a.flags.f_contiguous and not a.flags.c_contiguous:
        return matmul(b.T, a.T).T
    if a.ndim != 2 or b.ndim != 2:
        return np.asarray(np.matmul(a, b))
    if a.shape[1] == b.shape[0] == 1 and a.dtype == b.dtype:
        return np.asarray(a * b)  # an outer product is a pass over memory, not a product for BLAS
    if a.size * b.shape[1] < SMALL or a.dtype != b.dtype or a.shape[1] != b.shape[0]:
        return np.asarray(np.matmul(a, b))
    (n, k), m = a.shape, b.shape[1]
    y = np.empty((n, m), a.dtype)
    by_rows = n >= m

    def work(slices: Sequence[slice]) -> None:
        for some in slices:
            if by_rows:
                np.matmul(a[some], b, out=y[some])
            else:
                np.matmul(a, b[:, some], out=y[:, some])

    longer = max(n, m)
    share(split(longer, -(-longer // get_num_threads())), work, cost=n * m * k / 4)
    return y
