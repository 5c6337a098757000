"""Any picture of a digit as MNIST would have it: white on black, in a 20×20 box, its centre of mass in the middle."""

import importlib.util
from pathlib import Path

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.utils.pictures import read_picture
from tinygrad_cnn.utils.reading import LIMITS, FileError, Limits, refusing

PILLOW = importlib.util.find_spec("PIL") is not None
"""Whether Pillow is installed; it is imported when a picture is read."""
BOX, SIDE = 20, 28
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"}


class ImageError(FileError):
    """A picture cannot be read, or has nothing in it."""


def read_digit(path: str | Path, limits: Limits = LIMITS) -> NDArray:
    """A picture file as (28,28) uint8; ImageError if it cannot be read or is blank."""
    return as_mnist(read_grey(path, limits), str(path))


def read_grey(path: str | Path, limits: Limits = LIMITS) -> NDArray:
    """A picture file as grey (H,W), upright as its EXIF data say, on white where it is transparent."""
    if not PILLOW:
        raise ImageError("reading pictures needs Pillow; install it with pip install 'tinygrad-cnn[cli]'")
    import PIL.Image

    with refusing(ImageError, str(path)):
        try:
            picture = read_picture(path, "RGBA", upright=True, limits=limits)
        except OSError as error:
            raise ImageError(f"{path}: cannot be read as a picture ({error.strerror or error})") from None
        flat = PIL.Image.new("RGBA", picture.size, "white")
        flat.alpha_composite(picture)
        return np.asarray(flat.convert("L"), dtype=np.float64)


def pictures_in(folder: str | Path) -> list[Path]:
    """The picture files of a folder, by name; ImageError if there is none."""
    try:
        found = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    except OSError as error:
        raise ImageError(f"{folder}: cannot be read ({error.strerror or error})") from None
    if not found:
        raise ImageError(f"{folder}: a folder without pictures ({', '.join(sorted(SUFFIXES))})")
    return found


def as_mnist(grey: NDArray, name: str = "picture") -> NDArray:
    """A grey picture (H,W), whatever its background, as (28,28) uint8."""
    import PIL.Image

    if not grey.size or not np.isfinite(grey).all():
        raise ImageError(f"{name}: has no pixels, or pixels that are no numbers")
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = np.abs(grey - np.median(border))
    strongest = ink.max()
    if strongest < 16:
        raise ImageError(f"{name}: has no digit in it (all pixels are like its border)")
    ink = np.where(ink < 0.15 * strongest, 0, ink) * (255 / strongest)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    digit = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(digit.shape)
    height, width = (max(1, round(n * scale)) for n in digit.shape)
    picture = PIL.Image.fromarray(digit.astype(np.uint8)).resize((width, height), PIL.Image.Resampling.LANCZOS)
    small = np.asarray(picture, dtype=np.float64)
    middle = (SIDE - 1) / 2
    top = round(middle - float(np.average(np.arange(height), weights=small.sum(axis=1))))
    left = round(middle - float(np.average(np.arange(width), weights=small.sum(axis=0))))
    top, left = min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
    out = np.zeros((SIDE, SIDE), np.uint8)
    out[top : top + height, left : left + width] = small
    return out
