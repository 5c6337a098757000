"""`record`: run a function, or the body of a ``with``, and write down every op.

While somebody records, the few places of `core/` where tensors compute, are written, and go back are exchanged for ones
that also tell; when nobody does, they are what they always were, and cost what they always did.
"""

from __future__ import annotations

import inspect
import sys
import threading
import weakref
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, overload

import numpy as np

from tinygrad_cnn.autograd.switch import Switch
from tinygrad_cnn.autograd.watching import add_watcher, remove_watcher
from tinygrad_cnn.core import engine
from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.op import NO_OPTIONS, Op
from tinygrad_cnn.core.storage import start, version
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.writing import Writable
from tinygrad_cnn.program import modules
from tinygrad_cnn.program.listing import FROM_GRAPH, OPAQUE, Call, Contribution, Line, Program, Value
from tinygrad_cnn.program.source import assigned, caller, frames, name_in, place_of


class _Here(threading.local):
    """Who records what this thread computes."""

    recorder: Recorder | None = None


here = _Here()
_changing = threading.Lock()
_recorders: set[Any] = set()
_usual: list[tuple[Any, str, Any]] = []
"""What was exchanged: the owner, the name, and what stood there."""


def begin(recorder: Recorder) -> None:
    """Let a recorder be told of what happens in its thread, in the place of the one that is told now."""
    recorder.before, here.recorder = here.recorder, recorder
    with _changing:
        _recorders.add(recorder)
        if not _usual:
            for owner, name, told in _exchanged():
                _usual.append((owner, name, vars(owner)[name]))
                setattr(owner, name, told)
            add_watcher(_watching)
            modules.route(_call)


def end(before: Recorder | None) -> None:
    """Let the one be told again that was told before; those that began since are told no longer."""
    ended = set()
    while here.recorder is not None and here.recorder is not before:
        ended.add(here.recorder)
        here.recorder = here.recorder.before
    with _changing:
        _recorders.difference_update(ended)
        if not _recorders and _usual:
            modules.route(None)
            remove_watcher(_watching)
            while _usual:
                setattr(*_usual.pop())


