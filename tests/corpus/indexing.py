"""Indexing: repeated indices, selections sent back to the wrong places, axes counted from the end."""

import numpy as np

from tests.corpus.case import Case, distinct, values
from tinygrad_cnn.core.domain import Distinct, Real

TWICE = np.array([0, 2, 0, 1, 0])
ROWS = np.array([0, 2, 2])
SAME = np.array([2, 2])
TARGET = np.array([0, 0, 1, 0])


def gather_assigned(g, x, index):
    d = np.zeros(x.shape)
    d[index] = g
    return d


def gather_added(g, x, index):
    d = np.zeros(x.shape)
    np.add.at(d, index, g)
    return d


def gather_added_in_place(g, x, index):
    d = np.zeros(x.shape)
    d[index] += g  # reads before it writes: the last of the repeated ones stays
    return d


def filled(x, value):
    y = x.copy()
    y[:, SAME] = value
    return y


def without(g, columns):
    d = g.copy()
    d[:, columns] = 0
    return d


def copied(x, y):
    z = x.copy()
    z[TARGET] = y
    return z


def copied_vjp(g, x, y, last_only):
    gx, gy = g.copy(), g[TARGET].copy()
    gx[TARGET] = 0
    if last_only:
        gy[[k for k, t in enumerate(TARGET) if t in TARGET[k + 1 :]]] = 0
    return gx, gy


def top2(x):
    return np.sort(x, axis=1)[:, -2:]


def top2_vjp(g, x):
    d = np.zeros(x.shape)
    np.put_along_axis(d, np.argsort(x, axis=1)[:, -2:], g, axis=1)
    return d


def top2_last_columns(g, x):
    d = np.zeros(x.shape)
    d[:, -2:] = g
    return d


CASES = [
    Case(
        name="autograd: a repeated index",
        framework="HIPS autograd",
        reference="HIPS/autograd#39",
        year=2015,
        story="`new[index] += g` counts an element that is taken several times once only",
        f=lambda x: x[TWICE],
        wrong=lambda g, x: gather_added_in_place(g, x, TWICE),
        right=lambda g, x: gather_added(g, x, TWICE),
        inputs=lambda: (values(0, 4),),
        kind="overwritten",
        sample=lambda draw: (draw.array((draw.integer(3, 5),), Real()),),
    ),
    Case(
        name="pytorch: rows taken twice",
        framework="PyTorch",
        reference="pytorch/pytorch#1528",
        year=2017,
        story="indexing with a LongTensor that repeats a row keeps the gradient of the last copy only",
        f=lambda x: x[ROWS],
        wrong=lambda g, x: gather_assigned(g, x, ROWS),
        right=lambda g, x: gather_added(g, x, ROWS),
        inputs=lambda: (values(1, 3, 2),),
        kind="overwritten",
        sample=lambda draw: (draw.array((draw.integer(3, 4), draw.integer(1, 3)), Real()),),
    ),
    Case(
        name="pytorch: index_fill with an index given twice",
        framework="PyTorch",
        reference="pytorch/pytorch#57006",
        year=2021,
        story="the gradient of the value sums over the index, and so counts a repeated column twice",
        f=filled,
        wrong=lambda g, x, value: (without(g, SAME), g[:, SAME].sum()),
        right=lambda g, x, value: (without(g, SAME), g[:, np.unique(SAME)].sum()),
        inputs=lambda: (values(2, 3, 4), np.array(-2.5)),
        kind="factor",
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(3, 4)), Real()), np.array(0.5)),
    ),
    Case(
        name="pytorch: index_copy over itself",
        framework="PyTorch",
        reference="pytorch/pytorch#473",
        year=2017,
        story="rows that a later row overwrites have no influence, yet get a gradient",
        f=copied,
        wrong=lambda g, x, y: copied_vjp(g, x, y, last_only=False),
        right=lambda g, x, y: copied_vjp(g, x, y, last_only=True),
        inputs=lambda: (values(3, 3, 2), values(4, 4, 2)),
        kind="mask",
    ),
    Case(
        name="mlx: top-k",
        framework="MLX",
        reference="ml-explore/mlx#1428",
        year=2024,
        story="the gradients of the k largest go to the same columns in every row, not to where the values came from",
        f=top2,
        wrong=top2_last_columns,
        right=top2_vjp,
        inputs=lambda: (np.array([[1.0, 2.0, 6.0, 4.0, 5.0], [9.0, 5.0, 6.0, 7.0, 8.0]]),),
        kind="permuted",
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(2, 5)), Distinct()),),
    ),
    Case(
        name="autograd: rollaxis of a negative axis",
        framework="HIPS autograd",
        reference="HIPS/autograd#350",
        year=2018,
        story="the gradient rolls a negative axis back to the wrong place; on a cube nothing but the values shows it",
        f=lambda x: np.rollaxis(x, -1),
        wrong=lambda g, x: np.rollaxis(g, -1, -1),  # a no-op: start - 1 is taken for the axis
        right=lambda g, x: np.rollaxis(g, 0, x.ndim),
        inputs=lambda: (distinct(5, 2, 2, 2),),
        kind="axis",
        also=("permuted", "transposed"),
        sample=lambda draw: (draw.array(draw.shape(1, 3, smallest=1), Real()),),
    ),
]
