"""Numerical derivatives: as exact as they claim, and never more."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_cnn.gradcheck import derivative

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
