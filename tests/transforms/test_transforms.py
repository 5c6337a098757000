"""Transforms: tensors against definitions and against Pillow, errors, reprs, and draws that the seed decides."""

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import tinygrad_cnn as tg
from tinygrad_cnn import nn, transforms
from tinygrad_cnn.transforms import InterpolationMode
from tinygrad_cnn.transforms import functional as F

NEAREST, BILINEAR, BICUBIC = InterpolationMode.NEAREST, InterpolationMode.BILINEAR, InterpolationMode.BICUBIC


def picture(height=9, width=12, mode="RGB", seed=0):
    """A smooth image, so that roundings are the only differences."""
    y, x = np.mgrid[:height, :width]
    waves = [127 + 120 * np.sin(0.4 * x + k + seed) * np.cos(0.5 * y + 2 * k) for k in range(len(mode))]
    values = np.stack(waves, -1).astype(np.uint8)
    return Image.fromarray(values[:, :, 0] if len(mode) == 1 else values)


def array(img):
    return np.asarray(img).astype(int) if not isinstance(img, tg.Tensor) else img.numpy()


# ---- conversions ---------------------------------------------------------------------------------------------------


def test_bytes_become_numbers_between_0_and_1_with_the_channels_first():
    image = picture()
    x = transforms.ToTensor()(image)
    assert (tuple(x.shape), x.dtype) == ((3, 9, 12), np.float32)
    assert np.array_equal(x.numpy(), np.asarray(image).astype(np.float32).transpose(2, 0, 1) / np.float32(255))
    assert np.array_equal(transforms.ToTensor()(np.asarray(image)).numpy(), x.numpy())
    grey = transforms.ToTensor()(picture(mode="L"))
    assert tuple(grey.shape) == (1, 9, 12)
    assert x.numpy().flags["C_CONTIGUOUS"]


def test_other_numbers_stay_as_they_are():
    floats = np.random.default_rng(0).normal(size=(2, 3))
    assert np.array_equal(F.to_tensor(floats).numpy(), floats[None])
    assert F.to_tensor(Image.fromarray(floats.astype(np.float32))).dtype == np.float32
    assert F.to_tensor(Image.fromarray(np.array([[1, 2]], np.int32))).tolist() == [[[1, 2]]]
    assert F.to_tensor(Image.fromarray(np.array([[True, False]]))).tolist() == [[[1.0, 0.0]]]
    assert F.pil_to_tensor(picture()).dtype == np.uint8


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_tensors_become_the_image_they_were(mode):
    image = picture(mode=mode)
    assert image.mode == mode
    back = transforms.ToPILImage()(F.pil_to_tensor(image))
    assert (back.mode, back.tobytes()) == (mode, image.tobytes())
    assert F.to_pil_image(np.asarray(image)).tobytes() == image.tobytes()
    assert np.abs(array(F.to_pil_image(F.to_tensor(image))) - array(image)).max() <= 1  # floats are cut, as PyTorch's


