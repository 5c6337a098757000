"""The arrays beneath tensors: made of Python's data, brought to a common dtype. Knows a Tensor by its protocol."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.promotion import FLOAT64, default
from tinygrad_cnn.core.storage import in_order
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import ArrayLike, DType, NDArray
from tinygrad_cnn.ops.checks import fitted


def is_tensor(obj: Any) -> bool:
    """Whether an object is a Tensor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_tensor(tg.tensor([1.0])), tg.is_tensor([1.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


def as_array(data: ArrayLike, dtype: Any) -> NDArray:
    """The array of a Tensor, an array or nested sequences; Python floats become the default dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn.tensor import as_array
    >>> as_array([1.0, 2.0], None), as_array([1, 2], np.float64)
    (array([1., 2.], dtype=float32), array([1., 2.]))
    """
    if is_tensor(data):
        array = in_order(data)
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data) if data.size else np.array(data)  # which shares nothing, and no writes
    else:
        array = from_python(data, None if dtype is None else np.dtype(dtype))
        if dtype is not None and np.dtype(dtype).kind in "iu":
            array = fitted("tensor", array, np.dtype(dtype))
        elif array.dtype == np.uint64 or array.dtype.kind == "O":  # integers beyond int64
            check_all_numbers(array)
            array = fitted("tensor", array, np.dtype(np.int64))
    if dtype is not None:
        array = array.astype(dtype, copy=False)
    if array.dtype.kind not in "biuf":
        strings = "; give each word a number before" if array.dtype.kind in "US" else ""
        raise TypeError(f"Tensor: dtype {array.dtype} is not supported; expected numbers or booleans{strings}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_all_numbers(array: NDArray) -> None:
    """TypeError if an array of objects holds something else than numbers: None, most often."""
    for part in array.flat:
        if not isinstance(part, (int, float, np.number)):
            kind = type(part).__name__
            raise TypeError(f"tensor: {part!r:.40} of type {kind} is among the numbers; leave it out, or use nan")


def from_python(data: Any, dtype: DType | None) -> NDArray:
    """Nested sequences of numbers as an array; if no dtype is given and none brings one, floats are of the default's.

    As in PyTorch, a tensor among numbers is one: it has one element, whatever its shape.
    """
    typed: set[DType] = set()
    plain = _numbers(data, _depth(data), typed)
    try:
        array = np.array(plain)
    except ValueError as error:
        raise ValueError(
            f"Tensor: the nested sequences have different lengths ({error}); make a tensor of each, and pad them with "
            "nn.utils.rnn.pad_sequence"
        ) from None
    untyped = dtype is None and array.dtype == FLOAT64 and FLOAT64 not in typed
    return array.astype(default.dtype) if untyped else array


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
    """The array of a Tensor; anything else as it is.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.tensor import as_plain
    >>> as_plain(tg.tensor([1.0])), as_plain("text")
    (array([1.], dtype=float32), 'text')
    """
    return value.array if is_tensor(value) else value
