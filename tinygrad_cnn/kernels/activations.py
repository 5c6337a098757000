"""Activations and softmax: passes over blocks that fit the cache, in place.

With e = exp(-|x|) and d = 1 / (1 + e), sigmoid(x) is d where x >= 0, else e d, and its slope is e d²: digits are kept
in both tails, and nothing overflows.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.passes import RUN, each_block, split


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + exp(-x))"""
    return each_block(x, _sigmoid, spare=0, passes=8)


def silu(x: NDArray) -> NDArray:
    """x sigmoid(x)"""
    return each_block(x, lambda x, y: np.multiply(x, _sigmoid(x, y), out=y), spare=0, passes=9)


def silu_slope(x: NDArray) -> NDArray:
    """s + x s', with s = sigmoid(x)"""

    def work(x: NDArray, y: NDArray, e: NDArray, d: NDArray) -> None:
        _tail(x, e)
        np.add(e, 1, out=d)
        np.divide(1, d, out=d)
        np.maximum(e, x >= 0, out=y)  # 1 where x >= 0, else e
        np.multiply(y, d, out=y)
        np.multiply(e, d, out=e)
        np.multiply(e, d, out=e)
        np.multiply(e, x, out=e)
        np.add(y, e, out=y)

    return each_block(x, work, spare=2, passes=16)


def softplus(x: NDArray, limit: float) -> NDArray:
    """ln(1 + exp(x)), and x itself above the limit

    ln(1 + e) is ln u + (e - (u - 1)) / u with u = 1 + e rounded: the second term is what the rounding lost.
    """

    def work(x: NDArray, y: NDArray, u: NDArray, lost: NDArray) -> None:
        e = _tail(x, y)
        np.add(e, 1, out=u)
        np.subtract(u, 1, out=lost)
        np.subtract(e, lost, out=lost)
        np.divide(lost, u, out=lost)
        np.log(u, out=u)
        np.add(u, lost, out=u)
        if limit < math.inf:
            np.multiply(u, x <= limit, out=u)
        np.maximum(x, 0, out=y)
        np.add(y, u, out=y)

    return each_block(x, work, spare=2, passes=20)


def hardswish(x: NDArray) -> NDArray:
    """x min(max(x + 3, 0), 6) / 6, and 0 at -∞"""

    def work(x: NDArray, y: NDArray, share: NDArray) -> None:
        np.add(x, 3, out=share)
        np.clip(share, 0, 6, out=share)
        np.divide(share, 6, out=share)
        np.maximum(x, -3, out=y)
        np.multiply(y, share, out=y)

    return each_block(x, work, spare=1, passes=7)


def hardswish_slope(x: NDArray) -> NDArray:
    """x / 3 + 1/2 between -3 and 3, 0 below, 1 above"""

    def work(x: NDArray, y: NDArray, beyond: NDArray) -> None:
        np.clip(x, -3, 3, out=y)
        np.divide(y, 3, out=y)
        np.add(y, 0.5, out=y)
        np.multiply(x >= 3, x.dtype.type(0.5), out=beyond)
        np.subtract(y, beyond, out=y)
        np.multiply(x <= -3, x.dtype.type(0.5), out=beyond)
        np.add(y, beyond, out=y)

    return each_block(x, work, spare=1, passes=10)


def _sigmoid(x: NDArray, y: NDArray) -> NDArray:
    np.negative(x, out=y)
    np.exp(y, out=y)  # to infinity, of which the result is 0
    np.add(y, 1, out=y)
    return np.divide(1, y, out=y)


def _tail(x: NDArray, e: NDArray) -> NDArray:
    """exp(-|x|) into e."""
    np.absolute(x, out=e)
    np.negative(e, out=e)
    return np.exp(e, out=e)


# ---- along an axis ---------------------------------------------------------------------------------------------------


def softmax(x: NDArray, axis: int) -> NDArray:
    """exp x / Σ exp x"""
    return _row_blocks(_softmax, x, axis)


def log_softmax(x: NDArray, axis: int) -> NDArray:
    """x - ln Σ exp x"""
    return _row_blocks(_log_softmax, x, axis)


def _row_blocks(work: Callable[[NDArray, int, NDArray], Any], x: NDArray, axis: int) -> NDArray:
    """``work(x, axis, y)``, which fills y: of many elements in rows that lie along the axis, some rows at a time."""
    if x.size <= 4 * RUN or axis != x.ndim - 1 or not x.flags.c_contiguous:
        y = np.empty_like(x)
        if x.size:
            work(x, axis, y)
        return y
    rows = x.reshape(-1, x.shape[axis])
    y = np.empty_like(rows)
    for block in split(len(rows), max(1, 4 * RUN // rows.shape[1])):
        work(rows[block], 1, y[block])
    return y.reshape(x.shape)


def _softmax(x: NDArray, axis: int, y: NDArray) -> NDArray:
    np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf), out=y)
    np.exp(y, out=y)
    return np.divide(y, np.add.reduce(y, axis=axis, keepdims=True), out=y)


def _log_softmax(x: NDArray, axis: int, y: NDArray) -> NDArray:
    np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf), out=y)
    return np.subtract(y, np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True)), out=y)
