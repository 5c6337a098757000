"""Broadcasting and the graph: gradients not summed back, paths counted twice or not at all, a cotangent misused."""

import numpy as np

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import Real

W = values(9, 5)
A = 1.5


def backward_per_visit(g, x):
    """y = a + a with a = x²: backward runs through `a` at each visit, with what has been summed up so far."""
    of_a, of_x = 0.0, 0.0
    for _ in range(2):
        of_a = of_a + g
        of_x = of_x + of_a * 2 * x
    return of_x


def revisited(g, x):
    """y = x·p + x·p + x²·A with p = A·x: the node p passes its sum on twice."""
    of_p, of_x = 0.0, 4 * A * g * x  # all paths but those through p
    for _ in range(2):
        of_p = of_p + g * x
        of_x = of_x + A * of_p
    return of_x


def coupled(x):
    return x * np.sum(x**2)


def coupled_vjp(g, x):
    return g * np.sum(x**2) + 2 * x * np.sum(g * x)


CASES = [
    Case(
        name="micrograd: a value used twice",
        framework="micrograd",
        reference="karpathy/micrograd#2",
        year=2020,
        story="backward recursed into an inner value at each use, and passed on again what it had passed on before",
        f=lambda x: x**2 + x**2,
        wrong=backward_per_visit,
        right=lambda g, x: 4 * g * x,
        inputs=lambda: (values(0, 3),),
        kind="factor",
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="ctensor: two ways to the loss",
        framework="cTensor",
        reference="sebgao/cTensor#5",
        year=2021,
        story="a node that reaches the loss in two ways runs its backward twice: 7 in place of 6",
        f=lambda x: x * (A * x) + x * (A * x) + x**2 * A,
        wrong=revisited,
        right=lambda g, x: 6 * A * g * x,
        inputs=lambda: (values(1, 3),),
        kind="factor",
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="nnabla: a shared variable",
        framework="NNabla",
        reference="sony/nnabla#532",
        year=2019,
        story="a variable given to one function several times keeps only one of its gradients: x·x·x",
        f=lambda x: x * x * x,
        wrong=lambda g, x: g * x * x,
        right=lambda g, x: 3 * g * x * x,
        inputs=lambda: (values(2, 4),),
        kind="overwritten",
        also=("factor",),
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="tidy3d: ones for the cotangent",
        framework="Tidy3D",
        reference="flexcompute/tidy3d#2607",
        year=2025,
        story="a bridge to PyTorch calls the VJP with ones and multiplies the result by the gradient afterwards",
        f=coupled,
        wrong=lambda g, x: coupled_vjp(np.ones(x.shape), x) * g,
        right=coupled_vjp,
        inputs=lambda: (values(3, 4),),
        kind="unknown",
        also=("chain",),
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Real()),),
    ),
    Case(
        name="nd4j: broadcast addition",
        framework="ND4J",
        reference="deeplearning4j/nd4j#2424",
        year=2017,
        story="a row added to a matrix gets a gradient of the shape of the matrix",
        f=lambda a, b: a + b,
        wrong=lambda g, a, b: (g, g),
        right=lambda g, a, b: (g, g.sum(axis=0, keepdims=True)),
        inputs=lambda: (values(4, 3, 4), values(5, 1, 4)),
        kind="unbroadcast",
        also=("shape",),
        sample=lambda draw: (draw.array((draw.integer(1, 3), 2), Real()), draw.array((1, 2), Real())),
    ),
    Case(
        name="rust-autograd: a scalar times a vector",
        framework="rust-autograd",
        reference="raskr/rust-autograd#38",
        year=2020,
        story="the gradient of the scalar comes out as long as the vector",
        f=lambda c, v: c * v,
        wrong=lambda g, c, v: (g * v, g * c),
        right=lambda g, c, v: (g * v, np.sum(g * c)),
        inputs=lambda: (values(6, 2), np.array(0.75)),
        kind="unbroadcast",
        also=("shape",),
        sample=lambda draw: (draw.array((draw.integer(1, 3),), Real()), np.array(0.5)),
    ),
    Case(
        name="autograd: a product that was not recorded",
        framework="HIPS autograd",
        reference="HIPS/autograd#8",
        year=2015,
        story="`w.T.dot(x)` bypasses the tape, and the gradient is an array of zeros without a word",
        f=lambda x: W.T.dot(x),
        wrong=lambda g, x: np.zeros(x.shape),
        right=lambda g, x: g * W,
        inputs=lambda: (values(7, 5),),
        kind="dropped",
        sample=lambda draw: (draw.array((5,), Real()),),
    ),
]
