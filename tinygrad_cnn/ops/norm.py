"""Normalisation: a batch or a layer brought to mean 0 and variance 1, then scaled and shifted.

The rules rebuild mean and deviation from the input, so that second derivatives see them.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Shape
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.ops.reduce import Mean
from tinygrad_cnn.ops.told import made

__all__ = [
    "layer_norm",
]


def mean_over(x: Array, axes: tuple[int, ...]) -> Array:
    """The mean over the axes, which stay with size 1."""
    return Mean.apply(x, axes=axes, keepdim=True)


def standardised(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array]:
    """(x - mean) / √(var + eps) over the axes, and 1 / √(var + eps)."""
    deviation = x - mean_over(x, axes)
    inverse = 1 / np.sqrt(mean_over(deviation * deviation, axes) + eps)
    return deviation * inverse, inverse


class Normalize(Op):
    """y = (x - x̄) / √(var x + ε)        dx = (g - ḡ - y mean(g y)) / √(var x + ε), means over the axes"""

    floating = True

    def forward(x: Array, *, axes: tuple[int, ...], eps: float) -> Array:
        return standardised(x, axes, eps)[0]

    def d_x(g: Array, x: Array, *, axes: tuple[int, ...], eps: float) -> Array:
        y, inverse = standardised(x, axes, eps)
        centred = g - mean_over(g, axes)
        return (centred - y * mean_over(g * y, axes)) * inverse

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array((draw.integer(2, 3), *draw.shape(1, 2, smallest=1)), Real())
        axes = draw.choice([(0,), tuple(range(x.ndim)), (0, x.ndim - 1)])
        return Sample((x,), {"axes": tuple(sorted(set(axes))), "eps": draw.choice([0.5, 0.1])})


def normalised(x: A, axes: tuple[int, ...], eps: float) -> A:
    """Over the axes brought to mean 0 and variance 1; of no elements there are no statistics, and nothing to bring."""
    return Normalize.apply(x, axes=axes, eps=eps) if 0 not in shape_of(x) else x * 1


def batch_norm(input: A, weight: ArrayLike | None, bias: ArrayLike | None, eps: float = 1e-5) -> A:
    """Normalise each channel of (N, C, …) over the batch and all places, then scale and shift it.

    The training form (Ioffe & Szegedy 2015), by the batch's own statistics.
    """
    shape = shape_of(input)
    check_ndim("batch_norm", "input", input, (2, 3, 4, 5), "(N, C, …)")
    axes = (0, *range(2, len(shape)))
    size = math.prod(shape[a] for a in axes)
    if size == 1:
        raise ArgumentError(f"batch_norm: input {shape} has one value per channel; training needs more")
    return scale_channels("batch_norm", normalised(input, axes, eps), weight, bias)


def scale_channels(op: str, y: Array, weight: Array | None, bias: Array | None) -> Array:
    """Each channel (axis 1) times its weight plus its bias."""
    shape = shape_of(y)
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value) != shape[1:2]:
            raise ArgumentError(f"{op}: {name} has shape {shape_of(value)}; input {shape} expects ({shape[1]},)")
    if weight is not None:
        y = y * np.reshape(weight, column(shape))
    return y if bias is None else y + np.reshape(bias, column(shape))


def column(shape: Shape) -> Shape:
    """The shape in which one number per channel (axis 1) broadcasts against an array of this shape."""
    return (shape[1], *(1,) * (len(shape) - 2))


def layer_norm(
    input: A,
    normalized_shape: Sequence[int],
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> A:
    """Normalise each sample over its last dims, those of `normalized_shape` (Ba, Kiros, Hinton 2016)."""
    shape, last = shape_of(input), tuple(normalized_shape)
    if not last or shape[-len(last) :] != last:
        raise ArgumentError(f"layer_norm: input has shape {shape}; normalized_shape {last} must be its last dims")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value) != last:
            raise ArgumentError(f"layer_norm: {name} has shape {shape_of(value)}; expected {last}")
    y = normalised(input, tuple(range(len(shape) - len(last), len(shape))), eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def drop(input: A, p: float, generator: Any) -> A:
    """Zero each element with probability p, and scale the others by 1 / (1 - p) (Srivastava et al. 2014).

    What stays is said by ``generator.bernoulli(1 - p, shape)``.
    """
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"dropout: p is {p}; a probability is between 0 and 1")
    if p == 0.0:
        return input
    shape = shape_of(input)
    if p == 1.0:
        return input * np.zeros((), input.dtype)
    return input * made(_kept, generator, p, shape, input.dtype, drawn=True)


def _kept(generator: Any, p: float, shape: Shape, dtype: Any) -> NDArray:
    mask: NDArray = generator.bernoulli(1 - p, shape) * np.dtype(dtype).type(1 / (1 - p))
    return mask
