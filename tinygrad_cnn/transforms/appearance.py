"""Transforms of the colours and values of an image, its shape staying: greys, jitter, blur, erasing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import randperm
from tinygrad_cnn.transforms import functional as F
from tinygrad_cnn.transforms.compose import happens, uniform, whole
from tinygrad_cnn.transforms.geometric import check_ranges, drawn_rectangle
from tinygrad_cnn.transforms.transform import ImageTransform, Img, TensorTransform

__all__ = [
    "ColorJitter", "GaussianBlur", "Grayscale", "RandomErasing", "RandomGrayscale", "RandomInvert", "RandomSolarize",
]  # fmt: skip

Range = Sequence[float] | None


class Grayscale(ImageTransform):
    """The brightness of each pixel, in one channel or in three.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.Grayscale()(tg.ones(3, 2, 2)).shape
    torch.Size([1, 2, 2])
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Img) -> Img:
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomGrayscale(ImageTransform):
    """Without colours with probability p, in as many channels as before.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomGrayscale(p=1.0)(tg.ones(3, 2, 2)).shape
    torch.Size([3, 2, 2])
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Img) -> Img:
        count = F.get_image_num_channels(img)
        return F.rgb_to_grayscale(img, count) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class ColorJitter(ImageTransform):
    """Brightness, contrast, saturation and hue changed at random, in random order.

    Each is a range of factors, or one number d for [max(0, 1 - d), 1 + d]; for the hue [-d, d], within [-0.5, 0.5].

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.ColorJitter(brightness=0.5)(tg.ones(3, 2, 2)).shape
    torch.Size([3, 2, 2])
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = factors("brightness", brightness)
        self.contrast = factors("contrast", contrast)
        self.saturation = factors("saturation", saturation)
        self.hue = factors("hue", hue, center=0.0, bounds=(-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Range, contrast: Range, saturation: Range, hue: Range
    ) -> tuple[Tensor, float | None, float | None, float | None, float | None]:
        """The order of the four changes, and their factors, drawn."""
        order = randperm(4)
        b, c, s, h = (None if r is None else uniform(r[0], r[1]) for r in (brightness, contrast, saturation, hue))
        return order, b, c, s, h

    def forward(self, img: Img) -> Img:
        order, *drawn = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue
        for k in order.numpy().tolist():
            if (factor := drawn[k]) is not None:
                img = changes[k](img, factor)
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


def factors(name: str, value: Any, center: float = 1.0, bounds: tuple[float, float] = (0.0, float("inf"))) -> Range:
    """A range of factors around the one that changes nothing; None if there is no other in it."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"ColorJitter: {name} is {value}; a single number must be at least 0")
        low, high = center - float(value), center + float(value)
        found: Sequence[float] = [max(low, 0.0) if center else low, high]
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        found = value
    else:
        raise TypeError(f"ColorJitter: {name} is {value!r}; expected a number or (least, most)")
    if not bounds[0] <= found[0] <= found[1] <= bounds[1]:
        raise ValueError(f"ColorJitter: {name} is {value}; expected a range within {list(bounds)}")
    return None if found[0] == found[1] == center else found


class GaussianBlur(ImageTransform):
    """Blurred by a Gaussian filter whose width `sigma` is drawn from a range, or given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.GaussianBlur(3, sigma=1.0)(tg.ones(1, 4, 4)).shape
    torch.Size([1, 4, 4])
    """

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        sizes = F.pair(kernel_size)
        if any(size < 1 or size % 2 == 0 for size in sizes):
            raise ValueError(f"GaussianBlur: kernel_size is {kernel_size}; expected odd positive integers")
        if isinstance(sigma, (int, float)):
            sigma = (sigma, sigma)
        if not isinstance(sigma, Sequence):
            raise TypeError(f"GaussianBlur: sigma is {sigma!r}; expected a number or (least, most)")
        if len(sigma) != 2 or not 0 < sigma[0] <= sigma[1]:
            raise ValueError(f"GaussianBlur: sigma is {sigma}; expected a positive number or (least, most)")
        self.kernel_size, self.sigma = sizes, tuple(float(s) for s in sigma)

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """The width, drawn."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Img) -> Img:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class RandomInvert(ImageTransform):
    """White where it was black, with probability p.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomInvert(p=1.0)(tg.tensor([[[0.0, 1.0]]]))
    tensor([[[1., 0.]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Img) -> Img:
        return F.invert(img) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomSolarize(ImageTransform):
    """Inverted where it is as bright as the threshold, or brighter, with probability p.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomSolarize(0.5, p=1.0)(tg.tensor([[[0.25, 0.75]]]))
    tensor([[[0.2500, 0.2500]]])
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__()
        self.threshold, self.p = threshold, p

    def forward(self, img: Img) -> Img:
        return F.solarize(img, self.threshold) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomErasing(TensorTransform):
    """A rectangle of a tensor overwritten, with probability p (Zhong et al. 2017).

    `value` is a number, one for each channel, or "random" for normally distributed ones.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> (tg.transforms.RandomErasing(p=1.0)(tg.ones(1, 8, 8)) == 0).any()
    tensor(True)
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError(f"RandomErasing: value is {value!r}; expected a number, a sequence or 'random'")
        if isinstance(value, str) and value != "random":
            raise ValueError(f"RandomErasing: value is {value!r}; expected a number, a sequence or 'random'")
        check_ranges("RandomErasing", scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"RandomErasing: scale is {scale}; shares are between 0 and 1")
        if not 0 <= p <= 1:
            raise ValueError(f"RandomErasing: p is {p}; a probability is between 0 and 1")
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Sequence[float], ratio: Sequence[float], value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Top, left, height, width and the values, drawn; the image itself if ten rectangles did not fit."""
        c, h, w = F.get_dimensions(img)
        for _ in range(10):
            height, width = drawn_rectangle(h * w, scale, ratio, of_height=True)
            if height < h and width < w:
                if value is None:
                    new = default_generator.normal((c, height, width), np.float32)
                else:
                    new = np.array(value, np.float32)[:, None, None]
                top, left = whole(0, h - height + 1), whole(0, w - width + 1)
                return top, left, height, width, Tensor(new.astype(img.dtype.dtype))
        return 0, 0, h, w, img

    def forward(self, img: Tensor) -> Tensor:
        if not isinstance(img, Tensor):
            raise TypeError(f"RandomErasing: got {type(img).__name__}; expected a tensor; use ToTensor() before")
        if not happens(self.p):
            return img
        value = None if self.value == "random" else np.atleast_1d(self.value).tolist()
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(f"RandomErasing: {len(value)} values; expected 1, or {img.shape[-3]}, one per channel")
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
