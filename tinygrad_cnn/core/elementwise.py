"""Element-wise arithmetic, a line of mathematics each. Inputs broadcast; the engine sums cotangents back."""

import numpy as np

from tinygrad_cnn.core.domain import AwayFrom, Positive, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Elementwise, Kink, Sample, Unary
from tinygrad_cnn.core.types import Array


class Add(Elementwise):
    """y = a + b        da = g,  db = g"""

    linear = "jointly"
    numpy = (np.add,)

    def forward(a: Array, b: Array) -> Array:
        return np.add(a, b)

    def d_a(g: Array) -> Array:
        return g

    def d_b(g: Array) -> Array:
        return g


class Sub(Elementwise):
    """y = a - b        da = g,  db = -g"""

    linear = "jointly"
    numpy = (np.subtract,)

    def forward(a: Array, b: Array) -> Array:
        return np.subtract(a, b)

    def d_a(g: Array) -> Array:
        return g

    def d_b(g: Array) -> Array:
        return -g


class Mul(Elementwise):
    """y = a b        da = g b,  db = g a"""

    linear = "each"
    numpy = (np.multiply,)

    def forward(a: Array, b: Array) -> Array:
        return np.multiply(a, b)

    def d_a(g: Array, b: Array) -> Array:
        return g * b

    def d_b(g: Array, a: Array) -> Array:
        return g * a


class Div(Elementwise):
    """y = a / b        da = g / b,  db = -g (a / b) / b"""

    floating = True
    domain = {"b": AwayFrom((0.0,), gap=0.5)}
    numpy = (np.true_divide,)

    def forward(a: Array, b: Array) -> Array:
        return np.true_divide(a, b)

    def d_a(g: Array, b: Array) -> Array:
        return g / b

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return -g * ((a / b) / b)  # the output is not kept: it may be written


class PowScalar(Elementwise):
    """y = x ** p, with p a number        dx = g p x**(p-1)

    Where p is whole, x may be negative, and 0 as well if p is not negative.
    """

    kinks = (
        Kink("x = 0, p = 0", (0.0,), (0.0,), {"p": 0}),
        Kink("x = 0, p = 1", (0.0,), (1.0,), {"p": 1}),
        Kink("x = 0, p = 2", (0.0,), (0.0,), {"p": 2}),
        Kink("x < 0, whole p", (-2.0,), (12.0,), {"p": 3}),
    )

    def forward(x: Array, *, p: float) -> Array:
        return x**p

    def d_x(g: Array, x: Array, *, p: float) -> Array:
        return g * (p * x ** (p - 1)) if p != 0 else np.zeros_like(g)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        p = draw.choice([2, 3, 1, 0, -1, 0.5, -1.5])
        domain = Positive() if p % 1 else AwayFrom((0.0,), gap=0.5) if p < 0 else Real()
        return Sample((draw.array(draw.shape(), domain),), {"p": p})


class Neg(Elementwise):
    """y = -x        dx = -g"""

    linear = "jointly"
    numpy = (np.negative,)

    def forward(x: Array) -> Array:
        return np.negative(x)

    def d_x(g: Array) -> Array:
        return -g


class Exp(Unary):
    """y = exp x        dx = g y"""

    numpy = (np.exp,)

    def forward(x: Array) -> Array:
        return np.exp(x)

    def d_x(g: Array, y: Array) -> Array:
        return g * y


class Log(Unary):
    """y = ln x        dx = g / x"""

    domain = {"x": Positive()}
    numpy = (np.log,)

    def forward(x: Array) -> Array:
        return np.log(x)

    def d_x(g: Array, x: Array) -> Array:
        return g / x
