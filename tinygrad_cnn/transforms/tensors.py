"""Transforms of images that are tensors (..., C, H, W) or (..., H, W), composed from ops: gradients flow through."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import as_tensor, zeros_like
from tinygrad_cnn.transforms.geometry import (
    InterpolationMode,
    blurring_matrix,
    resampling_matrix,
    source_of_affine,
    source_of_perspective,
    source_places,
    turned_size,
)

LUMA = 0.2989, 0.587, 0.114
"""How bright red, green and blue are (ITU-R 601, in torchvision's digits)."""


def check_image(name: str, x: Tensor) -> None:
    """TypeError if a tensor is no image."""
    if x.ndim < 2:
        raise TypeError(f"{name}: a tensor of shape {tuple(x.shape)} is no image; expected (..., H, W)")


def channels(x: Tensor) -> int:
    """How many channels an image has; one without a dim for them has one."""
    return 1 if x.ndim == 2 else int(x.shape[-3])


def limit(x: Tensor) -> float:
    """White: 1 for floats, the largest number for integers."""
    return 1.0 if x.dtype.kind == "f" else float(np.iinfo(x.dtype.dtype).max)


def in_floats(x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """Compute with floats what is then rounded to the image's own dtype."""
    if x.dtype.kind == "f":
        return compute(x)
    values = np.rint(compute(x.astype(np.float32)).detach().numpy())
    return Tensor(values.clip(0, limit(x)).astype(x.dtype.dtype))


# ---- cutting and adding pixels ---------------------------------------------------------------------------------


def crop(x: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """A rectangle of the image; zeros where it is beyond the border."""
    h, w = x.shape[-2:]
    inner = x[..., max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    before = min(max(-left, 0), width), min(max(-top, 0), height)
    after = width - before[0] - inner.shape[-1], height - before[1] - inner.shape[-2]
    if (top, left) >= (0, 0) and top + height <= h and left >= 0 and left + width <= w:
        return inner
    return as_tensor(ops.pad(inner, [before[0], after[0], before[1], after[1]]))


def pad(x: Tensor, left: int, top: int, right: int, bottom: int, fill: Any, padding_mode: str) -> Tensor:
    """Pixels added around the image."""
    if padding_mode == "constant":
        if isinstance(fill, (tuple, list)):
            if len(fill) != 1:
                raise ValueError(f"pad: fill is {fill}; a tensor is padded with one number")
            fill = fill[0]
        return as_tensor(ops.pad(x, [left, right, top, bottom], value=fill))
    if min(left, top, right, bottom) < 0:  # cut first, as torchvision
        h, w = x.shape[-2:]
        x = x[..., max(-top, 0) : h - max(-bottom, 0), max(-left, 0) : w - max(-right, 0)]
        left, top, right, bottom = (max(n, 0) for n in (left, top, right, bottom))
    style: Any = padding_mode
    rows = np.pad(np.arange(x.shape[-2]), (top, bottom), mode=style)
    columns = np.pad(np.arange(x.shape[-1]), (left, right), mode=style)
    return x[..., rows[:, None], columns]


def flip(x: Tensor, horizontal: bool) -> Tensor:
    """The image mirrored."""
    return x.flip(-1 if horizontal else -2)


def erase(x: Tensor, top: int, left: int, height: int, width: int, value: Tensor, inplace: bool) -> Tensor:
    """A rectangle of the image overwritten."""
    out = x if inplace else x.clone()
    out[..., top : top + height, left : left + width] = value
    return out


# ---- resampling --------------------------------------------------------------------------------------------------


def along_both(x: Tensor, rows: NDArray, columns: NDArray) -> Tensor:
    """Both dims of the image mapped by matrices: rows · x · columnsᵀ."""

    def compute(y: Tensor) -> Tensor:
        a, b = (Tensor(matrix.astype(y.dtype.dtype)) for matrix in (rows, columns.T))
        return as_tensor(a @ y @ b)

    return in_floats(x, compute)


def resize(x: Tensor, height: int, width: int, mode: InterpolationMode, antialias: bool) -> Tensor:
    """The image in another size."""
    sizes = (int(x.shape[-2]), height), (int(x.shape[-1]), width)
    if mode in (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT):
        shift = 0.5 if mode is InterpolationMode.NEAREST_EXACT else 0.0
        rows, columns = ((np.floor((np.arange(out) + shift) * (n / out))).astype(int) for n, out in sizes)
        return x[..., rows[:, None], columns]
    rows, columns = (resampling_matrix(n, out, mode, antialias) for n, out in sizes)
    return along_both(x, rows, columns)


def gaussian_blur(x: Tensor, kernel_size: Sequence[int], sigma: Sequence[float]) -> Tensor:
    """The image blurred; kernel_size and sigma are those of x and of y."""
    for n, size in zip((x.shape[-1], x.shape[-2]), kernel_size, strict=True):
        if size // 2 >= n:
            raise ValueError(f"gaussian_blur: kernel_size {list(kernel_size)} is too large for {tuple(x.shape)}")
    rows = blurring_matrix(int(x.shape[-2]), kernel_size[1], sigma[1])
    columns = blurring_matrix(int(x.shape[-1]), kernel_size[0], sigma[0])
    return along_both(x, rows, columns)


def fetch(x: Tensor, rows: NDArray, columns: NDArray, mode: InterpolationMode, fill: Any) -> Tensor:
    """The image at these places, (H, W) each and not whole; `fill` beyond the border."""
    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        raise ValueError(f"interpolation of tensors is nearest or bilinear here, not {mode.value}; use PIL images")
    if mode is InterpolationMode.NEAREST:
        return filled(*pixels(x, np.rint(rows), np.rint(columns)), fill)

    def compute(y: Tensor) -> Tensor:
        top, left = np.floor(rows), np.floor(columns)
        total, share = zeros_like(pixels(y, top, left)[0]), np.zeros(rows.shape)
        for down in (0, 1):
            for right in (0, 1):
                weight = np.abs(1 - down - (rows - top)) * np.abs(1 - right - (columns - left))
                value, inside = pixels(y, top + down, left + right)
                weight = weight * inside
                total, share = total + value * Tensor(weight.astype(y.dtype.dtype)), share + weight
        return as_tensor(total + per_channel(fill, y) * Tensor((1 - share).astype(y.dtype.dtype)))

    return in_floats(x, compute)


def pixels(x: Tensor, rows: NDArray, columns: NDArray) -> tuple[Tensor, NDArray]:
    """The pixels at these whole places, and which of the places are inside the image."""
    h, w = x.shape[-2:]
    inside = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
    return x[..., np.clip(rows, 0, h - 1).astype(int), np.clip(columns, 0, w - 1).astype(int)], inside


def filled(x: Tensor, inside: NDArray, fill: Any) -> Tensor:
    """The image where `inside` holds, elsewhere the filling."""
    return as_tensor(ops.where(inside, x, per_channel(fill, x)))


def per_channel(fill: Any, x: Tensor) -> Tensor:
    """A number, or one for each channel, that broadcasts with the image."""
    values = np.atleast_1d(np.asarray(0 if fill is None else fill)).astype(x.dtype.dtype)
    if values.size not in (1, channels(x)):
        raise ValueError(f"fill has {values.size} numbers; expected 1, or {channels(x)}, one for each channel")
    return Tensor(values[:, None, None] if values.size > 1 else values.reshape(()))


def affine(
    x: Tensor,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
    mode: InterpolationMode,
    fill: Any,
    center: Sequence[float] | None,
) -> Tensor:
    """The image sheared, turned, scaled and moved; its size stays."""
    h, w = (int(n) for n in x.shape[-2:])
    source = source_of_affine(center or (w / 2, h / 2), angle, translate, scale, shear)
    return fetch(x, *source_places(source, h, w), mode, fill)


def rotate(
    x: Tensor, angle: float, mode: InterpolationMode, expand: bool, center: Sequence[float] | None, fill: Any
) -> Tensor:
    """The image turned counter-clockwise, with `expand` in a size that holds all of it."""
    h, w = (int(n) for n in x.shape[-2:])
    if not expand:
        return affine(x, -angle, (0, 0), 1.0, (0, 0), mode, fill, center)
    source = source_of_affine((0, 0), -angle, (0, 0), 1.0, (0, 0))
    height, width = turned_size(source, h, w)
    source = source_of_affine((0, 0), -angle, (width / 2, height / 2), 1.0, (0, 0))
    rows, columns = source_places(source, height, width)
    return fetch(x, rows + h / 2, columns + w / 2, mode, fill)


def perspective(x: Tensor, startpoints: Any, endpoints: Any, mode: InterpolationMode, fill: Any) -> Tensor:
    """The image seen such that the start points come to lie at the end points."""
    h, w = (int(n) for n in x.shape[-2:])
    return fetch(x, *source_places(source_of_perspective(startpoints, endpoints), h, w), mode, fill)


# ---- colours -------------------------------------------------------------------------------------------------------


def check_colours(name: str, x: Tensor, allowed: tuple[int, ...] = (1, 3)) -> None:
    """TypeError if the image has another number of channels."""
    if channels(x) not in allowed:
        wanted = " or ".join(str(n) for n in allowed)
        raise TypeError(f"{name}: an image of {channels(x)} channels; expected {wanted}")


def blend(x: Tensor, other: Tensor, factor: float) -> Tensor:
    """factor · x + (1 - factor) · other, kept between black and white; whole numbers are cut, not rounded."""
    mixed = (x.astype(np.float32) if x.dtype.kind != "f" else x) * factor + other * (1.0 - factor)
    return mixed.clamp(0, limit(x)).astype(x.dtype)


def grey(x: Tensor, num_output_channels: int = 1) -> Tensor:
    """The brightness of each pixel, in one channel or in three."""
    check_colours("rgb_to_grayscale", x)
    if channels(x) == 3:
        red, green, blue = (x[..., k : k + 1, :, :] for k in range(3))
        x = (red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]).astype(x.dtype)
    return as_tensor(ops.cat([x] * 3, -3)) if num_output_channels == 3 else x.clone()


def adjust_brightness(x: Tensor, factor: float) -> Tensor:
    """Mixed with black."""
    check_colours("adjust_brightness", x)
    return blend(x, zeros_like(x), factor)


def adjust_contrast(x: Tensor, factor: float) -> Tensor:
    """Mixed with the mean brightness."""
    check_colours("adjust_contrast", x)
    brightness = grey(x) if channels(x) == 3 else x
    if x.dtype.kind != "f":
        brightness = brightness.astype(np.float32)
    return blend(x, brightness.mean((-3, -2, -1) if x.ndim > 2 else (-2, -1), keepdim=True), factor)


def adjust_saturation(x: Tensor, factor: float) -> Tensor:
    """Mixed with its greys."""
    check_colours("adjust_saturation", x)
    return x if channels(x) == 1 else blend(x, grey(x), factor)


def adjust_gamma(x: Tensor, gamma: float, gain: float) -> Tensor:
    """gain · x^gamma, of values between 0 and 1."""

    def compute(y: Tensor) -> Tensor:
        white = limit(x)
        return (gain * (y / white) ** gamma).clamp(0, 1) * white

    return in_floats(x, compute)


def adjust_hue(x: Tensor, factor: float) -> Tensor:
    """Colours turned on the colour wheel by this part of it; greys stay as they are."""
    check_colours("adjust_hue", x)
    if channels(x) == 1:
        return x
    values = np.asarray(x.detach().numpy(), dtype=np.float64) / limit(x)
    hue, saturation, value = np.moveaxis(hsv_of_rgb(np.moveaxis(values, -3, 0)), 0, 0)
    turned = rgb_of_hsv(np.stack([(hue + factor) % 1.0, saturation, value])) * limit(x)
    out = np.moveaxis(turned, 0, -3)
    return Tensor((out if x.dtype.kind == "f" else np.rint(out)).astype(x.dtype.dtype))


def hsv_of_rgb(rgb: NDArray) -> NDArray:
    """Hue, saturation and value, (3, ...), of red, green and blue (Smith 1978)."""
    high, low = rgb.max(0), rgb.min(0)
    span = high - low
    safe = np.where(span == 0, 1, span)
    red, green, blue = (high - rgb) / safe
    hue = np.select([rgb[0] == high, rgb[1] == high], [blue - green, 2 + red - blue], 4 + green - red)
    return np.stack([np.where(span == 0, 0, hue / 6 % 1.0), span / np.where(high == 0, 1, high), high])


def rgb_of_hsv(hsv: NDArray) -> NDArray:
    """Red, green and blue, (3, ...), of hue, saturation and value."""
    hue, saturation, value = hsv
    k = (np.array([5.0, 3.0, 1.0]).reshape(3, *[1] * hue.ndim) + 6 * hue) % 6
    rgb: NDArray = value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1)
    return rgb


def invert(x: Tensor) -> Tensor:
    """White where it was black."""
    return (limit(x) - x.astype(np.float64 if x.dtype.kind != "f" else x.dtype)).astype(x.dtype)


def solarize(x: Tensor, threshold: float) -> Tensor:
    """Inverted where it is as bright as the threshold, or brighter."""
    return as_tensor(ops.where(x.detach().numpy() >= threshold, invert(x), x))
