"""im2col and its way back

`forward` writes the windows of a picture as the rows of a matrix, so that a convolution is a product of matrices. An
element of x lies in several windows. Write `backward`, which is called col2im.
"""

import numpy as np


def forward(x):
    """The 2×2 windows of x, of shape (H, W), as rows: the result has the shape ((H − 1)(W − 1), 4)."""
    h, w = x.shape
    rows = [x[i : i + 2, j : j + 2].reshape(4) for i in range(h - 1) for j in range(w - 1)]
    return np.stack(rows)


def backward(g, x):
    """The gradient of x; g has the shape ((H − 1)(W − 1), 4)."""
    h, w = x.shape
    dx = np.zeros_like(x)
    row = 0
    for i in range(h - 1):
        for j in range(w - 1):
            ### BEGIN SOLUTION
            dx[i : i + 2, j : j + 2] += g[row].reshape(2, 2)
            row = row + 1
            ### END SOLUTION
    return dx


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Convolution and pooling", 4
FORMULA = "dx[i : i + 2, j : j + 2] += the row of g that belongs to the window at (i, j)"


def inputs(random):
    return [random.standard_normal((3, 4))]


WRONG = [
    (
        "+= g[row].reshape(2, 2)",
        "= g[row].reshape(2, 2)",
        "overwritten",
        "the gradient of `x` is assigned, not added up",
    ),
    (
        "g[row].reshape(2, 2)",
        "g[row].reshape(2, 2).T",
        "taken wrongly",
        "of the incoming gradient, the transpose is used",
    ),
    ("            row = row + 1\n", "", "index", "the slice starts at 0"),
]
### END HIDDEN TESTS
