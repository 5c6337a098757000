"""Arithmetic of one or two arguments: signs, arguments exchanged, the rule of another function, branches."""

import numpy as np

from tests.corpus.case import Case, distinct, values
from tinygrad_cnn.core.domain import AwayFrom, Positive, Real

BASE = 2.5
C = np.array([0.25, 0.6, 0.9])
TAKEN = np.array([True, False, True, True])
INSIDE = np.array([[True, True, False], [True, False, False]])
FILL = -7.0


def incomplete_beta(a):
    """The regularised incomplete beta function I(a, 2) at C, a polynomial in C times a power of it."""
    return C**a * (1 + a * (1 - C))


def incomplete_beta_vjp(g, a):
    return g * (np.log(C) * incomplete_beta(a) + C**a * (1 - C))


def angle_vjp(g, y, x):
    square = x * x + y * y
    return g * x / square, -g * y / square


CASES = [
    Case(
        name="jax: a sign in the documentation",
        framework="JAX",
        reference="jax-ml/jax#3213",
        year=2020,
        story="the example of custom_vjp has -sin x for the derivative of sin(x) · y for y",
        f=lambda x, y: np.sin(x) * y,
        wrong=lambda g, x, y: (g * np.cos(x) * y, -g * np.sin(x)),
        right=lambda g, x, y: (g * np.cos(x) * y, g * np.sin(x)),
        inputs=lambda: (values(0, 4), values(1, 4)),
        kind="sign",
        sample=lambda draw: (draw.array((3,), Real()), draw.array((3,), Real())),
    ),
    Case(
        name="stan: the second term of the incomplete beta",
        framework="Stan Math",
        reference="stan-dev/math#1569",
        year=2019,
        story="the incoming adjoint multiplies the first of two terms only; the tests had it at 1",
        f=incomplete_beta,
        wrong=lambda g, a: g * np.log(C) * incomplete_beta(a) + C**a * (1 - C),
        right=incomplete_beta_vjp,
        inputs=lambda: (np.array([0.6, 1.5, 2.0]),),
        kind="nonlinear",
        also=("constant",),
        sample=lambda draw: (draw.array((3,), Positive()),),
    ),
    Case(
        name="tt-metal: the power the other way round",
        framework="tt-metal",
        reference="tenstorrent/tt-metal#55289",
        year=2026,
        story="the operator is base ** x, its backward differentiates x ** base",
        f=lambda x: BASE**x,
        wrong=lambda g, x: g * BASE * x ** (BASE - 1),
        right=lambda g, x: g * BASE**x * np.log(BASE),
        inputs=lambda: (np.array([0.5, 1.25, 2.0]),),
        kind="chain",
        also=("unknown",),
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="enzyme: the sign of atan2",
        framework="Enzyme-JAX",
        reference="EnzymeAD/Enzyme-JAX#2066",
        year=2026,
        story="both derivatives of atan2 have the other's minus sign",
        f=np.arctan2,
        wrong=lambda g, y, x: tuple(-d for d in angle_vjp(g, y, x)),
        right=angle_vjp,
        inputs=lambda: (np.array([0.5, -1.25, 2.0]), np.array([1.5, 0.75, -1.0])),
        kind="sign",
        sample=lambda draw: (draw.array((3,), Real()), draw.array((3,), Positive())),
    ),
    Case(
        name="keops: atan2 with its terms exchanged",
        framework="KeOps",
        reference="getkeops/keops#155",
        year=2021,
        story="each argument of atan2 gets the derivative of the other one",
        f=np.arctan2,
        wrong=lambda g, y, x: angle_vjp(g, y, x)[::-1],
        right=angle_vjp,
        inputs=lambda: (np.array([0.75, -1.5, 1.0]), np.array([2.0, 0.5, -0.25])),
        kind="chain",
        also=("unknown", "permuted"),
        sample=lambda draw: (draw.array((3,), Real()), draw.array((3,), Positive())),
    ),
    Case(
        name="warp: the sign of a vector",
        framework="Warp",
        reference="NVIDIA/warp#1466",
        year=2026,
        story="the adjoint of sign is that of the absolute value: a gradient where nothing depends on x",
        f=np.sign,
        wrong=lambda g, x: g * np.sign(x),
        right=lambda g, x: np.zeros(x.shape),
        inputs=lambda: (distinct(2, 4),),
        kind="mask",
        sample=lambda draw: (draw.array(draw.shape(), AwayFrom((0.0,))),),
    ),
    Case(
        name="mxnet: where with a scalar",
        framework="MXNet",
        reference="apache/mxnet#17893",
        year=2020,
        story="with a scalar for the other branch the gradient goes to the elements that are not taken",
        f=lambda b: np.where(TAKEN, b, -1.0),
        wrong=lambda g, b: np.where(TAKEN, 0.0, g),
        right=lambda g, b: np.where(TAKEN, g, 0.0),
        inputs=lambda: (values(3, 4),),
        kind="mask",
        also=("permuted", "unknown"),
        sample=lambda draw: (draw.array((4,), Real()),),
    ),
    Case(
        name="mxnet: sequence mask with its filler",
        framework="MXNet",
        reference="apache/mxnet#4986",
        year=2017,
        story="the gradient of the masked steps is the value they were filled with, instead of 0",
        f=lambda x: np.where(INSIDE, x, FILL),
        wrong=lambda g, x: np.where(INSIDE, g, FILL),
        right=lambda g, x: np.where(INSIDE, g, 0.0),
        inputs=lambda: (values(4, 2, 3),),
        kind="constant",
        also=("nonlinear", "mask"),
        sample=lambda draw: (draw.array((2, 3), Real()),),
    ),
]
