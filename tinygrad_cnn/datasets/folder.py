"""Images in folders, one for each class."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, overload

from tinygrad_cnn.datasets.idx import DatasetError
from tinygrad_cnn.datasets.vision import VisionDataset, X, Y
from tinygrad_cnn.transforms.pillow import Image
from tinygrad_cnn.utils.pictures import read_picture
from tinygrad_cnn.utils.reading import LIMITS, Limits, refusing

__all__ = ["DatasetFolder", "ImageFolder"]

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def pil_loader(path: str | Path, limits: Limits = LIMITS) -> Image:
    """An image file as an image of Pillow's in mode "RGB"; DatasetError if it is none, damaged or too large."""
    if find_spec("PIL") is None:
        raise ImportError("images need Pillow, which is not installed; run: pip install pillow")
    with refusing(DatasetError, str(path)):
        image: Image = read_picture(path, "RGB", limits=limits)
    return image


MOST_FOLDERS = 100_000


def files_under(folder: Path) -> list[str]:
    """Every file below a folder, through links too, in torchvision's order: a folder's own before its folders'.

    A link to a folder in which it stands itself is not followed. DatasetError if there are more folders than anybody
    has, which links to each other can make of a few.
    """
    walked: list[tuple[str, list[str]]] = []
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [(os.fspath(folder), frozenset())]
    while waiting:
        place, above = waiting.pop()
        here = identity(place)
        if here in above:
            continue
        if len(walked) == MOST_FOLDERS:
            raise DatasetError(f"{folder}: has more than {MOST_FOLDERS:,} folders; do links in it lead to each other?")
        names = []
        for name in listed(place):
            path = os.path.join(place, name)
            if os.path.isdir(path):
                waiting.append((path, above | {here}))
            else:
                names.append(name)
        walked.append((place, sorted(names)))
    return [os.path.join(place, name) for place, names in sorted(walked) for name in names]


def listed(folder: str) -> list[str]:
    """What is in a folder; nothing if it cannot be read, as `os.walk` has it."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def identity(folder: str) -> tuple[int, int]:
    """What tells a folder from all others, whatever the path to it."""
    found = os.stat(folder)
    return found.st_dev, found.st_ino


class DatasetFolder(VisionDataset[X, Y]):
    """Files ``root/class/…/name.ext``: the classes are the folders of `root`, in order.

    Parameters
    ----------
    root : the folder of folders
    loader : makes a sample of a path
    extensions : of the files that count; or `is_valid_file`, which is asked for each path
    transform, target_transform : applied to each sample and to each class
    allow_empty : whether a class may have no files

    Raises
    ------
    FileNotFoundError
        If there are no folders, or one without files.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> read = lambda path: pathlib.Path(path).read_text()
    >>> for name in ("cat", "dog"): (folder / name).mkdir(); _ = (folder / name / "1.txt").write_text(name)
    >>> data = tg.datasets.DatasetFolder(folder, loader=read, extensions=(".txt",))
    >>> data.classes, data[1]
    (['cat', 'dog'], ('dog', 1))
    """

    @overload
    def __init__(
        self,
        root: str | Path,
        loader: Callable[[str], X],
        extensions: tuple[str, ...] | None = None,
        transform: None = None,
        target_transform: Callable[[Any], Y] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self,
        root: str | Path,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable[[Any], X] | None = None,
        target_transform: Callable[[Any], Y] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None: ...
    def __init__(
        self,
        root: str | Path,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable[[Any], X] | None = None,
        target_transform: Callable[[Any], Y] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform, target_transform)
        if (extensions is None) == (is_valid_file is None):
            raise ValueError(f"{type(self).__name__}: give either extensions or is_valid_file, and not both")
        self.loader, self.extensions = loader, extensions
        counts = is_valid_file or (lambda path: path.lower().endswith(tuple(extensions or ())))
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = [
            (path, number)
            for name, number in self.class_to_idx.items()
            for path in files_under(self.root / name)
            if counts(path)
        ]
        self.targets = [number for _, number in self.samples]
        present = set(self.targets)
        empty = [name for name, number in self.class_to_idx.items() if number not in present]
        if empty and not allow_empty:
            raise FileNotFoundError(f"{self.root}: no files of {', '.join(empty)} that count ({extensions})")

    def find_classes(self, directory: str | Path) -> tuple[list[str], dict[str, int]]:
        """The names of the folders in order, and the number of each."""
        folder = Path(directory)
        names = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
        if not names:
            raise FileNotFoundError(f"{folder}: has no folders; expected one for each class")
        return names, {name: k for k, name in enumerate(names)}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: Any) -> tuple[X, Y]:
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)


class ImageFolder(DatasetFolder[X, Y]):
    """Pictures ``root/class/…/name.png``, loaded as RGB; see `DatasetFolder`. `imgs` is `samples`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "cat").mkdir()
    >>> tg.utils.save_image(tg.ones(3, 4, 4), folder / "cat" / "1.png")
    >>> data = tg.datasets.ImageFolder(folder, transform=tg.transforms.ToTensor())
    >>> image, target = data[0]
    >>> data.classes, image.shape, target
    (['cat'], torch.Size([3, 4, 4]), 0)
    """

    def __init__(
        self,
        root: str | Path,
        transform: Callable[[Any], X] | None = None,
        target_transform: Callable[[Any], Y] | None = None,
        loader: Callable[[str], Any] = pil_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMAGE_EXTENSIONS if is_valid_file is None else None
        super().__init__(root, loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples
