"""Optimisers against their papers' recursions, written out for one element at a time, and on a bowl."""

import functools
import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim

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


def amsgrad(p, gradients, lr=0.1, beta1=0.9, beta2=0.5, eps=1e-3, decay=0.0, shrinking=0.0):
    mean = square = largest = 0.0
    for t, g in enumerate(gradients, 1):
        p, g = (1 - lr * shrinking) * p, g + decay * p
        mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g**2
        largest = max(largest, square)  # with a short memory the mean of squares falls as often as it rises
        p -= lr * mean / (1 - beta1**t) / (math.sqrt(largest / (1 - beta2**t)) + eps)
    return p


SHORT = {"lr": 0.1, "betas": (0.9, 0.5), "eps": 1e-3, "amsgrad": True}


def test_a_velocity_that_is_none_begins_anew():
    p = nn.Parameter(np.array([1.0]))
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    optimizer.state[p]["momentum_buffer"] = None  # as older files of PyTorch have it
    p.grad = tg.Tensor(np.array([2.0]))
    optimizer.step()
    assert p.item() == pytest.approx(0.8)
    assert optimizer.state[p]["momentum_buffer"].item() == 2


def test_a_setting_that_is_a_tensor_is_shown_as_a_number():
    assert "    lr: 0.5\n" in repr(optim.SGD([nn.Parameter(tg.ones(1))], lr=tg.tensor(0.5)))


def rmsprop(p, gradients, lr=0.1, alpha=0.9, eps=1e-3):
    mean = square = 0.0
    for g in gradients:
        square, mean = alpha * square + (1 - alpha) * g**2, alpha * mean + (1 - alpha) * g
        p -= lr * g / (math.sqrt(square - mean**2) + eps)
    return p


def adagrad(p, gradients, lr=0.1, lr_decay=0.1, start=0.5):
    for t, g in enumerate(gradients):
        start += g**2
        p -= lr / (1 + t * lr_decay) * g / math.sqrt(start)
    return p


def adadelta(p, gradients, lr=0.5, rho=0.8, eps=1e-3):
    square = steps = 0.0
    for g in gradients:
        square = rho * square + (1 - rho) * g**2
        step = math.sqrt(steps + eps) / math.sqrt(square + eps) * g
        steps = rho * steps + (1 - rho) * step**2
        p -= lr * step
    return p


def adamax(p, gradients, lr=0.1, beta1=0.9, beta2=0.7):
    mean = largest = 0.0
    for t, g in enumerate(gradients, 1):
        mean, largest = beta1 * mean + (1 - beta1) * g, max(beta2 * largest, abs(g))
        p -= lr / (1 - beta1**t) * mean / largest
    return p


def rprop(p, gradients, lr=0.1):
    before, length = 0.0, lr
    for g in gradients:
        if g * before > 0:
            length = min(1.2 * length, 50)
        elif g * before < 0:
            length, g = max(0.5 * length, 1e-6), 0.0
        p -= length * math.copysign(1, g) if g else 0.0
        before = g
    return p


def nadam(p, gradients, lr=0.1, beta1=0.9, beta2=0.99, decay=0.1):
    mean, square, product = 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        now, then = (beta1 * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
        product *= now
        mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g**2
        ahead = then * mean / (1 - product * then) + (1 - now) * g / (1 - product)
        p -= lr * ahead / math.sqrt(square / (1 - beta2**t))
    return p


def radam(p, gradients, lr=0.1, beta1=0.9, beta2=0.8):
    mean = square = 0.0
    most = 2 / (1 - beta2) - 1
    for t, g in enumerate(gradients, 1):
        mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g**2
        length = most - 2 * t * beta2**t / (1 - beta2**t)
        step = lr * mean / (1 - beta1**t)
        if length > 5:
            step *= math.sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length))
            step /= math.sqrt(square / (1 - beta2**t))
        p -= step
    return p


def asgd(p, gradients, lr=0.1, lambd=0.05, alpha=0.75):
    for t, g in enumerate(gradients):
        eta = lr / (1 + lambd * lr * t) ** alpha
        p = (1 - lambd * eta) * p - eta * g
    return p


