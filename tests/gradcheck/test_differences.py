"""Numerical derivatives: as exact as they claim, and never more."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_cnn.gradcheck import derivative
from tinygrad_cnn.gradcheck.differences import NOISE_POINTS, extrapolate, noise_level

KNOWN = [
    (math.exp, 1.0),
    (lambda t: math.sin(3 * t), 3.0),
    (lambda t: 1 / (1 + t), -1.0),
    (lambda t: math.log(2 + t), 0.5),
    (lambda t: (1 + t) ** 7.5, 7.5),
    (lambda t: 1e6 + t, 1.0),
    (lambda t: 5.0, 0.0),
]


@pytest.mark.parametrize(("function", "exact"), KNOWN)
def test_the_derivative_lies_within_its_error(function, exact):
    value, error = derivative(function)
    assert abs(value - exact) <= error
    assert error < 1e-6 * max(1, abs(exact)) or function(0.0) > 1e5


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6))
def test_polynomials_up_to_degree_five_are_exact_but_for_rounding(coefficients):
    value, error = derivative(lambda t: sum(c * t**k for k, c in enumerate(coefficients)))
    expected = coefficients[1] if len(coefficients) > 1 else 0.0
    assert abs(value - expected) < 1e-10
    assert abs(value - expected) <= error + 1e-15


def test_noise_shows_in_the_error():
    random = np.random.default_rng(0)
    estimates = [derivative(lambda t: math.exp(t) + 1e-4 * random.uniform(-1, 1)) for _ in range(500)]
    assert np.mean([abs(value - 1) <= 10 * error for value, error in estimates]) > 0.95


def test_a_kink_shows_in_the_error():
    value, error = derivative(lambda t: abs(t - 0.003))
    assert abs(value - -1.0) > 1e-3
    assert error > 1e-2


@pytest.mark.parametrize(("function", "exact"), KNOWN)
@pytest.mark.parametrize("depth", [2, 3, 6])
def test_the_best_entry_of_a_table_lies_within_its_error(function, exact, depth):
    steps = [0.01 * 0.5**k for k in range(depth)]
    values = np.array([(function(h) - function(-h)) / (2 * h) for h in steps])
    noise = np.array([1.2e-16 * abs(function(0.0)) / h for h in steps])
    found = extrapolate(steps, values, noise)
    assert abs(found.value - exact) <= found.error
    assert found.rounding <= found.error
    assert found.error <= 2 * abs(values[0] - values[1]) + 3 * noise[0]


def test_one_sided_differences_lose_one_power_of_the_step_at_a_time():
    steps = [0.1 * 0.5**k for k in range(8)]
    values = np.array([math.expm1(h) / h for h in steps])
    found = extrapolate(steps, values, np.zeros(8), power=1)
    assert abs(found.value - 1) <= found.error < 1e-8


def test_a_step_at_which_the_function_is_undefined_is_passed_over():
    values = np.array([np.nan, 1.01, 1.0025, 1.000625])
    found = extrapolate([0.2, 0.1, 0.05, 0.025], values, np.zeros(4))
    assert found.value == pytest.approx(1.0)
    assert np.isinf(extrapolate([0.2, 0.1], np.array([np.nan, 1.0]), np.zeros(2)).error)


@pytest.mark.parametrize("sigma", [1e-12, 1e-7, 1e-3])
def test_the_noise_of_a_function_is_estimated(sigma):
    random = np.random.default_rng(0)
    t = np.arange(NOISE_POINTS)[:, None] * 1e-4
    found = noise_level(np.exp(t) + sigma * random.normal(size=(NOISE_POINTS, 2000)))
    assert np.sqrt(np.mean(found**2)) == pytest.approx(sigma, rel=0.1)
    assert np.mean(4 * found > sigma) > 0.95
