"""The products of a linear layer where they are not BLAS's strength: of one image, or of few, in threads.

Of one image they are a pass over the matrix; of a few, and of two matrices by rows, sums of shifted runs as in a
convolution of 1×1.
"""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.direct import set_runs
from tinygrad_cnn.kernels.compiled.jit import prange, shared, sums
from tinygrad_cnn.kernels.compiled.layout import DTYPES, transposed
from tinygrad_cnn.kernels.compiled.registers import BYTES

SMALL = 1 << 16
"""Elements of a matrix below which BLAS is as fast."""
FEW = 256
"""Bytes of a row up to which panels are faster: 9216 to 128 features, 16 images, 0.35 ms for 0.48, and the gradient of
the weight 0.5 for 0.95."""


LARGE, DEEP = 1 << 18, 1024
"""Multiplications from which, and rows up to which, panels beat BLAS where both matrices lie by rows: by a tenth.
1024 by 512 and 512 by 128 take 1.23 ms, not 1.54."""


def matmul(a: NDArray, b: NDArray, *, keep_order: bool = False) -> NDArray:
    """a (…,n,k) times b (…,k,m); see `kernels.passes`."""
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 2 or b.ndim != 2 or a.dtype != b.dtype or a.dtype not in DTYPES or a.shape[1] != len(b):
        return numpy_set.matmul(a, b, keep_order=keep_order)
    (n, k), m = a.shape, b.shape[1]
    lanes, few = BYTES // a.itemsize, FEW // a.itemsize
    if keep_order and lanes <= n <= few and k * m > SMALL and a.flags.f_contiguous and b.flags.f_contiguous:
        return products(b.T, a.T).T
    if lanes <= k <= few and n * m > SMALL and a.flags.c_contiguous and b.flags.f_contiguous:
        return products(a, transposed(b.T))
    if lanes <= m and n > 1 and k <= DEEP and n * k * m > LARGE and a.flags.c_contiguous and b.flags.c_contiguous:
        return products(a, b)
    if n == 1 and k * m > SMALL and (b.flags.c_contiguous or b.flags.f_contiguous):
        y = np.empty((1, m), a.dtype)
        vector, result = np.ascontiguousarray(a[0]), y[0]
        if b.flags.f_contiguous:
            _dots(b.T, vector, result, cost=b.nbytes)
        else:
            _combine(b, vector, result, cost=b.nbytes)
        return y
    if k == 1 and n * m > SMALL:
        y = np.empty((n, m), a.dtype)
        _outer(np.ascontiguousarray(a[:, 0]), np.ascontiguousarray(b[0]), y, cost=y.nbytes)
        return y
    return numpy_set.matmul(a, b, keep_order=keep_order)


def products(a: NDArray, b: NDArray) -> NDArray:
    """a (n,k) times b (k,m), both in C order, and m at least a vector long."""
    (n, k), m = a.shape, b.shape[1]
    y = np.empty((n, m), a.dtype)
    _products(b.reshape(-1), np.arange(k) * m, a, np.zeros(n, a.dtype), y, cost=a.nbytes + n * k * m / 4)
    return y


@shared
def _products(b: NDArray, taps: NDArray, a: NDArray, zeros: NDArray, y: NDArray, shares: int) -> None:
    """See `direct.correlate`; shares are of rows."""
    run = np.array([[0, 0, y.shape[1]]])
    for share in prange(shares):
        first, last = len(y) * share // shares, len(y) * (share + 1) // shares
        set_runs(b, taps, a[first:last], zeros[first:last], y[first:last], run)


@shared
def _dots(rows: NDArray, x: NDArray, y: NDArray, shares: int) -> None:
    """y[i] = Σ_k rows[i, k] x[k]"""
    for share in prange(shares):
        for i in range(len(rows) * share // shares, len(rows) * (share + 1) // shares):
            y[i] = dot(rows[i], x)


@sums
def dot(a: NDArray, b: NDArray) -> Any:
    """Σ a[k] b[k]"""
    total = a.dtype.type(0)
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@shared
def _combine(rows: NDArray, x: NDArray, y: NDArray, shares: int) -> None:
    """y[k] = Σ_i x[i] rows[i, k]"""
    for share in prange(shares):
        first, last = y.size * share // shares, y.size * (share + 1) // shares
        _combine_some(rows, x, y[first:last], first)


@sums
def _combine_some(rows: NDArray, x: NDArray, y: NDArray, first: int) -> None:
    """Some columns, a few at a time, so that their sums stay in the cache."""
    for start in range(0, y.size, 2048):
        run = y[start : start + 2048]
        for k in range(run.size):
            run[k] = 0
        for i in range(len(rows)):
            row, weight = rows[i, first + start :], x[i]
            for k in range(run.size):
                run[k] += weight * row[k]


@shared
def _outer(a: NDArray, b: NDArray, y: NDArray, shares: int) -> None:
    """y[i, j] = a[i] b[j]"""
    for share in prange(shares):
        for i in range(len(a) * share // shares, len(a) * (share + 1) // shares):
            scaled(a[i], b, y[i])


@sums
def scaled(a: float, b: NDArray, y: NDArray) -> None:
    """y[j] = a b[j]"""
    for j in range(b.size):
        y[j] = a * b[j]
