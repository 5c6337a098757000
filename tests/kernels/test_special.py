"""The special functions' kernels against mpmath, in units in the last place, from 1e-300 to 1e4."""

import mpmath as mp
import numpy as np
import pytest

from tests.profiles import THOROUGH
from tinygrad_cnn.kernels import bessel, gamma, special

BOUND = 8
"""Units in the last place."""
random = np.random.default_rng(0)
SIZES = np.concatenate([10 ** random.uniform(-300, 4, 25), 10 ** random.uniform(-2, 2, 75), [1e-300, 1.0, 2.0, 1e4]])
NUMBERS = np.concatenate([SIZES, -SIZES])
ZEROS = np.concatenate([1 + random.uniform(-1e-6, 1e-6, 10), 2 + random.uniform(-1e-6, 1e-6, 10), [1.4616321449683623]])
PARTS = np.concatenate(
    [10 ** random.uniform(-300, 0, 25), random.uniform(0, 1, 75), 1 - 10 ** random.uniform(-15, -1, 20)]
)
LEFT_OF_ZERO = -SIZES[(SIZES < 100) & (np.abs(SIZES - np.round(SIZES)) > 1e-5)]


def ulps(found, exact):
    """How many units in the last place of the exact value lie between."""
    nearest = float(exact)
    if np.isinf(nearest) or not np.isfinite(found):
        return 0.0 if found == nearest else np.inf
    return float(abs(mp.mpf(float(found)) - exact) / np.spacing(abs(nearest)))


def check(function, reference, points, bound=BOUND):
    with mp.workdps(60):
        worst = max((ulps(y, reference(mp.mpf(float(x)))), x) for x, y in zip(points, function(points), strict=True))
    assert worst[0] <= bound, f"{worst[0]:.1f} units in the last place at {worst[1]!r}"


def scaled_erfc(x):
    if x > 1e3:
        return (1 - 1 / (2 * x**2) + 3 / (4 * x**4) - 15 / (8 * x**6)) / (x * mp.sqrt(mp.pi))
    return mp.exp(x * x) * mp.erfc(x)


