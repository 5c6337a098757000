"""RMS normalisation

`forward` divides each row by the root of its mean square, and scales it. Write `backward`. No mean is subtracted, so
there is one term less than in layer normalisation.
"""

import numpy as np

EPS = 1e-3


def forward(x, w):
    """x / rms · w; x has the shape (N, D), w has (D,)."""
    rms = np.sqrt((x**2).mean(axis=1, keepdims=True) + EPS)
    return x / rms * w


def backward(g, x, w):
    """The gradients of x and of w; g has the shape (N, D)."""
    rms = np.sqrt((x**2).mean(axis=1, keepdims=True) + EPS)
    y = x / rms
    ### BEGIN SOLUTION
    dw = (g * y).sum(axis=0)
    d = g * w
    dx = (d - y * (d * y).mean(axis=1, keepdims=True)) / rms
    return dx, dw
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Normalisation", 4
FORMULA = "d = g w,  dL/dx = (d − y mean(d y)) / rms with y = x / rms,  dL/dw = Σₙ g y"


def inputs(random):
    return [random.standard_normal((3, 4)), random.uniform(0.5, 2.0, 4)]


WRONG = [
    (
        "(d - y * (d * y).mean(axis=1, keepdims=True))",
        "d",
        "term dropped",
        "the term `normalised * mean(g * normalised)` is missing",
    ),
    (
        "(d * y).mean(axis=1, keepdims=True)",
        "(d * y).sum(axis=1, keepdims=True)",
        "sum for mean",
        "the sum of `g * normalised` is taken instead of the mean",
    ),
    ("d = g * w", "d = g", "factor dropped", "the factor `w` is missing"),
    ("(g * y).sum(axis=0)", "(g * x).sum(axis=0)", "other value", "`x` is used in the place of `x / rms`"),
]
### END HIDDEN TESTS
