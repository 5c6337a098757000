"""ReLU

`forward` computes max(x, 0). Write `backward`. The gradient passes where x is above 0, and nowhere else.
"""

import numpy as np


def forward(x):
    """The larger one of x and 0, of each element of x, of shape (N, D)."""
    return np.maximum(x, 0.0)


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    ### BEGIN SOLUTION
    return g * (x > 0)
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Elementwise functions", 1
FORMULA = "dL/dx = g where x > 0, and 0 elsewhere"


def inputs(random):
    return [random.permutation([-1.5, -0.75, -0.25, 0.5, 1.0, 1.75]).reshape(2, 3)]


WRONG = [
    ("g * (x > 0)", "g", "mask", "the mask of `np.maximum(x, 0.0)` is missing: the gradient passes everywhere"),
    ("g * (x > 0)", "g * (x < 0)", "mask", "of the mask `less(x, 0)`, the inverse is used"),
    ("g * (x > 0)", "g * np.maximum(x, 0.0)", "factor dropped", "`g * np.maximum(x, 0.0)` must be divided by `x`"),
    ("g * (x > 0)", "g * (g > 0)", "other value", "write `x` for `g` in `g > 0`"),
]
### END HIDDEN TESTS
