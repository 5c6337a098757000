"""CIFAR (Krizhevsky 2009): small photographs in ten or a hundred classes, from the files of its Python version.

The files are pickles. Python's own unpickler reads them, which may look up nothing but what NumPy's arrays are made
of: a file that asks for more is refused.
"""

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.datasets import mnist
from tinygrad_cnn.datasets.idx import DatasetError
from tinygrad_cnn.datasets.vision import NotFoundError, VisionDataset, X, Y, as_image

__all__ = ["CIFAR10", "CIFAR100"]


def _latin1(text: str, encoding: str) -> bytes:
    """How protocol 2 writes bytes."""
    if encoding != "latin1":
        raise DatasetError(f"the pickle encodes text in {encoding}; expected latin1")
    return text.encode("latin1")


ARRAYS = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0] for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): np.zeros(1).__reduce_ex__(5)[0] for core in ("core", "_core")},
}
"""What the pickle of an array looks up: the two functions are NumPy's own, told by the arrays."""


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ARRAYS:
            raise DatasetError(f"the pickle asks for {module}.{name}; expected nothing but arrays and lists")
        return ARRAYS[module, name]


def read_pickle(path: Path) -> dict[str, Any]:
    """The dict in a pickle of Python 2, from which nothing but data is made."""
    try:
        found = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    except Exception as error:  # a damaged pickle fails in any way
        raise DatasetError(f"{path}: not a whole pickle ({error}); delete it and get it again") from None
    if not isinstance(found, dict):
        raise DatasetError(f"{path}: holds a {type(found).__name__}; expected a dict")
    return found


class CIFAR10(VisionDataset[X, Y]):
    """Photographs of 32×32 in colour: 50,000 to learn from and 10,000 to be judged by, in ten classes.

    Parameters
    ----------
    root : the folder in which ``cifar-10-batches-py`` is, as the archive has it
    train : the images to learn from, or those to be judged by
    transform, target_transform : applied to each image and to each class
    download : fetch the archive, check and unpack it, if the folder is not there

    Attributes
    ----------
    data : ndarray (N, 32, 32, 3), uint8
    targets : list of N ints
    classes, class_to_idx : the names of the classes, and the number of each

    Raises
    ------
    RuntimeError
        If files are missing and `download` is off, or the archive cannot be had.
    DatasetError
        If a file is damaged, or holds anything else than data.

    A sample is ``(image, class)``: an image of Pillow's in mode "RGB", or, where Pillow is not installed, an array
    (32, 32, 3), which `transforms.ToTensor` takes as well.
    """

    folder = "cifar-10-batches-py"
    mirrors: ClassVar[tuple[str, ...]] = ("https://www.cs.toronto.edu/~kriz/",)
    archive = "cifar-10-python.tar.gz"
    checksum = "c58f30108f718f92721af3b95e74349a"
    parts: ClassVar[dict[bool, tuple[str, ...]]] = {
        True: tuple(f"data_batch_{k}" for k in range(1, 6)),
        False: ("test_batch",),
    }
    names: ClassVar[tuple[str, str]] = ("batches.meta", "label_names")
    labels = "labels"

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Callable[[Any], X] | None = None,
        target_transform: Callable[[Any], Y] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform, target_transform)
        self.train = train
        if download:
            self.download()
        batches = [self._batch(name) for name in self.parts[train]]
        self.data = np.concatenate([images for images, _ in batches])
        self.targets = [int(label) for _, labels in batches for label in labels]
        file, key = self.names
        self.classes: list[str] = list(self._read(file).get(key, []))
        self.class_to_idx = {name: k for k, name in enumerate(self.classes)}

    def _missing(self) -> list[str]:
        files = (*self.parts[True], *self.parts[False], self.names[0])
        return [file for file in files if not (self.root / self.folder / file).is_file()]

    def _read(self, file: str) -> dict[str, Any]:
        if self._missing():
            raise NotFoundError(
                f"{type(self).__name__}: {self._missing()[0]} is not in {self.root / self.folder}; pass download=True, "
                f"or unpack {self.archive} in {self.root}"
            )
        return read_pickle(self.root / self.folder / file)

    def _batch(self, file: str) -> tuple[NDArray, list[Any]]:
        """Images as they are seen, (N, 32, 32, 3), and their classes."""
        found = self._read(file)
        images, labels = found.get("data"), found.get(self.labels)
        if not (isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.shape[1:] == (3072,)):
            raise DatasetError(f"{self.root / self.folder / file}: no images of 3072 bytes under 'data'")
        if not isinstance(labels, list) or len(labels) != len(images):
            raise DatasetError(f"{self.root / self.folder / file}: {len(images)} images, but not as many {self.labels}")
        return np.ascontiguousarray(images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels

    def download(self) -> None:
        """Fetch and unpack the archive, if files are missing."""
        if not self._missing():
            return
        target = self.root / self.archive
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not (target.is_file() and self._is_right(target)):
                mnist.download(target, self.mirrors, self._is_right)
            import tarfile

            with tarfile.open(target) as opened:
                opened.extractall(self.root, filter="data")
        except OSError as error:
            raise NotFoundError(f"{self.root}: cannot be written ({error.strerror or error})") from None
        except DatasetError as error:
            raise NotFoundError(f"{type(self).__name__}: {error}; or unpack {self.archive} in {self.root}") from None

    def _is_right(self, path: Path) -> bool:
        return mnist.md5(path) == self.checksum

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> tuple[X, Y]:
        return self.transformed(as_image(self.data[index]), self.targets[index])

    def extra_repr(self) -> str:
        """Which part it is."""
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10[X, Y]):
    """CIFAR in a hundred classes, in ``cifar-100-python``; see `CIFAR10`."""

    folder = "cifar-100-python"
    archive = "cifar-100-python.tar.gz"
    checksum = "eb9058c3a382ffc7106e4002c42a8d85"
    parts: ClassVar[dict[bool, tuple[str, ...]]] = {True: ("train",), False: ("test",)}
    names: ClassVar[tuple[str, str]] = ("meta", "fine_label_names")
    labels = "fine_labels"
