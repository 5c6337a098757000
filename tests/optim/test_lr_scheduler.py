"""Schedules against their formulas, written out; and what they refuse."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.optim import lr_scheduler


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


def test_schedules_of_steps():
    assert rates(lambda o: lr_scheduler.MultiStepLR(o, [1, 3, 3], 0.5), 5) == [0.8, 0.4, 0.4, 0.1, 0.1]
    assert rates(lambda o: lr_scheduler.ConstantLR(o, 0.5, 2), 4) == [0.4, 0.4, 0.8, 0.8]
    assert rates(lambda o: lr_scheduler.ExponentialLR(o, 0.5), 3) == [0.8, 0.4, 0.2]
    assert rates(lambda o: lr_scheduler.MultiplicativeLR(o, lambda k: 1 / k), 4) == pytest.approx(
        [0.8 / math.factorial(k) for k in range(4)]
    )


def test_milestones_may_come_back_as_a_plain_dict():
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8)
    schedule = lr_scheduler.MultiStepLR(optimizer, [1, 3], 0.5)
    state = schedule.state_dict()
    schedule.load_state_dict({**state, "milestones": dict(state["milestones"])})
    found = []
    for _ in range(4):
        optimizer.step()
        schedule.step()
        found += schedule.get_last_lr()
    assert found == [0.4, 0.4, 0.2, 0.2]


def test_schedules_along_a_line():
    linear = rates(lambda o: lr_scheduler.LinearLR(o, 0.25, 1.0, 3), 5)
    assert linear == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8])
    assert rates(lambda o: lr_scheduler.PolynomialLR(o, 4, 2.0), 6) == pytest.approx(
        [0.8 * (1 - min(k, 4) / 4) ** 2 for k in range(6)]
    )


def test_restarts():
    found = rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2, 0.2), 7)
    shares = [0, 1 / 2, 0, 1 / 4, 1 / 2, 3 / 4, 0]
    assert found == pytest.approx([0.2 + 0.3 * (1 + math.cos(math.pi * share)) for share in shares])


def test_one_cycle_rises_and_falls_and_takes_the_momentum_along():
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8, momentum=0.5)
    options = {"pct_start": 0.5, "anneal_strategy": "linear", "div_factor": 4.0, "final_div_factor": 5.0}
    schedule = lr_scheduler.OneCycleLR(optimizer, 2.0, 6, **options)
    found = []
    for _ in range(5):
        found.append((schedule.get_last_lr()[0], optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        schedule.step()
    assert found == [
        pytest.approx(row)
        for row in [(0.5, 0.95), (1.25, 0.9), (2.0, 0.85), (2 - 1.9 / 3, 0.85 + 0.1 / 3), (2 - 3.8 / 3, 0.85 + 0.2 / 3)]
    ]


def test_cycles_go_up_and_down():
    found = rates(lambda o: lr_scheduler.CyclicLR(o, 0.1, 0.5, 2, mode="triangular2", cycle_momentum=False), 8)
    assert found == pytest.approx([0.1, 0.3, 0.5, 0.3, 0.1, 0.2, 0.3, 0.2])
    scaled = rates(lambda o: lr_scheduler.CyclicLR(o, 0.0, 1.0, 1, 3, scale_fn=lambda x: x, cycle_momentum=False), 6)
    assert scaled == pytest.approx([0, 1, 2 / 3, 1 / 3, 0, 2])
    optimizer = optim.Adam([nn.Parameter(np.ones(1))])
    schedule = lr_scheduler.CyclicLR(optimizer, 0.1, 0.5, 2, base_momentum=0.6, max_momentum=0.8)
    assert optimizer.param_groups[0]["betas"] == (0.8, 0.999)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["betas"] == (pytest.approx(0.7), 0.999)


def test_a_plateau_lowers_the_rate_after_patience_and_then_rests():
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=2, min_lr=0.3)
    found = []
    for figure in (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5):
        schedule.step(tg.tensor(figure))
        found.append(schedule.get_last_lr()[0])
    assert found == [0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.3, 0.3]
    optimizer.add_param_group({"params": nn.Parameter(np.ones(1)), "lr": 1.0})
    for _ in range(5):
        schedule.step(2.0)
    assert schedule.get_last_lr() == [0.3, 0.5]
    listed = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.1, 0.1])
    optimizer.add_param_group({"params": nn.Parameter(np.ones(1))})
    listed.step(1.0)
    with pytest.raises(RuntimeError, match="the optimiser has 3 groups now, and min_lr was given for 2"):
        listed.step(1.0)


def test_two_schedules_multiply():
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8)
    schedules = [lr_scheduler.ExponentialLR(optimizer, 0.5), lr_scheduler.StepLR(optimizer, 2, 0.1)]
    chained = lr_scheduler.ChainedScheduler(schedules)
    found = [chained.get_last_lr()[0]]
    for _ in range(3):
        optimizer.step()
        chained.step()
        found += chained.get_last_lr()
    assert found == pytest.approx([0.8, 0.4, 0.02, 0.01])


def test_a_sequence_goes_on_from_its_state():
    def make():
        optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8)
        parts = [lr_scheduler.ConstantLR(optimizer, 0.5, 9), lr_scheduler.ExponentialLR(optimizer, 0.5)]
        return optimizer, lr_scheduler.SequentialLR(optimizer, parts, [2])

    def go(optimizer, schedule, steps):
        found = []
        for _ in range(steps):
            optimizer.step()
            schedule.step()
            found += schedule.get_last_lr()
        return found

    assert go(*make(), 5) == [0.4, 0.8, 0.4, 0.2, 0.1]
    first, second = make(), make()
    go(*first, 3)
    second[0].load_state_dict(first[0].state_dict())
    second[1].load_state_dict(first[1].state_dict())
    assert go(*second, 2) == [0.2, 0.1]


def test_a_rate_in_a_tensor_is_written_in_place():
    rate = tg.tensor(0.8)
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=rate)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.4)
    assert schedule.base_lrs[0].item() == pytest.approx(0.8)


def test_a_schedule_before_its_optimiser_is_warned_of():
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=0.8)
    schedule = lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"lr_scheduler.step\(\) was called before optimizer.step\(\)"):
        schedule.step()
    with pytest.warns(UserWarning, match="the argument `epoch` .* is deprecated"):
        schedule.step(5)
    assert schedule.get_last_lr() == [pytest.approx(0.008)]
    with pytest.warns(UserWarning, match=r"the present ones are get_last_lr\(\)"):
        schedule.get_lr()


class Decay:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate


@pytest.mark.parametrize(
    "make",
    [
        lambda o, rate: lr_scheduler.LambdaLR(o, Decay(rate)),
        lambda o, rate: lr_scheduler.CyclicLR(o, 0.0, 1.0, 1, scale_fn=Decay(rate), cycle_momentum=False),
    ],
)
def test_a_state_dict_keeps_the_attributes_of_a_callable(make):
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=1.0)
    other = make(optimizer, 0.125)
    other.load_state_dict(make(optimizer, 0.5).state_dict())
    optimizer.step()
    other.step()
    assert other.get_last_lr() == [0.5]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s, o: s.StepLR(o, 0), ValueError, "step_size is 0"),
        (lambda s, o: s.StepLR(3, 1), TypeError, "StepLR: int is not an Optimizer"),
        (lambda s, o: s.StepLR(o, 1, last_epoch=2), KeyError, "group 0 has no 'initial_lr' to resume"),
        (lambda s, o: s.LRScheduler(o), NotImplementedError, "LRScheduler: get_lr is not written"),
        (lambda s, o: s.CosineAnnealingLR(o, 0), ValueError, "T_max is 0"),
        (lambda s, o: s.LambdaLR(o, [abs, abs]), ValueError, "2 functions for 1 groups"),
        (lambda s, o: s.LambdaLR(o, 0.5), TypeError, "float cannot be called; give a function of the epoch"),
        (lambda s, o: s.ConstantLR(o, 1.5), ValueError, "factor is 1.5"),
        (lambda s, o: s.LinearLR(o, 0), ValueError, "start_factor is 0"),
        (lambda s, o: s.LinearLR(o, 1, 2), ValueError, "end_factor is 2"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 1.5), ValueError, "T_0 is 1.5; expected an integer"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 0), ValueError, "T_mult is 0"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 1, None), ValueError, "eta_min is None"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 1).step(-1), ValueError, "epoch is -1"),
        (lambda s, o: s.ReduceLROnPlateau(o, factor=2), ValueError, "factor is 2; it must be below 1"),
        (lambda s, o: s.ReduceLROnPlateau(o, "low"), ValueError, "mode is 'low'"),
        (lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="low"), ValueError, "threshold_mode is 'low'"),
        (lambda s, o: s.ReduceLROnPlateau(o, min_lr=[1, 2]), ValueError, "2 min_lr for 1 groups"),
        (lambda s, o: s.OneCycleLR(o, 1.0), ValueError, "give total_steps, or both epochs and steps_per_epoch"),
        (lambda s, o: s.OneCycleLR(o, 1.0, -1), ValueError, "total_steps is -1"),
        (lambda s, o: s.OneCycleLR(o, 1.0, epochs=1.0, steps_per_epoch=1), ValueError, "epochs is 1.0"),
        (lambda s, o: s.OneCycleLR(o, 1.0, 5, pct_start=2.0), ValueError, "pct_start is 2.0"),
        (lambda s, o: s.OneCycleLR(o, 1.0, 5, anneal_strategy="up"), ValueError, "anneal_strategy is 'up'"),
        (lambda s, o: s.OneCycleLR(o, [1.0, 2.0], 5), ValueError, "max_lr: 2 values given for 1 parameter groups"),
        (lambda s, o: s.CyclicLR(o, 0.1, 1.0, mode="up"), ValueError, "mode is 'up'"),
        (lambda s, o: s.SequentialLR(o, [], []), ValueError, "got no schedulers"),
        (lambda s, o: s.SequentialLR(o, [o], []), TypeError, "scheduler 0 is a SGD, which has no optimizer"),
        (lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [1]), ValueError, "1 schedulers and 1 milestones"),
        (lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]), ValueError, "needs a figure each step"),
        (
            lambda s, o: s.ChainedScheduler([s.StepLR(o, 1), s.StepLR(optim.SGD([tg.ones(1)]), 1)]),
            ValueError,
            "scheduler 1 has another optimiser",
        ),
    ],
)
def test_wrong_arguments_are_explained(make, error, message):
    with pytest.raises(error, match=message):
        make(lr_scheduler, optim.SGD([nn.Parameter(np.ones(2))], lr=0.1))


def test_a_cycle_needs_a_momentum_and_enough_steps():
    with pytest.raises(ValueError, match="Adagrad has neither momentum nor betas to cycle"):
        lr_scheduler.CyclicLR(optim.Adagrad([tg.ones(1)]), 0.1, 1.0)
    optimizer = optim.SGD([tg.ones(1)])
    schedule = lr_scheduler.OneCycleLR(optimizer, 1.0, 2)
    for _ in range(2):
        optimizer.step()
        schedule.step()
    with pytest.raises(ValueError, match="step 3 of 2; give a larger total_steps"):
        schedule.step()


def test_a_rate_asked_for_outside_a_step_is_warned_of():
    kinds = optim.lr_scheduler
    for make in (
        lambda o: kinds.OneCycleLR(o, max_lr=0.5, total_steps=5),
        lambda o: kinds.CyclicLR(o, base_lr=0.1, max_lr=0.5, cycle_momentum=False),
        lambda o: kinds.StepLR(o, 3),
        lambda o: kinds.CosineAnnealingLR(o, 3),
        lambda o: kinds.PolynomialLR(o),
    ):
        scheduler = make(optim.SGD([nn.Parameter(tg.ones(1))], lr=0.1, momentum=0.9))
        with pytest.warns(UserWarning, match="get_last_lr"):
            scheduler.get_lr()
