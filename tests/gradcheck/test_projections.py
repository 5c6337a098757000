"""Large inputs: judged by projections, and the wrong elements found among a million."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.gradcheck.points import point
from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.judge import Tolerance
from tinygrad_cnn.gradcheck.point import signed
from tinygrad_cnn.gradcheck.projections import (
    Glance,
    Products,
    along,
    direction,
    first_step,
    glance,
    meets_kink,
    search,
    stays,
    tell,
    turns_nearer,
)

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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_element_that_is_no_number_is_named(value):
    def vjp(g, x):
        d = g * np.cos(x)
        d[50, 60] = value
        return d

    report = gradcheck(numpy_pair(np.sin, vjp), [BIG[:101, :100]], raise_exception=False, explain=False)
    assert [e.place for e in report.entries if e.verdict is Verdict.FAIL and e.place] == [(50, 60)]


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


EPS = 2.0**-52
USUAL = Tolerance(None, 1e-5, EPS, None)


def test_the_products_of_a_direction():
    made = point(lambda x: np.array([2.0, -3.0]) + 0 * x[:2], np.ones(3))
    u, v, gradient = np.array([0.5, -2.0, 0.0]), np.array([3.0, 4.0]), np.array([6.0, 2.0, 7.0])
    found = Products.of(made, 0, u, v, gradient, USUAL)
    assert found.analytic == 3 - 4
    assert found.scale.size == found.scale.ruler == 5.0
    assert found.allowed == pytest.approx(5e-5 + 5e-7, rel=1e-6)
    nothing = Products.of(made, 0, u, v, 0 * gradient, USUAL)
    assert (nothing.analytic, nothing.scale.size) == (0.0, 0.0)
    assert nothing.scale.ruler == pytest.approx(5.0 * 3.0)  # |v| times the largest value
    infinite = Products.of(made, 0, np.ones(3), v, np.array([np.inf, 3.0, 4.0]), USUAL)
    assert infinite.analytic == np.inf
    assert infinite.scale.size == 5.0
    generous = Products.of(made, 0, u, v, gradient, Tolerance(None, 0.5, EPS, None))
    assert generous.allowed == pytest.approx(0.5 * 5 + 5e-7 + 1.0 * 7, rel=1e-6)
    own = Products.of(made, 0, u, v, gradient, Tolerance(1e-3, 1e-5, EPS, None))
    assert own.allowed == pytest.approx(1e-3 + 5e-5 + 2.5e-3, rel=1e-6)


def test_the_first_step_along_a_direction_is_smaller_than_that_of_an_element():
    usual = 13 / 16 / 128
    for values, times in (([0.5, 0.1, 0.3], 1), ([5.0, 4.0, 4.0], 4), ([np.nan, 5.0, 0.0], 1)):
        assert first_step(point(lambda x: x[:0].sum(), np.array(values)), 0, USUAL) == usual * times / 64
    single = Tolerance(None, 1e-5, 2.0**-23, None)
    assert first_step(point(np.sin, np.ones(2, np.float32)), 0, single) == 16 * usual * 8 / 64
    assert first_step(point(np.sin, np.ones(2)), 0, Tolerance(None, 1e-5, EPS, 0.25)) == 0.25


X = np.linspace(-1.0, 1.5, 12).reshape(3, 4)
U, V = signed(np.random.default_rng(1), (3, 4)), np.random.default_rng(2).normal(size=12)


def sine():
    return point(np.sin, X), (V.reshape(3, 4) * np.cos(X))


@pytest.mark.parametrize("off", [0.0, 1e-2, -1e-2])
def test_a_projection_is_judged_by_its_differences(off):
    made, gradient = sine()
    wrong = gradient + off
    found = along(made, 0, U, V, wrong, USUAL)
    assert found.analytic == pytest.approx(np.sum(wrong * U))
    assert abs(found.found.numeric - np.sum(gradient * U)) <= found.found.error
    assert found.verdict is (Verdict.FAIL if off else Verdict.PASS)
    assert along(made, 0, U, V, np.full((3, 4), np.nan), USUAL).verdict is Verdict.FAIL
    slack = along(made, 0, U, V, wrong, USUAL, np.full(12, 1e-3))
    assert slack.allowed == pytest.approx(found.allowed + 1e-3 * min(np.sum(np.abs(U)), 7 * np.linalg.norm(U)))
    much = along(made, 0, U, V, wrong, USUAL, np.full(12, 1.0))
    assert much.verdict is Verdict.INCONCLUSIVE
    glanced = Glance(made, 0, U, first_step(made, 0, USUAL)).settled(V, wrong, USUAL)
    assert (glanced is None) is (off != 0)
    if glanced is not None:
        assert glanced.verdict is Verdict.PASS
        assert glanced.found.numeric == pytest.approx(np.sum(gradient * U), rel=1e-6)
        assert abs(glanced.found.numeric - np.sum(gradient * U)) <= glanced.found.error + 1e-12


def test_one_difference_along_all_inputs():
    made = point(lambda x, y: np.sin(x) * y, X, X + 3)
    u, w = U, U[::-1]
    right = np.sum(V.reshape(3, 4) * (np.cos(X) * (X + 3) * u + np.sin(X) * w))
    assert glance(made, V, [u, w]) == pytest.approx(right, rel=1e-8)
    found, error = tell(made, V, [u, w], 1e-9)
    assert abs(found - right) <= error <= 1e-9 + 1e-12
    assert stays(made, V, [u, w], right + 1.0, right)
    assert not stays(made, V, [u, w], right + 1.0, right + 0.5)
    kinked = point(lambda x, y: np.abs(x - X) + y, X, X)
    assert tell(kinked, np.ones(12), [u, w], 1e-9)[1] == np.inf


def test_outputs_with_a_kink_in_reach_are_left_out_and_no_others():
    def f(x):
        return np.concatenate([np.sin(x), np.abs(x), x**2, np.exp(3 * x)])

    x = np.array([0.4, 0.0, -0.7, 1e-6])
    made = point(f, x)
    looked = Glance(made, 0, np.array([0.5, -0.75, 0.25, 0.9]), 2.0**-13)
    kept = looked.smooth_outputs()
    assert np.flatnonzero(kept == 0).tolist() == [5, 7]
    assert set(kept.tolist()) == {0.0, 1.0}
    gradient = np.cos(x) + np.sign(x) + 2 * x + 3 * np.exp(3 * x)
    assert looked.settled(np.ones(16), gradient, USUAL) is None
    smooth = kept * np.ones(16)
    assert (
        Glance(made, 0, looked.u, 2.0**-13).settled(smooth, gradient, USUAL) is None
    )  # a kink is in reach all the same
    high, low = looked.ends
    np.testing.assert_allclose(high, f(x + 2.0**-13 * looked.u))
    np.testing.assert_allclose(low, f(x - 2.0**-13 * looked.u))
    np.testing.assert_allclose(looked.nearer[0], f(x + 2.0**-14 * looked.u))
    np.testing.assert_allclose(looked.nearer[1], f(x - 2.0**-14 * looked.u))
    one = Glance(point(lambda x: np.abs(x).sum(), x), 0, looked.u, 2.0**-13)
    assert one.smooth_outputs().tolist() == [1.0]


def test_a_direction_through_a_kink_is_told():
    made = point(lambda x: np.abs(x - 1e-5).sum(), np.array([0.0, 0.5]))
    assert meets_kink(made, 0, np.array([0.5, 0.0]), np.ones(1), USUAL)
    assert not meets_kink(made, 0, np.array([0.0, 0.5]), np.ones(1), USUAL)


@pytest.mark.parametrize("scale", [1e-9, 1e-10])
def test_differences_nearer_to_the_point_may_speak_for_a_projection(scale):
    x, u, v = np.zeros((2, 3)), np.array([[0.5, -0.25, 0.75], [0.9, -0.3, 0.0]]), np.ones(6)
    made = point(lambda x: scale * np.tanh(x / scale), x)
    right = along(made, 0, u, v, np.ones((2, 3)), USUAL)
    assert right.verdict is Verdict.FAIL
    assert turns_nearer(made, 0, u, v, right, USUAL)
    straight = point(np.tanh, x)
    wrong = along(straight, 0, u, v, 1.5 * np.ones((2, 3)), USUAL)
    assert wrong.verdict is Verdict.FAIL
    assert not turns_nearer(straight, 0, u, v, wrong, USUAL)


def test_the_elements_that_are_most_wrong_are_found_by_halving():
    made, gradient = sine()
    wrong = gradient.copy()
    off = {1: 0.5, 4: -3.0, 6: 2.0, 9: 1.0, 10: 4.0, 11: 0.01}
    for i, by in off.items():
        wrong.reshape(-1)[i] += by / abs(U.reshape(-1)[i])
    found = search(made, 0, U, V, wrong, USUAL)
    assert len(found) == 4
    assert 10 in found
    assert set(found) <= set(off)
    assert search(made, 0, U, V, gradient, USUAL) == []
    wrong = gradient.copy()
    wrong[1, 2] = np.nan
    assert list(search(made, 0, U, V, wrong, USUAL)) == [6]
    assert search(made, 0, U, V, gradient + 1e-4, USUAL, np.full(12, 1e-3)) == []


def test_a_direction_touches_every_number():
    made = point(lambda x: np.where(np.isfinite(x), x, 0), np.array([1.0, np.nan, -2.0, np.inf]))
    u = direction(np.random.default_rng(0), made, 0)
    assert (u != 0).tolist() == [True, False, True, False]
    assert np.all(direction(np.random.default_rng(0), point(np.sin, X), 0) != 0)


def test_the_smallest_steps_along_a_direction_leave_some_numbers_between():
    ways = []

    def f(x):
        ways.append(abs(float(x[0]) - 1.2))
        return x - 1.2

    made = point(f, np.array([1.2]))
    assert stays(made, np.ones(1), [np.array([1.0])], 3.0, 1.0)
    assert min(way for way in ways if way) >= 0.4375 * 16 * EPS * 1.2


def test_steps_that_do_not_move_the_largest_element_speak_for_no_projection():
    x = np.array([1e6, 0.5])
    made = point(lambda a: a - x, x)  # 0 at the point: there is no rounding of the values to stop at
    u, v = np.array([0.5, 0.25]), np.ones(2)
    wrong = along(made, 0, u, v, np.zeros(2), USUAL)
    assert wrong.verdict is Verdict.FAIL
    assert not turns_nearer(made, 0, u, v, wrong, USUAL)
