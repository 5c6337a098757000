"""The gradient of a convolution's kernels

`forward` is a convolution of a batch of pictures with several kernels. Write the gradients of the kernels and of the
bias in `backward`; that of the pictures is given.
"""

import numpy as np


def forward(x, k, b):
    """x has the shape (N, C, H, W), k has (O, C, 2, 2), b has (O,); the result has (N, O, H − 1, W − 1)."""
    h, w = x.shape[2] - 1, x.shape[3] - 1
    y = np.zeros((len(x), len(k), h, w)) + b[:, None, None]
    for i in range(2):
        for j in range(2):
            y = y + np.einsum("nchw,oc->nohw", x[:, :, i : i + h, j : j + w], k[:, :, i, j])
    return y, (x, k)


def backward(dout, cache):
    """The gradients of x, k and b; dout has the shape of the result."""
    x, k = cache
    h, w = dout.shape[2:]
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in range(2):
        for j in range(2):
            window = x[:, :, i : i + h, j : j + w]
            dx[:, :, i : i + h, j : j + w] += np.einsum("nohw,oc->nchw", dout, k[:, :, i, j])
            ### BEGIN SOLUTION
            dk[:, :, i, j] = np.einsum("nohw,nchw->oc", dout, window)
    db = dout.sum(axis=(0, 2, 3))
    ### END SOLUTION
    return dx, dk, db


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Convolution and pooling", 3
FORMULA = "dk[o, c, i, j] = Σ dout[n, o, a, b] x[n, c, a + i, b + j],  db = Σ dout over all axes but the channels"


def inputs(random):
    return [random.standard_normal((2, 2, 3, 3)), random.standard_normal((3, 2, 2, 2)), random.standard_normal(3)]


WRONG = [
    (
        'np.einsum("nohw,nchw->oc", dout, window)',
        'np.einsum("ohw,chw->oc", dout[0], window[0])',
        "taken wrongly",
        "of the incoming gradient, only the first of its entries along axis 0 is used",
    ),
    (
        "dout.sum(axis=(0, 2, 3))",
        "dout.mean(axis=(0, 2, 3))",
        "mean for sum",
        "a mean instead of a sum over the axes `b[:, None, None]` was broadcast along",
    ),
    (
        'np.einsum("nohw,nchw->oc", dout, window)',
        'np.einsum("nohw,nchw->oc", dout, window) / len(x)',
        "factor",
        "2 times too small",
    ),
]
### END HIDDEN TESTS
