"""Sigmoid

`forward` computes y = 1 / (1 + exp(−x)). Write `backward`. As with tanh, the derivative can be written with y.
"""

import numpy as np


def forward(x):
    """The logistic function of each element of x, of shape (N,)."""
    return 1 / (1 + np.exp(-x))


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    ### BEGIN SOLUTION
    y = 1 / (1 + np.exp(-x))
    return g * y * (1 - y)
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Elementwise functions", 3
FORMULA = "dL/dx = g y (1 − y)"


def inputs(random):
    return [random.uniform(-2.0, 2.0, 4)]


WRONG = [
    ("g * y * (1 - y)", "g * x * (1 - x)", "other value", "write `1 / (1 + np.exp(-x))` for `x` from `g * x` on"),
    ("g * y * (1 - y)", "g * y", "factor dropped", "the factor `1 - sigmoid` is missing"),
    ("g * y * (1 - y)", "-g * y * (1 - y)", "sign", "has the wrong sign"),
]
### END HIDDEN TESTS