def test_a_mode_can_be_said():
    assert F.to_pil_image(tg.rand(1, 4, 4), "F").mode == "F"
    assert transforms.ToPILImage("HSV")(np.zeros((4, 4, 3), np.uint8)).mode == "HSV"


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: F.to_tensor([1]), TypeError, "expected a PIL image or a NumPy array"),
        (lambda: F.to_tensor(np.zeros(3)), ValueError, r"shape \(3,\) is no image"),
        (lambda: F.pil_to_tensor(np.zeros(3)), TypeError, "expected a PIL image"),
        (lambda: F.to_pil_image("x"), TypeError, "expected a tensor or a NumPy array"),
        (lambda: F.to_pil_image(tg.zeros(1, 2, 3, 4)), ValueError, r"expected \(C, H, W\)"),
        (lambda: F.to_pil_image(np.zeros((2,))), ValueError, r"expected \(H, W, C\)"),
        (lambda: F.to_pil_image(tg.zeros(5, 3, 4)), ValueError, "5 channels"),
        (lambda: F.to_pil_image(np.zeros((2, 2, 3))), TypeError, "3 channels of float64"),
        (lambda: F.to_pil_image(np.zeros((2, 2))), TypeError, "no float64"),
        (lambda: F.to_pil_image(tg.zeros(3, 2, 2), "L"), ValueError, "mode 'L' for 3 channels"),
        (lambda: F.normalize(np.zeros(3), 0, 1), TypeError, r"use ToTensor\(\)"),
        (lambda: F.normalize(tg.zeros(1, 2, 2).astype(np.uint8), 0, 1), TypeError, "expected floats"),
        (lambda: F.normalize(tg.zeros(2, 2), 0, 1), ValueError, r"\(\.\.\., C, H, W\)"),
        (lambda: F.normalize(tg.zeros(3, 2, 2), 0, (1, 0, 1)), ValueError, "must not be 0"),
        (lambda: F.normalize(tg.zeros(3, 2, 2), (0, 0), 1), ValueError, "3, one per channel"),
        (lambda: F.resize("x", 3), TypeError, "expected a PIL image or a tensor"),
        (lambda: F.resize(tg.zeros(3), 3), TypeError, "is no image"),
        (lambda: F.resize(picture(), (3, 4), max_size=9), ValueError, "max_size"),
        (lambda: F.resize(picture(), 3, max_size=3), ValueError, "more than the size"),
        (lambda: F.resize(picture(), 0), ValueError, "at least 1"),
        (lambda: F.resize(picture(), 3, "bilinear"), TypeError, "expected an InterpolationMode"),
        (lambda: F.resize(tg.zeros(1, 4, 4), 3, InterpolationMode.LANCZOS), ValueError, "bilinear or bicubic"),
        (lambda: F.rotate(tg.zeros(1, 4, 4), 3, BICUBIC), ValueError, "nearest or bilinear"),
        (lambda: F.rotate(tg.zeros(1, 4, 4), 3, fill=(1, 2)), ValueError, "fill has 2 numbers"),
        (lambda: F.rotate(picture(), 3, fill=(1, 2)), ValueError, "fill has 2 numbers"),
        (lambda: F.rotate(picture(), "a"), TypeError, "angle"),
        (lambda: F.affine(picture(), "a", (0, 0), 1, 0), TypeError, "angle"),
        (lambda: F.affine(picture(), 1, (0,), 1, 0), ValueError, "two numbers"),
        (lambda: F.affine(picture(), 1, (0, 0), 0, 0), ValueError, "must be positive"),
        (lambda: F.pad(picture(), (1, 2, 3)), ValueError, "3 numbers"),
        (lambda: F.pad(picture(), "1"), TypeError, "padding is '1'"),
        (lambda: F.pad(picture(), 1, 0, "mirror"), ValueError, "constant, edge, reflect or symmetric"),
        (lambda: F.adjust_brightness(picture(), -1), ValueError, "at least 0"),
        (lambda: F.adjust_hue(picture(), 0.6), ValueError, r"between -0\.5 and 0\.5"),
        (lambda: F.adjust_gamma(picture(), -1), ValueError, "at least 0"),
        (lambda: F.adjust_contrast(tg.zeros(2, 4, 4), 1), TypeError, "2 channels; expected 1 or 3"),
        (lambda: F.rgb_to_grayscale(picture(), 2), ValueError, "expected 1 or 3"),
        (lambda: F.gaussian_blur(picture(), 4), ValueError, "odd positive"),
        (lambda: F.gaussian_blur(picture(), 3, -1), ValueError, "must be positive"),
        (lambda: F.gaussian_blur(tg.zeros(1, 3, 3), 7), ValueError, "too large"),
        (lambda: F.five_crop(picture(), 100), ValueError, "larger than the image"),
        (lambda: F.erase(picture(), 0, 0, 1, 1, tg.zeros(1)), TypeError, "expected a tensor"),
        (lambda: F.convert_image_dtype(picture()), TypeError, "expected a tensor"),
        (lambda: F.convert_image_dtype(tg.zeros(2), np.int64), RuntimeError, "cannot hold every number"),
        (lambda: transforms.Lambda(3), TypeError, "expected a function"),
        (lambda: transforms.RandomOrder(3), TypeError, "expected a sequence"),
        (lambda: transforms.RandomChoice([abs], p=[1, 2]), TypeError, "expected 1 numbers"),
        (lambda: transforms.RandomCrop(100)(picture()), ValueError, "larger than the image"),
        (lambda: transforms.RandomRotation(-3), ValueError, "at least 0"),
        (lambda: transforms.RandomRotation((1, 2, 3)), ValueError, "expected 2 numbers"),
        (lambda: transforms.RandomAffine(3, translate=(0.1, 2)), ValueError, "between 0 and 1"),
        (lambda: transforms.RandomAffine(3, scale=(0, 2)), ValueError, "positive"),
        (lambda: transforms.RandomAffine(3, scale=2), TypeError, "two numbers"),
        (lambda: transforms.RandomAffine(3, shear=(1, 2, 3)), ValueError, "expected 2 or 4 numbers"),
        (lambda: transforms.RandomAffine(3, center=(1,)), ValueError, r"\(x, y\)"),
        (lambda: transforms.Pad("a"), TypeError, "padding"),
        (lambda: transforms.CenterCrop((1, 2, 3)), ValueError, "expected an integer"),
        (lambda: transforms.CenterCrop(2.5), TypeError, "expected an integer"),
        (lambda: transforms.Resize((1, 2, 3)), ValueError, "expected an integer"),
        (lambda: transforms.ColorJitter(-1), ValueError, "at least 0"),
        (lambda: transforms.ColorJitter(hue=0.7), ValueError, "within"),
        (lambda: transforms.ColorJitter("a"), TypeError, "expected a number"),
        (lambda: transforms.GaussianBlur(2), ValueError, "odd"),
        (lambda: transforms.RandomErasing(2), ValueError, "a probability"),
        (lambda: transforms.RandomErasing(value="x"), ValueError, "'random'"),
        (lambda: transforms.RandomErasing(1)(picture()), TypeError, "expected a tensor"),
        (lambda: transforms.RandomErasing(1, value=(1, 2))(tg.zeros(3, 4, 4)), ValueError, "2 values"),
    ],
)
def test_wrong_arguments_are_explained(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_normalising_is_per_channel_and_gives_gradients():
    x = tg.rand(2, 3, 4, 5, requires_grad=True)
    mean, std = [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]
    y = transforms.Normalize(mean, std)(x)
    for k in range(3):
        assert np.allclose(y.detach().numpy()[:, k], (x.detach().numpy()[:, k] - mean[k]) / std[k])
    y.sum().backward()
    assert np.allclose(x.grad.numpy()[:, 1], 1 / 0.6)
    z = tg.ones(1, 2, 2)
    assert transforms.Normalize((1,), (2,), inplace=True)(z) is z
    assert z.sum().item() == 0


def test_white_stays_white_in_another_dtype():
    byte = tg.Tensor(np.array([[0, 128, 255]], np.uint8))
    assert np.allclose(transforms.ConvertImageDtype(np.float32)(byte).numpy(), [[0, 128 / 255, 1]])
    assert F.convert_image_dtype(tg.Tensor([[0.0, 0.5, 1.0]]), np.uint8).tolist() == [[0, 127, 255]]
    assert F.convert_image_dtype(byte, np.int16).tolist() == [[0, 128 * 128, 255 * 128]]
    assert F.convert_image_dtype(F.convert_image_dtype(byte, np.int32), np.uint8).tolist() == byte.tolist()
    assert F.convert_image_dtype(byte, np.uint8) is byte


# ---- the same of tensors as of Pillow's images -----------------------------------------------------------------------


def close(transform, image, tolerance, share=1.0):
    """What a transform makes of an image and of its tensor differs by at most so many of 255 steps."""
    ours, theirs = transform(F.pil_to_tensor(image)), F.pil_to_tensor(transform(image))
    assert ours.shape == theirs.shape
    assert ours.dtype == np.uint8
    difference = np.abs(ours.numpy().astype(int) - theirs.numpy().astype(int))
    assert np.mean(difference <= tolerance) >= share, difference.max()


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([BILINEAR, BICUBIC]))
def test_resizing(height, width, mode):
    close(transforms.Resize((height, width), mode), picture(), 1)


