"""Data sets: MNIST, its kin and CIFAR under torchvision's names, folders of images, and a sample in the package."""

from typing import TYPE_CHECKING, NoReturn

from tinygrad_cnn.datasets.cifar import *
from tinygrad_cnn.datasets.folder import *
from tinygrad_cnn.datasets.idx import *
from tinygrad_cnn.datasets.mnist import *
from tinygrad_cnn.datasets.vision import *

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]

    def __getattr__(name: str) -> NoReturn:
        raise AttributeError(
            f"module 'tinygrad_cnn.datasets' has no attribute {name!r}: of torchvision's data sets there are MNIST, "
            "FashionMNIST, KMNIST, CIFAR10, CIFAR100, FakeData, ImageFolder and DatasetFolder; "
            "for others, subclass utils.data.Dataset"
        )
