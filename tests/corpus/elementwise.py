"""Element by element: removable singularities, branches that are not taken, slopes decided by the wrong sign."""

import math

import numpy as np

from tests.corpus.case import Case, distinct, quiet, values
from tinygrad_cnn.core.domain import AwayFrom, Positive, Real

BASE = np.array([0.0, 2.0, 0.5])
BETA, THRESHOLD = 3.0, 1.0
LOW_SLOPE = -0.25


def sinc_vjp(g, x):
    safe = np.where(x == 0, 1.0, x)
    return g * np.where(x == 0, 0.0, (np.cos(np.pi * safe) - np.sinc(safe)) / safe)


def log_or_zero(x):
    return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(x))


def cut_softplus(x):
    return np.where(BETA * x > THRESHOLD, x, softplus(BETA * x) / BETA)


def cut_softplus_vjp(g, x, decided_by):
    return g * np.where(BETA * decided_by > THRESHOLD, 1.0, sigmoid(BETA * x))


def gelu_tanh(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_tanh_vjp(g, x):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return g * ((1 + t) / 2 + x / 2 * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2))


def gelu_erf_vjp(g, x):
    phi = (1 + np.vectorize(math.erf, otypes=[float])(x / np.sqrt(2))) / 2
    return g * (phi + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi))


def smaller(a, b):
    return np.minimum(a, b)


def smaller_vjp(g, a, b, share):
    of_a = np.where(a == b, share, a < b)
    of_b = np.where(a == b, share, b < a)
    return g * of_a, g * of_b


def clip_vjp(g, x, low, high):
    return g * ((x > low) & (x < high)), np.sum(g * (x <= low)), np.sum(g * (x >= high))


def row_norm(x):
    return np.sqrt(np.sum(x * x, axis=1))


def guarded_norm(x):
    return np.where(row_norm(x) > 0.5, row_norm(x), 1.0)


@quiet
def guarded_norm_vjp(g, x):
    through = np.where(row_norm(x) > 0.5, g, 0.0)
    return through[:, None] * x / row_norm(x)[:, None]  # 0 · 0/0 in a row of zeros


def guarded_norm_vjp_safe(g, x):
    taken = row_norm(x) > 0.5
    return np.where(taken, g, 0.0)[:, None] * x / np.where(taken, row_norm(x), 1.0)[:, None]


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))


def prelu(x, w):
    return np.where(x > 0, x, w * x)


def prelu_by_output(g, x, w):
    return g * np.where(prelu(x, w) > 0, 1.0, w), np.sum(g * np.where(x > 0, 0.0, x))


def prelu_vjp(g, x, w):
    return g * np.where(x > 0, 1.0, w), np.sum(g * np.where(x > 0, 0.0, x))


def channel_prelu(x, w):
    return prelu(x, w[None, :, None])


def channel_prelu_vjp(g, x, w, axis):
    others = tuple(a for a in range(3) if a != axis)
    along = np.expand_dims(w, others)
    return g * np.where(x > 0, 1.0, along), np.sum(g * np.where(x > 0, 0.0, x), axis=others)


