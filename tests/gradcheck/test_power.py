"""The set of wrong gradients: each is wrong, its right one is right, and `gradcheck` says so of both."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.gradcheck.power import CASES
from tests.gradcheck.power.case import VISIBLE, normal
from tests.gradcheck.power.networks import NETWORKS, Dense, softmax_loss
from tests.profiles import THOROUGH
from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair

"""Then all of them are asked, and a sample otherwise."""


def differences(case, g, h=1e-6):
    """The gradients by plain central differences: they know nothing of the checker."""
    found = []
    for k, x in enumerate(case.given):
        d = np.zeros(np.shape(x))
        for place in np.ndindex(np.shape(x)):
            ends = []
            for step in (h, -h):
                there = [np.array(a) for a in case.given]
                there[k][place] += step
                ends.append(np.sum(g * case.f(*there)))
            d[place] = (ends[0] - ends[1]) / (2 * h)
        found.append(d)
    return found


CHEAP = CASES if THOROUGH else CASES[::3]


@pytest.mark.parametrize("case", CHEAP, ids=[case.name for case in CHEAP])
def test_the_wrong_gradient_is_wrong_and_the_right_one_right(case):
    assert case.change() > VISIBLE
    g = normal(1, *np.shape(case.f(*case.given)))
    right, numeric = case.pulled(case.right, g), differences(case, g)
    size = max(np.max(np.abs(d)) for d in numeric)
    for a, b, wrong in zip(right, numeric, case.pulled(case.wrong, g), strict=True):
        assert a.shape == b.shape == wrong.shape
        assert np.max(np.abs(a - b)) <= 1e-7 * size


def said(case, vjp):
    return gradcheck(numpy_pair(case.f, vjp), list(case.given), raise_exception=False, explain=False).verdict


ASKED = CASES if THOROUGH else [case for case in CASES[::23] if "conv" not in case.name]


@pytest.mark.parametrize("case", ASKED, ids=[case.name for case in ASKED])
def test_the_wrong_gradient_is_called_wrong_and_the_right_one_passes(case):
    assert said(case, case.wrong) is Verdict.FAIL
    assert said(case, case.right) is Verdict.PASS


SMALL = NETWORKS if THOROUGH else NETWORKS[:1]


@pytest.mark.parametrize("network", SMALL, ids=[f"{n.name}: {n.mistake}" for n in SMALL])
def test_one_hundredth_in_one_gradient_of_a_float32_network_is_found(network):
    assert network.report(network.mistake, explain=False).verdict is Verdict.FAIL
    assert network.report("", explain=False).verdict is Verdict.PASS


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kinks_among_thousands_of_units_hide_no_mistake(dtype):
    """Every direction crosses some of them; in float32 no step is between them and the rounding."""
    random = np.random.default_rng(0)
    network = Dense([20, 40, 20, 5], True, softmax_loss, random.integers(0, 5, 16))
    inputs = [a.astype(dtype) for a in (random.standard_normal((16, 20)), *network.parameters(random))]
    for mistake, expected in (("", Verdict.PASS), ("weight 0", Verdict.FAIL)):
        report = gradcheck(network.pair(mistake), inputs, fast_mode=True, raise_exception=False, explain=False)
        assert report.verdict is expected, mistake


def test_a_float32_function_that_is_another_one_in_float64_is_judged_by_itself():
    def f(x):
        return np.abs(x - np.float32(0.3) + np.float32(1e-5)).sum() * (1 if x.dtype == np.float32 else 2)

    x = np.array([0.3, -0.7], np.float32)
    wrong = numpy_pair(f, lambda g, x: 2 * g * np.sign(x - np.float32(0.3) + np.float32(1e-5)))
    assert gradcheck(wrong, [x], raise_exception=False, explain=False).verdict is not Verdict.PASS


@pytest.mark.parametrize("part", [0.0, 1e-10, 1e-8, 1e-7, 5e-6])
def test_a_weak_term_is_noted_and_from_a_millionth_on_wrong(part):
    def halved(x):
        there = x * 1
        there.register_hook(lambda g: g * (1 + part))
        return there.softmax(1) * 3

    x = tg.tensor(normal(0, 3, 4), dtype=tg.float64, requires_grad=True)
    report = gradcheck(halved, x, raise_exception=False, explain=False)
    assert [note.startswith("a weak term is wrong or missing") for note in report.notes] == [True] * (part > 1e-9)
    assert report.verdict is (Verdict.FAIL if part > 1e-6 else Verdict.PASS)
    assert gradcheck(halved, x, rtol=1e-4).notes == ()
