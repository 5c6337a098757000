"""Normalisation of each set against its definition, in every memory order, and near what PyTorch does at the edges."""

import itertools

import numpy as np
import pytest

from tests.kernels.test_definition import FAST
from tinygrad_cnn.kernels import definition, norm

fast_sets = pytest.mark.parametrize("kernels", FAST, ids=lambda kernels: kernels.name)
CASES = [
    ((6, 5, 4, 3), (0, 2, 3), (1,)),
    ((9, 5, 4, 3), (2, 3), (1,)),
    ((6, 5, 4, 9), (3,), (3,)),
    ((6, 5, 4, 3), (2, 3), (2, 3)),
    ((6, 5, 4, 3), (0, 1, 2, 3), ()),
    ((6, 5, 40), (2,), ()),
    ((4, 3, 2, 2, 3), (0, 2, 3, 4), (1,)),
    ((1, 5, 4, 3), (0, 2, 3), (1,)),
    ((700, 40), (0,), (1,)),
    ((40, 700), (1,), (1,)),
    ((3, 2, 90, 70), (0, 2, 3), (1,)),
]


def given(shape, along, dtype, seed=0):
    rng = np.random.default_rng(seed)
    inner = tuple(shape[a] for a in along)
    return tuple(
        np.asarray(v, dtype)
        for v in (
            rng.standard_normal(shape),
            2 * rng.standard_normal(shape) + 3,
            rng.standard_normal(inner),
            rng.standard_normal(inner),
        )
    )


@pytest.fixture(params=[norm.CACHED, 64], ids=["one block", "many blocks"], autouse=True)
def blocks(request, monkeypatch):
    """Small arrays are whole passes; with so small a cache they are cut up as large ones are."""
    monkeypatch.setattr(norm, "CACHED", request.param)


@fast_sets
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("shape", "axes", "along"), CASES)
def test_normalisation_is_that_of_the_definition_in_every_memory_order(kernels, shape, axes, along, centred):
    how = {"axes": axes, "along": along, "eps": 0.1, "centred": centred}
    for dtype, near in ((np.float64, 1e-11), (np.float32, 3e-4), (np.float16, 0.5), (np.longdouble, 1e-11)):
        g, x, w, b = given(shape, along, dtype)
        exact = [np.asarray(v, np.float64) for v in (g, x, w, b)]
        expected = definition.normalize(*exact[1:], **how)
        expected_back = definition.normalize_back(*exact[:3], *expected[1:], **how, wanted=[True] * 3)
        orders = itertools.permutations(range(len(shape))) if dtype == np.float32 else [tuple(range(len(shape)))]
        for order in orders:
            back = np.argsort(order)
            lying_x, lying_g = (np.ascontiguousarray(v.transpose(order)).transpose(back) for v in (x, g))
            found = kernels.normalize(lying_x, w, b, **how)
            found_back = kernels.normalize_back(lying_g, lying_x, w, *found[1:], **how, wanted=[True] * 3)
            assert {v.dtype for v in (found[0], *found_back)} == {np.dtype(dtype)} or dtype == np.float16
            for mine, other in zip((*found, *found_back), (*expected, *expected_back), strict=True):
                assert mine.shape == other.shape
                np.testing.assert_allclose(mine, other, rtol=near, atol=near)


@fast_sets
def test_what_is_not_wanted_may_be_left_out(kernels):
    g, x, w, b = given((4, 3, 5, 6), (1,), np.float32)
    how = {"axes": (0, 2, 3), "along": (1,), "eps": 1e-5, "centred": True}
    statistics = kernels.normalize(x, w, b, **how)[1:]
    whole = kernels.normalize_back(g, x, w, *statistics, **how, wanted=[True] * 3)
    dx, dw, db = kernels.normalize_back(g, x, w, *statistics, **how, wanted=[False, True, True])
    assert dx is None
    np.testing.assert_array_equal(dw, whole[1])
    np.testing.assert_array_equal(db, whole[2])


@fast_sets
def test_a_large_mean_takes_no_digits_from_the_variance(kernels):
    x = (np.random.default_rng(0).standard_normal((64, 3, 30, 30)) + 1000).astype(np.float32)
    for lying in (x, np.ascontiguousarray(x.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)):
        _, mean, variance = kernels.normalize(
            lying, *np.ones((2, 3), np.float32), axes=(0, 2, 3), along=(1,), eps=1e-5, centred=True
        )
        np.testing.assert_allclose(mean.ravel(), x.astype(np.float64).mean((0, 2, 3)), rtol=3e-7)
        np.testing.assert_allclose(variance.ravel(), x.astype(np.float64).var((0, 2, 3)), rtol=1e-4)


@fast_sets
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_channel(kernels, bad):
    x = np.random.default_rng(0).standard_normal((9, 3, 4, 4)).astype(np.float32)
    x[2, 1, 3, 0] = bad
    y, *_ = kernels.normalize(x, *np.ones((2, 3), np.float32), axes=(0, 2, 3), along=(1,), eps=1e-5, centred=True)
    assert np.isnan(y[:, 1]).any()
    assert np.isfinite(y[:, [0, 2]]).all()


@fast_sets
@pytest.mark.parametrize("shape", [(5, 3), (9, 4, 30), (9, 3, 4, 5), (0, 3, 4, 4)])
def test_channels_are_scaled_as_in_the_definition(kernels, shape):
    for dtype in (np.float32, np.float64, np.float16):
        _, x, w, b = given(shape, (1,), dtype)
        found = kernels.scale_channels(x, w, b)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, definition.scale_channels(x, w, b), rtol=1e-5, atol=1e-5)
