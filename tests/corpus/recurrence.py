"""Recurrent layers and attention: gradients not passed back in time, masks of the wrong step, gates mixed up."""

import numpy as np

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import Real

W = 0.75
KEEP = np.array([[True, False], [False, True], [False, False]])
X = values(40, 3)
CELL = values(41, 3)
DECAY = 0.5


def states(x):
    """h_t = tanh(W h_{t-1} + x_t), all of them."""
    h, all_of_them = np.zeros(x.shape[1:]), []
    for one in x:
        h = np.tanh(W * h + one)
        all_of_them.append(h)
    return np.stack(all_of_them)


def states_vjp(g, x, passed_on):
    h = states(x)
    d, later = np.zeros(x.shape), np.zeros(x.shape[1:])
    for t in range(len(x) - 1, -1, -1):
        d[t] = (g[t] + later) * (1 - h[t] ** 2)
        later = W * d[t] if passed_on else later
    return d


def zoneout(x):
    h, all_of_them = np.full(2, 0.25), []
    for keep, one in zip(KEEP, x, strict=True):
        h = np.where(keep, h, np.tanh(W * h + one))
        all_of_them.append(h)
    return np.stack(all_of_them)


def zoneout_vjp(g, x, step):
    """`step` tells whose mask step t takes: its own, or that of the first step."""
    h = np.concatenate([np.full((1, 2), 0.25), zoneout(x)])
    d, later = np.zeros(x.shape), np.zeros(2)
    for t in range(len(x) - 1, -1, -1):
        keep, total = KEEP[step(t)], g[t] + later
        d[t] = np.where(keep, 0.0, total * (1 - np.tanh(W * h[t] + x[t]) ** 2))
        later = np.where(keep, total, W * d[t])
    return d


def decayed(x):
    """y_t = DECAY y_{t-1} + x_t."""
    return np.stack([sum(DECAY ** (t - s) * x[s] for s in range(t + 1)) for t in range(len(x))])


def both_ways(x):
    return decayed(x) + decayed(x[::-1])[::-1]


def decayed_vjp(g):
    return decayed(g[::-1])[::-1]


def both_ways_vjp(g, x, overwritten):
    left = decayed_vjp(g)
    return left + decayed(left if overwritten else g)


def scores(q, k):
    return q @ k.T / np.sqrt(q.shape[1])


def weights(q, k):
    e = np.exp(scores(q, k) - scores(q, k).max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def attention(q, k, v):
    return weights(q, k) @ v


def attention_vjp(g, q, k, v, causal):
    p = weights(q, k)
    seen = np.tril(p) if causal else p
    row = np.sum(g * attention(q, k, v), axis=1, keepdims=True)
    ds = seen * (g @ v.T - row) / np.sqrt(q.shape[1])
    return ds @ k, ds.T @ q, seen.T @ g


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(forget, put_in, out):
    """One step of an LSTM as a function of the biases of three of its gates."""
    cell = sigmoid(X + forget) * CELL + sigmoid(X + put_in) * np.tanh(X)
    return sigmoid(X + out) * np.tanh(cell)


def gate_gradients(g, forget, put_in, out):
    cell = sigmoid(X + forget) * CELL + sigmoid(X + put_in) * np.tanh(X)
    f, i, o = sigmoid(X + forget), sigmoid(X + put_in), sigmoid(X + out)
    d = g * o * (1 - np.tanh(cell) ** 2)
    return d * CELL * f * (1 - f), d * np.tanh(X) * i * (1 - i), g * np.tanh(cell) * o * (1 - o)


CASES = [
    Case(
        name="rnn: nothing goes back in time",
        framework="qixianbiao RNN",
        reference="qixianbiao/RNN#2",
        year=2018,
        story="the gradient of a state is not handed to the state of the step before",
        f=states,
        wrong=lambda g, x: states_vjp(g, x, passed_on=False),
        right=lambda g, x: states_vjp(g, x, passed_on=True),
        inputs=lambda: (values(0, 3, 2),),
        kind="dropped",
        also=("unknown",),
        sample=lambda draw: (draw.array((draw.integer(1, 4), draw.integer(1, 2)), Real()),),
    ),
    Case(
        name="haste: zoneout with the first step's mask",
        framework="Haste",
        reference="lmnt-com/haste#43",
        year=2021,
        story="backward takes the mask of the first step for all of them",
        f=zoneout,
        wrong=lambda g, x: zoneout_vjp(g, x, step=lambda t: 0),
        right=lambda g, x: zoneout_vjp(g, x, step=lambda t: t),
        inputs=lambda: (values(1, 3, 2),),
        kind="mask",
        also=("unknown", "dropped"),
        sample=lambda draw: (draw.array((3, 2), Real()),),
    ),
    Case(
        name="mxnet: a bidirectional layer in one buffer",
        framework="MXNet",
        reference="apache/mxnet#18203",
        year=2020,
        story="the first direction writes its result over the incoming gradient that the other one still needs",
        f=both_ways,
        wrong=lambda g, x: both_ways_vjp(g, x, overwritten=True),
        right=lambda g, x: both_ways_vjp(g, x, overwritten=False),
        inputs=lambda: (values(2, 4),),
        kind="unknown",
        also=("chain", "overwritten"),
        sample=lambda draw: (draw.array((draw.integer(1, 4),), Real()),),
    ),
    Case(
        name="triton: attention that is not causal",
        framework="Triton",
        reference="triton-lang/triton#4541",
        year=2024,
        story="the tutorial's backward never asks whether the mask is causal, and takes it where forward takes none",
        f=attention,
        wrong=lambda g, q, k, v: attention_vjp(g, q, k, v, causal=True),
        right=lambda g, q, k, v: attention_vjp(g, q, k, v, causal=False),
        inputs=lambda: (values(3, 3, 2), values(4, 3, 2), values(5, 3, 2)),
        kind="dropped",
        also=("mask", "unknown"),
        sample=lambda draw: tuple(draw.array((3, 2), Real()) for _ in range(3)),
    ),
    Case(
        name="learn_dl: three gates, one gradient",
        framework="learn_dl",
        reference="hanbt/learn_dl#63",
        year=2026,
        story="the biases of the input and the output gate get the forget gate's gradient, by copy and paste",
        f=lstm,
        wrong=lambda g, *biases: (gate_gradients(g, *biases)[0],) * 3,
        right=gate_gradients,
        inputs=lambda: (values(6, 3), values(7, 3), values(8, 3)),
        kind="unknown",
        also=("chain",),
        sample=lambda draw: tuple(draw.array((3,), Real()) for _ in range(3)),
    ),
]
