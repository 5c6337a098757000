"""``torchvision.transforms.functional``: what each transform does, of one image, Pillow's or a tensor (..., H, W)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.dtypes import dtype_named, get_default_dtype
from tinygrad_cnn.transforms import pillow, tensors
from tinygrad_cnn.transforms.geometry import InterpolationMode, interpolation_mode, margins, output_size
from tinygrad_cnn.transforms.pillow import Image
from tinygrad_cnn.transforms.transform import Img

__all__ = [
    "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation", "affine", "center_crop",
    "convert_image_dtype", "crop", "erase", "five_crop", "gaussian_blur", "get_dimensions", "get_image_num_channels",
    "get_image_size", "hflip", "invert", "normalize", "pad", "perspective", "pil_to_tensor", "resize", "resized_crop",
    "rgb_to_grayscale", "rotate", "solarize", "ten_crop", "to_grayscale", "to_pil_image", "to_tensor", "vflip",
]  # fmt: skip

NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR
FiveImages: TypeAlias = tuple[Img, Img, Img, Img, Img]
TenImages: TypeAlias = tuple[Img, Img, Img, Img, Img, Img, Img, Img, Img, Img]
PILLOW_DTYPES = {"I": np.int32, "I;16": np.int16, "F": np.float32}
"""Of the modes whose values are not between 0 and 255."""


def kind_of(name: str, img: Any) -> Any:
    """The module that transforms this kind of image.

    Raises
    ------
    TypeError
        If it is neither a tensor (..., H, W) nor an image of Pillow's.
    """
    if isinstance(img, Tensor):
        tensors.check_image(name, img)
        return tensors
    if pillow.is_image(img):
        return pillow
    raise TypeError(f"{name}: got {type(img).__name__}; expected a PIL image or a tensor (..., H, W)")


# ---- conversions ---------------------------------------------------------------------------------------------------


def to_tensor(pic: Image | NDArray) -> Tensor:
    """An image of Pillow's, or an array (H, W) or (H, W, C), as a tensor (C, H, W); bytes become floats in [0, 1].

    Bytes become the default floating dtype, in [0, 1]; other dtypes stay.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.to_tensor(np.full((1, 2), 255, np.uint8))
    tensor([[[1., 1.]]])
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"to_tensor: an array of shape {pic.shape} is no image; expected (H, W) or (H, W, C)")
        values = pic
    elif pillow.is_image(pic):
        values = array_of(pic)
        if pic.mode == "1":
            values = values * np.uint8(255)
    else:
        raise TypeError(f"to_tensor: got {type(pic).__name__}; expected a PIL image or a NumPy array")
    values = channels_first(values)
    if values.dtype == np.uint8:
        kind = dtype_named(get_default_dtype()).dtype
        return Tensor(np.divide(values, kind.type(255), dtype=kind, order="C"))
    return Tensor(np.ascontiguousarray(values))


def array_of(pic: Image) -> NDArray:
    """The array (H, W) or (H, W, C) of an image."""
    return np.array(pic, dtype=PILLOW_DTYPES.get(pic.mode, np.uint8))


def channels_first(values: NDArray) -> NDArray:
    """(H, W) or (H, W, C) -> (C, H, W)"""
    return values[None] if values.ndim == 2 else values.transpose(2, 0, 1)


def pil_to_tensor(pic: Image) -> Tensor:
    """An image of Pillow's as a tensor (C, H, W) with the same numbers.

    Examples
    --------
    >>> from PIL import Image
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.pil_to_tensor(Image.new("L", (2, 1), 7))
    tensor([[[7, 7]]], dtype=torch.uint8)
    """
    if not pillow.is_image(pic):
        raise TypeError(f"pil_to_tensor: got {type(pic).__name__}; expected a PIL image")
    return Tensor(np.ascontiguousarray(channels_first(array_of(pic))))


