"""Normalisation and dropout: statistics that depend on the input or do not, and masks."""

import numpy as np

from tests.corpus.case import Case, complex_step, quiet, values
from tinygrad_cnn.core.domain import Distinct, Real

EPS = 1e-2
SMALL = 1e-3
MEAN, DEVIATION = 0.3, 1.7
KEEP = 0.8
MASK = np.array([True, False, True, True, False])
COTANGENT = values(90, 4, 2)
DIRECTION = values(91, 4, 2)


def statistics(x, axis):
    mean = x.mean(axis=axis, keepdims=True)
    return mean, 1 / np.sqrt(((x - mean) ** 2).mean(axis=axis, keepdims=True) + EPS)


def norm_backward(g, x, mean, inverse, axis):
    """The gradient of (x - mean) · inverse, with what flows through both statistics."""
    y = (x - mean) * inverse
    return inverse * (g - g.mean(axis=axis, keepdims=True) - y * (g * y).mean(axis=axis, keepdims=True))


def norm_double_backward(g, v, x, mean, inverse, axis):
    """The gradient for x of ⟨v, norm_backward(g, x)⟩, in which mean and inverse depend on x."""
    y = (x - mean) * inverse

    def average(a):
        return a.mean(axis=axis, keepdims=True)

    inner = (
        average(g * y) * (v - average(v))
        + average(v * y) * (g - average(g))
        + y * (average(v * g) - average(v) * average(g) - 3 * average(g * y) * average(v * y))
    )
    return -inverse * inverse * inner


def grouped(x, groups):
    return x.reshape(len(x), groups, -1)


def group_norm(x):
    parts = grouped(x, 2)
    mean, inverse = statistics(parts, 2)
    return ((parts - mean) * inverse).reshape(x.shape)


def group_norm_vjp(g, x, groups):
    mean, inverse = statistics(grouped(x, 2), 2)
    width = x.shape[1] // 2
    mean, inverse = (np.repeat(s[:, :, 0], width, axis=1).reshape(len(x), groups, -1) for s in (mean, inverse))
    return norm_backward(grouped(g, groups), grouped(x, groups), mean, inverse, 2).reshape(x.shape)


def unit(x, eps):
    """x / (|x| + eps), row by row."""
    return x / (length(x) + eps)


def length(x):
    return np.sqrt(np.sum(x * x, axis=1, keepdims=True))


def unit_vjp(g, x, eps, inner):
    """`inner` is |x|, the derivative's denominator, which one bug takes for |x| + eps."""
    outer = length(x) + eps
    along = np.sum(g * x, axis=1, keepdims=True)
    return g / outer - x * along / (inner * outer**2)


def normalised(x):
    mean = x.mean(axis=0)
    return (x - mean) / np.sqrt(x.var(axis=0) + SMALL)


def normalised_vjp(g, x, eps):
    return norm_backward(g, x, x.mean(axis=0), 1 / np.sqrt(x.var(axis=0) + eps), 0)


def dropout(x):
    return np.where(MASK, x / KEEP, 0.0)


def dropout_by_values(g, x):
    zero = x == 0
    return np.where(zero, g, dropout(x) / np.where(zero, 1.0, x) * g)


def layer_backward(x):
    """What layer norm's backward pass returns for one cotangent: a function of x that a second pass differentiates."""
    return norm_backward(COTANGENT, x, *statistics(x, 1), 1)


def batch_double_backward(x):
    """What batch norm's second backward pass returns: a function of x that a third pass differentiates."""
    return norm_double_backward(COTANGENT, DIRECTION, x, *statistics(x, 0), 0)


def frozen_layer_vjp(g, x):
    fixed = statistics(x, 1)
    return complex_step(lambda moved: norm_backward(COTANGENT, moved, *fixed, 1), g, x)[0]


def frozen_batch_vjp(g, x):
    fixed = statistics(x, 0)
    return complex_step(lambda moved: norm_double_backward(COTANGENT, DIRECTION, moved, *fixed, 0), g, x)[0]


def scaled_batch_norm(x, scale):
    mean, inverse = statistics(x, 0)
    return (x - mean) * inverse * scale


def scaled_batch_norm_vjp(g, x, scale, scaled):
    mean, inverse = statistics(x, 0)
    d = norm_backward(g * scale if scaled else g, x, mean, inverse, 0)
    return d, np.sum(g * (x - mean) * inverse, axis=0)


