"""Max pooling, with ties

`forward` takes the largest element of each 2×2 window. Write `backward`: the gradient of a window goes to one element,
the first of its largest ones.
"""

import numpy as np


def forward(x):
    """The largest element of each 2×2 window of x, of shape (H, W), both even; the result has (H/2, W/2)."""
    h, w = x.shape[0] // 2, x.shape[1] // 2
    windows = x.reshape(h, 2, w, 2).transpose(0, 2, 1, 3).reshape(h, w, 4)
    return windows.max(axis=2)


def backward(g, x):
    """The gradient of x; g has the shape (H/2, W/2)."""
    h, w = g.shape
    windows = x.reshape(h, 2, w, 2).transpose(0, 2, 1, 3).reshape(h, w, 4)
    d = np.zeros_like(windows)
    ### BEGIN SOLUTION
    for i in range(h):
        for j in range(w):
            d[i, j, windows[i, j].argmax()] = g[i, j]
    ### END SOLUTION
    return d.reshape(h, w, 2, 2).transpose(0, 2, 1, 3).reshape(x.shape)


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Convolution and pooling", 5
FORMULA = "dx is g at the first maximum of each window, and 0 elsewhere"


def inputs(random):
    return [
        random.permutation(
            [[1.0, 3.0, 2.0, 0.5], [3.0, -1.0, -2.0, 1.5], [0.25, -0.5, 4.0, 4.0], [2.5, 1.25, 0.75, 1.75]]
        )
    ]


WRONG = [
    (
        "d[i, j, windows[i, j].argmax()] = g[i, j]",
        "d[i, j] = g[i, j] * (windows[i, j] == windows[i, j].max())",
        "kink convention",
        "wrong only at kinks",
    ),
    (
        "d[i, j, windows[i, j].argmax()] = g[i, j]",
        "d[i, j] = g[i, j]",
        "mask",
        "the gradient of `windows.max(axis=2)` goes to all elements, not to the largest alone",
    ),
    (
        "d[i, j, windows[i, j].argmax()] = g[i, j]",
        "d[i, j, 0] = g[i, j]",
        "mask",
        "the gradient of `windows.max(axis=2)` goes to the first element of each window",
    ),
]
### END HIDDEN TESTS
