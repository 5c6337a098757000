"""Activations and softmax in float32, one pass; compare `kernels.activations`, which has the formulas.

Softplus is left to NumPy, whose logarithm is computed in vectors, as LLVM's is not.
"""

import math
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import contracted, exact, prange, shared, sums
from tinygrad_cnn.kernels.compiled.normal import exponential, one_pass
from tinygrad_cnn.kernels.passes import memory_order

F, N = np.float32, np.int32
ZERO, HALF, ONE, THREE, SIX, LEAST = F(0), F(0.5), F(1), F(3), F(6), F(-87)
SHORT = 16
"""Rows of fewer elements are left to NumPy: they are less than a vector."""


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + exp(-x))"""
    return one_pass(_sigmoid, numpy_set.sigmoid, x)


def silu(x: NDArray) -> NDArray:
    """x sigmoid(x)"""
    return one_pass(_silu, numpy_set.silu, x)


def silu_slope(x: NDArray) -> NDArray:
    """s + x s', with s = sigmoid(x)"""
    return one_pass(_silu_slope, numpy_set.silu_slope, x)


def hardswish(x: NDArray) -> NDArray:
    """x min(max(x + 3, 0), 6) / 6, and 0 at -∞"""
    return one_pass(_hardswish, numpy_set.hardswish, x)


def hardswish_slope(x: NDArray) -> NDArray:
    """x / 3 + 1/2 between -3 and 3, 0 below, 1 above"""
    return one_pass(_hardswish_slope, numpy_set.hardswish_slope, x)


def softmax(x: NDArray, axis: int) -> NDArray:
    """exp x / Σ exp x"""
    return _along(_softmax, numpy_set.softmax, x, axis)


def log_softmax(x: NDArray, axis: int) -> NDArray:
    """x - ln Σ exp x"""
    return _along(_log_softmax, numpy_set.log_softmax, x, axis)


def _along(loop: Any, other: Any, x: NDArray, axis: int) -> NDArray:
    order = memory_order(x) if x.dtype == np.float32 and x.ndim and x.shape[axis] >= SHORT else None
    if order is None or order[-1] != axis % x.ndim:
        return np.asarray(other(x, axis))
    lying = x.transpose(order)
    y = np.empty(lying.shape, x.dtype)
    loop(lying.reshape(-1, x.shape[axis]), y.reshape(-1, x.shape[axis]), cost=8 * x.nbytes)
    return y.transpose(np.argsort(order))


@contracted
def decaying(y: Any) -> Any:
    """exp y of a float32 below 0: 0 from -87 on."""
    e = exponential(max(y, LEAST))
    return e if y >= LEAST else (ZERO if y < LEAST else y)


@shared
def _sigmoid(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _sigmoid_run(x[some], y[some])


@contracted
def _sigmoid_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        v = x[k]
        e = decaying(-abs(v))
        d = ONE / (ONE + e)
        y[k] = e * d if v < 0 else d


@shared
def _silu(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _silu_run(x[some], y[some])


@contracted
def _silu_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        v = x[k]
        e = decaying(-abs(v))
        d = ONE / (ONE + e)
        y[k] = v * (e * d if v < 0 else d)


@shared
def _silu_slope(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _silu_slope_run(x[some], y[some])


@contracted
def _silu_slope_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        v = x[k]
        e = decaying(-abs(v))
        d = ONE / (ONE + e)
        y[k] = (e * d if v < 0 else d) + v * (e * d * d)


@shared
def _hardswish(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _hardswish_run(x[some], y[some])


@contracted
def _hardswish_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        v = x[k]
        share = v + THREE
        share = ZERO if share < ZERO else share
        share = SIX if share > SIX else share
        y[k] = (-THREE if v < -THREE else v) * (share / SIX)


@shared
def _hardswish_slope(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _hardswish_slope_run(x[some], y[some])


@contracted
def _hardswish_slope_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        v = x[k]
        inside = v / THREE + HALF
        y[k] = ZERO if v <= -THREE else (ONE if v >= THREE else inside)


@exact
def largest(row: NDArray) -> Any:
    """The largest of a row, a NaN above all: of the bits, in the order of the numbers, since integers are compared in
    vectors."""
    bits, most = row.view(N), N(-(2**31))
    for k in range(bits.size):
        b = bits[k]
        most = max(most, N(b ^ ((b >> N(31)) & N(0x7FFFFFFF))))
    return N(most ^ ((most >> N(31)) & N(0x7FFFFFFF))).view(F)


@contracted
def _exponentials(row: NDArray, shift: Any, out: NDArray) -> None:
    for k in range(row.size):
        out[k] = decaying(row[k] - shift)


@sums
def total_of(row: NDArray) -> Any:
    """The sum of a row."""
    total = ZERO
    for k in range(row.size):
        total += row[k]
    return total


@exact
def _scale(row: NDArray, factor: Any) -> None:
    for k in range(row.size):
        row[k] *= factor


@exact
def _less(row: NDArray, shift: Any, out: NDArray) -> None:
    for k in range(row.size):
        out[k] = row[k] - shift


@shared
def _softmax(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        for n in range(len(x) * share // shares, len(x) * (share + 1) // shares):
            _exponentials(x[n], largest(x[n]), y[n])
            _scale(y[n], ONE / total_of(y[n]))


@shared
def _log_softmax(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        for n in range(len(x) * share // shares, len(x) * (share + 1) // shares):
            most = largest(x[n])
            _exponentials(x[n], most, y[n])
            total = F(math.log(total_of(y[n])))
            _less(x[n], most, y[n])
            _less(y[n], total, y[n])
