"""Softmax, its logarithm, and cross-entropy, all shifted so that nothing overflows."""

import numpy as np

from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import Array
from tinygrad_cnn.kernels.chosen import chosen


class Softmax(Op):
    """y = exp x / Σ exp x        dx = y (g - Σ g y)"""

    floating = True

    def forward(x: Array, *, axis: int) -> Array:
        return chosen.softmax(x, axis)

    def d_x(g: Array, y: Array, *, axis: int) -> Array:
        return y * (g - np.sum(g * y, axis=axis, keepdims=True))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, smallest=1), Real())
        return Sample((x,), {"axis": draw.integer(0, x.ndim - 1)})


class ClassCrossEntropy(Op):
    """y = -Σ_n w[n] ln softmax(x)[n, t[n]]        dx = g w (softmax(x) - [k = t])

    Logits (N, K); labels (N,) and the weights (N,) of the rows are constants. With ``each``, a loss for each row,
    else their sum.
    """

    floating = True
    constant = ("t", "w")

    def forward(x: Array, t: Array, w: Array, *, each: bool) -> Array:
        losses = chosen.class_losses(x, t) * w
        return losses if each else np.add.reduce(losses)

    def d_x(g: Array, x: Array, t: Array, w: Array) -> Array:
        return ClassCrossEntropyInput.apply(g * w, x, t)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n, k = draw.integer(1, 3), draw.integer(1, 4)
        x, t, w = draw.array((n, k), Real()), draw.index_array((n,), k), draw.array((n,), Real())
        return Sample((x, t, w), {"each": draw.boolean()})


class ClassCrossEntropyInput(Op):
    """y = v (softmax(x) - [k = t])        dv = Σ_k g (softmax(x) - [k = t]),  dx = v s (g - Σ_k g s), s = softmax(x)"""

    constant = ("t",)

    def forward(v: Array, x: Array, t: Array) -> Array:
        return chosen.class_losses_input(v, x, t)

    def d_v(g: Array, x: Array, t: Array) -> Array:
        return np.sum(g * (Softmax.apply(x, axis=1) - (np.arange(x.shape[1]) == t[:, None]).astype(x.dtype)), axis=1)

    def d_x(g: Array, v: Array, x: Array) -> Array:
        s = Softmax.apply(x, axis=1)
        return np.expand_dims(v, 1) * s * (g - np.sum(g * s, axis=1, keepdims=True))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x, t, v), _ = ClassCrossEntropy.sample(draw)
        return Sample((v, x, t), {})