def normal(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_normal(x):
    return mp.log(normal(x)) if x < 5 else mp.log1p(-normal(-x))


def normal_quantile(p):
    """Where log_normal is ln p: by Newton's steps from the kernel's value, which double its digits."""
    x = mp.mpf(float(special.ndtri(np.array([float(p)]))[0]))
    for _ in range(3):
        x -= (log_normal(x) - mp.log(p)) * normal(x) * mp.sqrt(2 * mp.pi) * mp.exp(x * x / 2)
    return x


def polygamma(n, x):
    if abs(x) < 1e-20 and n == 0:
        return -1 / x
    return mp.polygamma(n, x) if abs(x) > 1e-20 else (-1) ** (n + 1) * mp.factorial(n) / x ** (n + 1)


FUNCTIONS = {
    "erf": (special.erf, mp.erf, NUMBERS),
    "erfc": (special.erfc, mp.erfc, NUMBERS),
    "erfcx": (special.erfcx, scaled_erfc, NUMBERS),
    "erfinv": (special.erfinv, lambda y: mp.erfinv(y) if abs(y) > 1e-20 else y * mp.sqrt(mp.pi) / 2, PARTS),
    "ndtr": (special.ndtr, normal, NUMBERS),
    "log_ndtr": (special.log_ndtr, log_normal, NUMBERS),
    "ndtri": (special.ndtri, normal_quantile, PARTS[PARTS < 1]),
    "lgamma": (gamma.lgamma, mp.loggamma, np.concatenate([SIZES, ZEROS])),
    "digamma": (gamma.digamma, lambda x: polygamma(0, x), np.concatenate([SIZES, ZEROS])),
    **{
        f"polygamma {n}": (lambda x, n=n: gamma.polygamma(n, x), lambda x, n=n: polygamma(n, x), SIZES)
        for n in (1, 2, 3, 7)
    },
    **{
        f"bessel_i {n}": (lambda x, n=n: bessel.bessel_i(x, n, False), lambda x, n=n: mp.besseli(n, x), NUMBERS)
        for n in (0, 1, 2)
    },
    **{
        f"bessel_i {n}, scaled": (
            lambda x, n=n: bessel.bessel_i(x, n, True),
            lambda x, n=n: mp.besseli(n, x) * mp.exp(-abs(x)),
            NUMBERS,
        )
        for n in (0, 1, 2)
    },
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_to_the_last_digits(name):
    check(*FUNCTIONS[name])


@pytest.mark.parametrize("scale", [-1.0, -0.5, 0.5, 1.0])
def test_the_exponential_of_a_square_has_all_its_digits(scale):
    check(lambda x: special.gauss(x, scale), lambda x: mp.exp(scale * x * x), NUMBERS, 4)


@pytest.mark.parametrize("n", range(4))
def test_left_of_0_the_errors_are_those_of_the_largest_term(n):
    """Between two poles a function has a zero; the terms that cancel there are of the size of the derivative."""
    found = gamma.polygamma(n, LEFT_OF_ZERO)
    for x, y in zip(LEFT_OF_ZERO, found, strict=True):
        with mp.workdps(60):
            exact = polygamma(n, mp.mpf(float(x)))
            size = max(abs(exact), abs(polygamma(n + 1, mp.mpf(float(x)))))
            assert abs(mp.mpf(float(y)) - exact) <= 8 * np.spacing(float(size))


def test_the_logarithm_of_gamma_left_of_0():
    with mp.workdps(60):
        for x, y in zip(LEFT_OF_ZERO, gamma.lgamma(LEFT_OF_ZERO), strict=True):
            exact = mp.log(abs(mp.gamma(mp.mpf(float(x)))))
            assert abs(mp.mpf(float(y)) - exact) <= 8 * np.spacing(max(abs(float(exact)), 1.0, 3 * abs(float(x))))


def test_hurwitz_zeta():
    right = [(1.5, 0.01), (2.0, 1.0), (3.0, 7.5), (30.0, 0.25), (2.5, 1e4), (100.0, 3.0)]
    for s, q in [*right, (3.0, -2.25), (4.0, -0.3)]:
        with mp.workdps(40):
            # mpmath wants q > 0: the terms left of 0 by hand
            left = sum((mp.mpf(q) + k) ** -s for k in range(int(max(0, np.ceil(-q)))))
            exact = left + mp.zeta(s, mp.mpf(q) + max(0, int(np.ceil(-q))))
            assert ulps(gamma.zeta(np.array(s), np.array(q)), exact) <= BOUND


def test_special_values():
    inf, nan = np.inf, np.nan
    where = np.array([0.0, -0.0, -1.0, -inf, inf, nan])
    np.testing.assert_array_equal(gamma.lgamma(where), [inf, inf, inf, inf, inf, nan])
    np.testing.assert_array_equal(gamma.digamma(where), [-inf, inf, nan, nan, inf, nan])
    np.testing.assert_array_equal(gamma.polygamma(1, where)[[0, 1, 2, 4, 5]], [inf, inf, inf, 0, nan])
    np.testing.assert_array_equal(special.erfc(where), [1, 1, special.erfc(np.array(-1.0)), 2, 0, nan])
    np.testing.assert_array_equal(special.erfcx(where)[3:], [inf, 0, nan])
    np.testing.assert_array_equal(special.erfinv(np.array([1, -1, 1.5, nan])), [inf, -inf, nan, nan])
    np.testing.assert_array_equal(special.ndtri(np.array([0, 1, -0.5, 1.5, nan])), [-inf, inf, nan, nan, nan])
    np.testing.assert_array_equal(special.log_ndtr(np.array([-inf, inf, nan])), [-inf, 0, nan])
    np.testing.assert_array_equal(bessel.bessel_i(np.array([0, inf, nan]), 0, False), [1, inf, nan])
    np.testing.assert_array_equal(bessel.bessel_i(np.array([0, -inf, nan]), 0, True), [1, 0, nan])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_results_have_the_dtype_of_the_input_and_its_shape(dtype):
    for function in (special.erf, special.erfc, gamma.lgamma, gamma.digamma, special.ndtri):
        for x in (np.array(0.5, dtype), np.full((2, 0), 0.5, dtype), np.full((2, 3), 0.5, dtype)):
            y = function(x)
            assert (y.dtype, y.shape) == (dtype, x.shape)


WAVES = np.concatenate([10 ** random.uniform(-90, 4, 15), random.uniform(0, 60, 35)])


@pytest.mark.parametrize("n", range(3))
@pytest.mark.parametrize("kind", ["j", "y"])
def test_waves_of_bessel_are_right_to_the_last_digits_of_their_height(kind, n):
    exact = {"j": mp.besselj, "y": mp.bessely}[kind]
    for x, y in zip(WAVES, getattr(bessel, f"bessel_{kind}")(WAVES, n), strict=True):
        with mp.workdps(40):
            value = exact(n, mp.mpf(float(x)))
            height = max(abs(value), mp.mpf(1 / np.sqrt(max(x, 1)) if x > 1 or kind == "y" else 0))
            assert np.isinf(y) if abs(value) > 1e308 else abs(mp.mpf(float(y)) - value) <= 20 * 2.3e-16 * height


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("n", range(3))
def test_bessel_functions_that_fall_keep_their_digits(n, scaled):
    points = WAVES[WAVES < 700][:: 1 if THOROUGH else 3]
    check(
        lambda x: bessel.bessel_k(x, n, scaled),
        lambda x: mp.besselk(n, x) * (mp.exp(x) if scaled else 1),
        points,
    )
