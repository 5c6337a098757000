"""What the transforms of one image share: those that keep its kind, and those of tensors alone."""

from typing import TYPE_CHECKING, TypeVar

from tinygrad_cnn import nn
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.transforms.pillow import Image

Img = TypeVar("Img", Tensor, Image)
"""A tensor or an image of Pillow's: what a transform takes is what it gives."""


class ImageTransform(nn.Module):
    """A transform that makes a tensor of a tensor, and an image of Pillow's of an image."""

    if TYPE_CHECKING:

        def __call__(self, img: Img) -> Img: ...  # pyright: ignore[reportIncompatibleMethodOverride] # no Tensor, of an image


class TensorTransform(nn.Module):
    """A transform of tensors."""

    if TYPE_CHECKING:

        def __call__(self, tensor: Tensor) -> Tensor: ...
