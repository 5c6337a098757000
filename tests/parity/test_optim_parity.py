"""Optimisers against PyTorch's: ten steps, with drawn settings, two groups, and a save and load in between."""

import copy
import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim

SHAPES = [(3, 2), (4,), ()]
STEPS = 12
RATE = st.floats(1e-3, 0.5)
SHARE = st.floats(0.0, 0.99)
DECAY = st.sampled_from([0, 0.1])
BETAS = st.tuples(SHARE, st.floats(0.5, 0.999))
EPS = st.sampled_from([1e-8, 1e-3])
FLAG = st.booleans()

OPTIONS = {
    "SGD": {
        "lr": RATE,
        "momentum": st.sampled_from([0, 0.9]),
        "dampening": st.sampled_from([0, 0.3]),
        "weight_decay": DECAY,
    },
    "Adam": {"lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "amsgrad": FLAG},
    "AdamW": {"lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "amsgrad": FLAG},
    "RMSprop": {
        "lr": RATE,
        "alpha": st.floats(0.5, 0.99),
        "eps": st.just(1e-3),
        "weight_decay": DECAY,
        "momentum": st.sampled_from([0, 0.9]),
        "centered": FLAG,
    },
    "Adagrad": {
        "lr": RATE,
        "lr_decay": DECAY,
        "weight_decay": DECAY,
        "initial_accumulator_value": st.sampled_from([0, 0.5]),
        "eps": EPS,
    },
    "Adadelta": {"lr": RATE, "rho": st.floats(0, 1), "eps": EPS, "weight_decay": DECAY},
    "Adamax": {"lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY},
    "NAdam": {
        "lr": RATE,
        "betas": BETAS,
        "eps": EPS,
        "weight_decay": DECAY,
        "momentum_decay": st.sampled_from([0, 4e-3, 0.5]),
        "decoupled_weight_decay": FLAG,
    },
    "RAdam": {"lr": RATE, "betas": BETAS, "eps": EPS, "weight_decay": DECAY, "decoupled_weight_decay": FLAG},
    "ASGD": {
        "lr": RATE,
        "lambd": st.sampled_from([1e-4, 0.1]),
        "alpha": st.floats(0, 1),
        "t0": st.sampled_from([0, 3, 1e6]),
        "weight_decay": DECAY,
    },
    "Rprop": {"lr": RATE, "etas": st.sampled_from([(0.5, 1.2), (0.1, 3.0)]), "step_sizes": st.just((1e-3, 1.0))},
    "Adafactor": {
        "lr": RATE,
        "beta2_decay": st.floats(-1, 0),
        "eps": st.sampled_from([(None, 1e-3), (1e-4, 0.1)]),
        "d": st.floats(1, 3),
        "weight_decay": DECAY,
    },
}


def drawn_settings(data, name):
    chosen = data.draw(st.fixed_dictionaries(OPTIONS[name]))
    chosen["maximize"] = data.draw(FLAG)
    if name == "SGD" and chosen["momentum"] and not chosen["dampening"]:
        chosen["nesterov"] = data.draw(FLAG)
    return chosen


def parameters(seed):
    values = [np.array(np.random.default_rng(seed + k).normal(size=shape)) for k, shape in enumerate(SHAPES)]
    ours, theirs = [nn.Parameter(v.copy()) for v in values], [torch.nn.Parameter(torch.tensor(v)) for v in values]
    return ours, theirs


def step(pairs, optimizers, rng, rtol=1e-8, atol=1e-9):
    for p, q in pairs:
        g = np.array(rng.normal(size=p.shape))
        p.grad, q.grad = tg.Tensor(g), torch.tensor(g)
    for optimizer in optimizers:
        optimizer.step()
    for p, q in pairs:
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=rtol, atol=atol)


def plain(value):
    """State with arrays in place of Tensors."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value.detach().numpy().copy() if isinstance(value, (tg.Tensor, torch.Tensor)) else value


def torchs(value):
    """State with PyTorch's Tensors in place of arrays."""
    if isinstance(value, dict):
        return {k: torchs(v) for k, v in value.items()}
    if isinstance(value, list):
        return [torchs(v) for v in value]
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


def assert_same_state(ours, theirs):
    a, b = plain(ours.state_dict()), plain(theirs.state_dict())
    assert a["param_groups"] == b["param_groups"]
    assert list(a["state"]) == list(b["state"])
    for k in a["state"]:
        assert list(a["state"][k]) == list(b["state"][k])
        for name, value in a["state"][k].items():
            other = b["state"][k][name]
            assert (value.shape, value.dtype) == (other.shape, other.dtype), name
            np.testing.assert_allclose(value, other, rtol=1e-6 if value.dtype == np.float32 else 1e-8, atol=1e-9)


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data(), seed=st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_steps(name, data, seed):
    first, second = drawn_settings(data, name), drawn_settings(data, name)
    if name == "Adagrad":  # PyTorch starts every group at the default
        second.pop("initial_accumulator_value")
    ours, theirs = parameters(seed)
    groups = lambda p: [{"params": p[:1]}, {"params": p[1:], **second}]  # noqa: E731
    a, b = getattr(optim, name)(groups(ours), **first), getattr(torch.optim, name)(groups(theirs), **first)
    assert repr(a) == repr(b)
    pairs, rng = list(zip(ours, theirs, strict=True)), np.random.default_rng(seed)
    for k in range(STEPS):
        step(pairs, (a, b), rng)
        if k == 4:  # each goes on from the other's state
            assert_same_state(a, b)
            ours_saved, theirs_saved = plain(a.state_dict()), plain(b.state_dict())
            a, b = getattr(optim, name)(groups(ours), lr=0.7), getattr(torch.optim, name)(groups(theirs), lr=0.7)
            a.load_state_dict(theirs_saved)
            b.load_state_dict(torchs(ours_saved))
            assert repr(a) == repr(b)
    assert_same_state(a, b)


def rosenbrock(x, y):
    return ((1 - x) ** 2 + 10 * (y - x**2) ** 2).sum()


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
@given(
    lr=st.floats(0.01, 1.0),
    max_iter=st.integers(1, 8),
    max_eval=st.sampled_from([None, 1, 3, 6]),
    history_size=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
@settings(max_examples=30, deadline=None)
def test_lbfgs(line_search_fn, lr, max_iter, max_eval, history_size, seed):
    if line_search_fn is None:
        lr = lr / 50
    options = {"lr": lr, "max_iter": max_iter, "max_eval": max_eval, "history_size": history_size}
    start = np.random.default_rng(seed).uniform(-1, 1, size=(2, 3))
    ours, theirs = [nn.Parameter(v.copy()) for v in start], [torch.nn.Parameter(torch.tensor(v)) for v in start]
    a = optim.LBFGS(ours, line_search_fn=line_search_fn, **options)
    b = torch.optim.LBFGS(theirs, line_search_fn=line_search_fn, **options)
    assert repr(a) == repr(b)

    def closure(optimizer, params):
        def evaluate():
            optimizer.zero_grad()
            loss = rosenbrock(*params)
            loss.backward()
            return loss

        return evaluate

    for k in range(5):
        found, expected = a.step(closure(a, ours)), b.step(closure(b, theirs))
        np.testing.assert_allclose(found.item(), expected.item(), rtol=1e-6)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-7, atol=1e-8)
        states = a.state_dict()["state"][0], b.state_dict()["state"][0]
        assert [states[0][n] for n in ("func_evals", "n_iter")] == [states[1][n] for n in ("func_evals", "n_iter")]
        assert set(states[1]) - set(states[0]) <= {"al"}
        if k == 2:
            saved = plain(b.state_dict())
            a = optim.LBFGS(ours, lr=0.1)
            a.load_state_dict(saved)
            assert repr(a) == repr(b)


def test_named_parameters_are_kept_by_name():
    ours, theirs = nn.Linear(2, 3), torch.nn.Linear(2, 3)
    a, b = optim.SGD(ours.named_parameters(), lr=0.1), torch.optim.SGD(theirs.named_parameters(), lr=0.1)
    assert repr(a) == repr(b)
    assert a.state_dict() == b.state_dict()


def test_a_learning_rate_may_be_a_tensor():
    for name in OPTIONS:
        ours, theirs = parameters(0)
        a = getattr(optim, name)(ours, lr=tg.tensor(0.1))
        b = getattr(torch.optim, name)(theirs, lr=torch.tensor(0.1))
        assert repr(a) == repr(b)
        pairs, rng = list(zip(ours, theirs, strict=True)), np.random.default_rng(1)
        for _ in range(3):
            step(pairs, (a, b), rng, rtol=1e-6, atol=1e-7)  # PyTorch's numbers are then of the rate's dtype, float32


def test_a_copy_of_an_optimiser_is_independent():
    for library, params in ((optim, [nn.Parameter(np.ones(2))]), (torch.optim, [torch.nn.Parameter(torch.ones(2))])):
        optimizer = library.Adam(params, lr=0.1)
        params[0].grad = params[0].detach() * 2
        optimizer.step()
        twin = copy.deepcopy(optimizer)
        optimizer.step()
        (state,) = twin.state_dict()["state"].values()
        assert float(state["step"]) == 1


def both(make):
    """What the call raises here and there, or None."""
    found = []
    for m, module in ((tg, nn), (torch, torch.nn)):
        try:
            make(m, m.optim, module.Parameter(m.ones(2)))
            found.append(None)
        except Exception as error:
            found.append(error)
    return found


@pytest.mark.parametrize(
    "make",
    [
        lambda m, o, p: o.SGD(p),
        lambda m, o, p: o.SGD([]),
        lambda m, o, p: o.SGD(3),
        lambda m, o, p: o.SGD([1.0]),
        lambda m, o, p: o.SGD([p * 2]),
        lambda m, o, p: o.SGD([{"params": [p]}, {"params": [p]}]),
        lambda m, o, p: o.SGD([{"params": {p}}]),
        lambda m, o, p: o.SGD([{"lr": 1.0}]),
        lambda m, o, p: o.SGD([("a", p), m.ones(1)]),
        lambda m, o, p: o.SGD([{"params": [("a", p)]}, {"params": [m.ones(1)]}]),
        lambda m, o, p: o.SGD([p]).add_param_group([p]),
        lambda m, o, p: o.SGD([p], lr=-1.0),
        lambda m, o, p: o.SGD([p], lr=m.ones(2)),
        lambda m, o, p: o.SGD([p], momentum=-1.0),
        lambda m, o, p: o.SGD([p], nesterov=True),
        lambda m, o, p: o.SGD([p], lr="1"),
        lambda m, o, p: o.SGD([p], rate=1),
        lambda m, o, p: o.Adam([p], betas=(0.9, 1.0)),
        lambda m, o, p: o.Adam([p], betas=(0, 0.9)),
        lambda m, o, p: o.AdamW([p], eps=-1.0),
        lambda m, o, p: o.RMSprop([p], alpha=-1.0),
        lambda m, o, p: o.Adagrad([p], lr_decay=-1.0),
        lambda m, o, p: o.Adadelta([p], rho=2.0),
        lambda m, o, p: o.Adamax([p], weight_decay=-1.0),
        lambda m, o, p: o.NAdam([p], momentum_decay=-1.0),
        lambda m, o, p: o.RAdam([p], betas=(-1.0, 0.9)),
        lambda m, o, p: o.ASGD([p], weight_decay=-1.0),
        lambda m, o, p: o.Rprop([p], etas=(1.5, 2.0)),
        lambda m, o, p: o.Adafactor([p], d=0.5),
        lambda m, o, p: o.Adafactor([p], beta2_decay=0.5),
        lambda m, o, p: o.LBFGS([{"params": [p]}, {"params": [m.ones(1)]}]),
        lambda m, o, p: o.LBFGS([p]).step(),
        lambda m, o, p: o.SGD([p]).load_state_dict({"state": {}}),
        lambda m, o, p: o.SGD([p]).load_state_dict({"state": {}, "param_groups": []}),
        lambda m, o, p: o.SGD([p]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}),
        lambda m, o, p: o.lr_scheduler.LRScheduler(o.SGD([p])),
        lambda m, o, p: o.NoSuchOptimiser,
    ],
)
def test_the_same_mistakes_raise_the_same_kind_of_error(make):
    ours, theirs = both(make)
    assert theirs is not None
    assert isinstance(ours, type(theirs)), repr(ours)


NAMED = [*OPTIONS, "LBFGS", "Optimizer"]
SCHEDULES = [n for n in torch.optim.lr_scheduler.__all__ if n != "LRScheduler"] + ["LRScheduler", "_LRScheduler"]
AVERAGES = [n for n in torch.optim.swa_utils.__all__ if n != "AveragedModel"]


def parameters_of(function):
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(
    ("ours", "theirs", "names"),
    [
        (optim, torch.optim, NAMED),
        (optim.lr_scheduler, torch.optim.lr_scheduler, SCHEDULES),
        (optim.swa_utils, torch.optim.swa_utils, [*AVERAGES, "AveragedModel"]),
    ],
)
def test_signatures_are_pytorchs(ours, theirs, names):
    for name in names:
        assert parameters_of(getattr(ours, name)) == parameters_of(getattr(theirs, name)), name
    for method in ("step", "zero_grad", "add_param_group", "state_dict", "load_state_dict"):
        assert parameters_of(getattr(optim.Optimizer, method)) == parameters_of(getattr(torch.optim.Optimizer, method))


def test_what_is_public_is_here_or_said_not_to_be():
    for name in torch.optim.__all__:
        if not hasattr(optim, name):
            with pytest.raises(AttributeError, match=f"'{name}': "):
                getattr(optim, name)
    assert {n for n in torch.optim.__all__ if not hasattr(optim, n)} == {
        "SparseAdam",
        "swap_in_optimizer_params_and_state",
    }
