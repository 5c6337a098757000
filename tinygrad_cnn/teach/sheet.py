"""`sheet`: many images as one picture with their names, for files such as ``maps.png``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.tensor import Tensor

__all__ = ["sheet"]

PAPER, INK, GAP, TEXT = (250, 249, 246), (28, 32, 36), 6, 13


def sheet(
    images: Any,
    names: Sequence[str] = (),
    *,
    columns: int = 8,
    rows: Sequence[str] = (),
    title: str = "",
    zoom: int = 3,
    value_range: tuple[float, float] | None = None,
) -> Any:
    """Grey images in rows, each with its name below, each row with its name before it: a Pillow image.

    Parameters
    ----------
    images : (H, W) each, or (1, H, W); a sequence, or a tensor (N, H, W) or (N, 1, H, W)
    names : below the images
    rows : before the rows
    title : above all
    zoom : so many pixels of the picture for one of an image
    value_range : what is black and what is white; by default of each image its least and its greatest number

    Examples
    --------
    >>> import numpy as np
    >>> sheet(np.zeros((3, 8, 8)), ["a", "b", "c"], title="three", columns=3).size[0] >= 3 * 24
    True
    """
    planes = [_plane(image) for image in images]
    if not planes:
        raise ArgumentError("sheet: there are no images")
    try:
        drawing, fonts, pictures = (import_module(f"PIL.{name}") for name in ("ImageDraw", "ImageFont", "Image"))
    except ImportError as error:
        raise ImportError("sheet: Pillow is not installed; run: pip install 'tinygrad-cnn[cli]'") from error
    font = fonts.load_default(size=TEXT)
    columns = min(columns, len(planes))
    down = -(-len(planes) // columns)
    high, wide = (max(p.shape[axis] for p in planes) * zoom for axis in (0, 1))
    wide = max([wide, *(int(font.getlength(name)) for name in names)])
    left = max([0, *(int(font.getlength(name)) + GAP for name in rows)]) + GAP
    under = TEXT + 6 if names else 0
    top = TEXT + 2 * GAP if title else GAP
    width = max(left + columns * (wide + GAP), int(font.getlength(title)) + 2 * GAP)
    picture = pictures.new("RGB", (width, top + down * (high + under + GAP)), PAPER)
    draw = drawing.Draw(picture)
    draw.text((GAP, GAP - 2), title, INK, font=font)
    for k, plane in enumerate(planes):
        x, y = left + k % columns * (wide + GAP), top + k // columns * (high + under + GAP)
        small = pictures.fromarray(_grey(plane, value_range))
        small = small.resize((plane.shape[1] * zoom, plane.shape[0] * zoom), pictures.Resampling.NEAREST)
        picture.paste(small, (x, y))
        if k < len(names):
            draw.text((x, y + high + 2), names[k], INK, font=font)
        if k % columns == 0 and k // columns < len(rows):
            draw.text((GAP, y + high // 2 - TEXT // 2), rows[k // columns], INK, font=font)
    return picture


def _plane(image: Any) -> NDArray:
    plane = np.asarray(image.detach().numpy() if isinstance(image, Tensor) else image)
    plane = plane[0] if plane.ndim == 3 and len(plane) == 1 else plane
    if plane.ndim != 2:
        raise ArgumentError(f"sheet: an image has shape {plane.shape}; expected (H, W) or (1, H, W)")
    return plane


def _grey(plane: NDArray, value_range: tuple[float, float] | None) -> NDArray:
    low, high = (plane.min(), plane.max()) if value_range is None else value_range
    share = np.clip((plane.astype(np.float64) - low) / ((high - low) or 1.0), 0, 1)
    return np.asarray(np.rint(255 * share), np.uint8)
