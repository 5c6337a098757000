"""Layer normalisation

As batch normalisation, but each row is normalised over its own elements. Write `backward`, and mind the axes: gamma
and beta are shared by the rows.
"""

import numpy as np

EPS = 1e-3


def forward(x, gamma, beta):
    """gamma (x − mean) / deviation + beta; x has the shape (N, D), gamma and beta have (D,)."""
    mean = x.mean(axis=1, keepdims=True)
    deviation = np.sqrt(((x - mean) ** 2).mean(axis=1, keepdims=True) + EPS)
    normal = (x - mean) / deviation
    return gamma * normal + beta, (normal, deviation, gamma)


def backward(dout, cache):
    """The gradients of x, gamma and beta; dout has the shape (N, D)."""
    normal, deviation, gamma = cache
    ### BEGIN SOLUTION
    dgamma = (dout * normal).sum(axis=0)
    dbeta = dout.sum(axis=0)
    d = dout * gamma
    middle = d.mean(axis=1, keepdims=True)
    along = (d * normal).mean(axis=1, keepdims=True)
    return (d - middle - normal * along) / deviation, dgamma, dbeta
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Normalisation", 3
FORMULA = "d = dout γ,  dx = (d − mean d − x̂ mean(d x̂)) / deviation over each row;  dγ, dβ are sums over the rows"


def inputs(random):
    return [random.standard_normal((4, 4)), random.uniform(0.5, 2.0, 4), random.standard_normal(4)]


WRONG = [
    (
        "(d * normal).mean(axis=1, keepdims=True)",
        "(d * normal).mean(axis=0)",
        "wrong axis",
        "the mean of `g * normalised` is taken over axis 0 instead of axis 1",
    ),
    ("d - middle - normal * along", "d - normal * along", "term dropped", "the term `mean(g)` is missing"),
    ("d = dout * gamma", "d = dout", "factor dropped", "the factor `gamma` is missing"),
    (
        "(dout * normal).sum(axis=0)",
        "(dout * normal).sum(axis=1)",
        "wrong axis",
        "the gradient of `gamma` is summed over axis 1, not over the one it was broadcast along",
    ),
]
### END HIDDEN TESTS
