"""Products and factorisations: vectors, batches, triangles."""

import numpy as np

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import Real


def batched_vjp(g, a, b, summed):
    ga = g @ np.swapaxes(b, -1, -2)
    return ga.sum(axis=0) if summed else ga, a.T @ g


def upper_cholesky(x):
    """U with UᵀU = the symmetric matrix whose upper triangle is that of x; the lower one is not read."""
    return np.linalg.cholesky(np.triu(x) + np.triu(x, 1).T).T


def symmetric_gradient(g, x):
    low = upper_cholesky(x).T
    inner = np.tril(low.T @ np.triu(g).T)
    inner[np.diag_indices_from(inner)] /= 2
    inverse = np.linalg.inv(low)
    s = inverse.T @ inner @ inverse
    return (s + s.T) / 2


CASES = [
    Case(
        name="tinytorch: matrix times vector",
        framework="TinyTorch",
        reference="harvard-edge/cs249r_book#1781",
        year=2026,
        story="the transpose of a vector is itself, so g @ bᵀ is a dot product where an outer product belongs",
        f=lambda a, b: a @ b,
        wrong=lambda g, a, b: (np.matmul(g, b.T), a.T @ g),
        right=lambda g, a, b: (np.outer(g, b), a.T @ g),
        inputs=lambda: (values(0, 3, 3), values(1, 3)),
        kind="shape",
        sample=lambda draw: (draw.array((draw.integer(1, 3), 2), Real()), draw.array((2,), Real())),
    ),
    Case(
        name="flashlight: one matrix against a batch",
        framework="Flashlight",
        reference="flashlight/flashlight#760",
        year=2021,
        story="a matrix multiplied with a whole batch gets one gradient per item; they are not summed",
        f=lambda a, b: a @ b,
        wrong=lambda g, a, b: batched_vjp(g, a, b, summed=False),
        right=lambda g, a, b: batched_vjp(g, a, b, summed=True),
        inputs=lambda: (values(2, 2, 3), values(3, 4, 3, 2)),
        kind="unbroadcast",
        also=("shape",),
        sample=lambda draw: (
            draw.array((draw.integer(1, 3), 2), Real()),
            draw.array((draw.integer(1, 3), 2, draw.integer(1, 3)), Real()),
        ),
    ),
    Case(
        name="jax: the triangle cholesky does not read",
        framework="JAX",
        reference="jax-ml/jax#40421",
        year=2026,
        story="with lower=False the lower triangle is ignored, but backward sends part of the gradient there",
        f=upper_cholesky,
        wrong=symmetric_gradient,
        right=lambda g, x: np.triu(symmetric_gradient(g, x)) + np.triu(symmetric_gradient(g, x), 1),
        inputs=lambda: (np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]]),),
        kind="mask",
        also=("factor",),
    ),
]
