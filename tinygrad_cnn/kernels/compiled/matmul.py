"""Products of a matrix and a vector, as a linear layer has them for one image: a pass over the matrix, in threads."""

from typing import Any

import numpy as np

from tinygrad_cnn.kernels import matmul as plain
from tinygrad_cnn.kernels.compiled.jit import prange, shared, sums
from tinygrad_cnn.kernels.compiled.layout import DTYPES
from tinygrad_cnn.types import NDArray

SMALL = 1 << 16
"""Elements of a matrix below which BLAS is as fast."""


def matmul(a: NDArray, b: NDArray, *, keep_order: bool = False) -> NDArray:
    """a (…,n,k) times b (…,k,m); see `kernels.matmul`."""
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 2 or b.ndim != 2 or (len(a) != 1 != a.shape[1]) or a.dtype != b.dtype or a.dtype not in DTYPES:
        return plain.matmul(a, b, keep_order=keep_order)
    (n, k), m = a.shape, b.shape[1]
    if k != len(b):
        return plain.matmul(a, b, keep_order=keep_order)
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
    return plain.matmul(a, b, keep_order=keep_order)


@shared
def _dots(rows: NDArray, x: NDArray, y: NDArray, parts: int) -> None:
    """y[i] = Σ_k rows[i, k] x[k]"""
    for part in prange(parts):
        for i in range(len(rows) * part // parts, len(rows) * (part + 1) // parts):
            y[i] = _dot(rows[i], x)


@sums
def _dot(a: NDArray, b: NDArray) -> Any:
    total = a.dtype.type(0)
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@shared
def _combine(rows: NDArray, x: NDArray, y: NDArray, parts: int) -> None:
    """y[k] = Σ_i x[i] rows[i, k]"""
    for part in prange(parts):
        first, last = y.size * part // parts, y.size * (part + 1) // parts
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
def _outer(a: NDArray, b: NDArray, y: NDArray, parts: int) -> None:
    """y[i, j] = a[i] b[j]"""
    for part in prange(parts):
        for i in range(len(a) * part // parts, len(a) * (part + 1) // parts):
            _scaled(a[i], b, y[i])


@sums
def _scaled(a: float, b: NDArray, y: NDArray) -> None:
    for j in range(b.size):
        y[j] = a * b[j]