CASES = [
    Case(
        name="pytorch: sinc at zero",
        framework="PyTorch",
        reference="pytorch/pytorch#53989",
        year=2021,
        story="the derivative (πx cos πx - sin πx) / πx² is 0/0 at 0, where sinc is smooth",
        f=np.sinc,
        wrong=quiet(lambda g, x: g * (np.pi * x * np.cos(np.pi * x) - np.sin(np.pi * x)) / (np.pi * x * x)),
        right=sinc_vjp,
        inputs=lambda: (np.array([0.0, 0.5, -1.3]),),
        kind="nan",
        at="one element is 0",
        sample=lambda draw: (draw.array((draw.integer(1, 4),), AwayFrom((0.0,))),),
    ),
    Case(
        name="pytorch: exponent of a zero base",
        framework="PyTorch",
        reference="pytorch/pytorch#27134",
        year=2019,
        story="d/db aᵇ = aᵇ log a is 0 · -inf for a = 0, where aᵇ does not change with b",
        f=lambda b: BASE**b,
        wrong=quiet(lambda g, b: g * BASE**b * np.log(BASE)),
        right=lambda g, b: g * BASE**b * log_or_zero(BASE),
        inputs=lambda: (np.array([1.0, 1.0, 2.5]),),
        kind="nan",
        at="one base is 0",
        sample=lambda draw: (draw.array((3,), Positive()),),
    ),
    Case(
        name="mlx: power of zero",
        framework="MLX",
        reference="ml-explore/mlx#505",
        year=2024,
        story="the gradient of a power takes the result over the base: 0/0 for a base of 0",
        f=lambda x: x**3,
        wrong=quiet(lambda g, x: g * 3 * x**3 / x),
        right=lambda g, x: g * 3 * x**2,
        inputs=lambda: (np.array([0.0, 1.5, -2.0]),),
        kind="nan",
        at="one base is 0",
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="jax: remainder of mixed signs",
        framework="JAX",
        reference="jax-ml/jax#11469",
        year=2022,
        story="the remainder truncates its quotient, the derivative for the divisor floors it: wrong for mixed signs",
        f=np.fmod,
        wrong=lambda g, x, y: (g, -g * np.floor(x / y)),
        right=lambda g, x, y: (g, -g * np.trunc(x / y)),
        inputs=lambda: (np.array([5.3, -5.3, 5.3, -5.3, 2.6]), np.array([2.0, 2.0, -2.0, -2.0, -0.7])),
        kind="unknown",
        also=("constant",),
    ),
    Case(
        name="nanonn: softplus from its output",
        framework="nanonn",
        reference="zserge/nanonn#4",
        year=2021,
        story="the layer keeps only its output y, and takes the derivative σ there, instead of 1 - exp(-y)",
        f=softplus,
        wrong=lambda g, x: g * sigmoid(softplus(x)),
        right=lambda g, x: g * (1 - np.exp(-softplus(x))),
        inputs=lambda: (values(0, 5),),
        kind="unknown",
        also=("chain",),
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="pytorch: softplus with a threshold",
        framework="PyTorch",
        reference="pytorch/pytorch#61568",
        year=2021,
        story="backward compares the output with the threshold, forward the input: near it the factor σ(βx) is lost",
        f=cut_softplus,
        wrong=lambda g, x: cut_softplus_vjp(g, x, decided_by=cut_softplus(x)),
        right=lambda g, x: cut_softplus_vjp(g, x, decided_by=x),
        inputs=lambda: (np.array([0.2736, -1.0, 0.2, 0.9]),),
        kind="chain",
        sample=lambda draw: (draw.array(draw.shape(), AwayFrom((THRESHOLD / BETA,))),),
    ),
    Case(
        name="pytorch: gelu's approximation",
        framework="PyTorch",
        reference="kulinseth/pytorch#284",
        year=2023,
        story="on Apple's GPUs backward knew the exact gelu only, also where forward takes the approximation by tanh",
        f=gelu_tanh,
        wrong=gelu_erf_vjp,
        right=gelu_tanh_vjp,
        inputs=lambda: (np.array([-2.25, -0.5, 0.75, 2.0]),),
        kind="unknown",
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="theano: minimum of equal arguments",
        framework="Theano",
        reference="Theano/Theano#6470",
        year=2017,
        story="where both arguments are equal, each gets the whole gradient: along a = b twice the slope",
        f=smaller,
        wrong=lambda g, a, b: smaller_vjp(g, a, b, share=1.0),
        right=lambda g, a, b: smaller_vjp(g, a, b, share=0.5),
        inputs=lambda: (np.array([1.0, -0.5, 2.0]), np.array([1.0, 1.5, 0.25])),
        kind="kink convention",
        at="the first elements are equal; right: half for each, as in PyTorch",
        kink=True,
    ),
    Case(
        name="theano: bounds of clip",
        framework="Theano",
        reference="Theano/Theano#1010",
        year=2012,
        story="clip's gradient took the output for constant in the bounds, which get the gradient of what they cut",
        f=np.clip,
        wrong=lambda g, x, low, high: (clip_vjp(g, x, low, high)[0], np.zeros(()), np.zeros(())),
        right=clip_vjp,
        inputs=lambda: (np.array([-2.0, -0.4, 0.3, 1.7, 2.5]), np.array(-1.0), np.array(1.0)),
        kind="dropped",
        sample=lambda draw: (draw.array((draw.integer(1, 5),), AwayFrom((-1.0, 1.0))), np.array(-1.0), np.array(1.0)),
    ),
    Case(
        name="tensorflow: select next to an overflow",
        framework="TensorFlow",
        reference="tensorflow/tensorflow#2540",
        year=2016,
        story="the branch that is not selected gets the gradient 0, which its infinite derivative turns into nan",
        f=lambda x: np.where(x > 0, 0.0, np.exp(np.minimum(x, 0.0))),
        wrong=quiet(lambda g, x: np.where(x > 0, 0.0, g) * np.exp(x)),
        right=lambda g, x: np.where(x > 0, 0.0, g) * np.exp(np.minimum(x, 0.0)),
        inputs=lambda: (np.array([1000.0, -1.5, -0.25]),),
        kind="nan",
        sample=lambda draw: (draw.array(draw.shape(), AwayFrom((0.0,))),),
    ),
    Case(
        name="jax: where after a square root",
        framework="JAX",
        reference="jax-ml/jax#347",
        year=2019,
        story="a norm of 0 in the dead branch of `where` makes the gradient nan: 0 · inf",
        f=guarded_norm,
        wrong=guarded_norm_vjp,
        right=guarded_norm_vjp_safe,
        inputs=lambda: (np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]),),
        kind="nan",
    ),
    Case(
        name="jax: elu of large numbers",
        framework="JAX",
        reference="jax-ml/jax#1538",
        year=2019,
        story="exp(x) of the branch for negative numbers overflows for large positive ones, and inf · 0 is nan",
        f=elu,
        wrong=quiet(lambda g, x: np.where(x > 0, g, 0.0) + np.where(x > 0, 0.0, g) * np.exp(x)),
        right=lambda g, x: g * np.where(x > 0, 1.0, np.exp(np.minimum(x, 0.0))),
        inputs=lambda: (np.array([800.0, 1.5, -0.75]),),
        kind="nan",
        sample=lambda draw: (draw.array(draw.shape(), AwayFrom((0.0,))),),
    ),
    Case(
        name="tt-metal: atanh without a gradient from above",
        framework="tt-metal",
        reference="tenstorrent/tt-metal#55290",
        year=2026,
        story="atanh's backward returns nan wherever the incoming gradient is exactly 0",
        f=np.arctanh,
        wrong=lambda g, x: np.where(g == 0, np.nan, g / (1 - x * x)),
        right=lambda g, x: g / (1 - x * x),
        inputs=lambda: (np.array([0.5, -0.25, 0.125]),),
        kind="nan",
        also=("nonlinear",),
        at="the cotangent has a 0",
        sample=lambda draw: (draw.array(draw.shape(), Real(-0.75, 0.75)),),
    ),
    Case(
        name="chainer: leaky relu of slope zero",
        framework="Chainer",
        reference="chainer/chainer#5898",
        year=2018,
        story="backward looks at the sign of the output, which for slope 0 is never negative: everything passes",
        f=lambda x: np.where(x >= 0, x, 0.0 * x),
        wrong=lambda g, x: g * np.where(np.where(x >= 0, x, 0.0 * x) >= 0, 1.0, 0.0),
        right=lambda g, x: g * (x >= 0),
        inputs=lambda: (np.array([-3.0, -1.0, 0.5, 2.0]),),
        kind="mask",
        sample=lambda draw: (draw.array(draw.shape(), AwayFrom((0.0,))),),
    ),
    Case(
        name="mxnet: prelu with a negative slope",
        framework="MXNet",
        reference="apache/mxnet#3277",
        year=2016,
        story="backward looks at the sign of the output; with a slope below 0 negative inputs lose their factor",
        f=prelu,
        wrong=prelu_by_output,
        right=prelu_vjp,
        inputs=lambda: (np.array([-2.0, -0.5, 1.0, 1.5]), np.array(LOW_SLOPE)),
        kind="chain",
        also=("factor",),
        sample=lambda draw: (draw.array((draw.integer(1, 5),), AwayFrom((0.0,))), np.array(LOW_SLOPE)),
    ),
    Case(
        name="flaggems: prelu's weight along the last axis",
        framework="FlagGems",
        reference="flagos-ai/FlagGems#4992",
        year=2026,
        story="the weight belongs to the channels, backward lays it along the last axis: seen only if the sizes differ",
        f=channel_prelu,
        wrong=lambda g, x, w: channel_prelu_vjp(g, x, w, axis=2),
        right=lambda g, x, w: channel_prelu_vjp(g, x, w, axis=1),
        inputs=lambda: (distinct(7, 2, 3, 3), np.array([0.1, 0.5, -0.3])),
        kind="axis",
        sample=lambda draw: (
            draw.array((draw.integer(1, 3), 2, draw.integer(1, 3)), AwayFrom((0.0,))),
            draw.array((2,), Real()),
        ),
    ),
]