def to_pil_image(pic: Tensor | NDArray, mode: str | None = None) -> Image:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as an image of Pillow's.

    Floats of a tensor are taken to be between 0 and 1, and become bytes unless the mode is "F".

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.to_pil_image(tg.ones(1, 2, 3)).size
    (3, 2)
    """
    if isinstance(pic, Tensor):
        if pic.ndim not in (2, 3):
            raise ValueError(f"to_pil_image: shape {tuple(pic.shape)}; expected (C, H, W) or (H, W)")
        values = pic.detach().numpy()
        if values.dtype.kind == "f" and mode != "F":
            values = (values * 255).astype(np.uint8)
        values = values[:, :, None] if values.ndim == 2 else values.transpose(1, 2, 0)
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"to_pil_image: shape {pic.shape}; expected (H, W, C) or (H, W)")
        values = pic[:, :, None] if pic.ndim == 2 else pic
    else:
        raise TypeError(f"to_pil_image: got {type(pic).__name__}; expected a tensor or a NumPy array")
    count = values.shape[-1]
    if count > 4:
        raise ValueError(f"to_pil_image: {count} channels; an image has at most 4")
    allowed = modes_of(count, values.dtype)
    if mode is not None and mode not in allowed:
        raise ValueError(f"to_pil_image: mode {mode!r} for {count} channels of {values.dtype}; expected {allowed}")
    return pillow.from_array(values[:, :, 0] if count == 1 else values, mode or allowed[0])


def modes_of(count: int, dtype: Any) -> tuple[str, ...]:
    """The modes an image of so many channels of this dtype can have, the usual one first."""
    if count == 1:
        single = {"uint8": "L", "int16": "I;16", "uint16": "I;16", "int32": "I", "float32": "F"}.get(str(dtype))
        if single is None:
            raise TypeError(f"to_pil_image: an image has no {dtype}; expected uint8, int16, int32 or float32")
        return (single,)
    if dtype != np.uint8:
        raise TypeError(f"to_pil_image: {count} channels of {dtype}; expected uint8")
    return {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}[count]


def convert_image_dtype(image: Tensor, dtype: Any = np.float32) -> Tensor:
    """Another dtype, white staying white: 255 of uint8 is 1.0 of a float.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.convert_image_dtype(tg.tensor([[[0, 255]]], dtype=tg.uint8), tg.float32)
    tensor([[[0., 1.]]])
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"convert_image_dtype: got {type(image).__name__}; expected a tensor")
    old, new = image.dtype, dtype_named(dtype)
    if old == new:
        return image
    if "b" in (old.kind, new.kind):
        raise TypeError(f"convert_image_dtype: from {old} to {new}; expected numbers")
    if old.kind == "f":
        if new.kind == "f":
            return image.astype(new)
        if new.itemsize >= 4 and not (old == np.float64 and new.itemsize == 4):
            raise RuntimeError(f"convert_image_dtype: {old} cannot hold every number of {new}; use float64 or int16")
        return (image * (np.iinfo(new.dtype).max + 1.0 - 1e-3)).astype(new)
    white = int(np.iinfo(old.dtype).max)
    if new.kind == "f":
        return image.astype(new) / white
    wanted = int(np.iinfo(new.dtype).max)
    if white > wanted:
        return Tensor((image.numpy() // ((white + 1) // (wanted + 1))).astype(new.dtype))
    return Tensor(image.numpy().astype(new.dtype) * ((wanted + 1) // (white + 1)))


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """(x - mean) / std, each channel of (..., C, H, W) with its own.

    Shape and dtype stay; the dtype must be floating.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.normalize(tg.tensor([[[0.5, 1.0]]]), [0.5], [0.25])
    tensor([[[0., 2.]]])
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"normalize: got {type(tensor).__name__}; expected a tensor; use ToTensor() before")
    if tensor.dtype.kind != "f":
        raise TypeError(f"normalize: dtype {tensor.dtype}; expected floats; use ToTensor() or convert_image_dtype")
    if tensor.ndim < 3:
        raise ValueError(f"normalize: shape {tuple(tensor.shape)}; expected (..., C, H, W)")
    shift, scale = per_channel("mean", mean, tensor), per_channel("std", std, tensor)
    if not scale.all():
        raise ValueError(f"normalize: std is {std}; it must not be 0")
    if inplace:
        return tensor.sub_(Tensor(shift)).div_(Tensor(scale))
    return (tensor - Tensor(shift)) / Tensor(scale)


def per_channel(name: str, values: Any, tensor: Tensor) -> NDArray:
    """Numbers of the tensor's dtype that broadcast along its channels."""
    array = np.asarray(values, dtype=tensor.dtype.dtype)
    if array.ndim > 1 or array.size not in (1, tensor.shape[-3]):
        raise ValueError(
            f"normalize: {name} is {values}; expected one number, or {tensor.shape[-3]}, one per channel of "
            f"(..., C, H, W), here {tuple(tensor.shape)}; the channels come first, as after ToTensor()"
        )
    return array.reshape(-1, 1, 1)


def get_dimensions(img: Tensor | Image) -> list[int]:
    """Channels, height and width.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.get_dimensions(tg.zeros(3, 4, 5))
    [3, 4, 5]
    """
    width, height = get_image_size(img)
    return [get_image_num_channels(img), height, width]


def get_image_size(img: Tensor | Image) -> list[int]:
    """Width and height.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.get_image_size(tg.zeros(3, 4, 5))
    [5, 4]
    """
    kind_of("get_image_size", img)
    return [int(img.shape[-1]), int(img.shape[-2])] if isinstance(img, Tensor) else list(img.size)


def get_image_num_channels(img: Tensor | Image) -> int:
    """How many channels an image has.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.get_image_num_channels(tg.zeros(3, 4, 5))
    3
    """
    return int(kind_of("get_image_num_channels", img).channels(img))


# ---- sizes and cuts ------------------------------------------------------------------------------------------------


def resize(
    img: Img, size: Any, interpolation: Any = BILINEAR, max_size: int | None = None, antialias: bool | None = True
) -> Img:
    """The image in another size: (height, width), or the length of the shorter side.

    Images of Pillow's are always smoothed where they become smaller; tensors are not if `antialias` is False.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.resize(tg.zeros(3, 4, 8), 2).shape
    torch.Size([3, 2, 4])
    """
    mode, kind = interpolation_mode(interpolation), kind_of("resize", img)
    _, h, w = get_dimensions(img)
    height, width = output_size(size, h, w, max_size)
    if (height, width) == (h, w):
        return img
    return kind.resize(img, height, width, mode, bool(antialias))


def pad(img: Img, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Img:
    """Pixels added around: left and right, top and bottom, or left, top, right, bottom.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.pad(tg.tensor([[[1.0]]]), 1)
    tensor([[[0., 0., 0.],
             [0., 1., 0.],
             [0., 0., 0.]]])
    """
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError(f"pad: padding_mode is {padding_mode!r}; expected constant, edge, reflect or symmetric")
    return kind_of("pad", img).pad(img, *margins(padding), fill, padding_mode)


def crop(img: Img, top: int, left: int, height: int, width: int) -> Img:
    """A rectangle of the image; black where it is beyond the border.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.crop(tg.arange(6.0).reshape(1, 2, 3), 0, 1, 2, 2)
    tensor([[[1., 2.],
             [4., 5.]]])
    """
    return kind_of("crop", img).crop(img, top, left, height, width)


def center_crop(img: Img, output_size: Any) -> Img:
    """The middle of the image; smaller images are padded with black.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.center_crop(tg.arange(6.0).reshape(1, 2, 3), (2, 1))
    tensor([[[1.],
             [4.]]])
    """
    height, width = pair(output_size)
    _, h, w = get_dimensions(img)
    if h < height or w < width:
        left, top = max(width - w, 0), max(height - h, 0)
        img = pad(img, [left // 2, top // 2, (left + 1) // 2, (top + 1) // 2])
        _, h, w = get_dimensions(img)
    return crop(img, round((h - height) / 2), round((w - width) / 2), height, width)


def pair(size: Any) -> tuple[int, int]:
    """Height and width: of one number, both."""
    if isinstance(size, int):
        return size, size
    if not isinstance(size, Sequence) or len(size) not in (1, 2):
        raise ValueError(f"size is {size!r}; expected an integer or (height, width)")
    return int(size[0]), int(size[-1])


def resized_crop(
    img: Img,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = BILINEAR,
    antialias: bool | None = True,
) -> Img:
    """A rectangle of the image, in another size.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.resized_crop(tg.zeros(1, 8, 8), 0, 0, 4, 4, (2, 2)).shape
    torch.Size([1, 2, 2])
    """
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def five_crop(img: Img, size: Any) -> FiveImages[Img]:
    """The four corners, and the middle.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> [part.shape for part in TF.five_crop(tg.zeros(1, 4, 4), 2)][:2]
    [torch.Size([1, 2, 2]), torch.Size([1, 2, 2])]
    """
    height, width = pair(size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        raise ValueError(f"five_crop: size {(height, width)} is larger than the image, {(h, w)}")
    corners = [(0, 0), (0, w - width), (h - height, 0), (h - height, w - width)]
    a, b, c, d = (crop(img, top, left, height, width) for top, left in corners)
    return a, b, c, d, center_crop(img, [height, width])


def ten_crop(img: Img, size: Any, vertical_flip: bool = False) -> TenImages[Img]:
    """`five_crop` of the image, and of the mirrored image.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> len(TF.ten_crop(tg.zeros(1, 4, 4), 2))
    10
    """
    mirrored: Any = vflip(img) if vertical_flip else hflip(img)
    crops: Any = (*five_crop(img, size), *five_crop(mirrored, size))
    return crops


def hflip(img: Img) -> Img:
    """Left and right exchanged.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.hflip(tg.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """
    return kind_of("hflip", img).flip(img, True)


def vflip(img: Img) -> Img:
    """Top and bottom exchanged.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.vflip(tg.tensor([[[1.0], [2.0]]]))
    tensor([[[2.],
             [1.]]])
    """
    return kind_of("vflip", img).flip(img, False)


# ---- turning and bending -------------------------------------------------------------------------------------------


def affine(
    img: Img,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Any,
    interpolation: Any = NEAREST,
    fill: Any = None,
    center: Sequence[float] | None = None,
) -> Img:
    """The image sheared, turned clockwise by `angle` degrees and scaled around `center`, then moved.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.affine(tg.tensor([[[1.0, 2.0, 3.0]]]), 0, translate=(1, 0), scale=1.0, shear=0.0)
    tensor([[[0., 1., 2.]]])
    """
    if not isinstance(angle, (int, float)):
        raise TypeError(f"affine: angle is {angle!r}; expected a number")
    if len(translate) != 2:
        raise ValueError(f"affine: translate is {translate}; expected two numbers")
    if scale <= 0:
        raise ValueError(f"affine: scale is {scale}; it must be positive")
    shears = [shear, 0.0] if isinstance(shear, (int, float)) else [*shear, 0.0][:2]
    mode = interpolation_mode(interpolation)
    return kind_of("affine", img).affine(img, angle, translate, scale, shears, mode, fill, center)


def rotate(
    img: Img,
    angle: float,
    interpolation: Any = NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Any = None,
) -> Img:
    """The image turned counter-clockwise by `angle` degrees; with `expand` in a size that holds all of it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.rotate(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 90)
    tensor([[[2., 4.],
             [1., 3.]]])
    """
    if not isinstance(angle, (int, float)):
        raise TypeError(f"rotate: angle is {angle!r}; expected a number")
    return kind_of("rotate", img).rotate(img, angle, interpolation_mode(interpolation), expand, center, fill)


def perspective(img: Img, startpoints: Any, endpoints: Any, interpolation: Any = BILINEAR, fill: Any = None) -> Img:
    """The image seen such that four start points (x, y) come to lie at four end points.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> corners = [[0, 0], [3, 0], [3, 3], [0, 3]]
    >>> TF.perspective(tg.ones(1, 4, 4), corners, corners).shape
    torch.Size([1, 4, 4])
    """
    mode = interpolation_mode(interpolation)
    return kind_of("perspective", img).perspective(img, startpoints, endpoints, mode, fill)


# ---- colours and values --------------------------------------------------------------------------------------------


def rgb_to_grayscale(img: Img, num_output_channels: int = 1) -> Img:
    """The brightness of each pixel, in one channel or in three.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.rgb_to_grayscale(tg.ones(3, 2, 2)).shape
    torch.Size([1, 2, 2])
    """
    if num_output_channels not in (1, 3):
        raise ValueError(f"rgb_to_grayscale: num_output_channels is {num_output_channels}; expected 1 or 3")
    return kind_of("rgb_to_grayscale", img).grey(img, num_output_channels)


to_grayscale = rgb_to_grayscale


def adjust_brightness(img: Img, brightness_factor: float) -> Img:
    """0 is black, 1 the image itself, 2 twice as bright.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.adjust_brightness(tg.tensor([[[0.25, 0.5]]]), 2.0)
    tensor([[[0.5000, 1.0000]]])
    """
    return _enhanced("adjust_brightness", img, brightness_factor)


def adjust_contrast(img: Img, contrast_factor: float) -> Img:
    """0 is grey, 1 the image itself.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.adjust_contrast(tg.tensor([[[0.25, 0.75]]]), 0.0)
    tensor([[[0.5000, 0.5000]]])
    """
    return _enhanced("adjust_contrast", img, contrast_factor)


def adjust_saturation(img: Img, saturation_factor: float) -> Img:
    """0 is without colours, 1 the image itself.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.adjust_saturation(tg.tensor([[[1.0]], [[0.0]], [[0.0]]]), 1.0).flatten()
    tensor([1., 0., 0.])
    """
    return _enhanced("adjust_saturation", img, saturation_factor)


def _enhanced(name: str, img: Img, factor: float) -> Img:
    kind = kind_of(name, img)
    if factor < 0:
        raise ValueError(f"{name}: the factor is {factor}; it must be at least 0")
    return getattr(kind, name)(img, factor)


def adjust_hue(img: Img, hue_factor: float) -> Img:
    """Colours turned on the colour wheel, by at most half of it either way.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.adjust_hue(tg.tensor([[[1.0]], [[0.0]], [[0.0]]]), 0.5).flatten()
    tensor([0., 1., 1.])
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"adjust_hue: hue_factor is {hue_factor}; it must be between -0.5 and 0.5")
    return kind_of("adjust_hue", img).adjust_hue(img, hue_factor)


def adjust_gamma(img: Img, gamma: float, gain: float = 1) -> Img:
    """gain · x^gamma, of values between 0 and 1.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.adjust_gamma(tg.tensor([[[0.5, 1.0]]]), 2.0)
    tensor([[[0.2500, 1.0000]]])
    """
    if gamma < 0:
        raise ValueError(f"adjust_gamma: gamma is {gamma}; it must be at least 0")
    return kind_of("adjust_gamma", img).adjust_gamma(img, gamma, gain)


def invert(img: Img) -> Img:
    """White where it was black.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.invert(tg.tensor([[[0.0, 0.75]]]))
    tensor([[[1.0000, 0.2500]]])
    """
    return kind_of("invert", img).invert(img)


def solarize(img: Img, threshold: float) -> Img:
    """Inverted where it is as bright as the threshold, or brighter.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.solarize(tg.tensor([[[0.25, 0.75]]]), 0.5)
    tensor([[[0.2500, 0.2500]]])
    """
    return kind_of("solarize", img).solarize(img, threshold)


def gaussian_blur(img: Img, kernel_size: Any, sigma: Any = None) -> Img:
    """Blurred by a Gaussian filter of so many pixels, odd numbers, in x and y; `sigma` is its width.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.gaussian_blur(tg.ones(1, 4, 4), 3).shape
    torch.Size([1, 4, 4])
    """
    kind_of("gaussian_blur", img)
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2 or any(size < 1 or size % 2 == 0 for size in sizes):
        raise ValueError(f"gaussian_blur: kernel_size is {kernel_size}; expected odd positive integers, one or two")
    widths = [0.15 * size + 0.35 for size in sizes] if sigma is None else sigma
    widths = [float(widths)] * 2 if isinstance(widths, (int, float)) else (list(widths) * 2)[:2]
    if any(width <= 0 for width in widths):
        raise ValueError(f"gaussian_blur: sigma is {sigma}; it must be positive")
    blurred: Any
    if isinstance(img, Tensor):
        blurred = tensors.gaussian_blur(img, sizes, widths)
    else:
        blurred = to_pil_image(tensors.gaussian_blur(pil_to_tensor(img), sizes, widths), img.mode)
    return blurred


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """A rectangle of a tensor, from row i and column j on, overwritten by `v`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.transforms import functional as TF
    >>> TF.erase(tg.ones(1, 2, 3), 0, 1, 2, 2, tg.tensor(0.0))
    tensor([[[1., 0., 0.],
             [1., 0., 0.]]])
    """
    if not isinstance(img, Tensor):
        raise TypeError(f"erase: got {type(img).__name__}; expected a tensor; use ToTensor() before")
    return tensors.erase(img, i, j, h, w, v, inplace)
