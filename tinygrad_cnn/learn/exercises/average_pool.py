"""Average pooling

`forward` takes the mean of each 2×2 window. Write `backward`: each element of a window has a quarter of its gradient.
"""

import numpy as np


def forward(x):
    """The mean of each 2×2 window of x, of shape (H, W), both even; the result has (H/2, W/2)."""
    h, w = x.shape[0] // 2, x.shape[1] // 2
    return x.reshape(h, 2, w, 2).mean(axis=(1, 3))


def backward(g, x):
    """The gradient of x; g has the shape (H/2, W/2)."""
    ### BEGIN SOLUTION
    spread = np.repeat(np.repeat(g, 2, axis=0), 2, axis=1)
    return spread / 4
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Convolution and pooling", 6
FORMULA = "dx = g / 4, repeated over each window"


def inputs(random):
    return [random.standard_normal((4, 6))]


WRONG = [
    ("spread / 4", "spread", "factor dropped", "the division by 4 is missing"),
    ("spread / 4", "spread / 2", "factor", "2 times too large"),
]
### END HIDDEN TESTS
