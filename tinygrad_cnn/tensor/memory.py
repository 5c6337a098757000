"""Memory as programs ask for it: a storage to look at, and copies in which what was shared is shared again."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.core.storage import owner, start
from tinygrad_cnn.core.types import DType, NDArray, Shape


class UntypedStorage:
    """The memory that a tensor is a window on, in bytes."""

    def __init__(self, memory: NDArray) -> None:
        self._memory = memory

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return start(self._memory)

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._memory.nbytes

    size = __len__ = nbytes

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.nbytes()} bytes at {self.data_ptr():#x}>"


def storage_of(array: NDArray) -> UntypedStorage:
    """The storage of an array."""
    return UntypedStorage(owner(array))


def row_of(memory: NDArray) -> NDArray | None:
    """The bytes of memory without gaps, as one row; None if it has gaps."""
    lying = memory if memory.flags.c_contiguous else memory.T
    return lying.reshape(-1).view(np.uint8) if lying.flags.c_contiguous else None


def place_in(array: NDArray, memory: NDArray) -> tuple[DType, int, Shape, Shape]:
    """How an array lies in memory: dtype, offset, shape and strides, in bytes."""
    return array.dtype, start(array) - start(memory), array.shape, array.strides


def window(row: Any, dtype: DType, offset: int, shape: Shape, strides: Shape) -> NDArray:
    """An array that lies so in a row of bytes; ValueError if it would reach beyond."""
    return np.ndarray(shape, dtype, row, offset, strides)


def copied(array: NDArray, memo: dict[Any, Any]) -> NDArray:
    """A copy for `deepcopy`: of the whole storage, once, and of every tensor there a window on that."""
    memory = owner(array)
    key = "storage", start(memory), memory.nbytes
    if row_of(memory) is None or not array.size:
        return np.array(array)
    if key not in memo:
        memo[key] = np.array(memory)
        memo.setdefault(id(memo), []).append(memory)  # as deepcopy does: alive, so that nothing else gets its address
    copy = memo[key]
    return copy if array is memory else window(row_of(copy), *place_in(array, memory))


def taken_apart(array: NDArray) -> tuple[Any, ...]:
    """What pickle needs to make an array again that shares memory with others of the same pickle."""
    memory = owner(array)
    if memory is array or row_of(memory) is None or not array.size:
        return (array,)
    return (memory, *place_in(array, memory))


def put_together(memory: NDArray, *place: Any) -> NDArray:
    """The array that was taken apart."""
    return window(row_of(memory), *place) if place else memory
