"""The quick pass: what it measures and what it lets pass, against sums done another way."""

import numpy as np
import pytest

from tests.gradcheck.points import point
from tinygrad_cnn.gradcheck import Verdict
from tinygrad_cnn.gradcheck.judge import (
    BENT,
    CHUNK,
    STAGES,
    Column,
    FirstLook,
    Scale,
    Tolerance,
    _chunks,
    differences,
    largest,
    level,
    nothing,
    project,
    quick,
    scales,
    suspicious,
)

EPS = 2.0**-52
USUAL = Tolerance(None, 1e-5, EPS, None)
X = np.array([0.3, -0.7, 1.1])


def test_the_largest_step_grows_with_the_element_and_is_coarser_in_float32():
    values = np.array([0.0, -0.5, 1.0, 1.99, 2.0, -3.9, 4.0, 1000.0])
    times = [1, 1, 1, 1, 2, 2, 4, 512]
    np.testing.assert_array_equal(USUAL.largest_step(values), np.array(times) * 13 / 16 / 128)
    single = Tolerance(None, 1e-5, 2.0**-23, None)
    np.testing.assert_array_equal(single.largest_step(values), np.array(times) * 13 / 16 / 8)
    own = Tolerance(None, 1e-5, EPS, 1e-3)
    np.testing.assert_array_equal(own.largest_step(values), np.full(8, 1e-3))


def test_an_absolute_tolerance_of_the_user_takes_the_place_of_the_usual_one():
    own = Tolerance(1e-3, 0.01, EPS, None)
    np.testing.assert_allclose(own.allowed(np.array([0.0, -2.0]), 1e6), [1e-3, 0.021], rtol=1e-12)
    usual = USUAL.allowed(np.array([0.0, -2.0]), 10.0)
    np.testing.assert_allclose(usual, [1e-6, 1e-6 + 2e-5], rtol=1e-6)
    assert 0 < USUAL.allowed(0.0, 0.0) < 1e-15


@pytest.mark.parametrize(
    ("tolerance", "generous"),
    [
        (USUAL, False),
        (Tolerance(0.0, 1e-5, EPS, None), False),
        (Tolerance(None, 1e-7, EPS, None), False),
        (Tolerance(1e-9, 1e-5, EPS, None), True),
        (Tolerance(None, 2e-5, EPS, None), True),
    ],
)
def test_what_is_more_than_usual_is_generous(tolerance, generous):
    assert tolerance.generous is generous
    assert (tolerance.granted(1.0, 1.0) > 0) is generous


@pytest.mark.parametrize(("atol", "rtol"), [(0.0, 0.2), (0.01, 1e-6), (0.3, 0.5), (None, 0.1)])
def test_what_is_granted_to_a_sum_is_what_its_entries_can_be_off_by(atol, rtol):
    """The worst case: every entry as far below the right one as is allowed, all in the sense of its weight."""
    random = np.random.default_rng(0)
    right, weights = random.uniform(1, 2, 50), random.uniform(0.5, 1, 50)
    entries = right * (1 - rtol * (rtol > 1e-5)) - (atol or 0)
    off = np.sum(weights * (right - entries))
    granted = Tolerance(atol, rtol, EPS, None).granted(np.sum(np.abs(weights * entries)), np.sum(weights))
    absolute = (atol or 0) * np.sum(weights) * (1 + rtol / (1 - rtol) * (rtol > 1e-5))
    assert off <= granted + rtol / (1 - rtol) * absolute + 1e-9
    assert granted <= off + 1e-9
    assert Tolerance(atol, 1.0, EPS, None).granted(1.0, 1.0) == np.inf


def test_projections_are_sums_over_the_outputs():
    random = np.random.default_rng(1)
    V, moved, here = random.normal(size=(2, 5)), random.normal(size=(3, 5)), random.normal(size=5)
    expected = [[sum(v[j] * (row[j] - here[j]) for j in range(5)) for row in moved] for v in V]
    np.testing.assert_allclose(project(V, moved, here), expected, rtol=1e-12)


V2 = np.array([[0.5, -2.0, 0.25], [-1.0, 0.0, 4.0]])


