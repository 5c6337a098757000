"""The mean of each row

`forward` takes the mean of each row. Write `backward`: each element of a row has the same share in the mean.
"""

import numpy as np


def forward(x):
    """The mean of each row of x, of shape (N, D); the result has the shape (N,)."""
    return x.mean(axis=1)


def backward(g, x):
    """The gradient of x; g has the shape (N,)."""
    ### BEGIN SOLUTION
    n, d = x.shape
    return np.repeat(g[:, None], d, axis=1) / d
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Broadcasting and sums", 3
FORMULA = "dL/dxₙ_d = gₙ / D"


def inputs(random):
    return [random.standard_normal((3, 4))]


WRONG = [
    ("axis=1) / d", "axis=1)", "factor dropped", "the division by 4 is missing"),
    ("axis=1) / d", "axis=1) / n", "constant", "should be 4 (the length of axis 1 of `x`)"),
    ("axis=1) / d", "axis=1) / x.size", "factor", "3 times too small"),
]
### END HIDDEN TESTS
