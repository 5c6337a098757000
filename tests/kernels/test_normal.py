"""GELU of each set against float64, in its tails, at infinity, and in any memory order."""

import numpy as np
import pytest

from tests.kernels.test_definition import FAST
from tinygrad_cnn.kernels import definition

fast_sets = pytest.mark.parametrize("kernels", FAST, ids=lambda kernels: kernels.name)


@fast_sets
@pytest.mark.parametrize("name", ["gelu", "gelu_slope"])
def test_float32_is_as_near_to_float64_as_rounding_allows(kernels, name):
    x = np.linspace(-12, 12, 20_001, dtype=np.float32)
    found, expected = getattr(kernels, name)(x), getattr(definition, name)(x.astype(np.float64))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=3e-7)
    tail = x < -2
    np.testing.assert_allclose(found[tail], expected[tail], rtol=5e-6)


@fast_sets
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(0, 3), (5,), (3, 70, 100)])
def test_any_shape_order_and_dtype(kernels, dtype, shape):
    x = np.asarray(np.random.default_rng(0).standard_normal(shape), dtype)
    layouts = [x, np.asfortranarray(x), np.repeat(x, 2, axis=-1)[..., ::2]]
    for name in ("gelu", "gelu_slope"):
        expected = getattr(definition, name)(x.astype(np.float64))
        for given in layouts:
            found = getattr(kernels, name)(given)
            assert (found.dtype, found.shape) == (x.dtype, x.shape)
            np.testing.assert_allclose(found, expected, atol=4e-3 if dtype == np.float16 else 1e-6)


@fast_sets
@pytest.mark.parametrize("count", [3, 1000])
def test_nan_and_infinity_are_as_in_the_formula(kernels, count):
    for name, value, expected in (
        *(("gelu", np.inf, np.inf), ("gelu", -np.inf, np.nan), ("gelu", np.nan, np.nan), ("gelu", -30, 0.0)),
        *(("gelu_slope", np.inf, np.nan), ("gelu_slope", np.nan, np.nan), ("gelu_slope", 30, 1.0)),
    ):
        found = getattr(kernels, name)(np.full(count, value, np.float32))
        np.testing.assert_array_equal(found, np.full(count, expected, np.float32))
