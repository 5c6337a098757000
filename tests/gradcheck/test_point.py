"""A function at its point: what is moved and by how much, and how loud it is, where that is known."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.gradcheck.points import point
from tinygrad_cnn.gradcheck import numpy_pair
from tinygrad_cnn.gradcheck.point import (
    KEPT,
    Ends,
    Point,
    finite,
    laid_out,
    moved,
    number_of,
    place_of,
    signed,
    strides_of,
)
from tinygrad_cnn.gradcheck.problems import NothingToCheck, OutsideDomain

X, W = np.array([[0.3, -0.7, 1.1], [2.0, -4.0, 0.5]]), np.array([1.5, -0.25, 3.0])


def both(x, w):
    return x * w, x.astype(np.float64).sum(0), np.argmax(x)


def pulled(g, x, w):
    first, second, _ = g
    return first * w + second, (first * x).sum(0)


def pair():
    return numpy_pair(both, lambda g, x, w: pulled(g, x, w))


def test_the_outputs_with_a_derivative_are_one_vector():
    at = point(both, X, W)
    np.testing.assert_array_equal(at.values, np.concatenate([(X * W).ravel(), X.sum(0)]))
    assert at.size == 9
    assert at.largest == 4.0 * 0.25 or at.largest == np.max(np.abs(at.values))
    assert at.output_shapes == [(2, 3), (3,)]
    assert at.floating == [np.float64, np.float64]
    assert at.eps == 2.0**-52
    assert at.tiny == 2.0**-26


def test_the_coarsest_precision_counts():
    assert point(both, X.astype(np.float32), W).eps == 2.0**-23
    assert point(lambda x: x.astype(np.float16), X).eps == 2.0**-10
    assert point(lambda x: x.astype(np.float64), X.astype(np.float32)).tiny == 2.0 ** np.round(-23 / 2)


def test_the_floor_is_the_last_place_of_the_value_or_of_a_hundredth_of_the_largest():
    at = point(lambda x: (x, x.astype(np.float32)), np.array([8.0, -0.5, 1e-3, 0.0]))
    sizes = np.array([8.0, 0.5, 0.08, 0.08])
    np.testing.assert_allclose(at.floor, np.concatenate([sizes * 2.0**-52, sizes * 2.0**-23]), rtol=1e-6)
    one = point(lambda x: x, np.array([8.0, -0.5, 1e-3, 0.0], np.float32))
    np.testing.assert_allclose(one.floor, sizes * 2.0**-23, rtol=1e-6)


def test_what_cannot_be_checked_is_said():
    with pytest.raises(NothingToCheck, match=r"no output has a derivative .the function returns int64"):
        point(lambda x: np.argmax(x), X)
    with pytest.raises(OutsideDomain, match=r"returns nan at the given inputs .output 0 at .0, 1.."):
        point(np.log, X)
    with pytest.raises(OutsideDomain, match=r"returns -inf .* .output 1 at .2,.."):
        point(lambda x: (x, np.array([0, 1, -np.inf])), X)


def test_an_element_is_moved_by_as_much_as_is_said():
    at = point(both, X, W)
    there = X.copy()
    there[1, 0] += 0.125
    values, way = at.at_element(0, 3, 0.125)
    assert way == 0.125
    np.testing.assert_array_equal(values, np.concatenate([(there * W).ravel(), there.sum(0)]))
    values, way = at.at_element(1, 2, -0.5)
    np.testing.assert_array_equal(values[:6], (X * [1.5, -0.25, 2.5]).ravel())
    assert way == -0.5
    coarse = point(lambda x: x, np.array([1.0], np.float32))
    values, way = coarse.at_element(0, 0, 1e-7)
    assert way == 2.0**-23
    assert values[0] == 1 + 2.0**-23
    np.testing.assert_array_equal(at.arrays[0], X)


def test_inputs_are_moved_along_directions():
    at = point(both, X, W)
    u = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(at.along([u, None], 0.5)[:6], ((X + u / 2) * W).ravel())
    np.testing.assert_array_equal(at.along(at.only(1, W), 2.0)[:6], (X * 3 * W).ravel())
    high, low, up, down = at.ends_along([None, W])(0.25)
    assert (up, down) == (0.25, 0.25)
    np.testing.assert_allclose(high[:6], (X * W * 1.25).ravel())
    np.testing.assert_allclose(low[:6], (X * W * 0.75).ravel())
    assert moved(X, None, 1.0) is X
    single = moved(X.astype(np.float32), np.ones((2, 3)), 0.1)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, X + 0.1, rtol=1e-6)


def test_a_line_is_computed_once_and_remembered_for_one_element():
    calls = []

    def f(x):
        calls.append(1)
        return x * 2

    at = point(f, np.array([1.0, 2.0]))
    calls.clear()
    for _ in range(3):
        high, low, up, down = at.ends_of_element(0, 1)(0.5)
    assert len(calls) == 2
    assert (high.tolist(), low.tolist(), up, down) == ([2.0, 5.0], [2.0, 3.0], 0.5, 0.5)
    high, *_ = at.ends_of_element(0, 0)(0.5)
    assert high.tolist() == [3.0, 4.0]
    assert len(calls) == 4


def test_so_much_of_a_line_is_remembered():
    taken = []

    def take(t):
        taken.append(t)
        return np.full(KEPT // 2, t), t

    ends = Ends(take)
    for t in (1.0, 2.0, 3.0, 1.0, 2.0, 3.0):
        values, way = ends.at(t)
        assert values[0] == way == t
    assert taken == [1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize("refusal", [ValueError, ZeroDivisionError])
def test_where_a_function_refuses_there_are_no_numbers(refusal):
    def f(x):
        if x[0] < 0:
            raise refusal("negative")
        return x if x[0] < 10 else x[:1]

    at = point(f, np.array([1.0, 2.0]))
    for t in (-2.0, 20.0):
        values, _ = at.at_element(0, 0, t)
        assert values.shape == (2,)
        assert np.all(np.isnan(values))
    np.testing.assert_array_equal(at.evaluate([np.array([3.0, 4.0])]), [3.0, 4.0])


def test_the_function_is_watched():
    at, told = point(lambda x: x, X), []
    at.watch = lambda: told.append(1)
    at.at_element(0, 0, 1.0)
    assert told == [1]


def test_gradients_are_those_of_the_flat_cotangent():
    at = Point(pair(), [X, W], [0, 1])
    v = np.arange(1.0, 10.0)
    first, second = v[:6].reshape(2, 3), v[6:]
    expected = first * W + second, (first * X).sum(0)
    for found, right in zip(at.gradients(v), expected, strict=True):
        np.testing.assert_array_equal(found, right)
    given = at.split(v)
    np.testing.assert_array_equal(given[0], first)
    np.testing.assert_array_equal(given[1], second)
    assert given[2] is None
    elsewhere = at.vjp(v, [2 * X, W])
    np.testing.assert_array_equal(elsewhere[1], (first * 2 * X).sum(0))
    zero, kept = at.in_double([None, np.ones(3, np.float32)])
    assert zero.shape == (2, 3)
    assert not zero.any()
    assert kept.dtype == np.float64


def test_cotangents_have_the_precision_of_their_outputs():
    at = point(lambda x: (x, x.astype(np.float32)), X)
    assert [v.dtype for v in at.split(np.ones(12))] == [np.float64, np.float32]


def test_only_what_is_checked_is_moved():
    at = Point(pair(), [X, W], [1])
    (found,) = at.gradients(np.arange(1.0, 10.0))
    np.testing.assert_array_equal(found, (np.arange(1.0, 7.0).reshape(2, 3) * X).sum(0))
    copies = at.copies()
    assert copies[0] is X
    assert copies[1] is not W
    np.testing.assert_array_equal(copies[1], W)


def test_places_and_numbers_are_each_others_inverse():
    for i, place in enumerate(np.ndindex(2, 3, 4)):
        assert place_of(i, (2, 3, 4)) == place
        assert number_of(place, (2, 3, 4)) == i


@pytest.mark.parametrize("sigma", [1e-12, 1e-9])
def test_the_noise_of_a_function_is_what_it_jitters_by(sigma):
    """Sines of a very high frequency are as good as random numbers, of the deviation σ/√2."""
    at = point(lambda x: np.sin(x) + sigma * np.sin(1e22 * x * x), np.linspace(0.5, 1.5, 40))
    assert np.median(at.noise) == pytest.approx(4 * sigma / np.sqrt(2), rel=0.4)
    assert np.mean(at.noise > sigma / np.sqrt(2)) > 0.9


@pytest.mark.parametrize("f", [np.sin, np.exp, lambda x: x**3, lambda x: np.sqrt(x + 5)])
def test_a_smooth_function_is_little_louder_than_its_last_place(f):
    at = point(f, X)
    assert np.all(at.noise >= at.floor)
    assert np.all(at.noise <= 10 * at.floor)


@pytest.mark.parametrize("where", [0.0, 1e-7, -1e-5, 1e-3])
def test_a_kink_or_a_jump_is_no_noise(where):
    for f in (lambda x: np.abs(x - where) + x, lambda x: np.maximum(x, where)):
        at = point(f, np.array([0.0, 1.0, -1.0]))
        assert np.all(at.noise <= 1e-8), at.noise
    at = point(lambda x: x + (x >= 1.0), np.array([1.0, 0.3]))
    assert at.noise[0] < 1e-3


def test_the_noise_of_a_function_of_small_inputs_is_that_beside_them():
    """Loud within 10⁻⁸ of 0, quiet further away."""

    def f(x):
        return x + np.where(np.abs(x) < 1e-6, 1e-12 * np.sin(1e30 * x), 0.0)

    at = point(f, np.array([1e-8, 1.0]))
    assert 1e-13 < at.noise[0] < 1e-11
    assert at.noise[1] < 1e-14


def test_the_noise_of_a_gradient_is_what_it_jitters_by():
    x = np.linspace(0.5, 1.5, 30)
    loud = numpy_pair(np.sin, lambda g, x: g * (np.cos(x) + 1e-9 * np.sin(1e22 * x * x)))
    at, v = Point(loud, [x], [0]), np.linspace(1.0, 2.0, 30)
    random = np.random.default_rng(0)
    (noise,) = at.gradient_noise(random, v)
    assert noise.shape == (30,)
    assert np.median(noise / v) == pytest.approx(7e-9 / np.sqrt(2), rel=0.4)
    quiet = Point(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [x], [0])
    (noise,) = quiet.gradient_noise(random, v)
    assert np.all(noise >= 4 * 2.0**-52 * np.abs(v * np.cos(x)))
    assert np.all(noise < 1e-14)


def test_a_gradient_that_is_none_has_no_noise():
    at = Point(numpy_pair(lambda x, y: x, lambda g, x, y: (g, None)), [X, W], [0, 1])
    _, nothing = at.gradient_noise(np.random.default_rng(0), np.ones(6))
    assert nothing.shape == (3,)
    assert not nothing.any()


def test_digits_that_cancel_in_float32_show_beside_float64():
    """(1 + x) − 1 loses what rounds 1: in float32 the gradient is off by much more than its own last place."""

    def vjp(g, x):
        one = x.dtype.type(1)
        return g * ((one + x * x) - one)

    x = np.array([1e-3, 2e-3], np.float32)
    at = Point(numpy_pair(lambda x: x**3 / 3, vjp), [x], [0])
    (noise,) = at.gradient_noise(np.random.default_rng(0), np.ones(2))
    wide = x.astype(np.float64)
    off = np.abs(vjp(np.ones(2, np.float32), x) - wide * wide)
    assert np.all(off <= noise)
    assert np.all(noise >= np.minimum(2 * off, 4 * 2.0**-23))


def test_rounding_of_a_gradient_is_seen_between_neighbours_and_its_kinks_are_roughness():
    v = np.ones(3)
    pair = numpy_pair(lambda x: np.abs(x - 1), lambda g, x: g * np.where(x >= 1, 1.0, -1.0))
    kinked = Point(pair, [np.array([0.3, 1 + 1e-15, -2.0])], [0])
    (found,) = kinked.gradient_jitter(np.random.default_rng(0), v, 8)
    assert np.all(found.rounding < 1e-14)
    assert found.rough[1] >= 2.0  # from −1 to 1, within a few neighbours
    assert np.all(found.rough[[0, 2]] < 1e-14)
    loud = Point(numpy_pair(np.sin, lambda g, x: np.cos(x) * g + 1e-6 * np.sin(1e22 * (x + g))), [np.array([0.3])], [0])
    (found,) = loud.gradient_jitter(np.random.default_rng(0), np.ones(1), 8)
    assert 1e-7 < found.rounding[0] <= found.rough[0] < 1e-5


def test_an_input_is_as_large_as_its_largest_element():
    at = point(lambda x, w: x.sum() + w.sum(), -X, np.zeros(2))
    assert at.extent(0) == 4.0
    assert at.extent(1) == 1.0


def test_what_no_output_shows_of_a_gradient():
    at = point(lambda x: np.array([3.0, -2.0]) + 0 * x[:2], np.array([0.5, -8.0]))
    assert at.unseen(0, np.array([1.0, 4.0])) == pytest.approx(16 * 2.0**-52 * (3 + 8) / 8)


def test_directions_have_signs_sizes_and_few_digits():
    drawn = signed(np.random.default_rng(0), (4000,))
    assert drawn.shape == (4000,)
    assert 0.15 < np.min(np.abs(drawn)) < 0.25
    assert 0.85 < np.max(np.abs(drawn)) < 0.95
    assert abs(np.mean(np.sign(drawn))) < 0.1
    np.testing.assert_array_equal(drawn * 64, np.round(drawn * 64))
    assert len(np.unique(drawn)) > 80
    assert signed(np.random.default_rng(0), (2, 3), 0.5, 0.5).tolist()[0][0] in (0.5, -0.5)


def test_steps_are_in_proportion_to_the_elements():
    at = point(lambda x: np.where(np.isfinite(x), x, 0.0), np.array([100.0, -1e-3, 0.0, np.inf]))
    random = np.random.default_rng(0)
    (u,) = at._directions(random, relative=False)
    assert np.all(np.abs(u) / [100.0, 1.0, 1.0, 1.0] >= 0.15)
    assert np.all(np.abs(u) / [100.0, 1.0, 1.0, 1.0] <= 0.95)
    (u,) = at._directions(random, relative=True)
    assert np.all(np.abs(u) / [100.0, 1e-3, 1.0, 1.0] >= 0.15)
    assert np.all(np.abs(u) / [100.0, 1e-3, 1.0, 1.0] <= 0.95)


@pytest.mark.parametrize("make", [lambda a: a.T, lambda a: a[::-1], lambda a: a[:, ::2], lambda a: a.copy()[:, ::-1]])
def test_arrays_lie_in_memory_as_they_were_given(make):
    given = make(np.arange(12.0).reshape(3, 4))
    strides = strides_of(given)
    assert strides == given.strides
    copy = laid_out(given, strides)
    assert copy.strides == given.strides
    assert not np.shares_memory(copy, given)
    np.testing.assert_array_equal(copy, given)
    (seen,) = point(lambda x: x, given).copies()
    assert seen.strides == given.strides


def test_arrays_that_lie_row_after_row_or_repeat_themselves_are_copied_plainly():
    assert strides_of(np.ones((2, 3))) is None
    assert strides_of(np.broadcast_to(np.ones(3), (2, 3))) is None
    assert strides_of(3.0) is None
    assert strides_of(tg.tensor([1.0])) is None
    small = laid_out(np.ones((2, 2), np.float64), (4, 12))  # no strides for numbers of eight bytes
    np.testing.assert_array_equal(small, np.ones((2, 2)))


def test_what_is_no_number_counts_as_zero():
    np.testing.assert_array_equal(finite(np.array([1.0, np.nan, -np.inf], np.float32)), [1.0, 0.0, 0.0])
    assert finite(np.ones(2, np.float16)).dtype == np.float64


def test_the_rounding_of_a_gradient_is_seen_at_cotangents_next_to_each_other():
    """Nearer than would show anything else: by so many last places of the largest input, and all of them different.

    And once more further apart.
    """
    given = []

    def vjp(g, x):
        given.append(g.copy())
        return g * np.cos(x)

    at, v = Point(numpy_pair(np.sin, vjp), [np.array([0.3, -4.0])], [0]), np.array([0.5, 0.75])
    at.gradient_jitter(np.random.default_rng(0), v, 8)
    factors = sorted({float(g[0] / v[0]) for g in given} - {1.0})
    assert len(factors) == 16
    assert factors[8:] == [1 + t * 2.0**-13 for t in range(1, 9)]
    assert factors[7] - 1 == pytest.approx(8 * 64 * 2.0**-52 * 4.0, rel=1e-2)
