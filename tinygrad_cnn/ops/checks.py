"""The checks that stand at the public doors of ops: axes, sizes, dtypes. Each raises and names the op."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from tinygrad_cnn.core.checks import check_numbers, dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError, PlaceError
from tinygrad_cnn.core.types import Array, DType, NDArray, Pair, Shape
from tinygrad_cnn.ops.told import decided
from tinygrad_cnn.torch_names.dtypes import dtype_named


def check_mask(op: str, mask: Array) -> None:
    """DTypeError unless the mask is one of booleans."""
    if dtype_of(mask).kind != "b":
        raise DTypeError(f"{op}: mask has dtype {dtype_of(mask)}; expected booleans: mask != 0, or mask.bool()")


def check_pair(op: str, name: str, value: Any, smallest: int) -> Pair:
    """(vertical, horizontal) of a number or a pair, each a whole number of at least `smallest`."""
    kind = type(value)
    if kind is int and value >= smallest:
        return value, value
    if kind is tuple and len(value) == 2 and type(value[0]) is type(value[1]) is int and min(value) >= smallest:
        return value
    return cast(Pair, check_each(op, name, value, 2, smallest))


COUNTS = {1: "an integer", 2: "an integer or a pair of integers", 3: "an integer or three integers"}


def check_each(op: str, name: str, value: Any, dims: int, smallest: int) -> tuple[int, ...]:
    """A whole number for each dim, of one number or of several, each at least `smallest`."""
    several = isinstance(value, Sequence) and not isinstance(value, str)
    parts: list[Any] = list(value) if several else [value]
    if len(parts) == 1:
        parts = parts * dims
    whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in parts)
    if len(parts) != dims or not whole:
        refusal = ArgumentError if whole else DTypeError
        raise refusal(f"{op}: {name} must be {COUNTS[dims]}, not {value!r}")
    if min(parts) < smallest:
        raise ArgumentError(f"{op}: {name} is {value!r}; it must be at least {smallest}")
    return tuple(map(int, parts))


def check_triple(op: str, name: str, value: Any, smallest: int) -> tuple[int, int, int]:
    """(depth, height, width) of a number or three, each a whole number of at least `smallest`."""
    return cast(tuple[int, int, int], check_each(op, name, value, 3, smallest))


def check_ndim(op: str, name: str, value: Any, expected: tuple[int, ...], layout: str) -> None:
    """The array has one of the expected numbers of axes."""
    check_dims(op, name, shape_of(value), expected, layout)


def check_dims(op: str, name: str, shape: Shape, expected: tuple[int, ...], layout: str) -> None:
    """The shape has one of the expected numbers of axes."""
    if len(shape) not in expected:
        allowed = " or ".join(str(n) for n in expected)
        raise ArgumentError(f"{op}: {name} has shape {shape}; expected {allowed} dims, {layout}")


def check_dtype(op: str, dtype: Any) -> DType:
    """The dtype that a value names."""
    try:
        wanted: DType = np.dtype(dtype_named(dtype))
    except DTypeError as error:
        raise DTypeError(f"{op}: {error}") from None
    except TypeError:
        raise TypeError(f"{op}: {dtype!r} is no dtype; give one such as float64 (the only device is 'cpu')") from None
    return wanted


def check_floating(op: str, name: str, value: Array) -> None:
    """The array holds floating-point numbers."""
    dtype = dtype_of(value)
    if dtype.kind not in "fc":
        check_numbers(op, value)
        raise DTypeError(f"{op}: {name} has dtype {dtype}; expected a floating dtype, convert it with .float()")


def check_matrices(op: str, name: str, value: Array, *, square: bool = False) -> Shape:
    """The shape of matrices (..., m, n) or, if `square`, (..., n, n), of float32 or float64: LAPACK has no others."""
    shape, dtype = shape_of(value), dtype_of(value)
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        expected = "square matrices (..., n, n)" if square else "matrices (..., m, n)"
        raise ArgumentError(f"{op}: {name} has shape {shape}; expected {expected}")
    if dtype.kind != "f" or dtype.itemsize < 4:
        raise DTypeError(f"{op}: {name} has dtype {dtype}; expected float32 or float64, convert it with .float()")
    return shape


def check_same_dtype(op: str, *values: Any) -> None:
    """All Tensors among the values have one dtype: products of matrices promote none."""
    dtypes = [dtype for value in values if (dtype := getattr(value, "array_dtype", None)) is not None]
    for dtype in dtypes:
        if dtype is not dtypes[0] and dtype != dtypes[0]:
            listed = " and ".join(str(d) for d in dtypes)
            wide = {"float32"} < {str(d) for d in dtypes}  # data of NumPy, or bytes, and float32 weights
            convert = "convert the data to float32, with .float()" if wide else "convert one with .to(dtype)"
            raise DTypeError(f"{op}: the inputs have dtypes {listed}; they must be equal, {convert}")


def check_integer(op: str, name: str, value: Array) -> None:
    """The array holds integers."""
    dtype = dtype_of(value)
    if dtype.kind not in "iu":
        raise DTypeError(f"{op}: {name} has dtype {dtype}; expected integers, convert it with .long()")


def fitted(op: str, value: Any, dtype: DType) -> NDArray:
    """Python's numbers as an array of this dtype; ArgumentError if one is beyond its range.

    Negative bytes are taken modulo 256, fractions become integers by leaving them out: as PyTorch does it.
    """
    array = np.asarray(value)
    beyond: Any = False
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        lowest = -int(limits.max) if dtype.kind == "u" and array.dtype.kind in "iu" else limits.min
        beyond = ~((array >= lowest) & (array <= limits.max))
    elif dtype.kind == "f" and dtype != np.float64 and array.dtype.kind in "iuf":
        beyond = np.isfinite(array) & (np.absolute(array) > float(np.finfo(dtype).max))
    if np.any(beyond):
        number = array[beyond].flat[0] if array.ndim else array
        raise ArgumentError(f"{op}: value {number} cannot be converted to type {dtype.name} without overflow")
    return np.asarray(array.astype(dtype))


def check_range(op: str, name: str, indices: Array, size: int, *, lowest: int = 0, fix: str = "") -> None:
    """Every index lies in [lowest, size)."""
    values = np.asarray(indices)
    if not decided(_lie_within, values, lowest, size):
        bad = values[(values < lowest) | (values >= size)].flat[0]
        raise PlaceError(f"{op}: {name} contains {bad}; valid are {lowest} to {size - 1}{fix}")


def _lie_within(values: NDArray, lowest: int, size: int) -> bool:
    return not values.size or bool(values.min() >= lowest and values.max() < size)
