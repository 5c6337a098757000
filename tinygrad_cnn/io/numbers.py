"""Arrays from bytes that somebody else wrote: numbers and truth values, as many as the shape says."""

import math
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import DType, NDArray
from tinygrad_cnn.utils.reading import FileError, Limits

MOST_DIMS = 32
"""What PyTorch's and NumPy's writers make has fewer."""
ARRAY = 800
"""The bytes that an array and a Tensor take beside their elements."""


def checked_shape(shape: Any, limits: Limits) -> tuple[int, ...]:
    """A shape, as a tuple of a list or tuple of the file; FileError if it is none, or of too many elements."""
    if not isinstance(shape, (list, tuple)) or len(shape) > MOST_DIMS:
        raise FileError(f"a shape is no list of at most {MOST_DIMS} sizes")
    if any(type(n) is not int or not 0 <= n < 1 << 62 for n in shape):
        raise FileError("a shape has a size that is none")
    if math.prod(n for n in shape if n) > limits.elements:
        raise FileError(f"an array has more than {limits.elements:,} elements (limits.elements)")
    return tuple(shape)


def array_of(content: memoryview, dtype: DType, shape: tuple[int, ...]) -> NDArray:
    """The array of this shape; FileError if the bytes are not as many."""
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise FileError(f"an array has {len(content)} bytes, its shape another number")
    return native(np.frombuffer(bytearray(content), dtype)).reshape(shape)


def native(array: NDArray) -> NDArray:
    """An array in this machine's order; FileError if truth values are neither 0 nor 1."""
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise FileError("a truth value is neither 0 nor 1")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
