"""Writes into arrays that a graph may have saved: noted here, and looked for by the backward pass.

Every write into memory moves a clock. A node remembers the time of its recording; only if the clock has moved
since does the backward pass look at the memory of what the node saved. A recorded write makes new memory instead.
"""

import weakref
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray


class _Clock:
    now = 0


clock = _Clock()
_last_write: dict[int, tuple[int, "weakref.ref[NDArray]"]] = {}


def owner(array: NDArray) -> NDArray:
    """The array whose memory this is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_write(array: NDArray) -> None:
    """Say that this array's memory was written in place; call it after the write."""
    clock.now += 1
    memory = owner(array)
    key = id(memory)
    known = _last_write.get(key)
    reference = known[1] if known is not None else weakref.ref(memory, lambda _: _last_write.pop(key, None))
    _last_write[key] = (clock.now, reference)


def written_since(value: Any, time: int) -> bool:
    """Whether the memory of an array was written after this time."""
    if not isinstance(value, np.ndarray):
        return False
    note = _last_write.get(id(owner(value)))
    return note is not None and note[0] > time
