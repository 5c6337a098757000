"""What a rule is made of: it is run on symbols, and the calls of NumPy that it makes are written down.

A forward rule, or a derivative, is one step of a tape. Most are a few functions of NumPy. Where these can be followed
they take the place of the step, so that their results can go into memory that is there already, and the Python around
them is done with. Where not, the step stays as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from operator import getitem
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.ops import elementwise
from tinygrad_cnn.playback.gathering import SMALL
from tinygrad_cnn.playback.tape import CALL, CONSTANT, MADE, OBJECT, Slot, Step, Tape, leaves, mapped

MOST_STEPS = 20
"""A rule that makes more calls stays one step."""

FUNCTIONS = {
    np.reshape, np.ravel, np.expand_dims, np.squeeze, np.broadcast_to, np.swapaxes, np.transpose, np.moveaxis, np.sum,
    np.mean, np.prod, np.max, np.min, np.where, np.zeros_like, np.ones_like, np.full_like, np.concatenate, np.stack,
    np.take, np.take_along_axis, np.einsum, np.dot, np.flip, np.roll, np.tile, np.cumsum, np.clip, np.copy, np.tril,
    np.triu, np.diagonal, np.outer, np.trace,
}  # fmt: skip
"""NumPy's functions of arrays whose result has a shape that the arguments' shapes decide."""
SHAPES = {np.shape, np.ndim, np.size, np.result_type}


class Untraceable(Exception):
    """What is done depends on the numbers, or is done by something that is not NumPy."""


class Symbol(NDArrayOperatorsMixin):
    """Stands for an array in a rule."""

    __slots__ = ("array", "slot", "trace")
    __array_priority__ = 1e6

    def __init__(self, trace: Trace, array: NDArray, slot: Slot) -> None:
        self.trace, self.array, self.slot = trace, array, slot

    __class__: Any = property(lambda self: np.ndarray)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if ufunc.nout != 1 or method not in ("__call__", "reduce") or "where" in options:
            raise Untraceable
        function = ufunc if method == "__call__" else ufunc.reduce
        return self.trace.call(function, inputs, options, None if out is None else out[0])

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function in SHAPES:
            return function(*mapped(args, _array))
        if function not in FUNCTIONS or "out" in options:
            raise Untraceable
        if function is np.sum:
            return self.trace.call(np.add.reduce, args, {"axis": None, **options} if len(args) == 1 else options)
        return self.trace.call(function, args, options)

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    itemsize = property(lambda self: self.array.itemsize)
    strides = property(lambda self: self.array.strides)
    flags = property(lambda self: self.array.flags)
    T = property(lambda self: self.trace.call(np.transpose, (self,), {}))

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        if any(isinstance(part, (Symbol, np.ndarray, list)) for part in leaves(index)):
            raise Untraceable
        return self.trace.call(getitem, (self, index), {})

    def reshape(self, *shape: Any) -> Any:
        return self.trace.call(np.reshape, (self, shape[0] if len(shape) == 1 else shape), {})

    def transpose(self, *axes: Any) -> Any:
        return self.trace.call(np.transpose, (self, axes[0] if len(axes) == 1 else axes or None), {})

    def swapaxes(self, one: int, other: int) -> Any:
        return self.trace.call(np.swapaxes, (self, one, other), {})

    def astype(self, dtype: Any, **options: Any) -> Any:
        if options.get("copy") is False and self.array.dtype == dtype:
            return self
        return self.trace.call(_astype, (self, np.dtype(dtype)), {})

    def sum(self, *args: Any, **options: Any) -> Any:
        return np.sum(self, *args, **options)

    def _refused(self, *args: Any, **options: Any) -> Any:
        raise Untraceable

    __bool__ = __float__ = __int__ = __index__ = __iter__ = __setitem__ = __array__ = __contains__ = _refused
    __complex__ = __format__ = __copy__ = __deepcopy__ = __reduce_ex__ = item = tolist = _refused

    def __getattr__(self, name: str) -> Any:
        raise Untraceable


def _astype(array: NDArray, dtype: Any) -> NDArray:
    return array.astype(dtype)


def _array(value: Any) -> Any:
    return value.array if type(value) is Symbol else value


class Trace:
    """The calls of one rule."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.constants: dict[int, Slot] = {}

    def symbol(self, slot: Slot) -> Symbol:
        """A symbol of a slot."""
        return Symbol(self, slot.array, slot)

    def call(self, function: Any, args: tuple[Any, ...], options: dict[str, Any], out: Any = None) -> Any:
        """Call it on the arrays, and write it down."""
        if len(self.steps) >= MOST_STEPS:
            raise Untraceable
        arrays, given = mapped(args, _array), mapped(options, _array)
        if out is not None:
            if type(out) is not Symbol:
                raise Untraceable
            given = {**given, "out": out.array}
        try:
            found = function(*arrays, **given)
        except TypeError as error:
            raise Untraceable from error
        if isinstance(found, np.generic):
            found = np.asarray(found)
        if not isinstance(found, np.ndarray):
            raise Untraceable
        if out is not None:
            slot, made = out.slot, out
        else:
            slot = Slot(-1, MADE, found)
            made = Symbol(self, found, slot)
        written = (slot,) if out is not None else None
        self.steps.append(Step(CALL, function, self._slots(args), self._slots(options), (slot,), written))
        return made

    def _slots(self, tree: Any) -> Any:
        def leaf(value: Any) -> Any:
            if type(value) is Symbol:
                return value.slot
            if isinstance(value, np.ndarray):
                known = self.constants.get(id(value))
                if known is None:
                    known = self.constants[id(value)] = Slot(-1, CONSTANT, value)
                return known
            return value

        return mapped(tree, leaf)


