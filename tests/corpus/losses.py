"""Losses and softmax: factors of the chain rule, overflow, a cotangent left out."""

import numpy as np

from tests.corpus.case import Case, quiet, values
from tinygrad_cnn.core.domain import Real

MARGIN = 9.0


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(g, y):
    return y * (g - np.sum(g * y, axis=-1, keepdims=True))


def unshifted(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def push_apart(a, b):
    """The legacy contrastive loss of dissimilar pairs: max(margin - |a - b|², 0) / 2n."""
    return np.maximum(MARGIN - np.sum((a - b) ** 2, axis=1), 0.0).sum() / (2 * len(a))


def push_apart_vjp(g, a, b, difference):
    near = np.sum((a - b) ** 2, axis=1, keepdims=True) < MARGIN
    d = -g / len(a) * np.where(near, difference, 0.0)
    return d, -d


def total_score(x):
    return np.log(np.exp(x).sum(axis=1))


def normal(c):
    """log N(d | 0, c) up to a constant, for a covariance c."""
    return -0.5 * (D @ np.linalg.inv(c) @ D + np.linalg.slogdet(c)[1])


def normal_vjp(g, c):
    inverse = np.linalg.inv(c)
    return -0.5 * g * (inverse - inverse @ np.outer(D, D) @ inverse).T


D = np.array([0.5, -1.0, 0.75])

CASES = [
    Case(
        name="caffe: contrastive loss on the GPU",
        framework="Caffe",
        reference="BVLC/caffe#7100",
        year=2026,
        story="for dissimilar pairs the legacy GPU kernel writes -alpha where -alpha · (a - b) belongs",
        f=push_apart,
        wrong=lambda g, a, b: push_apart_vjp(g, a, b, np.ones(a.shape)),
        right=lambda g, a, b: push_apart_vjp(g, a, b, a - b),
        inputs=lambda: (values(0, 3, 2, low=-1, high=1), values(1, 3, 2, low=-1, high=1)),
        kind="chain",
        also=("constant",),
        sample=lambda draw: (draw.array((2, 2), Real(-1, 1)), draw.array((2, 2), Real(-1, 1))),
    ),
    Case(
        name="nd4j: softmax without the shift",
        framework="ND4J",
        reference="deeplearning4j/deeplearning4j-examples#730",
        year=2018,
        story="exp of the raw scores overflows to inf/inf, as in the article's softmax layer",
        f=softmax,
        wrong=quiet(lambda g, x: softmax_vjp(g, unshifted(x))),
        right=lambda g, x: softmax_vjp(g, softmax(x)),
        inputs=lambda: (np.array([[1000.0, 999.0, 998.5], [0.5, -1.0, 0.25]]),),
        kind="nan",
        sample=lambda draw: (draw.array((draw.integer(1, 2), draw.integer(1, 4)), Real()),),
    ),
    Case(
        name="k2: total scores ignore the gradient",
        framework="k2",
        reference="k2-fsa/k2#341",
        year=2020,
        story="backward returns the local derivative without the gradient from above: training went the wrong way",
        f=total_score,
        wrong=lambda g, x: softmax(x),
        right=lambda g, x: g[:, None] * softmax(x),
        inputs=lambda: (values(2, 2, 3),),
        kind="nonlinear",
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 4)), Real()),),
    ),
    Case(
        name="autograd: covariance of the normal density",
        framework="HIPS autograd",
        reference="HIPS/autograd#412",
        year=2018,
        story="the gradient for the covariance has the wrong sign, and a typo kept its test from running",
        f=normal,
        wrong=lambda g, c: -normal_vjp(g, c),
        right=normal_vjp,
        inputs=lambda: (np.array([[2.0, 0.3, -0.2], [0.3, 1.5, 0.1], [-0.2, 0.1, 1.0]]),),
        kind="sign",
    ),
]
