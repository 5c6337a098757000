"""A running sum

`forward` adds up x from the left. Write `backward`: an element is in all sums from its own place on.
"""

import numpy as np


def forward(x):
    """The sums x[0], x[0] + x[1], …; x has the shape (N,)."""
    return np.cumsum(x)


def backward(g, x):
    """The gradient of x; g has the shape (N,)."""
    ### BEGIN SOLUTION
    return np.cumsum(g[::-1])[::-1]
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Indexing", 4
FORMULA = "dx[i] = g[i] + g[i + 1] + …: the running sum from the right"


def inputs(random):
    return [random.standard_normal(5)]


WRONG = [
    (
        "np.cumsum(g[::-1])[::-1]",
        "np.cumsum(g)",
        "not the adjoint",
        "`np.cumsum(x)` is applied to the gradient as it is, not transposed (reversed)",
    ),
    ("np.cumsum(g[::-1])[::-1]", "np.cumsum(g[::-1])", "step left out", "flip of `cumsum(flip(g))` is left out"),
    ("np.cumsum(g[::-1])[::-1]", "g", "step left out", "cumsum of `flip(g)` is left out"),
]
### END HIDDEN TESTS
