"""Softmax

`forward` computes softmax over each row. Write `backward`. The Jacobian of a row is diag(p) − p pᵀ: each output depends
on every element of its row.
"""

import numpy as np


def forward(x):
    """Softmax over each row of x, of shape (N, D)."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def backward(g, x):
    """The gradient of x; g has the shape (N, D)."""
    p = forward(x)
    ### BEGIN SOLUTION
    inner = (g * p).sum(axis=1, keepdims=True)
    return p * (g - inner)
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Softmax and losses", 3
FORMULA = "dL/dx = p (g − Σ g p), with the sum over each row"


def inputs(random):
    return [random.standard_normal((4, 4))]


WRONG = [
    (
        "p * (g - inner)",
        "g * p * (1 - p)",
        "diagonal",
        "only the derivative of each element by itself is taken (the diagonal of the Jacobian)",
    ),
    ("p * (g - inner)", "p * g", "term dropped", "the term `sum(g * softmax)` is missing"),
    (
        "(g * p).sum(axis=1, keepdims=True)",
        "(g * p).sum(axis=0, keepdims=True)",
        "wrong axis",
        "the sum of `g * softmax` is taken over axis 0 instead of axis 1",
    ),
    (
        "(g * p).sum(axis=1, keepdims=True)",
        "(g * p).mean(axis=1, keepdims=True)",
        "mean for sum",
        "the mean of `g * softmax` is taken instead of the sum",
    ),
]
### END HIDDEN TESTS
