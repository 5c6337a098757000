"""A function of our Tensors as one of arrays that can be recorded, with its backward pass.

The Tensors are the usual ones. While they compute, each op is written down, by the memory of its result: so a value
stays known through `detach`, `no_grad` and what a `Function` saves. The forward of a `Function`, or of an op that is
not the package's, is written down op by op, as if it had no derivative of its own; the backward pass shows that one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from tinygrad_cnn import autograd
from tinygrad_cnn.autograd.function import Function
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.tensor import Tensor as CoreTensor
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.functions import TensorFunction
from tinygrad_cnn.gradcheck.naming.recording import CannotRecord, Entry, Recorded, Seen, Tape, unrecorded
from tinygrad_cnn.program import recording
from tinygrad_cnn.tensor import Tensor

OWN = __name__.partition(".")[0] + "."
"""Ops of these modules have rules that are right."""


class Writer(recording.Recorder):
    """Is told of every op, as `record` is, and writes it on a tape."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(False, None)
        self.tape = tape
        self.entries: dict[int, Entry] = {}
        self.alive: list[Any] = []
        """Arrays that are known by their ids."""
        self.written = self.muted = False

    def __enter__(self) -> Self:
        self.outer = recording.here.recorder
        recording.begin(self)
        return self

    def __exit__(self, *error: object) -> None:
        recording.end(self.outer)

    # ---- which entry a value is --------------------------------------------------------------------------------------

    def tensor(self, value: Recorded, requires_grad: bool = False) -> Tensor:
        """A Tensor of a recorded value."""
        t = Tensor(np.array(value.entry.value, np.float64), requires_grad=requires_grad)
        self.knows(t.array, value.entry)
        return t

    def knows(self, array: NDArray, entry: Entry) -> None:
        """From now on this array is the value of that entry."""
        self.alive.append(array)
        self.entries[id(array)] = entry

    def entry(self, value: Any) -> Entry:
        """What a value is: an entry that is known, else a constant."""
        array = value.array if isinstance(value, CoreTensor) else value
        found = self.entries.get(id(array)) if isinstance(array, np.ndarray) else None
        if found is None:
            return self.tape.entry(np.array(array) if isinstance(array, np.ndarray) else array)
        if self.written and not _same(found.value, array):
            raise CannotRecord("a value was written through another view of its memory")
        return found

    def value(self, value: Any) -> Recorded:
        """The same as a value that records."""
        return Recorded(self.entry(value), self.tape)

    # ---- what happens ------------------------------------------------------------------------------------------------

    def applied(
        self, op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any], made: Any, began: int, took: int
    ) -> None:
        """An op was applied."""
        if self.muted:
            return
        if self.tape.patch is not None:
            raise CannotRecord("an op has been computed before its option could be exchanged")
        args = [self.entry(v) for v in inputs]
        outputs = [t.array for t in (made if isinstance(made, tuple) else (made,))]
        if any(outputs[0] is getattr(v, "array", v) for v in inputs):
            return
        if not op.__module__.startswith(OWN):
            result = Seen(op.forward, options).run(self.tape, [Recorded(a, self.tape) for a in args])
            parts = list(result) if isinstance(result, tuple) else [result]
            for array, part in zip(outputs, parts, strict=True):
                self.knows(array, self.tape.entry(part))
            return
        tracked = any(a.tracked for a in args) and op.differentiable and outputs[0].dtype.kind == "f"
        e = self.tape.add(op, args, dict(options), outputs[0], tracked)
        self.knows(outputs[0], e)
        e.aux = [self.tape.entry(a) for a in outputs[1:]]
        for array, entry in zip(outputs[1:], e.aux, strict=True):
            self.knows(array, entry)

    def writing(self, target: Any, kind: str, op: str, operands: Any, options: Any) -> Any:
        """A tensor is about to be written."""
        return Write(self, target, kind, operands, options)

    def about_to_write(self, array: NDArray) -> None:
        """Let entries keep the values they have."""
        self.written = True
        for e in self.tape.entries:
            if isinstance(e.value, np.ndarray) and np.may_share_memory(e.value, array):
                e.value = np.array(e.value)

    def enter(self, module: Any) -> None:
        """A module is called: here it is a function as any other."""
        self.stack.append("")

    def seeded(self, starts: Any) -> None:
        """A backward pass begins."""

    def contributed(self, node: Any, k: int, edge: Any, g: Any, d: Any, raw: Any, before: Any, after: Any) -> None:
        """A node sent a gradient on."""


