"""Initialisation: bounds, deviations and fans by their formulas."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.nn import init

SHAPE = (60, 20, 5, 5)
FAN_IN, FAN_OUT = 20 * 25, 60 * 25


@pytest.mark.parametrize(
    ("fill", "deviation"),
    [
        (lambda t: init.kaiming_uniform_(t, nonlinearity="relu"), math.sqrt(2 / FAN_IN)),
        (lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"), math.sqrt(2 / FAN_OUT)),
        (lambda t: init.kaiming_normal_(t, a=1), math.sqrt(1 / FAN_IN)),
        (lambda t: init.xavier_uniform_(t, 2.0), 2 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
        (lambda t: init.xavier_normal_(t), math.sqrt(2 / (FAN_IN + FAN_OUT))),
        (lambda t: init.uniform_(t, -3, 3), math.sqrt(3)),
        (lambda t: init.normal_(t, 0, 4), 4.0),
    ],
)
def test_the_deviation_is_that_of_the_paper(fill, deviation):
    tg.manual_seed(0)
    t = tg.empty(*SHAPE, requires_grad=True)
    assert fill(t) is t
    n = t.numel()
    values = t.detach().numpy()
    assert values.std() == pytest.approx(deviation, rel=6 / math.sqrt(n))
    assert abs(values.mean()) < 6 * deviation / math.sqrt(n)
    assert t.is_leaf


def test_the_same_generator_fills_alike():
    a, b = (init.normal_(tg.empty(5), generator=tg.Generator().manual_seed(3)) for _ in range(2))
    assert tg.equal(a, b)


def test_constants():
    assert init.ones_(tg.empty(3)).tolist() == [1, 1, 1]
    assert init.zeros_(tg.empty(2)).tolist() == [0, 0]
    assert init.constant_(tg.empty(2, requires_grad=True), 5).tolist() == [5, 5]


def test_gains():
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)


def test_wrong_arguments_are_explained():
    with pytest.raises(ValueError, match="nonlinearity is 'reul'; known are"):
        init.calculate_gain("reul")
    with pytest.raises(ValueError, match=r"init: a tensor of shape .*3.* has no fan; it needs at least 2 dims"):
        init.xavier_normal_(tg.empty(3))
    with pytest.raises(ValueError, match="mode is 'fan'; it must be 'fan_in' or 'fan_out'"):
        init.kaiming_normal_(tg.empty(3, 3), mode="fan")


def test_filling_writes_in_place():
    t = tg.zeros(4)
    view = t.numpy()
    init.uniform_(t, 1, 2)
    assert np.all((view >= 1) & (view < 2))