def _exchanged() -> list[tuple[Any, str, Any]]:
    record, become, assign = Tensor.__record__, Writable.become, Writable.assign
    setitem, turn = Writable.__setitem__, Writable.turn

    def recorded(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        began = perf_counter_ns()
        made = record(op, inputs, options)
        if here.recorder is not None:
            here.recorder.applied(op, inputs, options, made, began, perf_counter_ns() - began)
        return made

    def arithmetic(op: type[Op], a: Any, b: Any) -> Any:
        return recorded(op, (a, b), NO_OPTIONS)

    def becomes(self: Any, op: str, function: Callable[[Any], Any], *operands: Any, place: Any = ...) -> Any:
        recorder = here.recorder
        if recorder is None:
            return become(self, op, function, *operands, place=place)
        with recorder.writing(self, "become", op, operands, {} if place is ... else {"place": place}) as write:
            return become(self, op, write.noting(function), *operands, place=place)

    def turns(self: Any, op: str, function: Callable[[Any], Any]) -> None:
        recorder = here.recorder
        if recorder is None:
            return turn(self, op, function)
        with recorder.writing(self, "turn", op, (), {}) as write:
            return turn(self, op, write.noting(function))

    def assigns(self: Any, op: str, value: Any, *seen: bool) -> Any:
        recorder = here.recorder
        if recorder is None:
            return assign(self, op, value, *seen)
        with recorder.writing(self, "assign", op, (value,), {}):
            return assign(self, op, value, *seen)

    def sets(self: Any, index: Any, value: Any) -> None:
        recorder = here.recorder
        if recorder is None:
            return setitem(self, index, value)
        with recorder.writing(self, "setitem", "setitem", (value,), {"index": index}):
            return setitem(self, index, value)

    return [
        (Tensor, "__record__", staticmethod(recorded)),
        (Tensor, "arithmetic", staticmethod(arithmetic)),
        (Writable, "become", becomes),
        (Writable, "turn", turns),
        (Writable, "assign", assigns),
        (Writable, "__setitem__", sets),
        (engine, "Pass", Pass),
    ]


class Pass(engine.Pass):
    """A backward pass that tells what it sends."""

    k = -1
    g: Any = None
    raw: Any = None
    began = took = 0

    def run(self, starts: Any) -> Any:
        """As usual."""
        recorder = here.recorder
        if recorder is not None:
            recorder.running.append(self)
            recorder.seeded(starts)
        try:
            found = super().run(starts)
        finally:
            if recorder is not None:
                recorder.running.remove(self)
        if recorder is not None:
            recorder.went_back()
        return found

    def pull_back(self, node: Node, g: Any) -> None:
        """As usual."""
        self.k, self.g, self.raw, self.began, self.took = -1, g, None, 0, 0
        super().pull_back(node, g)

    def derivative(self, node: Node, k: int, g: Any) -> Any:
        """As usual."""
        self.k, self.raw, self.began = k, None, perf_counter_ns()
        d = super().derivative(node, k, g)
        self.took = perf_counter_ns() - self.began
        return d

    def add(self, edge: Any, d: Any, fresh: bool) -> None:
        """As usual, and tell it."""
        recorder, node = here.recorder, self.node
        before = None if recorder is None else recorder.copy(self.cotangents.get(edge))
        super().add(edge, d, fresh)
        if recorder is None or node is None:
            return
        if not node.by_op:
            self.k = next((k for k in range(self.k + 1, len(node.edges)) if node.edges[k] is edge), self.k)
        step = recorder.contributed(node, self.k, edge, self.g, d, self.raw, before, self.cotangents[edge])
        if step is not None and node.by_op:
            step.began, step.took = self.began, self.took


class _Watching:
    """Tells the recorder of this thread of nodes and of what rules return."""

    def made(self, node: Any) -> None:
        """An op was recorded."""
        if here.recorder is not None:
            here.recorder.made.add(node)

    def returned(self, node: Any, k: int, gradient: Any) -> None:
        """A node gave a cotangent."""
        if here.recorder is not None and here.recorder.running:
            here.recorder.running[-1].raw = gradient

    def failed(self, node: Any) -> None:
        """A derivative raised."""


_watching = _Watching()


def _call(module: Any, call: Callable[[], Any]) -> Any:
    """A module is called."""
    recorder = here.recorder
    if recorder is None:
        return call()
    recorder.enter(module)
    began = perf_counter_ns()
    try:
        return call()
    finally:
        recorder.program.calls.append(Call(recorder.stack.pop(), began, perf_counter_ns() - began))


class Seen:
    """What is known of a tensor: which value it was, where it stood in the graph, and how often it had been written."""

    __slots__ = ("edge", "number", "tensor", "version")

    def __init__(self, tensor: Any, number: int) -> None:
        self.tensor: Any = weakref.ref(tensor)
        self.number = number
        self.edge, self.version = tensor._node, version(tensor.array)

    def holds(self, tensor: Any) -> bool:
        """Whether this is that tensor as it was."""
        return self.tensor() is tensor and self.edge is tensor._node and self.version == version(tensor.array)


class Recorder:
    """Writes a `Program` while it runs."""

    def __init__(self, values: bool, outermost: Any) -> None:
        self.program, self.keeps_values, self.outermost = Program(), values, outermost
        self.seen: dict[int, Seen] = {}
        self.nodes: dict[int, int] = {}  # of a node, the number of the value that it made
        self.lines: dict[int, int] = {}  # and the line
        self.held: list[Any] = []  # nodes and leaves, so that no other object gets their ids
        self.memory: dict[Any, Seen] = {}
        self.made: weakref.WeakSet[Node] = weakref.WeakSet()  # nodes that were made meanwhile, by whatever
        self.traces_back = False  # whether what was computed before the recording began is looked for in the graph
        self.running: list[Pass] = []
        self.stack: list[str] = []
        self.paths: dict[int, tuple[str, Any]] = {}
        self.parameters: dict[int, tuple[str, str]] = {}
        self.depth = 0
        self.before: Recorder | None = None  # who was told when this one began

    def copy(self, array: Any) -> Any:
        """Its elements as they are now, if values are asked for."""
        if array is None or not self.keeps_values:
            return None
        return np.array(array.array if isinstance(array, Tensor) else array)

    # ---- values --------------------------------------------------------------------------------------------------

    def new(self, role: str, array: Any, **known: Any) -> Value:
        """One more value."""
        kept = np.array(array) if self.keeps_values else None
        value = Value(len(self.program.values), role, array.shape, str(array.dtype), array=kept, **known)
        self.program.values.append(value)
        return value

    def saw(self, tensor: Any, number: int) -> None:
        """This tensor is that value now."""
        self.seen[id(tensor)] = seen = Seen(tensor, number)
        self.memory[_window(tensor.array)] = seen
        if isinstance(tensor._node, Node) and id(tensor._node) not in self.nodes:
            self.nodes[id(tensor._node)] = number
            self.held.append(tensor._node)

    def alike(self, array: Any) -> Seen | None:
        """What is known of a tensor that looks at just this memory, if there is one, and it is as it was."""
        seen = self.memory.get(_window(array))
        tensor = None if seen is None else seen.tensor()
        return seen if seen is not None and tensor is not None and seen.holds(tensor) else None

    def number(self, given: Any) -> int:
        """The number of a value that an op takes."""
        if not isinstance(given, Tensor):
            return self.constant(given)
        number = self._number(given)
        value = self.program.values[number]
        if value.name is None:
            found = frames(sys._getframe(1), self.outermost)
            value.name = next((known for frame in found if (known := name_in(frame, given))), None)
        return number

    def _number(self, given: Any) -> int:
        seen = self.seen.get(id(given))
        if seen is not None and seen.tensor() is not given:
            seen = None
        if seen is not None and seen.holds(given):
            return seen.number
        node = given._node
        if isinstance(node, Node) and (id(node) in self.nodes or node in self.made or self.traces_back):
            known = id(node) in self.nodes
            number = self.nodes[id(node)] if known else self.from_graph(node, given.array)
            if seen is not None and number != seen.number:
                value = self.program.values[number]
                value.name = value.name or self.program.values[seen.number].name
                value.earlier = seen.number if value.earlier is None and not known else value.earlier
            self.saw(given, number)
            return number
        if isinstance(node, Tensor):  # it stands where that leaf stands
            return self.number(node)
        if seen is not None:
            return self.written_unseen(given, seen)
        if given._wants and node is None:  # a leaf is a value of its own, whoever else has its memory
            return self.leaf(given)
        if (alike := self.alike(given.array)) is not None:
            if not given.requires_grad and alike.tensor().requires_grad:
                return self.detached(given, alike.number)
            self.saw(given, alike.number)
            return alike.number
        return self.leaf(given)

    def leaf(self, tensor: Any, name: str | None = None, role: str | None = None) -> int:
        """A tensor that no line makes."""
        module, place = None, None
        if id(tensor) in self.parameters:
            module, name = self.parameters[id(tensor)]
            role = "parameter"
        found = list(frames(sys._getframe(1), self.outermost))
        if name is None:
            name = next((known for frame in reversed(found) if (known := name_in(frame, tensor))), None)  # the first
        if found:
            place = place_of(found[-1])
        role = role or ("input" if tensor.requires_grad else "constant")
        value = self.new(
            role, tensor.array, name=name, module=module, wants=tensor.requires_grad, tensor=tensor, place=place
        )
        if isinstance(tensor._node, Node):  # recorded before: here it begins
            self.nodes[id(tensor._node)] = value.number
        self.held.append(tensor)
        self.saw(tensor, value.number)
        return value.number

    def constant(self, given: Any) -> int:
        """A number, or an array, that is no tensor; it may be that of one."""
        array = np.asarray(given)
        alike = self.alike(given) if isinstance(given, np.ndarray) else None
        if alike is not None and not alike.tensor().requires_grad:
            return alike.number
        literal = isinstance(given, (int, float))
        value = self.new("constant", array, literal=literal, tensor=given)
        value.array = np.array(array) if literal else value.array
        return value.number

    def detached(self, tensor: Any, source: int) -> int:
        """`detach()` is no op: the same memory, and no way back."""
        value = self.new("result", tensor.array, name=self.program.values[source].name)
        self.line(OPAQUE, "detach", (source,), (value.number,), {})
        self.saw(tensor, value.number)
        return value.number

    def written_unseen(self, tensor: Any, seen: Seen) -> int:
        """A tensor that was written by something that is no op, or by one through another tensor of that memory."""
        old = self.program.values[seen.number]
        if seen.edge is tensor._node and seen.version != version(tensor.array):
            lately = [line for line in self.program.lines if line.kind not in ("op", OPAQUE, FROM_GRAPH)]
            if not lately and self.program.why_not is None:
                self.program.why_not = f"{old.label()} was written in place by something that is no op"
        value = self.new(old.role, tensor.array, name=old.name, module=old.module, wants=old.wants, tensor=tensor)
        value.line, value.earlier = old.line, seen.number
        self.saw(tensor, value.number)
        return value.number

    # ---- lines ---------------------------------------------------------------------------------------------------

    def line(self, kind: str, op: str, inputs: Any, outputs: Any, options: Any, recorded: bool = False) -> Line:
        """One more line, with the place that called it."""
        told = kind != FROM_GRAPH and not self.traces_back
        where = tuple(place_of(frame) for frame in frames(sys._getframe(1), self.outermost)) if told else ()
        line = Line(len(self.program.lines), op, inputs, outputs, options, where=where, kind=kind, recorded=recorded)
        line.module = self.stack[-1] if self.stack else None
        self.program.lines.append(line)
        for number in outputs:
            value = self.program.values[number]
            value.line = line.number
            value.wants = recorded
        if where:
            first = self.program.values[outputs[0]]
            first.name = first.name or assigned(where[0])
        if kind == OPAQUE and op != "detach" and self.program.why_not is None:
            self.program.why_not = f"{op} is no op of the registry"
        return line

    def applied(
        self, op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any], made: Any, began: int, took: int
    ) -> None:
        """An op was applied."""
        if self.running and not mode.recording:  # by a rule, on the way back
            return
        taken = tuple([self.number(given) for given in inputs])
        made = made if isinstance(made, tuple) else (made,)
        numbers = tuple([self.new("result", tensor.array).number for tensor in made])
        node = made[0]._node
        recorded = isinstance(node, Node)
        line = self.line("op", op.name, taken, numbers, dict(options), recorded)
        line.began, line.took = began, took
        for tensor, number in zip(made, numbers, strict=True):
            self.saw(tensor, number)
        if recorded:
            self.lines[id(node)] = line.number
            line.keeps = tuple(_kept(op, node.saved or ()))

    def from_graph(self, node: Node, array: Any = None) -> int:
        """The value of a node that was not told of: made by a `Function`, by a write, or before this began."""
        waiting = [node]
        while waiting:
            at = waiting[-1]
            if id(at) in self.nodes:
                waiting.pop()
                continue
            missing = [e for e in at.edges if isinstance(e, Node) and id(e) not in self.nodes]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            taken = tuple([self.edge(edge) for edge in at.edges if edge is not None])
            shape, dtype = at.array_shape, at.array_dtype
            known = array if at is node and array is not None else _saved_output(at)
            value = self.new("result", np.empty(shape, dtype) if known is None else known)
            if known is None:
                value.array = None
            name = at.op.name if at.by_op else at.name().removesuffix("Backward")
            line = self.line(FROM_GRAPH if at.by_op else OPAQUE, name, taken, (value.number,), dict(at.options), True)
            line.keeps = tuple(_kept(at.op, at.saved or ())) if at.by_op else ()
            self.nodes[id(at)], self.lines[id(at)] = value.number, line.number
            self.held.append(at)
        return self.nodes[id(node)]

    def edge(self, edge: Any) -> int:
        """The value that stands at this place in the graph."""
        if isinstance(edge, Node):
            return self.nodes[id(edge)] if id(edge) in self.nodes else self.from_graph(edge)
        return self._number(edge)

    def writing(self, target: Any, kind: str, op: str, operands: Any, options: Any) -> Writing:
        """A tensor is about to be written."""
        return Writing(self, target, kind, op, operands, options)

    # ---- the way back --------------------------------------------------------------------------------------------

    def seeded(self, starts: Any) -> None:
        """A backward pass begins."""
        for edge, g in starts:
            number = self.edge(edge)
            self.program.seeds.append((number, np.array(g.array if isinstance(g, Tensor) else g)))
            if self.keeps_values:
                self.program.values[number].gradient = self.program.seeds[-1][1]

    def went_back(self) -> None:
        """A backward pass is done."""

    def contributed(
        self, node: Node, k: int, edge: Any, g: Any, d: Any, raw: Any, before: Any, after: Any
    ) -> Contribution | None:
        """A node sent a gradient to its k-th input."""
        if id(node) not in self.nodes and node not in self.made and not self.traces_back:
            return None  # before the recording began
        self.edge(node)
        line, to = self.lines.get(id(node)), self.edge(edge)
        if line is None:
            return None
        changed = raw is not None and np.shape(raw) != np.shape(d)
        places = [j for j, e in enumerate(node.edges) if e is not None]
        place = places.index(k) if self.program.lines[line].kind in (FROM_GRAPH, OPAQUE) else k
        step = Contribution(line, place, to, tuple(np.shape(d)), self.copy(g), self.copy(d))
        step.raw, step.before, step.after = self.copy(raw if changed else None), before, self.copy(after)
        self.program.backward.append(step)
        if self.keeps_values:
            self.program.values[to].gradient = step.after
        return step

    def name_results(self) -> None:
        """Give results the names that they have where the recording was begun."""
        held = dict(self.outermost.f_locals) if self.outermost is not None else {}
        self.outermost = None
        for name, tensor in held.items():
            seen = self.seen.get(id(tensor)) if isinstance(tensor, Tensor) else None
            if seen is not None and seen.tensor() is tensor and not name.startswith("_"):
                value = self.program.values[seen.number]
                value.name = value.name or name

    # ---- modules -------------------------------------------------------------------------------------------------

    def enter(self, module: Any) -> None:
        """A module is called: find out by which path it is known, from the outermost one that was called."""
        if id(module) not in self.paths:
            found = next(frames(sys._getframe(1), self.outermost), None)
            root = (found and name_in(found, module)) or type(module).__name__.lower()
            for path, part in module.named_modules():
                whole = f"{root}.{path}" if path else root
                self.paths.setdefault(id(part), (whole, part))
                self.program.modules.setdefault(whole, repr(part).split("\n")[0].rstrip("("))
            for path, parameter in module.named_parameters():
                owner, _, name = path.rpartition(".")
                self.parameters.setdefault(id(parameter), (f"{root}.{owner}" if owner else root, name))
                known = self.seen.get(id(parameter))
                if known is not None:
                    value = self.program.values[known.number]
                    value.role, (value.module, value.name) = "parameter", self.parameters[id(parameter)]
        self.stack.append(self.paths[id(module)][0])


