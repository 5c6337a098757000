"""Plays a tape back: a plan of the memory, and one straight Python function, a line for each step.

Results that nobody sees outside go into memory that is kept for the next time; what has been used for the last time
gives its place to what comes after. Views of such memory are made once.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import getitem
from typing import Any

import numpy as np

from tinygrad_cnn.core.op import registry
from tinygrad_cnn.core.storage import note_write, owner
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.passes import RUN
from tinygrad_cnn.optim.optimizer import Optimizer, note_writes
from tinygrad_cnn.optim.sgd import SGD
from tinygrad_cnn.playback.fusing import FUSED, fused
from tinygrad_cnn.playback.gathering import GATHERED, descent, gathered
from tinygrad_cnn.playback.recorder import AllSettled, Settled, added, cast, straight, window
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
    SET_GRAD,
    TENSOR,
    WRITE,
    Slot,
    Step,
    Tape,
    mapped,
    slots_in,
)

FIXED = TENSOR, CONSTANT, FOUND
"""The kinds of slots that are the same array each time."""


KEEP_SHAPES = {forward for op in registry.values() for forward in [op.forward]} | {
    cast,
    straight,
    added,
    window,
    getitem,
}
"""What gives the same shape each time: the forward rules of ops and a few others."""
TOGETHER = 16
"""So many small parameters take their step in one compiled call."""
PLACE = __file__.replace("player.py", "<a tape>")
"""What the lines that are made here call their file: one of the package's, so that a write is the user's."""


class Broken(Exception):
    """A decision of the package came out otherwise than when the tape was recorded."""


class Player:
    """A tape made ready: ``play(*arrays)`` gives the outputs."""

    def __init__(self, tape: Tape, steps: list[Step], inputs: list[Slot], outputs: list[Slot | None]) -> None:
        self.tape = tape
        seen = [s for s in outputs if s is not None]
        self.steps = _needed(steps, seen)
        if chosen.name == "numba":
            self.steps = fused(gathered(self.steps, seen, tape), seen)
        self.inputs, self.outputs = inputs, outputs
        self.names: dict[str, Any] = {"note_write": note_write, "wrap": Tensor.wrap, "asarray": np.asarray}
        self.fixed: dict[Slot, NDArray] = {s: s.array for s in tape.slots if s.kind in FIXED}
        self.constants: dict[int, str] = {}
        self.constant = {s for s in tape.slots if s.kind == CONSTANT}
        """What is the same numbers each time."""
        self.classes = _memory_classes(self.steps)
        self.lines: list[str] = []
        self.dirty = False
        """Whether something was done that a second call would do again."""
        self.play = self._made()

    # ---- planning ----------------------------------------------------------------------------------------------------

    def _escaping(self) -> set[int]:
        """The memory that somebody sees after the call, or that is not known to be used as it seems."""
        out = {self.classes[s] for s in self.outputs if s is not None and s in self.classes}
        for step in self.steps:
            if step.kind in (ACCUMULATE, SET_GRAD, EFFECT):
                out |= {self.classes[s] for s in slots_in(step.args) if s in self.classes}
            elif step.kind == CALL and not _into_memory(step) and not isinstance(step.source, tuple):
                seen = {self.classes[s] for s in step.used}  # a view is where its base is
                out |= {self.classes[s] for s in step.outs} - seen
            elif step.kind == FETCH:
                out |= {self.classes[s] for s in step.outs}
        return out | {self.classes[s] for s in self.inputs if s in self.classes}

    def _made(self) -> Callable[..., Any]:
        escaping, last = self._escaping(), _last_uses(self.steps, self.classes)
        for slot in self.outputs:
            if slot is not None and slot in self.classes:
                last[self.classes[slot]] = len(self.steps)
        self.changing = {self.classes[s] for s in self.outputs if s in self.classes} | {
            self.classes[s]
            for step in self.steps
            if step.kind in (WRITE, ACCUMULATE, SET_GRAD, EFFECT) or isinstance(step.source, tuple)
            for s in _touched(step)
            if s in self.classes
        }
        free: dict[Any, list[NDArray]] = {}
        held: dict[int, list[tuple[Any, NDArray]]] = {}
        body = self.lines
        self.held_names: dict[int, list[str]] = {}
        for number, step in enumerate(self.steps):
            dying = [c for c in {self.classes[s] for s in _touched(step) if s in self.classes} if last[c] == number]
            elementwise = step.kind == FUSED or (isinstance(step.function, np.ufunc) and step.function is not np.matmul)
            if elementwise:  # its result may take the place of what it uses for the last time
                _give_back(dying, held, free)
            self._line(step, escaping, free, held)
            _give_back(dying, held, free)
            body += [f"{name} = None" for c in dying for name in self.held_names.pop(c, [])]
        returned = ", ".join("None" if s is None else self._slot(s) for s in self.outputs)
        body.append(f"return ({returned}{',' if returned else ''})")
        given = [f"v{s.number}" for s in self.inputs]
        constants = [f"{name}={name}" for name in self.names]
        source = f"def play({', '.join([*given, *constants])}):\n    " + "\n    ".join(body)
        space = dict(self.names)
        exec(compile(source, PLACE, "exec"), space)  # lines made here
        self.source = source
        play: Callable[..., Any] = space["play"]
        return play

    # ---- lines -------------------------------------------------------------------------------------------------------

    def _name(self, value: Any, prefix: str = "k") -> str:
        """A constant as a name of the function."""
        if value is None or value is True or value is False or (type(value) is int and abs(value) < 1 << 31):
            return repr(value)
        known = self.constants.get(id(value))
        if known is None:
            known = self.constants[id(value)] = f"{prefix}{len(self.constants)}"
            self.names[known] = value
        return known

    def _slot(self, slot: Slot) -> str:
        return self._name(self.fixed[slot], "a") if slot in self.fixed else f"v{slot.number}"

    def _tree(self, value: Any) -> str:
        """An argument as Python writes it."""
        if isinstance(value, Slot):
            return self._slot(value)
        if not slots_in(value):
            return self._name(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return f"{self._name(type(value))}({', '.join(map(self._tree, value))})"
        if isinstance(value, tuple):
            return f"({', '.join(map(self._tree, value))},)"
        if isinstance(value, list):
            return f"[{', '.join(map(self._tree, value))}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name!r}: {self._tree(v)}" for name, v in value.items()) + "}"
        return f"slice({self._tree(value.start)}, {self._tree(value.stop)}, {self._tree(value.step)})"

    def _line(self, step: Step, escaping: set[int], free: dict[Any, Any], held: dict[int, Any]) -> None:
        body = self.lines
        self.dirty = self.dirty or step.kind in (WRITE, ACCUMULATE, EFFECT)
        if step.kind in (FUSED, GATHERED):
            self._loop(step, escaping, free, held)
        elif step.kind == GUARD:
            self.names["Broken"] = Broken
            args = ", ".join(map(self._tree, step.args))
            body.append(f"if {self._name(step.function)}({args}) != {self._name(step.source)}: raise Broken")
        elif step.kind == WRITE:
            target, value, place = step.args
            body.append(f"{self._tree(target)}[{self._tree(place)}] = {self._tree(value)}")
            if self._seen_outside(target):
                body.append(f"note_write({self._tree(target)})")
        elif step.kind == SET_GRAD:
            value = f"wrap({self._tree(step.args[0])})" if step.args else "None"
            body.append(f"{self._name(step.source)}._grad = {value}")
        elif step.kind == FETCH:
            self._sees(step.outs[0], f"{self._name(step.source)}._grad.array")
        elif step.kind == ACCUMULATE:
            leaf, slot = self._name(step.source), step.args[0]
            own = self._own(slot, step)
            value = self._slot(slot) if own else f"{self._name(np.array)}({self._slot(slot)})"
            body.append(f"if {leaf}._grad is None: {leaf}._grad = wrap({value})")
            body.append(f"else: {leaf}.accumulate({self._slot(slot)}, False)")
        elif step.kind == EFFECT and type(step.args[0]) is SGD and step.function is Optimizer.step:
            self._descent(step)
        elif step.kind == EFFECT:
            body.append(f"{self._name(step.function)}({', '.join(map(self._tree, step.args))})")
        else:
            self._call(step, escaping, free, held)

    def _descent(self, step: Step) -> None:
        """Plain gradient descent in two calls of NumPy a parameter, or compiled in one of all that are small.

        Anything else is as the optimiser does it.
        """
        optimiser, body = step.args[0], self.lines
        leaves = [p for group in optimiser.param_groups for p in group["params"]]
        known = {s.source for s in self.steps if s.kind == ACCUMULATE}
        if not all(p in known for p in leaves):
            body.append(f"{self._name(step.function)}({self._name(optimiser)})")
            return
        body.append(f"rates = {self._name(plain_rates)}({self._name(optimiser)}, {self._name(leaves)})")
        body.append(f"if rates is None: {self._name(step.function)}({self._name(optimiser)})")
        body.append("else:")
        times, minus = self._name(np.multiply, "f"), self._name(np.subtract, "f")
        for k, group in enumerate(optimiser.param_groups):
            body.append(f"    rate = rates[{k}]")
            small = [p for p in group["params"] if chosen.name == "numba" and _is_small_run(p.array)]
            for some in (small[at : at + TOGETHER] for at in range(0, len(small), TOGETHER)):
                pairs = [f"{self._name(p.array, 'a')}, {self._name(p)}._grad.array" for p in some]
                body.append(f"    {self._name(descent(len(some)), 'f')}(rate, {', '.join(pairs)})")
            for p in group["params"] if not small else [p for p in group["params"] if not _is_small_run(p.array)]:
                value, gradient = self._name(p.array, "a"), f"{self._name(p)}._grad.array"
                if p.array.size <= RUN:
                    room = self._name(np.empty_like(p.array), "a")
                    body.append(f"    {times}({gradient}, rate, {room})")
                    body.append(f"    {minus}({value}, {room}, {value})")
                else:
                    body.append(f"    {self._name(chosen.descend, 'f')}({value}, {gradient}, rate)")
        body.append(f"    {self._name(note_writes)}({self._name([p.array for p in leaves])})")

    def _seen_outside(self, slot: Slot) -> bool:
        return slot in self.fixed or any(
            s.kind in (INPUT, GRAD, *FIXED) for s, c in self.classes.items() if c == self.classes.get(slot)
        )

    def _own(self, slot: Slot, step: Step) -> bool:
        """Whether nobody but this step sees the memory of a slot."""
        if slot in self.fixed or not slot.array.flags.writeable or slot in self.outputs:
            return False
        c = self.classes[slot]
        alike = [s for s, other in self.classes.items() if other == c]
        uses = [s for s in self.steps if s is not step and any(self.classes.get(v) == c for v in s.used)]
        makers = [s for s in self.steps if slot in s.outs]
        return alike == [slot] and not uses and len(makers) == 1 and slot.array.base is None

    def _sees(self, slot: Slot, expression: str) -> None:
        self.lines.append(f"v{slot.number} = {expression}")
        if slot in self.classes:
            self.held_names.setdefault(self.classes[slot], []).append(f"v{slot.number}")

    def _call(self, step: Step, escaping: set[int], free: dict[Any, Any], held: dict[int, Any]) -> None:
        """A function is called: once, now, if its result stays as it is; else by a line."""
        if self._is_made_once(step):
            return
        function = self._name(step.function, "f")
        if isinstance(step.source, tuple):  # in place
            self.lines.append(f"{function}({self._arguments(step, f'out={self._slot(step.source[0])}')})")
        elif _into_memory(step) and self.classes[step.outs[0]] not in escaping:
            where = self._room(step.outs[0], escaping, free, held)
            self.lines.append(f"{function}({self._arguments(step, where)})")
        else:
            self._fresh(step)

    def _is_made_once(self, step: Step) -> bool:
        """Whether the result is a view of memory that stays, or the same numbers each time: then it is made here."""
        if step.source or len(step.outs) != 1 or not all(s in self.fixed for s in step.used):
            return False
        out, base = step.outs[0], owner(step.outs[0].array)
        if any(owner(s.array) is base for s in step.used):
            view = step.function(*self._real(step.args), **self._real(step.options))
            if any(np.may_share_memory(view, self.fixed[s]) for s in step.used):
                self.fixed[out] = view
                return True
        if self.classes[out] in self.changing or not all(s in self.constant for s in step.used):
            return False
        self.fixed[out] = np.asarray(step.function(*self._real(step.args), **self._real(step.options)))
        self.constant.add(out)
        return True

    def _arguments(self, step: Step, where: str = "") -> str:
        """What stands in the brackets of a call; `where` is the memory of the result."""
        ufunc, out = isinstance(step.function, np.ufunc), step.outs[0]
        scalars = ufunc and _into_memory(step)
        given = [self._scalar(a, out) if scalars else self._tree(a) for a in step.args]
        if _is_reduction(step) and len(given) == 1:
            axis, dtype, keep = (self._tree(step.options.get(name, usual)) for name, usual in _REDUCE)
            return f"{given[0]}, {axis}, {dtype}, {where or None}, {keep}"
        named = [f"{name}={self._tree(value)}" for name, value in step.options.items()]
        third = "=" in where or (ufunc and step.function not in BY_NAME)
        return ", ".join([*given, *named, *([where if third else f"out={where}"] if where else [])])

    def _fresh(self, step: Step) -> None:
        """A call whose results are new arrays."""
        if step.function is getitem:
            array, index = map(self._tree, step.args)
            expression = f"{array}[{index}]"
        else:
            expression = f"{self._name(step.function, 'f')}({self._arguments(step)})"
        if len(step.outs) != 1:
            self.lines.append(f"{', '.join(f'v{s.number}' for s in step.outs)} = {expression}")
            for s in step.outs:
                self.held_names.setdefault(self.classes[s], []).append(f"v{s.number}")
            return
        out = step.outs[0]
        self._sees(out, expression if out.array.ndim else f"asarray({expression})")
        known = isinstance(step.function, (np.ufunc, Settled, AllSettled)) or step.function in KEEP_SHAPES
        rule = known or _is_reduction(step)
        if out.kind == MADE and not rule:
            self._check_shape(out)

    def _check_shape(self, out: Slot) -> None:
        """What is not an op may give more or fewer elements next time, as `nonzero` does."""
        self.names["Broken"] = Broken
        raised = "RuntimeError('compile: the shape of a result depends on the numbers')" if self.dirty else "Broken"
        self.lines.append(f"if v{out.number}.shape != {self._name(out.array.shape)}: raise {raised}")

    def _room(self, out: Slot, escaping: set[int], free: dict[Any, Any], held: dict[int, Any]) -> str:
        """Memory for a result: kept for the next time, or new if somebody sees it."""
        array = out.array
        if self.classes[out] in escaping:
            self._sees(out, f"{self._name(np.empty, 'f')}({self._name(array.shape)}, {self._name(array.dtype)})")
        else:
            key = array.shape, array.strides, array.dtype
            places = free.get(key)
            self.fixed[out] = memory = places.pop() if places else np.empty_like(array)
            held.setdefault(self.classes[out], []).append((key, memory))
        return self._slot(out)

    def _loop(self, step: Step, escaping: set[int], free: dict[Any, Any], held: dict[int, Any]) -> None:
        given = [self._tree(a) for a in step.args]
        rooms = [self._room(out, escaping, free, held) for out in step.outs]
        self.lines.append(f"{self._name(step.function, 'f')}({', '.join([*given, *rooms])})")

    def _scalar(self, value: Any, out: Slot) -> str:
        """A number of Python in the dtype in which NumPy takes it: it is found in a third of the time."""
        if type(value) in (int, float) and out.array.dtype.kind == "f":
            return self._name(np.asarray(value, out.array.dtype))
        return self._tree(value)

    def _real(self, tree: Any) -> Any:
        return mapped(tree, lambda v: self.fixed[v] if isinstance(v, Slot) else v)


def _is_small_run(a: NDArray) -> bool:
    """Whether an array is so small that a loop over several of them pays."""
    return 0 < a.size <= RUN and a.flags.c_contiguous and a.dtype.char in "fd"


def _needed(steps: list[Step], outputs: list[Slot]) -> list[Step]:
    """The steps without those whose results nobody uses."""
    used, kept = set(outputs), []
    for step in reversed(steps):
        pure = step.kind in (FETCH, FUSED, GATHERED) or (step.kind == CALL and not step.source)
        if not pure or any(slot in used for slot in step.outs):
            kept.append(step)
            used.update(step.used)
    return kept[::-1]


_REDUCE = ("axis", 0), ("dtype", None), ("keepdims", False)
"""What `reduce` of a universal function takes behind the array, but for `out`, which stands before the last."""


BY_NAME = np.maximum, np.minimum
"""The functions whose result's place NumPy wants by its name."""


