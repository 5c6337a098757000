"""Transforms of images, Pillow's or tensors (..., C, H, W), as ``torchvision.transforms``.

Random ones draw from the package's generator: `manual_seed` decides them.
"""

from typing import TYPE_CHECKING

from tinygrad_cnn.transforms import functional as functional
from tinygrad_cnn.transforms.appearance import *
from tinygrad_cnn.transforms.compose import *
from tinygrad_cnn.transforms.conversion import *
from tinygrad_cnn.transforms.geometric import *
from tinygrad_cnn.transforms.geometry import *

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
    __all__ += ["functional"]