class Writing:
    """A write in place: what is computed for it belongs to it."""

    def __init__(self, recorder: Recorder, target: Any, kind: str, op: str, operands: Any, options: Any) -> None:
        self.recorder, self.target, self.kind, self.op = recorder, target, kind, op
        self.operands, self.options = operands, options
        self.result: int | None = None

    def __enter__(self) -> Writing:
        recorder = self.recorder
        recorder.depth += 1
        self.outer = recorder.depth == 1
        if self.outer:
            self.taken = [recorder.number(self.target), *(recorder.number(given) for given in self.operands)]
            self.first = len(recorder.program.lines)
        return self

    def noting(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The function that computes what is written, its argument known as the old value."""
        if not self.outer:
            return function

        def noted(old: Any) -> Any:
            self.recorder.saw(old, self.taken[0])
            result = function(old)
            self.result = self.recorder.number(result)
            return result

        return noted

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        recorder = self.recorder
        recorder.depth -= 1
        if not self.outer or error is not None:
            return
        node = self.target._node
        if self.result is None and recorder.nodes.get(id(node), self.taken[0]) != self.taken[0]:
            self.result = recorder.nodes[id(node)]  # an op computed what was assigned
        options = self.options if self.result is None else {**self.options, "result": self.result}
        old = recorder.program.values[self.taken[0]]
        leaf = self.target._wants and self.target._node is None  # under no_grad(): here a history begins
        value = recorder.new(old.role if leaf else "result", self.target.array, name=old.name, module=old.module)
        recorded = isinstance(self.target._node, Node) or self.target.requires_grad
        line = recorder.line(self.kind, self.op, tuple(self.taken), (value.number,), options, recorded)
        for part in recorder.program.lines[self.first : line.number]:
            part.within = line.number if part.within is None else part.within
        recorder.saw(self.target, value.number)
        recorder.lines.setdefault(id(node), line.number)


def _window(array: Any) -> Any:
    return start(array), array.shape, array.strides, array.dtype.str


def _kept(op: type[Op], saved: tuple[Any, ...]) -> Any:
    for source, kept in zip(op.sources, saved, strict=False):
        for part in kept if isinstance(kept, tuple) else (kept,):
            if isinstance(part, np.ndarray):
                yield source, part.shape, part.nbytes


def _saved_output(node: Node) -> Any:
    """The output of a node, if its rules keep it."""
    first = node.saved[0] if node.by_op and node.saved else None
    return first if isinstance(first, np.ndarray) else None


# ---- record ------------------------------------------------------------------------------------------------------


class Recording(Switch):
    """``with record() as program:`` writes down what the body computes."""

    chain = "program"

    def __init__(self, values: bool = False) -> None:
        super().__init__()
        self.values = values

    def _state(self) -> Recorder | None:
        return here.recorder

    def _switch(self) -> None:
        self.recorder = Recorder(self.values, caller())
        begin(self.recorder)

    def _restore(self, state: Recorder | None) -> None:
        end(state)

    def __exit__(self, *of: Any) -> None:
        recorder = here.recorder  # of the innermost block of this manager
        super().__exit__(*of)
        if recorder is not None:
            recorder.name_results()

    def __enter__(self) -> Program:  # type: ignore[override] # it gives something
        super().__enter__()
        return self.recorder.program


@overload
def record(*, values: bool = ...) -> Recording: ...
@overload
def record(function: Callable[..., Any], /, *inputs: Any, values: bool = ...) -> Program: ...
def record(function: Callable[..., Any] | None = None, /, *inputs: Any, values: bool = False) -> Recording | Program:
    """Write down what a function computes, or the body of a ``with``: a `Program`.

    Parameters
    ----------
    function : what to run, once; left out, ``with record() as program:`` records what stands below it
    inputs : its arguments; arrays become tensors
    values : keep the elements of every value, and what every step of a backward pass sends

    Returns
    -------
    A `Program`: the ops in order with options, shapes, dtypes and the bytes that are kept for the backward pass, the
    line of the source and the module that called each, names of inputs, parameters and results, and the backward
    passes that were run meanwhile. Only what this thread computes is written down.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> program = record(lambda x: (x * 2).sum(), tensor([1.0, 2.0]))
    >>> [line.op for line in program.lines]
    ['Mul', 'Sum']
    >>> program([3.0, 4.0])
    tensor(14.)
    """
    if function is None:
        return Recording(values)
    if not callable(function):
        raise TypeError(f"record: expected a function, got {type(function).__name__}; record(f, x), not record(f(x))")
    given = [x if isinstance(x, Tensor) else Tensor.kind(x) if isinstance(x, np.ndarray) else x for x in inputs]
    recording = Recording(values)
    with recording as program:
        recording.recorder.outermost = sys._getframe()
        arguments(recording.recorder, function, given)
    return program


def arguments(recorder: Recorder, function: Callable[..., Any], given: list[Any]) -> Any:
    """Call a function whose arguments are the inputs of the program, and what it returns the outputs."""
    program, names = recorder.program, _names(function, len(given))
    tensors = [(name, x) for name, x in zip(names, given, strict=True) if isinstance(x, Tensor)]
    program.inputs = tuple([recorder.leaf(x, name, "input") for name, x in tensors])
    result = function(*given)
    program.single = isinstance(result, Tensor)
    made = [result] if program.single else list(result) if isinstance(result, (tuple, list)) else []
    program.outputs = tuple([recorder.number(x) for x in made if isinstance(x, Tensor)])
    return result


def _names(function: Any, n: int) -> list[str]:
    """The names of the first n parameters of a function."""
    try:
        parameters = list(inspect.signature(getattr(function, "forward", function)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "input")
    return [names[k] if k < len(names) else f"{rest}{k - len(names)}" for k in range(n)]
