"""With the compiled kernels: runs of small steps on a tape become one function each, compiled by Numba.

Of small arrays the calls take longer than the arithmetic. A run is a list of loops: arithmetic of one shape is one
loop, whose values stay in registers, a sum along axes and a product of matrices are loops of their own. What only the
run uses lies in memory that is kept for it. Views are no loops: they say where the next one reads. Results are the same
but for rounding.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import count
from operator import getitem
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.storage import owner
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.playback.fusing import FORMULAS, compiled
from tinygrad_cnn.playback.tape import (
    ACCUMULATE,
    CALL,
    CONSTANT,
    GRAD,
    MADE,
    SET_GRAD,
    Slot,
    Step,
    Tape,
    mapped,
    users_of,
)

GATHERED = "gathered"
"""The kind of a step whose function writes into `outs`, which it is given behind `args`, and reads some of them."""
LEAST = 4
"""A run of fewer steps, views not counted, stays as it is."""
MOST_ARRAYS, MOST_STEPS = 64, 150
"""The arrays that a run is given or makes for others, and its steps: more take longer to hand over, or to compile."""
SMALL = 1 << 16
"""Elements of a result, and multiplications of a product, up to which a step is small."""

MORE_FORMULAS: dict[Any, str] = {
    **FORMULAS,
    np.absolute: "abs({0})",
    np.sqrt: "sqrt({0})",
    np.exp: "exp({0})",
    np.log: "log({0})",
    np.tanh: "tanh_{kind}({0})",
    np.less: "{0} < {1}",
    np.less_equal: "{0} <= {1}",
    np.greater: "{0} > {1}",
    np.greater_equal: "{0} >= {1}",
    np.equal: "{0} == {1}",
    np.not_equal: "{0} != {1}",
    np.where: "{1} if {0} else {2}",
    np.bitwise_or: "{0} | {1}",
    np.bitwise_and: "{0} & {1}",
}
"""Of an element of each argument."""
VIEWS = {
    getitem, np.transpose, np.reshape, np.ravel, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to,
}  # fmt: skip
LOGICAL = np.bitwise_or, np.bitwise_and
REDUCED = {np.add: ("0", "{0} + {1}"), np.maximum: ("-inf", "{1} if {1} > {0} or {1} != {1} else {0}")}
"""What a reduction begins with, and what it does with the next element."""


class Place(NamedTuple):
    """Where an array lies: in flat memory, from an element on, so many elements apart along each axis."""

    name: str
    at: int
    shape: Shape
    strides: Shape

    @staticmethod
    def of(array: NDArray, name: str, at: int = 0) -> Place:
        """That of an array."""
        return Place(name, at, array.shape, tuple(s // array.itemsize for s in array.strides))

    def element(self, shape: Shape, indices: Sequence[str]) -> str:
        """The element at these indices of an array of this shape, to which it is broadcast."""
        lead = len(shape) - len(self.shape)
        terms = [
            f"{i} * {s}" if s != 1 else i
            for i, s, n in zip(indices[lead:], self.strides, self.shape, strict=True)
            if s and n > 1
        ]
        return f"{self.name}[{' + '.join([*terms, *([str(self.at)] if self.at or not terms else [])])}]"

    def is_run(self, shape: Shape) -> bool:
        """Whether its elements follow each other as those of an array of this shape in C order."""
        return self.shape == shape and _by_rows(shape, self.strides)


def gathered(steps: list[Step], outputs: list[Slot], tape: Tape) -> list[Step]:
    """The steps with each run of small ones as one step."""
    found: list[Step] = []
    for run in _runs(_into_new(steps, tape), outputs):
        found += run.joined(tape) if isinstance(run, _Run) else [run]
    return found


def _into_new(steps: list[Step], tape: Tape) -> list[Step]:
    """The steps, of which those that change in place what only they and the steps before see make something new."""
    alone: dict[int, set[Slot]] = {}
    for step in steps:
        for slot in (*step.used, *step.outs):
            alone.setdefault(id(owner(slot.array)), set()).add(slot)
    found: list[Step] = []
    made: dict[Slot, int] = {}
    for step in steps:
        out = step.outs[0] if len(step.outs) == 1 else None
        in_place = step.kind == CALL and isinstance(step.source, tuple) and isinstance(step.function, np.ufunc)
        if in_place and step.source == (out,) and out in made and alone[id(owner(out.array))] == {out}:
            before = tape.slot(MADE, np.empty_like(out.array))
            for number in range(made[out], len(found)):
                other = found[number]
                args, options, outs = _renamed((other.args, other.options, other.outs), out, before)
                found[number] = Step(other.kind, other.function, args, options, outs, other.source)
            args, options = _renamed((step.args, step.options), out, before)
            step = Step(CALL, step.function, args, options, step.outs)
        for slot in step.outs:
            made[slot] = len(found)
        found.append(step)
    return found


def _renamed(tree: Any, one: Slot, other: Slot) -> Any:
    """With another slot in the place of one."""
    return mapped(tree, lambda value: other if value is one else value)


class _Run:
    """Steps that follow each other, and those between them that can as well come behind."""

    def __init__(self, users: dict[Slot, set[Step | None]]) -> None:
        self.users = users
        self.steps: list[Step] = []
        self.behind: list[Step] = []
        self.as_it_was: list[Step] = []
        self.root: dict[Slot, Slot] = {}
        """Of what is made here, and of views of it, the slot whose memory it is."""

    def takes(self, step: Step) -> bool:
        """Whether the step can be part of this run; then it is."""
        if _is_view(step) and step.args[0] in self.root:
            self.root[step.outs[0]] = self.root[step.args[0]]
        elif _is_small(step, self.root) and self._has_room(step):
            if self.behind and any(slot.kind == GRAD for slot in step.used):
                return False
            self.root[step.outs[0]] = step.outs[0]
        else:
            return False
        self.steps.append(step)
        self.as_it_was.append(step)
        return True

    def _has_room(self, step: Step) -> bool:
        return len(self.given([*self.steps, step])) <= MOST_ARRAYS // 2 and len(self.steps) < MOST_STEPS

    def delays(self, step: Step) -> bool:
        """Whether the step, which only says where a gradient is, can come behind the run; then it does."""
        if not self.steps or step.kind not in (ACCUMULATE, SET_GRAD):
            return False
        self.behind.append(step)
        self.as_it_was.append(step)
        return True

    def given(self, steps: Iterable[Step]) -> list[Slot]:
        """What the steps read that they do not make."""
        made = {slot for step in steps for slot in step.outs}
        return list(dict.fromkeys(slot for step in steps for slot in step.used if slot not in made))

    def joined(self, tape: Tape) -> list[Step]:
        """One step of the run, and what comes behind; or the steps, if that does not pay."""
        views = [step for step in self.steps if self.root[step.outs[0]] is not step.outs[0]]
        inside = set(self.steps)
        seen: list[Step] = []
        for view in reversed(views):  # also those of which views are seen
            if self.users.get(view.outs[0], set()) - inside or any(view.outs[0] in v.used for v in seen):
                seen.insert(0, view)
        roots = [s for step in self.steps for s in step.outs if self.root[s] is s]
        wanted = {self.root[v.outs[0]] for v in seen}
        stored = [s for s in roots if s in wanted or self.users.get(s, set()) - inside]
        given = self.given(self.steps)
        if len(self.steps) - len(views) < LEAST or len(given) + len(stored) > MOST_ARRAYS:
            return self.as_it_was
        writer = _Writer(self, given, stored)
        function = compiled(writer.source())
        rooms = tuple(tape.slot(CONSTANT, np.empty(size, dtype)) for dtype, size in writer.sizes.items())
        return [Step(GATHERED, function, (*given, *rooms), outs=tuple(stored)), *seen, *self.behind]


def _runs(steps: list[Step], outputs: list[Slot]) -> Iterator[_Run | Step]:
    users = users_of(steps, outputs)
    run = _Run(users)
    for step in steps:
        if run.takes(step) or run.delays(step):
            continue
        if _is_view(step) and not any(s in run.root for s in step.used):
            yield step  # of what was there before the run
            continue
        yield run
        run = _Run(users)
        if not run.takes(step):
            yield step
    yield run


def _is_view(step: Step) -> bool:
    if step.kind != CALL or step.source or step.function not in VIEWS or len(step.outs) != 1:
        return False
    base = step.args[0]
    return isinstance(base, Slot) and base.array.size > 0 and np.may_share_memory(step.outs[0].array, base.array)


def _is_small(step: Step, made: Container[Slot]) -> bool:
    """Whether a loop can be written of a step; what the run has made may lie in any way."""
    if step.kind != CALL or step.source or len(step.outs) != 1:
        return False
    out = step.outs[0].array
    if not 0 < out.size <= SMALL or out.dtype.char not in "fd?" or not out.flags.c_contiguous or out.base is not None:
        return False
    slots = [value for value in step.args if isinstance(value, Slot)]
    arrays = [slot.array for slot in slots]
    if not arrays or not all(
        a.dtype.char in "fd?" and (s in made or a.flags.forc) for s, a in zip(slots, arrays, strict=True)
    ):
        return False
    if step.function is np.matmul:
        (n, k), m = (arrays[0].shape if arrays[0].ndim == 2 else (0, 0)), out.shape[-1] if out.ndim else 0
        whole = len(arrays) == len(step.args) == 2 and all(a.ndim == 2 and a.dtype == out.dtype for a in arrays)
        return whole and not step.options and n * k * m <= SMALL and out.dtype.char != "?"
    reduction = _reduction(step)
    if reduction is not None:
        return arrays[0].size <= SMALL and arrays[0].dtype == out.dtype and out.dtype.char != "?"
    if step.function not in MORE_FORMULAS or any(name != "dtype" for name in step.options):
        return False
    if step.options.get("dtype", out.dtype) != out.dtype or len(step.args) < MORE_FORMULAS[step.function].count("{1}"):
        return False
    kinds = {a.dtype for k, a in enumerate(arrays) if not (k == 0 and step.function is np.where)}
    numbers = all(isinstance(value, (Slot, np.floating)) or type(value) in (int, float) for value in step.args)
    if step.function in LOGICAL:
        return kinds == {out.dtype} == {np.dtype(bool)} and len(arrays) == len(step.args)
    same = len(kinds) == 1 and (out.dtype.char == "?" or kinds == {out.dtype}) and kinds != {np.dtype(bool)}
    return same and numbers and (step.function is not np.where or isinstance(step.args[0], Slot))


def _reduction(step: Step) -> tuple[Any, tuple[int, ...], bool] | None:
    """The function of a reduction, its axes, and whether they stay with length 1."""
    function = getattr(step.function, "__self__", None)
    if getattr(step.function, "__name__", "") != "reduce" or function not in REDUCED or len(step.args) > 2:
        return None
    options = {"axis": 0, "dtype": None, "keepdims": False, **step.options}
    if len(step.args) == 2:
        options["axis"] = step.args[1]
    axis, dtype, keep = options.pop("axis"), options.pop("dtype"), options.pop("keepdims")
    x = next(iter(step.args), None)
    if options or not isinstance(x, Slot) or (dtype is not None and np.dtype(dtype) != x.array.dtype):
        return None
    axes = range(x.array.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return function, tuple(sorted(int(k) % x.array.ndim for k in axes)), bool(keep)


def _by_rows(shape: Shape, strides: Shape) -> bool:
    size = 1
    for n, s in zip(shape[::-1], strides[::-1], strict=True):
        if n > 1 and s != size:
            return False
        size *= n
    return True


class _Writer:
    """Writes the source of a run."""

    def __init__(self, run: _Run, given: list[Slot], stored: list[Slot]) -> None:
        self.run, self.given, self.stored = run, given, stored
        self.lines: list[str] = []
        self.places: dict[Slot, Place] = {}
        self.sizes: dict[Any, int] = {}
        """How many elements the run keeps for itself, by dtype."""
        self.names = count()
        self.loop: list[Step] = []
        """Arithmetic of one shape, not yet written."""

    def source(self) -> str:
        """The text of the function."""
        before: list[str] = []
        for k, slot in enumerate(self.given):
            before += self._enter(slot, f"a{k}", f"b{k}")
        for k, slot in enumerate(self.stored):
            if slot.array.ndim:
                before += self._enter(slot, f"o{k}", f"p{k}")
        for number, step in enumerate(self.run.steps):
            self._write(step, number)
        self._close(len(self.run.steps))
        after = [f"o{k}[()] = {self._at(s)}" for k, s in enumerate(self.stored) if not s.array.ndim]
        arguments = [*(f"a{k}" for k in range(len(self.given))), *(f"room_{np.dtype(d).name}" for d in self.sizes)]
        arguments += [f"o{k}" for k in range(len(self.stored))]
        return "\n    ".join([f"def loop({', '.join(arguments)}):", *before, *self.lines, *after]) + "\n"

    def _at(self, slot: Slot) -> str:
        return self.places[slot].element((), ())

    def _enter(self, slot: Slot, array: str, name: str) -> list[str]:
        """The lines that make flat memory of an argument."""
        a = slot.array
        if not a.ndim:
            self.places[slot] = Place(name, 0, (), ())
            return [f"{name} = ({array}[()],)"]
        self.places[slot] = Place.of(a, name)
        return [f"{name} = {array}.reshape(-1)" if a.flags.c_contiguous else f"{name} = {array}.T.reshape(-1)"]

    def _place(self, slot: Slot) -> Place:
        """Where a slot lies; what is made here gets its place."""
        if slot not in self.places:
            root = self.run.root[slot]
            if root is slot:
                room = self.sizes.setdefault(slot.array.dtype.type, 0)
                self.sizes[slot.array.dtype.type] += slot.array.size
                self.places[slot] = Place.of(slot.array, f"room_{slot.array.dtype.name}", room)
            else:
                whole, size = self._place(root), slot.array.itemsize
                first, here = (s.array.__array_interface__["data"][0] for s in (root, slot))
                self.places[slot] = Place.of(slot.array, whole.name, whole.at + (here - first) // size)
        return self.places[slot]

    # ---- loops -------------------------------------------------------------------------------------------------------

    def _write(self, step: Step, number: int) -> None:
        if self.run.root[step.outs[0]] is not step.outs[0]:
            return  # a view
        reduction = _reduction(step)
        if step.function is np.matmul or reduction is not None:
            self._close(number)
            if reduction is None:
                self._product(step)
            else:
                self._reduce(step, *reduction)
            return
        made = {s for other in self.loop for s in other.outs}
        shape = step.outs[0].array.shape
        here = [s for s in step.used if self.run.root.get(s) in made]
        if self.loop and (self.loop[0].outs[0].array.shape != shape or not all(s in made for s in here)):
            self._close(number)
        self.loop.append(step)

    def _close(self, number: int) -> None:
        """Write the loop of the arithmetic that was put off, before the step of this number."""
        steps, self.loop = self.loop, []
        if not steps:
            return
        made = [step.outs[0] for step in steps]
        later = {self.run.root.get(s) for step in self.run.steps[number:] for s in step.used}
        later |= {self.run.root[v] for step in self.run.steps for v in step.outs if self.run.root[v] is not v}
        kept = [s for s in made if s in later or s in self.stored]
        shape = made[0].array.shape
        read = list(dict.fromkeys(s for step in steps for s in step.used if s not in made))
        flat = all(self._place(s).is_run(shape) or self._place(s).shape in ((), (1,)) for s in (*read, *kept))
        if flat:
            extent: Shape = (int(np.prod(shape)),)
            places = {s: p._replace(shape=(p.shape and extent), strides=(p.shape and (1,))) if p.shape == shape
                      else p for s in (*read, *kept) for p in [self._place(s)]}  # fmt: skip
        else:
            extent, places = shape, {s: self._place(s) for s in (*read, *kept)}
        indices, indent = self._loops(extent)
        names: dict[Slot, str] = {}
        for s in read:
            names[s] = f"t{next(self.names)}"
            self.lines.append(f"{indent}{names[s]} = {places[s].element(extent, indices)}")
        for s in made:
            names[s] = f"t{next(self.names)}"
        later_ones = _only_there(steps, set(kept))
        for step in steps:
            if step not in later_ones.inside:
                self.lines += _lines(step, names, indent, later_ones.of.get(step, []))
        self.lines += [f"{indent}{places[s].element(extent, indices)} = {names[s]}" for s in kept]

    def _loops(self, shape: Shape, axes: Iterable[int] | None = None, indent: str = "") -> tuple[list[str], str]:
        """Begin loops over these axes, of which those of length 1 need none."""
        indices = [f"i{k}" if n > 1 else "0" for k, n in enumerate(shape)]
        for k in range(len(shape)) if axes is None else axes:
            if shape[k] > 1:
                self.lines.append(f"{indent}for i{k} in range({shape[k]}):")
                indent += "    "
        return indices, indent

    def _product(self, step: Step) -> None:
        a, b = (self._place(s) for s in step.args)
        y = self._place(step.outs[0])
        numbers = (a.name, a.at, *a.strides, b.name, b.at, *b.strides, y.name, y.at, *a.shape, b.shape[1])
        self.lines.append(f"product({', '.join(map(str, numbers))})")

    def _reduce(self, step: Step, function: Any, axes: tuple[int, ...], keep: bool) -> None:
        """Along the last axis in a register, else in the memory of the result."""
        x, y = self._place(step.args[0]), self._place(step.outs[0])
        kind, rest = step.outs[0].array.dtype.name, [k for k in range(len(x.shape)) if k not in axes]
        begin, then = REDUCED[function]
        if not keep:  # its axes, as if they had stayed
            strides = iter(y.strides)
            y = y._replace(shape=tuple(1 if k in axes else n for k, n in enumerate(x.shape)),
                           strides=tuple(0 if k in axes else next(strides) for k in range(len(x.shape))))  # fmt: skip
        if len(x.shape) - 1 in axes:
            indices, indent = self._loops(x.shape, rest)
            total, to = f"t{next(self.names)}", y.element(x.shape, indices)
            self.lines.append(f"{indent}{total} = {kind}({begin})")
            _, inner = self._loops(x.shape, axes, indent)
            self.lines.append(f"{inner}{total} = {then.format(total, x.element(x.shape, indices))}")
            self.lines.append(f"{indent}{to} = {total}")
            return
        indices, indent = self._loops(x.shape, rest)
        to = y.element(x.shape, indices)
        self.lines.append(f"{indent}{to} = {kind}({begin})")
        indices, indent = self._loops(x.shape)
        self.lines.append(f"{indent}{to} = {then.format(to, x.element(x.shape, indices))}")


class _Put(NamedTuple):
    """What is computed only where a condition holds."""

    of: dict[Step, list[Step]]
    """By the choice that it belongs to, in order."""
    inside: set[Step]


def _only_there(steps: list[Step], kept: set[Slot]) -> _Put:
    """The steps whose results only a choice uses, as what it takes where its condition holds."""
    put = _Put({}, set())
    for choice in steps:
        if choice.function is not np.where or not isinstance(choice.args[1], Slot):
            continue
        found: set[Step] = set()
        for step in reversed(steps[: steps.index(choice)]):
            slot = step.outs[0]
            users = [other for other in steps if slot in other.used]
            as_taken = users == [choice] and choice.args[1] is slot and choice.args[0] is not slot is not choice.args[2]
            if slot not in kept and users and (as_taken or all(user in found for user in users)):
                found.add(step)
        found -= put.inside
        put.of[choice] = [step for step in steps if step in found]
        put.inside.update(found)
    return put


def _lines(step: Step, names: dict[Slot, str], indent: str, inside: list[Step]) -> list[str]:
    """The lines of one step of arithmetic, and of what is computed only where its condition holds."""
    kind = next((s.array.dtype for s in step.used if s.array.dtype.char != "?"), np.dtype("float32")).name
    values = [names[v] if isinstance(v, Slot) else f"{kind}({float(v)!r})" for v in step.args]
    name = names[step.outs[0]]
    if not inside:
        return [f"{indent}{name} = {MORE_FORMULAS[step.function].format(*values, kind=kind)}"]
    lines = [f"{indent}{name} = {values[2]}", f"{indent}if {values[0]}:"]
    for part in inside:
        lines += _lines(part, names, indent + "    ", [])
    return [*lines, f"{indent}    {name} = {values[1]}"]


def descent(count: int) -> Any:
    """A function of a rate and so many pairs of a parameter and its gradient, in turn: one step of gradient descent."""
    names = [f"p{k}, g{k}" for k in range(count)]
    lines = [f"descend({pair}, rate)" for pair in names]
    return compiled("\n    ".join([f"def loop(rate, {', '.join(names)}):", *lines]) + "\n")
