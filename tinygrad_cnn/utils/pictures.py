"""Picture files of others, read with Pillow: of a few formats, regular files, and not of more pixels than a limit."""

from typing import Any

from tinygrad_cnn.utils.reading import LIMITS, FileError, Limits, Path_, opened

FORMATS = "PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"
"""What Pillow may take a file for; its other readers are never asked."""


def read_picture(path: Path_, mode: str, upright: bool = False, limits: Limits = LIMITS) -> Any:
    """A picture as an image of Pillow's in this mode, on request turned as its EXIF data say.

    Raises
    ------
    OSError
        If the file cannot be opened.
    FileError
        If it is no picture of one of the formats, damaged, no regular file, or has more pixels than the limit.
    """
    import PIL.Image
    import PIL.ImageOps

    with opened(path, limits) as file:
        try:
            with PIL.Image.open(file, formats=FORMATS) as picture:
                if picture.width * picture.height > limits.pixels:
                    size, most = f"{picture.width}×{picture.height}", limits.pixels
                    raise FileError(f"{size} pixels; at most {most:,} are read (limits.pixels)")
                turned = PIL.ImageOps.exif_transpose(picture) if upright else picture
                return turned.convert(mode)
        except FileError:
            raise
        except PIL.UnidentifiedImageError:
            raise FileError(f"cannot be read as a picture of the formats {', '.join(FORMATS)}") from None
        except Exception as error:  # of a damaged file Pillow's readers raise anything
            raise FileError(f"cannot be read as a picture ({str(error)[:200] or type(error).__name__})") from None
