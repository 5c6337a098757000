"""Kinks: where they are, which slopes meet there, what a gradient may be at them."""

import numpy as np
import pytest

from tests.gradcheck.points import point
from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.kinks import Kink, Sides, find_kink, generalised, inside, ratio, rounding_along

ONE = np.ones(1)


def relu_with(slope_at_zero):
    return numpy_pair(lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x == 0, slope_at_zero, x > 0))


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_anything_between_the_slopes_is_right_at_a_kink(slope):
    report = gradcheck(relu_with(slope), [np.array([0.0, 1.0, -1.0])])
    at = report.entries[0]
    assert at.reason == "at a kink, inside the subdifferential"
    assert abs(at.where) < 1e-9
    cotangent = at.one_sided[0] or at.one_sided[1]
    assert sorted(at.one_sided, key=abs) == pytest.approx([0.0, cotangent])


@pytest.mark.parametrize("slope", [-0.01, 1.01, 2.0, -1.0])
def test_anything_else_is_a_wrong_convention(slope):
    report = gradcheck(relu_with(slope), [np.array([0.0, 1.0, -1.0])], raise_exception=False)
    assert [e.verdict for e in report.entries] == [Verdict.FAIL, Verdict.PASS, Verdict.PASS]
    assert report.diagnoses[0].kind == "kink convention"


@pytest.mark.parametrize("distance", [0.1, 6e-5, -3e-5, 1e-7])
def test_a_kink_is_located(distance):
    pair = numpy_pair(lambda x: np.abs(x - distance), lambda g, x: g * np.sign(x - distance))
    (entry,) = gradcheck(pair, [np.zeros(1)]).entries
    if abs(distance) < 1e-4:  # further away no step reaches it
        assert entry.where == pytest.approx(distance, rel=1e-4)
        assert entry.one_sided == pytest.approx(
            (-abs(entry.one_sided[0]) * np.sign(entry.one_sided[1]), entry.one_sided[1])
        )
    wrong = numpy_pair(pair.function, lambda g, x: -g * np.sign(x - distance))
    assert gradcheck(wrong, [np.zeros(1)], raise_exception=False).verdict is Verdict.FAIL


def test_ties_may_go_to_one_or_be_shared_but_not_counted_twice():
    def share(weights):
        return numpy_pair(np.max, lambda g, x: g * np.array(weights))

    x = [np.array([2.0, 2.0, 2.0, -1.0])]
    for weights in ([1, 0, 0, 0], [0, 0, 1, 0], [1 / 3, 1 / 3, 1 / 3, 0], [0.5, 0.25, 0.25, 0]):
        assert gradcheck(share(weights), x)
    for weights in ([1, 1, 1, 0], [0.5, 0.5, 0.5, 0], [0, 0, 0, 0], [0.5, 0, 0, 0]):
        report = gradcheck(share(weights), x, raise_exception=False)
        assert report.verdict is Verdict.FAIL
        assert report.diagnoses[0].kind == "kink convention"


def test_ties_between_two_inputs_count_as_ties():
    def pair(a, b):
        return numpy_pair(np.maximum, lambda g, x, y: (g * np.where(x == y, a, x > y), g * np.where(x == y, b, y > x)))

    inputs = [np.array([1.0, 2.0]), np.array([1.0, 3.0])]
    assert gradcheck(pair(0.5, 0.5), inputs)
    assert gradcheck(pair(1, 0), inputs)
    assert gradcheck(pair(1, 1), inputs, raise_exception=False).verdict is Verdict.FAIL


