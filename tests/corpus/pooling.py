"""Pooling: loops left too early, ties, windows that overlap or hang over the edge."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.corpus.case import Case, distinct, values
from tinygrad_cnn.core.domain import Distinct, Real


def windows(x, k, stride):
    return sliding_window_view(x, (k, k))[::stride, ::stride].reshape(-1, k * k)


def places(x, k, stride):
    """The flat positions in x of the elements of each window."""
    return windows(np.arange(x.size).reshape(x.shape), k, stride)


def max_pool(x, k, stride):
    return windows(x, k, stride).max(axis=1).reshape(len(range(0, x.shape[0] - k + 1, stride)), -1)


def winners(x, k, stride):
    return np.take_along_axis(places(x, k, stride), windows(x, k, stride).argmax(axis=1)[:, None], axis=1)[:, 0]


def first_winner(g, x, k, stride):
    d = np.zeros(x.size)
    np.add.at(d, winners(x, k, stride), np.ravel(g))
    return d.reshape(x.shape)


def returns_after_one_window(g, x):
    d = np.zeros(x.size)
    for winner, one in zip(winners(x, 2, 2), np.ravel(g), strict=True):
        d[winner] += one
        return d.reshape(x.shape)  # where the article has it
    return d.reshape(x.shape)


def assigned(g, x, stride=1):
    d = np.zeros(x.size)
    d[winners(x, 3, stride)] = np.ravel(g)
    return d.reshape(x.shape)


def every_winner(g, x):
    d = np.zeros(x.size)
    for window, inside, one in zip(places(x, 2, 2), windows(x, 2, 2), np.ravel(g), strict=True):
        d[window[inside == inside.max()]] += one
    return d.reshape(x.shape)


def average_ceil(x):
    return np.array([x[start : start + 2].mean() for start in range(0, len(x), 2)])


def average_ceil_vjp(g, x, clipped):
    d = np.zeros(len(x))
    for one, start in zip(g, range(0, len(x), 2), strict=True):
        inside = min(2, len(x) - start)
        d[start : start + 2] += one / (inside if clipped else 2)
    return d


def average_hanging_over(x):
    """Windows of 3, 2 apart, of which the last one may hang over the edge."""
    return np.array([x[start : start + 3].mean() for start in range(0, len(x) - 1, 2)])


def average_hanging_over_vjp(g, x, clipped):
    d = np.zeros(len(x))
    for one, start in zip(g, range(0, len(x) - 1, 2), strict=True):
        d[start : start + 3] += one / (min(3, len(x) - start) if clipped else 3)
    return d


def peak():
    x = distinct(1, 5, 5)
    x[2, 2] = 9.0  # the maximum of all nine windows
    return (x,)


CASES = [
    Case(
        name="article: max pooling returns after the first window",
        framework="the article",
        reference="riccardoandreoni0/CNN-from-scratch#1",
        year=2023,
        story="the `return` of back_prop stands inside the loop over windows: only the first passes a gradient on",
        f=lambda x: max_pool(x, 2, 2),
        wrong=returns_after_one_window,
        right=lambda g, x: first_winner(g, x, 2, 2),
        inputs=lambda: (distinct(0, 4, 6),),
        kind="dropped",
        also=("window",),
        sample=lambda draw: (draw.array((2 * draw.integer(1, 3), 2 * draw.integer(1, 3)), Distinct()),),
    ),
    Case(
        name="cs231n: overlapping max pooling assigns",
        framework="CS231n solutions",
        reference="0809zheng/CS231n-assignment2019#19",
        year=2020,
        story="a maximum shared by several overlapping windows gets the gradient of the last one only (`=`, not `+=`)",
        f=lambda x: max_pool(x, 3, 1),
        wrong=assigned,
        right=lambda g, x: first_winner(g, x, 3, 1),
        inputs=peak,
        kind="overwritten",
        sample=lambda draw: (draw.array((draw.integer(3, 5), draw.integer(3, 5)), Distinct()),),
    ),
    Case(
        name="theano: tied maxima of a pooling window",
        framework="Theano",
        reference="Theano/Theano#5248",
        year=2016,
        story="every element equal to the maximum of its window gets the whole gradient, so ties are counted twice",
        f=lambda x: max_pool(x, 2, 2),
        wrong=every_winner,
        right=lambda g, x: first_winner(g, x, 2, 2),
        inputs=lambda: (np.array([[1.0, 1.0, -3.0, 2.0], [0.0, -1.0, 0.5, -2.0], [3.0, 0, 0, 0], [1, -1, 0, -5]]),),
        kind="kink convention",
        at="two windows hold their maximum twice or more; right: the first one wins, as in PyTorch",
        kink=True,
    ),
    Case(
        name="burn: average pooling over the edge",
        framework="burn",
        reference="tracel-ai/burn#5604",
        year=2026,
        story="forward divides the last, overhanging window by the elements inside; backward by the size of the kernel",
        f=average_ceil,
        wrong=lambda g, x: average_ceil_vjp(g, x, clipped=False),
        right=lambda g, x: average_ceil_vjp(g, x, clipped=True),
        inputs=lambda: (values(2, 5),),
        kind="window",
        also=("factor",),
        sample=lambda draw: (draw.array((2 * draw.integer(0, 3) + 1,), Real()),),
    ),
    Case(
        name="nnlib: strided max pooling assigns",
        framework="NNlib.jl",
        reference="FluxML/NNlib.jl#205",
        year=2020,
        story="windows of 3 with a stride of 2 share their edges: what several of them send there is assigned",
        f=lambda x: max_pool(x, 3, 2),
        wrong=lambda g, x: assigned(g, x, stride=2),
        right=lambda g, x: first_winner(g, x, 3, 2),
        inputs=peak,
        kind="overwritten",
        sample=lambda draw: (draw.array((2 * draw.integer(1, 3) + 1, 2 * draw.integer(1, 3) + 1), Distinct()),),
    ),
    Case(
        name="pytorch: compiled average pooling over the edge",
        framework="PyTorch",
        reference="pytorch/pytorch#198119",
        year=2026,
        story="compiled, the window that hangs over is divided by its full size in backward, 3, and by 2 in forward",
        f=average_hanging_over,
        wrong=lambda g, x: average_hanging_over_vjp(g, x, clipped=False),
        right=lambda g, x: average_hanging_over_vjp(g, x, clipped=True),
        inputs=lambda: (values(3, 6),),
        kind="window",
        also=("factor",),
        sample=lambda draw: (draw.array((2 * draw.integer(1, 3),), Real()),),
    ),
]
