"""A tape: what one call of a function did, as a list of calls on arrays. No tensors, and no graph."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray

INPUT = "input"
"""An array that was given to the function."""
TENSOR = "tensor"
"""That of a tensor that was there before the call: a parameter, a buffer."""
GRAD = "grad"
"""That of the `.grad` of a leaf, at that moment."""
CONSTANT = "constant"
"""Made in the call of numbers and shapes alone."""
FOUND = "found"
"""An array of which nobody told: it has to be the same object in each call."""
MADE = "made"
"""What a step of the tape makes."""
OBJECT = "object"
"""The same, where it is no array: what `Op.aside` keeps, which may be None in one call and a tuple in the next."""


class Slot:
    """An array of a tape: the one that it was when the tape was recorded, and where it comes from."""

    __slots__ = ("array", "kind", "number", "source")

    def __init__(self, number: int, kind: str, array: NDArray, source: Any = None) -> None:
        self.number, self.kind, self.array, self.source = number, kind, array, source

    def __repr__(self) -> str:
        return f"v{self.number}"


CALL = "call"
"""`outs` are what the function returns."""
WRITE = "write"
"""``args[0][place] = args[1]``; `source` is a tensor whose memory others see, or None."""
ACCUMULATE = "accumulate"
"""The first argument is added to the `.grad` of `source`."""
SET_GRAD = "set_grad"
"""The `.grad` of `source` becomes a tensor of the first argument, or None."""
FETCH = "fetch"
"""`outs[0]` is the array of the `.grad` of `source`."""
EFFECT = "effect"
"""The function is called for what it does: a step of an optimiser."""
GUARD = "guard"
"""The function gave `source`; if it gives something else the tape does not hold."""


class Step:
    """One entry of a tape. Arrays stand in `args` and `options` as slots."""

    __slots__ = ("args", "function", "kind", "options", "outs", "source")

    def __init__(
        self,
        kind: str,
        function: Any = None,
        args: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
        outs: tuple[Slot, ...] = (),
        source: Any = None,
    ) -> None:
        self.kind, self.function, self.args, self.options = kind, function, args, options or {}
        self.outs, self.source = outs, source

    @property
    def used(self) -> list[Slot]:
        """The slots that it reads."""
        return slots_in((self.args, self.options))

    def __repr__(self) -> str:
        named = getattr(self.function, "__qualname__", getattr(self.function, "__name__", self.function))
        return f"{self.kind} {self.outs} = {named}{self.args} {self.options}"


class Tape:
    """The steps of one call, its inputs and outputs, and what has to hold so that it can be played back."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self.steps: list[Step] = []
        self.inputs: list[Slot] = []
        self.outputs: list[Slot] = []
        self.cotangents: list[Slot] = []
        self.gradients: list[Slot | None] = []
        self.forward_steps = 0
        """How many of the steps are the forward pass, where the backward pass is played apart."""
        self.modules: dict[int, tuple[Any, bool]] = {}
        """The modules that were called, and whether they were in training."""
        self.has_backward = False

    def slot(self, kind: str, array: NDArray, source: Any = None) -> Slot:
        """One more slot."""
        slot = Slot(len(self.slots), kind, array, source)
        self.slots.append(slot)
        return slot


def mapped(tree: Any, function: Callable[[Any], Any]) -> Any:
    """A function of each leaf of what an op is given: of tuples, lists, dicts and slices their parts."""
    if type(tree) is tuple:
        return tuple([mapped(part, function) for part in tree])
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[mapped(part, function) for part in tree])
    if type(tree) is list:
        return [mapped(part, function) for part in tree]
    if type(tree) is dict:
        return {name: mapped(part, function) for name, part in tree.items()}
    if type(tree) is slice:
        return slice(*[mapped(part, function) for part in (tree.start, tree.stop, tree.step)])
    return function(tree)


def leaves(tree: Any) -> list[Any]:
    """The leaves themselves."""
    found: list[Any] = []
    mapped(tree, found.append)
    return found


def slots_in(tree: Any) -> list[Slot]:
    """The slots among the leaves."""
    return [leaf for leaf in leaves(tree) if isinstance(leaf, Slot)]


def users_of(steps: Iterable[Step], outputs: Iterable[Slot]) -> dict[Slot, set[Step | None]]:
    """Of each slot the steps that read it; None for who sees the outputs."""
    users: dict[Slot, set[Step | None]] = {slot: {None} for slot in outputs}
    for step in steps:
        for slot in step.used:
            users.setdefault(slot, set()).add(step)
    return users


# ---- whether two tapes are the same ----------------------------------------------------------------------------------


def difference(first: Tape, second: Tape) -> str | None:
    """What two calls with inputs of one kind did differently: then neither can be played back for the next."""
    if len(first.steps) != len(second.steps):
        return f"it does not do the same each time: {len(first.steps)} steps, then {len(second.steps)}"
    for a, b in zip(first.slots, second.slots, strict=False):
        if a.kind != b.kind or (a.array.shape, a.array.dtype) != (b.array.shape, b.array.dtype):
            return "it does not do the same each time: another shape or kind of array"
        if a.kind == TENSOR and a.source is not b.source:
            return "it uses another tensor each time, which is no argument; pass it as one"
        if a.kind == GRAD and a.source is not b.source:
            return "it uses the gradient of another tensor each time"
        if a.kind == FOUND and a.array is not b.array:
            return f"{a.source or 'something in it'} makes an array in a way that cannot be followed"
        if a.kind == CONSTANT and not _alike(a.array, b.array):
            return f"{a.source or 'something in it'} makes other numbers each time; pass them as an argument"
    for one, other in zip(first.steps, second.steps, strict=True):
        if one.kind != other.kind or not same(one.function, other.function):
            return f"it does not do the same each time: {_named(one)}, then {_named(other)}"
        if not same(one.args, other.args) or not same(one.options, other.options):
            return f"{_named(one)} gets another number or option each time; pass it as a tensor"
        alike = one.kind == WRITE or (same if one.kind == GUARD else operator.is_)(one.source, other.source)
        if [s.number for s in one.outs] != [s.number for s in other.outs] or not alike:
            return f"{_named(one)} does not do the same each time"
    return None


def _named(step: Step) -> str:
    function = step.function
    return str(getattr(function, "__qualname__", getattr(function, "__name__", step.kind))).replace(".forward", "")


def _alike(a: NDArray, b: NDArray) -> bool:
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


def same(a: Any, b: Any) -> bool:
    """Whether two options, or functions, mean the same; slots by their numbers."""
    if a is b:
        return True
    if isinstance(a, Slot) and isinstance(b, Slot):
        return a.number == b.number
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, slice):
        return same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and _alike(a, b)
    code = getattr(a, "__code__", None)
    if code is not None:  # a function that is made anew in each call
        return code is b.__code__ and same(_bound(a), _bound(b))
    try:
        return bool(a == b) or (a != a and b != b)
    except Exception:
        return False


def _bound(function: Any) -> list[Any]:
    """What a function has of its own: the variables around it, and its defaults."""
    return [[cell.cell_contents for cell in function.__closure__ or ()], function.__defaults__]
