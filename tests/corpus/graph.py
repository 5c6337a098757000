"""Broadcasting and the graph: gradients not summed back, paths counted twice or not at all, a cotangent misused."""

import numpy as np

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import AwayFrom, Real

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


MIXED = values(10, 3, 3)
LATER = np.array([2.5, -1.0, 0.5, 3.0])
FACTORS = np.array([1.5, -0.5, 0.75])


def joined(x):
    """x by one way, and repeated by another."""
    return np.concatenate([A * x, np.repeat(x, 2)])


def upsampled_vjp(g, x):
    return g[len(x) :].reshape(-1, 2).sum(axis=1)


def shortcut(x, w):
    return x + w @ x


def doubled_if_equal(g, a, b):
    """Two constants of the same value are one node of the graph, which gets both gradients."""
    return (g + g, g + g) if np.array_equal(a, b) else (g, g)


def turned_in_place(angle, x):
    return np.cos(angle) * x


def spread_and_squared(x):
    return (x + np.ones((2, *x.shape))) ** 2


def table_sum(a, b):
    return np.sum(a) * np.sum(b)


def best_of(x):
    return np.max(x[:, None] * FACTORS, axis=1)


def best_of_vjp(g, x):
    return g * FACTORS[np.argmax(x[:, None] * FACTORS, axis=1)]


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
    Case(
        name="candle: upsampling replaces what is there",
        framework="candle",
        reference="huggingface/candle#3507",
        year=2026,
        story="the gradient of an upsampling is stored, where it belongs to be added to what has come before",
        f=joined,
        wrong=upsampled_vjp,
        right=lambda g, x: A * g[: len(x)] + upsampled_vjp(g, x),
        inputs=lambda: (values(8, 3),),
        kind="dropped",
        also=("overwritten",),
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Real()),),
    ),
    Case(
        name="darknet: a shortcut over a convolution of one pixel",
        framework="Darknet",
        reference="pjreddie/darknet#1229",
        year=2018,
        story="the product of a 1 × 1 convolution writes over the gradient that the shortcut had left there",
        f=shortcut,
        wrong=lambda g, x, w: (w.T @ g, np.outer(g, x)),
        right=lambda g, x, w: (g + w.T @ g, np.outer(g, x)),
        inputs=lambda: (values(11, 3), MIXED),
        kind="dropped",
        also=("overwritten",),
        sample=lambda draw: (draw.array((2,), Real()), draw.array((2, 2), Real())),
    ),
    Case(
        name="tinygrad: two equal constants",
        framework="tinygrad",
        reference="tinygrad/tinygrad#9597",
        year=2025,
        story="two tensors made of the same number are one node, and each gets the gradients of both",
        f=lambda a, b: a + b,
        wrong=doubled_if_equal,
        right=lambda g, a, b: (g, g),
        inputs=lambda: (np.array(3.0), np.array(3.0)),
        kind="factor",
        at="both hold the same number",
        sample=lambda draw: (draw.array((), Real()), draw.array((), Real())),
    ),
    Case(
        name="taichi: a product written over its factor",
        framework="Taichi",
        reference="taichi-dev/taichi#2505",
        year=2021,
        story="x = cos(θ) x in place: the derivative for θ reads x when it has been written over",
        f=turned_in_place,
        wrong=lambda g, angle, x: (-g * np.sin(angle) * np.cos(angle) * x, g * np.cos(angle)),
        right=lambda g, angle, x: (-g * np.sin(angle) * x, g * np.cos(angle)),
        inputs=lambda: (np.array([0.5, 1.0, 2.0]), np.array([1.5, -0.75, 2.0])),
        kind="chain",
        also=("unknown",),
        sample=lambda draw: (draw.array((2,), Real()), draw.array((2,), Real())),
    ),
    Case(
        name="mlx: an addition in place that broadcasts",
        framework="MLX",
        reference="ml-explore/mlx#610",
        year=2024,
        story="after `x += ones` of a larger shape and a look at the values, the gradient is all zeros",
        f=spread_and_squared,
        wrong=lambda g, x: np.zeros(x.shape),
        right=lambda g, x: np.sum(2 * g * (x + 1), axis=0),
        inputs=lambda: (values(12, 2, 2),),
        kind="dropped",
        sample=lambda draw: (draw.array((draw.integer(1, 3), 2), Real()),),
    ),
    Case(
        name="warp: a loop in a loop",
        framework="Warp",
        reference="NVIDIA/warp#1293",
        year=2026,
        story="with a dynamic loop in another one, the adjoint of the outer loop's variable is counted twice",
        f=table_sum,
        wrong=lambda g, a, b: (2 * g * np.sum(b) * np.ones(a.shape), g * np.sum(a) * np.ones(b.shape)),
        right=lambda g, a, b: (g * np.sum(b) * np.ones(a.shape), g * np.sum(a) * np.ones(b.shape)),
        inputs=lambda: (values(13, 3), values(14, 2)),
        kind="factor",
        sample=lambda draw: (draw.array((2,), Real()), draw.array((3,), Real())),
    ),
    Case(
        name="warp: the last turn of a loop",
        framework="Warp",
        reference="NVIDIA/warp#1552",
        year=2026,
        story="after a `continue` in the loop, every maximum is differentiated as if the last turn had been the best",
        f=best_of,
        wrong=lambda g, x: g * FACTORS[-1],
        right=best_of_vjp,
        inputs=lambda: (np.array([1.25, -0.75, 2.0]),),
        kind="chain",
        also=("unknown", "constant"),
        sample=lambda draw: (draw.array((draw.integer(1, 4),), AwayFrom((0.0,))),),
    ),
    Case(
        name="warp: backward reads what came later",
        framework="Warp",
        reference="NVIDIA/warp#1350",
        year=2026,
        story="the tape keeps no copies: an array that is written to after forward changes the gradient",
        f=lambda x: x * x,
        wrong=lambda g, x: 2 * g * LATER,
        right=lambda g, x: 2 * g * x,
        inputs=lambda: (np.array([1.5, -0.5, 2.0, 0.25]),),
        kind="chain",
        also=("unknown",),
        sample=lambda draw: (draw.array((4,), Real()),),
    ),
    Case(
        name="autograd.jl: a derivative in a derivative",
        framework="AutoGrad.jl",
        reference="denizyuret/AutoGrad.jl#75",
        year=2018,
        story="of x · d/dy(x + y) the inner tape takes x for its own variable: 2 in place of 1",
        f=lambda x: x * np.ones(x.shape),
        wrong=lambda g, x: g * (np.ones(x.shape) + np.ones(x.shape)),
        right=lambda g, x: g * np.ones(x.shape),
        inputs=lambda: (values(15, 3),),
        kind="factor",
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="oneflow: remainder that broadcasts",
        framework="OneFlow",
        reference="Oneflow-Inc/oneflow#8769",
        year=2022,
        story="the dividend is broadcast against two divisors; its gradient has two elements in place of their sum",
        f=np.fmod,
        wrong=lambda g, x, y: (np.ravel(g), -g * np.trunc(x / y)),
        right=lambda g, x, y: (np.sum(g).reshape(1), -g * np.trunc(x / y)),
        inputs=lambda: (np.array([5.0]), np.array([[2.0], [3.0]])),
        kind="unbroadcast",
        also=("shape",),
    ),
]
