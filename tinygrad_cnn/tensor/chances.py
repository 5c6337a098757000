"""Outcomes drawn with given probabilities, as arrays: what functions and methods of the same names share."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core import tensor as core
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.random import Generator
from tinygrad_cnn.torch_names.errors import KernelMissingError

T = TypeVar("T", bound=core.Tensor)


def with_gradient_0(drawn: T, *parameters: object) -> T:
    """What was drawn, recorded as a function of its parameters that has the derivative 0, as in PyTorch."""
    for p in parameters:
        if isinstance(p, core.Tensor) and p.requires_grad:
            drawn = ops.where(np.ones(drawn.array_shape, bool), drawn, p)
    return drawn


def bernoulli(given: NDArray, p: float | None, draw: Generator) -> NDArray:
    """1 with the probability that each element says, or with `p` for all, else 0; in the dtype of `given`."""
    chances = given if p is None else np.asarray(p)
    if p is None and given.dtype.kind != "f" and given.size:
        raise KernelMissingError(f"bernoulli: probabilities of dtype {given.dtype}; expected a floating dtype")
    if not np.all((chances >= 0) & (chances <= 1)):
        raise ArgumentError("bernoulli: every probability must be between 0 and 1")
    drawn = draw.chances(chances, given.shape) if p is None else draw.bernoulli(p, given.shape)
    return drawn.astype(given.dtype)


def multinomial(weights: NDArray, num_samples: int, replacement: bool, draw: Generator) -> NDArray:
    """Indices drawn with the probabilities that a vector, or each row of a matrix, is proportional to."""
    if weights.ndim not in (1, 2):
        raise ArgumentError(f"multinomial: input has shape {weights.shape}; expected (C,) or (N, C)")
    if weights.dtype.kind != "f":
        raise KernelMissingError(f"multinomial: input has dtype {weights.dtype}; expected a floating dtype")
    if num_samples <= 0:
        raise ArgumentError(f"multinomial: num_samples is {num_samples}; it must be at least 1")
    if not replacement and num_samples > weights.shape[-1]:
        raise ArgumentError(
            f"multinomial: {num_samples} of {weights.shape[-1]} categories without replacement; draw fewer, or set "
            "replacement=True"
        )
    if not np.all((weights >= 0) & np.isfinite(weights)):
        raise ArgumentError("multinomial: the probabilities contain inf, nan or a number below 0")
    if not np.all(weights.sum(-1) > 0):
        raise ArgumentError("multinomial: the probabilities of a row are all 0")
    if replacement and num_samples > 1:
        return by_levels(weights, num_samples, draw)
    clocks = weights / draw.exponential(weights.shape, weights.dtype)
    order = np.argsort(-clocks, axis=-1, kind="stable")[..., :num_samples]
    return order.astype(np.int64)


def by_levels(weights: NDArray, count: int, draw: Generator) -> NDArray:
    """For each row `count` indices: where uniform numbers fall among the cumulative probabilities."""
    rows = weights.reshape(-1, weights.shape[-1])
    levels: NDArray = np.cumsum(rows, axis=1, dtype=np.float64 if weights.dtype == np.float64 else np.float32)
    levels = levels / levels[:, -1:]
    uniform = draw.uniform((len(rows), count), np.float64)
    found = [np.searchsorted(level, u) for level, u in zip(levels, uniform, strict=True)]
    return np.array(found, np.int64).reshape(*weights.shape[:-1], count)
