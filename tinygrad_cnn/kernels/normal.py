"""The normal distribution in float32, for GELU: passes over a block that fits the cache, digits kept in both tails.

With t = |x|, Φ(-t) = M(t) exp(-t²/2), where M is smooth: (t + K) M(t) is a polynomial in u = (t - K) / (t + K),
right to 1.5·10⁻⁸: a fit of our own, by weighted least squares until all errors were alike.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.passes import memory_order, share, split
from tinygrad_cnn.kernels.special import gauss, ndtr

Work: TypeAlias = Callable[[NDArray, NDArray, NDArray], Any]
K = 3.75
MILLS = (
    4.43590957e-4, 5.09900980e-4, -4.16895354e-3, 1.19994227e-3, 3.74924517e-2, -1.51520818e-1, 3.52939611e-1,
    -5.88188278e-1, 7.50294074e-1,
)  # fmt: skip
DENSITY = 1 / math.sqrt(2 * math.pi)
BLOCK = 1 << 14
"""Elements of a block: 64 KiB, and five of them are used."""
PASSES = 30
"""Over each block."""


def gelu(x: NDArray) -> NDArray:
    """x Φ(x)."""
    if x.dtype != np.float32:
        return np.asarray(x * ndtr(x))
    return each_block(x, lambda x, y, spare: np.multiply(x, _ndtr(x, y, spare), out=y))


def gelu_slope(x: NDArray) -> NDArray:
    """Φ(x) + x φ(x)."""
    if x.dtype != np.float32:
        return np.asarray(ndtr(x) + x * (DENSITY * gauss(x, -0.5)))

    def work(x: NDArray, y: NDArray, spare: NDArray) -> None:
        _ndtr(x, y, spare)
        density = spare[1]
        np.multiply(density, DENSITY, out=density)
        np.multiply(density, x, out=density)
        np.add(y, density, out=y)

    return each_block(x, work)


def each_block(x: NDArray, work: Work) -> NDArray:
    """``work(x, y, spare)`` on blocks of a float32 array as it lies in memory: it fills y, and may use `spare`."""
    order = memory_order(x)
    if order is None:
        order, x = tuple(range(x.ndim)), np.ascontiguousarray(x)
    y = np.empty(x.transpose(order).shape, x.dtype)
    source, out = x.transpose(order).reshape(-1), y.reshape(-1)

    def some(blocks: Sequence[slice]) -> None:
        spare = np.empty((3, min(BLOCK, x.size)), x.dtype)
        with np.errstate(all="ignore"):
            for block in blocks:
                part = source[block]
                work(part, out[block], spare[:, : part.size])

    share(split(x.size, BLOCK), some, cost=PASSES * x.nbytes)
    return y.transpose(np.argsort(order))


def _ndtr(x: NDArray, y: NDArray, spare: NDArray) -> NDArray:
    """Φ(x) into y; ``spare[1]`` is left as exp(-x²/2)."""
    t, e, u = spare
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