def rms(x):
    return np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS)


def rms_norm(x):
    return x / rms(x)


def rms_norm_vjp(g, x):
    return g / rms(x) - x * np.mean(g * x, axis=-1, keepdims=True) / rms(x) ** 3


def residual_and_norm(x):
    """What a block before its norm hands on: the residual stream, and its norm."""
    return np.stack([x, rms_norm(x)])


def scaled_rms_norm(x, gain):
    return rms_norm(x) * gain


CASES = [
    Case(
        name="matconvnet: batch norm with given moments",
        framework="MatConvNet",
        reference="vlfeat/matconvnet#1174",
        year=2018,
        story="with moments from outside the layer is affine, but backward still sends gradients through them",
        f=lambda x: (x - MEAN) / DEVIATION,
        wrong=lambda g, x: norm_backward(g, x, MEAN, 1 / DEVIATION, 0),
        right=lambda g, x: g / DEVIATION,
        inputs=lambda: (values(0, 4, 3),),
        kind="unknown",
        sample=lambda draw: (draw.array((draw.integer(1, 4), draw.integer(1, 3)), Real()),),
    ),
    Case(
        name="mamba: group norm over all channels",
        framework="mamba",
        reference="state-spaces/mamba#547",
        year=2024,
        story="with several groups, backward takes its averages over all channels instead of those of a group",
        f=group_norm,
        wrong=lambda g, x: group_norm_vjp(g, x, groups=1),
        right=lambda g, x: group_norm_vjp(g, x, groups=2),
        inputs=lambda: (values(1, 2, 6),),
        kind="axis",
        sample=lambda draw: (draw.array((draw.integer(1, 3), 2 * draw.integer(2, 3)), Distinct()),),
    ),
    Case(
        name="pytorch: bias of layer norm, second order",
        framework="PyTorch",
        reference="pytorch/pytorch#79705",
        year=2022,
        story="without a weight, the double backward leaves out that the bias's gradient depends on the cotangent",
        f=lambda x, g: g.sum(axis=0) + 0 * x.sum(axis=0),
        wrong=lambda v, x, g: (np.zeros(x.shape), np.zeros(g.shape)),
        right=lambda v, x, g: (np.zeros(x.shape), np.broadcast_to(v, g.shape)),
        inputs=lambda: (values(2, 3, 2), values(3, 3, 2)),
        kind="dropped",
    ),
    Case(
        name="pytorch: layer norm, second order",
        framework="PyTorch",
        reference="pytorch/pytorch#50467",
        year=2021,
        story="backward takes saved mean and deviation; differentiated again, it treats both as constants",
        f=layer_backward,
        wrong=frozen_layer_vjp,
        right=lambda g, x: norm_double_backward(COTANGENT, g, x, *statistics(x, 1), 1),
        inputs=lambda: (values(4, 4, 2),),
        kind="dropped",
    ),
    Case(
        name="pytorch: batch norm, third order",
        framework="PyTorch",
        reference="pytorch/pytorch#186256",
        year=2026,
        story="the double backward is right, but takes saved statistics: the third order treats them as constants",
        f=batch_double_backward,
        wrong=frozen_batch_vjp,
        right=lambda g, x: complex_step(batch_double_backward, g, x)[0],
        inputs=lambda: (values(5, 4, 2),),
        kind="dropped",
    ),
    Case(
        name="chainer: l2 normalisation and its eps",
        framework="Chainer",
        reference="chainer/chainer#4190",
        year=2018,
        story="x / (|x| + eps): the second term of the gradient divides by |x| + eps where |x| belongs",
        f=lambda x: unit(x, SMALL),
        wrong=lambda g, x: unit_vjp(g, x, SMALL, inner=length(x) + SMALL),
        right=lambda g, x: unit_vjp(g, x, SMALL, inner=length(x)),
        inputs=lambda: (values(7, 2, 3),),
        kind="unknown",
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 3)), Distinct()),),
    ),
    Case(
        name="chainer: l2 normalisation of zero",
        framework="Chainer",
        reference="chainer/chainer#4765",
        year=2018,
        story="x / (|x| + eps) has the derivative 1/eps at the zero vector, where the formula gives 0/0",
        f=lambda x: unit(x, 0.5),
        wrong=quiet(lambda g, x: unit_vjp(g, x, 0.5, inner=length(x))),
        right=lambda g, x: unit_vjp(g, x, 0.5, inner=np.where(length(x) > 0, length(x), 1.0)),
        inputs=lambda: (np.array([[0.0, 0.0, 0.0], [0.75, -1.0, 0.5]]),),
        kind="nan",
        at="one row is the zero vector, where f is differentiable once but not twice",
    ),
    Case(
        name="chainer: batch renormalisation without its eps",
        framework="Chainer",
        reference="chainer/chainer#4191",
        year=2018,
        story="one line of backward takes the variance without the eps of the forward pass",
        f=normalised,
        wrong=lambda g, x: normalised_vjp(g, x, 0.0),
        right=lambda g, x: normalised_vjp(g, x, SMALL),
        inputs=lambda: (values(8, 4, 2),),
        kind="unknown",
        also=("factor",),
        sample=lambda draw: (draw.array((draw.integer(2, 4), draw.integer(1, 3)), Distinct()),),
    ),
    Case(
        name="kaldi: dropout of a zero",
        framework="Kaldi",
        reference="kaldi-asr/kaldi#3890",
        year=2020,
        story="the mask is guessed from output over input: an input of exactly 0 passes its gradient, dropped or not",
        f=dropout,
        wrong=dropout_by_values,
        right=lambda g, x: np.where(MASK, g / KEEP, 0.0),
        inputs=lambda: (np.array([1.5, 0.0, -0.5, 0.75, 2.0]),),
        kind="mask",
        at="a dropped element is exactly 0",
        sample=lambda draw: (draw.array((5,), Real()),),
    ),
    Case(
        name="numpy-ml: dropout without its mask",
        framework="numpy-ml",
        reference="ddbourgin/numpy-ml#94",
        year=2024,
        story="backward rescales the gradient but does not apply the mask of the forward pass",
        f=dropout,
        wrong=lambda g, x: g / KEEP,
        right=lambda g, x: np.where(MASK, g / KEEP, 0.0),
        inputs=lambda: (values(6, 5),),
        kind="mask",
        sample=lambda draw: (draw.array((5,), Real()),),
    ),
    Case(
        name="knet: batch norm without its scale",
        framework="Knet",
        reference="denizyuret/Knet.jl#288",
        year=2018,
        story="backward scales the gradient, but goes on with the one that it has not scaled",
        f=scaled_batch_norm,
        wrong=lambda g, x, scale: scaled_batch_norm_vjp(g, x, scale, scaled=False),
        right=lambda g, x, scale: scaled_batch_norm_vjp(g, x, scale, scaled=True),
        inputs=lambda: (values(9, 4, 2), np.array([0.75, -2.0])),
        kind="chain",
        also=("factor",),
        sample=lambda draw: (draw.array((draw.integer(2, 4), 2), Distinct()), draw.array((2,), Real())),
    ),
    Case(
        name="quack: the residual through the norm",
        framework="QuACK",
        reference="Dao-AILab/quack#53",
        year=2025,
        story="the gradient of the residual stream is added before the norm's backward instead of after it",
        f=residual_and_norm,
        wrong=lambda g, x: rms_norm_vjp(g[0] + g[1], x),
        right=lambda g, x: g[0] + rms_norm_vjp(g[1], x),
        inputs=lambda: (values(10, 4),),
        kind="unknown",
        also=("chain",),
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Real()),),
    ),
    Case(
        name="trueno: a gain that is never written",
        framework="trueno",
        reference="paiml/trueno#178",
        year=2026,
        story="the kernel takes a pointer for the gradient of the gain, and never writes to it",
        f=scaled_rms_norm,
        wrong=lambda g, x, gain: (rms_norm_vjp(g * gain, x), np.zeros(gain.shape)),
        right=lambda g, x, gain: (rms_norm_vjp(g * gain, x), np.sum(g * rms_norm(x), axis=0)),
        inputs=lambda: (values(11, 2, 3), values(12, 3)),
        kind="dropped",
        sample=lambda draw: (draw.array((draw.integer(1, 3), 3), Real()), draw.array((3,), Real())),
    ),
]