def test_conventions_of_independent_kinks_may_differ():
    pair = numpy_pair(lambda x: np.abs(x[0]) - np.abs(x[1]), lambda g, x: g * np.array([1.0, 1.0]))
    assert gradcheck(pair, [np.zeros(2)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_a_gradient_between_the_slopes_of_a_jump_is_no_pass(dtype, slope):
    """Seen from afar a jump is a kink, and one of its slopes is the gradient."""
    pair = numpy_pair(lambda x: np.floor(x) + slope * x, lambda g, x: slope * g)
    for seed, x in enumerate((-3.0, 1.0, 2.0, 4.0, 100.0)):
        report = gradcheck(pair, [np.array([x], dtype)], seed=seed, raise_exception=False)
        assert report.verdict is Verdict.INCONCLUSIVE, str(report)


def test_a_jump_is_inconclusive():
    report = gradcheck(numpy_pair(np.floor, lambda g, x: 0 * g), [np.array([2.0])], raise_exception=False)
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_bend_without_a_kink_passes():
    assert gradcheck(numpy_pair(lambda x: x * np.abs(x), lambda g, x: 2 * g * np.abs(x)), [np.array([0.0, 1e-6, 0.1])])


def at(function, *values):
    return point(function, np.array(values))


@pytest.mark.parametrize(("left", "right"), [(-1.0, 1.0), (0.0, 1.0), (2.0, -3.0), (1.0, 1.0)])
def test_one_sided_slopes_at_the_point(left, right):
    found = at(lambda x: np.exp(x) + np.where(x > 0, right, left) * x, 0.0)
    for v in (ONE, -2 * ONE):
        sides = Sides.at(found, v, found.ends_of_element(0, 0), 2.0**-7)
        expected = v[0] * (1 + left), v[0] * (1 + right)
        assert (sides.left, sides.right) == pytest.approx(expected, abs=sides.error + 1e-9)
        assert (sides.low, sides.high) == pytest.approx(sorted(expected), abs=sides.error + 1e-9)
        assert sides.error < 1e-4


def test_each_output_has_its_own_kink():
    """What lies between the slopes of a sum of kinks of either sense is more than between its own two slopes."""
    found = at(lambda x: np.array([np.abs(x[0]), -np.abs(x[0]), x[0]]), 0.0)
    sides = Sides.at(found, np.array([1.0, 0.5, 2.0]), found.ends_of_element(0, 0), 2.0**-7)
    assert (sides.left, sides.right) == pytest.approx((1.5, 2.5), abs=1e-6)
    assert (sides.low, sides.high) == pytest.approx((0.5, 3.5), abs=1e-6)


def test_the_error_of_slopes_is_the_rounding_of_what_kinks():
    def f(x):
        return np.array([1.0 + np.abs(x[0]), 1e6 + x[0]])

    found = at(f, 0.0)
    sides = Sides.at(found, np.array([1.0, 1.0]), found.ends_of_element(0, 0), 2.0**-7)
    h = 2.0**-20
    assert found.noise[0] * 7 * 16 / h <= sides.error + 1e-12
    assert Sides.at(found, np.array([1.0, 0.0]), found.ends_of_element(0, 0), 1e-12).error > 1e3 * sides.error


@pytest.mark.parametrize("where", [1e-3, -1e-3, 2.0**-9])
def test_slopes_on_either_side_of_a_kink_nearby(where):
    found = at(lambda x: np.where(x > where, 3 * (x - where), -0.5 * (x - where)), 0.0)
    sides = Sides.around(found, 2 * ONE, found.ends_of_element(0, 0), Kink(where, 1e-12))
    assert (sides.left, sides.right) == pytest.approx((-1.0, 6.0), rel=1e-6)
    assert (sides.low, sides.high, sides.error) == (sides.left, sides.right, 0.0)
    turned = Sides.around(found, -2 * ONE, found.ends_of_element(0, 0), Kink(where, 1e-12))
    assert (turned.low, turned.high) == (turned.right, turned.left)
    assert ratio(1.0, 4.0) == 0.25
    assert np.isnan(ratio(1.0, 0.0))


def test_between_the_slopes_is_between_them_with_some_slack():
    sides = Sides(3.0, -1.0, -1.0, 3.0, 0.0)
    assert all(inside(value, sides, 0.1) for value in (-1.05, -1.0, 1.0, 3.0, 3.05))
    assert not any(inside(value, sides, 0.1) for value in (-1.2, 3.2))


def test_a_kink_is_at_the_point_if_it_cannot_be_told_from_one_there():
    assert Kink(1e-9, 1e-9).at_point
    assert Kink(-1e-9, 1e-9).at_point
    assert not Kink(-2e-9, 1e-9).at_point


@pytest.mark.parametrize("where", [0.0, 1e-3, -1e-3, 6e-6, -5e-9])
@pytest.mark.parametrize("reach", [0.0, 2.0**-8])
@pytest.mark.parametrize("sharp", [1.0, -40.0])
def test_the_place_of_a_kink_is_found_by_halving(where, reach, sharp):
    found = at(lambda x: np.sin(x) + sharp * np.abs(x - where), 0.0)
    kink = find_kink(found, ONE, found.ends_of_element(0, 0), 2.0**-7, reach)
    assert abs(kink.where - where) <= kink.resolution + 1e-3 * abs(where)
    assert kink.at_point is (where == 0.0)
    assert kink.resolution < 2.0**-7 * 2.0**-26


@pytest.mark.parametrize("f", [np.sin, np.exp, lambda x: x * np.abs(x), lambda x: x**3, lambda x: 5 + 0 * x])
@pytest.mark.parametrize("x", [0.5, -0.7])
def test_where_a_function_bends_alike_everywhere_there_is_no_kink(f, x):
    found = at(f, x)
    assert find_kink(found, ONE, found.ends_of_element(0, 0), 2.0**-7, 0.0) is None


def test_a_kink_beyond_the_reach_or_below_the_noise_is_not_found():
    found = at(lambda x: np.exp(x) + np.abs(x - 2.0**-6), 0.0)
    assert find_kink(found, ONE, found.ends_of_element(0, 0), 2.0**-7, 0.0) is None
    faint = at(lambda x: 1e6 * np.cos(x) + 1e-9 * np.abs(x), 0.0)
    assert find_kink(faint, ONE, faint.ends_of_element(0, 0), 2.0**-7, 0.0) is None


def test_what_rounding_does_along_a_direction_is_the_sum_of_what_it_does_to_each_element():
    """A gradient that jitters by 10⁻⁶ or so, as far as that is known; nothing where the direction is 0."""

    def vjp(g, x, y):
        return g * (np.cos(x) + 1e-6 * np.sin(1e22 * x * x * g)), g * np.cos(y)

    made = point(lambda x, y: np.sin(x) + np.sin(y), np.array([0.3, 0.7]), np.array([0.2, 0.4]), vjp=vjp)
    v = np.array([1.0, 2.0])

    def along(u, w):
        return rounding_along(made, v, [np.array(u), np.array(w)], np.random.default_rng(0))

    whole = along([1.0, 1.0], [1.0, 1.0])
    assert 1e-6 < whole < 2e-5
    assert along([0.0, 0.0], [1.0, 1.0]) < 1e-12
    assert along([-3.0, 0.0], [0.0, 0.0]) + along([0.0, 3.0], [0.0, 0.0]) == pytest.approx(3 * whole, rel=1e-6)


@pytest.mark.parametrize(("dtype", "part"), [(np.float64, 16 * 2.0**-52), (np.float32, 0.0)])
def test_in_float64_what_no_output_shows_counts_as_rounding_too(dtype, part):
    """The gradient of 3x does not jitter at all."""
    made = point(lambda x: 3 * x, np.array([0.5, 2.0], dtype), vjp=lambda g, x: 3 * g)
    unseen = part * (1.5 + 6.0) / 2.0
    found = rounding_along(made, np.ones(2), [np.array([1.0, -2.0])], np.random.default_rng(0))
    assert 3 * unseen <= found <= 3 * unseen + 20 * 2.0**-52


def test_the_generalised_derivative_of_a_maximum_is_that_of_its_winners():
    x = np.array([2.0, 2.0, -1.0])
    made = point(lambda x: 3 * np.max(x), x)
    v, tied = np.array([0.5]), [np.array([True, True, False])]
    for u, low, high in (([1.0, 1.0, 0.0], 1.5, 1.5), ([1.0, 0.25, 7.0], 0.375, 1.5), ([-1.0, 1.0, 0.0], -1.5, 1.5)):
        found = generalised(made, v, [np.array(u)], tied, np.random.default_rng(0))
        assert found[:2] == pytest.approx((low, high), abs=1e-6)
        assert found[2] == pytest.approx(7 * 0.5 * made.noise[0] * np.max(np.abs(u)) * 2.0**26)
    near = 2.0**-26 * np.max([1.0, 0.25]) + 256 * 2.0**-26
    beside = point(lambda x: np.max(x), np.array([2.0, 2.0 - 3 * near, -1.0]))
    found = generalised(beside, ONE, [np.array([1.0, 0.25, 0.0])], tied, np.random.default_rng(0))
    assert found[:2] == pytest.approx((1.0, 1.0), abs=1e-6)


def test_directions_of_no_input_leave_it_where_it_is():
    made = point(lambda x, y: np.abs(x) * y, np.array([0.0]), np.array([2.0]))
    support = [np.array([True]), np.array([False])]
    found = generalised(made, ONE, [np.array([1.0]), None], support, np.random.default_rng(0))
    assert found[:2] == pytest.approx((-2.0, 2.0), abs=1e-6)
