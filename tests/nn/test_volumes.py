"""Convolution and pooling of volumes against their definitions, written down as loops."""

import itertools
import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck
from tinygrad_cnn.nn import functional as F

GEOMETRIES = [
    ((1, 1, 1), (0, 0, 0), (1, 1, 1), 1),
    ((2, 1, 3), (1, 0, 2), (1, 1, 1), 2),
    ((1, 2, 1), (2, 1, 1), (2, 1, 2), 1),
    ((3, 2, 1), (0, 2, 1), (1, 2, 1), 2),
]


def draw(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def places(size):
    return itertools.product(*map(range, size))


def direct_conv3d(x, w, stride, padding, dilation, groups):
    """Σ over channels of the group and taps, one output after the other."""
    n, (o, depth), kernel = len(x), w.shape[:2], w.shape[2:]
    canvas = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    out = [(m - r) // s + 1 for m, r, s in zip(canvas.shape[2:], reach, stride, strict=True)]
    y = np.zeros((n, o, *out))
    for image, channel in places((n, o)):
        first = channel // (o // groups) * depth
        for at in places(out):
            for k, tap in itertools.product(range(depth), places(kernel)):
                where = tuple(a * s + t * d for a, s, t, d in zip(at, stride, tap, dilation, strict=True))
                y[(image, channel, *at)] += w[(channel, k, *tap)] * canvas[(image, first + k, *where)]
    return y


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), GEOMETRIES)
def test_conv3d_is_its_definition(stride, padding, dilation, groups):
    x, w, b = draw(2, 4, 5, 4, 6), draw(2, 4 // groups, 2, 3, 2), draw(2)
    expected = direct_conv3d(x, w, stride, padding, dilation, groups)
    np.testing.assert_allclose(F.conv3d(x, w, None, stride, padding, dilation, groups), expected, rtol=1e-12)
    single = F.conv3d(x[0], w, b, stride, padding, dilation, groups)
    np.testing.assert_allclose(single, expected[0] + b[:, None, None, None], rtol=1e-12)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), GEOMETRIES)
def test_conv_transpose3d_is_the_adjoint_of_conv3d(stride, padding, dilation, groups):
    x, w = draw(2, 4, 5, 4, 6), draw(2, 4 // groups, 2, 3, 2)
    y = F.conv3d(x, w, None, stride, padding, dilation, groups)
    v = draw(*y.shape)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    left = [(n + 2 * p - r) % s for n, p, r, s in zip(x.shape[2:], padding, reach, stride, strict=True)]
    back = F.conv_transpose3d(v, w, None, stride, padding, tuple(left), groups, dilation)
    assert np.sum(y * v) == pytest.approx(np.sum(x * back), rel=1e-12)
    b = draw(4)
    single = F.conv_transpose3d(v[0], w, b, stride, padding, tuple(left), groups, dilation)
    np.testing.assert_allclose(single, back[0] + b[:, None, None, None], rtol=1e-12)


def windows(x, kernel, stride, padding, dilation, ceil_mode):
    """For each window of one volume, in order, the places of its elements; the number along each dim."""
    count = []
    for n, k, s, p, d in zip(x.shape, kernel, stride, padding, dilation, strict=True):
        free = n + 2 * p - d * (k - 1) - 1
        m = (math.ceil(free / s) if ceil_mode else free // s) + 1
        count.append(m - 1 if ceil_mode and (m - 1) * s >= n + p else m)
    found = []
    for at in places(count):
        taps = [tuple(a * s - p + t * d for a, s, p, t, d in zip(at, stride, padding, tap, dilation, strict=True))
                for tap in places(kernel)]  # fmt: skip
        found.append([t for t in taps if all(0 <= i < n for i, n in zip(t, x.shape, strict=True))])
    return found, count


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), [
    ((2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1)),
    ((3, 2, 3), (1, 2, 2), (1, 1, 0), (1, 1, 1)),
    ((2, 3, 2), (2, 1, 3), (0, 1, 1), (2, 1, 2)),
])  # fmt: skip
def test_max_pool3d_takes_the_first_maximum_of_each_window(kernel, stride, padding, dilation, ceil_mode):
    x = np.random.default_rng(0).integers(0, 4, (2, 2, 5, 6, 7)).astype(float)  # with many ties
    y, indices = F.max_pool3d(x, kernel, stride, padding, dilation, ceil_mode, return_indices=True)
    for image, channel in places((2, 2)):
        found, count = windows(x[image, channel], kernel, stride, padding, dilation, ceil_mode)
        first = [max(taps, key=lambda t: x[(image, channel, *t)]) for taps in found]
        assert y.shape[2:] == tuple(count)
        np.testing.assert_array_equal(
            indices[image, channel].ravel(), np.ravel_multi_index(np.transpose(first), x.shape[2:])
        )
        np.testing.assert_array_equal(y[image, channel].ravel(), [x[(image, channel, *t)] for t in first])


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("override", [None, 5])
def test_avg_pool3d_is_the_mean_of_each_window(ceil_mode, count_include_pad, override):
    x, kernel, stride, padding = draw(1, 1, 5, 6, 7), (3, 2, 3), (2, 2, 3), (1, 1, 0)
    y = F.avg_pool3d(x, kernel, stride, padding, ceil_mode, count_include_pad, override)
    found, count = windows(x[0, 0], kernel, stride, padding, (1, 1, 1), ceil_mode)
    assert y.shape[2:] == tuple(count)
    for value, at, taps in zip(y.ravel(), places(count), found, strict=True):
        inside = [
            min(a * s - p + k, n + p) - (a * s - p)
            for a, s, p, k, n in zip(at, stride, padding, kernel, x.shape[2:], strict=True)
        ]
        over = override or (math.prod(inside) if count_include_pad else len(taps))
        assert value == pytest.approx(sum(x[(0, 0, *t)] for t in taps) / over)


