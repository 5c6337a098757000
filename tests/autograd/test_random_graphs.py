"""Random graphs, built op by op by a state machine: backward against a forward mode that shares no code with it.

The forward mode is the complex step (Squire & Trapp 1998): every value is computed a second time by NumPy alone,
on complex arrays whose imaginary part carries the tangent, 1e-150 times its size; no differences are taken, so
the derivative is right to the last bits.
"""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule

import tinygrad_cnn as tg
from tinygrad_cnn import autograd
from tinygrad_cnn.core.op import Rule

TINY = 1e-150


def complex_relu(z):
    return np.where(z.real > 0, z, 0)


def complex_maximum(a, b):
    return np.where(a.real > b.real, a, b)


def complex_max(z):
    return z.ravel()[np.argmax(z.real)]


UNARY = {
    "sin": (lambda t: t.sin(), np.sin),
    "tanh": (lambda t: t.tanh(), np.tanh),
    "exp of sin": (lambda t: t.sin().exp(), lambda z: np.exp(np.sin(z))),
    "square": (lambda t: t * t, lambda z: z * z),
    "soft reciprocal": (lambda t: 1 / (t * t + 1), lambda z: 1 / (z * z + 1)),
    "relu": (lambda t: (t - 0.1234567).relu(), lambda z: complex_relu(z - 0.1234567)),
    "negative": (lambda t: -t, lambda z: -z),
    "transpose": (lambda t: t.T, lambda z: z.T),
    "flatten and back": (lambda t: t.flatten().reshape(t.shape), lambda z: z),
    "row": (lambda t: t[1], lambda z: z[1]),
    "rows twice": (lambda t: t[[0, 2, 0]], lambda z: z[[0, 2, 0]]),
    "sum over rows": (lambda t: t.sum(0), lambda z: z.sum(0)),
    "mean": (lambda t: t.mean(1, keepdim=True), lambda z: z.mean(1, keepdims=True)),
    "max": (lambda t: t.max(), complex_max),
    "cumsum": (lambda t: t.cumsum(0), lambda z: np.cumsum(z, 0)),
    "product": (lambda t: t.prod(1), lambda z: z.prod(1)),
    "pad": (lambda t: tg.pad(t, (1, 0))[:, :3], lambda z: np.pad(z, ((0, 0), (1, 0)))[:, :3]),
}
BINARY = {
    "add": (lambda a, b: a + b, lambda a, b: a + b),
    "multiply": (lambda a, b: a * b, lambda a, b: a * b),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b),
    "divide": (lambda a, b: a / (b * b + 1), lambda a, b: a / (b * b + 1)),
    "matmul": (lambda a, b: a @ b, lambda a, b: a @ b),
    "maximum": (lambda a, b: tg.maximum(a, b + 0.0654321), lambda a, b: complex_maximum(a, b + 0.0654321)),
    "cat": (
        lambda a, b: tg.cat([a.reshape(-1), b.reshape(-1)])[:3],
        lambda a, b: np.concatenate([a.ravel(), b.ravel()])[:3],
    ),
}


def square(z):
    """As (3, 3), so that every op fits."""
    return np.broadcast_to(z, (3, 3))


class RandomGraphs(RuleBasedStateMachine):
    """Builds a graph of (Tensor, complex array) pairs, and compares at any time."""

    values = Bundle("values")

    @initialize(target=values, seed=st.integers(0, 2**32 - 1))
    def leaves(self, seed):
        random = np.random.default_rng(seed)
        self.arrays = [random.uniform(-1, 1, (3, 3)) for _ in range(2)]
        self.tangents = [random.uniform(-1, 1, (3, 3)) for _ in range(2)]
        self.random = random
        self.tensors = [tg.Tensor(a.copy(), requires_grad=True) for a in self.arrays]
        pairs = zip(self.tensors, self.arrays, self.tangents, strict=True)
        self.first, second = [(t * 1, a + 1j * TINY * u) for t, a, u in pairs]
        self.nodes = [self.first, second]
        return second

    def keep(self, tensor, array):
        small = tensor if tensor.shape == (3, 3) else tg.broadcast_to(tensor, (3, 3))
        scale = 1 / max(1.0, float(np.abs(small.detach().numpy()).max()))  # so that long graphs do not overflow
        self.nodes.append((small * scale, square(array) * scale))
        return self.nodes[-1]

    @rule(target=values, name=st.sampled_from(sorted(UNARY)), x=values)
    def unary(self, name, x):
        ours, theirs = UNARY[name]
        return self.keep(ours(x[0]), theirs(x[1]))

    @rule(target=values, name=st.sampled_from(sorted(BINARY)), x=values, y=values)
    def binary(self, name, x, y):
        ours, theirs = BINARY[name]
        return self.keep(ours(x[0], y[0]), theirs(x[1], y[1]))

    @rule(target=values, x=values, y=values, row=st.integers(0, 2))
    def assign(self, x, y, row):
        tensor, array = x[0] * 1, x[1].copy()
        tensor[row] = y[0][0]
        array[row] = y[1][0]
        return self.keep(tensor, array)

    @precondition(lambda self: len(self.nodes) > 2)
    @rule(x=values)
    def compare(self, x):
        tensor, array = x
        np.testing.assert_allclose(tensor.detach().numpy(), array.real, rtol=1e-9, atol=1e-9)
        v = self.random.uniform(-1, 1, (3, 3))
        gradients = autograd.grad(tensor, self.tensors, v, retain_graph=True, allow_unused=True)
        backward = sum((g.numpy() * u).sum() for g, u in zip(gradients, self.tangents, strict=True) if g is not None)
        forward = (v * array.imag / TINY).sum()
        np.testing.assert_allclose(backward, forward, rtol=1e-8, atol=1e-8)


RandomGraphs.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestRandomGraphs = RandomGraphs.TestCase


def test_the_comparison_rejects_a_wrong_rule(monkeypatch):
    op = tg.ops.registry["Sin"]
    monkeypatch.setattr(op, "rules", (Rule("d_x", lambda g, x: g * np.cos(x) * 1.01, op.rules[0].picks, ()),))
    machine = RandomGraphs()
    machine.leaves(0)
    wrong = machine.unary("sin", machine.first)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        machine.compare(wrong)
