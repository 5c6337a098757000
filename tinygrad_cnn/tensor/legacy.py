"""PyTorch's older names of types, ``torch.FloatTensor`` and the like: constructors, and what `Tensor.type` says."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import DType, NDArray
from tinygrad_cnn.ops.checks import check_dtype
from tinygrad_cnn.tensor.arrays import as_array

NAMES: dict[DType, str] = {
    np.dtype(np.float32): "FloatTensor",
    np.dtype(np.float64): "DoubleTensor",
    np.dtype(np.float16): "HalfTensor",
    np.dtype(np.uint8): "ByteTensor",
    np.dtype(np.int8): "CharTensor",
    np.dtype(np.int16): "ShortTensor",
    np.dtype(np.int32): "IntTensor",
    np.dtype(np.int64): "LongTensor",
    np.dtype(np.bool_): "BoolTensor",
}
DTYPES = {name: dtype for dtype, name in NAMES.items()}


def legacy_name(dtype: DType) -> str:
    """The older name of a dtype."""
    return f"torch.{NAMES.get(dtype, 'Tensor')}"


def dtype_of_legacy(value: Any) -> DType:
    """The dtype that a value names: an older name or constructor, or whatever names one."""
    if isinstance(value, str) and value.startswith("torch."):
        name = value.removeprefix("torch.")
        if name not in DTYPES:
            raise ArgumentError(f"type: {value!r} names no type; known are {', '.join(DTYPES)}")
        return DTYPES[name]
    return check_dtype("type", getattr(value, "dtype", value))


def legacy_array(data: tuple[Any, ...], dtype: DType) -> NDArray:
    """What an older constructor makes of its arguments: ``(2, 3)`` are sizes, a list holds values."""
    if not data:
        return np.zeros(0, dtype)
    if all(isinstance(n, int) and not isinstance(n, bool) for n in data):
        return np.zeros(data, dtype)
    if len(data) != 1:
        raise TypeError(f"Tensor: got {len(data)} arguments {data!r:.80}; expected sizes, or one list of values")
    return as_array(data[0], dtype)
