"""Rows of length 1

`forward` divides each row by its length. Write `backward`. The length depends on x, too: what comes back along the row
itself is taken away.
"""

import numpy as np


def forward(x):
    """Each row of x, of shape (N, D), divided by its length."""
    length = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x / length


def backward(g, x):
    """The gradient of x; g has the shape (N, D)."""
    length = np.sqrt((x**2).sum(axis=1, keepdims=True))
    y = x / length
    ### BEGIN SOLUTION
    along = (g * y).sum(axis=1, keepdims=True)
    return (g - y * along) / length
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Normalisation", 1
FORMULA = "dL/dx = (g − y Σ g y) / ‖x‖, with the sum over each row"


def inputs(random):
    return [random.standard_normal((3, 4))]


WRONG = [
    (
        "(g - y * along) / length",
        "g / length",
        "held constant",
        "`np.sqrt((x**2).sum(axis=1, keepdims=True))` is held constant: no gradient flows through it",
    ),
    ("(g - y * along) / length", "g - y * along", "factor dropped", "the division by `sqrt(sum(x * x))` is missing"),
    (
        "(g * y).sum(axis=1, keepdims=True)",
        "(g * y).mean(axis=1, keepdims=True)",
        "mean for sum",
        "the mean of `g * unit` is taken instead of the sum",
    ),
    (
        "(g * y).sum(axis=1, keepdims=True)",
        "(g * x).sum(axis=1, keepdims=True)",
        "factor dropped",
        "the division by `np.sqrt((x**2).sum(axis=1, keepdims=True))` is missing",
    ),
]
### END HIDDEN TESTS
