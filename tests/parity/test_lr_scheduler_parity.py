"""Schedules against PyTorch's: fifty steps with drawn settings, alone, several at once, in sequence, and resumed."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn

STEPS = 50
FACTOR = st.floats(0.05, 0.99)
EPOCHS = st.integers(1, 20)
FLAG = st.booleans()


class Decay:
    """A callable object, whose attributes a state dict keeps."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return 1 / (1 + self.rate * epoch)


OPTIONS = {
    "StepLR": {"step_size": EPOCHS, "gamma": FACTOR},
    "MultiStepLR": {"milestones": st.lists(st.integers(0, 50), max_size=5), "gamma": FACTOR},
    "ConstantLR": {"factor": FACTOR, "total_iters": EPOCHS},
    "LinearLR": {"start_factor": FACTOR, "end_factor": st.floats(0, 1), "total_iters": EPOCHS},
    "ExponentialLR": {"gamma": FACTOR},
    "PolynomialLR": {"total_iters": EPOCHS, "power": st.floats(0.5, 3)},
    "CosineAnnealingLR": {"T_max": EPOCHS, "eta_min": st.floats(0, 0.05)},
    "CosineAnnealingWarmRestarts": {"T_0": EPOCHS, "T_mult": st.integers(1, 3), "eta_min": st.floats(0, 0.05)},
    "LambdaLR": {"lr_lambda": st.builds(Decay, FACTOR)},
    "MultiplicativeLR": {"lr_lambda": st.builds(Decay, FACTOR)},
}
CYCLES = {
    "OneCycleLR": {
        "max_lr": FACTOR,
        "total_steps": st.integers(STEPS, 80),
        "pct_start": st.floats(0.1, 0.4),
        "anneal_strategy": st.sampled_from(["cos", "linear"]),
        "cycle_momentum": FLAG,
        "base_momentum": FACTOR,
        "max_momentum": FACTOR,
        "div_factor": st.floats(1, 30),
        "final_div_factor": st.floats(1, 1e4),
        "three_phase": FLAG,
    },
    "CyclicLR": {
        "base_lr": st.floats(0.001, 0.1),
        "max_lr": st.floats(0.1, 1),
        "step_size_up": EPOCHS,
        "step_size_down": st.none() | EPOCHS,
        "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
        "gamma": FACTOR,
        "scale_fn": st.none() | st.builds(Decay, FACTOR),
        "scale_mode": st.sampled_from(["cycle", "iterations"]),
        "cycle_momentum": FLAG,
        "base_momentum": FACTOR,
        "max_momentum": FACTOR,
    },
}
ALL = {**OPTIONS, **CYCLES}


def optimisers(kind="SGD", tensor=False):
    """An optimiser of two groups, here and there."""
    found = []
    for m, module in ((tg, nn), (torch, torch.nn)):
        p, q = module.Parameter(m.ones(1)), module.Parameter(m.ones(1))
        lr = m.tensor(np.array(0.1)) if tensor else 0.1
        groups = [{"params": [p]}, {"params": [q], "lr": 0.3}]
        found.append(getattr(m.optim, kind)(groups, lr=lr))
    return found


def follow(optimizers, schedules, steps=STEPS, step=lambda schedule, k: schedule.step()):
    for k in range(steps):
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            step(schedule, k)
        assert_same(*optimizers)
        ours, theirs = ([float(lr) for lr in s.get_last_lr()] for s in schedules)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)


def assert_same(a, b):
    for ours, theirs in zip(a.param_groups, b.param_groups, strict=True):
        assert set(ours) == set(theirs)
        for name in set(ours) - {"params"}:
            if isinstance(theirs[name], (float, tuple, torch.Tensor)):
                ours_, theirs_ = (np.asarray(v, float) for v in (ours[name], theirs[name]))
                np.testing.assert_allclose(ours_, theirs_, rtol=1e-9, atol=1e-15, err_msg=name)
            else:
                assert ours[name] == theirs[name]


def assert_same_state(a, b):
    assert set(a) == set(b)
    for name in a:
        if name == "_schedulers":
            for ours, theirs in zip(a[name], b[name], strict=True):
                assert_same_state(ours, theirs)
        else:
            assert repr(a[name]) == repr(b[name]) or a[name] == pytest.approx(b[name], rel=1e-9), name


