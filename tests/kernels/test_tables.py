"""Float32 from tables: each function beside its own float64."""

import numpy as np
import pytest

from tinygrad_cnn.kernels import bessel, gamma, special
from tinygrad_cnn.kernels.tables import Table, by_table

FUNCTIONS = {
    "erf": (special.erf, -5, 5),
    "erfc": (special.erfc, -4, 9),
    "erfcx": (special.erfcx, -3, 32),
    "erfinv": (special.erfinv, -1, 1),
    "ndtr": (special.ndtr, -13, 6),
    "log_ndtr": (special.log_ndtr, -16, 8),
    "ndtri": (special.ndtri, 0, 1),
    "tanhshrink": (special.tanhshrink, -9, 9),
    "sinc": (lambda x: special.sinc_derivative(x, 0), -16, 16),
    "lgamma": (gamma.lgamma, 0, 32),
    "digamma": (gamma.digamma, 0, 32),
    "i1e": (lambda x: bessel.bessel_i(x, 1, True), -22, 22),
    "j1": (lambda x: bessel.bessel_j(x, 1), -22, 22),
    "y1": (lambda x: bessel.bessel_y(x, 1), 0, 22),
    "k1": (lambda x: bessel.bessel_k(x, 1, False), 0, 22),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_differs_from_float64_by_a_few_last_digits(name):
    function, low, high = FUNCTIONS[name]
    r = np.random.default_rng(0)
    x = (r.random(5_000) * (high - low) + low).astype(np.float32)
    x = np.concatenate([x, x * np.float32(1e-3), x * np.float32(1e-7)])
    found, wanted = function(x), function(x.astype(np.float64))
    assert found.dtype == np.float32
    normal = np.abs(wanted) > 1e-37
    np.testing.assert_allclose(found[normal], wanted[normal], rtol=5 * 2.0**-24)
    np.testing.assert_allclose(found[~normal], wanted[~normal], atol=1e-37)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_numbers_are_those_of_float64(name):
    function = FUNCTIONS[name][0]
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e30, -1e30, 1e-40, 2.0, -2.0], np.float32)
    with np.errstate(all="ignore"):
        wanted = function(x.astype(np.float64)).astype(np.float32)
    np.testing.assert_allclose(function(x), wanted, rtol=5 * 2.0**-24, atol=1e-44)
    assert np.array_equal(np.signbit(function(x[3:5])), np.signbit(wanted[3:5]))


def test_beside_a_zero_the_function_is_asked():
    table = Table(lambda x: np.sin(np.asarray(x, np.float64) - 1), -4, 4, 64, 3)
    x = (1 + np.arange(-64, 65) * 2.0**-20).astype(np.float32)
    np.testing.assert_allclose(table(x), np.sin(x.astype(np.float64) - 1), rtol=5 * 2.0**-24)


def test_float64_and_other_dtypes_go_to_the_function():
    asked = []
    function = by_table("a test", lambda x: asked.append(x.dtype) or x, 0, 1)
    function(np.zeros(3))
    assert asked == [np.float64]
