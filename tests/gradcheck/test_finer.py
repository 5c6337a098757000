"""What a function is at finer steps: functions that turn, jump or go in steps at a known scale."""

import numpy as np
import pytest

from tests.gradcheck.points import point
from tinygrad_cnn.gradcheck.finer import (
    is_settled,
    is_unresolved,
    is_unsettled,
    jumps,
    moved,
    rounded,
    slope,
    smallest_step,
    telling_step,
)

FIRST, ONE = 2.0**-7, np.ones(1)


def at(function, x=0.0, dtype=np.float64):
    found = point(function, np.array([x], dtype))
    return found, found.ends_of_element(0, 0), smallest_step(found.arrays[0], x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [1.0, -1.0, 1000.0, 1e-6])
def test_between_the_smallest_step_and_the_element_are_some_numbers(dtype, value):
    step = dtype(smallest_step(np.zeros(1, dtype), value))
    size = dtype(abs(value))
    assert 4 <= step / np.spacing(size) <= 8
    assert smallest_step(np.zeros(1, dtype), 0.0) > 1e10 * np.finfo(dtype).tiny / 2**29


def test_the_smallest_step_from_zero_keeps_its_digits():
    for dtype in (np.float32, np.float64):
        info = np.finfo(dtype)
        assert smallest_step(np.zeros(1, dtype), 0.0) == pytest.approx(float(info.tiny) / float(info.eps))


def test_outputs_that_some_step_changes_have_moved():
    def f(x):
        (t,) = x
        near = np.sin(1e12 * t) if abs(t) < 1e-9 else 0.0  # another one near the point only
        far = t if abs(t) > 1e-4 else 0.0
        return np.array([t, 1.0, near, far, np.nan if t > 1e-3 else 0.0])

    found = point(f, np.zeros(1))
    ends = found.ends_of_element(0, 0)
    assert moved(ends, FIRST, 1e-14).tolist() == [True, False, True, True, True]
    assert moved(ends, 1e-5, 1e-7).tolist() == [True, False, False, False, False]


def test_rounding_errors_add_up_at_most_to_all_of_them_and_under_random_signs_to_less():
    v = np.array([1.0, -2.0, 0.0])
    assert rounded(v, np.array([0.5, 0.25, 7.0])) == 1.0
    many = np.full(10_000, 2.0)
    assert rounded(many, np.full(10_000, 0.5)) == pytest.approx(7 * 100)
    assert rounded(np.ones(49), np.ones(49)) == pytest.approx(49)
    assert rounded(np.ones(64), np.ones(64)) == pytest.approx(56)


def test_the_slope_at_a_step_is_the_change_over_the_way():
    found, ends, _ = at(lambda x: x**3, 1.0)
    assert slope(found, 2 * ONE, ends, 0.5) == pytest.approx(2 * (3 + 0.25))
    assert np.isnan(slope(found, ONE, ends, 1e-20))


@pytest.mark.parametrize("scale", [1e-5, 1e-7, 1e-9])
def test_where_a_function_turns_the_steps_below_speak_for_its_derivative(scale):
    found, ends, least = at(lambda x: np.sin(x / scale) * scale)
    coarse = slope(found, ONE, ends, FIRST)
    h = telling_step(found, ONE, ends, 1.0, (coarse, coarse), FIRST, least)
    assert 0.05 * scale < h <= 1.6 * scale
    for part in (1.0, 0.8125, 0.625, 0.4375):
        assert abs(np.sin(h * part / scale) * scale / (h * part) - 1) <= 0.25 * abs(1 - coarse) * (1 + 1e-9)
    if scale > 1e-8:  # else the turns are smaller than what counts as noise
        assert is_unsettled(found, ONE, ends, 1.0, (coarse, coarse), FIRST, least)
    assert not is_settled(found, ONE, ends, 1.0, (coarse, coarse), FIRST, least)


@pytest.mark.parametrize("gradient", [1.5, -1.0, 0.99])
def test_no_step_speaks_for_a_wrong_gradient(gradient):
    found, ends, least = at(np.sin)
    assert telling_step(found, ONE, ends, gradient, (1.0, 1.0), FIRST, least) == 0.0
    assert is_settled(found, ONE, ends, gradient, (1.0, 1.0), FIRST, least)
    assert not is_unsettled(found, ONE, ends, gradient, (1.0, 1.0), FIRST, least)


def test_slopes_on_two_sides_are_an_interval():
    found, ends, least = at(np.sin)
    for low, high in ((0.5, 1.2), (0.9, 1.0)):
        assert is_settled(found, ONE, ends, 3.0, (low, high), FIRST, least)
        assert not is_unsettled(found, ONE, ends, 3.0, (low, high), FIRST, least)
        assert is_settled(found, ONE, ends, -3.0, (low, high), FIRST, least)
    assert not is_settled(found, ONE, ends, 3.0, (-1.0, -0.5), FIRST, least)
    assert is_unsettled(found, ONE, ends, 1.5, (2.0, 2.5), FIRST, least)
    # four times nearer than the gradient is the same
    assert is_settled(found, ONE, ends, 2.0, (0.7, 0.7), FIRST, least)
    assert not is_settled(found, ONE, ends, 2.0, (0.6, 0.6), FIRST, least)
    assert is_settled(found, ONE, ends, -1.0, (1.6, 1.6), FIRST, least)
    assert not is_settled(found, ONE, ends, -1.0, (1.7, 1.7), FIRST, least)


