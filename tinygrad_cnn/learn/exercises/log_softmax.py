"""Log-softmax

`forward` computes the logarithm of softmax for each row. Write `backward`. Each output depends on every element of its
row, so a sum over the row comes back.
"""

import numpy as np


def forward(x):
    """The logarithm of softmax over each row of x, of shape (N, D)."""
    z = x - x.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def backward(g, x):
    """The gradient of x; g has the shape (N, D)."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    ### BEGIN SOLUTION
    total = g.sum(axis=1, keepdims=True)
    return g - p * total
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Softmax and losses", 2
FORMULA = "dL/dx = g − softmax(x) Σ g, with the sum over each row"


def inputs(random):
    return [random.standard_normal((3, 4))]


WRONG = [
    ("g - p * total", "g - p", "factor dropped", "the factor `sum(g)` is missing"),
    (
        "g.sum(axis=1, keepdims=True)",
        "g.mean(axis=1, keepdims=True)",
        "mean for sum",
        "the mean of `g` is taken instead of the sum",
    ),
    (
        "g.sum(axis=1, keepdims=True)",
        "g.sum(axis=0, keepdims=True)",
        "wrong axis",
        "the sum of `g` is taken over axis 0 instead of axis 1",
    ),
    ("g - p * total", "g", "term dropped", "the term `exp(log_softmax) * sum(g)` is missing"),
]
### END HIDDEN TESTS
