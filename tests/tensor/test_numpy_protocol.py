"""NumPy's functions on Tensors: the same values as on arrays, and gradients that NumPy's own arrays do not have."""

import numpy as np
import pytest

import tinygrad_cnn as tg

X = np.random.default_rng(0).uniform(0.2, 0.9, (3, 4))
CALLS = {
    "var": lambda x: np.var(x, axis=0, ddof=1),
    "std": lambda x: np.std(x, keepdims=True),
    "sum": lambda x: np.sum(x, axis=(0, 1)),
    "prod": lambda x: np.prod(x, 1),
    "max": lambda x: np.max(x, axis=1, keepdims=True),
    "min": lambda x: np.min(x),
    "clip": lambda x: np.clip(x, 0.3, 0.6),
    "cumsum": lambda x: np.cumsum(x),
    "cumsum along": lambda x: np.cumsum(x, axis=1),
    "flip": lambda x: np.flip(x, 1),
    "flip all": lambda x: np.flip(x),
    "flip some": lambda x: np.flip(x, (0, 1)),
    "roll": lambda x: np.roll(x, 2, axis=1),
    "transpose": lambda x: np.transpose(x),
    "transpose axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, (0, -1)),
    "squeeze": lambda x: np.squeeze(x[:, :1], 1),
    "ravel": lambda x: np.ravel(x),
    "reshape": lambda x: np.reshape(x, (2, 6)),
    "concatenate": lambda x: np.concatenate([x, x * 2], axis=1),
    "stack": lambda x: np.stack([x, x * 2], 1),
    "where": lambda x: np.where(x > 0.5, x, -x),
    "tril": lambda x: np.tril(x, 1),
    "diagonal": lambda x: np.diagonal(x),
    "dot": lambda x: np.dot(x, x.T),
    "outer": lambda x: np.outer(x[0], x[1]),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[0, 2]]), 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)),
    "remainder": lambda x: np.remainder(x, 0.13),
    "power": lambda x: np.power(x, 1.5),
    "square": lambda x: np.square(x) + np.reciprocal(x),
    "argmax": lambda x: np.argmax(x, axis=1) * 1.0,
    "any and all": lambda x: np.any(x > 0.5, axis=0) & np.all(x > 0, axis=0),
    "floor": lambda x: np.floor(x * 4),
    "likes": lambda x: np.zeros_like(x) + np.ones_like(x),
    "shape": lambda x: np.array([*np.shape(x), np.ndim(x), np.size(x)]),
}


@pytest.mark.parametrize("name", CALLS)
def test_values(name):
    found = CALLS[name](tg.Tensor(X))
    np.testing.assert_allclose(np.asarray(found), CALLS[name](X), rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in CALLS if n not in ("argmax", "any and all", "floor", "likes", "shape")])
def test_gradients(name):
    x = tg.Tensor(X, requires_grad=True)
    y = CALLS[name](x)
    v, u = np.random.default_rng(1).normal(size=y.shape), np.random.default_rng(2).normal(size=X.shape)
    (y * v).sum().backward()
    h = 1e-6
    slope = np.sum(v * (CALLS[name](X + h * u) - CALLS[name](X - h * u))) / (2 * h)
    np.testing.assert_allclose(np.sum(x.grad.numpy() * u), slope, rtol=1e-6)


def test_keywords_that_no_rule_knows_are_refused():
    with pytest.raises(TypeError, match=r"numpy\.add: has no derivative rule for Tensors with \['where'\]; use"):
        np.add(tg.Tensor(X), 1, where=X > 0.5)