def _is_reduction(step: Step) -> bool:
    return getattr(step.function, "__name__", "") == "reduce" and {*step.options} <= {name for name, _ in _REDUCE}


def _give_back(dying: list[int], held: dict[int, list[tuple[Any, NDArray]]], free: dict[Any, list[NDArray]]) -> None:
    """The memory of what was used for the last time can be used again."""
    for c in dying:
        for key, array in held.pop(c, []):
            free.setdefault(key, []).append(array)


def plain_rates(optimiser: SGD, leaves: list[Any]) -> list[float] | None:
    """The rate of each group, if all that is done is ``p -= rate · p.grad``."""
    for group in optimiser.param_groups:
        if group["momentum"] or group["weight_decay"] or group["maximize"] or group["differentiable"]:
            return None
    if any(optimiser._hooks.values()):
        return None
    for p in leaves:
        g = p._grad
        if g is None or g.array.shape != p.array.shape or g.array.dtype is not p.array.dtype:
            return None
    optimiser._opt_called = True
    return [float(group["lr"]) for group in optimiser.param_groups]


def _into_memory(step: Step) -> bool:
    """Whether a step's result can be put into memory that is there: that of a function of NumPy that takes `out`."""
    if step.kind != CALL or step.source or len(step.outs) != 1:
        return False
    function, array = step.function, step.outs[0].array
    if isinstance(function, np.ufunc):
        same = all(a is None or type(a) in (int, float, bool) or isinstance(a, Slot) for a in step.args)
        return same and array.base is None and not step.options
    return getattr(function, "__name__", "") == "reduce" and array.base is None and "initial" not in step.options


def _touched(step: Step) -> list[Slot]:
    return [*step.used, *step.outs]


def _memory_classes(steps: list[Step]) -> dict[Slot, int]:
    """Of each slot the number of its memory: slots whose arrays share memory have the same."""
    classes: dict[Slot, int] = {}
    of_memory: dict[int, int] = {}
    for step in steps:
        for slot in _touched(step):
            if slot not in classes:
                classes[slot] = of_memory.setdefault(id(owner(slot.array)), len(of_memory))
    return classes


def _last_uses(steps: list[Step], classes: dict[Slot, int]) -> dict[int, int]:
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for slot in _touched(step):
            last[classes[slot]] = number
    return last
