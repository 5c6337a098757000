"""`compile`: a function, a module or a whole training step is recorded once, and played back from then on."""

from __future__ import annotations

import builtins
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from functools import partial, update_wrapper
from types import MethodType
from typing import Any, TypeVar, overload

import numpy as np

from tinygrad_cnn.autograd.function import Function
from tinygrad_cnn.core import engine, saved
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.storage import clock, last_write, owner, written_since
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.core.watch import watch
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.threads import thread_count
from tinygrad_cnn.nn.hooks import EVERYWHERE
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.playback import recorder as recording
from tinygrad_cnn.playback.player import PLACE, Broken, Player
from tinygrad_cnn.playback.recorder import Recorder
from tinygrad_cnn.playback.tape import (
    CALL,
    EFFECT,
    GUARD,
    INPUT,
    TENSOR,
    WRITE,
    Slot,
    Step,
    Tape,
    difference,
    mapped,
    same,
)
from tinygrad_cnn.playback.tracing import traced
from tinygrad_cnn.program.recording import here as programs
from tinygrad_cnn.utils._pytree import TreeSpec, tree_flatten, tree_leaves

__all__ = ["compile"]

F = TypeVar("F", bound=Callable[..., Any])

MOST_KINDS = 16
"""So many kinds of arguments are recorded for one function; calls of others are run eagerly."""
SEEN = type(None), bool, int, float, complex, str, bytes, np.dtype, type
"""What may be among the arguments beside arrays: compared by value."""


class NotPlayed(Exception):
    """Why a call cannot be played back."""


# ---- arguments and results -------------------------------------------------------------------------------------------


def flattened(value: Any, found: list[Any]) -> Any:
    """The kind of an argument, as something that can be compared; its tensors and arrays are added to `found`."""
    if type(value) is Tensor.kind or isinstance(value, Tensor):
        found.append(value)
        array = value.array
        wants = value._wants or value._node is not None or (value.view_of is not None and value.requires_grad)
        return Tensor, array.shape, array.dtype, array.strides, wants
    if isinstance(value, np.ndarray):
        found.append(value)
        return np.ndarray, value.shape, value.dtype, value.strides
    if isinstance(value, (list, tuple)):
        return type(value), tuple([flattened(part, found) for part in value])
    if isinstance(value, dict):
        return dict, tuple([(name, flattened(part, found)) for name, part in value.items()])
    if isinstance(value, SEEN):
        return type(value), value
    if isinstance(value, Module):
        return Module, id(value)
    raise NotPlayed(f"an argument of type {type(value).__name__} cannot be compared with that of the next call")


