"""The product rule

`forward` computes y = x sin x. The input x is used twice, so there are two terms. Write `backward`.
"""

import numpy as np


def forward(x):
    """x sin x, of each element of x, of shape (N,)."""
    return x * np.sin(x)


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    ### BEGIN SOLUTION
    return g * (np.sin(x) + x * np.cos(x))
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Scalars and the chain rule", 2
FORMULA = "dL/dx = g (sin x + x cos x)"


def inputs(random):
    return [random.uniform(-2.0, 2.0, 3)]


WRONG = [
    (
        "np.sin(x) + x * np.cos(x)",
        "np.sin(x)",
        "held constant",
        "`np.sin(x)` is held constant: no gradient flows through it",
    ),
    (
        "np.sin(x) + x * np.cos(x)",
        "x * np.cos(x)",
        "path dropped",
        "the path through `x` in `x * np.sin(x)` is missing",
    ),
    (
        "np.sin(x) + x * np.cos(x)",
        "np.sin(x) - x * np.cos(x)",
        "sign",
        "the gradient of `np.sin(x)` through `x * np.sin(x)` has the wrong sign",
    ),
    ("np.sin(x) + x * np.cos(x)", "np.cos(x)", "two mistakes", "the path through `x` in `x * np.sin(x)` is missing"),
]
### END HIDDEN TESTS
