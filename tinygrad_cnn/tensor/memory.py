"""Memory as programs ask for it: a storage to look at, and copies that share what was shared."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.core.storage import owner, start
from tinygrad_cnn.core.types import NDArray


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


def whole(array: NDArray) -> NDArray:
    """The memory that an array lies in, seen through `.data`, whose memory has a version of its own, too."""
    memory = owner(array)
    base: Any = memory.base  # NumPy's types know arrays only
    while isinstance(base, memoryview) and isinstance(base.obj, np.ndarray):
        memory = owner(base.obj)
        base = memory.base
    return memory


def storage_of(array: NDArray) -> UntypedStorage:
    """The storage of an array."""
    return UntypedStorage(whole(array))


def row_of(memory: NDArray) -> NDArray | None:
    """The bytes of memory without gaps, as one row; None if it has gaps."""
    lying = memory if memory.flags.c_contiguous else memory.T
    return lying.reshape(-1).view(np.uint8) if lying.flags.c_contiguous else None


def copied(array: NDArray, memo: dict[Any, Any]) -> NDArray:
    """A copy for `deepcopy`: of the whole storage, once, and of every tensor there a window on that."""
    memory = whole(array)
    key = "storage", start(memory), memory.nbytes
    if row_of(memory) is None or not array.size:
        return np.array(array)
    if key not in memo:
        memo[key] = np.array(memory)
        memo.setdefault(id(memo), []).append(memory)  # as deepcopy does: alive, so that nothing else gets its address
    copy = memo[key]
    if array is memory:
        return copy
    return np.ndarray(array.shape, array.dtype, row_of(copy), start(array) - start(memory), array.strides)
