"""Cross-entropy of class indices, one pass over each row; compare `kernels.passes`."""

import math

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import exact
from tinygrad_cnn.kernels.compiled.layout import DTYPES

MANY = 1 << 12
"""Logits from which NumPy's exponentials, which are vectors, are worth their ten passes."""


def class_losses(x: NDArray, t: NDArray) -> NDArray:
    """-ln softmax(x)[n, t[n]] of logits (N, K) and labels (N,), as (N,)."""
    if not suits(x, t):
        return numpy_set.class_losses(x, t)
    y = np.empty(len(x), x.dtype)
    _losses(x, t, y)
    return y


def class_losses_input(g: NDArray, x: NDArray, t: NDArray) -> NDArray:
    """The gradient in x: g (N,) times softmax(x) - [k = t], lying in memory as x does."""
    if not (suits(x, t) and g.dtype == x.dtype):
        return numpy_set.class_losses_input(g, x, t)
    y = np.empty_like(x)
    _gradients(g, x, t, y)
    return y


def suits(x: NDArray, t: NDArray) -> bool:
    """Whether the loops here compute with such arrays."""
    lying = x.flags.c_contiguous or x.flags.f_contiguous
    return x.dtype in DTYPES and t.dtype == np.int64 and lying and 0 < x.size < MANY


@exact
def _losses(x: NDArray, t: NDArray, y: NDArray) -> None:
    for n in range(len(x)):
        highest, total = x[n, 0], x.dtype.type(0)
        for k in range(1, x.shape[1]):
            highest = x[n, k] if (x[n, k] > highest) | (x[n, k] != x[n, k]) else highest
        for k in range(x.shape[1]):
            total += math.exp(x[n, k] - highest)
        y[n] = math.log(total) - (x[n, t[n]] - highest)


@exact
def _gradients(g: NDArray, x: NDArray, t: NDArray, y: NDArray) -> None:
    for n in range(len(x)):
        highest, total = x[n, 0], x.dtype.type(0)
        for k in range(1, x.shape[1]):
            highest = x[n, k] if (x[n, k] > highest) | (x[n, k] != x[n, k]) else highest
        for k in range(x.shape[1]):
            y[n, k] = math.exp(x[n, k] - highest)
            total += y[n, k]
        for k in range(x.shape[1]):
            y[n, k] = g[n] * (y[n, k] / total - (k == t[n]))
