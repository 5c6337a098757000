"""What the tests of the ops do not reach: blocks, dtypes, layouts, ties, NaN, extremes, threads."""

import importlib.util
import math
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from tinygrad_cnn.gradcheck.strategies import drawn
from tinygrad_cnn.kernels import conv, definition, passes, pool
from tinygrad_cnn.kernels.chosen import chosen, get_kernels, set_kernels
from tinygrad_cnn.kernels.passes import share
from tinygrad_cnn.kernels.special import erf
from tinygrad_cnn.kernels.threads import get_num_threads, set_num_threads

SAME_SIZE = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
WINDOW = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1), "ceil_mode": False}


INSTALLED = ["numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)  # test_compiled says if it is not


@pytest.fixture(params=INSTALLED, scope="module", autouse=True)
def kernels(request):
    before = get_kernels()
    set_kernels(request.param)
    yield
    set_kernels(before)


def whole_numbers(*shape, seed=0):
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(float)


@given(block=st.integers(1, 5000), n=st.integers(0, 7))
def test_the_size_of_blocks_changes_nothing(block, n):
    x, w, g = whole_numbers(n, 2, 5, 6), whole_numbers(3, 2, 3, 3), whole_numbers(n, 3, 5, 6)
    with pytest.MonkeyPatch.context() as patch:
        results = []
        for size in (block, 1 << 30):
            patch.setattr(passes, "BLOCK_ELEMENTS", size)
            results.append(
                (
                    chosen.conv2d(x, w, **SAME_SIZE),
                    chosen.conv2d_input(g, w, input_size=(5, 6), **SAME_SIZE),
                    chosen.conv2d_weight(x, g, kernel_size=(3, 3), **SAME_SIZE),
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
    chosen.conv2d(x, w, **SAME_SIZE)
    assert max(largest) < 64 * 8 * 9 * 400 / 4


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_dtypes_are_kept(dtype):
    x, w = whole_numbers(2, 2, 5, 5).astype(dtype), whole_numbers(3, 2, 3, 3).astype(dtype)
    y = chosen.conv2d(x, w, **SAME_SIZE)
    exact = chosen.conv2d(x.astype(float), w.astype(float), **SAME_SIZE)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, exact)
    assert chosen.conv2d_input(y, w, input_size=(5, 5), **SAME_SIZE).dtype == dtype
    assert chosen.conv2d_weight(x, y, kernel_size=(3, 3), **SAME_SIZE).dtype == dtype
    assert chosen.max_pool2d(x, **WINDOW)[0].dtype == dtype


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
        lambda x, g: chosen.conv2d(x, w, **SAME_SIZE),
        lambda x, g: chosen.conv2d_input(g, w, input_size=(6, 6), **SAME_SIZE),
        lambda x, g: chosen.conv2d_weight(x, g, kernel_size=(3, 3), **SAME_SIZE),
        lambda x, g: chosen.max_pool2d(x, **WINDOW)[1],
    ):
        np.testing.assert_array_equal(function(x, g), function(np.ascontiguousarray(x), np.ascontiguousarray(g)))


def test_first_maximum_of_a_window_wins():
    x = np.array([[1.0, 3.0, 3.0, 3.0], [3.0, 3.0, 0.0, 3.0]])[None, None]
    y, taps = chosen.max_pool2d(x, **WINDOW)
    assert y.ravel().tolist() == [3.0, 3.0]
    assert taps.ravel().tolist() == [1, 0]
    window = {name: WINDOW[name] for name in ("kernel_size", "stride", "padding", "dilation")}
    assert pool.places(taps, (2, 4), **window).ravel().tolist() == [1, 2]


def test_padding_never_wins_even_over_minus_infinity():
    x = np.full((1, 1, 2, 2), -np.inf)
    window = {"kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
    _, taps = chosen.max_pool2d(x, **window, ceil_mode=False)
    assert taps.ravel().tolist() == [4]
    assert pool.places(taps, (2, 2), **window).ravel().tolist() == [0]


def test_the_last_nan_of_a_window_wins_as_in_pytorch():
    x = np.array([[np.nan, 5.0], [np.nan, 1.0]])[None, None]
    y, taps = chosen.max_pool2d(x, **WINDOW)
    assert math.isnan(y.item())
    assert taps.item() == 2


def test_put_adds_where_windows_overlap():
    window = {"kernel_size": (2, 2), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    taps = np.array([[[[3, 2], [1, 0]]]])  # all four windows of a plane of 3 x 3 look at its middle
    put = chosen.window_put(np.ones((1, 1, 2, 2)), taps, input_size=(3, 3), **window)
    assert put.ravel().tolist() == [0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]


def sample_convolution(draw):
    """Whole numbers, a geometry, from where on which way is the faster, the size of blocks, how many threads."""
    kernel = draw.pair(1, 3)
    stride, dilation = (draw.pair(1, n) if draw.boolean() else (1, 1) for n in (3, 2))
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)] if draw.boolean() else [3, 3]
    padding = draw.pair(0, reach[0]), draw.pair(0, reach[1])
    groups, n = draw.choice([1, 1, 2, 5]), draw.choice([1, 2, 0, 8, 17])
    depth, outputs = draw.choice([1, 2, 6, 8]), draw.integer(1, 3)
    size = [
        max(1, d * (k - 1) + 1 - sum(p)) + draw.integer(0, 4) for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    x = whole_numbers(n, groups * depth, *size)
    w = whole_numbers(groups * outputs, depth, *kernel, seed=1)
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    thresholds = {
        "SHALLOW": draw.choice([0, 32]),
        "NARROW": draw.choice([1, 8]),
        "IMAGES_AS_ROWS": draw.choice([2, 8]),
        "FEW_WINDOWS": draw.choice([0, 128]),
    }
    dtypes = [draw.choice([np.float64, np.float32]) for _ in range(3)]
    return x, w, geometry, dtypes, thresholds, draw.choice([64, 1 << 10, 1 << 17]), draw.integer(1, 3)


def spoilt(shape, dtype=float, empty=np.empty):
    """Memory in which nothing good was left: what is never written shows."""
    out = empty(shape, dtype)
    out.fill(np.nan if out.dtype.kind == "f" else 1)
    return out


@contextmanager
def cut_up(block, n_threads, thresholds=None):
    """Blocks of this size, shared by so many threads whatever they cost; and other thresholds of convolution."""
    before = get_num_threads()
    try:
        set_num_threads(n_threads)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (thresholds or {}).items():
                patch.setattr(conv, name, value)
            if get_kernels() == "numpy":
                patch.setattr(np, "empty", spoilt)
            patch.setattr(passes, "BLOCK_ELEMENTS", block)
            patch.setattr(passes, "WORTH_SHARING", 1)  # nothing but what costs 0 may not be shared
            if get_kernels() == "numba":
                patch.setattr("tinygrad_cnn.kernels.compiled.jit.WORTH_SHARING", 0)
            yield
    finally:
        set_num_threads(before)


def check_convolution(case):
    x, w, geometry, dtypes, thresholds, block, n_threads = case
    g = whole_numbers(*definition.conv2d(x, w, **geometry).shape, seed=2)
    if get_kernels() == "numpy":  # Numba would compile its loops for each combination
        x, w, g = (a.astype(dtype) for a, dtype in zip((x, w, g), dtypes, strict=True))
        finest = x if x.dtype == np.float64 else g
        if finest.dtype == np.float64:  # more digits than float32 has, in one of them, so that products stay exact
            finest += whole_numbers(*finest.shape, seed=5) * 2.0**-24
    size, kernel_size = {"input_size": x.shape[2:]}, {"kernel_size": w.shape[2:]}
    with cut_up(block, n_threads, thresholds):
        y = chosen.conv2d(x, w, **geometry)
        dx = chosen.conv2d_input(g, w, **size, **geometry)
        dw = chosen.conv2d_weight(x, g, **kernel_size, **geometry)
    for found, expected in (
        (y, definition.conv2d(x, w, **geometry)),
        (dx, definition.conv2d_input(g, w, **size, **geometry)),
        (dw, definition.conv2d_weight(x, g, **kernel_size, **geometry)),
    ):
        np.testing.assert_array_equal(found, expected, strict=True)


def one_pixel(draw):
    """A stride over a plane of one pixel, which its padding makes worth a step: no convolution of the cotangent."""
    geometry = {"stride": (2, 2), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    x, w = whole_numbers(1, 2, 1, 1), whole_numbers(3, 2, 2, 2)
    return x, w, geometry, [np.float64] * 3, {"NARROW": 1}, 1 << 17, 1


def test_the_gradient_of_one_pixel_under_a_stride():
    check_convolution(one_pixel(None))


@given(drawn(sample_convolution))
def test_convolution_and_its_gradients_are_those_of_the_definition(case):
    check_convolution(case)


def sample_pooling(draw):
    """An image batch, windows, how the last of them are counted, a block size and a number of threads."""
    kernel, dilation = draw.pair(1, 5), draw.pair(1, 3)
    stride = kernel if draw.boolean() else draw.pair(1, 3)
    padding = draw.integer(0, kernel[0] // 2), draw.integer(0, kernel[1] // 2)
    lengths = zip(kernel, dilation, padding, strict=True)  # below d elements a window might see padding only
    size = (max(d, d * (k - 1) + 1 - 2 * p) + draw.integer(0, 5) for k, d, p in lengths)
    x = whole_numbers(draw.integer(1, 3), draw.integer(1, 3), *size)
    window = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return x, window, draw.boolean(), draw.choice([1, 64, 1 << 17]), draw.integer(1, 3)


def check_pooling(case):
    x, window, ceil_mode, block, n_threads = case
    y, taps = definition.max_pool2d(x, **window, ceil_mode=ceil_mode)
    at = pool.places(taps, x.shape[2:], **window)
    g, z = whole_numbers(*y.shape, seed=1), whole_numbers(*x.shape, seed=2)
    put = definition.window_put(g, taps, input_size=x.shape[2:], **window)
    taken = np.take_along_axis(z.reshape(*z.shape[:2], -1), at.reshape(*at.shape[:2], -1), axis=2).reshape(at.shape)
    with cut_up(block, n_threads):
        again, same = chosen.max_pool2d(x, **window, ceil_mode=ceil_mode)
        found = chosen.window_put(g, taps, input_size=x.shape[2:], **window)
    np.testing.assert_array_equal(again, y)
    np.testing.assert_array_equal(same, taps)
    np.testing.assert_array_equal(found, put)
    np.testing.assert_array_equal(pool.window_take(z, taps, **window), taken)


@given(drawn(sample_pooling))
def test_pooling_and_its_gradient_are_the_same_however_they_are_cut_up(case):
    check_pooling(case)


def leftover(draw):
    """Windows side by side that leave one row (or column) out, which the other stride would have reached."""
    down = draw.boolean()
    kernel, size = ((2, 3), (3, 6)) if down else ((3, 2), (6, 3))
    window = {"kernel_size": kernel, "stride": kernel, "padding": (0, 0), "dilation": (1, 1)}
    return whole_numbers(2, 3, *size), window, False, 1 << 17, 1


@given(drawn(leftover))
def test_what_no_window_covers_has_no_gradient(case):
    check_pooling(case)


def check_border(case):
    x, window, ceil_mode, _, _ = case
    size, lengths = x.shape[2:], list(window.values())
    out = pool.pooled_size(size, *lengths, ceil_mode)
    for a, (before, behind) in enumerate(pool.border(size, out, *lengths)):
        k, s, p, d = (pair[a] for pair in lengths)
        assert before == p
        assert behind == max(0, max(w * s + i * d - p for w in range(out[a]) for i in range(k)) - (size[a] - 1))


@given(drawn(sample_pooling))
def test_the_border_is_as_wide_as_the_windows_reach(case):
    check_border(case)


def sample_lines(draw):
    """Twenty geometries of windows along a line, among them the smallest that there are."""
    lines = []
    for _ in range(20):
        k, s, d = draw.integer(1, 5), draw.integer(1, 5), draw.choice([1, 1, 2, 3])
        p = draw.integer(0, k // 2)
        size = max(1, d * (k - 1) + 1 - 2 * p) + draw.choice([0, 0, 1, 2, 3, 5, 8])
        lines.append((size, k, s, p, d, draw.boolean(), draw.boolean(), draw.boolean(), draw.choice([None, 3])))
    return lines


def check_lines(lines):
    for size, k, s, p, d, ceil_mode, across, include_pad, divisor in lines:
        lay = (lambda a: a[:, :, None]) if across else (lambda a: a[..., None])
        pair = (lambda a, rest: (rest, a)) if across else (lambda a, rest: (a, rest))
        x, z = whole_numbers(2, 5, size), whole_numbers(2, 5, size, seed=1)
        window = {"kernel_size": pair(k, 1), "stride": pair(s, 1), "padding": pair(p, 0)}
        with cut_up(1 << 17, 1):
            y, taps = pool.max_pool2d(lay(x), **window, dilation=pair(d, 1), ceil_mode=ceil_mode)
            at = taps.reshape(2, 5, -1).astype(int)
            g = whole_numbers(*at.shape, seed=2)
            put = pool.window_put(lay(g), taps, input_size=pair(size, 1), **window, dilation=pair(d, 1))
            taken = pool.window_take(lay(z), taps, **window, dilation=pair(d, 1))
        expected = np.zeros(x.shape)
        for n, c, w in np.ndindex(at.shape):
            inside = [i for i in range(w * s - p, w * s - p + d * k, d) if 0 <= i < size]
            assert y.reshape(at.shape)[n, c, w] == max(x[n, c, inside], default=-np.inf)
            if inside:  # else the window sees padding only, as PyTorch allows it to
                place = w * s + at[n, c, w] * d - p
                assert x[n, c, place] == max(x[n, c, inside])
                expected[n, c, place] += g[n, c, w]
            assert taken.reshape(at.shape)[n, c, w] == (z[n, c, place] if inside else 0)
        np.testing.assert_array_equal(put, lay(expected))
        if d == 1:
            matrix = np.zeros((at.shape[2], size))
            for w in range(len(matrix)):
                first, end = w * s - p, min(w * s - p + k, size + p)
                inside = [i for i in range(first, end) if 0 <= i < size]
                matrix[w, inside] = 1 / (divisor or (end - first if include_pad else len(inside)))
            counting = {"count_include_pad": include_pad, "divisor_override": divisor}
            y = pool.avg_pool2d(lay(x), **window, ceil_mode=ceil_mode, **counting)
            back = pool.avg_pool2d_input(lay(g), input_size=pair(size, 1), **window, **counting)
            np.testing.assert_allclose(y, lay(x @ matrix.T), rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(back, lay(g @ matrix), rtol=1e-12, atol=1e-12)


@given(drawn(sample_lines))
def test_windows_along_a_line_are_those_of_the_definition(lines):
    check_lines(lines)


def check_sharing(case):
    x, window, ceil_mode, _, _ = case
    _, taps = pool.max_pool2d(x, **window, ceil_mode=ceil_mode)
    costs = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "share", lambda tasks, work, *, cost: costs.append(cost))
        pool.window_put(np.ones(taps.shape), taps, input_size=x.shape[2:], **window)
    lengths = zip(window["kernel_size"], window["stride"], window["dilation"], strict=True)
    assert [cost > 0 for cost in costs] == [all(s > d * (k - 1) for k, s, d in lengths)]


@given(drawn(sample_pooling))
def test_windows_that_overlap_are_not_for_two_threads(case):
    check_sharing(case)


DEFINITIONS = {
    "kernels.conv": [
        (sample_convolution, check_convolution),
        (one_pixel, check_convolution),
        (sample_pooling, check_pooling),
    ],
    "kernels.pool": [
        (sample_lines, check_lines),
        (leftover, check_pooling),
        *((sample_pooling, check) for check in (check_pooling, check_border, check_sharing)),
    ],
}
"""Per module how its kernels are compared with their definitions, for whoever runs this without Hypothesis."""


def test_shares_are_those_of_the_number_of_threads_and_keep_their_order():
    before = get_num_threads()
    try:
        set_num_threads(3)
        assert share(range(7), list, cost=1e9) == [[0, 1], [2, 3], [4, 5, 6]]
        assert share(range(7), list, cost=1.0) == [list(range(7))]
        with pytest.raises(ZeroDivisionError):
            share([1, 0, 0], lambda part: [1 // k for k in part], cost=1e9)
        assert {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"} == {1}
    finally:
        set_num_threads(before)


def test_pixels_lie_outermost_and_the_border_is_added():
    x = whole_numbers(2, 3, 4, 5)
    lying = passes.pixels(x, ((1, 2), (0, 3)), -7.0)
    assert lying.flags.c_contiguous
    np.testing.assert_array_equal(
        passes.from_pixels(lying), np.pad(x, ((0, 0), (0, 0), (1, 2), (0, 3)), constant_values=-7.0)
    )
    assert np.shares_memory(passes.pixels(passes.from_pixels(lying)), lying)


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
    expected, results = chosen.conv2d(x, w, **SAME_SIZE), []
    threads = [threading.Thread(target=lambda: results.append(chosen.conv2d(x, w, **SAME_SIZE))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(r, expected) for r in results)
