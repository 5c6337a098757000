"""torchvision's data sets of images, sample by sample: an image (Pillow's), transformed, and its class."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

import numpy as np

from tinygrad_cnn import transforms
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.datasets import mnist
from tinygrad_cnn.datasets.idx import DatasetError, read_any_idx
from tinygrad_cnn.random import Generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.transforms.pillow import Image
from tinygrad_cnn.utils.data import Dataset

__all__ = ["KMNIST", "MNIST", "FakeData", "FashionMNIST", "VisionDataset"]

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    X = TypeVar("X", covariant=True, default=Image)
    Y = TypeVar("Y", covariant=True, default=int)
else:
    from typing import TypeVar

    X, Y = TypeVar("X", covariant=True), TypeVar("Y", covariant=True)


class NotFoundError(DatasetError, RuntimeError):
    """The files of a data set are not there: a RuntimeError, as in torchvision."""


class VisionDataset(Dataset[tuple[X, Y]], Generic[X, Y]):
    """A folder, and what is done to each image and each target.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Numbers(tg.datasets.vision.VisionDataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, k):
    ...         return self.transformed(k, -k)
    >>> Numbers("", transform=lambda k: 10 * k)[2]
    (20, -2)
    """

    def __init__(
        self,
        root: str | Path,
        transform: Callable[[Any], X] | None = None,
        target_transform: Callable[[Any], Y] | None = None,
    ) -> None:
        self.root = Path(root).expanduser()
        self.has_root = root != ""
        self.transform, self.target_transform = transform, target_transform

    def transformed(self, image: Any, target: Any) -> tuple[X, Y]:
        """Both, after their transforms."""
        return (
            cast(X, image) if self.transform is None else self.transform(image),
            cast(Y, target) if self.target_transform is None else self.target_transform(target),
        )

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: __len__ is not written")

    def extra_repr(self) -> str:
        """More lines of the description."""
        return ""

    def __repr__(self) -> str:
        location = [f"Root location: {self.root}"] if self.has_root else []
        body = [f"Number of datapoints: {len(self)}", *location, *self.extra_repr().splitlines()]
        both = (("Transform: ", self.transform), ("Target transform: ", self.target_transform))
        given = [head + repr(t).replace("\n", "\n" + " " * len(head)) for head, t in both if t is not None]
        if given:
            body.append("\n".join(["StandardTransform", *given]))
        return "\n".join([f"Dataset {type(self).__name__}", *(f"    {line}" for line in body)])


class MNIST(VisionDataset[X, Y]):
    """Handwritten digits (LeCun, Cortes & Burges): 60,000 to learn from and 10,000 to be judged by, 28×28.

    Parameters
    ----------
    root : the folder under which the four IDX files are, gzipped or not: in ``root/MNIST/raw``, as torchvision puts
        them, or in `root` itself
    train : the images to learn from, or those to be judged by
    transform, target_transform : applied to each image and to each class
    download : fetch the files that are not there, and check them

    Attributes
    ----------
    data : (N, 28, 28) uint8
    targets : (N,) int64

    Raises
    ------
    RuntimeError
        If files are missing and `download` is off, or no mirror gives them.
    DatasetError
        If a file is damaged.

    A sample is ``(image, class)``: an image of Pillow's in mode "L", or, where Pillow is not installed, an array
    (28, 28), which `transforms.ToTensor` takes as well.
    """

    mirrors: ClassVar[tuple[str, ...]] = ()
    checksums: ClassVar[tuple[str, ...]] = ()
    """MD5 of the four gzipped files; of MNIST itself, `mnist.FILES` has better ones."""
    classes: ClassVar[list[str]] = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip

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
        images, labels = (self._read(k) for k in ((0, 1) if train else (2, 3)))
        if len(images) != len(labels):
            raise DatasetError(f"{type(self).__name__}: {len(images)} images but {len(labels)} labels in {self.root}")
        self.data, self.targets = Tensor(images.copy()), Tensor(labels.astype(np.int64))

    @property
    def train_data(self) -> Tensor:
        """The old name of `data`, whichever part this is."""
        return self._renamed("train_data", "data", self.data)

    @property
    def test_data(self) -> Tensor:
        """The old name of `data`, whichever part this is."""
        return self._renamed("test_data", "data", self.data)

    @property
    def train_labels(self) -> Tensor:
        """The old name of `targets`, whichever part this is."""
        return self._renamed("train_labels", "targets", self.targets)

    @property
    def test_labels(self) -> Tensor:
        """The old name of `targets`, whichever part this is."""
        return self._renamed("test_labels", "targets", self.targets)

    @staticmethod
    def _renamed(old: str, new: str, held: Tensor) -> Tensor:
        warnings.warn(f"{old} has been renamed {new}", stacklevel=3)
        return held

    @property
    def raw_folder(self) -> Path:
        """Where downloads are kept."""
        return self.root / type(self).__name__ / "raw"

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: k for k, name in enumerate(self.classes)}

    def _find(self, k: int) -> Path | None:
        name = mnist.FILES[k].name
        for folder in (self.raw_folder, self.root):
            for path in (folder / name, folder / f"{name}.gz"):
                if path.is_file():
                    return path
        return None

    def _read(self, k: int) -> NDArray:
        path = self._find(k)
        if path is None:
            raise NotFoundError(
                f"{type(self).__name__}: {mnist.FILES[k].name} is neither in {self.raw_folder} nor in {self.root}; "
                "pass download=True, or put the four IDX files there; datasets.load_sample() needs no files"
            )
        return read_any_idx(path, mnist.FILES[k].magic, mnist.FILES[k].items)

    def download(self) -> None:
        """Fetch the files that are not there."""
        for k, file in enumerate(mnist.FILES):
            if self._find(k) is None:
                try:
                    self.raw_folder.mkdir(parents=True, exist_ok=True)
                    self._fetch(k, self.raw_folder / f"{file.name}.gz")
                except OSError as error:
                    raise NotFoundError(f"{self.raw_folder}: cannot be written ({error.strerror or error})") from None
                except DatasetError as error:
                    raise NotFoundError(
                        f"{type(self).__name__}: {error}; or put the four IDX files into {self.raw_folder}; "
                        "datasets.load_sample() needs no files"
                    ) from None

    def _fetch(self, k: int, target: Path) -> None:
        file = mnist.FILES[k]
        if not self.checksums:
            mnist.fetch(target, file)
            return

        mnist.download(target, self.mirrors, lambda path: mnist.md5(path) == self.checksums[k])

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> tuple[X, Y]:
        return self.transformed(as_image(self.data.array[index]), int(self.targets.array[index]))

    def extra_repr(self) -> str:
        """Which part it is."""
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST[X, Y]):
    """Photographs of clothes in MNIST's format (Xiao, Rasul & Vollgraf 2017); see `MNIST`."""

    mirrors = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    checksums = (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    )
    classes: ClassVar[list[str]] = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST[X, Y]):
    """Characters of old Japanese writing in MNIST's format (Clanuwat et al. 2018); see `MNIST`."""

    mirrors = ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",)
    checksums = (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    )
    classes: ClassVar[list[str]] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class FakeData(VisionDataset[X, Y]):
    """Images of noise with random classes, made when they are asked for: sample k is the same each time.

    Parameters
    ----------
    size : how many
    image_size : (C, H, W)
    num_classes : how many classes there are
    transform, target_transform : applied to each image and to each class
    random_offset : added to k before it seeds the sample

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> data = tg.datasets.FakeData(size=10, image_size=(3, 8, 8))
    >>> image, target = data[0]
    >>> len(data), image.size
    (10, (8, 8))
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable[[Any], X] | None = None,
        target_transform: Callable[[Any], Y] | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__("", transform, target_transform)
        self.size, self.image_size, self.num_classes, self.random_offset = size, image_size, num_classes, random_offset

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> tuple[X, Y]:
        if not 0 <= index < self.size:
            raise IndexError(f"FakeData: index {index} is out of range, there are {self.size} images")
        draw = Generator().manual_seed(int(index) + self.random_offset)
        image = draw.normal(self.image_size, np.float32)
        target = int(draw.integers(0, self.num_classes, (1,))[0])
        return self.transformed(transforms.ToPILImage()(Tensor(image)), target)


def as_image(array: NDArray) -> Image | NDArray:
    """A plane of bytes as an image of Pillow's; where Pillow is not installed, as it is."""
    try:
        from PIL import Image as pictures
    except ImportError:
        return array
    return pictures.fromarray(array)