def test_the_shorter_side_can_be_said():
    image = picture(9, 12)
    assert transforms.Resize(6)(image).size == (8, 6)
    assert transforms.Resize([6])(F.to_tensor(image)).shape == (3, 6, 8)
    assert transforms.Resize(18, max_size=20)(image).size == (20, 15)
    assert transforms.Resize((9, 12))(image) is image
    assert F.resize(tg.arange(4).reshape(1, 1, 4), (1, 2), NEAREST).tolist() == [[[0, 2]]]


@given(st.integers(-2, 8), st.integers(-2, 8), st.integers(1, 12), st.integers(1, 12))
def test_cutting(top, left, height, width):
    close(lambda img: F.crop(img, top, left, height, width), picture(7, 6), 0)
    close(transforms.CenterCrop((height, width)), picture(7, 6), 0)


@given(
    st.lists(st.integers(0, 4), min_size=4, max_size=4), st.sampled_from(["constant", "edge", "reflect", "symmetric"])
)
def test_padding(widths, mode):
    close(transforms.Pad(widths, fill=7, padding_mode=mode), picture(6, 7), 0)
    close(transforms.Pad(widths[:2], 0, mode), picture(6, 7, "L"), 0)


def test_corners_and_the_middle():
    x = tg.arange(30).reshape(1, 5, 6)
    crops = transforms.FiveCrop((1, 2))(x)
    assert [c.flatten().tolist() for c in crops] == [[0, 1], [4, 5], [24, 25], [28, 29], [14, 15]]
    flipped = transforms.TenCrop(2)(x)
    assert len(flipped) == 10
    assert flipped[5].tolist() == [[[5, 4], [11, 10]]]


