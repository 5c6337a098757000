"""CIFAR (Krizhevsky 2009): small photographs in ten or a hundred classes, from the files of its Python version.

The files are pickles. The machine of `io/unpickling.py` carries them out, which makes data and nothing else; here is
what NumPy's arrays are in a pickle.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn.core.types import DType, NDArray
from tinygrad_cnn.datasets import mnist
from tinygrad_cnn.datasets.idx import DatasetError
from tinygrad_cnn.datasets.vision import NotFoundError, VisionDataset, X, Y, as_image
from tinygrad_cnn.io.numbers import ARRAY, array_of, checked_shape
from tinygrad_cnn.io.unpickling import Called, Kind, Machine, Name
from tinygrad_cnn.utils.reading import LIMITS, Allowance, FileError, Limits, contents, expect, refusing

__all__ = ["CIFAR10", "CIFAR100"]

DTYPES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f4", "f8"}


class Described(Name):
    """A dtype: its kind and size, and its order."""

    __slots__ = ("kind", "order")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.order: Any = "="

    @property
    def dtype(self) -> DType:
        """The dtype, of NumPy."""
        return np.dtype(self.kind).newbyteorder(self.order)


class Array(Name):
    """An array, which is made first and gets its elements by a BUILD; outside the pickle it is what `found` holds."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: NDArray | None = None


class ArrayMachine(Machine):
    """The machine with what the pickle of a dict of NumPy's arrays names."""

    def __init__(self, size: int, limits: Limits) -> None:
        super().__init__(Allowance(size, limits))
        self.limits = limits
        self.builders |= {Array: self.fill_array, Described: self.order}
        self.names |= {"numpy ndarray": Kind(np.ndarray), "numpy dtype": Called(self.described)}
        self.names["_codecs encode"] = Called(self.encoded)
        for core in ("core", "_core"):
            self.names[f"numpy.{core}.multiarray _reconstruct"] = Called(self.reconstructed)
            self.names[f"numpy.{core}.numeric _frombuffer"] = Called(self.of_buffer)

    def result(self) -> Any:
        """The dict on the stack, in which arrays are NumPy's."""
        found = expect(dict, self.pop())
        for key, value in found.items():
            if isinstance(value, Array):
                found[key] = value.found
        self.stack.append(found)
        return super().result()

    def encoded(self, text: Any, encoding: Any) -> bytes:
        """How protocol 2 writes bytes."""
        if encoding != "latin1":
            raise FileError("its pickle encodes text in another way than latin1")
        self.allowance.take(64 + len(expect(str, text)))
        return bytes(text, "latin1")

    def described(self, kind: Any, align: Any = False, copy: Any = True, metadata: Any = None) -> Described:
        """A dtype by its name."""
        if not isinstance(kind, str) or kind not in DTYPES:
            raise FileError("its pickle has an array of another dtype than of numbers")
        return Described(kind)

    def order(self, target: Described, state: Any) -> None:
        """The state of a dtype, of which nothing but the order of bytes is taken."""
        said = expect(tuple, state)
        if len(said) < 2 or said[1] not in ("|", "<", ">", "=") or any(part is not None for part in said[2:5]):
            raise FileError("its pickle has a dtype of a state that no dtype of numbers has")
        target.order = said[1]

    def reconstructed(self, kind: Any, shape: Any, code: Any) -> Array:
        """An array without elements yet, of no size that the file could choose."""
        if expect(Kind, kind).value is not np.ndarray:
            raise FileError("its pickle makes an array of another class than NumPy's")
        self.allowance.take(ARRAY)
        return Array()

    def fill_array(self, target: Array, state: Any) -> None:
        """The state of an array: version, shape, dtype, whether the first index runs fastest, and its bytes."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise FileError("its pickle has an array of another state than NumPy's")
        _, shape, dtype, turned, content = state
        content = content.encode("latin1") if isinstance(content, str) else content
        target.found = self.array(content, dtype, shape, "F" if turned else "C")

    def of_buffer(self, content: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> Array:
        """An array of protocol 5."""
        if axes is not None or order not in ("C", "F"):
            raise FileError("its pickle has an array with axes in an order that is not known")
        made = Array()
        made.found = self.array(content, dtype, shape, order)
        return made

    def array(self, content: Any, dtype: Any, shape: Any, order: str) -> NDArray:
        """An array of these bytes, in C order."""
        if not isinstance(content, (bytes, bytearray)):
            raise FileError("its pickle has an array without bytes")
        sizes = checked_shape(shape, self.limits)
        self.allowance.take(ARRAY + 2 * len(content))
        if order == "C":
            return array_of(memoryview(content), expect(Described, dtype).dtype, sizes)
        return np.ascontiguousarray(array_of(memoryview(content), expect(Described, dtype).dtype, sizes[::-1]).T)


def read_pickle(path: Path, limits: Limits = LIMITS) -> dict[str, Any]:
    """The dict in a pickle of Python 2, from which nothing but data is made."""
    with refusing(DatasetError, f"{path}: not a whole pickle of arrays and lists"):
        content = contents(path, limits)
        found: dict[str, Any] = ArrayMachine(len(content), limits).run(content)
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
    count = 10
    """How many classes there are."""

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
        self.targets = [label for _, labels in batches for label in labels]
        file, key = self.names
        self.classes = self._names_in(file, key)
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

    def _names_in(self, file: str, key: str) -> list[str]:
        """The names of the classes."""
        found = self._read(file).get(key, [])
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise DatasetError(f"{self.root / self.folder / file}: no list of names under {key!r}")
        return found

    def _batch(self, file: str) -> tuple[NDArray, list[int]]:
        """Images as they are seen, (N, 32, 32, 3), and their classes."""
        found, path = self._read(file), self.root / self.folder / file
        images, labels = found.get("data"), found.get(self.labels)
        if not (isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.shape[1:] == (3072,)):
            raise DatasetError(f"{path}: no images of 3072 bytes under 'data'")
        if not isinstance(labels, list) or len(labels) != len(images):
            raise DatasetError(f"{path}: {len(images)} images, but not as many {self.labels}")
        if not all(type(label) is int and 0 <= label < self.count for label in labels):
            raise DatasetError(f"{path}: a label that is no number from 0 to {self.count - 1}")
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
    count = 100
