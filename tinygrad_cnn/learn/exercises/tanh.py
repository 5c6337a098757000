"""The derivative of tanh

`forward` computes y = tanh(x). Write `backward`: it gets g, the gradient of the loss with respect to y, and returns
the gradient of the loss with respect to x. The derivative of tanh can be written with y alone.
"""

import numpy as np


def forward(x):
    """The hyperbolic tangent of each element of x, of shape (N,)."""
    return np.tanh(x)


def backward(g, x):
    """The gradient of x; g has the shape of x."""
    ### BEGIN SOLUTION
    y = np.tanh(x)
    return g * (1 - y**2)
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER = "Elementwise functions"
FORMULA = "dL/dx = g (1 − y²), where y = tanh x"


def inputs(random):
    return [random.standard_normal(4)]


WRONG = [
    ("1 - y**2", "1 - x**2", "other value", "`x` is used in the place of `np.tanh(x)`"),
    ("g * (1 - y**2)", "1 - y**2", "nonlinear", "the cotangent is left out"),
    ("1 - y**2", "1 - y", "square", "`np.tanh(x)` is not squared"),
]
### END HIDDEN TESTS
