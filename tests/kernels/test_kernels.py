"""What the tests of the ops do not reach: blocks, dtypes, layouts, ties, NaN, extremes, threads."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from tinygrad_cnn.kernels import conv, pool
from tinygrad_cnn.kernels.special import erf
from tinygrad_cnn.kernels.threads import get_num_threads, set_num_threads

PLAIN = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
WINDOW = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1), "ceil_mode": False}


def whole_numbers(*shape, seed=0):
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(float)


@given(block=st.integers(1, 5000), n=st.integers(0, 7))
def test_the_size_of_blocks_changes_nothing(block, n):
    x, w, g = whole_numbers(n, 2, 5, 6), whole_numbers(3, 2, 3, 3), whole_numbers(n, 3, 5, 6)
    with pytest.MonkeyPatch.context() as patch:
        results = []
        for size in (block, 1 << 30):
            patch.setattr(conv, "BLOCK_ELEMENTS", size)
            results.append(
                (
                    conv.conv2d(x, w, **PLAIN),
                    conv.conv2d_input(g, w, input_size=(5, 6), **PLAIN),
                    conv.conv2d_weight(x, g, kernel_size=(3, 3), **PLAIN),
                )
            )
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_columns_of_a_large_batch_are_never_all_there(monkeypatch):
    largest = []
    right = np.empty

    def recorded(shape, *args, **kwargs):
        out = right(shape, *args, **kwargs)
        largest.append(out.size)
        return out

    x, w = np.zeros((64, 8, 20, 20), np.float32), np.zeros((8, 8, 3, 3), np.float32)
    monkeypatch.setattr(np, "empty", recorded)
    conv.conv2d(x, w, **PLAIN)
    assert max(largest) < 64 * 8 * 9 * 400 / 4


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_dtypes_are_kept(dtype):
    x, w = whole_numbers(2, 2, 5, 5).astype(dtype), whole_numbers(3, 2, 3, 3).astype(dtype)
    y = conv.conv2d(x, w, **PLAIN)
    exact = conv.conv2d(x.astype(float), w.astype(float), **PLAIN)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, exact)
    assert conv.conv2d_input(y, w, input_size=(5, 5), **PLAIN).dtype == dtype
    assert conv.conv2d_weight(x, y, kernel_size=(3, 3), **PLAIN).dtype == dtype
    assert pool.max_pool2d(x, **WINDOW)[0].dtype == dtype


@pytest.mark.parametrize(
    "laid",
    [
        lambda a: np.asfortranarray(a),
        lambda a: a.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2),
        lambda a: a[::-1, :, ::-1, ::-1].copy()[::-1, :, ::-1, ::-1],
        lambda a: np.broadcast_to(a[:1], a.shape),
    ],
)
def test_memory_layouts_change_nothing(laid):
    x, g = laid(whole_numbers(3, 2, 6, 6)), laid(whole_numbers(3, 4, 6, 6, seed=1))
    w = whole_numbers(4, 2, 3, 3)
    for function in (
        lambda x, g: conv.conv2d(x, w, **PLAIN),
        lambda x, g: conv.conv2d_input(g, w, input_size=(6, 6), **PLAIN),
        lambda x, g: conv.conv2d_weight(x, g, kernel_size=(3, 3), **PLAIN),
        lambda x, g: pool.max_pool2d(x, **WINDOW)[1],
    ):
        np.testing.assert_array_equal(function(x, g), function(np.ascontiguousarray(x), np.ascontiguousarray(g)))


def test_first_maximum_of_a_window_wins():
    x = np.array([[1.0, 3.0, 3.0, 3.0], [3.0, 3.0, 0.0, 3.0]])[None, None]
    y, indices = pool.max_pool2d(x, **WINDOW)
    assert y.ravel().tolist() == [3.0, 3.0]
    assert indices.ravel().tolist() == [1, 2]


def test_padding_never_wins_even_over_minus_infinity():
    x = np.full((1, 1, 2, 2), -np.inf)
    _, indices = pool.max_pool2d(x, **{**WINDOW, "kernel_size": (3, 3), "padding": (1, 1)})
    assert indices.min() >= 0
    assert indices.max() < 4


def test_the_last_nan_of_a_window_wins_as_in_pytorch():
    x = np.array([[np.nan, 5.0], [np.nan, 1.0]])[None, None]
    y, indices = pool.max_pool2d(x, **WINDOW)
    assert math.isnan(y.item())
    assert indices.item() == 2


def test_put_adds_where_windows_overlap():
    indices = np.zeros((1, 1, 2, 2), np.int64)
    g = np.ones((1, 1, 2, 2))
    assert pool.window_put(g, indices, input_size=(2, 2), overlapping=True).ravel().tolist() == [4.0, 0.0, 0.0, 0.0]


def extended_erf(x):
    """The Taylor series of erf, in extended precision (enough up to |x| = 3)."""
    x = np.longdouble(x)
    term = total = x
    for n in range(1, 120):
        term = term * (-x * x) / n
        total += term / (2 * n + 1)
    return float(2 / np.sqrt(np.longdouble(math.pi)) * total)


@given(st.floats(-3, 3))
def test_erf_is_right_to_four_units_in_the_last_place(x):
    expected = extended_erf(x) if abs(x) < 1 else math.erf(x)
    assert abs(erf(np.float64(x)) - expected) <= 4 * np.spacing(abs(expected))


def test_erf_at_the_ends():
    x = np.array([-np.inf, -30.0, -0.0, 0.0, 30.0, 1e300, np.inf])
    assert erf(x).tolist() == [-1.0, -1.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    assert math.copysign(1, erf(np.float64(-0.0))) == -1
    assert np.isnan(erf(np.float64(np.nan)))
    assert erf(np.float32(0.5)).dtype == np.float32


def test_the_number_of_threads_is_set_and_read():
    before = get_num_threads()
    try:
        set_num_threads(1)
        assert get_num_threads() == 1
        assert {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"} == {1}
    finally:
        set_num_threads(before)
    assert get_num_threads() == before


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_a_wrong_number_of_threads_is_refused(n):
    with pytest.raises(ValueError, match="set_num_threads"):
        set_num_threads(n)


def test_kernels_may_run_in_several_threads_at_once():
    x, w = whole_numbers(8, 2, 9, 9), whole_numbers(3, 2, 3, 3)
    expected, results = conv.conv2d(x, w, **PLAIN), []
    threads = [threading.Thread(target=lambda: results.append(conv.conv2d(x, w, **PLAIN))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(r, expected) for r in results)
