"""The arrays beneath tensors: made of Python's data, brought to a common dtype. Knows a Tensor by its protocol."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.ops.op import Op
from tinygrad_cnn.promotion import FLOAT32, FLOAT64, common_dtype, get_default_dtype
from tinygrad_cnn.types import ArrayLike, DType, NDArray


def is_tensor(obj: Any) -> bool:
    """Whether an object is a Tensor."""
    return hasattr(type(obj), "__record__")


def as_array(data: ArrayLike, dtype: Any) -> NDArray:
    """The array of a Tensor, an array or nested sequences; Python floats become the default dtype."""
    if is_tensor(data):
        array = data.array
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
    else:
        array = from_python(data, None if dtype is None else np.dtype(dtype))
    if dtype is not None:
        array = array.astype(dtype, copy=False)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"Tensor: dtype {array.dtype} is not supported; expected numbers or booleans")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def from_python(data: Any, dtype: DType | None) -> NDArray:
    """Nested sequences of numbers as an array; if no dtype is given and none brings one, floats are of the default's.

    As in PyTorch, a tensor among numbers is one: it has one element, whatever its shape.
    """
    typed: set[DType] = set()
    plain = _numbers(data, _depth(data), typed)
    try:
        array = np.array(plain)
    except ValueError as error:
        raise ValueError(f"Tensor: the nested sequences have different lengths ({error})") from None
    untyped = dtype is None and array.dtype == FLOAT64 and FLOAT64 not in typed
    return array.astype(get_default_dtype()) if untyped else array


def _depth(data: Any) -> int:
    """How deep lists are nested, as the first elements tell."""
    depth = 0
    while isinstance(data, (list, tuple)):
        depth, data = depth + 1, data[0] if data else None
    return depth


def _numbers(data: Any, depth: int, typed: set[DType]) -> Any:
    """The sequences with numbers or arrays in place of tensors; dtypes that elements bring are noted as `typed`."""
    if isinstance(data, (list, tuple)):
        bare = {int, float, bool}.issuperset(map(type, data))
        return data if bare else [_numbers(element, depth - 1, typed) for element in data]
    if is_tensor(data):
        if depth == 0 and data.array.size != 1:
            raise ValueError(
                f"Tensor: a tensor of shape {tuple(data.array.shape)} among numbers; only one element tensors can be "
                "converted to Python scalars; use stack() or cat()"
            )
        data = data.array if depth else data.array.reshape(())[()]
    if isinstance(data, (np.ndarray, np.generic)):
        typed.add(data.dtype)
    return data


def as_plain(value: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return value.array if is_tensor(value) else value


def unify(op: type[Op], arrays: list[Any]) -> None:
    """Bring the inputs of an op to a common dtype, in the list itself."""
    chosen: Sequence[int] = range(len(arrays)) if op.variadic or not op.constant else op.places
    first = arrays[0].dtype if type(arrays[0]) is np.ndarray else None
    same = first is FLOAT32 or first is FLOAT64
    if same:
        for k in chosen:
            kind = type(arrays[k])
            if kind is np.ndarray:
                same = same and arrays[k].dtype is first
            elif kind is not int and kind is not float:
                same = False
    if same:
        return
    dtype = common_dtype([arrays[k] for k in chosen], op.floating)
    for k in chosen:
        if isinstance(arrays[k], (np.ndarray, np.generic)) and arrays[k].dtype != dtype:
            arrays[k] = np.asarray(arrays[k]).astype(dtype)
        elif op.variadic and not isinstance(arrays[k], np.ndarray):
            arrays[k] = np.asarray(arrays[k], dtype)
    if not any(isinstance(arrays[k], np.ndarray) for k in chosen):
        arrays[chosen[0]] = np.asarray(arrays[chosen[0]], dtype)
