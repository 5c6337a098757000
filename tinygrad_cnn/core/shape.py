"""Ops that move elements about without changing them: each is linear, and its VJP moves them back."""

import numpy as np

from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.types import Array, DType, Shape
from tinygrad_cnn.kernels.passes import reshaped


class Cast(Op):
    """y = x in another dtype        dx = g in x's dtype"""

    linear = "jointly"

    def forward(x: Array, *, dtype: DType) -> Array:
        return x.astype(dtype)

    def d_x(g: Array) -> Array:
        return g  # the engine gives every cotangent the dtype of its input

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.array(draw.shape(), Real()),), {"dtype": np.dtype(np.longdouble)})


class Reshape(Op):
    """y = x with another shape        dx = g with x's shape"""

    linear = "jointly"
    views = True

    def forward(x: Array, *, shape: Shape) -> Array:
        return reshaped(x, shape)

    def d_x(g: Array, x_shape: Shape) -> Array:
        return np.reshape(g, x_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(), Real())
        order = draw.permutation(x.ndim)
        return Sample((x,), {"shape": draw.choice([(x.size,), tuple(x.shape[a] for a in order), (1, *x.shape)])})


class Permute(Op):
    """y = x with its axes in another order        dx = g with the order undone"""

    linear = "jointly"
    views = True

    def forward(x: Array, *, order: tuple[int, ...]) -> Array:
        return np.transpose(x, order)

    def d_x(g: Array, *, order: tuple[int, ...]) -> Array:
        return np.transpose(g, tuple(np.argsort(order)))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(high=4), Real())
        return Sample((x,), {"order": tuple(draw.permutation(x.ndim).tolist())})


class Expand(Op):
    """y = x repeated along new or size-1 axes        dx = g summed over them"""

    linear = "jointly"
    views = True
    overlaps = True

    def forward(x: Array, *, shape: Shape) -> Array:
        y = np.broadcast_to(x, shape)
        y.flags.writeable = x.flags.writeable  # a part of it may have its elements in places of their own
        return y

    def d_x(g: Array, x_shape: Shape, *, shape: Shape) -> Array:
        return unbroadcast(g, x_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        full = draw.shape()
        small = tuple(1 if draw.boolean() else n for n in full)[draw.integer(0, len(full)) :]
        return Sample((draw.array(small, Real()),), {"shape": full})
