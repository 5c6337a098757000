"""How many elements lie in each bin: counted by hand, and by NumPy."""

import numpy as np
import pytest

import tinygrad_cnn as tg


def test_elements_and_weights_are_counted_between_the_edges():
    x = tg.tensor([1.0, 2.0, 1.0, 3.0, 9.0])
    found = tg.histogram(x, bins=4, range=(0.0, 3.0), weight=tg.tensor([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert found.hist.tolist() == [0.0, 5.0, 2.0, 8.0]  # 3 is in the last bin, 9 in none
    assert found.bin_edges.tolist() == [0.0, 0.75, 1.5, 2.25, 3.0]
    assert x.histogram(tg.tensor([1.0, 2.0, 3.0])).hist.tolist() == [2.0, 2.0]


def test_a_density_has_the_area_one():
    values = np.random.default_rng(0).normal(size=200)
    hist, edges = tg.histogram(tg.tensor(values), density=True)
    assert hist.shape == (100,)
    assert (hist * edges.diff()).sum().item() == pytest.approx(1)
    np.testing.assert_allclose(hist.numpy(), np.histogram(values, 100, density=True)[0])


def test_equal_elements_are_in_the_middle():
    assert tg.histogram(tg.ones(2), bins=2).bin_edges.tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize(
    ("input", "arguments", "error", "text"),
    [
        (tg.tensor([1, 2]), {}, RuntimeError, "expected a floating dtype"),
        (tg.ones(2), {"bins": 0}, RuntimeError, "at least one"),
        (tg.ones(2), {"range": (3.0, 1.0)}, RuntimeError, "min <= max"),
        (tg.tensor([1.0, tg.nan]), {}, RuntimeError, "finite"),
        (tg.ones(2), {"weight": tg.ones(3)}, RuntimeError, r"weight has shape \(3,\)"),
        (tg.ones(2), {"bins": tg.tensor([2.0, 1.0])}, RuntimeError, "edges in order"),
        (tg.ones(2), {"bins": tg.tensor([0.0, 1.0]), "range": (0.0, 1.0)}, TypeError, "leave one out"),
    ],
)
def test_what_does_not_fit_is_refused(input, arguments, error, text):
    with pytest.raises(error, match=text):
        tg.histogram(input, **arguments)
