"""Transforms of the shape of an image: sizes, cuts, turns, all of them or at random."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn import nn
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.transforms import functional as F
from tinygrad_cnn.transforms.compose import happens, uniform, whole
from tinygrad_cnn.transforms.geometry import InterpolationMode, interpolation_mode, margins
from tinygrad_cnn.transforms.pillow import Image
from tinygrad_cnn.transforms.transform import ImageTransform, Img

__all__ = [
    "CenterCrop", "FiveCrop", "Pad", "RandomAffine", "RandomCrop", "RandomHorizontalFlip", "RandomPerspective",
    "RandomResizedCrop", "RandomRotation", "RandomVerticalFlip", "Resize", "TenCrop",
]  # fmt: skip


def check_size(name: str, size: Any) -> tuple[int, int]:
    """Height and width; TypeError or ValueError if they are not said."""
    if not isinstance(size, (int, Sequence)):
        raise TypeError(f"{name}: size is {size!r}; expected an integer or (height, width)")
    return F.pair(size)


def check_fill(name: str, fill: Any) -> Any:
    """The filling; TypeError if it is none."""
    if fill is not None and not isinstance(fill, (int, float, Sequence)):
        raise TypeError(f"{name}: fill is {fill!r}; expected a number or a sequence")
    return 0 if fill is None else fill


def check_center(name: str, center: Any) -> None:
    """TypeError or ValueError if it is no point."""
    if center is not None and not isinstance(center, Sequence):
        raise TypeError(f"{name}: center is {center!r}; expected (x, y)")
    if center is not None and len(center) != 2:
        raise ValueError(f"{name}: center is {center!r}; expected (x, y)")


def angles(name: str, what: str, value: Any, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """A range of degrees: of one number, from minus it to it."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"{name}: {what} is {value}; a single number must be at least 0")
        return [-float(value), float(value)]
    if not isinstance(value, Sequence):
        raise TypeError(f"{name}: {what} is {value!r}; expected a number or a sequence")
    if len(value) not in lengths:
        raise ValueError(f"{name}: {what} is {value}; expected {' or '.join(map(str, lengths))} numbers")
    return [float(v) for v in value]


# ---- sizes and cuts ------------------------------------------------------------------------------------------------


