"""The thorough pass along a line: functions whose slopes, kinks and noise are known."""

import numpy as np
import pytest

from tests.gradcheck.points import point
from tinygrad_cnn.gradcheck import Verdict
from tinygrad_cnn.gradcheck.judge import Scale, Tolerance
from tinygrad_cnn.gradcheck.kinks import Kink, Sides
from tinygrad_cnn.gradcheck.thorough import (
    JUMPS,
    UNRESOLVED,
    UNSETTLED,
    Examined,
    Line,
    confirmed,
    curve,
    examine,
    judged,
    slopes_of,
)
from tinygrad_cnn.gradcheck.verdicts import INSIDE, OUTSIDE, Entry

EPS = 2.0**-52
USUAL = Tolerance(None, 1e-5, EPS, None)
FIRST = 0.71875 * 13 / 16 / 128
ONE = np.ones(1)


@pytest.fixture(autouse=True)
def quiet():
    """NaN and infinities are judged, not warned of: as in `gradcheck`."""
    with np.errstate(all="ignore"):
        yield


def line(function, x=0.0, size=1.0, v=ONE):
    at = point(function, np.array([x]))
    return Line(at, v, at.ends_of_element(0, 0), USUAL, Scale(size, size))


def entry(analytic, **more):
    return Entry(0, "x", (0,), analytic, 1.0, 0.0, Verdict.PASS, **more)


def test_a_rung_is_the_difference_at_a_step():
    rung = line(lambda x: 1 + x**2 + np.abs(x), 0.0, v=2 * ONE).rung(0.25)
    assert rung.step == 0.25
    assert rung.central == 0
    assert rung.jump == pytest.approx(2 * 2 * (1 + 0.25))
    assert 0 < rung.noise < 1e-14
    assert line(np.sin, 1.0).rung(1e-17) is None


@pytest.mark.parametrize(
    ("f", "x", "right"),
    [
        (np.exp, 0.3, np.exp(0.3)),
        (lambda x: np.sin(50 * x), 0.0, 50.0),
        (lambda x: np.sin(2000 * x), 0.0, 2000.0),
        (np.log, 1e-3, 1000.0),
        (lambda x: 1e6 + x, 0.0, 1.0),
        (lambda x: 3 - 0 * x, 0.0, 0.0),
        (lambda x: x * np.abs(x), 0.0, 0.0),
    ],
)
def test_a_derivative_is_found_as_exactly_as_is_said(f, x, right):
    it = line(f, x, max(1.0, abs(right)))
    found = it.examine(FIRST)
    assert abs(found.numeric - right) <= found.error <= it.coarse(right)
    assert found.why == ""
    assert found.kink is None
    steps = [h for h, _ in found.steps]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] == FIRST
    for h, central in found.steps:
        if not np.isnan(central):
            a = np.array([x + h, x - h])
            assert central == pytest.approx(np.diff(f(a))[0] / -(2 * h), rel=1e-6, abs=1e-9 * max(1, abs(right)))


@pytest.mark.parametrize("where", [3e-3, -1e-3, 1e-5, -1e-7])
@pytest.mark.parametrize("sharp", [0.5, 3.0])
def test_beside_a_kink_the_derivative_is_that_of_its_own_side(where, sharp):
    it = line(lambda x: np.sin(x) + sharp * np.abs(x - where))
    right = 1 - sharp * np.sign(where)
    found = it.examine(FIRST)
    assert abs(found.numeric - right) <= found.error <= 1e-4
    assert found.kink.where == pytest.approx(where, rel=1e-3)
    assert not found.at_kink
    assert found.sides.left == pytest.approx(1 - sharp, abs=2e-2)
    assert found.sides.right == pytest.approx(1 + sharp, abs=2e-2)
    without = it.examine(FIRST, kinks=False)
    assert without.kink is None


def test_beside_a_kink_that_no_step_was_within_steps_begin_within_it():
    where = 5.6234132519034904e-12
    found = line(lambda x: np.sin(x) + 3 * np.abs(x - where)).examine(FIRST)
    largest, _ = found.steps[0]
    assert 0.4 * where < largest < 0.5 * where
    assert found.numeric == pytest.approx(-2, abs=1e-4)


def test_at_a_kink_both_slopes_are_seen():
    found = line(lambda x: np.sin(x) + np.where(x > 0, 2 * x, -0.5 * x)).examine(FIRST)
    assert found.at_kink
    assert (found.sides.left, found.sides.right) == pytest.approx((0.5, 3.0), abs=1e-6)
    assert line(np.abs).examine(FIRST, kinks=False).why == "the differences do not settle"