def test_differences_of_a_parabola_are_its_slopes_and_its_bend():
    at = point(lambda x: x**2, X)
    steps = np.array([2.0**-7, 2.0**-8])
    central, jump, rounding = level(at, 0, np.array([2, 0]), steps, V2)
    for column, (i, h) in enumerate(zip((2, 0), steps, strict=True)):
        np.testing.assert_allclose(central[:, column], V2[:, i] * 2 * X[i], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(jump[:, column], V2[:, i] * 2 * h, rtol=1e-9, atol=1e-12)
        off = np.abs(central[:, column] - V2[:, i] * 2 * X[i])
        assert np.all(off <= rounding[:, column])
        # one output moves, so that its own noise is all there is; the largest of all is the least that it counts as
        each = np.abs(V2) * at.noise
        expected = np.maximum(each[:, i], np.max(np.abs(V2) * at.floor, axis=1)) / h
        np.testing.assert_allclose(rounding[:, column], expected, rtol=1e-3, atol=1e-20)


def test_rounding_is_that_of_the_outputs_that_move():
    at = point(lambda x: np.full(400, x[0]), X[:1])
    v = np.ones((1, 400))
    high, low, ends = at.values[None] + 1e-3, at.values[None] - 1e-3, np.array([1e-3])
    still = high.copy()
    still[0, 100:] = at.values[100:]
    also_still = low.copy()
    also_still[0, 100:] = at.values[100:]
    _, _, all_of_them = differences(at, v, high, low, ends, ends)
    _, _, a_quarter = differences(at, v, still, also_still, ends, ends)
    moved = np.zeros((1, 400), dtype=bool)
    moved[0, 300:] = True
    _, _, with_others = differences(at, v, still, also_still, ends, ends, moved=moved)
    # under random signs the errors of n outputs sum to 7 √n of one; and in no case to more than all of them
    one = float(at.noise[0]) * 2 / 2e-3
    assert all_of_them[0, 0] == pytest.approx(one * min(400, 7 * np.sqrt(400)), rel=1e-6)
    assert a_quarter[0, 0] == pytest.approx(one * min(100, 7 * np.sqrt(100)), rel=1e-6)
    assert with_others[0, 0] == pytest.approx(one * min(200, 7 * np.sqrt(200)), rel=1e-6)
    assert moved.sum() == 200
    few = high.copy()
    few[0, 4:] = at.values[4:]
    _, _, of_four = differences(at, v, few, low * 0 + at.values, ends, ends)
    assert of_four[0, 0] == pytest.approx(4 * one, rel=1e-6)


def test_before_noise_is_measured_it_is_the_least_that_it_can_be():
    def noisy(x):
        return np.sin(x) + 1e-9 * np.sin(1e12 * x)

    at = point(noisy, X)
    assert np.all(at.noise > 100 * at.floor)
    steps, everything = np.full(3, 2.0**-7), np.arange(3)
    _, _, measured = level(at, 0, everything, steps, V2)
    _, _, least = level(at, 0, everything, steps, V2, measured=False)
    expected = np.max(np.abs(V2) * at.floor, axis=1)[:, None] / steps
    np.testing.assert_allclose(least, np.broadcast_to(expected, (2, 3)), rtol=1e-3)
    np.testing.assert_allclose(measured[0], np.abs(V2[0]) * at.noise / steps, rtol=0.05)


def test_unequal_ways_there_and_back_count_as_rounding_of_what_bends():
    at = point(lambda x: x**2, X[:1])
    up, down = np.array([0.25]), np.array([0.125])
    high, low = (X[0] + up)[:, None] ** 2, (X[0] - down)[:, None] ** 2
    central, jump, rounding = differences(at, np.array([[2.0]]), high, low, up, down)
    assert jump[0, 0] == pytest.approx(2 * (up[0] + down[0]))
    off = abs(central[0, 0] - 4 * X[0])
    assert off == pytest.approx(2 * (up[0] - down[0]))
    assert off <= rounding[0, 0] <= 1.01 * off


@pytest.mark.parametrize("ratio", [2.0, 4.0, 8.0])
def test_the_jump_of_a_kink_stays_and_that_of_a_bend_shrinks(ratio):
    assert suspicious(1.0, 1.0, 0.01, ratio)
    assert suspicious(-1.0, -1.0, 0.01, ratio)
    assert not suspicious(1.0, 1 / ratio, 0.0, ratio)
    middle = (1 + 1 / ratio) / 2  # between that of a bend and that of a kink
    assert suspicious(1.0, 1.01 * middle, 0.0, ratio)
    assert not suspicious(-1.0, 0.99 * middle, 0.0, ratio)
    assert not suspicious(1.0, 1.0, 1 / 5.9, ratio)
    assert suspicious(1.0, 1.0, 1 / 6.1, ratio)
    assert not suspicious(np.nan, 1.0, 0.1, ratio)


@pytest.mark.parametrize("size", [0, 1, 7, CHUNK // 3, 5 * CHUNK])
def test_outputs_are_kept_in_parts_that_are_all_of_them(size):
    active = np.arange(3, 13)
    parts = _chunks(active, size)
    np.testing.assert_array_equal(np.concatenate(parts), active)
    assert all(len(part) * size <= max(CHUNK, size) for part in parts)
    assert len(parts) == {CHUNK // 3: 4, 5 * CHUNK: 10}.get(size, 1)


def test_the_largest_derivative_is_that_of_numbers():
    numeric = np.array([[1.0, -3.0, np.nan], [0.0, 0.0, 0.0], [np.inf, 0.5, -np.inf]])
    np.testing.assert_array_equal(scales(numeric), [[3.0], [0.0], [0.5]])
    np.testing.assert_array_equal(scales(np.array([[-2.0, 1.0]])), [[2.0]])
    assert scales(np.zeros((2, 0))).tolist() == [[0.0], [0.0]]
    assert largest(np.array([[1.0, -5.0], [np.nan, 2.0]])) == 5.0
    assert largest(np.zeros(0)) == 0.0
    assert largest(np.array([-0.5]), 2.0) == 2.0


def test_a_gradient_of_zeros_is_measured_by_the_values():
    at = point(lambda x: np.array([3.0, -4.0]) + 0 * x[:2], X)
    V = np.array([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]])
    analytic = np.array([[0.0, 0.0, 1e-18], [0.0, 1e-3, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(nothing(at, V, analytic), [[20.0], [0.0], [4.0]])
    small = point(lambda x: 1e-9 * x, X)
    np.testing.assert_allclose(nothing(small, np.array([[0.0, 3.0, 4.0]]), np.zeros((1, 3))), [[0.05]])


def column(numeric, error):
    made = Column(*np.shape(numeric))
    made.numeric[...], made.error[...] = numeric, error
    return made


def test_the_first_look_keeps_of_each_element_the_cotangent_under_which_it_is_worst():
    at = point(lambda x: x, X)
    numeric, error = np.array([[1.0, 2.0, 4.0], [-1.0, 8.0, 0.5]]), np.full((2, 3), 1e-9)
    analytic = numeric + np.array([[0.0, 1e-2, 1e-6], [1e-5, 0.0, 1e-3]])
    seen = column(numeric, error)
    seen.doubt[0] = True
    look = FirstLook.at(at, np.ones((2, 3)), analytic, seen, USUAL)
    np.testing.assert_array_equal(look.numeric, [-1.0, 2.0, 0.5])
    np.testing.assert_array_equal(look.analytic, [analytic[1, 0], analytic[0, 1], analytic[1, 2]])
    np.testing.assert_allclose(look.allowed, [1e-5 + 8e-7, 2e-5 + 4e-7, 0.5e-5 + 8e-7], rtol=1e-6)
    np.testing.assert_allclose(look.badness, [1e-5 / 1.08e-5, 1e-2 / 2.04e-5, 1e-3 / 5.8e-6], rtol=2e-3)
    assert look.wrong.tolist() == [False, True, True]
    assert look.doubtful.tolist() == [True, False, False]
    assert look.scale == [Scale(4.0, 4.0 + 1e-6), Scale(8.0, 8.0)]
    assert look.unsettled() == [1, 2, 0]
    entries = look.entries(5, "w", (3,))
    assert [e.verdict for e in entries] == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]
    assert [(e.input, e.name, e.place) for e in entries] == [(5, "w", (i,)) for i in range(3)]
    assert [e.numeric for e in entries] == [-1.0, 2.0, 0.5]
    assert [e.error for e in entries] == [1e-9] * 3
    np.testing.assert_array_equal([e.allowed for e in entries], look.allowed)
    np.testing.assert_array_equal([e.analytic for e in entries], look.analytic)


def test_the_first_look_doubts_what_is_coarse_and_what_is_no_number():
    at = point(lambda x: x, X)
    numeric = np.array([[1.0, 1.0, np.nan], [1.0, 1.0, 1.0]])
    error = np.array([[1e-9, 2e-4, 1e-9], [1e-9, 1e-9, np.inf]])
    look = FirstLook.at(at, np.ones((2, 3)), np.ones((2, 3)), column(numeric, error), USUAL)
    assert look.doubtful.tolist() == [False, True, True]
    assert look.wrong.tolist() == [False, False, True]
    assert np.isinf(look.badness[2])
    assert look.unsettled() == [2, 1]
    one = column(np.ones((2, 3)), np.array([[1e-9, np.inf, 1e-9], [1e-9, 1e-9, 1e-9]]))
    assert FirstLook.at(at, np.ones((2, 3)), np.ones((2, 3)), one, USUAL).unsettled() == [1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("f", "slope"), [(np.sin, np.cos), (lambda x: np.exp(-3 * x), lambda x: -3 * np.exp(-3 * x))])
def test_the_quick_pass_is_as_exact_as_it_says(f, slope, dtype):
    x = X.astype(dtype)
    at = point(f, x)
    V = np.array([[0.5, -0.75, 0.25], [1.0, 2.0, -3.0]])
    right = V * slope(x.astype(np.float64))
    tolerance = Tolerance(None, 1e-5, at.eps, None)
    for analytic in (right, 1.5 * right):  # of a wrong one no step is believed at once
        found = quick(at, 0, V, tolerance, analytic)
        assert np.all(np.abs(found.numeric - right) <= found.error + 1e-15)
        assert np.all(found.error <= tolerance.coarse(found.numeric, np.max(np.abs(right), axis=1, keepdims=True)))
        assert not np.any(found.doubt)


def test_the_quick_pass_asks_one_step_where_that_settles_it():
    calls = []

    def f(x):
        calls.append(x.copy())
        return np.sin(x)

    at = point(f, X)
    calls.clear()
    V = np.array([[0.5, -0.75, 0.25]])
    quick(at, 0, V, USUAL, V * np.cos(X))
    assert len(calls) == 6
    first = 13 / 16 / 128 * STAGES[0][0]
    moves = [there - X for there in calls]
    np.testing.assert_allclose([np.max(np.abs(m)) for m in moves], first, rtol=1e-9)
    assert sorted(np.flatnonzero(m)[0] for m in moves) == [0, 0, 1, 1, 2, 2]


def test_the_quick_pass_doubts_elements_beside_kinks_and_no_others():
    x = np.array([0.3, 3e-5, -0.7])
    V = np.array([[0.5, -0.75, 0.25], [1.0, 2.0, -3.0]])
    at = point(lambda x: np.abs(x) + x**2, x)
    found = quick(at, 0, V, USUAL, V * (np.sign(x) + 2 * x))
    assert found.doubt.tolist() == [False, True, False]
    slight = point(lambda x: x + 0.5 * BENT * np.abs(x), np.array([0.0, 0.5]))
    found = quick(slight, 0, V[:, :2], USUAL, V[:, :2] * np.array([1.0, 1 + 0.5 * BENT]))
    assert found.doubt.tolist() == [False, False]


def test_the_quick_pass_leaves_what_is_no_number():
    x = np.array([0.3, np.nan, np.inf])
    at = point(lambda x: np.where(np.isfinite(x), np.sin(x), 0.0), x)
    found = quick(at, 0, np.ones((1, 3)), USUAL, np.array([[np.cos(0.3), 0.0, 0.0]]))
    assert np.isfinite(found.numeric).tolist() == [[True, False, False]]
    assert np.isinf(found.error).tolist() == [[False, True, True]]
