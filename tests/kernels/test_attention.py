"""Attention: each set of kernels beside the definition in float64, at all shapes, masks and ways to lie in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.test_definition import FAST
from tinygrad_cnn.kernels import definition

fast_sets = pytest.mark.parametrize("kernels", FAST, ids=lambda kernels: kernels.name)


def drawn(seed, n, heads, length, keys, width, depth):
    random = np.random.default_rng(seed)
    shapes = (n, heads, length, depth), (n, heads, length, width), (n, heads, keys, width), (n, heads, keys, depth)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def mask_of(kind, random, n, heads, length, keys):
    if kind == "none":
        return np.zeros((), np.float32)
    shape = (random.choice([1, n]), random.choice([1, heads]), length, keys)
    numbers = random.standard_normal(shape)
    return np.where(random.random(shape) < 0.3, -np.inf, numbers).astype(np.float32)


def compared(kernels, g, q, k, v, mask, **how):
    """Scores are exact to some units in their last place: so much weights are off, as a part of their size."""
    exact = [a.astype(np.float64) for a in (g, q, k, v, mask)]
    with np.errstate(invalid="ignore"):
        expected, kept = definition.attend(*exact[1:], **how)
        gradients = definition.attend_back(*exact, kept, **how)
        y, found = kernels.attend(q, k, v, mask, **how)
        back = kernels.attend_back(g, q, k, v, mask, found, **how)
    assert y.dtype == q.dtype
    assert found.shape == (*q.shape[:3], 2)
    largest = how["scale"] * np.abs(exact[1] @ np.swapaxes(exact[2], 2, 3)).max()
    near = float(8 * np.finfo(np.float32).eps * max(20, largest))
    np.testing.assert_allclose(y, expected, rtol=near, atol=near)
    for mine, theirs, given_ in zip(back, gradients, (q, k, v), strict=True):
        assert mine.shape == given_.shape
        np.testing.assert_allclose(mine, theirs, rtol=4 * near, atol=4 * near * max(1, np.abs(theirs).max()))


@fast_sets
@given(
    sizes=st.tuples(*(st.integers(1, most) for most in (3, 3, 100, 100, 40, 40))),
    kind=st.sampled_from(["none", "some"]),
    causal=st.booleans(),
    lying=st.permutations(range(4)),
    seed=st.integers(0, 999),
)
def test_every_set_computes_the_definition(kernels, sizes, kind, causal, lying, seed):
    n, heads, length, keys, _, _ = sizes
    arrays = drawn(seed, *sizes)
    arrays = [np.ascontiguousarray(a.transpose(lying)).transpose(np.argsort(lying)) for a in arrays]
    mask = mask_of(kind, np.random.default_rng(seed), n, heads, length, keys)
    compared(kernels, *arrays, mask, scale=0.3, causal=causal)


@fast_sets
@pytest.mark.parametrize("causal", [False, True])
def test_large_scores_lose_nothing_and_threads_change_nothing(kernels, causal):
    g, q, k, v = drawn(0, 4, 4, 130, 130, 32, 24)
    compared(kernels, g, 30 * q, k, v, np.zeros((), np.float32), scale=1.0, causal=causal)


@fast_sets
def test_a_query_that_sees_no_key_gets_nothing_and_gives_nothing(kernels):
    g, q, k, v = drawn(1, 2, 2, 20, 18, 16, 16)
    mask = np.zeros((1, 1, 20, 18), np.float32)
    mask[:, :, 3] = -np.inf
    y, kept = kernels.attend(q, k, v, mask, scale=0.25, causal=False)
    dq, _, _ = kernels.attend_back(g, q, k, v, mask, kept, scale=0.25, causal=False)
    assert not y[:, :, 3].any()
    assert not dq[:, :, 3].any()
    assert np.isfinite(y).all()
    compared(kernels, g, q, k, v, mask, scale=0.25, causal=False)


@fast_sets
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_in_its_row(kernels, value):
    _, q, k, v = drawn(2, 1, 2, 20, 20, 16, 16)
    q[0, 1, 4, 3] = value
    with np.errstate(invalid="ignore"):
        y, _ = kernels.attend(q, k, v, np.zeros((), np.float32), scale=0.25, causal=False)
        expected, _ = definition.attend(q, k, v, np.zeros((), np.float32), scale=0.25, causal=False)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    assert np.isnan(y).any(axis=3).sum() == 1


@fast_sets
@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_dtypes_are_computed_too(kernels, dtype):
    _, q, k, v = (a.astype(dtype) for a in drawn(3, 2, 2, 9, 7, 5, 6))
    y, _ = kernels.attend(q, k, v, np.zeros((), dtype), scale=0.25, causal=False)
    expected, _ = definition.attend(q, k, v, np.zeros((), dtype), scale=0.25, causal=False)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=float(np.finfo(dtype).eps) * 64, atol=float(np.finfo(dtype).eps) * 8)