@pytest.mark.parametrize("mirror", [1, -1])
def test_where_a_function_ends_the_derivative_is_that_of_its_one_side(mirror):
    it = line(lambda x: np.where(mirror * x >= 0, np.exp(2 * x), np.nan))
    found = it.examine(FIRST)
    assert abs(found.numeric - 2) <= found.error <= 1e-4
    assert found.why == "the function is defined on one side only"
    steep = line(lambda x: np.where(x >= 0, np.sqrt(np.abs(x)), np.nan)).examine(FIRST)
    assert steep.why == "the differences do not settle"


def test_noise_is_told_from_a_derivative():
    it = line(lambda x: np.sin(x) + 1e-4 * np.sin(1e22 * x * x), 0.3)
    found = it.examine(FIRST)
    assert found.error > it.coarse(found.numeric) or abs(found.numeric - np.cos(0.3)) <= found.error


def test_examined_elements_are_judged_by_their_own_steps():
    at = point(lambda x: np.sin(x), np.array([0.3, 5.0]))
    for i, size in ((0, 1), (1, 4)):
        found = examine(at, 0, i, np.array([2.0, -3.0]), USUAL, Scale(1.0, 1.0))
        right = (2 * np.cos(0.3), -3 * np.cos(5.0))[i]
        assert abs(found.numeric - right) <= found.error <= 1e-9
        assert found.steps[0][0] == FIRST * size


def of(found, analytic, noise=0.0, scale=1.0):
    return judged(entry(analytic), found, USUAL, Scale(scale, scale), noise)


def test_verdicts_by_the_distance_from_what_was_found():
    found = Examined(2.0, 1e-6, ((0.5, 2.0),))
    bound = 2e-5 + 1e-7
    for sign in (1, -1):
        passed = of(found, 2 + sign * (bound + 0.9e-6))
        assert (passed.verdict, passed.reason) == (Verdict.PASS, "")
        between = of(found, 2 + sign * (bound + 1.5e-6))
        assert (between.verdict, between.reason) == (Verdict.INCONCLUSIVE, "just outside the error bar")
        assert of(found, 2 + sign * (bound + 2.1e-6)).verdict is Verdict.FAIL
        assert of(found, 2 + sign * (bound + 2.1e-6), noise=1e-6).verdict is Verdict.PASS or sign
    said = of(found, 2.0, noise=1e-3)
    assert said.allowed == pytest.approx(bound + 1e-3)
    assert (said.numeric, said.error, said.steps, said.where, said.one_sided) == (2.0, 1e-6, ((0.5, 2.0),), None, None)
    assert of(found, 2 + bound + 2.1e-6, noise=2e-6).verdict is Verdict.PASS
    assert of(Examined(2.0, 2.1e-4, ()), 2.0).verdict is Verdict.INCONCLUSIVE
    assert of(Examined(2.0, 2.1e-4, ()), 2.0, scale=3.0).verdict is Verdict.PASS
    noisy = of(Examined(2.0, 2.1e-4, ()), 2.0)
    assert noisy.reason == "the differences are too noisy"
    assert of(Examined(2.0, 1.0, (), why="because"), 2.0).reason == "because"
    assert of(Examined(np.nan, 0.0, ()), 2.0).verdict is Verdict.INCONCLUSIVE
    assert of(Examined(2.0, 1e-6, (), why="one side"), 3.0).reason == "one side"


def test_what_is_no_number_is_wrong():
    for value in (np.nan, np.inf):
        said = of(Examined(2.0, 1e-6, ()), value)
        assert (said.verdict, said.reason) == (Verdict.FAIL, "the gradient is no number")
        kink = Examined(2.0, 1e-6, (), Sides(0.0, 1.0, 0.0, 1.0, 1e-9), Kink(0.0, 1e-12))
        assert of(kink, value).numeric == 2.0


