"""`Program`: the list of what was computed, in order. It prints, runs again, and is what pictures are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.display import page
from tinygrad_cnn.program.source import Place

WRITES = "assign", "become", "setitem", "turn"
"""The ways of writing in place, as a line's `op` has them; its first input is what is written."""
OPAQUE = "opaque"
"""The `kind` of a line whose op is no op of the registry, such as a `Function`: it cannot be run again."""
FROM_GRAPH = "graph"
"""The `kind` of a line that only the graph has: the history of a view after a write."""


@dataclass(slots=True, eq=False)
class Value:
    """A tensor, or a number, of a program. A tensor that is written in place is another value afterwards."""

    number: int
    role: str
    """"input", "parameter", "constant" or "result"."""
    shape: Shape
    dtype: str
    name: str | None = None
    """The name in the source, or of a parameter in its module."""
    module: str | None = None
    """Of a parameter, the path of its module."""
    wants: bool = False
    """Whether a gradient flows to it or through it."""
    line: int | None = None
    """The number of the line that makes it."""
    array: NDArray | None = None
    """Its elements when it was made: of numbers and, on request, of all."""
    gradient: NDArray | None = None
    """The gradient that came back, if values were asked for."""
    tensor: Any = None
    """The tensor itself, of what no line makes."""
    literal: bool = False
    """A number of Python."""
    place: Place | None = None
    """Of what no line makes: the outermost expression that used it first."""
    earlier: int | None = None
    """The number of the value that the same tensor was before it was written."""

    def label(self) -> str:
        """How it is called: its name with its module, the number that it is, or its number in the list."""
        if self.literal and self.array is not None:
            return repr(self.array.item())
        named = f"{self.module}.{self.name}" if self.module and self.role == "parameter" else self.name
        return named or f"t{self.number}"


@dataclass(slots=True, eq=False)
class Line:
    """One op of a program."""

    number: int
    op: str
    """The name of the op in the registry; of a write how it is made; of a `Function` its name."""
    inputs: tuple[int, ...]
    """The numbers of the values that it takes."""
    outputs: tuple[int, ...]
    """Of those that it makes: the result, then what `Op.aux` names."""
    options: dict[str, Any]
    keeps: tuple[tuple[str, Shape, int], ...] = ()
    """What the backward pass needs of it: name, shape, and bytes."""
    where: tuple[Place, ...] = ()
    """The expressions of the user's source that led to it, the innermost first."""
    module: str | None = None
    """The path of the module that called it."""
    kind: str = "op"
    """"op", one of `WRITES`, "opaque" or "graph"."""
    within: int | None = None
    """The number of the write that it is a part of."""
    recorded: bool = False
    """Whether the backward pass goes through it."""
    began: int = 0
    """When it was computed, in nanoseconds of `time.perf_counter_ns`."""
    took: int = 0
    """How long that took, in nanoseconds."""

    @property
    def bytes(self) -> int:
        """How much memory the backward pass keeps of it; arrays that others hold anyway are counted, too."""
        return sum(size for _, _, size in self.keeps)


@dataclass(slots=True, eq=False)
class Contribution:
    """One step of a backward pass: a line sends a gradient to one of its inputs. Arrays are there on request only."""

    line: int
    input: int
    """Which of the line's inputs."""
    to: int
    """The number of that value."""
    shape: Shape
    g: NDArray | None = None
    """The gradient of the line's output."""
    d: NDArray | None = None
    """What is sent."""
    raw: NDArray | None = None
    """The same before it was summed over the axes along which the input was repeated; None if it was not."""
    before: NDArray | None = None
    """What had been added up for this value; None of the first."""
    after: NDArray | None = None
    began: int = 0
    took: int = 0
    """When its derivative was computed, and how long it took, in nanoseconds."""


class Call(NamedTuple):
    """A call of a module, or of a block with a name."""

    name: str
    began: int
    took: int


