"""The last word: what only rounding is to blame for, against bounds worked out apart."""

import numpy as np
import pytest

from tests.gradcheck.points import point
from tinygrad_cnn.gradcheck import Verdict
from tinygrad_cnn.gradcheck.referee import (
    ROUNDED,
    SPARSE,
    agrees,
    blamed_on_rounding,
    in_double,
    is_within_rounding,
    is_wrong,
    plausible,
    resolved,
    undecided,
)
from tinygrad_cnn.gradcheck.verdicts import Entry

X = np.array([0.3, -0.7, 1.1], np.float32)
EPS = 2.0**-23


def entry(analytic=2.0, place=(1,), verdict=Verdict.FAIL, input=0):
    return Entry(input, "x", place, analytic, 1.0, 0.0, verdict)


def test_only_numbers_that_are_called_wrong_are_heard_again():
    assert is_wrong(entry())
    assert not is_wrong(entry(np.nan))
    assert not is_wrong(entry(-np.inf))
    assert not is_wrong(entry(verdict=Verdict.PASS))
    assert not is_wrong(entry(verdict=Verdict.INCONCLUSIVE))
    said = undecided(entry(), "because")
    assert (said.verdict, said.reason, said.analytic) == (Verdict.INCONCLUSIVE, "because", 2.0)


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 2.0**17), (np.float64, 2.0**46)])
def test_numbers_without_near_neighbours_decide_nothing(dtype, size):
    """A hundredth apart, or so."""
    x = np.array([[1.0, size], [size / 4, -2 * size]], dtype)
    at = point(lambda x: x, x)
    entries = [entry(place=place) for place in np.ndindex(2, 2)]
    found = resolved(at, entries)
    assert [e.verdict is Verdict.FAIL for e in found] == [True, False, True, False]
    assert {e.reason for e in found if e.verdict is Verdict.INCONCLUSIVE} == {SPARSE}
    (whole,) = resolved(at, [entry(place=())])
    assert whole.verdict is Verdict.INCONCLUSIVE  # a projection touches them all
    passed = entry(place=(0, 1), verdict=Verdict.PASS)
    assert resolved(at, [passed]) == [passed]
    near = point(lambda x: x, x[:, :1])
    assert resolved(near, [entry(place=())])[0].verdict is Verdict.FAIL


def test_the_input_of_an_entry_is_found_among_those_that_are_checked():
    at = point(lambda a, n, b: a + b, np.ones(2, np.float32), 3, np.array([1.0, 1e7], np.float32))
    there = [resolved(at, [entry(place=(1,), input=k)])[0].verdict for k in (0, 2)]
    assert there == [Verdict.FAIL, Verdict.INCONCLUSIVE]


def test_the_same_function_in_float64():
    at = point(np.sin, X)
    double = in_double(at)
    assert double.eps == 2.0**-52
    np.testing.assert_array_equal(double.values, np.sin(X.astype(np.float64)))
    assert double.arrays[0].dtype == np.float64
    assert agrees(double, at)


def test_a_function_of_one_precision_only_has_none_in_float64():
    def refuses(x):
        if x.dtype != np.float32:
            raise TypeError("float32 only")
        return np.sin(x)

    assert in_double(point(refuses, X)) is None
    assert in_double(point(lambda x: np.sin(x.astype(np.float32)), X)) is None
    assert in_double(point(lambda x: np.sin(x)[: 2 if x.dtype == np.float64 else 3], X)) is None


@pytest.mark.parametrize(("units", "same"), [(2, True), (1000, False)])
def test_values_that_differ_by_rounding_are_those_of_the_same_function(units, same):
    at = point(lambda x: np.sin(x) * np.float32(1 + (x.dtype == np.float32) * units * EPS), X)
    assert agrees(in_double(at), at) is same


def test_one_value_is_enough_to_be_another_function():
    def f(x):
        return np.sin(x) + np.array([0, 0, x.dtype == np.float32], np.float32)

    at = point(f, X)
    assert not agrees(in_double(at), at)


@pytest.mark.parametrize(("x", "within"), [(0.0, 256), (1.0, 256), (-8.0, 8 * 256), (0.25, 256)])
def test_a_kink_is_too_near_to_tell_its_side_by_as_much_as_the_element_is_large(x, within):
    at = point(np.abs, np.array([1.0, x], np.float32))
    for sign in (1, -1):
        assert is_within_rounding(at, 0, 1, sign * 0.99 * within * EPS)
        assert not is_within_rounding(at, 0, 1, sign * 1.01 * within * EPS)
    assert not is_within_rounding(at, 0, 1, None)


@pytest.mark.parametrize("size", [4.0, 0.25])
def test_rounding_may_do_what_terms_of_the_size_of_the_input_do(size):
    at = point(lambda x: np.array([3.0, -2.0], np.float32) + 0 * x[:2], np.array([0.1 * size, -size], np.float32))
    v = np.array([0.5, -2.0])
    values = 0.5 * 3 + 2 * 2
    assert plausible(at, 0, v) == pytest.approx(16 * EPS * (values * 4 + 2.0), rel=1e-6)
    assert isinstance(plausible(at, 0, v), float)


def blamed(off, rough=0.0, place=(1,), exact=1.0):
    """The verdict on an entry whose gradient is off by so many units from that in float64, elements 0 and 2 by less."""
    at = point(lambda x: np.ones(1, np.float32) + 0 * x[:1], np.ones(3, np.float32))
    analytic = [np.array([[exact, exact + off, exact], [exact, exact, exact]])]
    roughness = [[np.array([0.0, rough, 0.0])], [np.zeros(3)]]
    V = np.array([[1.0], [0.5]])
    (said,) = blamed_on_rounding(at, [entry(place=place)], V, analytic, [np.full((2, 3), exact)], roughness)
    assert said.reason == (ROUNDED if said.verdict is Verdict.INCONCLUSIVE else "")
    return said.verdict


def test_what_differs_from_float64_by_rounding_is_not_called_wrong():
    most = (16 * 2 + 4) * EPS  # of values of 1, an input of 1, a cotangent of 1; and four units of the gradient
    for place in ((1,), ()):
        assert blamed(0.9 * most, place=place) is Verdict.INCONCLUSIVE
        assert blamed(-0.9 * most, place=place) is Verdict.INCONCLUSIVE
        assert blamed(1.1 * most, place=place) is Verdict.FAIL
    assert blamed(1.1 * most, place=(0,)) is Verdict.INCONCLUSIVE  # another element's error is none of its own
    assert blamed(0.9e-3, rough=1e-3) is Verdict.INCONCLUSIVE
    assert blamed(1.1e-3, rough=1e-3) is Verdict.FAIL
    assert blamed(1.1 * most, exact=100.0) is Verdict.INCONCLUSIVE