class Write:
    """A write in place: a new entry, of which the memory is the value from then on."""

    def __init__(self, writer: Writer, target: Any, kind: str, operands: Any, options: Any) -> None:
        self.writer, self.target, self.kind, self.operands, self.options = writer, target, kind, operands, options
        self.outermost = not writer.muted
        self.result: Entry | None = None

    def __enter__(self) -> Self:
        writer = self.writer
        if not self.outermost:
            return self
        if self.kind == "turn":
            raise CannotRecord("a tensor takes another shape in place")
        array = self.target.array
        self.old = writer.entries.get(id(array)) or writer.entry(array)
        self.new = [writer.value(v) for v in self.operands]
        writer.about_to_write(array)
        writer.muted = self.kind != "become"
        return self

    def noting(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The function that computes what is written, its argument known as the old value."""

        def noted(old: Any) -> Any:
            self.writer.knows(old.array, self.old)
            result = function(old)
            self.result = self.writer.entry(result)
            return result

        return noted if self.outermost else function

    def __exit__(self, kind: Any, *error: object) -> None:
        writer = self.writer
        if not self.outermost:
            return
        writer.muted = False
        if kind is not None:
            return
        if self.kind != "become":
            whole = Recorded(self.old, writer.tape)
            whole[unrecorded(self.options.get("index", ...))] = self.new[0]
            self.result = whole.entry
        array = self.target.array
        if self.result is None or not _same(self.result.value, array):
            raise CannotRecord("what was written in place is not what was recorded")
        writer.knows(array, self.result)


def _same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")


class OfTensors:
    """What an adapter calls, as a function of arrays, or of recorded values; `vjp` is its backward pass."""

    def __init__(self, adapter: TensorFunction) -> None:
        self.adapter = adapter
        self.floating: list[bool] = []
        """Of each output, whether it has a derivative."""
        names = _inputs(adapter.function)
        parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]
        self.__signature__ = inspect.Signature(parameters)

    def __call__(self, *inputs: Any) -> Any:
        """The floating outputs."""
        tape = _tape(inputs)
        if tape is None:
            outputs = self.adapter.evaluate(inputs)
            self.floating = [y.dtype.kind == "f" for y in outputs]
            return self._given([y for y in outputs if y.dtype.kind == "f"])
        with Writer(tape) as writer:
            return self._given([writer.value(y) for y in self._outputs(writer, inputs)[1]])

    def vjp(self, g: Any, *inputs: Any) -> Any:
        """The gradients."""
        cotangents = list(g) if isinstance(g, tuple) else [g]
        tape = _tape(cotangents)
        if tape is None:
            given = iter(cotangents)
            return self.adapter.vjp(inputs, [next(given) if floating else None for floating in self.floating])
        with Writer(tape) as writer:
            moving, outputs = self._outputs(writer, inputs)
            pairs = [(y, writer.tensor(v)) for y, v in zip(outputs, cotangents, strict=True) if y.requires_grad]
            ys, vs = zip(*pairs, strict=True)
            found = iter(autograd.grad(ys, moving, vs, create_graph=True, allow_unused=True))
            gradients = [next(found) if isinstance(x, Recorded) else None for x in inputs]
            return tuple(None if d is None else writer.value(d) for d in gradients)

    def _outputs(self, writer: Writer, inputs: Sequence[Any]) -> tuple[list[Tensor], list[Tensor]]:
        tensors = [writer.tensor(x, requires_grad=True) if isinstance(x, Recorded) else x for x in inputs]
        outputs = [y for y in self.adapter.outputs(tensors) if y.is_floating_point()]
        return [t for t, x in zip(tensors, inputs, strict=True) if isinstance(x, Recorded)], outputs

    def _given(self, outputs: list[Any]) -> Any:
        return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _tape(values: Sequence[Any]) -> Tape | None:
    return next((v.tape for v in values if isinstance(v, Recorded)), None)


def _inputs(function: Any) -> list[str]:
    """What the inputs are called: in the forward of a `Function` or an op, or in the function itself."""
    owner: Any = getattr(function, "__self__", None)
    kind = owner if isinstance(owner, type) else object
    if issubclass(kind, Op):
        return list(owner.inputs)
    own = issubclass(kind, Function)
    try:
        found = list(inspect.signature(owner.forward if own else function).parameters.values())
    except (TypeError, ValueError):
        return []
    names = [p.name for p in found if p.kind < 2]
    return names[1:] if own and owner.setup_context is Function.setup_context else names