@pytest.mark.parametrize("mode", [NEAREST, BILINEAR])
@pytest.mark.parametrize("fill", [0, 90, (10, 20, 30)])
def test_turning_and_bending(mode, fill):
    image = picture(20, 24)
    share = 0.95 if mode is NEAREST else 0.85  # Pillow does not blend the border with the filling, PyTorch does
    close(lambda img: F.rotate(img, 30, mode, fill=fill), image, 2, share)
    close(lambda img: F.rotate(img, -75, mode, expand=True, fill=fill), image, 2, share)
    close(lambda img: F.rotate(img, 20, mode, center=(3, 4), fill=fill), image, 2, share)
    close(lambda img: F.affine(img, 15, (3, -2), 0.8, (10, -5), mode, fill), image, 2, share)
    ends = [[1, 2], [22, 0], [20, 18], [2, 19]]
    starts = [[0, 0], [23, 0], [23, 19], [0, 19]]
    close(lambda img: F.perspective(img, starts, ends, mode, fill), image, 4, share)


def test_a_quarter_turn_is_exact():
    image = picture(8, 8)
    for degrees, turns in ((90, 1), (180, 2), (270, 3)):
        turned = F.rotate(F.pil_to_tensor(image), degrees)
        assert np.array_equal(turned.numpy(), np.rot90(F.pil_to_tensor(image).numpy(), turns, (1, 2)))


def test_a_move_is_a_shift():
    x = tg.arange(12).reshape(1, 3, 4)
    assert F.affine(x, 0, (1, 1), 1.0, 0).tolist() == [[[0, 0, 0, 0], [0, 0, 1, 2], [0, 4, 5, 6]]]
    assert F.hflip(x).tolist() == [[[3, 2, 1, 0], [7, 6, 5, 4], [11, 10, 9, 8]]]
    close(F.hflip, picture(), 0)
    close(F.vflip, picture(), 0)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.7])
