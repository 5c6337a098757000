"""Log-sum-exp

`forward` computes log Σ exp(x) of each row, with the largest element taken out first so that nothing overflows. Write
`backward`. Which well-known function is the derivative?
"""

import numpy as np


def forward(x):
    """The logarithm of the sum of exp(x) over each row of x, of shape (N, D); the result has the shape (N,)."""
    top = x.max(axis=1, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=1)) + top[:, 0]


def backward(g, x):
    """The gradient of x; g has the shape (N,)."""
    ### BEGIN SOLUTION
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return g[:, None] * p
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Softmax and losses", 1
FORMULA = "dL/dx = g softmax(x)"


def inputs(random):
    return [random.standard_normal((3, 4))]


WRONG = [
    ("g[:, None] * p", "g[:, None] * e", "factor dropped", "the division by `sum(exp(x - top))` is missing"),
    (
        "e.sum(axis=1, keepdims=True)",
        "e.sum(axis=0, keepdims=True)",
        "wrong axis",
        "the sum of `exp(x - top)` is taken over axis 0 instead of axis 1",
    ),
    ("g[:, None] * p", "-g[:, None] * p", "sign", "has the wrong sign"),
]
### END HIDDEN TESTS
