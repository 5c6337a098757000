"""GELU

`forward` computes GELU by its approximation with tanh. Write `backward`: x is used twice, and the argument of tanh
has a derivative of its own.
"""

import numpy as np

C = np.sqrt(2 / np.pi)


def forward(x):
    """½ x (1 + tanh(c (x + 0.044715 x³))) of each element of x, of shape (N,)."""
    t = np.tanh(C * (x + 0.044715 * x**3))
    return 0.5 * x * (1 + t)


def backward(g, x):
    """The gradient of x; g is the gradient of the result."""
    t = np.tanh(C * (x + 0.044715 * x**3))
    ### BEGIN SOLUTION
    inner = C * (1 + 3 * 0.044715 * x**2)
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner)
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Elementwise functions", 5
FORMULA = "dL/dx = g (½ (1 + t) + ½ x (1 − t²) c (1 + 3 · 0.044715 x²))"


def inputs(random):
    return [random.uniform(-2.0, 2.0, 4)]


WRONG = [
    (" + 0.5 * x * (1 - t**2) * inner", "", "held constant", "`1 + t` is held constant: no gradient flows through it"),
    (
        "(1 - t**2) * inner",
        "(1 - t**2)",
        "derivative left out",
        "the derivative of `C * (x + 0.044715 * x**3)` with respect to `x` is left out",
    ),
    ("3 * 0.044715 * x**2", "0.044715 * x**2", "factor dropped", "the factor 3 is missing"),
]
### END HIDDEN TESTS
