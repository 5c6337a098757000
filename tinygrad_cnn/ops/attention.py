"""Attention as one op, closed under differentiation: its rules are compositions of products and a softmax."""

from collections.abc import Sequence

import numpy as np

from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.linalg import Matmul
from tinygrad_cnn.core.loss import Softmax
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import Array, NDArray
from tinygrad_cnn.kernels.chosen import chosen

__all__: list[str] = []


def weights(q: Array, k: Array, mask: NDArray, scale: float, causal: bool) -> Array:
    """softmax(scale q kᵀ + mask); 0 for a query that may see no key."""
    if causal:
        mask = np.where(np.tri(q.shape[2], k.shape[2], dtype=bool), mask, np.asarray(-np.inf, mask.dtype))
    unseen = np.isneginf(np.max(mask, axis=-1, keepdims=True)) if mask.ndim else np.zeros((), bool)
    p = Softmax.apply(Matmul.apply(q * scale, np.swapaxes(k, 2, 3)) + np.where(unseen, 0, mask), axis=3)
    return p * (~unseen).astype(mask.dtype) if unseen.any() else p


def score_cotangents(g: Array, p: Array, v: Array, scale: float) -> Array:
    """Those of q kᵀ: scale p (h - Σ h p), with h = g vᵀ."""
    h = Matmul.apply(g, np.swapaxes(v, 2, 3))
    return scale * (p * (h - np.sum(h * p, axis=3, keepdims=True)))


class Attention(Op):
    """y = p v, p = softmax(scale q kᵀ + mask)        dq = s k,  dk = sᵀ q,  dv = pᵀ g,  s = scale p (g vᵀ - Σ p g vᵀ)

    Queries (N,H,L,E), keys (N,H,S,E), values (N,H,S,V), and a mask that broadcasts to (N,H,L,S), or is 0; with `causal`
    query i sees the keys 0 to i. Where no pass is recorded, all derivatives are computed together, block by block.
    """

    floating = True
    promotes = True
    constant = ("mask",)
    aux = ("kept",)

    def forward(q: Array, k: Array, v: Array, mask: Array, *, scale: float, causal: bool) -> tuple[Array, Array]:
        return chosen.attend(q, k, v, mask, scale=scale, causal=causal)

    def d_q(g: Array, q: Array, k: Array, v: Array, mask: Array, *, scale: float, causal: bool) -> Array:
        return Matmul.apply(score_cotangents(g, weights(q, k, mask, scale, causal), v, scale), k)

    def d_k(g: Array, q: Array, k: Array, v: Array, mask: Array, *, scale: float, causal: bool) -> Array:
        s = score_cotangents(g, weights(q, k, mask, scale, causal), v, scale)
        return Matmul.apply(np.swapaxes(s, 2, 3), q)

    def d_v(g: Array, q: Array, k: Array, mask: Array, *, scale: float, causal: bool) -> Array:
        return Matmul.apply(np.swapaxes(weights(q, k, mask, scale, causal), 2, 3), g)

    def together(
        g: Array,
        wanted: Sequence[bool],
        q: Array,
        k: Array,
        v: Array,
        mask: Array,
        kept: Array,
        *,
        scale: float,
        causal: bool,
    ) -> tuple[Array | None, ...]:
        return *chosen.attend_back(g, q, k, v, mask, kept, scale=scale, causal=causal), None

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n, heads, length, keys, width, depth = draw.integers(1, 3, 6)
        q, k = draw.array((n, heads, length, width), Real()), draw.array((n, heads, keys, width), Real())
        v, mask = draw.array((n, heads, keys, depth), Real()), np.zeros(())
        if not (causal := draw.boolean()) and draw.boolean():
            shape = (draw.choice([1, n]), draw.choice([1, heads]), length, keys)
            seen = np.array(draw.integers(0, 2, int(np.prod(shape)))).reshape(shape) > 0
            mask = np.where(seen, draw.array(shape, Real()), -np.inf)
        return Sample((q, k, v, mask), {"scale": draw.choice([1.0, 0.5]), "causal": causal})
