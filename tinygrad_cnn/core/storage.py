"""Storage: the memory beneath tensors, who sees it, when it was written, and what a view of it remembers.

A tensor is a window (shape, strides, offset) on memory that others may see. NumPy's arrays are such windows already:
the array at the end of the chain of their bases is the storage (`owner`), and a write reaches all who look at it.

* Every write is noted (`note_write`): when, how often, and from which line of a program. The time is that of a clock
  that each write moves. A node remembers when it was recorded; what it saved may not have been written since, and the
  backward pass looks (`saved.check`).
* A `View` says of which tensor another one is a view, and by which ops. History is the base's: where memory was
  written, that of each view of it is made anew from the base, by the same ops (`writing.history`).
"""

import os
import sys
import weakref
from types import CodeType
from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.passes import reshaped

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep  # pathlib takes 5 ms to load
NO_GRAD = "was made under no_grad()"
SEVERAL = "is one of several views that were made at once"


class _Clock:
    now = 0


class Written(weakref.ref[NDArray]):
    """What is known of memory that was written: when last, how often, and where. It is forgotten with the memory."""

    __slots__ = ("count", "key", "place", "time")
    count: int
    key: int
    place: tuple[CodeType, int] | None
    time: int


clock = _Clock()
_written: dict[int, Written] = {}


# ---- memory ----------------------------------------------------------------------------------------------------------


def owner(array: NDArray) -> NDArray:
    """The storage: the array whose memory this is a window on. What shares it shares one version."""
    base: Any = array.base
    while base is not None:
        if not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # what NumPy's `as_strided` puts between
            if not isinstance(base, np.ndarray):
                return array
        array, base = base, base.base
    return array


def start(array: NDArray) -> int:
    """The address of the first element."""
    return int(array.__array_interface__["data"][0])


def in_order(tensor: Any) -> NDArray:
    """The memory of a tensor before others come to see it: in C order, unless they may have seen it already.

    Kernels lay images out as suits them, and element-wise ops keep that. A view is of the order of the indices.
    """
    if tensor.view_of is None and not tensor.array.flags.c_contiguous:
        tensor.array = reshaped(tensor.array, (tensor.array.size,)).reshape(tensor.array.shape)
    array: NDArray = tensor.array
    return array


# ---- writes ----------------------------------------------------------------------------------------------------------


def note_write(array: NDArray) -> None:
    """Say that this array's memory was written in place; call it after the write."""
    clock.now += 1
    note = note_of(owner(array))
    note.time, note.count = clock.now, note.count + 1
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    note.place = None if frame is None else (frame.f_code, frame.f_lasti)


def note_of(memory: NDArray) -> Written:
    """What is known of this memory; it begins here."""
    note = _written.get(id(memory))
    if note is None:
        note = _written[id(memory)] = Written(memory, lambda gone: _written.pop(gone.key, None))
        note.key, note.count, note.time, note.place = id(memory), 0, 0, None
    return note


def count_with(memory: NDArray, other: NDArray) -> None:
    """Let what is written in one memory count as written in another, too: in what a tensor saw before."""
    _written[id(memory)] = note_of(owner(other))
    weakref.finalize(memory, _written.pop, id(memory), None)


def written_since(array: Any, time: int) -> bool:
    """Whether the memory of an array, if it is one, was written after this time."""
    note = _written.get(id(owner(array))) if type(array) is np.ndarray else None
    return note is not None and note.time > time


def version(array: NDArray) -> int:
    """How often this memory was written."""
    return note_of(owner(array)).count


def last_write(array: NDArray) -> str:
    """Where in the user's program this memory was written last: file and line."""
    note = _written.get(id(owner(array)))
    if note is None or note.place is None:
        return "a place that is not known"
    code, at = note.place
    lines = (line for first, last, line in code.co_lines() if first <= at < last and line is not None)
    return f"{code.co_filename}, line {next(lines, code.co_firstlineno)}"


def check_overlap(op: str, target: NDArray) -> None:
    """RuntimeError if elements of what is written share a place."""
    if target.size and any(step == 0 and n > 1 for step, n in zip(target.strides, target.shape, strict=True)):
        raise ArgumentError(
            f"{op}: more than one element of the written-to tensor of shape {target.shape} refers to a single place in "
            "memory, as in what expand() gives; clone() it before writing into it"
        )


# ---- views -----------------------------------------------------------------------------------------------------------


class View:
    """The base of a view, which is no view itself, and the ops that lead from there to it.

    Without a base: memory that others may see whom no tensor knows of.
    """

    __slots__ = ("base", "before", "op", "options", "refusal", "seen", "time")

    def __init__(self, source: Any, op: type[Op], options: dict[str, Any]) -> None:
        before: View | None = getattr(source, "view_of", None)
        if before is not None and before.hidden():
            before = source.view_of = outside(source.array)  # nobody sees its base, so it is one
        self.base: Any = source if before is None or before.base is None else before.base
        self.before: View | None = None if self.base is source else before  # the view of which this is a view
        self.op, self.options, self.seen = op, options, getattr(source, "array", None)
        self.time = clock.now  # when its history was last known to be right
        inherited = None if before is None else before.refusal
        self.refusal: str | None = NO_GRAD if not mode.recording else SEVERAL if op.several else inherited
        """Why a recorded write is refused."""

    def hidden(self) -> bool:
        """Whether the base is a value on the way to this view: nobody else holds it, or a view of it."""
        view, length = self.before, 1
        while view is not None:
            if sys.getrefcount(view) > 3:
                return False
            view, length = view.before, length + 1
        return self.base is not None and self.refusal != SEVERAL and sys.getrefcount(self.base) <= length + 1

    def check(self, op: str) -> None:
        """RuntimeError if its memory may not be written where that is recorded."""
        if self.refusal is not None:
            raise RuntimeError(
                f"{op}: this tensor {self.refusal}, and it or its base is written in place where a gradient is "
                "wanted; use a clone() of it, or write under no_grad(), too"
            )


OUTSIDE = View(None, Op, {})
"""Of a tensor that shares memory with a user's array, or with a tensor whose history it leaves."""


def outside(array: NDArray) -> View | None:
    """What marks memory that others may see, for `in_order`: nothing if it lies in order as it is."""
    return None if array.flags.c_contiguous else OUTSIDE
