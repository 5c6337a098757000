"""Sort

`forward` sorts a vector. The output k comes from the element order[k]. Write `backward`: send each gradient back to
where its value came from.
"""

import numpy as np


def forward(x):
    """The elements of x, of shape (N,), in ascending order."""
    order = x.argsort()
    return x[order], order


def backward(dout, cache):
    """The gradient of x; dout has the shape (N,)."""
    order = cache
    ### BEGIN SOLUTION
    dx = np.zeros_like(dout)
    dx[order] = dout
    return dx
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Indexing", 3
FORMULA = "dx[order[k]] = dout[k]"


def inputs(random):
    return [np.array([0.5, 2.0, 1.0, -1.5, -0.25]) + random.uniform(-0.1, 0.1, 5)]


WRONG = [
    (
        "dx[order] = dout",
        "dx = dout[order]",
        "not the adjoint",
        "`x[order]` is applied to the gradient as it is, not transposed (reversed)",
    ),
    ("dx[order] = dout", "dx = dout.copy()", "index", "the index is not used (rows 0, 1, 2, … in order)"),
    (
        "dx[order] = dout",
        "dx[order[::-1]] = dout",
        "taken wrongly",
        "of the incoming gradient, a copy reversed along axis 0 is used",
    ),
]
### END HIDDEN TESTS
