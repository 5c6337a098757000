"""Reductions: ties, zeros in a product, norms and deviations of nothing, masks, axes."""

import numpy as np

from tests.corpus.case import Case, distinct, quiet, values
from tinygrad_cnn.core.domain import Distinct, Positive, Real

MASK = np.array([True, False, True])


def first_maximum(g, x):
    d = np.zeros(x.shape)
    d[np.arange(len(x)), x.argmax(axis=1)] = g
    return d


def product_of_others(g, x):
    return g * np.array([np.prod(np.delete(x, k)) for k in range(len(x))])


def cumprod_vjp(g, x):
    """dy_j / dx_i = the product of x_0 … x_j without x_i, for i <= j."""
    d = np.zeros(len(x))
    for i in range(len(x)):
        without = np.where(np.arange(len(x)) == i, 1.0, x)
        d[i] = np.sum((g * np.cumprod(without))[i:])
    return d


def std(x):
    return x.std(axis=0)


@quiet
def std_vjp(g, x):
    return g * (x - x.mean(axis=0)) / (len(x) * std(x))


def std_vjp_safe(g, x):
    s = std(x)
    return np.where(s > 0, g * (x - x.mean(axis=0)) / (len(x) * np.where(s > 0, s, 1.0)), 0.0)


def norm(x):
    return np.sqrt(np.sum(x * x))


def masked_logsumexp(x):
    return np.log(np.sum(np.exp(x[MASK] - x[MASK].max()))) + x[MASK].max()


@quiet
def masked_logsumexp_vjp(g, x):
    weights = np.exp(x - x[MASK].max()) * MASK  # inf · 0 where the mask is False
    return g * weights / weights.sum()


def masked_logsumexp_vjp_safe(g, x):
    weights = np.exp(np.where(MASK, x - x[MASK].max(), -np.inf))
    return g * weights / weights.sum()


def trace_vjp_overrun(g, x):
    d = np.zeros(x.size)
    d[:: x.shape[1] + 1] = g
    return d.reshape(x.shape)


def largest(x):
    return np.max(np.abs(x))


def norm_vjp(g, x, p):
    """The rule for the p-norm, which for p = ∞ is 0 · ∞."""
    return g * largest(x) ** (1 - p) * np.abs(x) ** p / x


def largest_vjp(g, x):
    return g * np.sign(x) * (np.abs(x) == largest(x))


def row_maxima(x):
    return x.max(axis=1)


def row_maxima_vjp(g, x):
    return g[:, None] * (x == x.max(axis=1, keepdims=True))


