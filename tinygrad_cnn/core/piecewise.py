"""Element-wise rules with kinks: each op says what it returns there."""

import numpy as np

from tinygrad_cnn.core.domain import AwayFrom, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Elementwise, Kink, Op, Sample
from tinygrad_cnn.core.types import Array
from tinygrad_cnn.kernels.chosen import chosen

AWAY_FROM_ZERO = {"x": AwayFrom((0.0,))}


class Relu(Elementwise):
    """y = max(x, 0)        dx = g [y > 0]"""

    domain = AWAY_FROM_ZERO
    kinks = (Kink("x = 0", (0.0,), (0.0,)),)

    def forward(x: Array) -> Array:
        return chosen.relu(x)

    def d_x(g: Array, y: Array) -> Array:
        return Gate.apply(g, y)


class Gate(Op):
    """y = x [of > 0]        dx = g [of > 0]"""

    linear = "jointly"
    constant = ("of",)

    def forward(x: Array, of: Array) -> Array:
        return chosen.gate(x, of)

    def d_x(g: Array, of: Array) -> Array:
        return Gate.apply(g, of)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = draw.shape(0, 3)
        return Sample((draw.array(shape, Real()), draw.array(shape, Real())), {})


class Where(Elementwise):
    """y = a where the condition holds, else b        da = g [c],  db = g [not c]"""

    linear = "jointly"
    constant = ("condition",)

    def forward(condition: Array, a: Array, b: Array) -> Array:
        return np.where(condition, a, b)

    def d_a(g: Array, condition: Array) -> Array:
        return np.where(condition, g, 0.0)

    def d_b(g: Array, condition: Array) -> Array:
        return np.where(condition, 0.0, g)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        condition, a, b = super().sample(draw).inputs
        return Sample((np.asarray(condition > 0), a, b), {})