def test_colours(factor):
    image = picture()
    for change in (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation):
        close(lambda img, change=change: change(img, factor), image, 2)
        close(lambda img, change=change: change(img, factor), picture(mode="L"), 2)
    close(lambda img: F.adjust_gamma(img, factor, 0.9), image, 1)
    close(lambda img: F.rgb_to_grayscale(img, 1 if factor < 1 else 3), image, 1)
    close(F.invert, image, 0)
    close(lambda img: F.solarize(img, 100), image, 0)


@given(st.floats(-0.5, 0.5))
def test_hues(factor):
    x = tg.rand(3, 2, 2, dtype=np.float64)
    turned = F.adjust_hue(x, factor).numpy().reshape(3, -1).T
    for before, after in zip(x.numpy().reshape(3, -1).T, turned, strict=True):
        h, s, v = colorsys.rgb_to_hsv(*before)
        assert np.allclose(colorsys.hsv_to_rgb((h + factor) % 1, s, v), after)
    close(lambda img: F.adjust_hue(img, factor), picture(), 14)  # Pillow keeps hues as bytes


def test_blurring_is_a_weighted_mean():
    x = tg.rand(1, 6, 7, dtype=np.float64)
    weights = np.exp(-0.5 * (np.arange(-1, 2) / 0.8) ** 2)
    weights /= weights.sum()
    padded = np.pad(x.numpy()[0], 1, mode="reflect")
    expected = sum(weights[i] * weights[j] * padded[i : i + 6, j : j + 7] for i in range(3) for j in range(3))
    assert np.allclose(F.gaussian_blur(x, 3, 0.8).numpy()[0], expected)
    close(lambda img: F.gaussian_blur(img, [3, 5], [0.5, 1.0]), picture(), 0)


def test_gradients_flow_through_tensors():
    x = tg.rand(1, 6, 6, requires_grad=True)
    y = F.rotate(F.resize(F.pad(F.hflip(x), 1), 5), 10, BILINEAR)
    F.normalize(y, 0.5, 2.0).sum().backward()
    assert np.abs(x.grad.numpy()).sum() > 0


# ---- at random -----------------------------------------------------------------------------------------------------

RANDOM = [
    transforms.RandomCrop(5),
    transforms.RandomCrop(14, padding=1, pad_if_needed=True),
    transforms.RandomResizedCrop(8),
    transforms.RandomHorizontalFlip(),
    transforms.RandomVerticalFlip(),
    transforms.RandomRotation(30),
    transforms.RandomAffine(20, (0.2, 0.2), (0.7, 1.3), (-10, 10, -5, 5)),
    transforms.RandomPerspective(),
    transforms.RandomGrayscale(0.5),
    transforms.ColorJitter(0.5, 0.5, 0.5, 0.2),
    transforms.GaussianBlur(3),
    transforms.RandomInvert(),
    transforms.RandomSolarize(100),
    transforms.RandomApply([transforms.RandomCrop(5)]),
    transforms.RandomChoice([transforms.CenterCrop(4), transforms.CenterCrop(6)]),
    transforms.RandomOrder([transforms.RandomHorizontalFlip(), transforms.RandomRotation(9)]),
]


@pytest.mark.parametrize("transform", RANDOM, ids=lambda t: type(t).__name__)
def test_the_seed_decides_what_is_drawn(transform):
    def draws(image, seed):
        tg.manual_seed(seed)
        return [transform(image) for _ in range(8)]

    for image in (picture(), F.pil_to_tensor(picture())):
        first, again, other = (draws(image, seed) for seed in (1, 1, 2))
        assert all(np.array_equal(array(a), array(b)) for a, b in zip(first, again, strict=True))
        assert not all(np.array_equal(array(a), array(b)) for a, b in zip(first, other, strict=True))


def test_chances():
    tg.manual_seed(0)
    x = tg.arange(2).reshape(1, 1, 2)
    flips = sum(transforms.RandomHorizontalFlip(0.3)(x).tolist() != x.tolist() for _ in range(2000))
    assert abs(flips - 600) < 5 * (2000 * 0.3 * 0.7) ** 0.5
    choice = transforms.RandomChoice([lambda _: 0, lambda _: 1], p=[1, 3])
    assert abs(sum(choice(0) for _ in range(2000)) - 1500) < 5 * (2000 * 0.25 * 0.75) ** 0.5
    assert {transforms.RandomApply([lambda _: 1], p=p)(0) for p in (0.0, 1.0)} == {0, 1}


