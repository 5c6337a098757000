"""What PyTorch and torchvision keep under `utils`: data sets and loaders (`utils.data`), grids of images."""

from tinygrad_cnn.utils import data
from tinygrad_cnn.utils.images import make_grid, save_image

__all__ = ["data", "make_grid", "save_image"]
