"""Making tensors: of values, of constants, of ranges, of random numbers. PyTorch's names and defaults."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.promotion import get_default_dtype
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor, as_array
from tinygrad_cnn.types import ArrayLike, DType, NDArray, Shape


def tensor(data: ArrayLike, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of the data; Python floats become the default dtype, float32.

    >>> tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    return Tensor(np.array(as_array(data, dtype)), requires_grad=requires_grad)


def as_tensor(data: ArrayLike, dtype: Any = None) -> Tensor:
    """A tensor of the data, sharing memory where that is possible; a Tensor is returned as it is."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.astype(dtype)
    return Tensor(data, dtype=dtype)


def from_numpy(ndarray: NDArray) -> Tensor:
    """A tensor that shares the memory of an array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}; use tensor() to copy")
    return Tensor(ndarray)


def _size(op: str, size: tuple[Any, ...]) -> Shape:
    sizes = tuple(size[0]) if len(size) == 1 and isinstance(size[0], Sequence) else size
    if any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0 for n in sizes):
        raise ValueError(f"{op}: size {sizes} must be made of integers of at least 0")
    return tuple(int(n) for n in sizes)


def _dtype(dtype: Any) -> DType:
    return get_default_dtype() if dtype is None else np.dtype(dtype)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of this shape."""
    return Tensor(np.zeros(_size("zeros", size), _dtype(dtype)), requires_grad=requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of this shape."""
    return Tensor(np.ones(_size("ones", size), _dtype(dtype)), requires_grad=requires_grad)


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory of this shape, with whatever it holds."""
    return Tensor(np.empty(_size("empty", size), _dtype(dtype)), requires_grad=requires_grad)


def full(size: Sequence[int], fill_value: float, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One value in every place; its kind decides the dtype."""
    kind = as_array(fill_value, dtype).dtype
    return Tensor(np.full(_size("full", (size,)), fill_value, kind), requires_grad=requires_grad)


def arange(start: float, end: float | None = None, step: float = 1, *, dtype: Any = None) -> Tensor:
    """Numbers from start (0 if only one is given) up to but without end."""
    first, last = (0, start) if end is None else (start, end)
    if step == 0:
        raise ValueError("arange: step is 0; it must not be")
    values = np.arange(first, last, step)
    if values.dtype.kind == "f" and dtype is None:
        dtype = get_default_dtype()
    return Tensor(values, dtype=dtype)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None) -> Tensor:
    """`steps` evenly spaced numbers from start to end, both included."""
    return Tensor(np.linspace(start, end, steps), dtype=_dtype(dtype))


def eye(n: int, m: int | None = None, *, dtype: Any = None) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix."""
    return Tensor(np.eye(n, m), dtype=_dtype(dtype))


def rand(*size: Any, dtype: Any = None, generator: Generator | None = None, requires_grad: bool = False) -> Tensor:
    """Numbers drawn evenly from [0, 1)."""
    drawn = (generator or default_generator).uniform(_size("rand", size), _dtype(dtype))
    return Tensor(drawn, requires_grad=requires_grad)


def randn(*size: Any, dtype: Any = None, generator: Generator | None = None, requires_grad: bool = False) -> Tensor:
    """Numbers drawn from the standard normal distribution."""
    drawn = (generator or default_generator).normal(_size("randn", size), _dtype(dtype))
    return Tensor(drawn, requires_grad=requires_grad)


def randint(low: int, high: int, size: Sequence[int], *, generator: Generator | None = None) -> Tensor:
    """Integers drawn evenly from low up to but without high, int64."""
    if low >= high:
        raise ValueError(f"randint: low {low} must be less than high {high}")
    return Tensor((generator or default_generator).integers(low, high, _size("randint", (size,))))


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """The numbers 0 to n-1 in random order."""
    return Tensor(np.array((generator or default_generator).permutation(n), np.int64))


def zeros_like(input: Tensor, *, dtype: Any = None) -> Tensor:
    """Zeros in the shape and dtype of another tensor."""
    return Tensor(np.zeros(input.shape, dtype or input.dtype))


def ones_like(input: Tensor, *, dtype: Any = None) -> Tensor:
    """Ones in the shape and dtype of another tensor."""
    return Tensor(np.ones(input.shape, dtype or input.dtype))


def full_like(input: Tensor, fill_value: float, *, dtype: Any = None) -> Tensor:
    """One value in the shape and dtype of another tensor."""
    return Tensor(np.full(input.shape, fill_value, dtype or input.dtype))


def randn_like(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Standard normal numbers in the shape and dtype of another tensor."""
    return randn(*input.shape, dtype=input.dtype, generator=generator)


def rand_like(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Evenly drawn numbers in the shape and dtype of another tensor."""
    return rand(*input.shape, dtype=input.dtype, generator=generator)


def allclose(
    input: ArrayLike, other: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether ``|input - other| <= atol + rtol |other|`` everywhere."""
    return np.allclose(as_array(input, None), as_array(other, None), rtol, atol, equal_nan)


def equal(input: ArrayLike, other: ArrayLike) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    return np.array_equal(as_array(input, None), as_array(other, None))
