"""`Tensor`, the user's array: it records what is done with it."""

from tinygrad_cnn.tensor.arrays import as_array, as_plain, is_tensor
from tinygrad_cnn.tensor.out import written
from tinygrad_cnn.tensor.tensor import Tensor

__all__ = ["Tensor", "as_array", "as_plain", "is_tensor", "written"]
