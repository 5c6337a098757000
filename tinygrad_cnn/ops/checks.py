"""The checks that stand at the public doors of ops: axes, sizes, dtypes. Each raises and names the op."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from tinygrad_cnn.errors import ArgumentError, DTypeError, PlaceError
from tinygrad_cnn.types import Array, Axis, DType, NDArray, Pair, Shape


def shape_of(value: Any) -> Shape:
    """The shape of an array, a Tensor, a number or nested lists."""
    if type(value) is np.ndarray:
        return cast(Shape, value.shape)
    shape = getattr(value, "array_shape", None)  # a Tensor's, as a plain tuple
    if shape is not None:
        return cast(Shape, shape)
    shape = getattr(value, "shape", None)
    return tuple(shape) if shape is not None else np.shape(value)


def dtype_of(value: Any) -> DType:
    """The dtype of an array or Tensor; of anything else, what NumPy would give it."""
    dtype = getattr(value, "array_dtype", None)  # a Tensor's, as NumPy's
    if dtype is None:
        dtype = getattr(value, "dtype", None)
    return np.dtype(dtype) if dtype is not None else np.asarray(value).dtype


def check_axis(op: str, axis: int, ndim: int) -> int:
    """The axis counted from the front; IndexError if the array has no such axis."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"{op}: dim must be an integer, not {axis!r}")
    if not -ndim <= axis < ndim:
        have = f"dims {-ndim} to {ndim - 1}" if ndim else "no dims (it is 0-dimensional)"
        raise IndexError(f"{op}: dim {axis} is out of range; the input has {have}")
    return int(axis) % ndim


def check_axes(op: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes counted from the front, all of them for None; none may come twice."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (int, np.integer)):
        if ndim == 0 and axis in (0, -1):
            return ()  # as in PyTorch, a number may be reduced over its "first" axis
        return (check_axis(op, axis, ndim),)
    if not isinstance(axis, Iterable):
        raise TypeError(f"{op}: dim must be an integer, several of them or None, not {axis!r}")
    axes = tuple(check_axis(op, a, ndim) for a in axis)
    if len(set(axes)) != len(axes):
        raise ArgumentError(f"{op}: dim {tuple(axis)} names one dim twice")
    return axes


def check_pair(op: str, name: str, value: Any, smallest: int) -> Pair:
    """(vertical, horizontal) of a number or a pair, each a whole number of at least `smallest`."""
    kind = type(value)
    if kind is int and value >= smallest:
        return value, value
    if kind is tuple and len(value) == 2 and type(value[0]) is type(value[1]) is int and min(value) >= smallest:
        return value  # type: ignore[no-any-return]
    parts = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value, value)
    if len(parts) == 1:
        parts = parts * 2
    whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in parts)
    if len(parts) != 2 or not whole:
        kind = ArgumentError if whole else TypeError
        raise kind(f"{op}: {name} must be an integer or a pair of integers, not {value!r}")
    if min(parts) < smallest:
        raise ArgumentError(f"{op}: {name} is {value!r}; it must be at least {smallest}")
    return int(parts[0]), int(parts[1])


def check_ndim(op: str, name: str, value: Any, expected: tuple[int, ...], layout: str) -> None:
    """The array has one of the expected numbers of axes."""
    check_dims(op, name, shape_of(value), expected, layout)


def check_dims(op: str, name: str, shape: Shape, expected: tuple[int, ...], layout: str) -> None:
    """The shape has one of the expected numbers of axes."""
    if len(shape) not in expected:
        allowed = " or ".join(str(n) for n in expected)
        raise ArgumentError(f"{op}: {name} has shape {shape}; expected {allowed} dims, {layout}")


def check_broadcast(op: str, *shapes: Shape) -> Shape:
    """The common shape; ValueError if the shapes do not broadcast."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(str(s) for s in shapes)
        raise ArgumentError(
            f"{op}: shapes {listed} do not broadcast; from the right, each pair of sizes must be equal or contain a 1"
        ) from None


def check_numbers(op: str, value: Any) -> NDArray:
    """The value as an array, which must hold numbers or truth values."""
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{op}: got {type(value).__name__} {value!r:.60}; expected a Tensor, an array or a number")
    return array


def check_dtype(op: str, dtype: Any) -> DType:
    """The dtype that a value names."""
    try:
        wanted: DType = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{op}: {dtype!r} is no dtype; give one such as float64 (the only device is 'cpu')") from None
    return wanted


def check_floating(op: str, name: str, value: Array) -> None:
    """The array holds floating-point numbers."""
    dtype = dtype_of(value)
    if dtype.kind not in "fc":
        raise DTypeError(f"{op}: {name} has dtype {dtype}; expected a floating dtype, convert it with .float()")


def check_integer(op: str, name: str, value: Array) -> None:
    """The array holds integers."""
    dtype = dtype_of(value)
    if dtype.kind not in "iu":
        raise DTypeError(f"{op}: {name} has dtype {dtype}; expected integers, convert it with .long()")


def check_range(op: str, name: str, indices: Array, size: int, *, lowest: int = 0) -> None:
    """Every index lies in [lowest, size)."""
    values = np.asarray(indices)
    if values.size and (values.min() < lowest or values.max() >= size):
        bad = values[(values < lowest) | (values >= size)].flat[0]
        raise PlaceError(f"{op}: {name} contains {bad}; valid are {lowest} to {size - 1}")
