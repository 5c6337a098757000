"""A scale for each row

`forward` multiplies each row of x by a number of its own. Write `backward`. The gradient of s keeps its axis of size 1.
"""

import numpy as np


def forward(x, s):
    """x of shape (N, D) times s of shape (N, 1)."""
    return x * s


def backward(g, x, s):
    """The gradients of x and of s, each of the shape of its input; g has the shape (N, D)."""
    ### BEGIN SOLUTION
    dx = g * s
    ds = np.sum(g * x, axis=1, keepdims=True)
    return dx, ds
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Broadcasting and sums", 2
FORMULA = "dL/dx = g s,  dL/ds = Σ_d g x: the sum over each row, with the axis kept"


def inputs(random):
    return [random.standard_normal((4, 3)), random.standard_normal((4, 1))]


WRONG = [
    (
        "np.sum(g * x, axis=1, keepdims=True)",
        "g * x",
        "unbroadcast",
        "s was broadcast, and its gradient is not summed back: (4, 3) instead of (4, 1)",
    ),
    (
        "np.sum(g * x, axis=1, keepdims=True)",
        "np.sum(g * x, axis=1)",
        "shape",
        "the values are right, their shape (4,) is not",
    ),
    (
        "np.sum(g * x, axis=1, keepdims=True)",
        "np.sum(g, axis=1, keepdims=True)",
        "factor dropped",
        "the factor `x` is missing",
    ),
    (
        "np.sum(g * x, axis=1, keepdims=True)",
        "np.mean(g * x, axis=1, keepdims=True)",
        "mean for sum",
        "a mean instead of a sum over the axes `s` was broadcast along",
    ),
]
### END HIDDEN TESTS
