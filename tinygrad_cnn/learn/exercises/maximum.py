"""The maximum of each row

`forward` takes the largest element of each row. Write `backward`. The whole gradient goes to one element of each row:
where several are the largest, to the first of them.
"""

import numpy as np


def forward(x):
    """The largest element of each row of x, of shape (N, D); the result has the shape (N,)."""
    return x.max(axis=1)


def backward(g, x):
    """The gradient of x; g has the shape (N,)."""
    ### BEGIN SOLUTION
    dx = np.zeros_like(x)
    rows = np.arange(len(x))
    dx[rows, x.argmax(axis=1)] = g
    return dx
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Broadcasting and sums", 5
FORMULA = "dL/dx is g at the first maximum of each row, and 0 elsewhere"


def inputs(random):
    return [random.permutation([[0.5, 2.0, 2.0], [1.5, -1.0, 0.25], [-0.5, -2.0, 1.0]])]


WRONG = [
    (
        "dx[rows, x.argmax(axis=1)] = g",
        "dx = (x == x.max(axis=1, keepdims=True)) * g[:, None]",
        "kink convention",
        "wrong only at kinks",
    ),
    (
        "dx[rows, x.argmax(axis=1)] = g",
        "dx[rows] = g[:, None]",
        "mask",
        "the gradient of `x.max(axis=1)` goes to all elements, not to the largest alone",
    ),
    ("x.argmax(axis=1)", "x.argmin(axis=1)", "place", "your derivative is right up to `g`"),
]
### END HIDDEN TESTS