_one_at_a_time = threading.Lock()
rules: Any = elementwise
elementwise_tail, elementwise_refined = rules.tail_of, rules.refined


@contextmanager
def _arrays_are_symbols() -> Iterator[None]:
    """`np.asarray` lets symbols through: kernels call it on what is an array anyway; what is kept aside is a choice."""
    usual = np.asarray

    def asarray(value: Any, *args: Any, **options: Any) -> Any:
        if type(value) is Symbol:
            return value if not args and not options else value.astype(*args, copy=False, **options)
        return usual(value, *args, **options)

    with _one_at_a_time:
        np.asarray = asarray  # type: ignore[assignment]
        rules.tail_of, rules.refined = _tail, _refined
        try:
            yield
        finally:
            np.asarray = usual
            rules.tail_of, rules.refined = elementwise_tail, elementwise_refined


def traced(tape: Tape, step: Step, asides: dict[Slot, Step]) -> list[Step]:
    """The calls that a step is made of, or the step itself. `asides` are the steps that kept something aside before."""
    if step.kind != CALL or step.source or len(step.outs) != 1:
        return [step]
    out = step.outs[0]
    if out.kind == OBJECT:
        asides[out] = step
        return [step]
    if any(slot.kind == OBJECT for slot in step.used):
        together = _with_aside(step, asides)
        if together is None:
            return [step]
        step = together
    trace = Trace()
    try:
        arrays = mapped((step.args, step.options), lambda v: v.array if isinstance(v, Slot) else v)
        wanted = step.function(*arrays[0], **arrays[1])
        with _arrays_are_symbols():
            args, options = mapped((step.args, step.options), lambda v: trace.symbol(v) if isinstance(v, Slot) else v)
            found = step.function(*args, **options)
    except Exception:  # whatever a rule does with a symbol: then it stays one step
        return [step]
    if type(found) is not Symbol or not _equal(found.array, wanted):
        return [step]
    if found.slot.kind != MADE or found.slot.number != -1:  # it returns what it was given
        return [step]
    final = found.slot
    if final.array.shape != out.array.shape or final.array.dtype != out.array.dtype:
        return [step]
    for part in trace.steps:  # the last one makes what the step made
        part.outs = tuple(out if slot is final else slot for slot in part.outs)
        part.args = mapped(part.args, lambda v: out if v is final else v)
        part.options = mapped(part.options, lambda v: out if v is final else v)
        if part.source:
            part.source = tuple(out if slot is final else slot for slot in part.source)
    out.array = final.array
    for slot in [s for part in trace.steps for s in (*part.outs, *part.used) if s.number == -1]:
        if slot.number == -1:
            slot.number = len(tape.slots)
            tape.slots.append(slot)
    return trace.steps


def _with_aside(step: Step, asides: dict[Slot, Step]) -> Step | None:
    """The step with what it gets that was kept aside: that is found only now. It pays where loops are compiled.

    What is kept aside depends on numbers, places and values of a few elements. A loop asks it of each element.
    """
    places = [k for k, value in enumerate(step.args) if isinstance(value, Slot) and value.kind == OBJECT]
    aside = asides.get(step.args[places[0]]) if len(places) == 1 else None
    if aside is None or chosen.name != "numba" or step.outs[0].array.size > SMALL or step.options or aside.options:
        return None
    at, count, rule, keep = places[0], len(step.args) - 1, step.function, aside.function

    def together(*values: Any) -> Any:
        return rule(*values[:at], keep(*values[count:]), *values[at:count])

    return Step(CALL, together, (*step.args[:at], *step.args[at + 1 :], *aside.args), outs=step.outs)


def _tail(function: Any, where: Any, x: Any) -> Any:
    """See `kernels.passes.tail`: of symbols, where the values are another function's, and which."""
    return (where, function(x)) if type(x) is Symbol else elementwise_tail(function, where, x)


def _refined(x: Any, tail: Any) -> Any:
    """See `ops.elementwise.refined`."""
    return np.where(tail[0], tail[1], x) if type(x) is Symbol and tail else elementwise_refined(x, tail)


def _equal(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return (
        a.shape == b.shape
        and a.dtype == b.dtype
        and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
    )
