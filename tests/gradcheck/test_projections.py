"""Large inputs: judged by projections, and the wrong elements found among a million."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair

BIG = np.random.default_rng(0).normal(size=(1000, 1000))


def wrong_at(*places):
    def vjp(g, x):
        d = g * (1 - np.tanh(x) ** 2)
        for place in places:
            d[place] *= 1.5
        return d

    return numpy_pair(np.tanh, vjp)


def test_more_than_ten_thousand_elements_are_projected_and_it_is_said():
    report = gradcheck(wrong_at(), [BIG[:101, :100]])
    assert report.notes == ("10100 elements: judged by 3 random projections per input",)
    assert [e.place for e in report.entries] == [(), (), ()]
    pair = numpy_pair(lambda x: x.sum(axis=0), lambda g, x: np.broadcast_to(g, x.shape))
    assert len(gradcheck(pair, [BIG[:100, :100]]).entries) == 10_000


def test_one_wrong_element_of_a_million_is_found():
    report = gradcheck(wrong_at((123, 456)), [BIG], raise_exception=False)  # 4 s
    assert report.worst.place == (123, 456)
    assert report.worst.verdict is Verdict.FAIL
    assert report.worst.analytic == pytest.approx(1.5 * report.worst.numeric)
    assert "multiplied by 3/2" in report.diagnoses[0].message


def test_several_wrong_elements_are_found():
    places = {(1, 1), (50, 60), (99, 3)}
    report = gradcheck(wrong_at(*places), [BIG[:100, :200]], raise_exception=False)
    assert places == {e.place for e in report.entries if e.place and e.verdict is Verdict.FAIL}


def test_kinks_among_many_elements_are_no_false_alarm():
    report = gradcheck(numpy_pair(lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0)), [BIG[:100]])
    assert "kinked outputs left out" in report.entries[0].reason
    wrong = numpy_pair(lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0.5))
    report = gradcheck(wrong, [BIG[:100]], raise_exception=False)
    assert report.verdict is Verdict.FAIL
    assert all(0 < BIG[e.place] <= 0.5 for e in report.entries if e.place)


def test_fast_mode_on_request_and_in_float32():
    x = tg.Tensor(BIG[:20].astype(np.float32), requires_grad=True)
    assert gradcheck(lambda x: x.tanh(), x, fast_mode=True)
    report = gradcheck(lambda x: x.tanh() + 0.05 * x.detach(), x, fast_mode=True, raise_exception=False)
    assert report.verdict is Verdict.FAIL


def test_a_vjp_that_uses_the_absolute_value_fails_in_fast_mode():
    pair = numpy_pair(lambda x: np.sum(x**2), lambda g, x: 2 * np.abs(g) * x)
    assert gradcheck(pair, [BIG[0]], fast_mode=True, raise_exception=False, seed=1).verdict is Verdict.FAIL


def test_what_is_nothing_in_both_passes_in_fast_mode():
    """A constant has no derivative to measure the rounding of its differences by: the function's own size does."""
    x = np.random.default_rng(0).normal(size=(3, 4))
    constant = numpy_pair(lambda x: np.sign(x) + 0.3, lambda g, x: 0.0 * g)
    assert gradcheck(constant, [x], fast_mode=True)
    assert gradcheck(constant, [BIG[:101, :100]])
    wrong = numpy_pair(lambda x: np.sin(x), lambda g, x: 0.0 * g)
    report = gradcheck(wrong, [BIG[:101, :100]], explain=False, raise_exception=False)
    assert report.verdict is Verdict.FAIL


def maximum_of_four(winners):
    """The maximum of each row of four; the gradient goes to so many of the tied."""

    def vjp(g, x):
        tied = x == x.max(axis=1, keepdims=True)
        return g[:, None] * (tied & (np.cumsum(tied, axis=1) <= winners))

    return numpy_pair(lambda x: x.max(axis=1), vjp)


@pytest.mark.parametrize("seed", range(5))
def test_a_kink_does_not_hide_a_wrong_gradient_from_fast_mode(seed):
    x = [np.array([[1.0, 1.0, -3.0, 0.0], [0.5, 2.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0]])]
    assert gradcheck(maximum_of_four(1), x, fast_mode=True, seed=seed)
    assert gradcheck(maximum_of_four(4), x, fast_mode=True, seed=seed, raise_exception=False).verdict is Verdict.FAIL


@pytest.mark.parametrize("distance", [0.0, 1e-8, 1e-6, 1e-4, 1e-3])
def test_no_projection_through_a_kink_is_a_false_alarm(distance):
    """One kink, at the point or beside it, in an input of which nothing else is judged one by one."""
    x = np.random.default_rng(1).uniform(1, 2, 1200)
    x[7] = distance
    for reduce in (np.sum, lambda a: a):
        pair = numpy_pair(
            lambda x, reduce=reduce: reduce(np.abs(x)), lambda g, x: g * np.where(x == 0, 1.0, np.sign(x))
        )
        for seed in range(4):
            report = gradcheck(pair, [x], fast_mode=True, seed=seed, raise_exception=False)
            assert report.verdict is not Verdict.FAIL, (distance, seed)


@pytest.mark.parametrize("where", [0.0, 1.0])
def test_what_turns_within_less_than_a_step_is_not_called_wrong(where):
    scale = 1e-9
    x = np.full((5, 4), where)
    right = numpy_pair(lambda x: np.sin(x / scale), lambda g, x: g * np.cos(x / scale) / scale)
    report = gradcheck(right, [x], fast_mode=True, raise_exception=False)
    assert report.verdict is not Verdict.FAIL
    wrong = numpy_pair(right.function, lambda g, x: 1.5 * g * np.cos(x / scale) / scale)
    assert gradcheck(wrong, [x], fast_mode=True, raise_exception=False).verdict is not Verdict.PASS
