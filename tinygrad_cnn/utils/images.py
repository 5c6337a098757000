"""Many images as one, and as a file: `make_grid` and `save_image` of torchvision."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.tensor import Tensor

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """One image (3, H, W) of many, side by side, row by row.

    Parameters
    ----------
    tensor : (N, C, H, W) with C of 1 or 3, or (C, H, W), (H, W), or a sequence of images of the same size
    nrow : images in a row
    padding : pixels between them, of `pad_value`
    normalize : bring the values to [0, 1], from `value_range` or from the least and the greatest; with `scale_each`, of
        each image by itself

    Examples
    --------
    >>> make_grid(Tensor(np.zeros((5, 1, 4, 4), np.float32)), nrow=3).shape
    torch.Size([3, 14, 20])
    """
    images = as_batch(tensor)
    if normalize:
        images = normalised(images, value_range, scale_each)
    elif scale_each or value_range is not None:
        raise ArgumentError("make_grid: scale_each and value_range are for normalize=True")
    if len(images) == 1:
        return Tensor(images[0])
    columns = min(nrow, len(images))
    rows = math.ceil(len(images) / columns)
    height, width = images.shape[2] + padding, images.shape[3] + padding
    shape = images.shape[1], rows * height + padding, columns * width + padding
    grid = np.full(shape, pad_value, images.dtype)
    for k, image in enumerate(images):
        top, left = k // columns * height + padding, k % columns * width + padding
        grid[:, top : top + image.shape[1], left : left + image.shape[2]] = image
    return Tensor(grid)


def as_batch(tensor: Any) -> NDArray:
    """Images (N, 3, H, W), whatever they were given as."""
    if not isinstance(tensor, Tensor):
        if not (isinstance(tensor, Sequence) and tensor and all(isinstance(t, Tensor) for t in tensor)):
            raise TypeError(f"make_grid: expected a Tensor or a sequence of them, got {type(tensor).__name__}")
        images = np.stack([t.detach().numpy() for t in tensor])
    else:
        images = tensor.detach().numpy()
    if images.ndim == 2:
        images = images[None]
    if images.ndim == 3:
        images = images[:, None] if isinstance(tensor, Sequence) else images[None]
    if images.ndim != 4 or not len(images):
        raise ArgumentError(f"make_grid: shape {images.shape}; expected one or more images (N, C, H, W)")
    return np.repeat(images, 3, axis=1) if images.shape[1] == 1 else images


def normalised(images: NDArray, value_range: tuple[float, float] | None, scale_each: bool) -> NDArray:
    """All of them between 0 and 1, in floats: together, or each by itself."""
    floats = images.astype(images.dtype if images.dtype.kind == "f" else np.float32)
    parts = floats if scale_each else floats[None]
    return np.stack([scaled(part, value_range) for part in parts]).reshape(images.shape)


def scaled(image: NDArray, value_range: tuple[float, float] | None) -> NDArray:
    """From the range, or from the least and the greatest value, to [0, 1]; what is beyond is cut off."""
    low, high = (image.min(), image.max()) if value_range is None else value_range
    kind = image.dtype.type
    return np.asarray((np.clip(image, low, high) - kind(low)) / kind(max(float(high) - float(low), 1e-5)))


def save_image(tensor: Tensor | Sequence[Tensor], fp: Any, format: str | None = None, **kwargs: Any) -> None:
    """Write images, or several as a grid, to a file: 0 is black, 1 is white. Options are those of `make_grid`.

    The file is there whole or not at all. Needs Pillow.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "white.png"
    >>> tg.utils.save_image(tg.ones(3, 4, 4), file)
    >>> file.exists()
    True
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("save_image needs Pillow, which is not installed; run: pip install pillow") from None
    grid = make_grid(tensor, **kwargs).numpy().astype(np.float32)
    pixels = np.clip(grid * 255 + 0.5, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    content, image = io.BytesIO(), Image.fromarray(np.ascontiguousarray(pixels))
    if hasattr(fp, "write"):
        image.save(fp, format=format or "PNG")
        return
    known = Image.registered_extensions()
    kind = format or known.get(Path(fp).suffix.lower())
    if kind is None:
        raise ValueError(f"save_image: {Path(fp).name!r} does not end like a picture, such as .png; or pass format=")
    image.save(content, format=kind)
    write_atomically(fp, content.getvalue())
