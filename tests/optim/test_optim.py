"""Optimisers against their papers' recursions, written out; schedules against their formulas."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.optim import lr_scheduler

GRADIENTS = np.random.default_rng(0).normal(size=(6, 3))


def run(make, gradients=GRADIENTS):
    p = nn.Parameter(np.array([1.0, -2.0, 0.5]))
    optimizer = make([p])
    for g in gradients:
        p.grad = tg.Tensor(g.copy())
        optimizer.step()
    return p.detach().numpy()


def test_sgd():
    expected = np.array([1.0, -2.0, 0.5]) - 0.1 * GRADIENTS.sum(0)
    np.testing.assert_allclose(run(lambda p: optim.SGD(p, lr=0.1)), expected, rtol=1e-12)
    rising = np.array([1.0, -2.0, 0.5]) + 0.1 * GRADIENTS.sum(0)
    np.testing.assert_allclose(run(lambda p: optim.SGD(p, lr=0.1, maximize=True)), rising, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum_and_decay(nesterov):
    p, v = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    for g in GRADIENTS:
        g = g + 0.01 * p
        v = 0.9 * v + g
        p = p - 0.1 * (g + 0.9 * v if nesterov else v)
    found = run(lambda q: optim.SGD(q, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=nesterov))
    np.testing.assert_allclose(found, p, rtol=1e-12)


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam(decoupled):
    p, m, v = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3)
    for t, g in enumerate(GRADIENTS, 1):
        if decoupled:
            p = p - 0.1 * 0.2 * p
        else:
            g = g + 0.2 * p
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        p = p - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    kind = optim.AdamW if decoupled else optim.Adam
    np.testing.assert_allclose(run(lambda q: kind(q, lr=0.1, weight_decay=0.2)), p, rtol=1e-10)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.1),
        lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
        lambda p: optim.Adam(p, lr=0.1),
        lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.0, amsgrad=True),
    ],
)
def test_each_finds_the_minimum_of_a_bowl(make):
    p = nn.Parameter(np.array([3.0, -2.0]))
    optimizer = make([p])
    for _ in range(400):
        optimizer.zero_grad()
        ((p - tg.Tensor(np.array([1.0, 2.0]))) ** 2 * tg.Tensor(np.array([1.0, 3.0]))).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), [1, 2], atol=1e-3)


def test_parameters_without_a_gradient_stay():
    p, q = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
    optimizer = optim.SGD([p, q], lr=0.5, weight_decay=0.1)
    p.grad = tg.ones(2, dtype=tg.float64)
    optimizer.step()
    assert q.tolist() == [1, 1]
    assert p.tolist() == pytest.approx([0.45, 0.45])
    optimizer.zero_grad()
    assert p.grad is None


def test_groups_have_settings_of_their_own():
    p, q = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([{"params": p}, {"params": [q], "lr": 1.0}], lr=0.5)
    p.grad, q.grad = tg.ones(1, dtype=tg.float64), tg.ones(1, dtype=tg.float64)
    optimizer.step()
    assert (p.item(), q.item()) == (0.5, 0.0)
    assert "    fused: None\n    lr: 1.0\n    maximize: False" in repr(optimizer)


def test_a_closure_is_evaluated_with_gradients():
    p = nn.Parameter(np.array([2.0]))
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() == 1.0


def test_a_step_after_saving_for_backward_is_found():
    p = nn.Parameter(np.array([2.0]))
    optimizer = optim.SGD([p], lr=0.25)
    loss = (p * p).sum()
    p.grad = tg.ones(1, dtype=tg.float64)
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"written|modified"):
        loss.backward()


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_state_dict_goes_on_where_the_other_stopped(name):
    settings = {"SGD": {"lr": 0.1, "momentum": 0.9}, "Adam": {"lr": 0.1}}[name]
    whole = run(lambda p: getattr(optim, name)(p, **settings))
    p = nn.Parameter(np.array([1.0, -2.0, 0.5]))
    optimizer = getattr(optim, name)([p], **settings)
    for k, g in enumerate(GRADIENTS):
        if k == 3:
            state, optimizer = optimizer.state_dict(), getattr(optim, name)([p], lr=9.0)
            optimizer.load_state_dict(state)
        p.grad = tg.Tensor(g.copy())
        optimizer.step()
    np.testing.assert_array_equal(p.detach().numpy(), whole)
    other = getattr(optim, name)([nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))], lr=1.0)
    with pytest.raises(ValueError, match=r"groups of \[1\] parameters given; this optimiser has \[2\]"):
        other.load_state_dict(state)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: optim.SGD(p), TypeError, "params is one Tensor; give an iterable"),
        (lambda p: optim.SGD([]), ValueError, "got no parameters"),
        (lambda p: optim.SGD([{"params": p}, {"params": p}]), ValueError, "stands in more than one group"),
        (lambda p: optim.SGD([p * 2]), ValueError, "expected leaf Tensors"),
        (lambda p: optim.SGD([np.ones(2)]), TypeError, "ndarray cannot be optimised"),
        (lambda p: optim.SGD([p], lr=-1), ValueError, "SGD: lr is -1.0; it must be at least 0"),
        (lambda p: optim.SGD([p], lr=math.nan), ValueError, "SGD: lr is nan"),
        (lambda p: optim.SGD([p], nesterov=True), ValueError, "nesterov needs a momentum above 0"),
        (lambda p: optim.Adam([p], betas=(0.9, 1.0)), ValueError, "betas are"),
        (lambda p: optim.AdamW([p], eps=-1), ValueError, "AdamW: eps is -1"),
        (lambda p: lr_scheduler.StepLR(optim.SGD([p]), 0), ValueError, "step_size is 0"),
        (lambda p: lr_scheduler.CosineAnnealingLR(optim.SGD([p]), 0), ValueError, "T_max is 0"),
        (lambda p: lr_scheduler.LambdaLR(optim.SGD([p]), [abs, abs]), ValueError, "2 functions for 1 groups"),
    ],
)
def test_wrong_arguments_are_explained(make, error, message):
    with pytest.raises(error, match=message):
        make(nn.Parameter(np.ones(2)))


def rates(make, steps):
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8)
    schedule = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_schedules():
    cosine = rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 8, eta_min=0.2), 9)
    assert cosine == pytest.approx([0.2 + 0.3 * (1 + math.cos(math.pi * k / 8)) for k in range(9)])
    assert rates(lambda o: lr_scheduler.StepLR(o, 2, 0.5), 5) == [0.8, 0.8, 0.4, 0.4, 0.2]
    assert rates(lambda o: lr_scheduler.LambdaLR(o, lambda k: 1 / (k + 1)), 3) == [0.8, 0.4, pytest.approx(0.8 / 3)]


def test_a_schedule_goes_on_from_its_state():
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8)
    a = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    a.step()
    b = lr_scheduler.StepLR(optim.SGD([nn.Parameter(np.ones(1))], lr=0.8), 5)
    b.load_state_dict(a.state_dict())
    b.optimizer.step()
    b.step()
    assert b.get_last_lr() == [pytest.approx(0.08)]