class Resize(ImageTransform):
    """Another size: (height, width), or the length of the shorter side.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.Resize(2)(tg.zeros(3, 4, 8)).shape
    torch.Size([3, 2, 4])
    """

    def __init__(
        self,
        size: Any,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise TypeError(f"Resize: size is {size!r}; expected an integer or (height, width)")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError(f"Resize: size is {size}; expected an integer or (height, width)")
        self.size, self.max_size, self.antialias = size, max_size, antialias
        self.interpolation = interpolation_mode(interpolation)

    def forward(self, img: Img) -> Img:
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop(ImageTransform):
    """The middle of the image.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.CenterCrop((2, 1))(tg.arange(6.0).reshape(1, 2, 3))
    tensor([[[1.],
             [4.]]])
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = check_size("CenterCrop", size)

    def forward(self, img: Img) -> Img:
        return F.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(ImageTransform):
    """Pixels added around the image; see `functional.pad`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.Pad(1)(tg.tensor([[[1.0]]]))
    tensor([[[0., 0., 0.],
             [0., 1., 0.],
             [0., 0., 0.]]])
    """

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        margins(padding)
        if not isinstance(fill, (int, float, tuple, list)):
            raise TypeError(f"Pad: fill is {fill!r}; expected a number or a sequence")
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ValueError(f"Pad: padding_mode is {padding_mode!r}; expected constant, edge, reflect or symmetric")
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img: Img) -> Img:
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class FiveCrop(nn.Module):
    """The four corners and the middle, as a tuple.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> len(tg.transforms.FiveCrop(2)(tg.zeros(1, 4, 4)))
    5
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = check_size("FiveCrop", size)

    if TYPE_CHECKING:

        def __call__(self, img: Img) -> F.FiveImages[Img]: ...  # type: ignore[override] # no Tensor comes out

    def forward(self, img: Img) -> F.FiveImages[Img]:
        return F.five_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class TenCrop(nn.Module):
    """The four corners and the middle, of the image and of the mirrored image, as a tuple.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> len(tg.transforms.TenCrop(2)(tg.zeros(1, 4, 4)))
    10
    """

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        super().__init__()
        self.size, self.vertical_flip = check_size("TenCrop", size), vertical_flip

    if TYPE_CHECKING:

        def __call__(self, img: Img) -> F.TenImages[Img]: ...  # type: ignore[override] # no Tensor comes out

    def forward(self, img: Img) -> F.TenImages[Img]:
        return F.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"


class RandomCrop(ImageTransform):
    """A rectangle of this size at a random place, after `padding` if that is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomCrop(2)(tg.zeros(1, 4, 4)).shape
    torch.Size([1, 2, 2])
    """

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = check_size("RandomCrop", size)
        self.padding, self.pad_if_needed, self.fill, self.padding_mode = padding, pad_if_needed, fill, padding_mode

    @staticmethod
    def get_params(img: Tensor | Image, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, height and width, drawn."""
        _, h, w = F.get_dimensions(img)
        height, width = output_size
        if h < height or w < width:
            raise ValueError(f"RandomCrop: size {(height, width)} is larger than the image, {(h, w)}")
        if (h, w) == (height, width):
            return 0, 0, h, w
        return whole(0, h - height + 1), whole(0, w - width + 1), height, width

    def forward(self, img: Img) -> Img:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, h, w = F.get_dimensions(img)
        if self.pad_if_needed and w < self.size[1]:
            img = F.pad(img, [self.size[1] - w, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and h < self.size[0]:
            img = F.pad(img, [0, self.size[0] - h], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


def drawn_rectangle(area: float, scale: Sequence[float], ratio: Sequence[float], of_height: bool) -> tuple[int, int]:
    """The height and width of a rectangle of a random share of an area, in a random ratio of its sides."""
    low, high = (float(np.log(np.float32(r))) for r in ratio)
    share, aspect = area * uniform(scale[0], scale[1]), float(np.exp(np.float32(uniform(low, high))))
    one, other = round(math.sqrt(share * aspect)), round(math.sqrt(share / aspect))
    return (one, other) if of_height else (other, one)


class RandomResizedCrop(ImageTransform):
    """A rectangle of a random share of the image and a random ratio of width to height, in another size.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomResizedCrop(2)(tg.zeros(1, 8, 8)).shape
    torch.Size([1, 2, 2])
    """

    def __init__(
        self,
        size: Any,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = check_size("RandomResizedCrop", size)
        check_ranges("RandomResizedCrop", scale, ratio)
        self.scale, self.ratio, self.antialias = scale, ratio, antialias
        self.interpolation = interpolation_mode(interpolation)

    @staticmethod
    def get_params(img: Tensor | Image, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Top, left, height and width, drawn; the middle of the image if ten rectangles did not fit."""
        _, h, w = F.get_dimensions(img)
        for _ in range(10):
            height, width = drawn_rectangle(h * w, scale, ratio, of_height=False)
            if 0 < width <= w and 0 < height <= h:
                return whole(0, h - height + 1), whole(0, w - width + 1), height, width
        height, width = h, w
        if w / h < min(ratio):
            height = round(w / min(ratio))
        elif w / h > max(ratio):
            width = round(h * max(ratio))
        return (h - height) // 2, (w - width) // 2, height, width

    def forward(self, img: Img) -> Img:
        rectangle = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *rectangle, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(v, 4) for v in values) for values in (self.scale, self.ratio))
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


def check_ranges(name: str, scale: Any, ratio: Any) -> None:
    """TypeError if they are no ranges, a warning if they are turned round."""
    for what, value in (("scale", scale), ("ratio", ratio)):
        if not isinstance(value, Sequence):
            raise TypeError(f"{name}: {what} is {value!r}; expected (least, most)")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn(f"{name}: scale {scale} and ratio {ratio} should be (least, most)", stacklevel=3)


# ---- turning and bending -------------------------------------------------------------------------------------------


