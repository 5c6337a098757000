"""Two paths

`forward` uses u = tanh(x) twice: y = u + u². The loss depends on u on two paths, and the gradient of u is the sum of
what comes back on each of them. Write `backward`.
"""

import numpy as np


def forward(x):
    """u + u² with u = tanh(x), of each element of x, of shape (N,)."""
    u = np.tanh(x)
    return u + u**2


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    u = np.tanh(x)
    ### BEGIN SOLUTION
    du = g
    du = du + g * 2 * u
    return du * (1 - u**2)
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Scalars and the chain rule", 4
FORMULA = "dL/du = g + 2 u g,  dL/dx = dL/du · (1 − u²)"


def inputs(random):
    return [random.uniform(-1.5, 1.5, 3)]


WRONG = [
    ("du = du + g * 2 * u", "du = g * 2 * u", "path dropped", "the path through `np.tanh(x)` in `u + u**2` is missing"),
    ("    du = du + g * 2 * u\n", "", "held constant", "`u**2` is held constant: no gradient flows through it"),
    ("du * (1 - u**2)", "du * (1 - x**2)", "other value", "`x` is used in the place of `np.tanh(x)`"),
    ("du * (1 - u**2)", "du", "factor dropped", "the factor `1 - (np.tanh(x) * np.tanh(x))` is missing"),
]
### END HIDDEN TESTS
