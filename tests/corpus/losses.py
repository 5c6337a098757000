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

SUM_TARGETS = np.array([0, 2, 1])
GAMMA = 2.0
ANGLE = 0.4
OWNER = np.eye(3, dtype=bool)[[0, 2]]


def cross_entropy(x):
    return -np.log(softmax(x)[np.arange(len(x)), SUM_TARGETS])


def cross_entropy_vjp(g, x):
    """`g` is one number or one per row."""
    return np.reshape(g, (-1, 1)) * (softmax(x) - np.eye(x.shape[1])[SUM_TARGETS])


def with_the_losses(g, x):
    """A second loss of weight 0 leaves its own values in the gradient that is added."""
    d = cross_entropy_vjp(g, x)
    d[:, 0] += cross_entropy(x)
    return d


def focal(x):
    p = 1 / (1 + np.exp(-x))
    return -((1 - p) ** GAMMA) * np.log(p)


def focal_vjp(g, x, sign):
    p = 1 / (1 + np.exp(-x))
    return g * (sign * GAMMA * (1 - p) ** GAMMA * p * np.log(p) - (1 - p) ** (GAMMA + 1))


def added_margin(cos):
    """The cosine of the own class's angle, a margin added to it."""
    return np.where(OWNER, np.cos(ANGLE) * cos - np.sin(ANGLE) * np.sqrt(1 - cos**2), cos)


def added_margin_slope(cos):
    return np.cos(ANGLE) + np.sin(ANGLE) * cos / np.sqrt(1 - cos**2)


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
    Case(
        name="aprender: a sum divided by the batch",
        framework="aprender",
        reference="paiml/aprender#2182",
        year=2026,
        story="cross entropy's backward divides by the size of the batch, also where the losses are summed",
        f=lambda x: np.sum(cross_entropy(x)),
        wrong=lambda g, x: cross_entropy_vjp(g, x) / len(x),
        right=cross_entropy_vjp,
        inputs=lambda: (values(3, 3, 4),),
        kind="factor",
        sample=lambda draw: (draw.array((3, draw.integer(3, 4)), Real()),),
    ),
    Case(
        name="focal loss: the sign of one of two terms",
        framework="Focal-Loss for Caffe",
        reference="zimenglan-sysu-512/Focal-Loss#2",
        year=2017,
        story="of the two terms of the focal loss's gradient the first one has the wrong sign",
        f=focal,
        wrong=lambda g, x: focal_vjp(g, x, sign=-1.0),
        right=lambda g, x: focal_vjp(g, x, sign=1.0),
        inputs=lambda: (values(4, 5),),
        kind="chain",
        also=("unknown",),
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="caffe: a loss of weight zero",
        framework="Caffe",
        reference="BVLC/caffe#2895",
        year=2015,
        story="a second loss of weight 0 adds its values, left in the buffer of its gradient, to the gradient",
        f=lambda x: np.mean(cross_entropy(x)),
        wrong=lambda g, x: with_the_losses(g / len(x), x),
        right=lambda g, x: cross_entropy_vjp(g / len(x), x),
        inputs=lambda: (values(5, 3, 4),),
        kind="constant",
        also=("nonlinear",),
        sample=lambda draw: (draw.array((3, draw.integer(3, 4)), Real()),),
    ),
    Case(
        name="arcface: the margin without what comes in",
        framework="arcface-caffe",
        reference="xialuxi/arcface-caffe#19",
        year=2019,
        story="the element of the own class gets the bare derivative of the margin, not times the gradient",
        f=added_margin,
        wrong=lambda g, x: np.where(OWNER, added_margin_slope(x), g),
        right=lambda g, x: np.where(OWNER, g * added_margin_slope(x), g),
        inputs=lambda: (values(6, 2, 3, low=-0.75, high=0.75),),
        kind="nonlinear",
        also=("constant",),
        sample=lambda draw: (draw.array((2, 3), Real(-0.75, 0.75)),),
    ),
]
