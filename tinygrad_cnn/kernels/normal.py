"""The normal distribution in float32, for GELU: passes over a block that fits the cache, digits kept in both tails.

With t = |x|, Φ(-t) = M(t) exp(-t²/2), where M is smooth: (t + K) M(t) is a polynomial in u = (t - K) / (t + K),
right to 1.5·10⁻⁸: a fit of our own, by weighted least squares until all errors were alike.
"""

import math

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.passes import each_block
from tinygrad_cnn.kernels.special import gauss, ndtr

K = 3.75
MILLS = (
    4.43590957e-4, 5.09900980e-4, -4.16895354e-3, 1.19994227e-3, 3.74924517e-2, -1.51520818e-1, 3.52939611e-1,
    -5.88188278e-1, 7.50294074e-1,
)  # fmt: skip
DENSITY = 1 / math.sqrt(2 * math.pi)
PASSES = 30
"""Over each block."""


def gelu(x: NDArray) -> NDArray:
    """x Φ(x)."""
    if x.dtype != np.float32:
        return np.asarray(x * ndtr(x))
    return each_block(x, lambda x, y, *spare: np.multiply(x, _ndtr(x, y, *spare), out=y), spare=3, passes=PASSES)


def gelu_slope(x: NDArray) -> NDArray:
    """Φ(x) + x φ(x)."""
    if x.dtype != np.float32:
        return np.asarray(ndtr(x) + x * (DENSITY * gauss(x, -0.5)))

    def work(x: NDArray, y: NDArray, t: NDArray, density: NDArray, u: NDArray) -> None:
        _ndtr(x, y, t, density, u)
        np.multiply(density, DENSITY, out=density)
        np.multiply(density, x, out=density)
        np.add(y, density, out=y)

    return each_block(x, work, spare=3, passes=PASSES)


def _ndtr(x: NDArray, y: NDArray, t: NDArray, e: NDArray, u: NDArray) -> NDArray:
    """Φ(x) into y; e is left as exp(-x²/2)."""
    np.absolute(x, out=t)
    np.multiply(t, t, out=e)
    np.exp(np.multiply(e, -0.5, out=e), out=e)
    np.divide(1, np.add(t, K, out=t), out=t)
    np.add(np.multiply(t, -2 * K, out=u), 1, out=u)
    np.multiply(u, MILLS[0], out=y)
    for c in MILLS[1:-1]:
        np.multiply(np.add(y, c, out=y), u, out=y)
    np.multiply(np.add(y, MILLS[-1], out=y), t, out=y)
    np.multiply(y, e, out=y)  # Φ(-t)
    np.subtract(1, np.multiply(y, 2, out=t), out=t)
    y += np.multiply(x > 0, t, out=t)  # a choice by `where` would take as long as 20 products
    return y
