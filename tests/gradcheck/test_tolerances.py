"""What the judge lets pass is as little as it says: mistakes just beyond each of its tolerances fail."""

import numpy as np
import pytest

from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.differences import Extrapolated
from tinygrad_cnn.gradcheck.judge import RTOL, Tolerance, errorbar


def verdict(function, vjp, x):
    return gradcheck(numpy_pair(function, vjp), [x], raise_exception=False, explain=False).verdict


@pytest.mark.parametrize("over", [1e-4, 1e-3, 5e-3])
def test_a_tie_counted_a_little_more_than_once_fails(over):
    x = np.array([2.0, 2.0, -1.0])
    assert verdict(np.max, lambda g, x: g * np.array([0.5, 0.5, 0.0]), x) is Verdict.PASS
    assert verdict(np.max, lambda g, x: g * np.array([0.5, 0.5 + over, 0.0]), x) is Verdict.FAIL
    assert verdict(np.max, lambda g, x: g * np.array([0.5, 0.5 - over, 0.0]), x) is Verdict.FAIL


def test_a_zero_beside_large_derivatives_may_be_off_by_a_ten_millionth_of_them():
    def weighed(small):
        return lambda g, x: g * np.array([np.cos(x[0]), small], np.float32)

    def function(x):
        return np.sin(x[0].astype(np.float32)) + x[1] * np.float32(0)  # float32, whatever it is asked in

    x = np.array([0.7, 0.4], np.float32)
    assert verdict(function, weighed(0.0), x) is Verdict.PASS
    assert verdict(function, weighed(5e-6), x) is Verdict.FAIL
    exact = Tolerance(None, RTOL, 2.0**-52, None)
    assert 0 < exact.allowed(0.0, 1.0) <= 2e-7
    assert exact.allowed(0.0, 1e6) == pytest.approx(1e6 * exact.allowed(0.0, 1.0), rel=1e-3)
    assert 1e-5 <= exact.allowed(1.0, 1.0) <= 1.1e-5


def test_the_error_bar_is_a_few_times_the_error_and_rounding_once():
    found = Extrapolated(np.zeros(3), np.array([1.0, 1.0, 3.0]), np.array([1.0, 0.0, 1.0]))
    one, bare, both = errorbar(found)
    assert one == 1
    assert 2 <= bare <= 5
    assert both == 1 + 2 * bare


@pytest.mark.parametrize(
    ("function", "slope", "x", "off"),
    [(lambda x: 1 / x, lambda x: -1 / x**2, 7.3, 5e-5), (np.sqrt, lambda x: 0.5 / np.sqrt(x), 7.3, 1.2e-4)],
)
def test_what_float32_can_tell_is_told(function, slope, x, off):
    given = np.array([x], np.float32)
    for factor, expected in ((1.0, Verdict.PASS), (1 + off, Verdict.FAIL), (1 - off, Verdict.FAIL)):
        assert verdict(function, lambda g, x, f=factor: (g * slope(x) * f).astype(np.float32), given) is expected


def test_an_error_bar_decides_something_up_to_a_part_of_the_derivative():
    single, double = (Tolerance(None, RTOL, float(np.finfo(dtype).eps), None) for dtype in (np.float32, np.float64))
    assert 2e-3 < single.coarse(1.0, 1.0) < 3e-3
    assert double.coarse(1.0, 1.0) == pytest.approx(1e-4)
    assert double.coarse(-3.0, 1.0) == pytest.approx(3e-4)
    assert double.coarse(0.0, 2.0) == pytest.approx(2e-4)


def test_the_error_bar_and_what_is_allowed_are_told_apart():
    report = gradcheck(numpy_pair(lambda x: 3 * x, lambda g, x: 3 * g), [np.array([0.5, -0.25])])
    assert all(0 <= entry.error < 1e-10 < entry.allowed < 1e-3 for entry in report.entries)


def bent(x):
    return np.where(x > 0, x + 0.3 * x**2, -2 * x + x**2)


def test_the_slopes_that_meet_at_a_curved_kink_are_those_of_its_sides():
    pair = numpy_pair(bent, lambda g, x: g * np.where(x > 0, 1 + 0.6 * x, np.where(x < 0, -2 + 2 * x, 0.0)))
    (entry,) = gradcheck(pair, [np.zeros(1)]).entries
    left, right = entry.one_sided
    assert left == pytest.approx(-2 * right, rel=1e-6)


@pytest.mark.parametrize("distance", [6e-5, -3e-5])
def test_the_slopes_on_either_side_of_a_kink_beside_the_point(distance):
    pair = numpy_pair(lambda x: np.abs(x - distance), lambda g, x: g * np.sign(x - distance))
    (entry,) = gradcheck(pair, [np.zeros(1)]).entries
    own, other = entry.one_sided if distance > 0 else entry.one_sided[::-1]
    assert own == pytest.approx(entry.analytic, rel=1e-6)
    assert other == pytest.approx(-entry.analytic, rel=1e-6)


def test_a_slight_kink_is_told_though_the_gradient_is_the_mean_of_its_slopes():
    pair = numpy_pair(lambda x: x + 0.1 * np.abs(x), lambda g, x: g * (1 + 0.1 * np.sign(x)))
    (entry,) = gradcheck(pair, [np.zeros(1)]).entries
    assert entry.reason == "at a kink, inside the subdifferential"


def test_a_tie_counted_twice_is_put_down_to_its_inputs():
    def all_of(g, a, b, c):
        y = np.maximum(np.maximum(a, b), c)
        return tuple(g * (x == y) for x in (a, b, c))  # where two are the greatest both get everything

    inputs = [np.array([5.0, 1.0, 9.0]), np.array([2.0, 4.0]), np.array([2.5, 4.0])]
    pair = numpy_pair(
        lambda a, b, c: np.maximum(np.maximum(a[:2], b), c),
        lambda g, a, b, c: (np.append(all_of(g, a[:2], b, c)[0], 0.0), *all_of(g, a[:2], b, c)[1:]),
    )
    report = gradcheck(pair, inputs, raise_exception=False, explain=False)
    failed = [(e.input, e.place) for e in report.entries if e.verdict is Verdict.FAIL]
    assert failed == [(1, (1,)), (2, (1,))]
