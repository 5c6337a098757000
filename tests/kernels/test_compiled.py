"""What is only in the compiled kernels: tiles, shares of threads, memory orders, and how they are chosen."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.kernels import definition, numpy_set

pytest.importorskip("numba", reason='Numba is not installed: pip install "tinygrad-cnn[fast]"')

from tinygrad_cnn.kernels import compiled
from tinygrad_cnn.kernels.compiled import direct, jit, layout, winograd

SAME = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}


@pytest.fixture
def compiled_kernels():
    before = tg.get_kernels()
    tg.set_kernels("numba")
    yield
    tg.set_kernels(before)


def direct_3x3(x, w, b):
    """The definition, in extended precision."""
    x, w = x.astype(np.longdouble), w.astype(np.longdouble)
    h, width = x.shape[2] - 2, x.shape[3] - 2
    y = np.zeros((len(x), len(w), h, width), np.longdouble) + b[:, None, None]
    for i, j in np.ndindex(3, 3):
        y += np.tensordot(x[:, :, i : i + h, j : j + width], w[:, :, i, j], axes=(1, 1)).transpose(0, 3, 1, 2)
    return y


@given(
    st.integers(8, 11), st.integers(16, 19), st.integers(16, 18), st.tuples(st.integers(3, 11), st.integers(7, 11)),
    st.sampled_from([1, 2]),
)  # fmt: skip
def test_tiles_give_what_the_definition_gives(n, c, o, size, n_threads):
    rng = np.random.default_rng(n * c * o)
    x, w, b = rng.standard_normal((n, c, *size)), rng.standard_normal((o, c, 3, 3)), rng.standard_normal(o)
    assert winograd.pays(n, c, o, (3, 3), (1, 1), (1, 1), (size[0] - 2, size[1] - 2))
    y = direct_3x3(x, w, b)
    g, v, u = rng.standard_normal(y.shape), rng.standard_normal(x.shape), rng.standard_normal(w.shape)
    before = tg.get_num_threads()
    geometry = {**SAME, "padding": ((0, 0), (0, 0))}
    try:
        tg.set_num_threads(n_threads)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jit, "WORTH_SHARING", 0)
            np.testing.assert_allclose(compiled.conv2d(x, w, b, **geometry), y.astype(float), atol=1e-11)
            dx = compiled.conv2d_input(g, w, input_size=size, **geometry)
            dw = compiled.conv2d_weight(x, g, kernel_size=(3, 3), **geometry)
    finally:
        tg.set_num_threads(before)
    zero = np.zeros(o)
    assert float((dx * v).sum()) == pytest.approx(float((g * direct_3x3(v, w, zero)).sum()), abs=1e-9)  # adjoints
    assert float((dw * u).sum()) == pytest.approx(float((g * direct_3x3(x, u, zero)).sum()), abs=1e-9)


def test_tiles_in_float32_err_by_a_few_roundings():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((8, 64, 18, 18), np.float32), rng.standard_normal((64, 64, 3, 3), np.float32)
    exact = direct_3x3(x, w, np.zeros(64))
    geometry = {**SAME, "padding": ((0, 0), (0, 0))}
    worst = {
        kit.name: float(np.abs(kit.conv2d(x, w, **geometry) - exact).max() / np.abs(exact).max())
        for kit in (numpy_set, compiled)
    }
    assert worst["numba"] < 1e-5
    assert worst["numba"] < 20 * worst["numpy"]


@pytest.mark.parametrize("n_threads", [1, 2])
def test_results_depend_on_the_number_of_threads_alone(n_threads, compiled_kernels):
    before = tg.get_num_threads()
    tg.set_num_threads(n_threads)
    try:
        results = []
        for _ in range(3):
            tg.manual_seed(0)
            layers = (
                nn.Conv2d(1, 16, 3),
                nn.ReLU(),
                nn.Conv2d(16, 16, 3),
                nn.MaxPool2d(2),
                nn.Flatten(),
                nn.Linear(256, 3),
            )
            model = nn.Sequential(*layers)
            model(tg.randn(32, 1, 12, 12)).square().mean().backward()
            results.append([p.grad.numpy() for p in model.parameters()])
    finally:
        tg.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@given(st.integers(0, 6), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.sampled_from("CF"))
def test_planes_lie_with_the_images_innermost(n, c, h, w, order):
    x = np.random.default_rng(0).random((n, c, h, w)).copy(order)
    lying = layout.planes(x, ((1, 0), (2, 3)), -1.0)
    assert lying.flags.c_contiguous
    np.testing.assert_array_equal(
        layout.from_planes(lying), np.pad(x, ((0, 0), (0, 0), (1, 0), (2, 3)), constant_values=-1.0)
    )
    assert np.shares_memory(layout.planes(layout.from_planes(lying)), lying) or not n


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (3, 0, 1, 2), (0, 3, 1, 2)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_passes_do_what_those_of_numpy_do_in_any_memory_order(axes, dtype):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal((9, 10, 11, 12)).astype(dtype).transpose(axes) for _ in range(2))
    x[0, 0, 0, 0], x[1, 1, 1, 1], x[2, 2, 2, 2] = np.nan, 0.0, np.inf
    for mine, numpys in (
        (compiled.relu(x), np.maximum(x, 0)),
        (compiled.gate(g, x), np.where(x <= 0, 0, g)),
        (compiled.gate(g.copy(), x), np.where(x <= 0, 0, g)),
    ):
        np.testing.assert_array_equal(mine, numpys)
        assert mine.dtype == dtype
    rough = {np.float16: 0.1, np.float32: 1e-4, np.float64: 1e-12}[dtype]
    sums = g.astype(float).sum(axis=(0, 2, 3))
    np.testing.assert_allclose(compiled.channel_sums(g), sums, atol=rough * np.abs(sums).max())


@pytest.mark.parametrize("size", [10, 5000, 200_001])
@pytest.mark.parametrize("descend", [compiled.descend, numpy_set.descend])
def test_descending_is_done_in_place(descend, size):
    rng = np.random.default_rng(0)
    value, gradient = rng.standard_normal(size, np.float32), rng.standard_normal(size, np.float32)
    expected = value - np.float32(0.1) * gradient
    descend(value, gradient, 0.1)
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-7)
    rows = np.asfortranarray(rng.standard_normal((80, 70)))
    before = rows.copy()
    descend(rows, before, 0.5)
    np.testing.assert_array_equal(rows, before / 2)


@given(
    st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 9]), st.sampled_from([1, 2, 3]), st.integers(0, 1),
    st.integers(0, 99),
)  # fmt: skip
def test_pooling_is_that_of_the_definition_ties_nan_and_padding_too(h, w, n, kernel, pad, seed):
    rng = np.random.default_rng(seed)
    x = rng.choice([-np.inf, -1.0, 0.0, 1.0, np.nan], (n, 3, h, w), p=[0.1, 0.3, 0.25, 0.25, 0.1])
    pad = min(pad, kernel // 2)
    if h + 2 * pad < kernel or w + 2 * pad < kernel:
        return
    window = {"kernel_size": (kernel, kernel), "stride": (2, 2), "padding": (pad, pad), "dilation": (1, 1)}
    (y, taps), (expected, expected_taps) = (
        k.max_pool2d(x, **window, ceil_mode=seed % 2 == 0) for k in (compiled, definition)
    )
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(taps, expected_taps)
    g = rng.integers(-4, 5, y.shape).astype(float)
    put, expected_put = (k.window_put(g, taps, input_size=(h, w), **window) for k in (compiled, definition))
    np.testing.assert_array_equal(put, expected_put)


@pytest.mark.parametrize("n", [1, 2, 9, 70])
@pytest.mark.parametrize(("kernel", "pad"), [((2, 2), (1, 1)), ((3, 2), (1, 0)), ((3, 3), (1, 1))])
def test_a_window_of_nothing_but_minus_infinity_has_its_first_pixel(n, kernel, pad):
    rng = np.random.default_rng(n)
    x = np.where(rng.random((n, 2, 6, 7)) < 0.1, rng.standard_normal((n, 2, 6, 7)), -np.inf)
    for stride in ((1, 1), (1, 2), (2, 2)):
        window = {"kernel_size": kernel, "stride": stride, "padding": pad, "dilation": (1, 1), "ceil_mode": False}
        for found, expected in zip(compiled.max_pool2d(x, **window), definition.max_pool2d(x, **window), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n", [1, 2, 9])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (2, 3)])
def test_maxima_and_their_adjoints_of_oblong_planes_are_those_of_the_definition(n, kernel):
    rng = np.random.default_rng(n)
    for size in ((6, 12), (12, 6), (7, 9)):
        x = rng.integers(-9, 10, (n, 2, *size)).astype(float)
        for stride in ((2, 2), (1, 2), (3, 1), kernel):
            window = {"kernel_size": kernel, "stride": stride, "padding": (0, 0), "dilation": (1, 1)}
            y, winner = definition.max_pool2d(x, **window, ceil_mode=False)
            for found, expected in zip(compiled.max_pool2d(x, **window, ceil_mode=False), (y, winner), strict=True):
                np.testing.assert_array_equal(found, expected)
            g = rng.integers(-9, 10, y.shape).astype(float)
            found, expected = (k.window_put(g, winner, input_size=size, **window) for k in (compiled, definition))
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("stride", [(2, 1), (3, 1), (1, 2), (2, 3)])
def test_convolutions_with_steps_over_many_images_are_those_of_the_definition(stride):
    n = 2 * direct.PANEL + 3  # more images than a panel is wide: then the runs of the output are planned by themselves
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((n, 2, 7, 6)), rng.standard_normal((3, 2, 3, 2)), rng.standard_normal(3)
    geometry = {"stride": stride, "padding": ((1, 0), (0, 2)), "dilation": (1, 1), "groups": 1}
    y = definition.conv2d(x, w, b, **geometry)
    np.testing.assert_allclose(compiled.conv2d(x, w, b, **geometry), y, atol=1e-12)
    for name, arrays, size in (
        ("conv2d_input", (y, w), {"input_size": x.shape[2:]}),
        ("conv2d_weight", (x, y), {"kernel_size": w.shape[2:]}),
    ):
        found, expected = (getattr(kit, name)(*arrays, **size, **geometry) for kit in (compiled, definition))
        np.testing.assert_allclose(found, expected, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("size", [4096, 4097, 8192, 8191, 10_000])
def test_the_sums_of_channels_have_all_their_blocks(size):
    g = np.random.default_rng(0).random((3, 1, size)).transpose(2, 0, 1)[..., None]  # (N,C,1,1), images innermost
    np.testing.assert_allclose(compiled.channel_sums(g), g.sum((0, 2, 3)), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "k", "m"),
    [
        (1, 300, 400),
        (1, 2500, 33),
        (700, 1, 301),
        (1, 3, 4),
        (5, 6, 7),
        (1, 0, 3),
        (17, 700, 101),
        (301, 16, 250),
        (130, 70, 45),
    ],
)
def test_products_of_one_image_and_of_few_in_any_memory_order(n, k, m, dtype):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((n, k)).astype(dtype), rng.standard_normal((k, m)).astype(dtype)
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
    wide = np.zeros((k, 2 * m), dtype)
    wide[:, ::2] = b
    for left in (a, np.asfortranarray(a)):
        for right in (b, np.asfortranarray(b), wide[:, ::2]):
            for keep_order in (False, True):
                y = compiled.matmul(left, right, keep_order=keep_order)
                assert y.dtype == dtype
                np.testing.assert_allclose(y, exact.astype(dtype), atol=2e-4 if dtype is np.float32 else 1e-12)
    with pytest.raises(ValueError, match="matmul"):
        compiled.matmul(np.ones((1, 70_000)), np.ones((69_999, 2)))


def test_labels_count_as_in_the_definition_in_any_memory_order():
    rng = np.random.default_rng(0)
    x, t, g = 30 * rng.standard_normal((9, 5)), rng.integers(0, 5, 9), rng.standard_normal(9)
    x[3] = [1000.0, 0.0, -1000.0, 1000.0, 0.0]
    for logits in (x, np.asfortranarray(x)):
        for dtype, near in ((np.float64, 1e-13), (np.float32, 1e-5)):
            given = logits.astype(dtype), t
            np.testing.assert_allclose(compiled.class_losses(*given), definition.class_losses(x, t), rtol=10 * near)
            found = compiled.class_losses_input(g.astype(dtype), *given)
            np.testing.assert_allclose(found, definition.class_losses_input(g, x, t), atol=near)
            assert found.dtype == dtype
            assert found.flags.f_contiguous == logits.flags.f_contiguous


def test_infinities_and_nan_are_not_optimised_away():
    x = np.zeros((9, 1, 6, 6), np.float32)
    x[0, 0, 3, 3], x[1, 0, 3, 3] = np.inf, np.nan
    y = compiled.conv2d(x, np.ones((5, 1, 3, 3), np.float32), **{**SAME, "padding": ((0, 0), (0, 0))})
    assert np.isinf(y[0]).any()
    assert np.isnan(y[1]).any()
    assert not y[2:].any()


@pytest.mark.usefixtures("given_back")
def test_a_network_computes_the_same_with_either_kernels():
    results = []
    for kernels in ("numpy", "numba"):
        tg.set_kernels(kernels)
        assert tg.get_kernels() == kernels
        tg.manual_seed(0)
        model = nn.Sequential(
            *(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 17, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(17, 4, 2, stride=2), nn.Flatten(), nn.Linear(36, 5)),
        ).double()
        loss = nn.functional.cross_entropy(model(tg.randn(9, 3, 15, 15).double()), tg.arange(9) % 5)
        loss.backward()
        results.append([loss.detach().numpy(), *(p.grad.numpy() for p in model.parameters())])
        tg.set_kernels("numpy")
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_the_environment_chooses_at_import():
    command = [sys.executable, "-c", "import tinygrad_cnn; print(tinygrad_cnn.get_kernels())"]
    run = subprocess.run(command, env={"TINYGRAD_CNN_KERNELS": "numba"}, capture_output=True, text=True, check=True)
    assert run.stdout == "numba\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_after_a_fork_the_child_computes_alone():
    x, before = np.ones((64, 4, 30, 30), np.float32), tg.get_num_threads()
    tg.set_num_threads(2)
    try:
        expected = compiled.relu(x).sum()
        child = os.fork()
        if not child:
            os._exit(int(compiled.relu(x).sum() != expected))  # a status of its own kind if OpenMP gave up
        assert os.waitpid(child, 0)[1] == 0
    finally:
        tg.set_num_threads(before)


def test_machine_code_older_than_a_source_is_forgotten(tmp_path):
    (tmp_path / "__pycache__").mkdir()
    old, new, source = tmp_path / "__pycache__" / "a.nbi", tmp_path / "__pycache__" / "b.nbi", tmp_path / "loops.py"
    for path, when in ((old, 1000), (source, 2000), (new, 3000)):
        path.write_text("")
        os.utime(path, (when, when))
    jit.forget_stale(tmp_path, old.parent)
    assert not old.exists()
    assert new.exists()
    where = [function.stats.cache_path for function in (jit._anything, direct.set_runs, layout._transpose_some)]
    assert len(set(where)) == 1  # one folder, wherever it is


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from([0, 1, 623, 8191, 8192, 8193, 9000, 20_000]), max_size=5))
def test_random_words_are_those_of_numpy_and_the_stream_goes_on(seed, counts):
    a, b = (np.random.Generator(np.random.MT19937(seed)) for _ in range(2))
    for count in (*counts, 3):
        np.testing.assert_array_equal(compiled.random_words(a, count), numpy_set.random_words(b, count))
