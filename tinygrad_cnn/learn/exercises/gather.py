"""Gather

`forward` takes from each row of x the elements at some places; a place may be taken twice. Write `backward`, which
returns the gradient of x.
"""

import numpy as np


def forward(x, index):
    """y[n, k] = x[n, index[n, k]]; x has the shape (N, D), index (N, K)."""
    rows = np.arange(len(x))[:, None]
    return x[rows, index], (x, index)


def backward(dout, cache):
    """The gradient of x; dout has the shape (N, K)."""
    x, index = cache
    dx = np.zeros_like(x)
    ### BEGIN SOLUTION
    rows = np.arange(len(x))[:, None]
    np.add.at(dx, (rows, index), dout)
    ### END SOLUTION
    return dx


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Indexing", 2
FORMULA = "dx[n, d] = the sum of all dout[n, k] with index[n, k] = d"


def inputs(random):
    return [random.standard_normal((2, 3)), np.array([[2, 0, 2], [1, 1, 0]])]


WRONG = [
    (
        "np.add.at(dx, (rows, index), dout)",
        "dx[rows, index] = dout",
        "overwritten",
        "where an element is read several times, the last gradient overwrites the others",
    ),
    (
        "np.add.at(dx, (rows, index), dout)",
        "dx[rows, index] += dout",
        "overwritten",
        "where an element is read several times, the last gradient overwrites the others",
    ),
    (
        "np.add.at(dx, (rows, index), dout)",
        "dx += dout",
        "step left out",
        "`g` is passed on in its own order, not put back to the elements that were read",
    ),
]
### END HIDDEN TESTS
