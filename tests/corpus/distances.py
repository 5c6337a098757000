"""Distances, margins and divergences: labels compared with themselves, signs, a loss's gradient for its target."""

import numpy as np

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import Distinct, Real

SIMILAR = np.array([True, False, True])
MARGIN = 9.0
ORDER = np.array([1.0, -1.0, 1.0, -1.0])
GAP = 6.0
TARGETS = np.array([0.2, 0.5, 0.3])


def contrastive(a, b):
    square = np.sum((a - b) ** 2, axis=1)
    return np.where(SIMILAR, square, np.maximum(MARGIN - square, 0.0)).sum() / 2


def contrastive_vjp(g, a, b, similar):
    near = np.sum((a - b) ** 2, axis=1) < MARGIN
    sign = np.where(similar, 1.0, np.where(near, -1.0, 0.0))
    d = g * sign[:, None] * (a - b)
    return d, -d


def length(x):
    return np.sqrt(np.sum(x * x, axis=1, keepdims=True))


def apart(x, y):
    """1 - cos of the angle between the rows, their mean."""
    return np.mean(1 - np.sum(x * y, axis=1) / (length(x) * length(y))[:, 0])


def apart_vjp(g, x, y):
    lx, ly = length(x), length(y)
    cos = np.sum(x * y, axis=1, keepdims=True) / (lx * ly)
    share = -g / len(x)
    return share * (y / (lx * ly) - cos * x / lx**2), share * (x / (lx * ly) - cos * y / ly**2)


def ranking(a, b):
    return np.sum(np.maximum(0.0, -ORDER * (a - b) + GAP))


def ranking_vjp(g, a, b):
    d = -g * ORDER * (-ORDER * (a - b) + GAP > 0)
    return d, -d


def ranking_for_the_order(g, a, b):
    d = -g * (a - b) * (-ORDER * (a - b) + GAP > 0)
    return d, d


def divergence_backward(x, t):
    """What the backward pass of the divergence Σ t (log t - x) returns for x, which a second pass differentiates."""
    return -TARGETS * t / len(t) + 0 * x


CASES = [
    Case(
        name="tensorflow.net: squared difference",
        framework="TensorFlow.NET",
        reference="SciSharp/TensorFlow.NET#787",
        year=2021,
        story="the gradient function returns the two inputs as they are",
        f=lambda x, y: (x - y) ** 2,
        wrong=lambda g, x, y: (x, y),
        right=lambda g, x, y: (2 * g * (x - y), -2 * g * (x - y)),
        inputs=lambda: (values(0, 3), values(1, 3)),
        kind="nonlinear",
        sample=lambda draw: (draw.array((3,), Real()), draw.array((3,), Real())),
    ),
    Case(
        name="caffe-windows: labels compared with themselves",
        framework="caffe-windows",
        reference="happynear/caffe-windows#12",
        year=2015,
        story="backward compares each label with itself, and so takes every pair for a similar one",
        f=contrastive,
        wrong=lambda g, a, b: contrastive_vjp(g, a, b, similar=True),
        right=lambda g, a, b: contrastive_vjp(g, a, b, similar=SIMILAR),
        inputs=lambda: (values(2, 3, 2, low=-1, high=1), values(3, 3, 2, low=-1, high=1)),
        kind="sign",
        also=("unknown", "chain"),
        sample=lambda draw: (draw.array((3, 2), Real(-1, 1)), draw.array((3, 2), Real(-1, 1))),
    ),
    Case(
        name="torch7: cosine embedding of a batch",
        framework="Torch7",
        reference="torch/nn#287",
        year=2015,
        story="for a batch the gradient has the other sign: only a negative learning rate made the loss smaller",
        f=apart,
        wrong=lambda g, x, y: tuple(-d for d in apart_vjp(g, x, y)),
        right=apart_vjp,
        inputs=lambda: (values(4, 2, 3), values(5, 2, 3)),
        kind="sign",
        sample=lambda draw: (draw.array((2, 3), Distinct()), draw.array((2, 3), Distinct())),
    ),
    Case(
        name="mlpack: margin ranking for its target",
        framework="mlpack",
        reference="mlpack/mlpack#3167",
        year=2022,
        story="backward returns the derivative for the target, where those for the two scores belong",
        f=ranking,
        wrong=ranking_for_the_order,
        right=ranking_vjp,
        inputs=lambda: (values(6, 4), values(7, 4)),
        kind="chain",
        also=("unknown",),
        sample=lambda draw: (draw.array((4,), Real(-1, 1)), draw.array((4,), Real(-1, 1))),
    ),
    Case(
        name="pytorch: second order of the divergence",
        framework="PyTorch",
        reference="pytorch/pytorch#65466",
        year=2021,
        story="the gradient for the input depends on the target; differentiated again, it is taken for a constant",
        f=divergence_backward,
        wrong=lambda g, x, t: (np.zeros(x.shape), np.zeros(t.shape)),
        right=lambda g, x, t: (np.zeros(x.shape), -g * TARGETS / len(t)),
        inputs=lambda: (values(8, 3), np.array([0.25, 0.5, 0.25])),
        kind="dropped",
        sample=lambda draw: (draw.array((3,), Real()), draw.array((3,), Real())),
    ),
]
