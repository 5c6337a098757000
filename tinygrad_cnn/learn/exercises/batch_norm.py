"""Batch normalisation

`forward` normalises each column over the batch, then scales and shifts it. Write `backward`. The mean and the deviation
depend on x: both send a gradient back.
"""

import numpy as np

EPS = 1e-3


def forward(x, gamma, beta):
    """gamma (x − mean) / deviation + beta; x has the shape (N, D), gamma and beta have (D,)."""
    mean = x.mean(axis=0)
    deviation = np.sqrt(((x - mean) ** 2).mean(axis=0) + EPS)
    normal = (x - mean) / deviation
    return gamma * normal + beta, (normal, deviation, gamma)


def backward(dout, cache):
    """The gradients of x, gamma and beta; dout has the shape (N, D)."""
    normal, deviation, gamma = cache
    ### BEGIN SOLUTION
    dgamma = (dout * normal).sum(axis=0)
    dbeta = dout.sum(axis=0)
    d = dout * gamma
    dx = (d - d.mean(axis=0) - normal * (d * normal).mean(axis=0)) / deviation
    return dx, dgamma, dbeta
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Normalisation", 2
FORMULA = "d = dout γ,  dx = (d − mean d − x̂ mean(d x̂)) / deviation,  dγ = Σ dout x̂,  dβ = Σ dout"


def inputs(random):
    return [random.standard_normal((5, 3)), random.uniform(0.5, 2.0, 3), random.standard_normal(3)]


WRONG = [
    (
        "(d - d.mean(axis=0) - normal * (d * normal).mean(axis=0))",
        "d",
        "held constant",
        "`x.mean(axis=0)` and `x - mean` are both held constant",
    ),
    (
        " - normal * (d * normal).mean(axis=0)",
        "",
        "term dropped",
        "the term `normalised * mean(g * normalised)` is missing",
    ),
    ("d - d.mean(axis=0) - normal", "d - normal", "term dropped", "the term `mean(g)` is missing"),
    ("d = dout * gamma", "d = dout", "factor dropped", "the factor `gamma` is missing"),
    (
        "dout.sum(axis=0)",
        "dout.mean(axis=0)",
        "mean for sum",
        "a mean instead of a sum over the axes `beta` was broadcast along",
    ),
]
### END HIDDEN TESTS
