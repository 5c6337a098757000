"""The questions that rules and samplers ask of shapes, dtypes and axes. A check raises, and names the op."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import Axis, DType, NDArray, Shape


def shape_of(value: Any) -> Shape:
    """The shape of an array, a Tensor, a number or nested lists."""
    if type(value) is np.ndarray:
        return cast(Shape, value.shape)
    shape = getattr(value, "array_shape", None)  # a Tensor's, as a plain tuple
    return tuple(np.shape(value)) if shape is None else cast(Shape, shape)


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
        return () if ndim == 0 and axis in (0, -1) else (check_axis(op, axis, ndim),)  # a number has a "first" axis
    if not isinstance(axis, Iterable):
        raise TypeError(f"{op}: dim must be an integer, several of them or None, not {axis!r}")
    axes = tuple(check_axis(op, a, ndim or 1) for a in axis)
    if len(set(axes)) != len(axes):
        raise ArgumentError(f"{op}: dim {tuple(axis)} names one dim twice")
    return axes if ndim else ()


def check_broadcast(op: str, *shapes: Shape) -> Shape:
    """The common shape; ValueError if the shapes do not broadcast."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed, rule = " and ".join(str(s) for s in shapes), "each pair of sizes must be equal or contain a 1"
        raise ArgumentError(f"{op}: shapes {listed} do not broadcast; from the right, {rule}") from None


def check_numbers(op: str, value: Any) -> NDArray:
    """The value as an array, which must hold numbers or truth values."""
    if isinstance(value, tuple) and any(hasattr(type(part), "__record__") for part in value):
        raise TypeError(f"{op}: got a tuple of {len(value)}, expected one Tensor; unpack it, as in output, _ = lstm(x)")
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        cause = "; is a return missing in a function?" if value is None else "; call it" if callable(value) else ""
        got = f"{op}: got {type(value).__name__} {value!r:.60}"
        raise TypeError(f"{got}; expected a Tensor, an array or a number{cause}")
    return array
