"""Convolution and resizing: factors, stale indices, stride and dilation, padding, windows too short."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import Real

WIDE = 10


def conv2d(x, w):
    return np.einsum("hwkl,kl->hw", sliding_window_view(x, w.shape), w)


def conv2d_vjp(g, x, w):
    gw = np.einsum("hwkl,kl->hw", sliding_window_view(x, g.shape), g)
    gx = np.zeros(x.shape)
    for k, m in np.ndindex(w.shape):
        gx[k : k + g.shape[0], m : m + g.shape[1]] += w[k, m] * g
    return gx, gw


def conv1d(x, w, dilation=1):
    size = len(x) - dilation * (len(w) - 1)
    return sum(w[k] * x[k * dilation : k * dilation + size] for k in range(len(w)))


def conv1d_vjp(g, x, w, dilation=1):
    gx = np.zeros(len(x))
    gw = np.zeros(len(w))
    for k in range(len(w)):
        part = slice(k * dilation, k * dilation + len(g))
        gx[part] += w[k] * g
        gw[k] = x[part] @ g
    return gx, gw


def stale_index(g, x, w):
    gx = np.zeros(len(x))
    for d in range(len(x)):
        taps = [k for k in range(len(w)) if 0 <= d - k < len(g)]
        m = d - taps[-1]  # the position in the output, used below in place of d
        gx[m] = sum(w[k] * g[d - k] for k in taps)
    return gx, conv1d_vjp(g, x, w)[1]


def spread_out(x, w, stride, extra=0):
    """The transposed convolution: each x times the kernel, `stride` apart, and `extra` zeros at the end."""
    y = np.zeros(stride * (len(x) - 1) + len(w) + extra)
    for i in range(len(x)):
        y[i * stride : i * stride + len(w)] += x[i] * w
    return y


def gathered(g, x, w, stride):
    return np.array([w @ g[i * stride : i * stride + len(w)] for i in range(len(x))])


def kernel_gradient(g, x, stride, dilation):
    """The convolution of g with x that gives the kernel's gradient: rightly stride 1, dilation = the stride."""
    size = (len(g) - dilation * (len(x) - 1) - 1) // stride + 1
    return np.array([sum(x[i] * g[k * stride + i * dilation] for i in range(len(x))) for k in range(size)])


def inverse_conv(g, w):
    return np.array([w @ g[i : i + len(w)] for i in range(len(g) - len(w) + 1)])


def resize_weights(n):
    """The matrix of linear interpolation from n to WIDE with the corners aligned."""
    at = np.arange(WIDE) * (n - 1) / (WIDE - 1)
    return np.maximum(0.0, 1 - np.abs(at[:, None] - np.arange(n)))


def resize(x):
    return resize_weights(len(x)) @ x


def resize_vjp_in_window(g, x):
    """Looks at outputs no further than WIDE / n from the centre, where (WIDE - 1) / (n - 1) are needed."""
    n = len(x)
    centre = np.arange(n) * (WIDE - 1) / (n - 1)
    near = np.abs(np.arange(WIDE)[:, None] - centre) <= WIDE / n
    return (resize_weights(n) * near).T @ g


