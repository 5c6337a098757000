"""Scattering and sparse matrices: a zero in a product, dropped elements, short indices, transposes."""

import numpy as np

from tests.corpus.case import Case, quiet, values
from tinygrad_cnn.core.domain import AwayFrom, Real

GROUP = np.array([0, 0, 1, 1, 1])
IDS, SEGMENTS = np.array([0, 2, 1, 3]), 2
SHORT = np.array([2, 0])
ROW, COL = np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1])
B = values(30, 3, 2)
SPARSE = np.array([[0.0, 1.5, 0.0], [-2.0, 0.0, 0.5]])


def group_products(x):
    return np.stack([np.prod(x[k == GROUP]) for k in range(2)])


def group_products_vjp(g, x):
    """The product of all others of the group, without a division."""
    others = np.array(
        [np.prod([x[j] for j in range(len(x)) if j != i and GROUP[j] == GROUP[i]]) for i in range(len(x))]
    )
    return g[GROUP] * others


def segment_sums(x):
    """Those whose number is no segment are dropped."""
    return np.stack([np.sum(x[k == IDS]) for k in range(SEGMENTS)])


def scattered(source):
    y = np.zeros(4)
    np.add.at(y, SHORT, source[: len(SHORT)])
    return y


def transposed_product(data):
    a = np.zeros((3, 3))
    a[ROW, COL] = data
    return a.T @ B


CASES = [
    Case(
        name="pytorch: scattered product with a zero",
        framework="PyTorch",
        reference="pytorch/pytorch#76523",
        year=2022,
        story="the gradient divides the product by the element, and is filled with 0 where the element is 0",
        f=group_products,
        wrong=quiet(lambda g, x: np.where(x == 0, 0.0, g[GROUP] * group_products(x)[GROUP] / x)),
        right=group_products_vjp,
        inputs=lambda: (np.array([1.5, -2.0, 0.0, 0.5, 3.0]),),
        kind="dropped",
        also=("mask", "unknown"),
        at="one element is 0",
        sample=lambda draw: (draw.array((5,), AwayFrom((0.0,))),),
    ),
    Case(
        name="jax: numbers beyond the last segment",
        framework="JAX",
        reference="jax-ml/jax#8634",
        year=2021,
        story="elements of no segment are dropped, but backward gathers the last segment's gradient for them",
        f=segment_sums,
        wrong=lambda g, x: g[np.minimum(IDS, SEGMENTS - 1)],
        right=lambda g, x: np.where(IDS < SEGMENTS, g[np.minimum(IDS, SEGMENTS - 1)], 0.0),
        inputs=lambda: (values(0, 4),),
        kind="mask",
        sample=lambda draw: (draw.array((4,), Real()),),
    ),
    Case(
        name="pytorch: an index shorter than the source",
        framework="PyTorch",
        reference="pytorch/pytorch#188843",
        year=2026,
        story="the gradient of the source is gathered by the index, and is as short as the index",
        f=scattered,
        wrong=lambda g, source: g[SHORT],
        right=lambda g, source: np.append(g[SHORT], np.zeros(len(source) - len(SHORT))),
        inputs=lambda: (values(3, 3),),
        kind="shape",
        sample=lambda draw: (draw.array((draw.integer(2, 4),), Real()),),
    ),
    Case(
        name="jax: transposed sparse matrix",
        framework="JAX",
        reference="jax-ml/jax#40625",
        year=2026,
        story="with transpose=True the gradient of the stored numbers still takes rows for rows, columns for columns",
        f=transposed_product,
        wrong=lambda g, data: np.sum(g[ROW] * B[COL], axis=1),
        right=lambda g, data: np.sum(g[COL] * B[ROW], axis=1),
        inputs=lambda: (values(4, 4),),
        kind="transposed",
        also=("permuted", "unknown"),
        sample=lambda draw: (draw.array((4,), Real()),),
    ),
    Case(
        name="pytensor: a sparse matrix times a scalar",
        framework="PyTensor",
        reference="pymc-devs/pytensor#2319",
        year=2026,
        story="the scalar was broadcast over the matrix; its gradient keeps the shape of the matrix",
        f=lambda s: SPARSE * s,
        wrong=lambda g, s: g * SPARSE,
        right=lambda g, s: np.sum(g * SPARSE),
        inputs=lambda: (np.array(0.75),),
        kind="unbroadcast",
        also=("shape",),
        sample=lambda draw: (draw.array((), Real()),),
    ),
]
