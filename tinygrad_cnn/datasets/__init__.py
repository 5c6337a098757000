"""Data sets: MNIST, a sample of it embedded in the package."""

from tinygrad_cnn.datasets.idx import DatasetError
from tinygrad_cnn.datasets.mnist import Digits, load_full, load_sample

__all__ = ["DatasetError", "Digits", "load_full", "load_sample"]
