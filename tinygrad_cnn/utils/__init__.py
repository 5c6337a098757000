"""What PyTorch and torchvision keep under `utils`: data sets and loaders (`utils.data`), grids of images."""

from typing import TYPE_CHECKING

from tinygrad_cnn.utils import checkpoint as checkpoint
from tinygrad_cnn.utils import data as data
from tinygrad_cnn.utils.images import *

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
    __all__ += ["checkpoint", "data"]