def part(n, m, k):
    return slice(k * n // m, -(-(k + 1) * n // m))


@pytest.mark.parametrize("wanted", [(2, 3, 4), (1, 1, 1), (5, 6, 7), (4, None, 2), 3])
def test_adaptive_pools_divide_each_dim(wanted):
    x = draw(2, 2, 5, 6, 7)
    size = [m or n for m, n in zip(wanted, x.shape[2:], strict=True)] if isinstance(wanted, tuple) else [wanted] * 3
    mean, (highest, indices) = F.adaptive_avg_pool3d(x, wanted), F.adaptive_max_pool3d(x, wanted, return_indices=True)
    assert mean.shape == highest.shape == (2, 2, *size)
    for at in places(size):
        window = x[(..., *(part(n, m, k) for n, m, k in zip(x.shape[2:], size, at, strict=True)))]
        np.testing.assert_allclose(mean[(..., *at)], window.mean((2, 3, 4)))
        np.testing.assert_array_equal(highest[(..., *at)], window.max((2, 3, 4)))
    np.testing.assert_array_equal(
        np.take_along_axis(x.reshape(2, 2, -1), indices.reshape(2, 2, -1), -1), highest.reshape(2, 2, -1)
    )


def test_one_infinite_place_reaches_only_its_windows():
    for pool, size in (
        (F.adaptive_avg_pool1d, (5,)),
        (F.adaptive_avg_pool2d, (5, 4)),
        (F.adaptive_avg_pool3d, (5, 4, 3)),
    ):
        x = np.zeros((1, *size))
        x[(0, *(0,) * len(size))] = np.inf
        y = pool(x, 3)
        assert y.ravel()[0] == np.inf
        assert np.all(y.ravel()[1:] == 0)


@pytest.mark.parametrize("dims", [2, 3])
def test_fractional_windows_begin_where_the_samples_say(dims):
    size, kernel, wanted = (9, 7, 8)[:dims], (2, 3, 2)[:dims], (4, 3, 5)[:dims]
    x, samples = draw(2, 2, *size), np.random.default_rng(0).random((2, 2, dims))
    y, indices = getattr(F, f"fractional_max_pool{dims}d")(x, kernel, wanted, None, True, samples)
    order = [1, 0] if dims == 2 else [0, 1, 2]
    for image, channel in places((2, 2)):
        starts = []
        for a, n, k, m in zip(order, size, kernel, wanted, strict=True):
            u, step = samples[image, channel, a], (n - k) / (m - 1)
            starts.append([int((i + u) * step) - int(u * step) for i in range(m - 1)] + [n - k])
        for at in places(wanted):
            corner = [s[i] for s, i in zip(starts, at, strict=True)]
            window = x[(image, channel, *(slice(i, i + k) for i, k in zip(corner, kernel, strict=True)))]
            assert y[(image, channel, *at)] == window.max()
            assert x[image, channel].ravel()[indices[(image, channel, *at)]] == window.max()


def test_the_last_nan_of_a_window_is_its_maximum():
    x = np.ones((1, 1, 3, 3, 3))
    x[0, 0, 1, 0, 0] = x[0, 0, 1, 2, 1] = np.nan
    for pooled in (F.max_pool3d(x, 3, return_indices=True), F.adaptive_max_pool3d(x, 1, return_indices=True)):
        assert np.isnan(pooled[0]).all()
        assert pooled[1].item() == 9 + 6 + 1


def test_unpooling_puts_the_maxima_back():
    x = tg.tensor(draw(2, 2, 4, 6, 4), requires_grad=True)
    y, indices = F.max_pool3d(x, 2, return_indices=True)
    back = nn.MaxUnpool3d(2)(y, indices)
    assert back.shape == x.shape
    kept = back != 0
    assert kept.sum() == y.numel()
    assert (back[kept] == x[kept]).all()
    back.sum().backward()
    assert (x.grad == kept).all()


SAMPLES = np.full((1, 2, 3), 0.4)
CALLS = {
    "conv3d": lambda x, w: F.conv3d(x, w, None, (2, 1, 1), (1, 0, 1), (1, 2, 1)),
    "conv_transpose3d": lambda x, w: F.conv_transpose3d(x, w, None, (2, 1, 1), (1, 0, 1), (1, 0, 0)),
    "max_pool3d": lambda x, w: F.max_pool3d(x * w.sum(), 2, 1, 1),
    "avg_pool3d": lambda x, w: F.avg_pool3d(x * w.sum(), 2, 1, 1, True, False),
    "lp_pool3d": lambda x, w: F.lp_pool3d(x * x * w.sum() ** 2, 3, 2, 1),
    "adaptive_avg_pool3d": lambda x, w: F.adaptive_avg_pool3d(x * w.sum(), (2, 2, 1)),
    "adaptive_max_pool3d": lambda x, w: F.adaptive_max_pool3d(x * w.sum(), (2, 2, 1)),
    "fractional_max_pool3d": lambda x, w: F.fractional_max_pool3d(x * w.sum(), 2, 2, _random_samples=SAMPLES),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_first_and_second_derivatives(name):
    x, w = tg.tensor(draw(1, 2, 3, 4, 3), requires_grad=True), tg.tensor(draw(2, 2, 2, 2, 2), requires_grad=True)
    assert gradcheck(CALLS[name], (x, w))
    assert gradgradcheck(CALLS[name], (x, w))


@pytest.mark.parametrize("dtype", [tg.int64, tg.int32])
def test_means_of_integers_are_cut_off(dtype):
    x = tg.tensor([[[7, -7, 2, 3]]], dtype=dtype)
    assert F.avg_pool1d(x, 2).tolist() == [[[0, 2]]]
    volume = tg.arange(16, dtype=dtype).reshape(1, 1, 4, 2, 2) - 20
    means = F.avg_pool3d(volume, 2)
    assert means.dtype == dtype
    assert means.flatten().tolist() == [int(np.arange(8).sum() / 8 - 20), int(np.arange(8, 16).sum() / 8 - 20)]
