"""Images in other sizes and places against their definitions, one pixel after the other."""

import itertools
import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck
from tinygrad_cnn.nn import functional as F


def hat(d):
    return max(0.0, 1 - abs(d))


def cubic(a):
    def bump(d):
        d = abs(d)
        if d <= 1:
            return ((a + 2) * d - (a + 3)) * d * d + 1
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a if d < 2 else 0.0

    return bump


def line(x, m, bump, step, reach):
    """A line in another length: each new element the mean of those under a bump as broad as the step."""
    new, broad = [], max(step, 1.0)
    for i in range(m):
        centre = step * (i + 0.5)
        low, high = max(int(centre - reach * broad + 0.5), 0), min(int(centre + reach * broad + 0.5), len(x))
        weights = [bump((k - centre + 0.5) / broad) for k in range(low, high)]
        new.append(sum(w * v for w, v in zip(weights, x[low:high], strict=True)) / math.fsum(weights))
    return new


@pytest.mark.parametrize(("mode", "bump", "reach"), [("bilinear", hat, 1), ("bicubic", cubic(-0.5), 2)])
@pytest.mark.parametrize("m", [1, 3, 4, 7, 10])
def test_antialias_weighs_all_pixels_under_a_new_one(mode, bump, reach, m):
    x = np.random.default_rng(m).normal(size=7)
    expected = line(x, m, bump, 7 / m, reach)
    for shape, size in (((1, 1, 7, 1), (m, 1)), ((1, 1, 1, 7), (1, m))):
        np.testing.assert_allclose(F.interpolate(x.reshape(shape), size, mode=mode, antialias=True).ravel(), expected)


def test_a_volume_is_interpolated_along_each_dim():
    x = np.random.default_rng(0).normal(size=(1, 1, 3, 4, 5))
    y = F.interpolate(x, (2, 6, 5), mode="trilinear", align_corners=True)
    for d, h, w in itertools.product(range(2), range(6), range(5)):
        at = d * 2, h * 3 / 5, w
        expected = sum(
            x[0, 0, k, j, i] * hat(at[0] - k) * hat(at[1] - j) * hat(at[2] - i)
            for k, j, i in itertools.product(range(3), range(4), range(5))
        )
        assert y[0, 0, d, h, w] == pytest.approx(expected)


def test_one_infinite_pixel_reaches_only_its_neighbours():
    x = np.zeros((1, 1, 6, 6))
    x[0, 0, 0, 0] = np.inf
    for mode, broad in (("bilinear", 3), ("bicubic", 5)):
        with np.errstate(invalid="ignore"):
            y = F.interpolate(x, 12, mode=mode)
        assert np.isfinite(y[0, 0, broad:, broad:]).all()


def test_bytes_are_rounded_between_the_dims():
    x = np.array([[[[0, 255], [255, 0]]]], np.uint8)
    y = F.interpolate(x, 3, mode="bilinear", align_corners=True)
    assert y.dtype == np.uint8
    assert y[0, 0].tolist() == [[0, 128, 255], [128, 128, 128], [255, 128, 0]]


def points(*size):
    """The grid whose points are the centres of the pixels."""
    lines = [np.linspace(-1, 1, n) for n in size]
    return np.stack(np.meshgrid(*lines, indexing="ij")[::-1], -1)[None]


@pytest.mark.parametrize("size", [(3, 4), (2, 3, 4)])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
def test_at_the_centres_of_pixels_a_grid_reads_them(size, mode, padding_mode):
    if mode == "bicubic" and len(size) == 3:
        return
    x = np.random.default_rng(0).normal(size=(1, 2, *size))
    np.testing.assert_allclose(F.grid_sample(x, points(*size), mode, padding_mode, True), x, atol=1e-12)


def test_a_volume_is_read_between_its_pixels():
    x = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    grid = np.array([0.5, -0.5, 0.0]).reshape(1, 1, 1, 1, 3)  # x = 3/4, y = 1/4, z = 1/2
    assert F.grid_sample(x, grid, align_corners=True).item() == pytest.approx(0.75 + 2 * 0.25 + 4 * 0.5)


def test_a_grid_beyond_every_number_reads_zeros():
    grid = np.array([[np.nan, 0.0], [np.inf, 0.0], [1e30, 0.0]]).reshape(1, 1, 3, 2)
    for mode in ("nearest", "bilinear"):
        with np.errstate(invalid="ignore"):
            y = F.grid_sample(np.ones((1, 1, 2, 2)), grid, mode, "zeros", False)
        assert np.all((y == 0) | np.isnan(y))


def test_an_affine_map_of_a_volume_moves_its_points():
    theta = np.array([[[2.0, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, -1, 0]]])
    grid = F.affine_grid(theta, (1, 1, 2, 3, 4), align_corners=True)
    np.testing.assert_allclose(grid, points(2, 3, 4) * [2, 1, -1] + [0.5, 0, 0])


CALLS = {
    "antialias": lambda x: F.interpolate(x, (3, 5), mode="bicubic", antialias=True),
    "bicubic": lambda x: F.interpolate(x, (6, 3), mode="bicubic"),
    "nearest": lambda x: F.interpolate(x, (7, 3)),
    "grid, bicubic": lambda x: F.grid_sample(
        x[:, :1], tg.tanh(x[:, :, :1, :1].permute(0, 2, 3, 1)), "bicubic", "border", False
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_first_and_second_derivatives(name):
    x = tg.tensor(np.random.default_rng(1).normal(size=(1, 2, 4, 4)), requires_grad=True)
    assert gradcheck(CALLS[name], (x,))
    assert gradgradcheck(CALLS[name], (x,))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_infinities_come_back_only_to_where_they_were_read(mode):
    x = tg.ones(1, 1, 6, 6, requires_grad=True)
    g = np.zeros((1, 1, 12, 12), np.float32)
    g[0, 0, 0, 0] = np.inf
    F.interpolate(x, scale_factor=2, mode=mode).backward(tg.tensor(g))
    assert not np.isfinite(x.grad.numpy()[0, 0, 0, 0])
    assert np.isfinite(x.grad.numpy()[0, 0, 3:, 3:]).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("size", "parts"), [(28, 7), (30, 7), (40, 2), (100, 3), (5, 1), (64, 64)])
def test_adaptive_means_are_means_of_their_windows_and_infinity_stays_in_its_own(dtype, size, parts):
    x = np.random.default_rng(0).standard_normal((2, 3, size)).astype(dtype)
    x[0, 1, size // 2], x[1, 2, 0] = np.inf, np.nan
    ends = [(k * size // parts, -(-(k + 1) * size // parts)) for k in range(parts)]
    expected = np.stack([x[..., a:b].astype(float).mean(-1) for a, b in ends], -1)
    rough = {np.float16: 4e-3, np.float32: 1e-6, np.float64: 1e-14}[dtype]
    np.testing.assert_allclose(F.adaptive_avg_pool1d(tg.tensor(x), parts), expected, rtol=rough, atol=rough)
    plane = F.adaptive_avg_pool2d(tg.tensor(x), (1, parts))
    np.testing.assert_allclose(plane, expected.mean(1, keepdims=True), rtol=rough, atol=rough)
