"""Element-wise rules with kinks: each op says what it returns there."""

import numpy as np

from tinygrad_cnn.core.domain import AwayFrom, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Elementwise, Kink, Op, Sample
from tinygrad_cnn.core.types import Array, Shape
from tinygrad_cnn.kernels.chosen import chosen

AWAY_FROM_ZERO = {"x": AwayFrom((0.0,))}


class Relu(Elementwise):
    """y = max(x, 0)        dx = g, 0 where y = 0"""

    domain = AWAY_FROM_ZERO
    kinks = (Kink("x = 0", (0.0,), (0.0,)), Kink("x is NaN", (float("nan"),), (1.0,)))

    def forward(x: Array) -> Array:
        return chosen.relu(x)

    def d_x(g: Array, y: Array) -> Array:
        return Gate.apply(g, y)


class Gate(Op):
    """y = x, 0 where of <= 0        dx = g, 0 where of <= 0;  dof = 0"""

    domain = {"of": AwayFrom((0.0,))}

    def forward(x: Array, of: Array) -> Array:
        return chosen.gate(x, of)

    def d_x(g: Array, of: Array) -> Array:
        return Gate.apply(g, of)

    def d_of(g: Array, of_shape: Shape) -> Array:
        return np.zeros(of_shape, g.dtype)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = draw.shape(0, 3)
        return Sample((draw.array(shape, Real()), draw.array(shape, cls.domain["of"])), {})
