"""Softplus

`forward` computes log(1 + exp(x)). Write `backward`. Which function is the derivative?
"""

import numpy as np


def forward(x):
    """The logarithm of 1 + exp(x), of each element of x, of shape (N,)."""
    return np.log(1 + np.exp(x))


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    ### BEGIN SOLUTION
    return g * np.exp(x) / (1 + np.exp(x))
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Elementwise functions", 4
FORMULA = "dL/dx = g exp(x) / (1 + exp(x)) = g / (1 + exp(−x))"


def inputs(random):
    return [random.uniform(-2.0, 2.0, 4)]


WRONG = [
    ("g * np.exp(x) / (1 + np.exp(x))", "g / (1 + np.exp(x))", "factor dropped", "the factor `np.exp(x)` is missing"),
    (
        "g * np.exp(x) / (1 + np.exp(x))",
        "g * np.exp(x)",
        "factor dropped",
        "the division by `1 + np.exp(x)` is missing",
    ),
    (
        "g * np.exp(x) / (1 + np.exp(x))",
        "g * (1 + np.exp(x)) / np.exp(x)",
        "inverse",
        "the derivative of each element is turned round",
    ),
]
### END HIDDEN TESTS
