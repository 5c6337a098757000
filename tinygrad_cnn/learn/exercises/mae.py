"""The mean absolute error, and its kink

`forward` computes the mean of |x − t|. Write `backward` for x alone. Where x = t there is a kink: the gradient must be
a number there, and 0 is the usual choice.
"""

import numpy as np

TARGET = np.array([2.0, -2.0, 3.0, -1.5])


def forward(x):
    """The mean of |x − TARGET| over all elements; x has the shape (4,)."""
    return np.abs(x - TARGET).mean()


def backward(g, x):
    """The gradient of x; g is a number."""
    ### BEGIN SOLUTION
    return g * np.sign(x - TARGET) / x.size
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Softmax and losses", 6
FORMULA = "dL/dx = g sign(x − t) / N, and 0 where x = t"


def inputs(random):
    return [TARGET + np.array([-0.5, 0.75, 0.0, -1.25]) * random.uniform(0.5, 1.0)]


WRONG = [
    ("np.sign(x - TARGET)", "(x - TARGET) / np.abs(x - TARGET)", "nan", "the gradient of x is nan at (2,)"),
    ("np.sign(x - TARGET) / x.size", "np.sign(x - TARGET)", "factor dropped", "the division by 4 is missing"),
    ("np.sign(x - TARGET)", "np.sign(TARGET - x)", "sign", "the whole gradient has the wrong sign"),
    ("np.sign(x - TARGET)", "np.sign(x)", "other value", "`x` is used in the place of `x - TARGET`"),
    ("np.sign(x - TARGET)", "(x - TARGET)", "step left out", "sign of `x - TARGET` is left out"),
]
### END HIDDEN TESTS