@dataclass(slots=True, eq=False, repr=False)
class Program:
    """What was computed, line by line, and the way back, step by step; made by `record`.

    ``print(program)`` shows one line an op. ``program(*inputs)`` runs it again: on other inputs of the same shapes,
    with the parameters as they are now. Numbers that were drawn, such as the mask of a dropout, are constants of it.
    """

    values: list[Value] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    """The numbers of the values that were given to the function."""
    outputs: tuple[int, ...] = ()
    backward: list[Contribution] = field(default_factory=list)
    seeds: list[tuple[int, NDArray]] = field(default_factory=list)
    """Where the backward passes began, and with which gradients."""
    modules: dict[str, str] = field(default_factory=dict)
    """The modules that were called, by their paths, and how they print."""
    calls: list[Call] = field(default_factory=list)
    """The calls of modules, in the order in which they ended, with their times."""
    single: bool = True
    """Whether the function returned one tensor, no tuple of them."""
    why_not: str | None = None
    """Why it cannot be run again."""

    # ---- running it again ----------------------------------------------------------------------------------------

    def __call__(self, *inputs: Any) -> Any:
        """Run it again on other inputs of the same shapes.

        Raises
        ------
        ArgumentError
            If the number, a shape or a dtype of the inputs is another one.
        RuntimeError
            If something was computed, or written, that was no op.
        """
        if self.why_not is not None:
            raise RuntimeError(f"this program cannot be run again: {self.why_not}")
        if not self.outputs:
            raise RuntimeError("this program has no output: record a function that returns a tensor")
        if len(inputs) != len(self.inputs):
            raise ArgumentError(f"the program takes {len(self.inputs)} inputs, {len(inputs)} were given")
        held: dict[int, Any] = {}
        for number, given in zip(self.inputs, inputs, strict=True):
            value = self.values[number]
            given = given if isinstance(given, Tensor) else Tensor.kind(given, dtype=np.dtype(value.dtype))
            if (given.array.shape, str(given.array.dtype)) != (value.shape, value.dtype):
                raise ArgumentError(
                    f"the program was recorded with {value.label()} of shape {value.shape} and dtype {value.dtype}, "
                    f"not {given.array.shape} and {given.array.dtype}; record it again for others"
                )
            held[number] = given
        self._run(self.lines, held, None)
        found = tuple(self._held(held, number) for number in self.outputs)
        return found[0] if self.single else found

    def _held(self, held: dict[int, Any], number: int) -> Any:
        """A value when it is needed: what was computed, or a parameter or constant as it is."""
        if number not in held:
            value = self.values[number]
            if value.earlier is not None:
                held[number] = self._held(held, value.earlier)
            else:
                held[number] = value.array.item() if value.literal and value.array is not None else value.tensor
        return held[number]

    def _run(self, lines: Sequence[Line], held: dict[int, Any], within: int | None) -> None:
        for line in lines:
            if line.within != within or line.kind == FROM_GRAPH:
                continue
            taken = [self._held(held, number) for number in line.inputs]
            if line.kind == "op":
                made = registry[line.op].apply(*taken, **line.options)
                made = made if isinstance(made, tuple) else (made,)
                held.update(zip(line.outputs, made, strict=True))
            else:
                self._write(line, taken, held)
                held[line.outputs[0]] = taken[0]

    def _write(self, line: Line, taken: list[Any], held: dict[int, Any]) -> None:
        target = taken[0]
        if line.kind == "setitem":
            target[line.options["index"]] = taken[1]
        elif line.kind == "assign":
            target.assign(line.op, taken[1])
        else:
            inside = [part for part in self.lines if part.within == line.number]

            def computed(old: Any) -> Any:
                inner = {**held, line.inputs[0]: old}
                self._run(inside, inner, line.number)
                held.update({number: made for number, made in inner.items() if number != line.inputs[0]})
                return self._held(inner, line.options["result"])

            if line.kind == "turn":
                target.turn(line.op, computed)
            else:
                operands = [self._held(held, number) for number in line.inputs[1:]]
                target.become(line.op, computed, *operands, place=line.options.get("place", ...))

    # ---- what it says --------------------------------------------------------------------------------------------

    @property
    def bytes(self) -> int:
        """How much memory the backward pass keeps of all lines."""
        return sum(line.bytes for line in self.lines)

    def aliases(self) -> dict[int, int]:
        """Of each value that a write made, the one that was computed for it; not of leaves, where a history begins."""
        return {
            line.outputs[0]: line.options["result"]
            for line in self.lines
            if "result" in line.options and self.values[line.outputs[0]].role == "result"
        }

    def value(self, name: str) -> Value:
        """The last value of this name; KeyError with the names that there are."""
        for value in reversed(self.values):
            if name in (value.name, value.label()):
                return value
        raise KeyError(f"no value is called {name!r}; there are {sorted({v.name for v in self.values if v.name})}")

    def __str__(self) -> str:
        rows = [(self._said(line), _place(line)) for line in self.lines if line.within is None]
        wide = min(64, max((len(row) for row, _ in rows), default=0))
        heads = [_declared(self.values, role) for role in ("input", "parameter", "constant")]
        body = [f"{row:<{wide}}  {place}".rstrip() for row, place in rows]
        told = ", ".join(self.values[number].label() for number in self.outputs)
        steps = f"backward: {len(self.backward)} steps" if self.backward else ""
        return "\n".join([*filter(None, heads), *body, *([f"return {told}"] if told else []), *filter(None, [steps])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = []
        for line in self.lines:
            if line.within is None:
                made = self.values[line.outputs[0]]
                place = line.where[0] if line.where else None
                taken = ", ".join(self.values[number].label() for number in line.inputs)
                rows.append(
                    [
                        made.label(),
                        line.op,
                        taken,
                        f"{made.dtype} {tuple(made.shape)}",
                        size_of(line.bytes) if line.bytes else "",
                        line.module or "",
                        f"{PurePath(place.file).name}:{place.line}" if place else "",
                    ]
                )
        heads = ["value", "op", "of", "dtype, shape", "kept", "module", "line"]
        told = f"{len(rows)} ops, {size_of(self.bytes)} kept for the backward pass, {len(self.backward)} steps back"
        return page.fragment(page.numbers_table(rows, heads, told))

    def _said(self, line: Line) -> str:
        made = self.values[line.outputs[0]]
        options = ", ".join(f"{name}={_short(option)}" for name, option in line.options.items() if name != "result")
        taken = ", ".join(self.values[number].label() for number in line.inputs)
        kept = f"  keeps {', '.join(name for name, _, _ in line.keeps)}: {size_of(line.bytes)}" if line.keeps else ""
        return f"{made.label()}: {made.dtype}{list(made.shape)} = {line.op}({taken}{options and ', ' + options}){kept}"


def _declared(values: Iterable[Value], role: str) -> str:
    shown = [v for v in values if v.role == role and not v.literal]
    return f"{role}s: " + ", ".join(f"{v.label()}: {v.dtype}{list(v.shape)}" for v in shown) if shown else ""


def _place(line: Line) -> str:
    module = f"[{line.module}] " if line.module else ""
    if not line.where:
        return f"# {module}".rstrip() if module else ""
    place = line.where[0]
    return f"# {module}{PurePath(place.file).name}:{place.line}  {place.text}"


def _short(option: Any) -> str:
    if isinstance(option, np.ndarray):
        return f"{option.dtype}{list(option.shape)}"
    fields: Any = getattr(option, "_fields", None)
    if isinstance(option, tuple) and fields:
        return "(" + ", ".join(f"{name}={value}" for name, value in zip(fields, option, strict=True)) + ")"
    text = repr(option)
    return text if len(text) <= 60 else f"{text[:57]}..."


def size_of(n: float) -> str:
    """A size of memory in a few letters: 640 B, 12.3 kB."""
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} GB"
