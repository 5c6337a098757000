"""Averages of weights, against means written out."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.optim import swa_utils


def weights(averaged, model, values):
    for value in values:
        model.weight.data.fill_(value)
        averaged.update_parameters(model)
    return averaged.module.weight.item()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 3.0),
        ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}, 3.0),
        ({"avg_fn": swa_utils.get_ema_avg_fn(0.75)}, 0.75 * (0.75 * 1 + 0.25 * 2) + 0.25 * 6),
        ({"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.75)}, 0.75 * (0.75 * 1 + 0.25 * 2) + 0.25 * 6),
        ({"avg_fn": lambda mean, new, n: new * n}, 12.0),
        ({"device": "cpu"}, 3.0),
    ],
)
def test_parameters_are_averaged(options, expected):
    model = nn.Linear(1, 1, bias=False)
    averaged = swa_utils.AveragedModel(model, **options)
    assert weights(averaged, model, [1.0, 2.0, 6.0]) == pytest.approx(expected)
    assert averaged(tg.ones(1, 1)).item() == pytest.approx(expected)
    assert list(averaged.state_dict()) == ["n_averaged", "module.weight"]
    assert averaged.n_averaged.item() == 3


@pytest.mark.parametrize(("use_buffers", "expected"), [(False, 4.0), (True, 3.0)])
def test_buffers_are_copied_or_averaged(use_buffers, expected):
    model = nn.BatchNorm1d(1)
    averaged = swa_utils.AveragedModel(model, use_buffers=use_buffers)
    for value in (2.0, 4.0):
        model.running_mean.fill_(value)
        averaged.update_parameters(model)
    assert averaged.module.running_mean.item() == expected


def test_batch_normalisation_measures_anew():
    model = nn.Sequential(nn.BatchNorm1d(2, momentum=0.1), nn.Dropout(0.5))
    model.eval()
    x = np.random.default_rng(0).normal(3, 2, size=(4, 8, 2))
    swa_utils.update_bn([(tg.Tensor(b).float(), None) for b in x], model)
    np.testing.assert_allclose(model[0].running_mean.numpy(), x.mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(model[0].running_var.numpy(), x.var(1, ddof=1).mean(0), rtol=1e-5)
    assert (model[0].momentum, model.training) == (0.1, False)
    swa_utils.update_bn([], nn.Linear(1, 1))


@pytest.mark.parametrize(("strategy", "middle"), [("linear", 0.5), ("cos", 0.5), ("cos", None)])
def test_the_rate_goes_to_its_last_value(strategy, middle):
    optimizer = optim.SGD([nn.Parameter(np.ones(1))], lr=1.0)
    epochs = 0 if middle is None else 2
    schedule = swa_utils.SWALR(optimizer, 0.0, epochs, strategy)
    found = []
    for _ in range(4):
        found += schedule.get_last_lr()
        optimizer.step()
        schedule.step()
    expected = [0.0, 0, 0, 0] if middle is None else [1.0, middle, 0.0, 0.0]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s, o: s.get_ema_avg_fn(1.5), ValueError, "decay is 1.5"),
        (lambda s, o: s.SWALR(o, 0.1, -1), ValueError, "anneal_epochs is -1"),
        (lambda s, o: s.SWALR(o, 0.1, 1, "exp"), ValueError, "anneal_strategy is 'exp'"),
        (lambda s, o: s.SWALR(o, [0.1, 0.2]), ValueError, "swa_lr: 2 values given for 1"),
        (lambda s, o: s.AveragedModel(nn.Linear(1, 1), None, max, max), AssertionError, "give one of them"),
    ],
)
def test_wrong_arguments_are_explained(make, error, message):
    with pytest.raises(error, match=message):
        make(swa_utils, optim.SGD([tg.ones(1)]))
