"""The gradient of a convolution's input

`forward` is a convolution of one picture x with one kernel k. Write the gradient of x in `backward`: spread each element
of g over the window that it came from. That of k is given.
"""

import numpy as np


def forward(x, k):
    """The windows of x, of shape (H, W), times k, of shape (2, 2), each summed; the result has (H − 1, W − 1)."""
    h, w = x.shape[0] - 1, x.shape[1] - 1
    y = np.zeros((h, w))
    for i in range(2):
        for j in range(2):
            y = y + x[i : i + h, j : j + w] * k[i, j]
    return y


def backward(g, x, k):
    """The gradients of x and of k; g has the shape (H − 1, W − 1)."""
    h, w = g.shape
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in range(2):
        for j in range(2):
            dk[i, j] = (g * x[i : i + h, j : j + w]).sum()
            ### BEGIN SOLUTION
            dx[i : i + h, j : j + w] += g * k[i, j]
            ### END SOLUTION
    return dx, dk


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Convolution and pooling", 2
FORMULA = "dx[a + i, b + j] += g[a, b] k[i, j]"


def inputs(random):
    return [random.standard_normal((3, 4)), random.standard_normal((2, 2))]


WRONG = [
    ("+= g * k[i, j]", "+= g * k[1 - i, 1 - j]", "other turn", "of `k[i, j]`, the value of the opposite turn is used"),
    ("+= g * k[i, j]", "= g * k[i, j]", "overwritten", "the gradient of `x` is assigned, not added up"),
    (
        "+= g * k[i, j]",
        "+= g * k[j, i]",
        "exchanged",
        "the gradients of `x[i : i + h, j : j + w]` (time 2 of 4) and `x[i : i + h, j : j + w]`",
    ),
    (
        "dx[i : i + h, j : j + w] +=",
        "dx[:h, :w] +=",
        "index",
        "all slices start at 0 (the offset, the padding, is forgotten)",
    ),
]
### END HIDDEN TESTS
