"""Sums of products and choices between elements, composed of arithmetic."""

import numpy as np

from tinygrad_cnn.core.checks import dtype_of
from tinygrad_cnn.core.types import A, ArrayLike
from tinygrad_cnn.ops.piecewise import abs, sign, where
from tinygrad_cnn.ops.shape import clone
from tinygrad_cnn.ops.untracked import dressed, plain

__all__ = [
    "addcdiv", "addcmul", "copysign", "lerp", "nan_to_num", "rsub", "sgn",
]  # fmt: skip


def lerp(input: A, end: ArrayLike, weight: ArrayLike) -> A:
    """The point on the way from `input` to `end`: ``input + weight * (end - input)``."""
    return input + weight * (end - input)


def addcmul(input: A, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> A:
    """``input + value * tensor1 * tensor2``"""
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


def addcdiv(input: A, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> A:
    """``input + value * tensor1 / tensor2``"""
    return input + (tensor1 / tensor2 if value == 1 else value * tensor1 / tensor2)


def rsub(input: A, other: ArrayLike, *, alpha: float = 1) -> A:
    """``other - alpha * input``"""
    return other - (input if alpha == 1 else input * alpha)


def copysign(input: A, other: ArrayLike) -> A:
    """The size of `input` with the sign of `other`, that of -0.0 included."""
    return abs(input) * dressed(np.copysign(np.ones((), dtype_of(input)), plain("copysign", other)), input, other)


def sgn(input: A) -> A:
    """-1, 0 or 1 for each element; see `sign`."""
    return sign(input)


def nan_to_num(input: A, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> A:
    """With numbers for NaN (0) and for the infinities (the largest and the least number of the dtype)."""
    values = plain("nan_to_num", input)
    if values.dtype.kind != "f":
        return clone(input)
    limits = np.finfo(values.dtype)
    out = where(np.isnan(values), 0.0 if nan is None else nan, input)
    out = where(values == np.inf, float(limits.max) if posinf is None else posinf, out)
    return where(values == -np.inf, float(limits.min) if neginf is None else neginf, out)