def pair(name, optimizers, options, **more):
    return [
        getattr(m.optim.lr_scheduler, name)(o, **options, **more) for m, o in zip((tg, torch), optimizers, strict=True)
    ]


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_schedules(name, data):
    options = data.draw(st.fixed_dictionaries(ALL[name]))
    optimizers = optimisers(data.draw(st.sampled_from(["SGD", "Adam"])))
    schedules = pair(name, optimizers, options)
    stop = data.draw(st.integers(0, STEPS))
    follow(optimizers, schedules, stop)
    states = [s.state_dict() for s in schedules]
    assert_same_state(*states)
    fresh = pair(name, optimisers(type(optimizers[0]).__name__), options)
    for new, state, optimizer in zip(fresh, states, optimizers, strict=True):
        new.load_state_dict(state)
        new.optimizer = optimizer
    follow(optimizers, fresh, STEPS - stop)


@pytest.mark.parametrize("name", ALL)
@given(data=st.data(), last_epoch=st.integers(0, 10))
@settings(max_examples=10, deadline=None)
def test_resuming_at_an_epoch(name, data, last_epoch):
    options = data.draw(st.fixed_dictionaries(ALL[name]))
    optimizers = optimisers()
    pair(name, optimizers, options)  # as a loaded optimiser's, the groups have what the first run wrote into them
    schedules = pair(name, optimizers, options, last_epoch=last_epoch)
    assert_same(*optimizers)
    follow(optimizers, schedules, 20)
    bare = optimisers()[0]
    with pytest.raises(KeyError, match=r"initial_lr|max_lr"):
        pair(name, [bare], options, last_epoch=last_epoch)


def pair_one(name, library, optimizer, options):
    return getattr(library.optim.lr_scheduler, name)(optimizer, **options)


@given(data=st.data(), together=FLAG)
@settings(max_examples=30, deadline=None)
def test_several_schedules_of_one_optimiser_multiply(data, together):
    names = data.draw(st.lists(st.sampled_from(list(OPTIONS)), min_size=2, max_size=3))
    drawn = [(name, data.draw(st.fixed_dictionaries(OPTIONS[name]))) for name in names]
    optimizers, schedules = optimisers(), []
    for m, optimizer in zip((tg, torch), optimizers, strict=True):
        schedules.append([pair_one(name, m, optimizer, options) for name, options in drawn])
    if together:
        chained = [
            m.optim.lr_scheduler.ChainedScheduler(inner, *([optimizer] if data.draw(FLAG) else []))
            for m, inner, optimizer in zip((tg, torch), schedules, optimizers, strict=True)
        ]
        follow(optimizers, chained, 25)
        assert_same_state(*(s.state_dict() for s in chained))
        return
    for _ in range(25):
        for optimizer, inner in zip(optimizers, schedules, strict=True):
            optimizer.step()
            for schedule in inner:
                schedule.step()
        assert_same(*optimizers)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_schedules_in_sequence(data):
    names = data.draw(st.lists(st.sampled_from(list(OPTIONS)), min_size=1, max_size=3))
    drawn = [(name, data.draw(st.fixed_dictionaries(OPTIONS[name]))) for name in names]
    inner = st.lists(st.integers(1, 40), min_size=len(names) - 1, max_size=len(names) - 1, unique=True)
    milestones = sorted(data.draw(inner))
    optimizers, schedules = optimisers(), []
    for m, optimizer in zip((tg, torch), optimizers, strict=True):
        parts = [pair_one(name, m, optimizer, options) for name, options in drawn]
        schedules.append(m.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones))
    assert_same(*optimizers)
    follow(optimizers, schedules)
    assert_same_state(*(s.state_dict() for s in schedules))
    again = schedules[0].state_dict()
    schedules[0].load_state_dict(again)
    assert_same_state(again, schedules[0].state_dict())


@given(
    options=st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["min", "max"]),
            "factor": FACTOR,
            "patience": st.integers(0, 4),
            "threshold": st.sampled_from([1e-4, 0.1]),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 3),
            "min_lr": st.sampled_from([0, 0.01, [0.05, 0.001]]),
            "eps": st.sampled_from([1e-8, 0.05]),
        }
    ),
    figures=st.lists(st.floats(-2, 2), min_size=10, max_size=40),
    tensor=FLAG,
)
@settings(max_examples=60, deadline=None)
def test_plateaus(options, figures, tensor):
    optimizers = optimisers(tensor=tensor)
    schedules = pair("ReduceLROnPlateau", optimizers, options)
    follow(optimizers, schedules, len(figures), lambda schedule, k: schedule.step(figures[k]))
    if not tensor:
        assert_same_state(*(s.state_dict() for s in schedules))


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_a_rate_that_is_a_tensor_is_filled(name, data):
    options = data.draw(st.fixed_dictionaries(ALL[name]))
    optimizers = optimisers(tensor=True)
    held = optimizers[0].param_groups[0]["lr"]
    schedules = pair(name, optimizers, options)
    follow(optimizers, schedules, 20)
    assert optimizers[0].param_groups[0]["lr"] is held


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data(), epochs=st.lists(st.integers(0, 30), min_size=1, max_size=6))
@settings(max_examples=10, deadline=None)
def test_going_to_an_epoch(name, data, epochs):
    options = data.draw(st.fixed_dictionaries(OPTIONS[name]))
    optimizers = optimisers()
    schedules = pair(name, optimizers, options)

    def step(schedule, k):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            schedule.step(epochs[k])
        assert [w.category for w in seen] == ([] if name.endswith("Restarts") else [UserWarning])

    follow(optimizers, schedules, len(epochs), step)


