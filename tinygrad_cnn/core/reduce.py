"""Reductions over `axes`, a tuple counted from the front.

`beside` gives a reduced array its axes back, so that it broadcasts against the array it came from.
"""

import math
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axes
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import Array, Shape
from tinygrad_cnn.kernels.passes import summed


def beside(a: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
    """Give a reduced array its reduced axes back, with size 1, so that it broadcasts against the input."""
    return a if keepdim else np.expand_dims(a, axes)


def count(shape: Shape, axes: tuple[int, ...]) -> int:
    """How many elements go into one element of the result."""
    return math.prod(shape[a] for a in axes)


def unbroadcast(a: Array, shape: Shape) -> Array:
    """Sum a cotangent over the axes along which its input was repeated; spread it if the rule did not."""
    lead = len(a.shape) - len(shape)  # negative when leading 1s were dropped by an assignment
    axes = tuple(k for k, n in enumerate(a.shape) if k < lead or (shape[k - lead] == 1 and n != 1))
    if axes:
        kept = tuple(1 if k in axes else n for k, n in enumerate(a.shape))[max(lead, 0) :]
        a = np.reshape(Sum.apply(a, axes=axes, keepdim=True), kept)
    return a if a.shape == shape else np.broadcast_to(a, shape)


def sample_reduction(draw: Draw, domain: Any = None, *, smallest: int = 0) -> Sample:
    """An array, some of its axes, and keepdim."""
    x = draw.array(draw.shape(smallest=smallest), domain or Real())
    return Sample((x,), {"axes": check_axes("sample", draw.axes(x.ndim), x.ndim), "keepdim": draw.boolean()})


class Sum(Op):
    """y = Σ x        dx = g, spread over the summed axes"""

    linear = "jointly"

    def forward(x: Array, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return summed(x, axes, keepdim)

    def d_x(g: Array, x_shape: Shape, *, axes: tuple[int, ...], keepdim: bool) -> Array:
        return np.broadcast_to(beside(g, axes, keepdim), x_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return sample_reduction(draw)
