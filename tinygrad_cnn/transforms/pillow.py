"""Transforms of Pillow's images. Pillow is imported when first needed: it is optional."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.transforms.geometry import (
    PILLOW_MODES,
    InterpolationMode,
    source_of_affine,
    source_of_perspective,
)

if TYPE_CHECKING:
    from PIL.Image import Image as Image
else:
    Image = Any
    """``PIL.Image.Image``, which is not imported here."""


def pillow(module: str = "Image") -> Any:
    """A module of Pillow.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    """
    try:
        from PIL import Image, ImageEnhance, ImageOps
    except ImportError:
        raise ImportError("images need Pillow, which is not installed; run: pip install pillow") from None
    return {"Image": Image, "ImageEnhance": ImageEnhance, "ImageOps": ImageOps}[module]


def is_image(value: Any) -> bool:
    """Whether it is an image of Pillow's; Pillow is not imported to find out."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def channels(image: Image) -> int:
    """How many channels an image has."""
    return len(image.getbands())


def from_array(array: NDArray, mode: str | None = None) -> Image:
    """An image of an array (H, W) or (H, W, C); the mode is read off it, or said."""
    image = pillow().fromarray(np.ascontiguousarray(array))
    if mode is None or image.mode == mode:
        return image
    return pillow().frombytes(mode, image.size, image.tobytes())


def crop(image: Image, top: int, left: int, height: int, width: int) -> Image:
    """A rectangle of the image; black where it is beyond the border."""
    return image.crop((left, top, left + width, top + height))


def pad(image: Image, left: int, top: int, right: int, bottom: int, fill: Any, padding_mode: str) -> Image:
    """Pixels added around the image; negative numbers cut, where the filling is constant."""
    if padding_mode == "constant":
        w, h = image.size
        out = pillow().new(image.mode, (left + w + right, top + h + bottom), colour(fill, image))
        if image.mode == "P":
            out.putpalette(image.getpalette() or [])
        out.paste(image, (left, top))
        return out
    widths = [(top, bottom), (left, right)] + [(0, 0)] * (np.asarray(image).ndim - 2)
    style: Any = padding_mode
    out = from_array(np.pad(np.asarray(image), widths, mode=style), image.mode)
    if image.mode == "P":
        out.putpalette(image.getpalette() or [])
    return out


def colour(fill: Any, image: Image) -> Any:
    """A filling as Pillow takes it: one number, or one for each channel."""
    count = channels(image)
    values = list(fill) if isinstance(fill, Sequence) else [0 if fill is None else fill]
    if len(values) not in (1, count):
        raise ValueError(f"fill has {len(values)} numbers; expected 1, or {count}, one for each channel")
    if image.mode != "F":
        values = [int(value) for value in values]
    return tuple(values * (count // len(values))) if count > 1 else values[0]


def resize(image: Image, height: int, width: int, mode: InterpolationMode, antialias: bool = True) -> Image:
    """The image in another size; Pillow always smooths."""
    return image.resize((width, height), PILLOW_MODES[mode])


def affine(
    image: Image,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
    mode: InterpolationMode,
    fill: Any,
    center: Sequence[float] | None,
) -> Image:
    """The image sheared, turned, scaled and moved; its size stays."""
    w, h = image.size
    source = source_of_affine(center or (w / 2, h / 2), angle, translate, scale, shear)
    data = source[:2].reshape(-1).tolist()
    kind = pillow().Transform.AFFINE
    return image.transform(image.size, kind, data, PILLOW_MODES[mode], fillcolor=colour(fill, image))


def rotate(
    image: Image, angle: float, mode: InterpolationMode, expand: bool, center: Sequence[float] | None, fill: Any
) -> Image:
    """The image turned counter-clockwise, with `expand` in a size that holds all of it."""
    middle = None if center is None else (center[0], center[1])
    return image.rotate(angle, pillow().Resampling(PILLOW_MODES[mode]), expand, middle, fillcolor=colour(fill, image))


def perspective(image: Image, startpoints: Any, endpoints: Any, mode: InterpolationMode, fill: Any) -> Image:
    """The image seen such that the start points come to lie at the end points."""
    data = source_of_perspective(startpoints, endpoints).reshape(-1)[:8].tolist()
    kind = pillow().Transform.PERSPECTIVE
    return image.transform(image.size, kind, data, PILLOW_MODES[mode], fillcolor=colour(fill, image))


def flip(image: Image, horizontal: bool) -> Image:
    """The image mirrored."""
    sides = pillow().Transpose
    return image.transpose(sides.FLIP_LEFT_RIGHT if horizontal else sides.FLIP_TOP_BOTTOM)


def grey(image: Image, num_output_channels: int = 1) -> Image:
    """The brightness of each pixel, in one channel or in three."""
    single = image.convert("L")
    return single if num_output_channels == 1 else pillow().merge("RGB", [single] * 3)


def adjust_brightness(image: Image, factor: float) -> Image:
    """Mixed with black."""
    return pillow("ImageEnhance").Brightness(image).enhance(factor)


def adjust_contrast(image: Image, factor: float) -> Image:
    """Mixed with the mean brightness."""
    return pillow("ImageEnhance").Contrast(image).enhance(factor)


def adjust_saturation(image: Image, factor: float) -> Image:
    """Mixed with its greys."""
    return pillow("ImageEnhance").Color(image).enhance(factor)


def invert(image: Image) -> Image:
    """White where it was black."""
    return pillow("ImageOps").invert(image)


def solarize(image: Image, threshold: float) -> Image:
    """Inverted where it is as bright as the threshold, or brighter."""
    return pillow("ImageOps").solarize(image, threshold)


def adjust_hue(image: Image, factor: float) -> Image:
    """Colours turned on the colour wheel by this part of it; greys stay as they are."""
    if image.mode in {"L", "1", "I", "F"}:
        return image
    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue).astype(int) + int(factor * 255)) % 256
    return pillow().merge("HSV", (from_array(turned.astype(np.uint8)), saturation, value)).convert(image.mode)


def adjust_gamma(image: Image, gamma: float, gain: float) -> Image:
    """gain · x^gamma, of values between 0 and 1."""
    table = [min(int((255 + 1 - 1e-3) * gain * (value / 255.0) ** gamma), 255) for value in range(256)]
    return image.convert("RGB" if channels(image) > 1 else "L").point(table * (3 if channels(image) > 1 else 1))
