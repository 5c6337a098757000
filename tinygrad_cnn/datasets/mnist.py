"""MNIST (LeCun, Cortes, Burges): the embedded sample, and the whole set from a folder, a cache or the network."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.datasets.idx import (
    IMAGES_MAGIC,
    LABELS_MAGIC,
    DatasetError,
    expected_size,
    parse_idx,
    read_bytes,
    read_idx,
)

__all__ = ["Digits", "load_full", "load_sample"]

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes received, and the bytes expected (0 if the server does not say)."""


class Digits(NamedTuple):
    """Images (N,28,28) uint8, white on black, and their labels (N,) int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> digits = tg.datasets.load_sample()
    >>> digits.train_images.shape, digits.train_labels.dtype
    ((5000, 28, 28), dtype('int64'))
    """

    train_images: NDArray
    train_labels: NDArray
    test_images: NDArray
    test_labels: NDArray


class File(NamedTuple):
    """One of the four files: its name, what is in it, and the SHA-256 of its uncompressed bytes."""

    name: str
    magic: int
    items: int
    sha256: str


FILES = (
    File(
        "train-images-idx3-ubyte",
        IMAGES_MAGIC,
        60_000,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    File(
        "train-labels-idx1-ubyte",
        LABELS_MAGIC,
        60_000,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    File(
        "t10k-images-idx3-ubyte",
        IMAGES_MAGIC,
        10_000,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    File(
        "t10k-labels-idx1-ubyte",
        LABELS_MAGIC,
        10_000,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://yann.lecun.com/exdb/mnist/",
)
SAMPLE = Path(__file__).parent / "mnist_sample.npz"
SAMPLE_SHA256 = "472b5e14600d7b38325529fca7f9ad1fd9cb8926e0c9fc8d52b2b4da452788a6"
CHUNK = 1 << 16


@cache
def load_sample() -> Digits:
    """The embedded digits: the first 5,000 training images and all 10,000 test images. The arrays are read-only.

    >>> load_sample().train_images.shape
    (5000, 28, 28)
    """
    try:
        content = SAMPLE.read_bytes()
    except OSError as error:
        raise DatasetError(f"{SAMPLE}: cannot be read ({error.strerror}); install the package again") from None
    if hashlib.sha256(content).hexdigest() != SAMPLE_SHA256:
        raise DatasetError(f"{SAMPLE}: damaged (its SHA-256 is another one); install the package again")
    with np.load(SAMPLE, allow_pickle=False) as arrays:
        digits = _digits([arrays[name] for name in Digits._fields])
    for array in digits:
        array.flags.writeable = False
    return digits


def load_full(
    data_dir: str | Path | None = None, cache_dir: str | Path | None = None, progress: Progress | None = None
) -> Digits:
    """All 60,000 and 10,000 digits: from a folder, or from the cache, into which they are downloaded if need be.

    Parameters
    ----------
    data_dir : a folder with the four IDX files, gzipped or not; nothing is downloaded
    cache_dir : where downloads are kept; by default `cache_folder()`
    progress : told how far each download is

    Raises
    ------
    DatasetError
        If a file is missing, damaged, or no mirror gives it.
    """
    if data_dir is not None:
        return _digits([read_idx(_find(Path(data_dir), file), file.magic, file.items) for file in FILES])
    folder = Path(cache_dir) if cache_dir is not None else cache_folder()
    return _digits([_cached(folder, file, progress) for file in FILES])


def _digits(arrays: list[NDArray]) -> Digits:
    train_images, train_labels, test_images, test_labels = arrays
    return Digits(train_images, train_labels.astype(np.int64), test_images, test_labels.astype(np.int64))


def _find(folder: Path, file: File) -> Path:
    dotted = file.name.replace("-idx", ".idx")
    names = [file.name + ".gz", file.name, dotted + ".gz", dotted]
    for name in names:
        if os.path.isfile(folder / name):
            return folder / name
    raise DatasetError(f"{folder}: has none of {', '.join(names)}; point to the folder with the four MNIST files")


def cache_folder() -> Path:
    """Where downloads are kept: $TINYGRAD_CNN_CACHE, or the platform's folder for caches."""
    if os.environ.get("TINYGRAD_CNN_CACHE"):
        return Path(os.environ["TINYGRAD_CNN_CACHE"])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tinygrad_cnn"


def _cached(folder: Path, file: File, progress: Progress | None) -> NDArray:
    target = folder / (file.name + ".gz")
    size = expected_size(file.magic, file.items)
    if not target.is_file() or not _is_right(target, file, size):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fetch(target, file, progress)
        except OSError as error:
            raise DatasetError(
                f"{folder}: cannot be written ({error.strerror or error}); choose another cache folder"
            ) from None
    return parse_idx(read_bytes(target, size), file.magic, file.items, str(target))


def _is_right(path: Path, file: File, size: int) -> bool:
    try:
        return hashlib.sha256(read_bytes(path, size)).hexdigest() == file.sha256
    except DatasetError:
        return False


def md5(path: Path) -> str:
    """The checksum of a file as torchvision's lists have it."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def fetch(target: Path, file: File, progress: Progress | None = None) -> None:
    """Get one of the four files from the first mirror that has it as it should be."""
    size = expected_size(file.magic, file.items)
    download(target, MIRRORS, lambda path: _is_right(path, file, size), progress)


def download(
    target: Path, mirrors: Sequence[str], is_right: Callable[[Path], bool], progress: Progress | None = None
) -> None:
    """Get a file from the first mirror that has it whole; what one mirror gave is carried on by the next."""
    import zlib

    handle, name = tempfile.mkstemp(prefix=target.name, suffix=".part", dir=target.parent)
    os.close(handle)
    part, failures = Path(name), []
    try:
        for mirror in mirrors:
            try:
                _fetch(mirror + target.name, part, progress)
            except (OSError, zlib.error) as error:  # of which urllib's are
                failures.append(f"{mirror}: {getattr(error, 'reason', None) or error}")
                continue
            checked = part.with_suffix(".gz")
            os.replace(part, checked)
            if is_right(checked):
                os.replace(checked, target)
                return
            checked.unlink()
            part.touch()
            failures.append(f"{mirror}: the file has another checksum than expected")
    finally:
        part.unlink(missing_ok=True)
    raise DatasetError(
        f"{target.name}: no mirror gave it ({'; '.join(failures)}); check the network, or download the four files "
        "and pass their folder as --data"
    )


def _fetch(url: str, part: Path, progress: Progress | None) -> None:
    """Append what is missing of a file; a server that does not resume sends it from the start."""
    from urllib.request import Request, urlopen  # 20 ms to import, and only a download needs it

    have = part.stat().st_size
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urlopen(request, timeout=30) as response:
        resumed = response.status == 206
        start = have if resumed else 0
        total = start + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if resumed else "wb") as out:
            received = start
            while block := response.read(CHUNK):
                out.write(block)
                received += len(block)
                if progress is not None:
                    progress(part.name.partition(".gz")[0], received, total)
        if received < total:
            raise OSError(f"the connection ended after {received} of {total} bytes")
