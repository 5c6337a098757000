"""Dropout with a given mask

`forward` sets some elements to 0, as the mask says, and divides the others by the share that is kept. Write `backward`.
It must use the same mask and the same factor.
"""

import numpy as np


def forward(x, mask, keep):
    """x where the mask is 1, divided by keep, and 0 elsewhere; x and mask have the shape (N,), keep is a number."""
    return x * mask / keep, (mask, keep)


def backward(dout, cache):
    """The gradient of x; dout has the shape (N,)."""
    mask, keep = cache
    ### BEGIN SOLUTION
    return dout * mask / keep
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Elementwise functions", 7
FORMULA = "dx = dout mask / keep"


def inputs(random):
    return [random.standard_normal(6), np.array([1, 0, 1, 1, 0, 1]), 0.75]


WRONG = [
    ("return dout * mask / keep", "return dout * mask", "factor dropped", "the division by `keep` is missing"),
    ("return dout * mask / keep", "return dout / keep", "factor dropped", "the factor `mask` is missing"),
    ("return dout * mask / keep", "return dout * (1 - mask) / keep", "mask", "of the mask `mask`, the inverse is used"),
    (
        "return dout * mask / keep",
        "return dout * mask * keep",
        "constant",
        "the constant 0.75 of `x * mask / keep` is inverted",
    ),
]
### END HIDDEN TESTS
