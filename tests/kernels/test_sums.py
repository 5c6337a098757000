"""Sums over outer axes against extended precision, in every order of memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.kernels.passes import ROWS, summed

MANY = np.full((10**6, 4), 0.1, np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: tg.tensor(x).sum(0),
        lambda x: tg.tensor(x).mean(0) * len(x),
        lambda x: tg.tensor(x.reshape(1000, 1000, 4)).sum((0, 1)),
        lambda x: bias_gradient(x),
    ],
    ids=["sum", "mean", "several axes", "bias"],
)
def test_a_million_rows_are_summed_as_exactly_as_float32_allows(call):
    np.testing.assert_allclose(call(MANY).detach().numpy(), 1e5, rtol=1e-6)  # row after row is 1% off


def bias_gradient(x):
    bias = tg.zeros(4, requires_grad=True)
    ((tg.zeros(len(x), 4) + bias) * tg.from_numpy(x)).sum().backward()
    return bias.grad


def test_the_variance_of_many_rows_is_exact():
    x = np.random.default_rng(0).normal(3, 1, (300_000, 3)).astype(np.float32)
    np.testing.assert_allclose(tg.from_numpy(x).var(0).numpy(), x.astype(np.float64).var(0, ddof=1), rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_sums_are_those_of_extended_precision(data):
    shape = data.draw(
        st.sampled_from([(5000, 3), (7, 700, 2), (3, 2, 600, 5), (20, 30, 4, 6), (ROWS * ROWS + 3, 2), (1, 9000)])
    )
    order = data.draw(st.permutations(range(len(shape))))
    axes = tuple(a for a in range(len(shape)) if data.draw(st.booleans()))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    x = np.random.default_rng(data.draw(st.integers(0, 9))).random(shape).astype(dtype).transpose(order)
    x = data.draw(st.sampled_from([x, x[::-1], x[..., ::2]]))
    keepdims = data.draw(st.booleans())
    found = summed(x, axes, keepdims)
    expected = np.sum(x.astype(np.longdouble), axis=axes, keepdims=keepdims)
    assert found.dtype == dtype
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected.astype(np.float64), rtol=40 * np.finfo(dtype).eps)


def test_what_is_not_finite_comes_through():
    x = np.ones((5000, 3), np.float32)
    x[4000, 1], x[100, 2] = np.inf, np.nan
    np.testing.assert_array_equal(summed(x, (0,), False), [5000, np.inf, np.nan])


def test_integers_are_summed_as_numpy_does():
    x = np.full((5000, 3), 2**30, np.int32)
    assert summed(x, (0,), False).tolist() == [5000 * 2**30] * 3
