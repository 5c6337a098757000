"""Element-wise passes, one over memory each; compare `kernels.elementwise`."""

import numpy as np

from tinygrad_cnn.kernels import elementwise as plain
from tinygrad_cnn.kernels.compiled.jit import exact, sums
from tinygrad_cnn.kernels.compiled.layout import DTYPES
from tinygrad_cnn.kernels.elementwise import memory_order
from tinygrad_cnn.kernels.threads import share_evenly
from tinygrad_cnn.types import NDArray

SMALL = 4096
"""Arrays of at most so many elements are left to NumPy: finding out how they lie costs more than the pass."""


def relu(x: NDArray) -> NDArray:
    """max(x, 0), in the memory order of x; NaN stays NaN."""
    order = memory_order(x) if np.size(x) > SMALL and x.dtype in DTYPES else None
    if order is None:
        return plain.relu(x)
    y = np.empty(x.transpose(order).shape, x.dtype)
    source, result = x.transpose(order).reshape(-1), y.reshape(-1)
    share_evenly(x.size, lambda part: _relu(source[part], result[part]), 2 * x.nbytes)
    return y.transpose(np.argsort(order))


def gate(x: NDArray, of: NDArray) -> NDArray:
    """x where `of` is above 0, else 0, in the memory order of `of`."""
    order = memory_order(of) if np.size(of) > SMALL and x.dtype == of.dtype in DTYPES else None
    if order is None:
        return plain.gate(x, of)
    y = np.empty(of.transpose(order).shape, x.dtype)
    source = np.ascontiguousarray(x.transpose(order)).reshape(-1)
    opened, result = of.transpose(order).reshape(-1), y.reshape(-1)
    share_evenly(x.size, lambda part: _gate(source[part], opened[part], result[part]), 3 * x.nbytes)
    return y.transpose(np.argsort(order))


def channel_sums(g: NDArray) -> NDArray:
    """Σ over images and places of g (N,C,H,W), as (C,)."""
    lying = g.transpose(1, 2, 3, 0)
    if g.dtype not in DTYPES or not lying.flags.c_contiguous:
        return plain.channel_sums(g)
    rows, out = lying.reshape(len(lying), -1), np.empty(len(lying), g.dtype)
    share_evenly(len(rows), lambda some: _row_sums(rows[some], out[some]), g.nbytes)
    return out


def descend(value: NDArray, gradient: NDArray, rate: float) -> None:
    """value -= rate · gradient, in place."""
    same = value.size > SMALL and value.dtype == gradient.dtype and value.dtype in DTYPES
    if not (same and value.flags.c_contiguous and gradient.flags.c_contiguous):
        plain.descend(value, gradient, rate)
    else:
        into, source, step = value.reshape(-1), gradient.reshape(-1), value.dtype.type(rate)
        share_evenly(into.size, lambda some: _descend(into[some], source[some], step), 3 * value.nbytes)


@exact
def _relu(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        y[k] = x[k] if (x[k] > 0) | (x[k] != x[k]) else 0


@exact
def _gate(x: NDArray, of: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        y[k] = x[k] if of[k] > 0 else 0


@sums
def _row_sums(rows: NDArray, out: NDArray) -> None:
    """The sum of each row, by sums of 4,096 elements, so that roundings do not pile up."""
    for c in range(len(rows)):
        total = 0.0
        for start in range(0, rows.shape[1], 4096):
            run = rows[c, start : start + 4096]
            part = rows.dtype.type(0)
            for k in range(run.size):
                part += run[k]
            total += part
        out[c] = total


@sums
def _descend(value: NDArray, gradient: NDArray, rate: float) -> None:
    for k in range(value.size):
        value[k] -= rate * gradient[k]