RECURSIONS = [
    (lambda p: optim.Adam(p, **SHORT), amsgrad),
    (lambda p: optim.Adam(p, weight_decay=0.2, **SHORT), functools.partial(amsgrad, decay=0.2)),
    (lambda p: optim.AdamW(p, weight_decay=0.2, **SHORT), functools.partial(amsgrad, shrinking=0.2)),
    (lambda p: optim.RMSprop(p, lr=0.1, alpha=0.9, eps=1e-3, centered=True), rmsprop),
    (lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5, eps=0), adagrad),
    (lambda p: optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-3), adadelta),
    (lambda p: optim.Adamax(p, lr=0.1, betas=(0.9, 0.7), eps=0), adamax),
    (lambda p: optim.Rprop(p, lr=0.1), rprop),
    (lambda p: optim.NAdam(p, lr=0.1, betas=(0.9, 0.99), eps=0, momentum_decay=0.1), nadam),
    (lambda p: optim.RAdam(p, lr=0.1, betas=(0.9, 0.8), eps=0), radam),
    (lambda p: optim.ASGD(p, lr=0.1, lambd=0.05), asgd),
]


@pytest.mark.parametrize(("make", "recursion"), RECURSIONS)
def test_each_element_follows_the_recursion_of_the_paper(make, recursion):
    gradients = np.random.default_rng(1).normal(size=(12, 3))
    expected = [recursion(p, column) for p, column in zip([1.0, -2.0, 0.5], gradients.T.tolist(), strict=True)]
    np.testing.assert_allclose(run(make, gradients), expected, rtol=1e-6)  # some keep numbers in float32


def test_averaged_descent_keeps_the_mean_of_the_parameters():
    p = nn.Parameter(np.array([1.0]))
    optimizer = optim.ASGD([p], lr=0.5, lambd=0.0, t0=0)
    seen = []
    for g in (1.0, -2.0, 0.5, 1.0):
        p.grad = tg.Tensor(np.array([g]))
        optimizer.step()
        seen.append(p.item())
    assert optimizer.state[p]["ax"].item() == pytest.approx(np.mean(seen[1:]), rel=1e-6)


def test_adafactor_keeps_a_row_and_a_column_of_a_matrix():
    g = np.random.default_rng(2).normal(size=(3, 4))
    p = nn.Parameter(np.ones((3, 4)))
    p.grad = tg.Tensor(g)
    optimizer = optim.Adafactor([p], lr=0.1)
    optimizer.step()
    rows, columns = (g**2).mean(1, keepdims=True), (g**2).mean(0, keepdims=True)
    step = g / np.sqrt(rows * columns / rows.mean())
    step /= max(1, np.sqrt((step**2).mean()))
    np.testing.assert_allclose(p.detach().numpy(), 1 - 0.1 * step, rtol=1e-12)
    assert {k: tuple(v.shape) for k, v in optimizer.state[p].items()} == {
        "step": (),
        "row_var": (3, 1),
        "col_var": (1, 4),
    }


def test_threads_share_a_large_parameter():
    threads, found = tg.get_num_threads(), []
    g = np.random.default_rng(3).normal(size=(1000, 400)).astype(np.float32)
    for n in (1, 3):
        tg.set_num_threads(n)
        p = nn.Parameter(np.ones((1000, 400), np.float32))
        optimizer = optim.AdamW([p], lr=0.1, amsgrad=True)
        for _ in range(3):
            p.grad = tg.Tensor(g)
            optimizer.step()
        found.append(p.detach().numpy())
    tg.set_num_threads(threads)
    np.testing.assert_array_equal(*found)
    assert abs(found[0] - 1).min() > 0.1


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.1),
        lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
        lambda p: optim.Adam(p, lr=0.1),
        lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.0, amsgrad=True),
        lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5),
        lambda p: optim.Adagrad(p, lr=1.0),
        lambda p: optim.Adadelta(p, lr=20.0),
        lambda p: optim.Adamax(p, lr=0.1),
        lambda p: optim.NAdam(p, lr=0.1),
        lambda p: optim.RAdam(p, lr=0.1),
        lambda p: optim.ASGD(p, lr=0.1),
        lambda p: optim.Rprop(p),
        lambda p: optim.LBFGS(p, max_iter=1),
    ],
)
def test_each_finds_the_minimum_of_a_bowl(make):
    p = nn.Parameter(np.array([3.0, -2.0]))
    optimizer = make([p])

    def closure():
        optimizer.zero_grad()
        loss = ((p - tg.Tensor(np.array([1.0, 2.0]))) ** 2 * tg.Tensor(np.array([1.0, 3.0]))).sum()
        loss.backward()
        return loss

    for _ in range(400):
        optimizer.step(closure)
    np.testing.assert_allclose(p.detach().numpy(), [1, 2], atol=1e-3)
