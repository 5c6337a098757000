"""Writes a `Tape` while a function is called: every op and rule on its arrays, every write, draw and step.

While somebody records, the places of `core/` where tensors compute, are written, and go back are exchanged for ones
that also tell; when nobody does, they are the usual ones. Whatever cannot be followed is a reason not to play the
function back: `Recorder.why` says it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import tinygrad_cnn.core.tensor as core_tensor
import tinygrad_cnn.core.writing as core_writing
import tinygrad_cnn.ops.indexing as ops_indexing
from tinygrad_cnn.core import engine, saved
from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.indexing import GetItem, check_index
from tinygrad_cnn.core.op import PLACE, Op
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.storage import in_order, owner, start
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import Array, DType, NDArray, Shape
from tinygrad_cnn.core.writing import Writable
from tinygrad_cnn.nn.hooks import EVERYWHERE
from tinygrad_cnn.ops.told import told
from tinygrad_cnn.optim.lr_scheduler.scheduler import LRScheduler
from tinygrad_cnn.optim.optimizer import Optimizer
from tinygrad_cnn.playback.tape import (
    ACCUMULATE,
    CALL,
    CONSTANT,
    EFFECT,
    FETCH,
    FOUND,
    GRAD,
    GUARD,
    INPUT,
    MADE,
    OBJECT,
    SET_GRAD,
    TENSOR,
    WRITE,
    Slot,
    Step,
    Tape,
    leaves,
    mapped,
)
from tinygrad_cnn.program import modules
from tinygrad_cnn.random import Generator

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
CREATION = os.path.join(PACKAGE, "tensor", "creation.py")
GIVEN = "tensor", "as_tensor", "asarray", "from_numpy", "from_dlpack", "frombuffer", "from_file"
"""The functions of that file that are given arrays."""
DRAWS = (
    "uniform", "normal", "normal_in_pairs", "integers", "any_integers", "order", "bernoulli", "chances",
    "exponential", "gamma", "dirichlet", "poisson", "binomial",
)  # fmt: skip
READS = "item", "tolist", "numpy", "__bool__", "__float__", "__int__", "__index__", "__contains__", "__array__"


class _Here(threading.local):
    recorder: Recorder | None = None


here = _Here()
_one_at_a_time = threading.RLock()
"""Held while a tape is recorded: the places are exchanged for the whole process."""


# ---- functions of a tape ---------------------------------------------------------------------------------------------


class Settled:
    """A rule whose result is given the shape and dtype of its input, as the engine does it."""

    __slots__ = ("dtype", "rule", "shape")

    def __init__(self, rule: Callable[..., Any], shape: Shape, dtype: DType) -> None:
        self.rule, self.shape, self.dtype = rule, shape, dtype

    @property
    def __name__(self) -> str:
        return self.rule.__qualname__

    def __call__(self, g: Array, *args: Any, **options: Any) -> Array:
        d = self.rule(g, *args, **options)
        if d.shape != self.shape:
            d = unbroadcast(d, self.shape)
        return d if d.dtype == self.dtype else d.astype(self.dtype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Settled):
            return False
        return (self.rule, self.shape, self.dtype) == (other.rule, other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.rule, self.shape))


class AllSettled:
    """The rule that gives all cotangents in one go: those that are wanted, each settled."""

    __slots__ = ("forms", "rule")

    def __init__(self, rule: Callable[..., Any], forms: list[tuple[Shape, DType] | None]) -> None:
        self.rule, self.forms = rule, forms

    @property
    def __name__(self) -> str:
        return self.rule.__qualname__

    def __call__(self, g: Array, *args: Any, **options: Any) -> Any:
        found = zip(self.rule(g, *args, **options), self.forms, strict=True)
        made = [Settled(lambda g: g, *form)(np.asarray(d)) for d, form in found if form is not None]
        return tuple(made) if len(made) > 1 else made[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AllSettled) and (self.rule, self.forms) == (other.rule, other.forms)

    def __hash__(self) -> int:
        return hash(self.rule)


def window(array: NDArray, shape: Shape, strides: Shape, offset: int, dtype: DType) -> NDArray:
    """Another window on the memory of an array, which begins `offset` bytes from where that one does."""
    memory = owner(array)
    begin = start(array) - start(memory) + offset
    lying = memory.transpose(sorted(range(memory.ndim), key=lambda axis: -memory.strides[axis]))
    return np.ndarray(shape, dtype, lying.reshape(-1), begin, strides)


def cast(array: NDArray, dtype: DType) -> NDArray:
    """The array in another dtype."""
    return array.astype(dtype)


def straight(array: NDArray) -> NDArray:
    """The array in C order."""
    return np.ascontiguousarray(array)


def added(a: NDArray, b: NDArray) -> NDArray:
    """The sum of two cotangents."""
    return np.asarray(a + b)


# ---- the recorder ----------------------------------------------------------------------------------------------------


class Recorder:
    """Writes one `Tape`."""

    def __init__(self, inputs: Sequence[NDArray] = ()) -> None:
        self.tape = Tape()
        self.slots: dict[int, Slot] = {}
        self.memory: dict[int, Slot] = {}
        self.born: dict[int, tuple[Any, str]] = {}
        self.leaf_of: dict[int, Any] = {}
        self.asides: dict[int, tuple[Any, Slot]] = {}
        """By what a node saved, what its op kept aside."""
        self.why: str | None = None
        self.inside = 0
        """Not 0 in a rule."""
        self.keeps: list[Any] = []
        """Arrays and their memory, so that no other object gets their ids."""
        self.tape.inputs = [self.new(INPUT, array) for array in inputs]

    def refuse(self, why: str) -> None:
        """It cannot be played back; the first reason is told."""
        if self.why is None:
            self.why = f"{why}{_user_line()}"

    # ---- slots -------------------------------------------------------------------------------------------------------

    def put(self, array: NDArray, slot: Slot) -> Slot:
        """From now on this array is that slot."""
        self.slots[id(array)] = slot
        self.memory.setdefault(id(owner(array)), slot)
        self.keeps.append((array, owner(array)))
        return slot

    def new(self, kind: str, array: NDArray, source: Any = None) -> Slot:
        """A slot of an array."""
        return self.put(array, self.tape.slot(kind, array, source))

    def knows(self, array: Any) -> bool:
        """Whether it is one of the tape's, or a window on one."""
        return id(array) in self.slots or id(owner(array)) in self.memory

    def of_array(self, array: NDArray, origin: str = "", constant: bool = False) -> Slot:
        """The slot of an array."""
        known = self.slots.get(id(array))
        if known is not None:
            return known
        whole = self.memory.get(id(owner(array)))
        if whole is not None and array.size:
            offset = start(array) - start(whole.array)
            if not offset and (array.shape, array.strides, array.dtype) == _form(whole.array):
                self.slots[id(array)] = whole
                self.keeps.append(array)
                return whole
            args = (whole, array.shape, array.strides, offset, array.dtype)
            return self.called(window, args, {}, array)
        return self.new(CONSTANT if constant else FOUND, array, origin)

    def of_tensor(self, tensor: Any) -> Slot:
        """The slot of a tensor's array."""
        array = tensor.array
        known = self.slots.get(id(array))
        if known is not None:
            return known
        leaf = self.leaf_of.get(id(tensor))
        if leaf is not None and leaf._grad is tensor:
            slot = self.new(GRAD, array, leaf)
            self.tape.steps.append(Step(FETCH, outs=(slot,), source=leaf))
            return slot
        if self.knows(array):
            return self.of_array(array)
        held = self.born.get(id(tensor))
        if held is None:
            return self.new(TENSOR, array, tensor)
        return self.of_array(array, held[1], held[1] == "creation")

    def tree(self, value: Any) -> Any:
        """Options of an op with slots in the place of arrays."""

        def leaf(part: Any) -> Any:
            if isinstance(part, np.ndarray):
                return self.of_array(part)
            return self.of_tensor(part) if isinstance(part, Tensor) else part

        return mapped(value, leaf)

    # ---- what happens ------------------------------------------------------------------------------------------------

    def called(self, function: Any, args: tuple[Any, ...], options: dict[str, Any], *found: NDArray) -> Slot:
        """A function of slots gave these arrays."""
        if len(found) == 1 and id(found[0]) in self.slots:  # one that was there: it did nothing
            return self.slots[id(found[0])]
        outs = []
        for array in found:
            known = self.slots.get(id(array))
            outs.append(known if known is not None else self.new(MADE, array))
        self.tape.steps.append(Step(CALL, function, args, options, tuple(outs)))
        return outs[0]

    def decide(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Ask: what is done next depends on it."""
        with self.silence():
            found = function(*args)
        self.tape.steps.append(Step(GUARD, function, self.tree(args), source=found))
        return found

    def make(self, function: Callable[..., Any], args: tuple[Any, ...], drawn: bool, **options: Any) -> Any:
        """Make an array outside the ops, as one step, whatever is drawn in it."""
        with self.silence():
            found = function(*args, **options)
        found = tuple(map(np.asarray, found)) if isinstance(found, tuple) else np.asarray(found)
        outs = tuple(self.new(MADE, part) for part in (found if isinstance(found, tuple) else (found,)))
        self.tape.steps.append(Step(CALL, function, self.tree(args), self.tree(options), outs, drawn))
        return found

    def asked(self, node: Any, rule: Any, place: Any) -> list[Any]:
        """What a rule asks for of what a node saved."""
        op, found = node.op, []
        aside = op.sources.index("aside") if op.aside else None
        for pick in rule.picks:
            if pick == aside:
                known = self.asides.get(id(node.saved))
                if known is None:
                    self.refuse(f"the output of {op.label} is written in place")
                found.append(None if known is None else known[1])
            else:
                found.append(self.tree(place if pick == PLACE else node.saved[pick]))
        return found

    def written(self, target: Any, place: Any, values: Any) -> None:
        """A tensor was written in place."""
        kept = self.tree(values.array if isinstance(values, Tensor) else values)
        slot = self.of_tensor(target)
        self.tape.steps.append(Step(WRITE, None, (slot, kept, self.tree(place)), source=target))

    @contextmanager
    def rule(self) -> Iterator[None]:
        """A rule is computed: it may look at numbers, for it is called again."""
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nothing is written down meanwhile: what happens is one step."""
        here.recorder, told.listener = None, None
        try:
            yield
        finally:
            here.recorder = told.listener = self

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Write down what happens in this thread meanwhile."""
        with _one_at_a_time:
            usual = []
            for place, name, function in _exchanged():
                inherited = name not in vars(place)
                usual.append((place, name, None if inherited else vars(place)[name]))
                setattr(place, name, function)
            here.recorder = told.listener = self
            modules.route(_module_called)
            profile = sys.getprofile()
            sys.setprofile(_looks)
            try:
                yield
            finally:
                sys.setprofile(profile)
                here.recorder = told.listener = None
                modules.route(None)
                for place, name, before in reversed(usual):
                    if before is None:
                        delattr(place, name)
                    else:
                        setattr(place, name, before)


LOOKS = "any", "all", "item", "tolist", "nonzero", "min", "max", "argmax", "argmin", "count_nonzero"
"""What asks for numbers, or makes of them what Python can ask."""


def _looks(frame: Any, event: str, called: Any) -> None:
    """A profile function: the package may look at numbers only in rules, and where it tells what it decides."""
    recorder = here.recorder
    if event != "c_call" or recorder is None or recorder.inside:
        return
    of = getattr(called, "__self__", None)
    if called.__name__ in LOOKS and isinstance(of, np.ndarray) and of.size:
        name = called.__name__
    elif called.__name__ == "reduce" and of in (np.logical_or, np.logical_and):
        name = "any or all"
    else:
        return
    while frame is not None and not frame.f_code.co_filename.startswith(PACKAGE):
        if "numpy" not in frame.f_code.co_filename:
            return  # the user's own array
        frame = frame.f_back
    if frame is not None:
        recorder.refuse(f"{frame.f_code.co_name}() looks at numbers ({name}), on which what is done next may depend")


def _form(array: NDArray) -> Any:
    return array.shape, array.strides, array.dtype


def _user_line() -> str:
    """Where in the user's program this happens."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return "" if frame is None else f" ({os.path.basename(frame.f_code.co_filename)}, line {frame.f_lineno})"


def _origin() -> str:
    """The function, outside `core/`, in which a tensor is made: "creation" of those that make one of numbers."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        name = frame.f_code.co_filename
        if name == CREATION:
            return "creation"
        if not name.startswith((os.path.join(PACKAGE, "core"), os.path.join(PACKAGE, "playback"))):
            return str(frame.f_code.co_name)
        frame = frame.f_back
    return "this program"


def _module_called(module: Any, call: Callable[[], Any]) -> Any:
    recorder = here.recorder
    if recorder is not None:
        recorder.tape.modules[id(module)] = (module, module.training)
        if EVERYWHERE.any() or (module._call_hooks is not None and module._call_hooks.any()):
            recorder.refuse(f"a hook of {type(module).__name__} is called")
    return call()


class RecordedPass(engine.Pass):
    """A backward pass that tells what its rules compute."""

    def run(self, starts: Any) -> Any:
        """As usual; the cotangent 1 of a loss is made here."""
        recorder = here.recorder
        for _, g in starts:
            if recorder is not None and isinstance(g, np.ndarray) and not recorder.knows(g):
                recorder.new(CONSTANT, g)
        return super().run(starts)

    def arrive(self, edge: Any, g: Array) -> None:
        """As usual; hooks would be called with other arrays."""
        recorder = here.recorder
        if recorder is not None and edge.hooks:
            recorder.refuse("a hook is called in the backward pass")
        super().arrive(edge, g)

    def derivative(self, node: Node, k: int, g: Array) -> Array:
        """As usual, and tell it."""
        recorder = here.recorder
        if recorder is None or self.alias is not None:
            return super().derivative(node, k, g)
        with recorder.rule():
            d = super().derivative(node, k, g)
        op = node.op
        rule: Any = op.rules[0 if op.variadic else k]
        function = Settled(rule.function, d.shape, d.dtype)
        recorder.called(function, (recorder.tree(g), *recorder.asked(node, rule, k)), _options(recorder, node, rule), d)
        return d

    def add(self, edge: Any, d: Array, fresh: bool) -> None:
        """As usual, never in place."""
        known = self.cotangents.get(edge)
        super().add(edge, d, False)
        self.own.discard(edge)
        recorder = here.recorder
        if known is not None and recorder is not None and self.alias is None:
            recorder.called(added, recorder.tree((known, d)), {}, self.cotangents[edge])


def _options(recorder: Recorder, node: Any, rule: Any) -> Any:
    return recorder.tree({name: node.options[name] for name in rule.options if name in node.options})


def _exchanged() -> list[tuple[Any, str, Any]]:
    """The places, and what stands there while somebody records."""
    record, wrap, pack, compute = Tensor.__record__, Tensor.wrap, saved.pack, core_tensor.computed
    accumulate, retain, write, setitem = Tensor.accumulate, Tensor.retain, Writable.write, Writable.__setitem__
    records = Writable.records_write
    run, together = engine.gradients, engine.together
    given: list[tuple[Any, ...]] = []

    def recorded(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        recorder = here.recorder
        if recorder is None:
            return record(op, inputs, options)
        given.append(tuple(recorder.of_tensor(v) if isinstance(v, Tensor) else v for v in inputs))
        try:
            return record(op, inputs, options)
        finally:
            given.pop()

    def computed(op: type[Op], arrays: list[Any], options: dict[str, Any]) -> Any:
        recorder = here.recorder
        if recorder is None:
            return compute(op, arrays, options)
        with recorder.rule():
            result, aux = compute(op, arrays, options)
        if op is GetItem and any(isinstance(v, np.ndarray) and v.dtype == bool for v in leaves(options["index"])):
            recorder.refuse("a boolean index takes as many elements as are True")
        args = [_argument(recorder, array, slot) for array, slot in zip(arrays, given[-1], strict=True)]
        function = op.forward
        outs = [np.asarray(part) for part in aux]
        recorder.called(function, tuple(args), recorder.tree(options), result, *outs)
        return result, tuple(outs)

    def packed(op: type[Op], arrays: list[Any], output: Any, aux: tuple[Any, ...]) -> tuple[Any, ...]:
        recorder = here.recorder
        if recorder is None:
            return pack(op, arrays, output, aux)
        with recorder.rule():
            kept = pack(op, arrays, output, aux)
        if recorder is not None and op.aside:
            slot = recorder.tape.slot(OBJECT, np.empty(0))
            recorder.tape.steps.append(Step(CALL, op.aside, recorder.tree((output, *arrays)), outs=(slot,)))
            recorder.asides[id(kept)] = kept, slot
        return kept

    def wrapped(array: Any) -> Any:
        out = wrap(array)
        recorder = here.recorder
        if recorder is not None and out is not array and not recorder.knows(array):
            recorder.born[id(out)] = out, _origin()
        return out

    def accumulated(self: Any, gradient: Any, owned: bool) -> None:
        recorder = here.recorder
        if recorder is None:
            return accumulate(self, gradient, owned)
        recorder.tape.has_backward = True
        if isinstance(gradient, Tensor):
            recorder.refuse("a gradient that is recorded is added to .grad")
        if self.hooks is not None:
            recorder.refuse("a hook is called in the backward pass")
        slot = recorder.of_array(np.asarray(gradient)) if not isinstance(gradient, Tensor) else None
        accumulate(self, gradient, owned)
        if slot is not None and self._wants:
            recorder.tape.steps.append(Step(ACCUMULATE, None, (slot,), source=self))
            recorder.slots.pop(id(self._grad.array), None)
            made = recorder.new(GRAD, self._grad.array, self)
            recorder.tape.steps.append(Step(FETCH, outs=(made,), source=self))
        return None

    def retained(self: Any, gradient: Any, owned: bool) -> None:
        if here.recorder is not None:
            here.recorder.refuse("retain_grad() asks for the gradient of a result")
        retain(self, gradient, owned)

    def writes(self: Any, op: str, values: Any, repeatable: bool = False, place: Any = ...) -> None:
        recorder = here.recorder
        if recorder is not None:
            recorder.written(self, place, values)
        write(self, op, values, repeatable, place)

    def ordered(tensor: Any) -> NDArray:
        recorder = here.recorder
        if recorder is None:
            return in_order(tensor)
        before = recorder.of_tensor(tensor)
        array = in_order(tensor)
        if id(array) not in recorder.slots and not recorder.knows(array):
            recorder.called(straight, (before,), {}, array)
        return array

    def asked(self: Any, op: str, operands: Any) -> bool:
        if here.recorder is not None:  # before it is wrapped
            here.recorder.of_tensor(self)
        return bool(records(self, op, operands))

    def sets(self: Any, index: Any, value: Any) -> None:
        recorder = here.recorder
        if recorder is None:
            return setitem(self, index, value)
        steps = len(recorder.tape.steps)
        setitem(self, index, value)
        if not any(step.kind == WRITE for step in recorder.tape.steps[steps:]):
            recorder.written(self, index, value)
        return None

    def gradients(*args: Any, **options: Any) -> Any:
        if here.recorder is not None:
            here.recorder.tape.has_backward = True
        return run(*args, **options)

    grad: Any = Tensor.kind.grad

    def get_grad(self: Any) -> Any:
        found = grad.fget(self)
        if here.recorder is not None and found is not None:
            here.recorder.leaf_of[id(found)] = self
        return found

    def set_grad(self: Any, value: Any) -> None:
        recorder = here.recorder
        if recorder is not None:
            args = () if value is None else (recorder.of_tensor(value),)
            recorder.tape.steps.append(Step(SET_GRAD, None, args, source=self))
        grad.fset(self, value)

    def at_once(node: Node, g: Array, alias: Any) -> Any:
        recorder = here.recorder
        if recorder is None:
            return together(node, g, alias)
        with recorder.rule():
            found = together(node, g, alias)
        if found is None:
            return found
        rule: Any = node.op.at_once
        wanted = [edge is not None for edge in node.edges]
        function = AllSettled(rule.function, [None if d is None else (d.shape, d.dtype) for d in found])
        made = [d for d in found if d is not None]
        if made:
            args = (recorder.tree(g), *recorder.asked(node, rule, wanted))
            recorder.called(function, args, _options(recorder, node, rule), *made)
        return found

    def checked(op: str, index: Any, shape: Shape) -> Any:
        found = check_index(op, index, shape)
        recorder = here.recorder
        if recorder is not None and not any(isinstance(v, (np.ndarray, Tensor)) for v in leaves(index)):
            for part in leaves(found):  # lists of numbers
                if isinstance(part, np.ndarray) and not recorder.knows(part):
                    recorder.new(CONSTANT, part)
        return found

    places: list[tuple[Any, str, Any]] = [
        *((module, "check_index", checked) for module in (core_tensor, core_writing, ops_indexing)),
        (Tensor, "__record__", staticmethod(recorded)),
        (Tensor, "arithmetic", staticmethod(lambda op, a, b: Tensor.__record__(op, (a, b), {}))),
        (core_tensor, "computed", computed),
        (core_tensor, "in_order", ordered),
        (saved, "pack", packed),
        (Tensor, "wrap", staticmethod(wrapped)),
        (Tensor, "accumulate", accumulated),
        (Tensor, "retain", retained),
        (Writable, "write", writes),
        (Writable, "records_write", asked),
        (Writable, "__setitem__", sets),
        (engine, "Pass", RecordedPass),
        (engine, "together", at_once),
        (engine, "gradients", gradients),
        (Tensor.kind, "grad", property(get_grad, set_grad, grad.fdel)),
    ]
    begin = vars(Tensor.kind).get("__init__", Tensor.__init__)

    def begun(self: Any, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        if here.recorder is not None and not here.recorder.knows(self.array):
            here.recorder.born[id(self)] = self, "creation" if _of_numbers(args) else "tensor() of an array"

    places.append((Tensor.kind, "__init__", begun))
    places += [(Tensor.kind, name, _read(getattr(Tensor.kind, name), name)) for name in READS]
    places += [(Generator, name, _drawn(vars(Generator)[name])) for name in DRAWS]
    for kind in (*_subclasses(Optimizer), *_subclasses(LRScheduler)):
        if "step" in vars(kind):
            places.append((kind, "step", _effect(vars(kind)["step"])))
    return places


def _of_numbers(args: tuple[Any, ...]) -> bool:
    """Whether a tensor is made of numbers and shapes: by the functions for that, or of nested lists."""
    frame: Any = sys._getframe(2)
    if frame.f_code.co_filename == CREATION and frame.f_code.co_name == "made":  # which other files call, too
        frame = frame.f_back
    if frame.f_code.co_filename == CREATION and frame.f_code.co_name not in GIVEN:
        return True
    return not any(isinstance(value, (np.ndarray, Tensor)) for value in args)


def _argument(recorder: Recorder, array: Any, given: Any) -> Any:
    """What stands on the tape for what an op computes with, made of what it was given."""
    if not isinstance(array, np.ndarray):
        return array
    if id(array) in recorder.slots:
        return recorder.slots[id(array)]
    if isinstance(given, Slot):
        if recorder.knows(array) or array.shape != given.array.shape:
            return recorder.of_array(array)
        if array.dtype != given.array.dtype:
            return recorder.called(cast, (given, array.dtype), {}, array)
        return recorder.called(straight, (given,), {}, array)
    if isinstance(given, np.ndarray) and given is not array and given.dtype != array.dtype:
        return recorder.called(cast, (recorder.of_array(given), array.dtype), {}, array)
    return recorder.of_array(array, constant=not isinstance(given, np.ndarray))


def _read(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A method that gives numbers of a tensor to Python."""

    def reads(self: Any, *args: Any, **options: Any) -> Any:
        recorder = here.recorder
        if recorder is not None:
            caller = sys._getframe(1).f_code.co_filename
            if name in ("__array__", "numpy") and caller.startswith(PACKAGE):
                recorder.of_tensor(self)
            else:
                told_as = name.strip("_") + "()"
                recorder.refuse(f"{told_as} asks for numbers, on which what is done next may depend")
        return function(self, *args, **options)

    return reads


def _drawn(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a generator."""

    def draws(self: Any, *args: Any, **options: Any) -> Any:
        recorder = here.recorder
        if recorder is None:
            return function(self, *args, **options)
        return recorder.make(function, (self, *args), True, **options)

    return draws


def _effect(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method that changes what Python holds, such as the step of an optimiser."""

    def does(self: Any, *args: Any, **options: Any) -> Any:
        recorder = here.recorder
        if recorder is None:
            return function(self, *args, **options)
        if args or options:
            recorder.refuse(f"{type(self).__name__}.step() is given a closure or a number")
            return function(self, *args, **options)
        with recorder.silence():
            found = function(self)
        recorder.tape.steps.append(Step(EFFECT, function, (self,)))
        return found

    does._opt_called = getattr(function, "_opt_called", None)  # type: ignore[attr-defined]
    return does


def _subclasses(kind: type) -> list[type]:
    below: list[type] = kind.__subclasses__()
    return [kind, *(lower for child in below for lower in _subclasses(child))]
