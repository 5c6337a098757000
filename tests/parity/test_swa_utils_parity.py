"""Averages of weights against PyTorch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim


@given(
    lr=st.floats(0, 1) | st.tuples(st.floats(0, 1), st.floats(0, 1)).map(list),
    anneal_epochs=st.integers(0, 12),
    anneal_strategy=st.sampled_from(["cos", "linear"]),
    stop=st.integers(0, 15),
)
@settings(max_examples=40, deadline=None)
def test_the_rate_of_averaging(lr, anneal_epochs, anneal_strategy, stop):
    pairs = []
    for m, module in ((tg, nn), (torch, torch.nn)):
        groups = [{"params": [module.Parameter(m.ones(1))]}, {"params": [module.Parameter(m.ones(1))], "lr": 0.3}]
        optimizer = m.optim.SGD(groups, lr=0.1)
        pairs.append((optimizer, m.optim.swa_utils.SWALR(optimizer, lr, anneal_epochs, anneal_strategy)))
    for k in range(15):
        for number, (optimizer, schedule) in enumerate(pairs):
            optimizer.step()
            schedule.step()
            if k == stop:
                library = (optim, torch.optim)[number]
                again = library.swa_utils.SWALR(optimizer, lr, 3)
                again.load_state_dict(schedule.state_dict())
                pairs[number] = optimizer, again
        ours, theirs = (schedule.state_dict() for _, schedule in pairs)
        assert set(ours) == set(theirs)
        assert ours["_last_lr"] == pytest.approx(theirs["_last_lr"], rel=1e-9, abs=1e-15)


AVERAGES = [
    lambda s: {},
    lambda s: {"use_buffers": True},
    lambda s: {"avg_fn": s.get_ema_avg_fn(0.7)},
    lambda s: {"avg_fn": s.get_swa_avg_fn(), "use_buffers": True},
    lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.7), "use_buffers": True},
    lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
]


@pytest.mark.parametrize("options", AVERAGES)
def test_averaged_models(options):
    random = np.random.default_rng(0)
    ours, theirs = (n.Sequential(n.Linear(3, 4), n.BatchNorm1d(4)).double() for n in (nn, torch.nn))
    a = optim.swa_utils.AveragedModel(ours, **options(optim.swa_utils))
    b = torch.optim.swa_utils.AveragedModel(theirs, **options(torch.optim.swa_utils))
    for _ in range(4):
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            value = random.normal(size=tuple(q.shape))
            p.data.copy_(tg.Tensor(value))
            q.data.copy_(torch.tensor(value))
        x = random.normal(size=(5, 3))
        ours(tg.Tensor(x))
        theirs(torch.tensor(x))
        a.update_parameters(ours)
        b.update_parameters(theirs)
    batches = random.normal(size=(3, 5, 3))
    for update_bn in (False, True):
        if update_bn:
            optim.swa_utils.update_bn([tg.Tensor(x) for x in batches], a)
            torch.optim.swa_utils.update_bn([torch.tensor(x) for x in batches], b)
        assert repr(a) == repr(b)
        assert list(a.state_dict()) == list(b.state_dict())
        for (name, p), q in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
            # PyTorch's mean for lists multiplies by 1 / n in float32
            near = {"rtol": 1e-5, "atol": 1e-7} if options is AVERAGES[-1] else {"rtol": 1e-9, "atol": 1e-12}
            np.testing.assert_allclose(p.numpy(), q.numpy(), **near, err_msg=name)