def test_erasing_writes_a_rectangle():
    x = tg.ones(3, 20, 20)
    for value, expected in ((0, {0.0}), ((1, 2, 3), {1.0, 2.0, 3.0}), ("random", None)):
        tg.manual_seed(3)
        out = transforms.RandomErasing(1, value=value)(x)
        changed = out.numpy() != 1 if value != (1, 2, 3) else np.repeat(out.numpy()[1:2] != 1, 3, 0)
        rows, columns = np.flatnonzero(changed[2].any(1)), np.flatnonzero(changed[2].any(0))
        assert changed[2][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert 0.01 < changed[2].mean() < 0.4
        if expected is not None:
            assert set(out.numpy()[changed].tolist()) == expected
    assert x.numpy().min() == 1
    assert transforms.RandomErasing(1, inplace=True)(x) is x
    assert x.numpy().min() == 0


def test_transforms_are_composed():
    both = transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: x * 2)])
    assert np.allclose(both(picture()).numpy(), 2 * F.to_tensor(picture()).numpy())
    net = nn.Sequential(transforms.CenterCrop(4), transforms.Normalize((0.5,), (0.5,)))
    assert tuple(net(tg.rand(1, 8, 8)).shape) == (1, 4, 4)
    matrix = tg.Tensor(np.eye(4, dtype=np.float32)[::-1].copy())
    assert transforms.LinearTransformation(matrix, tg.ones(4))(tg.arange(4).reshape(1, 2, 2)).tolist() == [
        [[2.0, 1.0], [0.0, -1.0]]
    ]


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (
            transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]),
            "Compose(\n    ToTensor()\n    Normalize(mean=(0.1307,), std=(0.3081,))\n)",
        ),
        (transforms.Resize(32), "Resize(size=32, interpolation=bilinear, max_size=None, antialias=True)"),
        (transforms.CenterCrop(4), "CenterCrop(size=(4, 4))"),
        (transforms.Pad(2), "Pad(padding=2, fill=0, padding_mode=constant)"),
        (transforms.RandomCrop(32, 4), "RandomCrop(size=(32, 32), padding=4)"),
        (
            transforms.RandomResizedCrop(8),
            "RandomResizedCrop(size=(8, 8), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, "
            "antialias=True)",
        ),
        (transforms.RandomHorizontalFlip(), "RandomHorizontalFlip(p=0.5)"),
        (
            transforms.RandomRotation(10),
            "RandomRotation(degrees=[-10.0, 10.0], interpolation=nearest, expand=False, fill=0)",
        ),
        (
            transforms.RandomAffine(10, translate=(0.1, 0.1), interpolation=BILINEAR),
            "RandomAffine(degrees=[-10.0, 10.0], translate=(0.1, 0.1), interpolation=bilinear)",
        ),
        (transforms.Lambda(abs), "Lambda()"),
        (transforms.Grayscale(), "Grayscale(num_output_channels=1)"),
        (transforms.ToPILImage(), "ToPILImage()"),
        (transforms.ColorJitter(0.5), "ColorJitter(brightness=[0.5, 1.5], contrast=None, saturation=None, hue=None)"),
        (transforms.RandomApply([transforms.ToTensor()]), "RandomApply(\n    p=0.5\n    ToTensor()\n)"),
        (transforms.RandomChoice([transforms.ToTensor()]), "RandomChoice(\n    ToTensor()\n)(p=None)"),
        (
            transforms.RandomErasing(),
            "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)",
        ),
        (transforms.ConvertImageDtype(tg.float32), "ConvertImageDtype()"),
        (transforms.GaussianBlur(3), "GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))"),
    ],
)
def test_reprs_are_torchvisions(transform, text):
    assert repr(transform) == text
