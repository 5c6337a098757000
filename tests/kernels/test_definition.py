"""The definitions against single numbers, and the fast sets against the definitions."""

import importlib
import importlib.util
import inspect
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck.strategies import drawn
from tinygrad_cnn.kernels import conv, definition, numpy_set
from tinygrad_cnn.kernels.chosen import KERNELS, Kernels
from tinygrad_cnn.kernels.pool import ceil_output_size
from tinygrad_cnn.kernels.windows import output_size

FAST = [numpy_set]
if importlib.util.find_spec("numba") is not None:  # test_compiled says if it is not
    FAST.append(importlib.import_module("tinygrad_cnn.kernels.compiled"))

fast_sets = pytest.mark.parametrize("kernels", FAST, ids=lambda kernels: kernels.name)
DTYPES = (np.float64, np.float32, np.float16, np.int64, np.int32)
NEAR = {np.float64: 1e-12, np.float32: 1e-4, np.float16: 2e-2}


def whole_numbers(shape, dtype, seed):
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)


def numbers(shape, dtype, seed):
    """Numbers with fractions, or whole ones where the dtype has no others; ties, zeros and both signs among them."""
    return np.round(4 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype) / dtype(2)


def check_same(found, expected, near=0.0):
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=near, atol=near)


def sample_convolution(draw):
    """x, w, b and g of whole numbers, whose sums are exact in every order, and the geometry."""
    kernel, stride, dilation = draw.pair(1, 3), draw.pair(1, 3), draw.pair(1, 2)
    padding = draw.pair(0, 3), draw.pair(0, 3)
    groups, n = draw.integer(1, 3), draw.choice([1, 2, 0, 9])
    depth, outputs = draw.integer(1, 3), groups * draw.integer(1, 2)
    lengths = list(zip(kernel, stride, dilation, padding, strict=True))
    size = tuple(max(1, d * (k - 1) + 1 - sum(p)) + draw.integer(0, 4) for k, s, d, p in lengths)
    out = [output_size(a, k, s, sum(p), d) for a, (k, s, d, p) in zip(size, lengths, strict=True)]
    dtype = draw.choice(DTYPES)
    shapes = (n, groups * depth, *size), (outputs, depth, *kernel), (outputs,), (n, outputs, *out)
    arrays = [whole_numbers(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    return *arrays, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def terms_of(x, w, stride, padding, dilation, groups, out):
    """Every product of a convolution: the places in x, w and y of what is multiplied, and where it is added."""
    for n, o, p, q in np.ndindex(len(x), len(w), *out):
        for c, i, j in np.ndindex(w.shape[1:]):
            row = p * stride[0] + i * dilation[0] - padding[0][0]
            column = q * stride[1] + j * dilation[1] - padding[1][0]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                channel = o // (len(w) // groups) * w.shape[1] + c
                yield (n, channel, row, column), (o, c, i, j), (n, o, p, q)


@given(drawn(sample_convolution))
def test_a_convolution_is_the_sum_of_its_products(case):
    x, w, b, g, geometry = case
    y, dx, dw = np.zeros_like(g) + b[:, None, None], np.zeros_like(x), np.zeros_like(w)
    for at_x, at_w, at_y in terms_of(x, w, **geometry, out=g.shape[2:]):
        y[at_y] += x[at_x] * w[at_w]
        dx[at_x] += g[at_y] * w[at_w]
        dw[at_w] += g[at_y] * x[at_x]
    check_same(definition.conv2d(x, w, b, **geometry), y)
    check_same(definition.conv2d_input(g, w, input_size=x.shape[2:], **geometry), dx)
    check_same(definition.conv2d_weight(x, g, kernel_size=w.shape[2:], **geometry), dw)


@contextmanager
def product_up_to(windows):
    """The gradients of few windows, and of windows of one pixel, are products up to so many windows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv, "FEW_WINDOWS", windows)
        if len(FAST) > 1:
            patch.setattr("tinygrad_cnn.kernels.compiled.conv.FEW_WINDOWS", windows)
            patch.setattr("tinygrad_cnn.kernels.compiled.conv.FEW_PIXELS", windows)
            patch.setattr("tinygrad_cnn.kernels.compiled.conv.MANY_WEIGHTS", 10**6 if windows == 0 else 1)
        yield


@fast_sets
@pytest.mark.parametrize("windows", [0, 1000])
@given(case=drawn(sample_convolution), with_bias=st.booleans())
def test_convolutions_are_those_of_the_definition(kernels, windows, case, with_bias):
    with product_up_to(windows):
        check_convolution(kernels, *case, with_bias)


def check_convolution(kernels, x, w, b, g, geometry, with_bias):
    bias = b if with_bias else None
    input_size, kernel_size = x.shape[2:], w.shape[2:]
    check_same(kernels.conv2d(x, w, bias, **geometry), definition.conv2d(x, w, bias, **geometry))
    for name, arrays, size in (
        ("conv2d_input", (g, w), {"input_size": input_size}),
        ("conv2d_weight", (x, g), {"kernel_size": kernel_size}),
    ):
        check_same(
            getattr(kernels, name)(*arrays, **size, **geometry), getattr(definition, name)(*arrays, **size, **geometry)
        )


PHASES = [  # kernel, stride, padding, dilation, size of the input
    ((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), (9, 8)),
    ((1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1), (7, 6)),  # phases that no tap reaches
    ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1), (8, 6)),  # windows side by side: no border anywhere
    ((3, 2), (1, 2), ((2, 0), (0, 1)), (1, 1), (5, 9)),
    ((3, 3), (3, 2), ((1, 2), (0, 0)), (2, 2), (11, 12)),
    ((2, 2), (1, 1), ((3, 2), (2, 2)), (1, 1), (4, 4)),  # windows beyond the image altogether
    ((5, 5), (4, 4), ((0, 0), (3, 3)), (1, 2), (17, 13)),
    ((3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), (3, 3)),  # mostly border
    ((1, 1), (4, 4), ((0, 0), (0, 0)), (1, 1), (2, 3)),  # fewer pixels than phases
]


@fast_sets
@pytest.mark.parametrize(("n", "groups", "depth", "outputs"), [(1, 1, 9, 5), (3, 4, 1, 1), (8, 1, 8, 3), (9, 2, 2, 3)])
def test_gradients_in_the_input_of_convolutions_with_steps_are_those_of_the_definition(
    kernels, n, groups, depth, outputs
):
    for k, (kernel, stride, padding, dilation, size) in enumerate(PHASES):
        rng = np.random.default_rng(k)
        geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        x, w = rng.random((n, groups * depth, *size)), rng.random((groups * outputs, depth, *kernel))
        g = rng.random(definition.conv2d(x, w, **geometry).shape)
        for dtype in (np.float64, np.float32):
            v, u = g.astype(dtype), w.astype(dtype)
            found = kernels.conv2d_input(v, u, input_size=size, **geometry)
            expected = definition.conv2d_input(v.astype(float), u.astype(float), input_size=size, **geometry)
            np.testing.assert_allclose(found, expected, rtol=40 * np.finfo(dtype).eps * kernel[0] * kernel[1] * outputs)


@fast_sets
@pytest.mark.parametrize("windows", [0, 1000])
@given(
    n=st.integers(8, 10), size=st.tuples(st.integers(3, 9), st.integers(3, 9)), pads=st.tuples(*[st.integers(0, 2)] * 4)
)
def test_convolutions_of_many_channels_are_those_of_the_definition(kernels, windows, n, size, pads):
    rng = np.random.default_rng(n)
    x, w = rng.standard_normal((n, 17, *size)), rng.standard_normal((16, 17, 3, 3))
    geometry = {"stride": (1, 1), "padding": (pads[:2], pads[2:]), "dilation": (1, 1), "groups": 1}
    y = definition.conv2d(x, w, **geometry)
    check_same(kernels.conv2d(x, w, **geometry), y, 1e-10)
    for name, arrays, extra in (
        ("conv2d_input", (y, w), {"input_size": size}),
        ("conv2d_weight", (x, y), {"kernel_size": (3, 3)}),
    ):
        expected = getattr(definition, name)(*arrays, **extra, **geometry)
        with product_up_to(windows):
            check_same(getattr(kernels, name)(*arrays, **extra, **geometry), expected, 1e-8)


def sample_pooling(draw):
    """x with ties, NaN and infinities, a cotangent, and windows of which none sees padding only."""
    kernel, stride, dilation = draw.pair(1, 3), draw.pair(1, 3), draw.pair(1, 2)
    padding = draw.integer(0, kernel[0] // 2), draw.integer(0, kernel[1] // 2)
    lengths = list(zip(kernel, stride, padding, dilation, strict=True))
    size = tuple(max(d, d * (k - 1) + 1 - 2 * p) + draw.integer(0, 4) for k, _, p, d in lengths)
    ceil_mode, dtype = draw.boolean(), draw.choice(DTYPES)
    shape = draw.choice([1, 2, 0, 9]), draw.integer(1, 2), *size
    x = whole_numbers(shape, dtype, 0)
    if np.issubdtype(dtype, np.floating) and draw.boolean():
        x = np.random.default_rng(1).choice(np.array([-np.inf, 0, 1, np.inf, np.nan], dtype), shape)
    out = [
        ceil_output_size(a, k, s, p, d) if ceil_mode else output_size(a, k, s, 2 * p, d)
        for a, (k, s, p, d) in zip(size, lengths, strict=True)
    ]
    g = whole_numbers((*shape[:2], *out), dtype, 2)
    return x, g, {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}, ceil_mode


def maximum_of(elements):
    """The number of the element that wins: the last NaN, else the first of the largest."""
    nans = [k for k, element in elements.items() if np.isnan(element)]
    return nans[-1] if nans else max(elements, key=lambda k: elements[k])


@given(drawn(sample_pooling))
def test_a_maximum_is_that_of_the_elements_of_its_window(case):
    x, g, window, ceil_mode = case
    (kh, kw), (s, t), (top, left), (d, e) = window.values()
    y, winner, put = np.empty_like(g), np.empty(g.shape, np.uint8), np.zeros_like(x)
    for n, c, p, q in np.ndindex(g.shape):
        places = {i * kw + j: (p * s + i * d - top, q * t + j * e - left) for i in range(kh) for j in range(kw)}
        inside = {k: at for k, at in places.items() if 0 <= at[0] < x.shape[2] and 0 <= at[1] < x.shape[3]}
        best = maximum_of({k: x[n, c, *at] for k, at in inside.items()})
        y[n, c, p, q], winner[n, c, p, q] = x[n, c, *inside[best]], best
        put[n, c, *inside[best]] += g[n, c, p, q]
    found = definition.max_pool2d(x, **window, ceil_mode=ceil_mode)
    check_same(found[0], y)
    check_same(found[1], winner)
    check_same(definition.window_put(g, winner, input_size=x.shape[2:], **window), put)


@fast_sets
@given(case=drawn(sample_pooling))
def test_poolings_are_those_of_the_definition(kernels, case):
    x, g, window, ceil_mode = case
    y, winner = definition.max_pool2d(x, **window, ceil_mode=ceil_mode)
    for found, expected in zip(kernels.max_pool2d(x, **window, ceil_mode=ceil_mode), (y, winner), strict=True):
        check_same(found, expected)
    expected = definition.window_put(g, winner, input_size=x.shape[2:], **window)
    check_same(kernels.window_put(g, winner, input_size=x.shape[2:], **window), expected)


@fast_sets
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 3, 4, 5), (2, 3, 4, 5), (9, 10, 11, 12), (40, 8, 20, 20)])
def test_passes_over_memory_are_those_of_the_definition(kernels, dtype, shape):
    x, g = numbers(shape, dtype, 0), numbers(shape, dtype, 1)
    check_same(kernels.relu(x), definition.relu(x))
    check_same(kernels.gate(g, x), definition.gate(g, x))
    near = NEAR.get(dtype, 0) * max(1, x.size / shape[1]) ** 0.5
    check_same(kernels.channel_sums(x), definition.channel_sums(x), near)
    if np.issubdtype(dtype, np.floating):
        found, expected = x.copy(), x.copy()
        kernels.descend(found, g, 0.3)
        definition.descend(expected, g, 0.3)
        check_same(found, expected, NEAR[dtype])


@fast_sets
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (60, 80), (3, 500_000)])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("which", [0, 1])
def test_steps_of_optimisers_are_those_of_the_definition(kernels, dtype, shape, decay, which):
    g, *averages = [np.asarray(numbers(shape, dtype, k) ** (2 if k > 2 else 1)) for k in range(5)]
    velocity = {"momentum": 0.9, "dampening": [0.0, 0.25][which], "nesterov": bool(which), "decay": decay}
    moments = {"rate": 0.3, "eps": 1e-3, "new": (0.1, 0.01), "decay": decay, "kept": [1.0, 0.9][which]}
    results = []
    for one in (kernels, definition):
        w, v = averages[0].copy(), averages[1].copy()
        one.descend_by_velocity(w, g, v, 0.3, **velocity)
        arrays = [a.copy() for a in averages]
        one.adam(arrays[0], g, *arrays[1:3], arrays[3] if which else None, **moments)
        results.append([w, v, *arrays])
    for found, expected in zip(*results, strict=True):
        check_same(found, expected, NEAR[dtype])


@fast_sets
def test_without_decay_an_infinite_parameter_leaves_the_averages_alone(kernels):
    w, g, v = np.array([np.inf, 1.0]), np.array([1.0, 2.0]), np.zeros(2)
    kernels.descend_by_velocity(w, g, v, 0.1, momentum=0.9, dampening=0.0, nesterov=False, decay=0.0)
    assert (w.tolist(), v.tolist()) == ([np.inf, 0.8], [1.0, 2.0])
    m, s = np.zeros(2), np.zeros(2)
    kernels.adam(w, g, m, s, None, rate=0.1, eps=1.0, new=(0.5, 0.5), decay=0.0, kept=1.0)
    assert (m.tolist(), s.tolist()) == ([0.5, 1.0], [0.5, 2.0])


@fast_sets
def test_steps_of_optimisers_take_arrays_in_any_order_and_keep_nan(kernels):
    g = np.asfortranarray(numbers((60, 80), np.float32, 0))
    g[3, 4] = np.nan
    results = []
    for one in (kernels, definition):
        w, m, v, most = (numbers((60, 80), np.float32, k) ** 2 for k in range(1, 5))
        most[7, 8] = np.nan
        one.descend_by_velocity(w, g, m, 0.3, momentum=0.9, dampening=0.1, nesterov=True, decay=0.1)
        one.adam(w, g, m, v, most, rate=0.1, eps=1e-3, new=(0.1, 0.1), decay=0.1, kept=0.9)
        results.append([w, m, v, most])
    for found, expected in zip(*results, strict=True):
        check_same(found, expected, NEAR[np.float32])
    assert np.flatnonzero(np.isnan(results[0][0])).tolist() == [3 * 80 + 4, 7 * 80 + 8]


@fast_sets
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((2, 3), (3, 4)), ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((1, 700), (700, 101)), ((700, 1), (1, 101)),
        ((2, 1, 3, 4), (5, 4, 2)), ((3, 4), (2, 4, 5)), ((300, 40), (40, 300)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("keep_order", [False, True])
def test_products_are_those_of_the_definition(kernels, dtype, left, right, keep_order):
    a, b = whole_numbers(left, dtype, 0), whole_numbers(right, dtype, 1)
    for order in "CF":
        found = kernels.matmul(np.asarray(a, order=order), b, keep_order=keep_order)
        check_same(found, definition.matmul(a, b, keep_order=keep_order))


@fast_sets
@given(
    n=st.integers(0, 9), k=st.integers(1, 12), scale=st.sampled_from([0.1, 1, 30]), dtype=st.sampled_from(list(NEAR))
)
def test_losses_are_those_of_the_definition(kernels, n, k, scale, dtype):
    rng = np.random.default_rng(n + 10 * k)
    x, g, t = (scale * rng.standard_normal((n, k))).astype(dtype), numbers((n,), dtype, 1), rng.integers(0, k, n)
    near = 4 * max(1, scale) * NEAR[dtype]
    check_same(kernels.class_losses(x, t), definition.class_losses(x, t), near)
    check_same(kernels.class_losses_input(g, x, t), definition.class_losses_input(g, x, t), near)


def test_the_loss_is_the_logarithm_of_a_probability():
    x, t = numbers((5, 4), np.float64, 0), np.array([0, 3, 1, 1, 2])
    exponentials = np.exp(x)
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(definition.class_losses(x, t), [-np.log(softmax[n, t[n]]) for n in range(5)], rtol=1e-14)
    found = definition.class_losses_input(np.ones(5), x, t)
    np.testing.assert_allclose(found, softmax - np.eye(4)[t], atol=1e-15)
    assert np.isfinite(definition.class_losses(1e4 * x, t)).all()


def sample_sequences(draw):
    """x, weights, state and cotangents of a layer, and the sizes of its steps: equal, falling or rising."""
    steps, batch, inputs, hidden = (
        draw.choice([1, 2, 5]),
        draw.choice([1, 2, 5, 19]),
        draw.integer(1, 3),
        draw.integer(1, 5),
    )
    falling = sorted((draw.integer(1, batch) for _ in range(steps - 1)), reverse=True)
    sizes = draw.choice([None, [batch, *falling], [*falling[::-1], batch]])
    dtype, rng = draw.choice([np.float32, np.float64]), np.random.default_rng(draw.integer(0, 99))

    def array(*shape):
        return rng.standard_normal(shape).astype(dtype)

    return steps, batch, inputs, hidden, sizes, array


def check_walk(kernels, name, args, back, sizes, relu=None):
    """Forward and back: what a kernel gives of the rows that steps have, and what a later set makes of what it kept."""
    options = {"sizes": sizes} if relu is None else {"sizes": sizes, "relu": relu}
    found, expected = (getattr(kit, name)(*args, **options, keep=True) for kit in (kernels, definition))
    near = 1e-5 if args[0].dtype == np.float32 else 1e-12
    check_same(found[0], expected[0], near)
    check_same(getattr(kernels, name)(*args, **options, keep=False)[0], expected[0], near)
    there = (
        np.arange(args[0].shape[1]) < np.array([args[0].shape[1]] * len(args[0]) if sizes is None else sizes)[:, None]
    )
    results = [
        getattr(kit, name + "_back")(*back(kept), **options)
        for kit, kept in ((kernels, found), (kernels, expected), (definition, expected))
    ]
    for a, b, c in zip(*results, strict=True):
        if len(c) == len(there) and c.ndim == 3:
            a, b, c = a[there], b[there], c[there]
        if c.size:
            check_same(a, c, 10 * near)
            check_same(b, c, 10 * near)


@fast_sets
@given(case=drawn(sample_sequences), relu=st.booleans())
def test_simple_recurrences_are_those_of_the_definition(kernels, case, relu):
    steps, batch, inputs, hidden, sizes, array = case
    w_hh, g = array(hidden, hidden), array(steps + 1, batch, hidden)
    args = array(steps, batch, inputs), array(hidden, inputs), w_hh, array(hidden), array(batch, hidden)
    check_walk(kernels, "rnn", args, lambda kept: (g, kept[1], w_hh), sizes, relu)


@fast_sets
@given(case=drawn(sample_sequences), projected=st.booleans())
def test_long_short_term_memories_are_those_of_the_definition(kernels, case, projected):
    steps, batch, inputs, hidden, sizes, array = case
    size = 1 if projected else hidden
    projection = (array(size, hidden),) if projected else ()
    w_hh, g, gc = array(4 * hidden, size), array(steps + 1, batch, size), array(batch, hidden)
    args = (
        array(steps, batch, inputs),
        array(4 * hidden, inputs),
        w_hh,
        array(4 * hidden),
        array(batch, size),
        array(batch, hidden),
    )
    check_walk(kernels, "lstm", (*args, *projection), lambda kept: (g, gc, *kept[3:], w_hh, *projection), sizes)


@fast_sets
@given(case=drawn(sample_sequences))
def test_gated_recurrences_are_those_of_the_definition(kernels, case):
    steps, batch, inputs, hidden, sizes, array = case
    w_hh, g = array(3 * hidden, hidden), array(steps + 1, batch, hidden)
    biases, h = (array(3 * hidden), array(3 * hidden)), array(batch, hidden)
    args = array(steps, batch, inputs), array(3 * hidden, inputs), w_hh, *biases, h
    check_walk(kernels, "gru", args, lambda kept: (g, *kept[2:], w_hh), sizes)


@fast_sets
@pytest.mark.parametrize("sizes", [None, [70, 66, 3], [3, 66, 70]])
def test_recurrences_of_large_batches_are_those_of_the_definition(kernels, sizes):
    rng = np.random.default_rng(0)

    def array(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    x, h, g = array(3, 70, 4), array(70, 5), array(4, 70, 5)
    for name, gates in (("rnn", 1), ("lstm", 4), ("gru", 3)):
        w, u, b = array(gates * 5, 4), array(gates * 5, 5), array(gates * 5)
        if name == "rnn":
            for relu in (True, False):
                check_walk(kernels, name, (x, w, u, b, h), lambda kept, u=u: (g, kept[1], u), sizes, relu)
        elif name == "lstm":
            check_walk(kernels, name, (x, w, u, b, h, 2 * h), lambda kept, u=u: (g, h, *kept[3:], u), sizes)
        else:
            check_walk(kernels, name, (x, w, u, b, b / 2, h), lambda kept, u=u: (g, *kept[2:], u), sizes)


@fast_sets
@pytest.mark.parametrize("batch", [3, 70])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_recurrences_keep_nan_and_infinity_to_their_rows(kernels, batch, dtype):
    rng = np.random.default_rng(0)
    x, h = rng.standard_normal((4, batch, 3)).astype(dtype), rng.standard_normal((batch, 17)).astype(dtype)
    x[1, 0], x[2, 1], x[2, 2] = np.nan, np.inf, [-np.inf, 1e30, -1e30]
    with np.errstate(all="ignore"):
        for name, gates in (("rnn", 1), ("lstm", 4), ("gru", 3)):
            shapes = (gates * 17, 3), (gates * 17, 17), *[(gates * 17,)] * (2 if name == "gru" else 1)
            args = (
                x,
                *(rng.standard_normal(shape).astype(dtype) for shape in shapes),
                *[h] * (2 if name == "lstm" else 1),
            )
            options = {"relu": False} if name == "rnn" else {}
            found, expected = (
                getattr(kit, name)(*args, sizes=None, keep=True, **options) for kit in (kernels, definition)
            )
            check_same(found[0], expected[0], 1e-5)
            assert np.isnan(found[0][1:, 0]).all()
            assert not np.isnan(found[0][:, 3:]).any()
            g = rng.standard_normal((5, batch, 17)).astype(dtype)
            kept = {"rnn": lambda k: (k[1],), "lstm": lambda k: k[3:], "gru": lambda k: k[2:]}[name]
            first = (g, g[0]) if name == "lstm" else (g,)
            back = (
                getattr(kit, f"{name}_back")(*first, *kept(found), args[2], sizes=None, **options)
                for kit in (kernels, definition)
            )
            for a, b in zip(*back, strict=True):
                check_same(a, b, 1e-3)


@fast_sets
@pytest.mark.parametrize("count", [0, 1, 625, 10_000])
def test_a_shuffle_is_that_of_the_definition(kernels, count):
    steps = np.random.default_rng(count).integers(0, np.arange(count, 0, -1))
    check_same(kernels.shuffled(steps), definition.shuffled(steps))


@fast_sets
@pytest.mark.parametrize("count", [0, 1, 625, 10_000])
def test_random_words_are_those_of_the_definition(kernels, count):
    a, b = (np.random.Generator(np.random.MT19937(3)) for _ in range(2))
    check_same(kernels.random_words(a, count), definition.random_words(b, count))
    assert a.integers(0, 2**32) == b.integers(0, 2**32)


@pytest.mark.parametrize("kernels", [*FAST, definition], ids=lambda kernels: kernels.name)
def test_every_set_has_every_kernel_with_its_signature(kernels):
    for name in KERNELS:
        protocol = inspect.signature(getattr(Kernels, name))
        signature = inspect.signature(getattr(kernels, name))
        assert list(signature.parameters.values()) == list(protocol.parameters.values())[1:]
        assert signature.return_annotation == protocol.return_annotation


@pytest.mark.parametrize("name", KERNELS)
def test_the_chosen_kernels_are_those_of_the_set(name):
    before = tg.get_kernels()
    try:
        tg.set_kernels("definition")
        assert tg.get_kernels() == "definition"
        assert getattr(tg.kernels.chosen.chosen, name) is getattr(definition, name)
        tg.set_kernels("numpy")
        assert getattr(tg.kernels.chosen.chosen, name) is getattr(numpy_set, name)
    finally:
        tg.set_kernels(before)
