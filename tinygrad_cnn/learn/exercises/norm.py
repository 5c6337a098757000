"""The norm, and what it does at zero

`forward` computes the length of each row. Write `backward`. At a row of zeros the norm has a kink: the gradient must
still be a number there, and 0 is the usual choice.
"""

import numpy as np


def forward(x):
    """The length of each row of x, of shape (N, D); the result has the shape (N,)."""
    return np.sqrt((x**2).sum(axis=1))


def backward(g, x):
    """The gradient of x; g has the shape (N,)."""
    ### BEGIN SOLUTION
    length = np.sqrt((x**2).sum(axis=1))
    safe = np.where(length == 0, 1.0, length)
    return g[:, None] * x / safe[:, None]
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Broadcasting and sums", 6
FORMULA = "dL/dx = g x / ‖x‖, and 0 where x = 0"


def inputs(random):
    x = random.uniform(0.5, 1.5, (3, 2))
    x[1] = 0.0
    return [x]


WRONG = [
    ("np.where(length == 0, 1.0, length)", "length", "nan", "the gradient of x is nan at (1, 0)"),
    ("g[:, None] * x / safe[:, None]", "g[:, None] * x", "chain", "there is a factor y too many"),
    ("g[:, None] * x / safe[:, None]", "g[:, None] * 2 * x / safe[:, None]", "factor", "everything is multiplied by 2"),
]
### END HIDDEN TESTS
