"""Mistakes in one element, at one place, or by a small part: of some ten thousandths to two millionths."""

import numpy as np

from tests.gradcheck.power.case import Wrong, normal, positive
from tests.gradcheck.power.layers import cross_entropy, cross_entropy_vjp, layer_norm, layer_vjp, network, network_vjp
from tests.gradcheck.power.linalg import inverse_vjp
from tests.gradcheck.power.reductions import lse, lse_vjp
from tests.gradcheck.power.sequences import attention, attention_vjp, rnn, rnn_vjp
from tests.gradcheck.power.windows import conv, conv_vjp


def as_tuple(found):
    return found if isinstance(found, tuple) else (found,)


def of(vjp, change):
    """The VJP with its gradients changed: `change(k, gradient, *inputs)` gives that of input k."""

    def wrong(g, *inputs):
        return tuple(change(k, np.array(d, np.float64), *inputs) for k, d in enumerate(as_tuple(vjp(g, *inputs))))

    return wrong


def scaled(part):
    return lambda k, d, *inputs: d * (1 + part)


def at_one(part, place=-1, input=0):
    """One element is off by this part of the largest."""

    def change(k, d, *inputs):
        if k == input:
            d.reshape(-1)[place] += part * np.max(np.abs(d))
        return d

    return change


def where_large(part, bound):
    return lambda k, d, *inputs: d * np.where(np.abs(inputs[k]) > bound, 1 + part, 1)


def plus_input(part):
    return lambda k, d, *inputs: d + part * np.max(np.abs(d)) * inputs[k] / np.max(np.abs(inputs[k]))


def smallest_dropped(k, d, *inputs):
    d.reshape(-1)[np.argmin(np.abs(d))] = 0.0
    return d


def rounded(digits):
    return lambda k, d, *inputs: np.round(d / np.max(np.abs(d)), digits) * np.max(np.abs(d))


def mixed(x, w):
    return np.tanh(x * w) + np.sin(x).sum()


def mixed_vjp(g, x, w):
    d = g * (1 - np.tanh(x * w) ** 2)
    return d * w + g.sum() * np.cos(x), d * x


FUNCTIONS = {
    "tanh": (np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), (normal(111, 6),)),
    "mixed": (mixed, mixed_vjp, (normal(112, 4), normal(113, 4))),
    "product": (lambda a, b: a @ b, lambda g, a, b: (g @ b.T, a.T @ g), (normal(114, 3, 3), normal(115, 3, 2))),
    "logsumexp": (lse, lse_vjp, (normal(116, 3, 4),)),
    "cross-entropy": (cross_entropy, cross_entropy_vjp, (normal(117, 5, 4),)),
    "layer norm": (layer_norm, layer_vjp, (normal(118, 3, 4), positive(119, 4), normal(120, 4))),
    "inverse": (np.linalg.inv, inverse_vjp, (normal(121, 3, 3) + 3 * np.eye(3),)),
    "attention": (attention, attention_vjp, (normal(122, 3, 4), normal(123, 5, 4), normal(124, 5, 2))),
    "rnn": (rnn, rnn_vjp, (normal(125, 4, 2), normal(126, 2, 3), normal(127, 3, 3))),
    "conv": (conv, conv_vjp, (normal(128, 1, 2, 4, 4), normal(129, 2, 2, 3, 3))),
    "two layers": (network, network_vjp, (normal(130, 4, 3), normal(131, 3, 5), normal(132, 5), normal(133, 5, 2))),
    "exp": (np.exp, lambda g, x: g * np.exp(x), (normal(134, 5) * 3,)),
}

MISTAKES = {
    "off by 1e-3": scaled(1e-3),
    "off by 1e-4": scaled(-1e-4),
    "off by 3e-5": scaled(3e-5),
    "off by 2e-6": scaled(2e-6),
    "one element by 1e-3": at_one(1e-3),
    "one element by 1e-5": at_one(-1e-5, 0),
    "one element by 2e-6": at_one(2e-6, 1),
    "large inputs only": where_large(1e-3, 0.9),
    "a part of the input": plus_input(1e-5),
    "a small part of the input": plus_input(3e-6),
    "the smallest dropped": smallest_dropped,
    "rounded to four digits": rounded(4),
}

PAIRS = [(f, m) for i, f in enumerate(FUNCTIONS) for j, m in enumerate(MISTAKES) if (i + j) % 3 == 0]
"""Each mistake in four of the functions."""

CASES = [
    Wrong(f"{f}: {m}", FUNCTIONS[f][0], FUNCTIONS[f][1], of(FUNCTIONS[f][1], MISTAKES[m]), FUNCTIONS[f][2])
    for f, m in PAIRS
]