def unpacked(value: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves of a result and its structure; NotPlayed if one cannot be made again, or compared by value."""
    found, structure = tree_flatten(value)
    for part in found:
        if not isinstance(part, (Tensor, np.ndarray, tuple, *SEEN)):
            raise NotPlayed(f"it returns a {type(part).__name__}, of which it cannot be said how to make another")
    return found, structure


def array_of(value: Any) -> NDArray:
    """The array of a tensor, or the array itself."""
    return value.array if isinstance(value, Tensor) else value


# ---- one kind of call ------------------------------------------------------------------------------------------------


class Recorded:
    """What is recorded of one call."""

    def __init__(self, tape: Tape, parts: list[Any], structure: TreeSpec) -> None:
        self.tape, self.structure = tape, structure
        self.places = [k for k, part in enumerate(parts) if isinstance(part, (Tensor, np.ndarray))]
        results = [parts[k] for k in self.places]
        self.others = [None if isinstance(part, (Tensor, np.ndarray)) else part for part in parts]
        """What else is returned: the same each time."""
        self.tensors = [isinstance(r, Tensor) for r in results]
        self.differentiable = [isinstance(r, Tensor) and r.requires_grad and mode.recording for r in results]
        self.spent: list[Any] = [None] * len(results)
        """Of results through which the backward pass went already, the op that made them."""
        self.end = Tensor.wrap(np.zeros(0))
        self.end._wants = True
        self.leaves: list[Any] = []
        """Beside the inputs, the tensors that get a gradient from a result."""

    def together(self, results: Iterable[Any]) -> Any:
        """What the function returns, of these results."""
        if self.places and self.structure.is_leaf():  # the commonest case
            return next(iter(results))
        parts = list(self.others)
        for k, result in zip(self.places, results, strict=True):
            parts[k] = result
        return self.structure.unflatten(parts)


def record(function: Callable[..., Any], args: Any, kwargs: Any, given: list[Any]) -> tuple[Any, Recorded]:
    """Call the function, and write down what it does. NotPlayed with the reason, and the result, if that is no use."""
    recorder = Recorder([array_of(v) for v in given])
    with recorder.listening():
        result = function(*args, **kwargs)
    try:
        made = Recorded(recorder.tape, *unpacked(result))
        found = [part for part in tree_leaves(result) if isinstance(part, (Tensor, np.ndarray))]
        _check(recorder)
        for value in found:
            if not isinstance(value, Tensor) and not recorder.knows(value):
                raise NotPlayed("it returns an array that was computed outside ops")
        tape = recorder.tape
        tape.outputs = [recorder.of_tensor(v) if isinstance(v, Tensor) else recorder.of_array(v) for v in found]
        tape.forward_steps = len(tape.steps)
        if any(made.differentiable) and not tape.has_backward:
            _record_backward(recorder, made, found, given)
        elif any(made.differentiable):
            nodes: list[Any] = [
                getattr(v, "grad_fn", None) if d else None for v, d in zip(found, made.differentiable, strict=True)
            ]
            if not all(node is None or _is_spent(node) for node in nodes):
                raise NotPlayed("it returns what can still be differentiated after a backward pass in it")
            made.spent = [None if node is None else node.op for node in nodes]
        _check(recorder)
    except NotPlayed as error:
        raise NotPlayed(*error.args, result) from None
    return result, made


def _check(recorder: Recorder) -> None:
    if recorder.why is not None:
        raise NotPlayed(recorder.why)


def _is_spent(node: Any) -> bool:
    """Whether a backward pass went through what leads to this node, and freed what was saved."""
    return any(isinstance(edge, Node) and edge.saved is saved.FREED for edge in engine.count_consumers([node]))


def _record_backward(recorder: Recorder, made: Recorded, found: list[Any], given: list[Any]) -> None:
    """The backward pass through what was called, as far as the inputs and the leaves that it uses."""
    tape = recorder.tape
    outs = [value for value, wanted in zip(found, made.differentiable, strict=True) if wanted]
    points = [v for v in given if isinstance(v, Tensor) and v.requires_grad]
    cut = {p.edge: p.edge.edges for p in points if isinstance(p.edge, Node)}
    for node in cut:  # what went before the call is not its own
        node.edges = ()
    try:
        reached = engine.count_consumers([value.edge for value in outs])
        made.leaves = [edge for edge in reached if isinstance(edge, Tensor) and not any(edge is p for p in points)]
        cotangents = [Tensor.wrap(np.ones_like(array_of(v))) for v in outs]
        for g in cotangents:
            tape.cotangents.append(recorder.new(INPUT, g.array))
        edges = [p.edge for p in points] + made.leaves
        if any(edge.hooks for edge in reached if edge not in cut):
            raise NotPlayed("a hook is called in the backward pass")
        with recorder.listening():
            pairs = engine.gradients("compile", outs, cotangents, edges, retain_graph=True, create_graph=False)
    finally:
        for node, edges_before in cut.items():
            node.edges = edges_before
    tape.gradients = [recorder.of_array(np.asarray(pairs[e])) if e in pairs else None for e in edges]


class Plan:
    """How one kind of call is played back: guards, the function made of the tape, and what becomes of its results."""

    def __init__(self, made: Recorded) -> None:
        self.made = made
        tape = self.tape = made.tape
        self.lock = threading.Lock()
        self.externals = [s for s in tape.slots if s.kind == TENSOR]
        asides: dict[Slot, Step] = {}
        steps = [part for step in tape.steps[: tape.forward_steps] for part in traced(tape, step, asides)]
        steps = decisions_first(steps)
        self.backward: Player | None = None
        self.kept: list[Slot] = []
        if tape.gradients:
            back = [part for step in tape.steps[tape.forward_steps :] for part in traced(tape, step, asides)]
            made_before = {s for step in steps for s in step.outs} | set(tape.inputs)
            used = dict.fromkeys(s for step in back for s in step.used)
            used.update(dict.fromkeys(s for s in tape.gradients if s is not None))
            self.kept = [s for s in used if s in made_before]
            self.backward = Player(tape, back, [*self.kept, *tape.cotangents], list(tape.gradients))
            self.strides = [s.array.strides for s in tape.cotangents]
            self.any_strides: Player | None = None
        self.forward = Player(tape, steps, tape.inputs, [*tape.outputs, *self.kept])
        self.fixed = [a for s, a in (self.backward.fixed.items() if self.backward else ()) if s.kind == TENSOR]
        self.holds = self._guard()
        self.quick: Any = None

    def _guard(self) -> Any:
        """Whether what the tape relies on is as it was when it was recorded: as one function."""
        names: dict[str, Any] = {}
        lines = self._external_lines(names, "return False")
        return _function("holds", "", [*lines, "return True"], names)

    def _external_lines(self, names: dict[str, Any], otherwise: str) -> list[str]:
        lines = []
        for k, slot in enumerate(self.externals):
            tensor = slot.source
            names[f"t{k}"], names[f"a{k}"] = tensor, slot.array
            asked = f"t{k}.array is not a{k} or t{k}._wants is not {tensor._wants} or t{k}.hooks is not None"
            lines.append(f"if {asked}: {otherwise}")
        for k, (module, training) in enumerate(self.tape.modules.values()):
            names[f"m{k}"] = module
            lines.append(f"if m{k}.training is not {training}: {otherwise}")
            lines.append(f"if m{k}._call_hooks is not None and m{k}._call_hooks.any(): {otherwise}")
        return lines

    def quickly(self, args: Any) -> Any:
        """A function that gives the arrays of arguments just like these, and None for others.

        It asks what `Compiled` asks of all kinds in a tenth of the time, of positional tensors without a history only.
        """
        plain = [type(v) is Tensor.kind and v._node is None and v.view_of is None for v in args]
        if not all(plain) or (self.backward is not None and any(v._wants for v in args)):
            return None
        names: dict[str, Any] = {"kind": Tensor.kind, "key": _surroundings, "now": _surroundings()}
        given = "".join(f"x{k}, " for k in range(len(args)))
        lines = [f"if len(args) != {len(args)} or key() != now: return None", f"{given or '()'} = args"]
        for k, tensor in enumerate(args):
            array = tensor.array
            names[f"s{k}"], names[f"d{k}"], names[f"st{k}"] = array.shape, array.dtype, array.strides
            lines.append(
                f"if type(x{k}) is not kind or x{k}._node is not None or x{k}.view_of is not None: return None"
            )
            lines.append(f"y{k} = x{k}.array")
            lines.append(f"if y{k}.shape != s{k} or y{k}.dtype is not d{k} or y{k}.strides != st{k}: return None")
            lines.append(f"if x{k}._wants is not {tensor._wants}: return None")
        lines += self._external_lines(names, "return None")
        lines.append(f"return ({''.join(f'y{k}, ' for k in range(len(args)))})")
        return _function("arrays", "args, ", lines, names)

    def play_backward(self, kept: Any, cotangents: list[NDArray]) -> Any:
        """The gradients; of cotangents that lie otherwise than those that were recorded by the rules as they are.

        What a rule was made of may depend on how its arrays lie, and so may the last bits.
        """
        player = self.backward
        if [g.strides for g in cotangents] != self.strides:
            if self.any_strides is None:
                tape = self.tape
                inputs = [*self.kept, *tape.cotangents]
                self.any_strides = Player(tape, tape.steps[tape.forward_steps :], inputs, list(tape.gradients))
            player = self.any_strides
        assert player is not None
        return player.play(*kept, *cotangents)

    def dressed(self, found: Any) -> Any:
        """The results of a call through which no backward pass can go."""
        made = self.made
        results = [Tensor.wrap(a) if t else a for a, t in zip(found, made.tensors, strict=False)]
        for k, op in enumerate(made.spent):
            if op is not None:
                results[k]._node = _spent(results[k], op, made.end)
        return made.together(results)

    def recorded(self, found: Any, given: Any, again: Callable[..., Any]) -> Any:
        """The results, with the call as one node of the graph."""
        points = [v for v in given if isinstance(v, Tensor) and v.requires_grad]
        results = _Played.apply(self, again, found, *points, *self.made.leaves)
        return self.made.together(results)


def _function(name: str, given: str, lines: list[str], names: dict[str, Any]) -> Any:
    """A function of these lines, in which the names mean these things."""
    source = f"def {name}({given}{', '.join(f'{n}={n}' for n in names)}):\n    " + "\n    ".join(lines)
    space = dict(names)
    exec(builtins.compile(source, PLACE, "exec"), space)
    return space[name]


def decisions_first(steps: list[Step]) -> list[Step]:
    """The steps with what decides in front: nothing may have been done if a decision comes out otherwise."""
    makers = {slot: step for step in steps for slot in step.outs}
    first: set[Step] = set()
    for guard in [step for step in steps if step.kind == GUARD]:
        stack = [guard]
        while stack:
            step = stack.pop()
            if step in first:
                continue
            first.add(step)
            if (step.source and step is not guard) or step.kind not in (CALL, GUARD):
                raise NotPlayed(f"{guard.function.__name__}() decides what is done next by what was drawn or written")
            stack += [makers[s] for s in step.used if s in makers]
    memory = {id(owner(slot.array)) for step in first for slot in step.used}
    changed: set[int] = set()
    for step in steps:
        if step.kind == EFFECT:
            changed |= memory
        elif step.kind == WRITE:
            changed.add(id(owner(step.args[0].array)))
        if step.kind == GUARD and changed & memory:
            raise NotPlayed(f"{step.function.__name__}() decides what is done next by what was written")
    return [s for s in steps if s in first] + [s for s in steps if s not in first]


def _spent(tensor: Any, op: Any, end: Any) -> Node:
    """The place in the graph of a result through which the backward pass went already."""
    return Node.kind(op, (end,), saved.FREED, {}, tensor.array.shape, tensor.array.dtype)


class _Played(Function):
    """A call that was played back, as one node of the graph."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, again: Callable[..., Any], found: tuple[Any, ...], *points: Any) -> Any:
        """The results as tensors."""
        made = plan.made
        results = [Tensor.wrap(a) if t else a for a, t in zip(found, made.tensors, strict=False)]
        constant = [r for r, wanted in zip(results, made.differentiable, strict=True) if not wanted]
        ctx.mark_non_differentiable(*[r for r in constant if isinstance(r, Tensor)])
        ctx.save_for_backward(*points)
        ctx.set_materialize_grads(False)
        ctx.plan, ctx.again, ctx.kept, ctx.time = plan, again, found[len(results) :], clock.now
        ctx.shapes = [(a.shape, a.dtype) for a in found[: len(results)]]
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *given: Any) -> Any:
        """The backward pass played back; recorded, if a derivative of it is asked for."""
        points = ctx.saved_tensors
        plan: Plan = ctx.plan
        wanted = [k for k, d in enumerate(plan.made.differentiable) if d]
        shapes = [ctx.shapes[k] for k in wanted]
        gs = [given[k] for k in wanted]
        if mode.recording:
            return None, None, None, *_again(ctx.again, points, wanted, gs, shapes)
        for array in (*ctx.kept, *plan.fixed):
            if written_since(array, ctx.time):
                raise RuntimeError(
                    f"backward: compile needs an array of shape {array.shape} as it was, but it has been modified by "
                    f"an in-place operation at {last_write(array)}; modify a clone() of it"
                )
        cotangents = [np.zeros(*form) if g is None else g.array for g, form in zip(gs, shapes, strict=True)]
        with plan.lock:
            found = plan.play_backward(ctx.kept, cotangents)
        return None, None, None, *[None if a is None else Tensor.wrap(a) for a in found]


