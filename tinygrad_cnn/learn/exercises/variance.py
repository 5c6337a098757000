"""The variance of each row

`forward` computes the variance of each row. Write `backward`. Does the mean depend on x, and does it matter?
"""

import numpy as np


def forward(x):
    """The variance of each row of x, of shape (N, D); the result has the shape (N,)."""
    mean = x.mean(axis=1, keepdims=True)
    return ((x - mean) ** 2).mean(axis=1)


def backward(g, x):
    """The gradient of x; g has the shape (N,)."""
    ### BEGIN SOLUTION
    mean = np.mean(x, axis=1, keepdims=True)
    return g[:, None] * 2 * (x - mean) / x.shape[1]
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Broadcasting and sums", 4
FORMULA = "dL/dx = 2 g (x − mean) / D; the path through the mean adds up to 0"


def inputs(random):
    return [random.standard_normal((3, 4))]


WRONG = [
    ("2 * (x - mean)", "(x - mean)", "factor dropped", "the factor 2 is missing"),
    (
        "2 * (x - mean) / x.shape[1]",
        "2 * (x - mean) / (x.shape[1] - 1)",
        "constant",
        "should be 4 (the length of axis 1 of `x`)",
    ),
    ("2 * (x - mean) / x.shape[1]", "2 * x / x.shape[1]", "other value", "`x` is used in the place of `x - mean`"),
    (
        "np.mean(x, axis=1, keepdims=True)",
        "np.mean(x, axis=0, keepdims=True)",
        "option",
        "`np.mean(x, axis=0, keepdims=True)` should have axis 1",
    ),
]
### END HIDDEN TESTS
