"""The geometry of images: where each pixel of the result comes from. Numbers and matrices, no images.

Points are (x, y) in pixels from the upper left corner of an image; the middle of the first pixel is (0.5, 0.5).
"""

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray

__all__ = ["InterpolationMode"]


class InterpolationMode(Enum):
    """How values between pixels are found; the values are torchvision's.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.InterpolationMode.BILINEAR.value
    'bilinear'
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


PILLOW_MODES = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}
"""Pillow's numbers for them."""


def interpolation_mode(value: Any) -> InterpolationMode:
    """A mode given as such or as Pillow's number."""
    if isinstance(value, InterpolationMode):
        return value
    for mode, number in PILLOW_MODES.items():
        if isinstance(value, int) and value == number:
            return mode
    raise TypeError(f"interpolation is {value!r}; expected an InterpolationMode")


# ---- sizes -----------------------------------------------------------------------------------------------


def output_size(size: Any, height: int, width: int, max_size: int | None) -> tuple[int, int]:
    """What `resize` makes of an image of this height and width: a number is the length of the shorter side."""
    if not isinstance(size, (int, Sequence)):
        raise TypeError(f"resize: size is {size!r}; expected an integer or a sequence of one or two")
    if isinstance(size, Sequence) and len(size) not in (1, 2):
        raise ValueError(f"resize: size is {size}; expected an integer or a sequence of one or two")
    if isinstance(size, Sequence) and len(size) == 2:
        if max_size is not None:
            raise ValueError(f"resize: max_size is {max_size}, but the size {size} says height and width")
        return int(size[0]), int(size[1])
    short = size if isinstance(size, int) else size[0]
    if short < 1:
        raise ValueError(f"resize: size is {size}; it must be at least 1")
    long = int(short * max(height, width) / min(height, width))
    if max_size is not None:
        if max_size <= short:
            raise ValueError(f"resize: max_size is {max_size}; it must be more than the size {short}")
        if long > max_size:
            short, long = int(max_size * short / long), max_size
    return (short, long) if height <= width else (long, short)


def margins(padding: Any) -> tuple[int, int, int, int]:
    """Padding as left, top, right, bottom."""
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if not isinstance(padding, (tuple, list)):
        raise TypeError(f"pad: padding is {padding!r}; expected an integer or a sequence")
    if len(padding) not in (1, 2, 4):
        raise ValueError(f"pad: padding has {len(padding)} numbers; expected 1, 2 or 4")
    left, top, right, bottom = (list(padding) * 4)[:4]
    return left, top, right, bottom


# ---- affine and perspective maps ---------------------------------------------------------------------------


def moved(x: float, y: float) -> NDArray:
    """The matrix that moves points."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def source_of_affine(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> NDArray:
    """The matrix from points of the result to points of the image.

    The image is sheared, turned clockwise by `angle` degrees and scaled around `center`, then moved:
    M = move(center + translate) · scale · turn(angle) · shear_y · shear_x · move(-center).
    """
    turn, shear_x, shear_y = math.radians(angle), *(math.radians(s) for s in shear)
    linear = np.eye(3)
    linear[:2, :2] = (
        scale
        * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        @ np.array([[1.0, 0.0], [-math.tan(shear_y), 1.0]])
        @ np.array([[1.0, -math.tan(shear_x)], [0.0, 1.0]])
    )
    x, y = center
    return np.linalg.inv(moved(x + translate[0], y + translate[1]) @ linear @ moved(-x, -y))


def turned_size(source: NDArray, height: int, width: int) -> tuple[int, int]:
    """The height and width that hold the whole image, turned around its middle by the inverse of `source`."""
    corners = np.array([[x, y, 1.0] for x in (-width / 2, width / 2) for y in (-height / 2, height / 2)])
    points = (corners @ np.linalg.inv(source).T)[:, :2]
    high, low = np.trunc(points.max(0) * 1e4) / 1e4, np.trunc(points.min(0) * 1e4) / 1e4  # rounding is not a pixel
    new_width, new_height = (np.ceil(high) - np.floor(low)).astype(int).tolist()
    return new_height, new_width


def source_of_perspective(startpoints: Sequence[Any], endpoints: Sequence[Any]) -> NDArray:
    """The matrix of homogeneous coordinates that takes four end points back to the four start points."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    found = np.linalg.lstsq(np.array(rows, float), np.array(wanted, float), rcond=None)[0]
    return np.append(found, 1.0).reshape(3, 3)


def source_places(source: NDArray, height: int, width: int) -> tuple[NDArray, NDArray]:
    """For each pixel of a result of this size the row and the column, not whole, of the image: (height, width) each."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    from_x, from_y, depth = np.tensordot(source, np.stack([x, y, np.ones_like(x)]), 1)
    return from_y / depth - 0.5, from_x / depth - 0.5


# ---- resampling along one dim --------------------------------------------------------------------------------


def triangle(x: NDArray) -> NDArray:
    """Linear interpolation's weight of a pixel at distance x."""
    weight: NDArray = np.clip(1 - np.abs(x), 0, 1)
    return weight


def cubic(a: float) -> Callable[[NDArray], NDArray]:
    """Cubic convolution's (Keys 1981): Pillow takes a = -0.5, PyTorch's interpolate -0.75."""

    def weight(x: NDArray) -> NDArray:
        d = np.abs(x)
        near = (a + 2) * d**3 - (a + 3) * d**2 + 1
        far = a * (d**3 - 5 * d**2 + 8 * d - 4)
        return np.where(d < 1, near, np.where(d < 2, far, 0))

    return weight


def resampling_matrix(n: int, out: int, mode: InterpolationMode, antialias: bool) -> NDArray:
    """The (out, n) matrix that makes `out` pixels of n: row k holds the weights of the pixels in pixel k.

    With `antialias`, where pixels become fewer the filter is stretched, so that each of them counts.
    """
    if mode is InterpolationMode.BILINEAR:
        weight: Callable[[NDArray], NDArray] = triangle
        reach = 1
    elif mode is InterpolationMode.BICUBIC:
        weight, reach = cubic(-0.5 if antialias else -0.75), 2
    else:
        raise ValueError(f"resize: tensors have no {mode.value} interpolation; use bilinear or bicubic, or PIL images")
    ratio = n / out
    stretch = max(ratio, 1.0) if antialias else 1.0
    middles = (np.arange(out) + 0.5) * ratio - 0.5
    border = math.ceil(reach * stretch) + 1
    places = np.arange(-border, n + border)
    weights = weight((places - middles[:, None]) / stretch)
    if antialias:  # pixels beyond the border have no weight
        inner = weights[:, border:-border]
        shares: NDArray = inner / inner.sum(1, keepdims=True)
        return shares
    matrix = np.zeros((out, n))
    np.add.at(matrix.T, np.clip(places, 0, n - 1), weights.T)  # they are those of the border
    return matrix


def blurring_matrix(n: int, kernel_size: int, sigma: float) -> NDArray:
    """The (n, n) matrix of a Gaussian filter along one dim, reflected at the borders."""
    steps = np.arange(kernel_size) - (kernel_size - 1) / 2
    bell = np.exp(-0.5 * (steps / sigma) ** 2)
    half = kernel_size // 2
    places = np.pad(np.arange(n), half, mode="reflect")
    matrix = np.zeros((n, n))
    for k, share in enumerate(bell / bell.sum()):
        np.add.at(matrix, (np.arange(n), places[k : k + n]), share)
    return matrix
