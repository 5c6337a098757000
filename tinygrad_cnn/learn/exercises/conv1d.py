"""A convolution in one dimension

`forward` slides a kernel w over x, two steps at a time. Write `backward`: each window of x and the kernel are used in
one output, so gradients must be added up.
"""

import numpy as np

STRIDE = 2


def forward(x, w):
    """Σₖ x[2i + k] w[k] for every i; x has the shape (L,), w has (K,)."""
    count = (len(x) - len(w)) // STRIDE + 1
    return np.array([np.sum(x[STRIDE * i : STRIDE * i + len(w)] * w) for i in range(count)])


def backward(g, x, w):
    """The gradients of x and of w; g has one element per window."""
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(len(g)):
        ### BEGIN SOLUTION
        dx[STRIDE * i : STRIDE * i + len(w)] += g[i] * w
        dw += g[i] * x[STRIDE * i : STRIDE * i + len(w)]
        ### END SOLUTION
    return dx, dw


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Convolution and pooling", 1
FORMULA = "dx[2i + k] += g[i] w[k],  dw[k] += g[i] x[2i + k]"


def inputs(random):
    return [random.standard_normal(9), random.standard_normal(3)]


WRONG = [
    ("len(w)] += g[i] * w", "len(w)] = g[i] * w", "overwritten", "the gradient of `x` is assigned, not added up"),
    ("dx[STRIDE * i : STRIDE * i + len(w)]", "dx[i : i + len(w)]", "index", "the stride is ignored (steps of 1)"),
    ("+= g[i] * w\n", "+= g[i] * w[::-1]\n", "other value", "write `w` for `w[::-1]` in `g[i] * w[::-1]`, each time"),
    ("dw += g[i]", "dw = g[i]", "overwritten", "the gradient of `w` is assigned, not added up"),
]
### END HIDDEN TESTS
