"""Memory as programs ask for it: a storage to look at, and copies that share what was shared."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.core.storage import View, count_with, outside, owner, start
from tinygrad_cnn.core.types import ArrayLike, NDArray, Shape
from tinygrad_cnn.ops.views import Strided, row_of
from tinygrad_cnn.tensor.arrays import as_array


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


def apart(array: NDArray) -> NDArray:
    """The same memory with a version of its own: a write through one of the two is not noted for the other."""
    row = row_of(owner(array))
    if row is None or not array.size:
        return np.asarray(array.data)
    behind = np.asarray(row.data)  # behind a memoryview the chain of bases ends, and so does `owner`
    return np.ndarray(array.shape, array.dtype, behind, start(array) - start(row), array.strides)


def instead(array: NDArray, before: NDArray) -> NDArray:
    """Memory for a tensor that lay elsewhere: its writes count on, together with those of its views there."""
    array = apart(array)
    count_with(owner(array), before)
    return array


def give(tensor: Any, array: NDArray) -> None:
    """Let a tensor lie in other memory.

    A view stays one of the same part of its base. In another shape it is no longer that, but the part that begins and
    steps in the memory of the base as the array does in its own.
    """
    shape, view = tensor.array.shape, tensor.view_of
    tensor.array = instead(array, tensor.array)
    if tensor.base is None:
        tensor.view_of = outside(array)
    elif array.shape != shape:
        base = tensor.base
        steps = tuple(step // base.array.itemsize for step in base.array.strides)
        offset = tensor.storage_offset() - base.storage_offset() if array.size else 0
        part = {"size": array.shape, "stride": tensor.stride(), "offset": offset, "steps": steps}
        tensor.view_of = View(base, Strided, part)
        tensor.view_of.refusal = view.refusal


def fresh(data: ArrayLike, dtype: Any) -> NDArray:
    """A copy that lies as the data lie; in the order of its indices where elements share a place."""
    array, seen = as_array(data, dtype), getattr(data, "array", data)
    return np.array(array, order="C" if isinstance(seen, np.ndarray) and 0 in seen.strides else "K")


def beneath(array: NDArray) -> NDArray | None:
    """The row of elements that an array is a window on, if the window may show some of them twice; else None."""
    length, twice = 1, False
    for step, n in sorted((step // array.itemsize, n) for step, n in zip(array.strides, array.shape, strict=True)):
        twice = twice or (n > 1 and step < length)
        length += (n - 1) * step
    if not array.size or not twice or min(array.strides) < 0:
        return None
    return np.array(np.lib.stride_tricks.as_strided(array, (length,), (array.itemsize,)))


def window(kind: Any, row: NDArray, shape: Shape, strides: Shape, requires_grad: bool) -> Any:
    """A tensor that is a window on a row of elements: what was pickled of one that shows some of them twice."""
    return kind(np.ndarray(shape, row.dtype, row, 0, strides), requires_grad)


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
