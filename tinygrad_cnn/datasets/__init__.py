"""Data sets: MNIST, its kin and CIFAR under torchvision's names, folders of images, and a sample in the package."""

from tinygrad_cnn.datasets.cifar import CIFAR10, CIFAR100
from tinygrad_cnn.datasets.folder import DatasetFolder, ImageFolder
from tinygrad_cnn.datasets.idx import DatasetError
from tinygrad_cnn.datasets.mnist import Digits, load_full, load_sample
from tinygrad_cnn.datasets.vision import KMNIST, MNIST, FakeData, FashionMNIST, VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "KMNIST",
    "MNIST",
    "DatasetError",
    "DatasetFolder",
    "Digits",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "VisionDataset",
    "load_full",
    "load_sample",
]


def __getattr__(name: str) -> object:
    raise AttributeError(
        f"module 'tinygrad_cnn.datasets' has no attribute {name!r}: of torchvision's data sets there are MNIST, "
        "FashionMNIST, KMNIST, CIFAR10, CIFAR100, FakeData, ImageFolder and DatasetFolder; "
        "for others, subclass utils.data.Dataset"
    )