def test_verdicts_at_a_kink():
    sides = Sides(-1.0, 3.0, -1.0, 3.0, 1e-3)
    kink = Examined(7.0, 1.0, (), sides, Kink(1e-13, 1e-12))
    inside = of(kink, 0.5)
    assert (inside.verdict, inside.reason) == (Verdict.PASS, INSIDE)
    assert (inside.numeric, inside.error, inside.one_sided, inside.where) == (1.0, 1e-3, (-1.0, 3.0), 1e-13)
    assert of(kink, 3.0009).verdict is Verdict.PASS
    for value in (3.002, -1.002):
        said = of(kink, value)
        assert (said.verdict, said.reason) == (Verdict.FAIL, OUTSIDE)
        assert slopes_of(said) == (-1.0, 3.0)
    assert slopes_of(inside) == (1.0, 1.0)
    turned = Examined(7.0, 1.0, (), Sides(3.0, -1.0, -1.0, 3.0, 0.0), Kink(0.0, 1e-12))
    assert slopes_of(of(turned, 9.0)) == (-1.0, 3.0)
    none = Examined(7.0, 1.0, (), Sides(-np.inf, np.inf, -np.inf, np.inf, 0.0), Kink(0.0, 1e-12))
    assert (of(none, 0.0).verdict, of(none, 0.0).reason) == (
        Verdict.INCONCLUSIVE,
        "the slopes at a kink are no numbers",
    )


def test_verdicts_beside_a_kink():
    sides = Sides(-1.0, 1.0, -1.0, 1.0, 0.0)
    beside = Examined(1.0, 1e-6, (), sides, Kink(-1e-5, 1e-12))
    said = of(beside, 1.0)
    assert (said.verdict, said.reason, said.where) == (Verdict.PASS, "beside a kink", -1e-5)
    assert of(beside, -1.0).verdict is Verdict.FAIL
    assert slopes_of(of(beside, -1.0)) == (1.0, 1.0)
    near = of(Examined(1.0, 1.0, (), sides, Kink(-1e-5, 1e-12)), 1.0)
    assert near.verdict is Verdict.INCONCLUSIVE
    assert near.reason == "a kink at -1e-05 from it is too near to tell"


def heard(function, analytic, x=0.0):
    """What is said of a gradient after it was examined, and after that was confirmed."""
    at = point(function, np.array([x]))
    scale = Scale(abs(analytic), abs(analytic))
    first = judged(entry(analytic), examine(at, 0, 0, ONE, USUAL, scale), USUAL, scale, 0.0)
    return first, confirmed(at, 0, 0, ONE, USUAL, scale, 0.0, first)


def test_a_wrong_gradient_is_confirmed():
    for f, wrong in ((np.sin, 1.5), (np.abs, 2.0), (lambda x: np.abs(x - 1e-4), 1.0), (np.tanh, -1.0)):
        first, said = heard(f, wrong)
        assert first.verdict is Verdict.FAIL
        assert said == first


def test_what_was_not_called_wrong_is_left():
    first, said = heard(np.sin, 1.0)
    assert first.verdict is Verdict.PASS
    assert said is first


def test_a_function_that_is_another_one_nearer_to_the_point_is_judged_there():
    narrow = 1e-9
    first, said = heard(lambda x: np.tanh(x / narrow) * narrow, 1.0)
    assert first.verdict is Verdict.FAIL
    assert said.verdict is not Verdict.FAIL
    first, said = heard(lambda x: np.abs(x) + 0.5 * narrow * np.tanh(x / narrow), 1.7)
    assert said.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize("analytic", [0.0, 1.0, 1e6])
def test_of_a_jump_nothing_is_said(analytic):
    _, said = heard(lambda x: np.floor(x) + x, analytic, 2.0)
    assert said.verdict is Verdict.INCONCLUSIVE
    _, said = heard(np.floor, analytic, 2.0)
    assert said.verdict is Verdict.INCONCLUSIVE
    assert {JUMPS, UNSETTLED, UNRESOLVED} >= {said.reason} or said.reason


def test_the_curve_of_an_element_goes_from_large_steps_to_tiny_ones():
    at = point(np.sin, np.array([0.3, 4.5]))
    for i, x in ((0, 0.3), (1, 4.5)):
        pairs, noise = curve(at, 0, i, np.array([2.0, 2.0]), USUAL)
        steps = [h for h, _ in pairs]
        first = 13 / 16 / 128 * (4 if i else 1)
        assert steps[0] == 4 * first
        np.testing.assert_allclose(np.diff(np.log2(steps)), -1)
        assert 4 * EPS * max(1, x) <= steps[-1] <= 16 * EPS * max(1, x)
        h = steps[3]
        assert pairs[3][1] == pytest.approx((np.sin(x + h) - np.sin(x - h)) / h, rel=1e-9)
        assert noise == pytest.approx(2 * at.noise[i], rel=0.3)
