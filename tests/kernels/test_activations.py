"""Activations and softmax of each set against their definitions in float64, in tails, at infinity, in any order."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.kernels.test_definition import FAST
from tinygrad_cnn.kernels import definition
from tinygrad_cnn.nn import functional as F

fast_sets = pytest.mark.parametrize("kernels", FAST, ids=lambda kernels: kernels.name)
NAMES = ("sigmoid", "silu", "silu_slope", "softplus", "hardswish", "hardswish_slope")
ROUGH = {np.float16: 4e-3, np.float32: 1e-6, np.float64: 1e-14}


def called(kernels, name, x):
    return getattr(kernels, name)(x, *([20.0] if name == "softplus" else []))


@fast_sets
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", [12, 80])
def test_float32_is_as_near_to_float64_as_rounding_allows(kernels, name, end):
    x = np.linspace(-end, end, 20_001, dtype=np.float32)
    found, expected = called(kernels, name, x), called(definition, name, x.astype(np.float64))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=5e-7, atol=3e-7)
    tail = x < -4
    np.testing.assert_allclose(found[tail], expected[tail], rtol=2e-6)


@fast_sets
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 70, 500)])
def test_any_shape_order_and_dtype(kernels, name, dtype, shape):
    x = np.asarray(3 * np.random.default_rng(0).standard_normal(shape), dtype)
    expected = called(definition, name, x.astype(np.float64))
    gaps = np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x
    for given in (x, np.asarray(x, order="F"), gaps):
        found = called(kernels, name, given)
        assert (found.dtype, found.shape) == (x.dtype, x.shape)
        np.testing.assert_allclose(found, expected, rtol=ROUGH[dtype], atol=ROUGH[dtype])


@fast_sets
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [3, 1000])
def test_nan_and_infinity_are_those_of_the_definition(kernels, name, count):
    for value in (np.nan, np.inf, -np.inf, 1e38, -1e38, 3.0, -3.0, 0.0):
        x = np.full(count, value, np.float32)
        with np.errstate(all="ignore"):
            expected = called(definition, name, x)
        np.testing.assert_allclose(called(kernels, name, x), expected, rtol=1e-6)


@fast_sets
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5,), (4, 0), (0, 4), (3, 20), (7, 1000), (40, 3, 700), (2, 5, 30, 30)])
def test_softmax_along_any_axis_is_that_of_the_definition(kernels, name, dtype, shape):
    x = np.asarray(9 * np.random.default_rng(0).standard_normal(shape), dtype)
    for axis in range(len(shape)):
        expected = getattr(definition, name)(x.astype(np.float64), axis)
        for given in (x, np.asfortranarray(x)):
            found = getattr(kernels, name)(given, axis)
            assert (found.dtype, found.shape) == (x.dtype, x.shape)
            np.testing.assert_allclose(found, expected, rtol=ROUGH[dtype], atol=20 * ROUGH[dtype])


@fast_sets
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows_with_nan_and_infinity_are_those_of_the_definition(kernels, name):
    x = np.random.default_rng(0).standard_normal((9, 100)).astype(np.float32)
    x[0, 3], x[1, 3], x[2], x[3, 5:], x[4] = np.nan, np.inf, -np.inf, -np.inf, -np.abs(x[4])
    x[5, 7], x[6], x[7, 1] = -np.nan, 3e38, 200
    with np.errstate(all="ignore"):
        found, expected = getattr(kernels, name)(x, 1), getattr(definition, name)(x.astype(np.float64), 1)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    ("fused", "composed"),
    [
        (F.silu, lambda x: x * tg.sigmoid(x)),
        (F.hardswish, lambda x: x * F.relu6(x + 3) / 6),
        (F.softplus, lambda x: tg.logaddexp(x, tg.zeros_like(x))),
        (F.logsigmoid, lambda x: tg.log(tg.sigmoid(x))),
    ],
)
def test_an_activation_and_what_it_is_composed_of_agree_to_the_third_derivative(fused, composed):
    x = tg.linspace(-7, 7, 30, dtype=tg.float64, requires_grad=True)
    found, expected = fused(x), composed(x)
    for _ in range(3):
        found, expected = (tg.autograd.grad(y.sum(), x, create_graph=True)[0] for y in (found, expected))
        np.testing.assert_allclose(found.detach(), expected.detach(), rtol=1e-9, atol=1e-9)
