"""Steps that are recorded: the loss after several of them has derivatives by the weights, the data and the settings."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import optim
from tinygrad_cnn.autograd import gradcheck, gradgradcheck

SMOOTH = {"eps": 0.1}  # with a small eps the first step is nearly the sign of the gradient
WAYS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "maximize": True, "lr": 0.01}),
    ("Adam", SMOOTH),
    ("Adam", {"weight_decay": 0.1, **SMOOTH}),
    ("Adam", {"amsgrad": True, **SMOOTH}),
    ("Adam", {"amsgrad": True, "betas": (0.9, 0.3), **SMOOTH}),  # the mean of squares falls, too
    ("AdamW", {"weight_decay": 0.1, **SMOOTH}),
    ("Adamax", {"weight_decay": 0.1, **SMOOTH}),
    ("NAdam", SMOOTH),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, **SMOOTH}),
    ("RAdam", {"weight_decay": 0.1}),
    ("Adagrad", {"weight_decay": 0.1, "lr_decay": 0.1, **SMOOTH}),
    ("Adadelta", {"weight_decay": 0.1, **SMOOTH}),
    ("RMSprop", SMOOTH),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1, **SMOOTH}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.01, "step_sizes": (0.009, 0.0105)}),
    ("ASGD", {"t0": 1}),
]
SMALL = [way for way in WAYS if way[0] not in ("Adadelta", "Rprop")]
"""Those whose second derivatives differences can see: the others are piecewise, or steep."""
W = np.random.default_rng(0).normal(size=(3, 2))
X = np.random.default_rng(1).normal(size=(4, 3))


def trained(name, options, steps):
    """The loss after some steps, as a function of the first weights and of the data."""

    def after(w, x):
        p = w.clone()
        optimizer = getattr(optim, name)([p], differentiable=True, **{"lr": 0.05, **options})
        for _ in range(steps):
            now = p.clone()
            loss = (x @ now).square().sum() + (now**3).sum()
            (p.grad,) = tg.autograd.grad([loss], [now], create_graph=True)
            optimizer.step()
        return p.square().sum()

    return after


def leaves():
    return tg.tensor(W, requires_grad=True), tg.tensor(X, requires_grad=True)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(("name", "options"), WAYS)
def test_the_loss_after_steps_has_a_gradient(name, options, steps):
    assert gradcheck(trained(name, options, steps), leaves(), eps=1e-6, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("name", "options"), SMALL)
def test_and_a_second_derivative(name, options):
    assert gradgradcheck(trained(name, options, 2), leaves(), eps=1e-6, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("name", "options"), WAYS)
def test_the_recorded_step_is_the_step(name, options):
    found = []
    for differentiable in (False, True):
        w = tg.tensor(W, requires_grad=True)
        p = w.clone() if differentiable else w
        optimizer = getattr(optim, name)([p], differentiable=differentiable, **options)
        for g in (W, -W, X[:3, :2], W / 8):
            p.grad = tg.tensor(g)
            optimizer.step()
        found.append((p.detach().numpy(), {k: np.asarray(v.detach()) for k, v in optimizer.state[p].items()}))
    (plain, state), (recorded, recorded_state) = found
    np.testing.assert_allclose(recorded, plain, rtol=1e-12)
    assert recorded_state.keys() == state.keys()
    for key, value in state.items():
        np.testing.assert_allclose(recorded_state[key], value, rtol=1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop"])
def test_the_rate_has_a_gradient(name):
    def after(lr):
        p = tg.tensor(W).clone()
        optimizer = getattr(optim, name)([p], lr=lr, differentiable=True)
        for g in (W, X[:3, :2]):
            p.grad = tg.tensor(g)
            optimizer.step()
        return p.square().sum()

    assert gradcheck(after, (tg.tensor(0.05, dtype=tg.float64, requires_grad=True),), atol=1e-5, rtol=1e-4)


def test_a_leaf_cannot_be_written_by_a_recorded_step():
    w = tg.tensor(W, requires_grad=True)
    w.grad = tg.ones_like(w)
    with pytest.raises(RuntimeError, match="leaf"):
        optim.SGD([w], differentiable=True).step()
    with pytest.raises(ValueError, match="the result of an op cannot be optimised"):
        optim.SGD([w * 2])