def test_a_gradient_between_the_slopes_is_no_matter():
    found, ends, least = at(np.sin)
    assert not is_settled(found, ONE, ends, 1.0, (0.5, 1.5), FIRST, least)
    assert not is_unsettled(found, ONE, ends, 1.0, (0.5, 1.5), FIRST, least)


def test_what_noise_covers_is_not_read():
    """Of a function that is nothing but steps of 10⁻⁶ no small difference counts, whatever it is."""
    found, ends, least = at(lambda x: np.round(np.sin(x) * 1e6) / 1e6, 0.3)
    right = np.cos(0.3)
    assert not is_unsettled(found, ONE, ends, right * 1.01, (right, right), FIRST, least)
    assert not is_unsettled(found, ONE, ends, right * 1.0001, (right, right), FIRST, least)


@pytest.mark.parametrize("x", [0.0, 1.0, -3.0])
@pytest.mark.parametrize("size", [1.0, -1e-3, 1e6])
@pytest.mark.parametrize("tilt", [0.0, 1.0])
def test_a_jump_at_the_point_is_seen(x, size, tilt):
    found, ends, least = at(lambda t: size * (t >= x) + tilt * t, x)
    assert jumps(found, ONE, ends, least)
    assert jumps(found, -2 * ONE, ends, least)


@pytest.mark.parametrize("f", [np.sin, np.abs, lambda x: x, np.cbrt, lambda x: 0 * x, lambda x: np.sqrt(np.abs(x))])
@pytest.mark.parametrize("x", [0.0, 1.0])
def test_what_goes_to_nothing_with_the_step_does_not_jump(f, x):
    found, ends, least = at(f, x)
    assert not jumps(found, ONE, ends, least)


def test_a_jump_beside_the_point_is_none_at_it():
    found, ends, least = at(lambda t: 1.0 * (t > 1 + 1e-10), 1.0)
    assert not jumps(found, ONE, ends, least)


def test_steps_from_number_to_number_are_not_resolved():
    """A function that turns between neighbouring numbers."""
    found, ends, least = at(lambda x: np.sin(1e17 * x), 0.7)
    assert is_unresolved(found, ONE, ends, 1e17, FIRST, least)
    assert not is_unresolved(found, ONE, ends, 1.0, FIRST, least)
    smooth, ends, least = at(np.sin, 0.7)
    for gradient in (1.0, 1e3, 1e10):
        assert not is_unresolved(smooth, ONE, ends, gradient, FIRST, least)


def test_a_steep_function_that_is_resolved_is_so():
    found, ends, least = at(lambda x: np.tanh(1e10 * (x - 0.7)), 0.7)
    assert not is_unresolved(found, ONE, ends, 1e10, FIRST, least)


def test_steps_that_leave_nothing_but_rounding_speak_for_nothing():
    """Next to 1 the difference of 1 + x is 0 at steps that are less than the last place: no gradient of 0."""
    found, ends, least = at(lambda x: 1 + x)
    assert telling_step(found, ONE, ends, 0.0, (1.0, 1.0), FIRST, least) == 0.0


def with_ways(f, ways):
    """Ends that are further away on the right than on the left, as rounding of the element makes them."""

    def ends(h):
        up, down = h, ways(h)
        return np.array([f(up)]), np.array([f(-down)]), up, down

    return ends


def test_a_slope_counts_the_ways_to_both_sides():
    found = point(lambda x: x, np.zeros(1))
    assert slope(found, ONE, with_ways(lambda t: 3 * t, lambda h: h / 4), 0.5) == pytest.approx(3)


def test_a_jump_is_a_line_over_the_ways_to_both_sides():
    found = point(lambda x: x, np.zeros(1))
    least = 2.0**-40
    ends = with_ways(lambda t: (t >= 0) + 0.5 * t / least, lambda h: h if h > 1.9 * least else h / 4)
    assert jumps(found, ONE, ends, least)


def test_a_jump_is_seen_though_there_is_another_one_close_by():
    found, _, least = at(lambda x: x, 1.0)
    ends = with_ways(lambda t: 1.0 * (t >= 0) + 5.0 * (t > 2.5 * least), lambda h: h)
    assert jumps(found, ONE, ends, least)


def test_a_change_of_eight_last_places_is_rounding():
    """More than that, between neighbours as over many, is a function that is not resolved."""
    for places, unresolved in ((8, False), (9, True)):
        found, ends, least = at(lambda x, n=places: 1 + n * 2.0**-52 * (x != 0.7), 0.7)
        assert is_unresolved(found, ONE, ends, 1e10, FIRST, least) is unresolved