class RandomHorizontalFlip(ImageTransform):
    """Left and right exchanged with probability p.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomHorizontalFlip(p=1.0)(tg.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Img) -> Img:
        return F.hflip(img) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(ImageTransform):
    """Top and bottom exchanged with probability p.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomVerticalFlip(p=1.0)(tg.tensor([[[1.0], [2.0]]]))
    tensor([[[2.],
             [1.]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Img) -> Img:
        return F.vflip(img) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomRotation(ImageTransform):
    """Turned counter-clockwise by a random number of degrees.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomRotation((90, 90))(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2., 4.],
             [1., 3.]]])
    """

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        check_center("RandomRotation", center)
        self.degrees = angles("RandomRotation", "degrees", degrees)
        self.interpolation, self.expand, self.center = interpolation_mode(interpolation), expand, center
        self.fill = check_fill("RandomRotation", fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """The angle, drawn."""
        return uniform(degrees[0], degrees[1])

    def forward(self, img: Img) -> Img:
        return F.rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, self.fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}, "
            f"expand={self.expand}{center}, fill={self.fill})"
        )


class RandomAffine(ImageTransform):
    """Turned, moved, scaled and sheared at random, around the middle.

    Parameters
    ----------
    degrees : a range, or one number for -degrees to degrees
    translate : at most these shares of width and height
    scale : a range of factors
    shear : a range of degrees in x, or two ranges, in x and in y

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomAffine(degrees=10, translate=(0.1, 0.1))(tg.ones(1, 4, 4)).shape
    torch.Size([1, 4, 4])
    """

    def __init__(
        self,
        degrees: Any,
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = angles("RandomAffine", "degrees", degrees)
        for what, value in (("translate", translate), ("scale", scale)):
            if value is not None and not isinstance(value, Sequence):
                raise TypeError(f"RandomAffine: {what} is {value!r}; expected two numbers")
            if value is not None and len(value) != 2:
                raise ValueError(f"RandomAffine: {what} is {value}; expected two numbers")
        if translate is not None and not all(0 <= share <= 1 for share in translate):
            raise ValueError(f"RandomAffine: translate is {translate}; shares are between 0 and 1")
        if scale is not None and min(scale) <= 0:
            raise ValueError(f"RandomAffine: scale is {scale}; factors are positive")
        check_center("RandomAffine", center)
        self.translate, self.scale, self.center = translate, scale, center
        self.shear = None if shear is None else angles("RandomAffine", "shear", shear, (2, 4))
        self.interpolation, self.fill = interpolation_mode(interpolation), check_fill("RandomAffine", fill)

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Angle, translation, scale and shears, drawn for an image of this width and height."""
        angle, moved, scale, shear = uniform(degrees[0], degrees[1]), (0, 0), 1.0, (0.0, 0.0)
        if translate is not None:
            x, y = (share * n for share, n in zip(translate, img_size, strict=True))
            moved = round(uniform(-x, x)), round(uniform(-y, y))
        if scale_ranges is not None:
            scale = uniform(scale_ranges[0], scale_ranges[1])
        if shears is not None:
            in_x = uniform(shears[0], shears[1])
            shear = in_x, uniform(shears[2], shears[3]) if len(shears) == 4 else 0.0
        return angle, moved, scale, shear

    def forward(self, img: Img) -> Img:
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, F.get_image_size(img))
        return F.affine(img, *drawn, self.interpolation, self.fill, self.center)

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        parts += [f"{k}={getattr(self, k)}" for k in ("translate", "scale", "shear") if getattr(self, k) is not None]
        if self.interpolation is not InterpolationMode.NEAREST:
            parts.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            parts.append(f"fill={self.fill}")
        if self.center is not None:
            parts.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(parts)})"


class RandomPerspective(ImageTransform):
    """Seen from a random side with probability p: corners move inwards by at most `distortion_scale` of a half.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomPerspective(p=1.0)(tg.ones(1, 8, 8)).shape
    torch.Size([1, 8, 8])
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.distortion_scale, self.p = distortion_scale, p
        self.interpolation, self.fill = interpolation_mode(interpolation), check_fill("RandomPerspective", fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """The corners of the image, and where they come to lie, drawn: (x, y), clockwise from the upper left."""
        x, y = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        left, right, top, bottom = (0, x + 1), (width - x - 1, width), (0, y + 1), (height - y - 1, height)
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        end = [[whole(*across), whole(*down)] for across, down in corners]
        return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], end

    def forward(self, img: Img) -> Img:
        _, h, w = F.get_dimensions(img)
        if not happens(self.p):
            return img
        return F.perspective(img, *self.get_params(w, h, self.distortion_scale), self.interpolation, self.fill)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"
