"""Products of matrices, closed under differentiation: the VJPs of a product are products again."""

import math

import numpy as np

from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.types import Array, Shape
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.passes import summed


class Matmul(Op):
    """y = a b, over the last two axes        da = g bᵀ,  db = aᵀ g, summed over broadcast batch axes"""

    linear = "each"
    promotes = True

    def forward(a: Array, b: Array, *, keep_order: bool = False) -> Array:
        return chosen.matmul(a, b, keep_order=keep_order)

    def d_a(g: Array, b: Array, a_shape: Shape) -> Array:
        return unbroadcast(g @ np.swapaxes(b, -1, -2), a_shape)

    def d_b(g: Array, a: Array, b_shape: Shape) -> Array:
        return unbroadcast(np.swapaxes(a, -1, -2) @ g, b_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n, k, m = draw.integers(1, 3, 3)
        k = 0 if draw.integer(0, 9) == 9 else k
        left, right = draw.broadcastable(2)
        return Sample((draw.array((*left, n, k), Real()), draw.array((*right, k, m), Real())), {})


class Linear(Op):
    """y = x wᵀ + b        dx = g w,  dw = gᵀ x,  db = Σ g, the sums over all rows"""

    promotes = True

    def forward(x: Array, w: Array, b: Array) -> Array:
        y = chosen.matmul(rows(x), w.T, keep_order=True)
        y = y if x.ndim == 2 else y.reshape(*x.shape[:-1], len(w))
        return np.add(y, b, out=y) if y.ndim and y.dtype == b.dtype else y + b

    def d_x(g: Array, w: Array) -> Array:
        y = Matmul.apply(rows(g), w, keep_order=True)
        return y if len(g.shape) == 2 else np.reshape(y, (*g.shape[:-1], w.shape[1]))

    def d_w(g: Array, x: Array) -> Array:
        return Matmul.apply(rows(g).T, rows(x))

    def d_b(g: Array) -> Array:
        return ChannelSum.apply(rows(g), axis=1)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n, m = draw.integers(1, 3, 2)
        x = draw.array((*draw.shape(0, 2), n), Real())
        return Sample((x, draw.array((m, n), Real()), draw.array((m,), Real())), {})


class ChannelSum(Op):
    """y[c] = Σ x[…,c,…] over all axes but one: the derivative of a bias        dx = g, repeated"""

    linear = "jointly"

    def forward(x: Array, *, axis: int) -> Array:
        if x.ndim == 4 and axis == 1:
            return chosen.channel_sums(x)
        return summed(x, tuple(a for a in range(x.ndim) if a != axis), False)

    def d_x(g: Array, x_shape: Shape, *, axis: int) -> Array:
        return np.broadcast_to(np.reshape(g, (-1, *(1,) * (len(x_shape) - axis - 1))), x_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        ndim, axis = draw.choice([(4, 1), (2, 1), (3, 1), (4, 0), (4, 2), (3, 2), (2, 0)])
        return Sample((draw.array(tuple(draw.integers(1, 3, ndim)), Real()),), {"axis": axis})


def rows(a: Array) -> Array:
    """All axes but the last made one."""
    return a if len(a.shape) == 2 else np.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1]))