def _again(again: Callable[..., Any], points: Any, wanted: list[int], gs: list[Any], shapes: list[Any]) -> list[Any]:
    """The gradients of a call as tensors with a history: the function is called once more, eagerly.

    It is called on leaves of its own, so that what went before is not gone through, too; in the graph of the gradients
    these leaves then become what they stand for.
    """
    own = [p.detach().requires_grad_() if isinstance(p._node, Node) or p.view_of else p for p in points]
    results = again(own)
    outs = [results[k] for k in wanted]
    cotangents = [Tensor.wrap(np.zeros(*form)) if g is None else g for g, form in zip(gs, shapes, strict=True)]
    edges = [p.edge for p in own]
    found = engine.gradients("compile", outs, cotangents, edges, retain_graph=True, create_graph=True)
    stands_for = {o: p.edge for o, p in zip(own, points, strict=True) if o is not p}
    gradients = [found.get(edge) for edge in edges]
    seen: set[Any] = set()
    stack = [g._node for g in gradients if g is not None and isinstance(g._node, Node)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        node.edges = tuple([stands_for.get(e, e) if e is not None else None for e in node.edges])
        stack += [e for e in node.edges if isinstance(e, Node)]
    return gradients


# ---- what users call -------------------------------------------------------------------------------------------------


class _Kind:
    """What is known of calls with arguments of one kind."""

    __slots__ = ("first", "plan", "why")

    def __init__(self) -> None:
        self.first: Recorded | None = None
        self.plan: Plan | None = None
        self.why: str | None = None


class Compiled:
    """A function that is played back; made by `compile`."""

    def __init__(self, function: Callable[..., Any], name: str, fullgraph: bool = False) -> None:
        self.function, self.name, self.fullgraph = function, name, fullgraph
        self.kinds: dict[Any, _Kind] = {}
        self.told: set[str] = set()
        self.watched = _watched(function)
        self.last: tuple[Any, Any, Any] = None, None, None
        """Of the kind of call that was played last: what knows it quickly, what was looked up, the plan."""
        self.lock = threading.RLock()
        update_wrapper(self, function, updated=())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: the object is its first argument."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        return Compiled, (self.function, self.name, self.fullgraph)  # a copy records for itself

    def __deepcopy__(self, memo: Any) -> Compiled:
        return Compiled(deepcopy(self.function, memo), self.name, self.fullgraph)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it: played back, if it was recorded for arguments of this kind and nothing stands against it."""
        if recording.here.recorder is not None or programs.recorder is not None or watch.watcher is not None:
            return self.function(*args, **kwargs)
        quick, looked_up, plan = self.last
        if quick is not None and not kwargs:
            arrays = quick(args)
            if arrays is not None and (not self.watched or looked_up == [read() for read in self.watched]):
                found = _played(plan, arrays)
                if found is None:
                    return self.function(*args)
                return (
                    plan.dressed(found) if plan.backward is None else self._differentiable(plan, found, args, {}, args)
                )
        given: list[Any] = []
        try:
            kind = self._kind(args, kwargs, given)
        except NotPlayed as error:
            return self._eager(str(error), args, kwargs)
        known = self.kinds.get(kind)
        if known is None:
            if len(self.kinds) >= MOST_KINDS:
                why = f"{MOST_KINDS} kinds of shapes, dtypes and options are recorded already, and no more are"
                return self._eager(why, args, kwargs)
            known = self.kinds[kind] = _Kind()
            return self.function(*args, **kwargs)  # the first call: what is made once is made now
        plan = known.plan
        if plan is None or not plan.holds():
            return self._recorded(known, args, kwargs, given)
        if not kwargs:
            if plan.quick is None:
                plan.quick = plan.quickly(args)
            self.last = plan.quick, [read() for read in self.watched], plan
        found = _played(plan, [v.array if isinstance(v, Tensor) else v for v in given])
        if found is None:
            return self.function(*args, **kwargs)
        if plan.backward is None:
            return plan.dressed(found)
        return self._differentiable(plan, found, args, kwargs, given)

    def _differentiable(self, plan: Plan, found: Any, args: Any, kwargs: Any, given: Any) -> Any:
        return plan.recorded(found, given, lambda own: self._again(args, kwargs, plan, own))

    def _again(self, args: Any, kwargs: Any, plan: Plan, own: list[Any]) -> list[Any]:
        """The results of calling the function eagerly with other tensors in the place of those that want gradients."""
        points = iter(own)

        def other(value: Any) -> Any:
            if isinstance(value, Tensor):
                return next(points) if value.requires_grad else value
            return value

        parts = tree_leaves(self.function(*mapped(args, other), **mapped(kwargs, other)))
        return [part for part in parts if isinstance(part, (Tensor, np.ndarray))]

    def _kind(self, args: Any, kwargs: Any, given: list[Any]) -> Any:
        here = _surroundings()
        arguments = [flattened(value, given) for value in args]
        if kwargs:
            arguments.append(flattened(kwargs, given))
        return (*here, *arguments, *[read() for read in self.watched])

    def _recorded(self, known: _Kind, args: Any, kwargs: Any, given: list[Any]) -> Any:
        """Call it and record; after two calls that did the same it can be played back."""
        if known.why is not None:
            return self.function(*args, **kwargs)
        with self.lock:
            if known.plan is not None:
                known.first = known.plan = None
            result = None
            try:
                result, made = record(self.function, args, kwargs, given)
                if known.first is None:
                    known.first = made
                    return result
                why = difference(known.first.tape, made.tape)
                if why is None and not same(known.first.others, made.others):
                    why = "it returns another number each time"
                if why is not None:
                    raise NotPlayed(why, result)
                known.first = None
                known.plan = Plan(made)
            except NotPlayed as error:
                known.why, known.first = str(error.args[0]), None
                self._tell(known.why)
                return error.args[1] if len(error.args) > 1 else result
            return result

    def _eager(self, why: str, args: Any, kwargs: Any) -> Any:
        self._tell(why)
        return self.function(*args, **kwargs)

    def _tell(self, why: str) -> None:
        if self.fullgraph:
            raise RuntimeError(f"compile: {self.name} cannot be played back: {why}")
        if why not in self.told:
            self.told.add(why)
            warnings.warn(f"compile: {self.name} is run eagerly: {why}", UserWarning, stacklevel=4)


def _surroundings() -> tuple[Any, ...]:
    """What else decides how something is computed."""
    return mode.recording, mode.inference, chosen.name, default.dtype, thread_count(), EVERYWHERE.any()


def _played(plan: Plan, arrays: Any) -> Any:
    """What a tape gives, None if it cannot be played now."""
    if plan.lock.locked():  # another thread plays it
        return None
    with plan.lock, suppress(Broken):  # not `acquire`, after which an interrupt could come, and leave it locked
        return plan.forward.play(*arrays)
    return None


def _watched(function: Any) -> list[Callable[[], Any]]:
    """What a function looks up outside itself by name: tensors, numbers and strings."""
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None:
        return []
    kinds = Tensor, bool, int, float, str
    space = function.__globals__
    found: list[Callable[[], Any]] = [
        partial(_by_name, space, name) for name in code.co_names if isinstance(space.get(name), kinds)
    ]
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if isinstance(value, kinds):
            found.append(partial(_in_cell, cell))
    return found


def _by_name(space: dict[str, Any], name: str) -> Any:
    return _identity(space.get(name))


def _in_cell(cell: Any) -> Any:
    return _identity(cell.cell_contents)


def _identity(value: Any) -> Any:
    return id(value) if isinstance(value, Tensor) else value


@overload
def compile(
    model: F, *, fullgraph: bool = False, dynamic: bool | None = None, backend: Any = "inductor",
    mode: str | None = None, options: dict[str, Any] | None = None, disable: bool = False,
) -> F: ...  # fmt: skip
@overload
def compile(
    model: None = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: Any = "inductor",
    mode: str | None = None, options: dict[str, Any] | None = None, disable: bool = False,
) -> Callable[[F], F]: ...  # fmt: skip
def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: Any = "inductor",
    mode: str | None = None, options: dict[str, Any] | None = None, disable: bool = False,
) -> Any:  # fmt: skip
    """Record what a function, a module or a whole training step does, and play it back from then on.

    Use it as ``torch.compile``. The first call with arguments of some shapes and dtypes is run as usual, the next two
    are recorded and compared, and those after that are played back: the same kernels, in a straight line, without
    tensors and graph in between. With NumPy's kernels the results are the same to the last bit. Of a training step the
    backward pass and the step of the optimiser are played back, too.

    Parameters
    ----------
    model : a function of tensors, a `Module`, or a step that calls `backward` and an optimiser
    fullgraph : raise if it cannot be played back; else a warning says why, once, and it is run eagerly
    dynamic, backend, mode, options : accepted as in PyTorch; they change nothing here
    disable : give back `model` as it is

    Notes
    -----
    Other shapes, dtypes or modes (training or evaluation) are recorded anew. Numbers that are drawn at random are drawn
    anew. What Python does besides, such as printing or counting, is done while it is recorded and not when it is played
    back. What the function reads must be an argument, a parameter or a buffer, or the variable of the same name each
    time. A function that asks for the numbers of a tensor (``item()``, ``if loss > 3``), hooks, and tensors that are
    made in a way that cannot be followed are run eagerly.

    Raises
    ------
    RuntimeError
        With `fullgraph`, when it is called, if it cannot be played back.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> square = tg.compile(lambda x: (x * x).sum())
    >>> [square(tg.tensor([1.0, float(k)])).item() for k in range(5)]
    [1.0, 2.0, 5.0, 10.0, 17.0]
    """
    if model is None:
        return lambda model: compile(model, fullgraph=fullgraph, disable=disable)
    if disable:
        return model
    if isinstance(model, Module):
        return OptimizedModule(model, fullgraph)
    if not callable(model):
        raise ArgumentError(f"compile: expected a function or a Module, got {type(model).__name__}")
    return Compiled(model, getattr(model, "__qualname__", type(model).__name__), fullgraph)


class OptimizedModule(Module):
    """A module whose calls are played back; everything else is the module's own."""

    def __init__(self, mod: Module, fullgraph: bool = False) -> None:
        super().__init__()
        self._orig_mod = mod
        object.__setattr__(self, "_compiled", Compiled(mod, type(mod).__name__, fullgraph))
        self.__dict__.pop("_call_hooks", None)
        self.training = mod.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """As the module's."""
        return self._compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "_orig_mod":
                raise
            return getattr(self._orig_mod, name)
