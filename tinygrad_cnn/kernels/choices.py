"""One of two numbers for each element, without a branch: by their bits."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray

MANY = 1024
"""Elements from which five passes are faster than a loop that guesses at every element, and errs at half of them."""
BLOCK = 1 << 14
BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def choose(condition: Any, a: Any, b: Any) -> Any:
    """`np.where`; six times as fast for large floating arrays and a condition without a pattern."""
    plan = _plan(condition, a, b)
    if plan is None:
        return np.where(condition, a, b)
    dtype, axes = plan
    bits = BITS[dtype]
    holds = _run(condition, axes).view(np.int8)
    first, second = (_bits(x, axes, dtype, bits) for x in (a, b))
    out = np.empty(holds.size, dtype)
    written = out.view(bits)
    for start in range(0, out.size, BLOCK):
        part = slice(start, start + BLOCK)
        x, y = (v[part] if isinstance(v, np.ndarray) else v for v in (first, second))
        mask, here = holds[part].astype(bits), written[part]
        np.negative(mask, out=mask)
        if y is None:
            np.bitwise_and(x, mask, out=here)
        elif x is None:
            np.bitwise_and(y, np.invert(mask, out=mask), out=here)
        else:
            np.bitwise_xor(x, y, out=here)
            here &= mask
            here ^= y
    shape = tuple(condition.shape[k] for k in axes)
    return out.reshape(shape).transpose(np.argsort(axes))


def _plan(condition: Any, a: Any, b: Any) -> tuple[np.dtype[Any], tuple[int, ...]] | None:
    """The dtype and the axes from the outermost in memory, if all arrays are runs in the same order."""
    if type(condition) is not np.ndarray or condition.dtype != np.bool_ or condition.size < MANY:
        return None
    dtype: Any = None
    axes = tuple(np.argsort([-s for s in condition.strides], kind="stable").tolist())
    for x in (a, b):
        if type(x) in (float, int):
            continue
        if isinstance(x, (np.ndarray, np.generic)) and not x.shape and x.dtype == (dtype or x.dtype):
            dtype = x.dtype
            continue
        if type(x) is not np.ndarray or x.shape != condition.shape or x.dtype != (dtype or x.dtype):
            return None
        dtype = x.dtype
        if dtype not in BITS or not x.transpose(axes).flags.c_contiguous:
            return None
    if dtype not in BITS or not condition.transpose(axes).flags.c_contiguous:
        return None
    return dtype, axes


def _run(x: NDArray, axes: tuple[int, ...]) -> NDArray:
    return x.transpose(axes).reshape(-1)


def _bits(x: Any, axes: tuple[int, ...], dtype: np.dtype[Any], bits: Any) -> Any:
    """The bits of an array or of a number, None for those of 0."""
    if isinstance(x, np.ndarray) and x.shape:
        return _run(x, axes).view(bits)
    number = np.asarray(x, dtype).view(bits)[()]
    return number if number else None
