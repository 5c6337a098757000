"""Grids of images, pixel by pixel, and the files that they are written to."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import tinygrad_cnn as tg
from tinygrad_cnn.utils import make_grid, save_image


@given(st.integers(2, 7), st.sampled_from([1, 3]), st.integers(1, 4), st.integers(1, 9), st.integers(0, 3))
def test_every_pixel_of_a_grid_is_where_it_should_be(n, channels, size, nrow, padding):
    images = np.random.default_rng(n).normal(size=(n, channels, size, size + 1)).astype(np.float32)
    grid = make_grid(tg.tensor(images), nrow=nrow, padding=padding, pad_value=7.0).numpy()
    columns = min(nrow, n)
    assert grid.shape == (3, -(-n // columns) * (size + padding) + padding, columns * (size + 1 + padding) + padding)
    left = np.full(grid.shape, 7.0, np.float32)
    for k in range(n):
        row, column = divmod(k, columns)
        for i, j in np.ndindex(size, size + 1):
            place = row * (size + padding) + padding + i, column * (size + 1 + padding) + padding + j
            left[:, *place] = images[k, :, i, j]
    np.testing.assert_array_equal(grid, left)


def test_one_image_has_no_border_and_a_list_is_a_batch():
    image = tg.rand(1, 4, 5)
    np.testing.assert_array_equal(make_grid(image).numpy(), np.repeat(image.numpy(), 3, 0))
    assert make_grid(tg.rand(4, 5)).shape == (3, 4, 5)
    assert make_grid([image, image], padding=0).shape == (3, 4, 10)


def test_values_are_brought_between_0_and_1():
    images = tg.tensor([[[[-1.0, 3.0]]], [[[0.0, 1.0]]]])
    whole = make_grid(images, normalize=True, padding=0).numpy()[0, 0]
    np.testing.assert_allclose(whole, [0, 1, 0.25, 0.5])
    each = make_grid(images, normalize=True, scale_each=True, padding=0).numpy()[0, 0]
    np.testing.assert_allclose(each, [0, 1, 0, 1])
    given_ = make_grid(images, normalize=True, value_range=(0, 2), padding=0).numpy()[0, 0]
    np.testing.assert_allclose(given_, [0, 1, 0, 0.5])


def test_a_picture_is_written_whole(tmp_path):
    images = tg.tensor([[[[0.0, 0.5], [1.0, 2.0]]]])
    save_image(images, tmp_path / "a.png")
    assert np.asarray(Image.open(tmp_path / "a.png"))[:, :, 0].tolist() == [[0, 128], [255, 255]]
    memory = io.BytesIO()
    save_image(images, memory, format="PNG")
    assert Image.open(memory).size == (2, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: make_grid([1]), TypeError, "expected a Tensor or a sequence of them"),
        (lambda: make_grid(tg.zeros(2, 2, 2, 2, 2)), ValueError, r"expected one or more images \(N, C, H, W\)"),
        (lambda: make_grid(tg.zeros(0, 1, 2, 2)), ValueError, "expected one or more images"),
        (lambda: make_grid(tg.zeros(2, 1, 2, 2), scale_each=True), ValueError, "are for normalize=True"),
        (lambda: save_image(tg.zeros(1, 2, 2), "picture"), ValueError, "does not end like a picture"),
    ],
)
def test_wrong_images_are_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
