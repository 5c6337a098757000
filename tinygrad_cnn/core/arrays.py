"""The arrays beneath tensors: made of what a user gives, and brought to a common dtype."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import DTypeError
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.promotion import FLOAT32, FLOAT64, common_dtype, default
from tinygrad_cnn.core.types import ArrayLike, NDArray
from tinygrad_cnn.kernels.casts import brought


def as_array(data: ArrayLike, dtype: Any = None) -> NDArray:
    """An array, which keeps its dtype, or nested sequences of numbers, whose floats become the default dtype."""
    typed = dtype is not None or hasattr(data, "dtype")
    array = np.asarray(data, dtype)
    return array if typed or array.dtype != FLOAT64 else array.astype(default.dtype)


def unify(op: type[Op], arrays: list[Any]) -> None:
    """Bring the inputs of an op to a common dtype, in the list itself."""
    places: Sequence[int] = range(len(arrays)) if op.variadic or not op.constant else op.places
    first = arrays[0].dtype if type(arrays[0]) is np.ndarray else None
    if first is FLOAT32 or first is FLOAT64:
        for k in places:
            kind = type(arrays[k])
            if not (arrays[k].dtype is first if kind is np.ndarray else kind is int or kind is float):
                break
        else:
            return
    if {np.subtract, np.negative}.intersection(op.numpy) and any(np.result_type(arrays[k]) == np.bool_ for k in places):
        raise DTypeError(f"{op.label}: is not defined for bool; convert, with .float(), or invert a mask with ~")
    dtype = common_dtype([arrays[k] for k in places], op.floating)
    for k in places:
        whole = op.variadic and not isinstance(arrays[k], np.ndarray)
        arrays[k] = np.asarray(arrays[k], dtype) if whole else brought(arrays[k], dtype)
    if not any(isinstance(arrays[k], np.ndarray) for k in places):
        arrays[places[0]] = np.asarray(arrays[places[0]], dtype)
