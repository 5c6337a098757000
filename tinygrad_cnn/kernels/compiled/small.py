"""What runs of small steps are made of (`playback.gathering`): arrays are flat memory, an offset and strides.

There is nothing to share among threads here, and no array is made.
"""

import math

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.compiled.jit import exact, sums
from tinygrad_cnn.kernels.compiled.recurrent import tanh as tanh_float32

__all__ = ["descend", "exp", "log", "product", "sqrt", "tanh_float32", "tanh_float64"]

exp, log, sqrt, tanh_float64 = math.exp, math.log, math.sqrt, math.tanh


@sums
def product(
    a: NDArray, a_at: int, a_rows: int, a_columns: int,
    b: NDArray, b_at: int, b_rows: int, b_columns: int,
    y: NDArray, y_at: int, n: int, k: int, m: int,
) -> None:  # fmt: skip
    """y (n,m), by rows, is a (n,k) times b (k,m)."""
    if a_columns == 1 and b_rows == 1:  # along the middle both are runs
        for i in range(n):
            row = a[a_at + i * a_rows : a_at + i * a_rows + k]
            for j in range(m):
                column = b[b_at + j * b_columns : b_at + j * b_columns + k]
                total = y.dtype.type(0)
                for c in range(k):
                    total += row[c] * column[c]
                y[y_at + i * m + j] = total
        return
    for i in range(n):
        out = y[y_at + i * m : y_at + i * m + m]
        out[:] = 0
        for c in range(k):
            factor = a[a_at + i * a_rows + c * a_columns]
            if b_columns == 1:
                row = b[b_at + c * b_rows : b_at + c * b_rows + m]
                for j in range(m):
                    out[j] += factor * row[j]
            else:
                for j in range(m):
                    out[j] += factor * b[b_at + c * b_rows + j * b_columns]


@exact
def descend(value: NDArray, gradient: NDArray, rate: float) -> None:
    """value -= rate · gradient, in place; value in C order, the gradient in any."""
    into, step = value.reshape(-1), value.dtype.type(rate)
    for k in range(into.size):
        into[k] -= step * gradient.flat[k]
