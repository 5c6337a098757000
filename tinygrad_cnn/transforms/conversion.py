"""Transforms between images, arrays and tensors, and of the values of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.transforms import functional as F
from tinygrad_cnn.transforms.pillow import Image
from tinygrad_cnn.transforms.transform import TensorTransform

__all__ = ["ConvertImageDtype", "LinearTransformation", "Normalize", "PILToTensor", "ToPILImage", "ToTensor"]


class ToTensor:
    """An image of Pillow's, or an array (H, W, C), as a tensor (C, H, W); bytes become floats between 0 and 1.

    >>> import numpy as np
    >>> ToTensor()(np.array([[[0], [255]]], np.uint8))
    tensor([[[0., 1.]]])
    """

    def __call__(self, pic: Image | NDArray) -> Tensor:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """An image of Pillow's as a tensor (C, H, W) with the same numbers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from PIL import Image
    >>> tg.transforms.PILToTensor()(Image.new("L", (2, 1), 7))
    tensor([[[7, 7]]], dtype=torch.uint8)
    """

    def __call__(self, pic: Image) -> Tensor:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """A tensor (C, H, W), or an array (H, W, C), as an image of Pillow's; see `functional.to_pil_image`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.ToPILImage()(tg.ones(1, 2, 3)).size
    (3, 2)
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Tensor | NDArray) -> Image:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(TensorTransform):
    """Another dtype, white staying white: 255 of uint8 is 1.0 of a float.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.ConvertImageDtype(tg.float32)(tg.tensor([[[0, 255]]], dtype=tg.uint8))
    tensor([[[0., 1.]]])
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        return F.convert_image_dtype(image, self.dtype)


class Normalize(TensorTransform):
    """(x - mean) / std, each channel of a float tensor (..., C, H, W) with its own.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.Normalize([0.5], [0.25])(tg.tensor([[[0.5, 1.0]]]))
    tensor([[[0., 2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor: Tensor) -> Tensor:
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(TensorTransform):
    """(x - mean_vector) · matrix, of images taken as vectors of C·H·W numbers: whitening, for instance.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.LinearTransformation(2 * tg.eye(2), tg.zeros(2))(tg.tensor([[[1.0, 3.0]]]))
    tensor([[[2., 6.]]])
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns or len(mean_vector) != rows:
            raise ValueError(
                f"LinearTransformation: a matrix of {(rows, columns)} and a mean of {len(mean_vector)} numbers; "
                "expected a square matrix, and a mean of as many"
            )
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        n = int(np.prod(tensor.shape[-3:]))
        if n != len(self.mean_vector):
            raise ValueError(f"LinearTransformation: an image of {n} numbers; expected {len(self.mean_vector)}")
        flat = tensor.reshape(-1, n) - self.mean_vector
        return (flat @ self.transformation_matrix).reshape(tensor.shape)

    def __repr__(self) -> str:
        matrix, mean = self.transformation_matrix.tolist(), self.mean_vector.tolist()
        return f"{type(self).__name__}(transformation_matrix={matrix}, mean_vector={mean})"