@given(st.integers(1, 5), st.integers(1, 3), st.lists(st.floats(0, 40), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_restarts_may_be_given_parts_of_an_epoch(first, times, epochs):
    optimizers = optimisers()
    schedules = pair("CosineAnnealingWarmRestarts", optimizers, {"T_0": first, "T_mult": times})
    follow(optimizers, schedules, len(epochs), lambda schedule, k: schedule.step(epochs[k]))


def messages(call):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        call()
    return [w.category for w in seen]


@pytest.mark.parametrize("stepped_before", [False, True])
@pytest.mark.parametrize("stepped_after", [False, True])
def test_the_order_of_steps_is_looked_at(stepped_before, stepped_after):
    found = []
    for m, optimizer in zip((tg, torch), optimisers(), strict=True):
        if stepped_before:
            optimizer.step()
        schedule = m.optim.lr_scheduler.StepLR(optimizer, 3)
        second = m.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        if stepped_after:
            optimizer.step()
        found.append([messages(schedule.step), messages(second.step), messages(schedule.step), messages(second.get_lr)])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o: s.StepLR(3, 1),
        lambda s, o: s.LRScheduler(o),
        lambda s, o: s.StepLR(o, 1, last_epoch=3),
        lambda s, o: s.StepLR(o, "2").step(),
        lambda s, o: s.StepLR(o),
        lambda s, o: s.MultiStepLR(o, 3),
        lambda s, o: s.ConstantLR(o, 2.0),
        lambda s, o: s.LinearLR(o, 0.0),
        lambda s, o: s.LinearLR(o, 0.5, 1.5),
        lambda s, o: s.LambdaLR(o, [abs]),
        lambda s, o: s.LambdaLR(o, 3),
        lambda s, o: s.MultiplicativeLR(o, [abs, abs, abs]),
        lambda s, o: s.MultiplicativeLR(o, 0.5),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2.5),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 0),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 1, "0"),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
        lambda s, o: s.OneCycleLR(o, 0.1),
        lambda s, o: s.OneCycleLR(o, 0.1, 0),
        lambda s, o: s.OneCycleLR(o, 0.1, epochs=3),
        lambda s, o: s.OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=-1),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=1),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="sin"),
        lambda s, o: s.OneCycleLR(o, [0.1], 10),
        lambda s, o: [x.step() for x in [s.OneCycleLR(o, 0.1, 3)] for _ in range(4)],
        lambda s, o: s.CyclicLR(o, [0.1], 0.2),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
        lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
        lambda s, o: s.ReduceLROnPlateau(o, mode="most"),
        lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="most"),
        lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
        lambda s, o: s.ReduceLROnPlateau(3),
        lambda s, o: s.ReduceLROnPlateau(o).step(),
        lambda s, o: s.SequentialLR(o, [], []),
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]),
        lambda s, o: s.SequentialLR(o, [3], []),
        lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
        lambda s, o: s.ChainedScheduler([]),
        lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
    ],
)
def test_the_same_mistakes_raise_the_same_kind_of_error(make):
    found = []
    for m, optimizer in zip((tg, torch), optimisers(), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                make(m.optim.lr_scheduler, optimizer)
                found.append(None)
            except Exception as error:
                found.append(error)
    assert found[1] is not None
    assert isinstance(found[0], type(found[1])), repr(found[0])


@pytest.mark.parametrize("name", ["OneCycleLR", "CyclicLR"])
def test_cycling_a_momentum_needs_one(name):
    options = {"OneCycleLR": {"max_lr": 0.1, "total_steps": 9}, "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0}}[name]
    for m, optimizer in zip((tg, torch), optimisers("Adagrad"), strict=True):
        with pytest.raises(ValueError, match="momentum"):
            pair_one(name, m, optimizer, options)
