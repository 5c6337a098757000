"""GELU in float32, one pass; compare `kernels.normal`, which has the formulas."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import contracted, prange, shared
from tinygrad_cnn.kernels.normal import DENSITY, MILLS, K
from tinygrad_cnn.kernels.passes import memory_order

SMALL = 256
"""Arrays of at most so many elements are left to NumPy."""
F = np.float32
LOG2_E, LN_2, LN_2_REST = F(1.4426950408889634), F(0.693359375), F(-2.12194440e-4)
EXP = tuple(map(F, (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5)))
"""Of exp(r) - 1 - r, over r², for |r| up to ln 2 / 2 (Cephes)."""
ROUND = F(12582912)
"""1.5 · 2²³: a float32 to which it is added loses its fraction."""
M = tuple(map(F, MILLS))
FK, FD, ONE, HALF, LEAST = F(K), F(DENSITY), F(1), F(0.5), F(-87)


def gelu(x: NDArray) -> NDArray:
    """x Φ(x)."""
    return one_pass(_gelu, numpy_set.gelu, x)


def gelu_slope(x: NDArray) -> NDArray:
    """Φ(x) + x φ(x)."""
    return one_pass(_slope, numpy_set.gelu_slope, x)


def one_pass(loop: Any, other: Any, x: NDArray) -> NDArray:
    """A loop over a float32 array as it lies in memory; what else there is, and what is small, is left to `other`."""
    order = memory_order(x) if np.size(x) > SMALL and x.dtype == np.float32 else None
    if order is None:
        return np.asarray(other(x))
    y = np.empty(x.transpose(order).shape, x.dtype)
    loop(x.transpose(order).reshape(-1), y.reshape(-1), cost=8 * x.nbytes)
    return y.transpose(np.argsort(order))


@contracted
def exponential(y: Any) -> Any:
    """exp y of a float32 between -87 and 88, in arithmetic that LLVM makes vectors of."""
    n = (y * LOG2_E + ROUND) - ROUND
    r = y - n * LN_2 - n * LN_2_REST
    p = ((((EXP[0] * r + EXP[1]) * r + EXP[2]) * r + EXP[3]) * r + EXP[4]) * r + EXP[5]
    return (p * r * r + r + ONE) * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@contracted
def _below(t: Any, e: Any) -> Any:
    """Φ(-t), with e = exp(-t²/2)."""
    r = ONE / (t + FK)
    u = ONE - F(2) * FK * r
    p = (((((((M[0] * u + M[1]) * u + M[2]) * u + M[3]) * u + M[4]) * u + M[5]) * u + M[6]) * u + M[7]) * u + M[8]
    return p * r * e


@shared
def _gelu(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _gelu_run(x[some], y[some])


@contracted
def _gelu_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        v = x[k]
        t = abs(v)
        a = -HALF * t * t
        q = _below(t, exponential(max(a, LEAST)))
        q = q if a >= LEAST else (F(0) if a < LEAST else v)
        y[k] = v * (ONE - q if v > 0 else q)


@shared
def _slope(x: NDArray, y: NDArray, shares: int) -> None:
    for share in prange(shares):
        some = slice(x.size * share // shares, x.size * (share + 1) // shares)
        _slope_run(x[some], y[some])


@contracted
def _slope_run(x: NDArray, y: NDArray) -> None:
    for k in range(x.size):
        v = x[k]
        t = abs(v)
        a = -HALF * t * t
        e = exponential(max(a, LEAST))
        e = e if a >= LEAST else (F(0) if a < LEAST else v)
        q = _below(t, e)
        y[k] = (ONE - q if v > 0 else q) + v * (FD * e)