def grouped_conv(x, w):
    """(4, L) and a kernel (4, 2, K) of two groups: outputs 0 and 1 see channels 0 and 1, the others 2 and 3."""
    return np.stack([conv1d(x[2 * (o // 2)], w[o, 0]) + conv1d(x[2 * (o // 2) + 1], w[o, 1]) for o in range(4)])


def grouped_conv_vjp(g, x, w, channel):
    """`channel` says which one the kernel (o, i) is laid over."""
    gx, gw = np.zeros(x.shape), np.zeros(w.shape)
    for o, i in np.ndindex(4, 2):
        gx[2 * (o // 2) + i] += conv1d_vjp(g[o], x[2 * (o // 2) + i], w[o, i])[0]
        gw[o, i] = conv1d_vjp(g[o], x[channel(o, i)], w[o, i])[1]
    return gx, gw


CASES = [
    Case(
        name="ctensor: weight of a convolution, averaged",
        framework="cTensor",
        reference="sebgao/cTensor#3",
        year=2019,
        story="the weight's gradient is divided by the number of positions, as if it were a mean",
        f=conv2d,
        wrong=lambda g, x, w: (conv2d_vjp(g, x, w)[0], conv2d_vjp(g, x, w)[1] / g.size),
        right=conv2d_vjp,
        inputs=lambda: (values(0, 4, 5), values(1, 2, 3)),
        kind="factor",
        sample=lambda draw: (
            draw.array((draw.integer(2, 4), draw.integer(2, 4)), Real()),
            draw.array((draw.integer(1, 2), draw.integer(1, 2)), Real()),
        ),
    ),
    Case(
        name="neon: convolution with a stale index",
        framework="neon",
        reference="NervanaSystems/neon#111",
        year=2015,
        story="the input's gradient is stored at the position in the output (`m`), not in the input (`d`)",
        f=conv1d,
        wrong=stale_index,
        right=conv1d_vjp,
        inputs=lambda: (values(2, 6), values(3, 3)),
        kind="overwritten",
        also=("window", "permuted"),
        sample=lambda draw: (draw.array((draw.integer(3, 6),), Real()), draw.array((draw.integer(1, 3),), Real())),
    ),
    Case(
        name="theano: input of a dilated convolution",
        framework="Theano",
        reference="Theano/Theano#4729",
        year=2016,
        story="the gradient for the input forgets the dilation, and so has the wrong shape",
        f=lambda x, w: conv1d(x, w, dilation=2),
        wrong=lambda g, x, w: (np.convolve(g, w), conv1d_vjp(g, x, w, dilation=2)[1]),
        right=lambda g, x, w: conv1d_vjp(g, x, w, dilation=2),
        inputs=lambda: (values(4, 7), values(5, 3)),
        kind="shape",
        sample=lambda draw: (draw.array((draw.integer(5, 8),), Real()), draw.array((draw.integer(1, 3),), Real())),
    ),
    Case(
        name="candle: stride for dilation",
        framework="candle",
        reference="huggingface/candle#2337",
        year=2024,
        story="a transposed convolution's gradient for its kernel swaps stride and dilation; here the shapes still fit",
        f=lambda x, w: spread_out(x, w, stride=2),
        wrong=lambda g, x, w: (gathered(g, x, w, 2), kernel_gradient(g, x, stride=2, dilation=1)),
        right=lambda g, x, w: (gathered(g, x, w, 2), kernel_gradient(g, x, stride=1, dilation=2)),
        inputs=lambda: (values(6, 4), values(7, 3)),
        kind="window",
        sample=lambda draw: (draw.array((draw.integer(1, 5),), Real()), draw.array((draw.integer(1, 4),), Real())),
    ),
    Case(
        name="burn: output padding of a transposed convolution",
        framework="burn",
        reference="tracel-ai/burn#4916",
        year=2026,
        story="the inverse convolution also runs over the padded end of the output: a gradient longer than the input",
        f=lambda x, w: spread_out(x, w, stride=1, extra=1),
        wrong=lambda g, x, w: (inverse_conv(g, w), kernel_gradient(g[:-1], x, 1, 1)),
        right=lambda g, x, w: (inverse_conv(g[:-1], w), kernel_gradient(g[:-1], x, 1, 1)),
        inputs=lambda: (values(8, 4), values(9, 3)),
        kind="shape",
        sample=lambda draw: (draw.array((draw.integer(1, 5),), Real()), draw.array((draw.integer(1, 4),), Real())),
    ),
    Case(
        name="flaggems: linear resize with aligned corners",
        framework="FlagGems",
        reference="flagos-ai/FlagGems#5218",
        year=2026,
        story="the window of outputs that an input looks at is sized by the other scale: far contributions are lost",
        f=resize,
        wrong=resize_vjp_in_window,
        right=lambda g, x: resize_weights(len(x)).T @ g,
        inputs=lambda: (values(10, 2),),
        kind="window",
        also=("dropped",),
        sample=lambda draw: (draw.array((draw.integer(2, 6),), Real()),),
    ),
    Case(
        name="pytorch: kernels of a grouped convolution",
        framework="PyTorch",
        reference="pytorch/pytorch#51430",
        year=2021,
        story="nn.grad repeats the outputs in the order of the channels: group and channel of a kernel change places",
        f=grouped_conv,
        wrong=lambda g, x, w: grouped_conv_vjp(g, x, w, channel=lambda o, i: 2 * i + o // 2),
        right=lambda g, x, w: grouped_conv_vjp(g, x, w, channel=lambda o, i: 2 * (o // 2) + i),
        inputs=lambda: (values(11, 4, 4), values(12, 4, 2, 2)),
        kind="permuted",
        also=("axis", "transposed", "unknown"),
        sample=lambda draw: (draw.array((4, draw.integer(2, 4)), Real()), draw.array((4, 2, 2), Real())),
    ),
]
