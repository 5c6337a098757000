"""The chain rule

`forward` computes y = exp(sin(x²)) in three steps. Write `backward`: go through the steps from the last to the first,
and multiply the gradient by the derivative of each step.
"""

import numpy as np


def forward(x):
    """exp(sin(x²)) of each element of x, of shape (N,)."""
    u = x**2
    v = np.sin(u)
    return np.exp(v)


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    u = x**2
    v = np.sin(u)
    ### BEGIN SOLUTION
    dv = g * np.exp(v)
    du = dv * np.cos(u)
    return du * 2 * x
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Scalars and the chain rule", 1
FORMULA = "dL/dv = g exp v,  dL/du = dL/dv · cos u,  dL/dx = dL/du · 2x"


def inputs(random):
    return [random.uniform(0.3, 1.1, 3)]


WRONG = [
    ("dv * np.cos(u)", "dv * np.cos(x)", "other value", "`x` is used in the place of `x**2`"),
    ("du * 2 * x", "du * 2", "factor dropped", "the factor `x` is missing"),
    ("g * np.exp(v)", "g * v", "other value", "`np.sin(u)` is used in the place of `np.exp(v)`"),
    ("dv * np.cos(u)", "-dv * np.cos(u)", "sign", "the whole gradient has the wrong sign"),
]
### END HIDDEN TESTS
