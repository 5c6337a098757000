"""What PyTorch and torchvision keep under `utils`: data sets and loaders (`utils.data`), grids of images."""

from tinygrad_cnn.utils import data

__all__ = ["data"]
