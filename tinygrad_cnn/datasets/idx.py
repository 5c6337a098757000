"""The IDX file format of MNIST, read strictly: nothing is believed that the file says of itself."""

from pathlib import Path

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.utils.reading import LIMITS, FileError, opened

__all__ = ["DatasetError"]

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049


class DatasetError(FileError):
    """A data file is missing, damaged, or not what it should be.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> issubclass(tg.datasets.DatasetError, Exception)
    True
    """


def read_idx(path: Path, magic: int, count: int) -> NDArray:
    """The images (count,28,28) uint8, or labels (count,) uint8, of an IDX file, gzipped or not.

    Raises
    ------
    DatasetError
        If the file cannot be read, is not gzip though it says so, is too short or too long, has another magic
        number or size, or a label outside 0-9.
    """
    return parse_idx(read_bytes(path, expected_size(magic, count)), magic, count, str(path))


def read_any_idx(path: Path, magic: int, most: int) -> NDArray:
    """The images or labels of an IDX file with at most so many; see `read_idx`."""
    content = read_bytes(path, expected_size(magic, most))
    count = int(np.frombuffer(content[4:8], ">u4")[0]) if len(content) >= 8 else most
    return parse_idx(content, magic, min(count, most), str(path))


def expected_size(magic: int, count: int) -> int:
    """How many bytes the uncompressed file must have."""
    return 16 + count * 784 if magic == IMAGES_MAGIC else 8 + count


def read_bytes(path: Path, limit: int) -> bytes:
    """The uncompressed bytes of a file, at most one more than the limit: a gzip bomb does not go off.

    Of a compressed file no more is read than such bytes can take when they are packed as badly as possible.
    """
    import gzip
    import zlib

    try:
        if path.suffix == ".gz":
            with opened(path, LIMITS._replace(file=limit + limit // 100 + (1 << 16))) as packed:
                return gzip.GzipFile(fileobj=packed).read(limit + 1)
        with opened(path) as file:
            return file.read(limit + 1)
    except FileError as error:
        raise DatasetError(f"{path}: {error}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: not a whole gzip file ({error}); delete it and get it again") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error}); check the path") from None


def parse_idx(content: bytes, magic: int, count: int, name: str) -> NDArray:
    """The array in the bytes of an IDX file."""
    wanted = expected_size(magic, count)
    if len(content) < 8:
        raise DatasetError(f"{name}: {len(content)} bytes are no IDX file; expected {wanted}; get it again")
    found, items = (int(n) for n in np.frombuffer(content[:8], ">u4"))
    if found != magic:
        raise DatasetError(f"{name}: magic number {found}; expected {magic} (are images and labels swapped?)")
    if items != count:
        raise DatasetError(f"{name}: says it has {items} items; expected {count}")
    if len(content) != wanted:
        what = "truncated" if len(content) < wanted else "too long"
        size = str(len(content)) if len(content) <= wanted else f"more than {wanted}"
        raise DatasetError(f"{name}: {what}, {size} bytes; expected {wanted}; get it again")
    if magic == IMAGES_MAGIC:
        rows, columns = (int(n) for n in np.frombuffer(content[8:16], ">u4"))
        if (rows, columns) != (28, 28):
            raise DatasetError(f"{name}: images of {rows}×{columns}; expected 28×28")
        return np.frombuffer(content, np.uint8, offset=16).reshape(count, 28, 28)
    labels = np.frombuffer(content, np.uint8, offset=8)
    if labels.max(initial=0) > 9:
        raise DatasetError(f"{name}: label {labels.max()}; expected 0 to 9")
    return labels