CASES = [
    Case(
        name="theano: tied maxima of a reduction",
        framework="Theano",
        reference="Theano/Theano#4568",
        year=2016,
        story="max gives the whole gradient to each tied maximum: (1, 1), which is not in the subdifferential",
        f=lambda x: x.max(axis=1),
        wrong=lambda g, x: g[:, None] * (x == x.max(axis=1, keepdims=True)),
        right=first_maximum,
        inputs=lambda: (np.array([[1.0, 1.0, -2.0], [0.5, 3.0, -1.0]]),),
        kind="kink convention",
        at="the first row holds its maximum twice; right: the first one wins, as PyTorch's max over an axis",
        kink=True,
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 4)), Distinct()),),
    ),
    Case(
        name="tensorflow: product with a zero",
        framework="TensorFlow",
        reference="tensorflow/tensorflow#2641",
        year=2016,
        story="the gradient of a product divides the product by each factor: 0/0 where a factor is 0",
        f=lambda x: np.prod(x),
        wrong=quiet(lambda g, x: g * np.prod(x) / x),
        right=product_of_others,
        inputs=lambda: (np.array([0.0, 2.0, -1.5]),),
        kind="nan",
        at="one factor is 0",
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Real()),),
    ),
    Case(
        name="mxnet: product along an axis with a zero",
        framework="MXNet",
        reference="apache/mxnet#17864",
        year=2020,
        story="the gradient of prod along an axis is the product over the element: nan where the element is 0",
        f=lambda x: np.prod(x, axis=1),
        wrong=quiet(lambda g, x: (g * np.prod(x, axis=1))[:, None] / x),
        right=lambda g, x: np.stack([product_of_others(one, row) for one, row in zip(g, x, strict=True)]),
        inputs=lambda: (np.array([[4.0, 0.0], [1.5, -2.0]]),),
        kind="nan",
        at="one element is 0",
    ),
    Case(
        name="pytensor: cumulative product with a zero",
        framework="PyTensor",
        reference="pymc-devs/pytensor#1911",
        year=2026,
        story="cumprod's gradient sums g·y from the end and divides by x: nan from the first zero on",
        f=np.cumprod,
        wrong=quiet(lambda g, x: np.cumsum((g * np.cumprod(x))[::-1])[::-1] / x),
        right=cumprod_vjp,
        inputs=lambda: (np.array([1.5, 0.0, -2.0, 0.5]),),
        kind="nan",
        at="one element is 0",
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Real()),),
    ),
    Case(
        name="tensorflow: deviation of one element",
        framework="TensorFlow",
        reference="tensorflow/tensorflow#56830",
        year=2022,
        story="the standard deviation of one element is always 0, its gradient too, but (x - mean)/std gives 0/0",
        f=std,
        wrong=std_vjp,
        right=std_vjp_safe,
        inputs=lambda: (np.array([-0.83]),),
        kind="nan",
    ),
    Case(
        name="pytorch: deviation of equal elements",
        framework="PyTorch",
        reference="pytorch/pytorch#4320",
        year=2017,
        story="the gradient of std is nan where all elements are equal, instead of the subgradient 0",
        f=std,
        wrong=std_vjp,
        right=std_vjp_safe,
        inputs=lambda: (np.array([[1.0, 0.3], [1.0, -0.6], [1.0, 1.2]]),),
        kind="nan",
        also=("kink convention",),
        at="the first column is constant, a kink like |x| at 0; right: 0, which lies in the subdifferential",
        kink=True,
        sample=lambda draw: (draw.array((draw.integer(2, 4), draw.integer(1, 2)), Distinct()),),
    ),
    Case(
        name="autograd: norm at zero",
        framework="HIPS autograd",
        reference="HIPS/autograd#151",
        year=2016,
        story="the gradient of the norm is x / norm(x): nan for the zero vector",
        f=norm,
        wrong=quiet(lambda g, x: g * x / norm(x)),
        right=lambda g, x: g * x / norm(x) if np.any(x) else np.zeros(x.shape),
        inputs=lambda: (np.zeros(3),),
        kind="nan",
        also=("kink convention",),
        at="the zero vector, where the norm has its kink; right: 0, the subgradient of least norm",
        kink=True,
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Positive()),),
    ),
    Case(
        name="shumai: mean over an axis",
        framework="shumai",
        reference="facebookresearch/shumai#74",
        year=2022,
        story="the gradient of a mean takes what comes in for a scalar and tiles it by the shape of the input",
        f=lambda x: x.mean(axis=0, keepdims=True),
        wrong=lambda g, x: np.tile(g, x.shape) / len(x),
        right=lambda g, x: np.broadcast_to(g / len(x), x.shape),
        inputs=lambda: (values(3, 2, 3),),
        kind="shape",
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 3)), Real()),),
    ),
    Case(
        name="pytorch: trace of a tall matrix",
        framework="PyTorch",
        reference="pytorch/pytorch#171704",
        year=2026,
        story="the diagonal is stepped along to the end of the array: a tall matrix gets gradients off its diagonal",
        f=lambda x: np.trace(x),
        wrong=trace_vjp_overrun,
        right=lambda g, x: g * np.eye(*x.shape),
        inputs=lambda: (values(4, 4, 2),),
        kind="mask",
        also=("window", "permuted"),
        sample=lambda draw: (draw.array((draw.integer(1, 4), draw.integer(1, 4)), Real()),),
    ),
    Case(
        name="jax: logsumexp under a mask",
        framework="JAX",
        reference="jax-ml/jax#23842",
        year=2024,
        story="an element that the mask leaves out, if large, overflows in the backward pass: inf · 0",
        f=masked_logsumexp,
        wrong=masked_logsumexp_vjp,
        right=masked_logsumexp_vjp_safe,
        inputs=lambda: (np.array([0.0, 1000.0, -1.0]),),
        kind="nan",
        sample=lambda draw: (draw.array((3,), Real()),),
    ),
    Case(
        name="caffe: subtraction of the mean",
        framework="Caffe",
        reference="BVLC/caffe#2964",
        year=2015,
        story="without the division by the deviation, MVNLayer's gradient left out what flows through the mean",
        f=lambda x: x - x.mean(axis=1, keepdims=True),
        wrong=lambda g, x: g.copy(),
        right=lambda g, x: g - g.mean(axis=1, keepdims=True),
        inputs=lambda: (distinct(5, 2, 4),),
        kind="dropped",
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 4)), Real()),),
    ),
    Case(
        name="chainrules: the norm of infinite order",
        framework="ChainRules.jl",
        reference="JuliaDiff/ChainRules.jl#204",
        year=2020,
        story="the rule of the p-norm is taken at p = ∞: y^(1-p) |x|^p / x is 0 · ∞",
        f=largest,
        wrong=quiet(lambda g, x: norm_vjp(g, x, np.inf)),
        right=largest_vjp,
        inputs=lambda: (np.array([1.0, 2.0, -3.0]),),
        kind="nan",
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Distinct()),),
    ),
    Case(
        name="tfjs: maximum over an axis",
        framework="TensorFlow.js",
        reference="tensorflow/tfjs#4135",
        year=2020,
        story="the gradient of a maximum over another axis than the last comes out transposed",
        f=row_maxima,
        wrong=lambda g, x: np.moveaxis(row_maxima_vjp(g, x), 0, -1),
        right=row_maxima_vjp,
        inputs=lambda: (distinct(20, 2, 3),),
        kind="shape",
        also=("transposed",),
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 3)), Distinct()),),
    ),
]
