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
