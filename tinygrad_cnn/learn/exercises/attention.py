"""Attention

`forward` computes softmax(q kᵀ / √D) v. Write `backward`: back through the product with v, through softmax, through the
scale, and through the product of q and k.
"""

import numpy as np


def forward(q, k, v):
    """Attention of q, of shape (N, D), to k, of shape (M, D), with the values v, of shape (M, E)."""
    s = q @ k.T / np.sqrt(q.shape[1])
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p @ v, (q, k, v, p)


def backward(dout, cache):
    """The gradients of q, k and v; dout has the shape (N, E)."""
    q, k, v, p = cache
    ### BEGIN SOLUTION
    dv = p.T @ dout
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    ds = ds / np.sqrt(q.shape[1])
    return ds @ k, ds.T @ q, dv
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Sequences and attention", 3
FORMULA = "dv = pᵀ dout,  dp = dout vᵀ,  ds = p (dp − Σ dp p) / √D,  dq = ds k,  dk = dsᵀ q"


def inputs(random):
    return [random.standard_normal(s) for s in ((3, 4), (5, 4), (5, 2))]


WRONG = [
    ("    ds = ds / np.sqrt(q.shape[1])\n", "", "factor dropped", "the division by `np.sqrt(q.shape[1])` is missing"),
    (
        "p * (dp - (dp * p).sum(axis=1, keepdims=True))",
        "dp",
        "derivative left out",
        "the gradient is passed on as it is",
    ),
    (
        "p * (dp - (dp * p).sum(axis=1, keepdims=True))",
        "p * dp",
        "term dropped",
        "the term `sum(g * softmax)` is missing",
    ),
    (
        "(dp * p).sum(axis=1, keepdims=True)",
        "(dp * p).sum(axis=0)",
        "wrong axis",
        "the sum of `g * softmax` is taken over axis 0 instead of axis 1",
    ),
]
### END HIDDEN TESTS
