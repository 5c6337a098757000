"""Clip

`forward` keeps x between −1 and 1. Write `backward`. The gradient passes where nothing was cut off.
"""

import numpy as np


def forward(x):
    """Each element of x, of shape (N,), kept between −1 and 1."""
    return np.clip(x, -1.0, 1.0)


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    ### BEGIN SOLUTION
    return g * ((x > -1.0) & (x < 1.0))
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Elementwise functions", 6
FORMULA = "dL/dx = g where −1 < x < 1, and 0 elsewhere"


def inputs(random):
    return [random.permutation([-2.0, -1.5, -0.5, 0.25, 0.75, 1.25, 1.75])]


WRONG = [
    (
        "g * ((x > -1.0) & (x < 1.0))",
        "g",
        "mask",
        "the mask of `np.clip(x, -1.0, 1.0)` is missing: the gradient passes everywhere",
    ),
    (
        "g * ((x > -1.0) & (x < 1.0))",
        "g * (x < 1.0)",
        "option",
        "the derivative of `np.clip(x, -1.0, 1.0)` is taken with min left out",
    ),
    ("g * ((x > -1.0) & (x < 1.0))", "np.clip(g, -1.0, 1.0)", "nonlinear", "not linear in the cotangent"),
]
### END HIDDEN TESTS
