"""What transforms make of tensors, beside PyTorch's own resampling, and what they draw, beside PyTorch's numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import transforms
from tinygrad_cnn.transforms import InterpolationMode
from tinygrad_cnn.transforms import functional as F

SIDE = st.integers(2, 9)  # PyTorch's antialiasing repeats the first row of images of width 1


@settings(max_examples=30)
@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(["bilinear", "bicubic", "nearest", "nearest-exact"]), st.booleans())
def test_resizing_is_interpolate(h, w, height, width, mode, antialias):
    x = np.random.default_rng(h * w).random((2, 3, h, w))
    smooth = {"antialias": antialias, "align_corners": False} if mode.startswith("bi") else {}
    theirs = torch.nn.functional.interpolate(torch.tensor(x), (height, width), mode=mode, **smooth)
    ours = F.resize(tg.Tensor(x), (height, width), InterpolationMode(mode), antialias=antialias)
    assert np.allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=1e-9)


@settings(max_examples=30)
@given(
    st.floats(-180, 180), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.5, 2), st.floats(-30, 30),
    st.sampled_from(["bilinear", "nearest"]),
)  # fmt: skip
def test_turning_is_grid_sample(angle, dx, dy, scale, shear, mode):
    h, w = 6, 8
    x = np.random.default_rng(0).random((2, 3, h, w))
    a, s = np.radians(angle), np.radians(shear)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.array([[1, -np.tan(s)], [0, 1]]) * scale
    back = np.linalg.inv(turn)
    half = np.array([w / 2, h / 2])
    theta = np.concatenate([back * half / half[:, None], (-back @ [dx, dy] / half)[:, None]], 1)
    grid = torch.nn.functional.affine_grid(torch.tensor(theta)[None].repeat(2, 1, 1), (2, 3, h, w), align_corners=False)
    theirs = torch.nn.functional.grid_sample(torch.tensor(x), grid, mode=mode, align_corners=False)
    ours = F.affine(tg.Tensor(x), angle, (dx, dy), scale, shear, InterpolationMode(mode))
    different = np.abs(ours.numpy() - theirs.numpy()) > 1e-9
    assert different.mean() <= (0.05 if mode == "nearest" else 0)  # places halfway between two pixels


def test_blurring_is_a_convolution():
    x = np.random.default_rng(0).random((1, 1, 6, 7))
    steps = torch.arange(-2.0, 3.0, dtype=torch.float64)
    bell = torch.exp(-0.5 * (steps / 1.3) ** 2)
    kernel = torch.outer(bell, bell) / bell.sum() ** 2
    padded = torch.nn.functional.pad(torch.tensor(x), [2] * 4, mode="reflect")
    theirs = torch.nn.functional.conv2d(padded, kernel[None, None])
    assert np.allclose(F.gaussian_blur(tg.Tensor(x), 5, 1.3).numpy(), theirs.numpy(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_drawn_are_pytorchs_numbers(seed):
    image = tg.zeros(3, 20, 30)
    drawn = {
        "flip": lambda: transforms.RandomRotation.get_params([-10.0, 20.0]),
        "crop": lambda: transforms.RandomCrop.get_params(image, (4, 5)),
        "jitter": lambda: transforms.ColorJitter.get_params([0.5, 1.5], None, [0.2, 1.0], None)[1:],
    }
    expected = {
        "flip": lambda: torch.empty(1).uniform_(-10.0, 20.0).item(),
        "crop": lambda: (torch.randint(0, 17, (1,)).item(), torch.randint(0, 26, (1,)).item(), 4, 5),
        "jitter": lambda: (
            torch.randperm(4),
            torch.empty(1).uniform_(0.5, 1.5).item(),
            None,
            torch.empty(1).uniform_(0.2, 1.0).item(),
            None,
        )[1:],
    }
    for name, draw in drawn.items():
        tg.manual_seed(seed)
        torch.manual_seed(seed)
        assert draw() == expected[name]()
