"""A recorded program as the data of the page that steps through it: numbers, formulas, words, derivatives, checks.

Nothing is computed by the page: what it shows is here, the arrays as the engine's own bytes.
"""

from __future__ import annotations

import base64
import inspect
import io
import keyword
import linecache
import tokenize
import zlib
from collections import Counter
from functools import cache
from html import escape
from pathlib import PurePath
from textwrap import dedent
from typing import Any

import numpy as np

from tinygrad_cnn.core.arrays import unify
from tinygrad_cnn.core.op import Op, registry
from tinygrad_cnn.program import Contribution, Line, Place, Program, Value
from tinygrad_cnn.program.listing import WRITES
from tinygrad_cnn.program.source import bound
from tinygrad_cnn.teach.derivatives import Applied, Map, derivatives
from tinygrad_cnn.teach.formulas import formulas, mathml, rule_of
from tinygrad_cnn.teach.nudging import Check, nudge
from tinygrad_cnn.teach.words import BACKWARD, FORWARD, SYMBOLS

INLINE = 4096
"""Arrays up to so many bytes are not compressed, so that the first page needs to inflate none."""
FULL = 400
"""Up to how many ops each step gets its derivatives and its check; of larger programs the page tells less."""
ROOM = 6_000_000
"""How many bytes of elements a page may hold; beyond, the largest arrays are left out."""
DTYPES = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}


class Arrays:
    """The arrays of a page: equal ones are written once."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []
        self.blocks: list[str] = []
        self.numbers: dict[Any, int] = {}
        self.room = ROOM
        self.left_out = 0

    def number(self, array: Any) -> int | None:
        """The number of an array; None if there is none, or no room for it."""
        if array is None:
            return None
        array = np.asarray(array, order="C")
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        kind = array.dtype.str[1:]
        if kind not in DTYPES:
            return None
        data = array.tobytes()
        key = kind, array.shape, data
        if key not in self.numbers:
            packed = data if len(data) <= INLINE else zlib.compress(data, 6, -15)
            squeezed = len(packed) < 0.9 * len(data)
            if min(len(packed), len(data)) > self.room:
                self.left_out += 1
                return None
            self.room -= len(packed) if squeezed else len(data)
            self.numbers[key] = len(self.listed)
            self.listed.append({"d": kind, "s": list(array.shape), "b": len(self.blocks), "z": squeezed})
            self.blocks.append(base64.b64encode(packed if squeezed else data).decode())
        return self.numbers[key]


def marked(file: str) -> list[dict[str, Any]]:
    """The lines of a file, with what has a colour of its own: keywords, strings, numbers, comments."""
    lines = [line.rstrip("\n") for line in linecache.getlines(file)]
    marks: list[list[list[Any]]] = [[] for _ in lines]
    try:
        for t in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            kind = {tokenize.COMMENT: "c", tokenize.STRING: "s", tokenize.NUMBER: "n"}.get(t.type)
            if t.type == tokenize.NAME and keyword.iskeyword(t.string):
                kind = "k"
            for n in range(t.start[0], t.end[0] + 1) if kind else ():
                first = t.start[1] if n == t.start[0] else 0
                marks[n - 1].append([first, t.end[1] if n == t.end[0] else len(lines[n - 1]), kind])
    except (tokenize.TokenError, IndentationError, IndexError):
        pass
    return [{"text": text, "marks": m} for text, m in zip(lines, marks, strict=True)]


class Story:
    """Turns a `Program` with values into what the page is given."""

    def __init__(self, program: Program, title: str) -> None:
        self.program, self.title, self.arrays = program, title, Arrays()
        self.files: list[str] = []
        self.alias = program.aliases()
        self.lines = [line for line in program.lines if not self.hides(line)]
        reached = self.reached()
        self.lines = [line for line in self.lines if self.at(line.outputs[0]) in reached]
        self.brief = len(self.lines) > FULL
        used = {self.at(n) for line in self.lines for n in (*line.inputs, line.outputs[0])}
        used |= {self.at(step.to) for step in program.backward}
        self.values = [value for value in program.values if value.number in used]
        self.ids = {value.number: k for k, value in enumerate(self.values)}
        self.ops = {line.number: k for k, line in enumerate(self.lines)}
        self.labels = self.unique_labels()
        self.sent = {(step.line, step.input) for step in program.backward}

    def at(self, number: int) -> int:
        """The value that this one is: what was written is what was computed for it."""
        while number in self.alias:
            number = self.alias[number]
        return number

    def hides(self, line: Line) -> bool:
        """Whether a line is a write whose value a line of its own computed, or one into a leaf, under `no_grad`."""
        written = line.kind in WRITES
        return written and (line.outputs[0] in self.alias or self.program.values[line.outputs[0]].role != "result")

    def reached(self) -> set[int]:
        """The values that lead to where the backward passes began, or to the outputs; all, if there is neither."""
        program = self.program
        ends = [number for number, _ in program.seeds] or list(program.outputs)
        if not ends:
            return {self.at(value.number) for value in program.values}
        made = {self.at(line.outputs[0]): line for line in self.lines}
        found, waiting = set(), [self.at(n) for n in ends]
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                line = made.get(number)
                waiting += [self.at(n) for n in line.inputs] if line is not None else []
        return found

    def unique_labels(self) -> dict[int, str]:
        """How each value is called on the page: its name, and where names repeat also the line, or a count."""
        plain = {}
        for value in self.values:
            label = value.label()
            if value.name is None and value.role == "result" and value.line is not None:
                text = next((p.text for p in self.program.lines[value.line].where[:1]), "")
                label = text if 0 < len(text) <= 24 else label
            plain[value.number] = label
        count = Counter(plain.values())
        labels: dict[int, str] = {}
        taken: Counter[str] = Counter()
        for value in self.values:
            label = plain[value.number]
            where = self.program.lines[value.line].where if value.line is not None else ()
            if count[label] > 1 and not value.literal:
                label = f"{label} (line {where[0].line})" if where else label
            taken[label] += 1
            repeated = taken[label] > 1 and not value.literal
            labels[value.number] = f"{label} #{taken[label]}" if repeated else label
        return labels

    # ---- the parts -----------------------------------------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """Everything the page is given."""
        steps = [step for step in self.program.backward if step.line in self.ops]
        ops = [self.op(line) for line in self.lines]
        values = [self.value(value) for value in self.values]
        seeds = [(self.at(n), g) for n, g in self.program.seeds if self.at(n) in self.ids]
        end = seeds[0][0] if seeds else self.at(self.lines[-1].outputs[0]) if self.lines else 0
        return {
            "title": self.title,
            "file": PurePath(self.files[0]).name if self.files else None,
            "note": self.note(bool(steps)),
            "values": values,
            "ops": ops,
            "steps": [self.step(step) for step in steps],
            "loss": self.ids.get(end, 0),
            "seed": self.arrays.number(seeds[0][1]) if seeds else None,
            "modules": [{"path": path, "text": text} for path, text in self.program.modules.items()],
            "files": [{"name": PurePath(file).name, "lines": marked(file)} for file in self.files],
            "summary": {"ops": len(ops), "shown": "modules"} if self.brief else None,
            "arrays": self.arrays.listed,
        }

    def note(self, went_back: bool) -> str | None:
        """What the page lacks, in a sentence."""
        said = []
        if not went_back:
            said.append("Nothing went back here: call backward() on the loss inside.")
        if not any(line.where for line in self.lines):
            said.append("To see the source and the names, record it: explain(function, *inputs), or with record().")
        if self.brief:
            said.append(f"{len(self.lines):,} ops are too many to show the numbers of each: shown by module.")
        if self.arrays.left_out:
            said.append(f"{self.arrays.left_out} large arrays are left out.")
        return " ".join(said) or None

    def value(self, value: Value) -> dict[str, Any]:
        """One value."""
        shown = not self.brief or int(np.prod(value.shape)) <= 1
        gradient = value.gradient
        return {
            "id": self.ids[value.number],
            "role": value.role,
            "name": value.name,
            "label": self.labels[value.number],
            "module": value.module,
            "shape": list(value.shape),
            "dtype": value.dtype,
            "array": self.arrays.number(value.array) if shown else None,
            "grad": self.arrays.number(gradient) if shown else None,
            "wants": value.wants,
            "op": None if value.line is None else self.ops.get(value.line),
            "first": bound(value.place, value.name) if value.place and value.name else None,
        }

    def op(self, line: Line) -> dict[str, Any]:
        """One op, with its formulas and derivatives."""
        op = registry.get(line.op) if line.kind in ("op", "graph") else None
        numbers = [self.at(n) for n in line.inputs]
        inputs = [self.program.values[n] for n in numbers]
        out = self.at(line.outputs[0])
        names = list(op.inputs) if op is not None and not op.variadic else [f"x{k + 1}" for k in range(len(inputs))]
        geometry = _geometry(line, inputs)
        filled = self.filled(line, geometry)
        rules = [None if op is None else self.rule(op, line, k, filled) for k in range(len(inputs))]
        said = FORWARD.get(line.op, "").format_map(filled)
        return {
            "id": self.ops[line.number],
            "name": line.op,
            "symbol": SYMBOLS.get(line.op, line.op.lower()),
            "inputs": [self.ids[n] for n in numbers],
            "names": names,
            "out": self.ids[out],
            "aux": [self.arrays.number(self.program.values[n].array) for n in line.outputs[1:]],
            "options": {name: _text(option) for name, option in line.options.items() if name != "result"},
            "geometry": geometry,
            "where": [self.place(place) for place in line.where if linecache.getline(place.file, place.line)],
            "module": line.module,
            "keeps": [name for name, _, _ in line.keeps],
            "bytes": line.bytes,
            "formula": "" if op is None else mathml(formulas(op)[0], known=(*op.inputs, *op.options)),
            "says": said,
            "rules": rules,
            "broadcasts": bool(op is not None and op.broadcasts),
            "maps": [None if op is None else self.map(self.derivatives(op, line, k)) for k in range(len(inputs))],
        }

    def filled(self, line: Line, geometry: Any) -> dict[str, str]:
        """What the sentences of an op are filled with."""
        weights = self.program.values[line.inputs[1]].shape if len(line.inputs) > 1 else ()
        shape = self.program.values[line.outputs[0]].shape
        return {
            "y": self.labels[self.at(line.outputs[0])],
            "kernel": " × ".join(map(str, geometry["kernel"])) if geometry else "",
            "count": str(weights[0]) if weights else "",
            "places": str(int(np.prod(shape[2:]))) if len(shape) > 2 else "",
        }

    def rule(self, op: type[Op], line: Line, k: int, filled: dict[str, str]) -> dict[str, str] | None:
        """The rule of one input: as mathematics, as code, in words."""
        place = 0 if op.variadic else k
        if place >= len(op.rules) or op.rules[place] is None:
            return None
        labels = [self.labels[self.at(n)] for n in line.inputs]
        name, text = op.inputs[place], rule_of(op, op.inputs[place])
        rules: Any = op  # to mypy a class of `Op` has no hash
        code = _code(rules, name)
        y = filled["y"]
        short = op.broadcasts and all(
            len(label) <= 8 and label.isidentifier() and label != "g" for label in [*labels, y]
        )
        names = {**dict(zip(op.inputs, labels, strict=False)), "y": y} if short else {}
        target = names.get(name, "x" if op.variadic else name)
        loss = self.loss()
        bottom = f"<mi class='v' mathvariant='normal'>{escape(target)}</mi>" if len(target) == 1 else (
            f"<mtext>{escape(target)}</mtext>")  # fmt: skip
        lead = (
            f"<mfrac><mrow><mo>∂</mo><mi class='v' mathvariant='normal'>{escape(loss)}</mi></mrow>"
            f"<mrow><mo>∂</mo>{bottom}</mrow></mfrac><mo>←</mo>"
        )
        known = (*op.inputs, *op.options)
        math = (
            mathml(text, names, lead, known)
            if text
            else f"<math displaystyle='true'>{lead}<mtext>{escape(code)}</mtext></math>"
        )
        said = BACKWARD.get(line.op, ())
        words = said[min(place, len(said) - 1)] if said else ""
        other = next((label for j, label in enumerate(labels) if j != k), labels[k])
        if line.op == "Mul" and len(set(line.inputs)) == 1:
            words = f"{{y}} multiplies {labels[k]} by itself. Each of the two places sends g times the other factor."
        says = words.format_map({**filled, "a": labels[k], "other": other})
        return {"math": math, "code": code, "says": says}

    def loss(self) -> str:
        """How formulas call the loss: by its own name if that is one letter."""
        ends = [self.at(n) for n, _ in self.program.seeds]
        label = self.labels.get(ends[0], "L") if ends else "L"
        return label if len(label) == 1 else "L"

    def applied(self, op: type[Op], line: Line) -> Applied | None:
        """The op with the arrays that it had; None if they were not kept."""
        values = [self.program.values[n] for n in line.inputs]
        if self.brief or any(v.array is None for v in values):
            return None
        arrays = [v.array.item() if v.literal and v.array is not None else v.array for v in values]
        if op.promotes or op.floating:
            unify(op, arrays)
        return Applied(op, tuple(arrays), line.options)

    def derivatives(self, op: type[Op], line: Line, k: int) -> Map | None:
        """The derivatives of one input, if a gradient goes there."""
        applied = self.applied(op, line) if (line.number, k) in self.sent else None
        if applied is None:
            return None
        g = self.program.values[self.at(line.outputs[0])].gradient
        try:
            return derivatives(applied, k, g)
        except Exception:  # of a learner's own op: what it does with unit cotangents is not known
            return None

    def map(self, found: Map | None) -> dict[str, Any] | None:
        """A map as the page is given it."""
        if found is None:
            return None
        if found.slope is not None:
            return {"kind": "elementwise", "slope": self.arrays.number(found.slope)}
        number = self.arrays.number
        return {
            "kind": "sparse",
            "rows": number(found.rows),
            "cols": number(found.cols),
            "one": found.one,
            "values": number(found.values),
            "via": number(found.via),
            "other": found.other,
            "only": number(found.only),
            "note": None if found.only is None else f"for the {len(found.only):,} outputs with the largest g",
        }

    def step(self, step: Contribution) -> dict[str, Any]:
        """One step back."""
        line = self.program.lines[step.line]
        op = registry.get(line.op) if line.kind == "op" else None
        number = (lambda array: None) if self.brief else self.arrays.number
        return {
            "op": self.ops[step.line],
            "input": step.input,
            "to": self.ids[self.at(step.to)],
            "g": number(step.g),
            "d": number(step.d),
            "before": number(step.before),
            "after": number(step.after),
            "raw": number(step.raw),
            "axes": [] if step.raw is None else _summed(step.raw.shape, step.shape),
            "check": None if op is None else self.check(op, line, step),
        }

    def check(self, op: type[Op], line: Line, step: Contribution) -> dict[str, Any] | None:
        """What nudging says of a step."""
        applied = self.applied(op, line)
        if applied is None or step.g is None or step.d is None:
            return None
        try:
            found: Check | None = nudge(applied, step.input, step.g, step.d)
        except Exception:  # an op that cannot be computed in float64, or beside its arguments
            return None
        if found is None:
            return None
        return {
            "kind": "all" if found.at is None else "some",
            "at": self.arrays.number(found.at),
            "q": self.arrays.number(found.q),
            "kinks": self.arrays.number(found.kinks.astype(np.uint8)) if found.kinks.any() else None,
            "checked": found.q.size,
            "agree": found.agree,
            "kinked": int(found.kinks.sum()),
            "worst": found.worst,
            "scale": found.scale,
            "ok": found.ok,
            "direction": None if found.direction is None else dict(zip("qd", found.direction, strict=True)),
        }

    def place(self, place: Place) -> dict[str, int]:
        """Where an op was called, in characters."""
        if place.file not in self.files:
            self.files.append(place.file)
        ends = []
        for line, column in ((place.line, place.column), (place.end, place.stop)):
            ends.append(len(linecache.getline(place.file, line).encode()[:column].decode(errors="replace")))
        return {
            "file": self.files.index(place.file),
            "line": place.line,
            "end": place.end,
            "col": ends[0],
            "stop": ends[1],
        }


def _summed(raw: Any, shape: Any) -> list[int]:
    """The axes of `raw` that were summed to get `shape`."""
    lead = len(raw) - len(shape)
    return [a for a, n in enumerate(raw) if a < lead or (shape[a - lead] == 1 and n != 1)]


def _geometry(line: Line, inputs: list[Value]) -> dict[str, Any] | None:
    """Stride, padding, dilation, groups and kernel of a convolution or a pooling; None of other ops."""
    given = line.options.get("geometry", line.options.get("windows"))
    if given is None or not hasattr(given, "_asdict") or len(inputs[0].shape) != 4:
        return None
    found: dict[str, Any] = given._asdict()
    kernel = found.get("kernel_size", inputs[1].shape[2:] if len(inputs) > 1 else ())
    padding = [p if isinstance(p, int) else p[0] for p in found.get("padding", (0, 0))]
    named = {name: list(found.get(name, (1, 1))) for name in ("stride", "dilation")}
    return {**named, "padding": padding, "groups": found.get("groups", 1), "kernel": list(kernel)}


def _text(option: Any) -> str:
    if isinstance(option, np.ndarray):
        return f"{option.dtype} {option.shape}"
    named: Any = getattr(option, "_asdict", None)
    if named is not None:
        return ", ".join(f"{name} {value}" for name, value in named().items())
    text = repr(option)
    return text if len(text) <= 80 else f"{text[:77]}…"


@cache
def _code(op: Any, name: str) -> str:
    """What the rule of an input returns, as it is written; the rule whole if it is longer than one line."""
    try:
        source = dedent(inspect.getsource(vars(op).get(f"d_{name}") or getattr(op, f"d_{name}")))
    except (OSError, TypeError):
        return ""
    body = [line for line in source.splitlines() if not line.strip().startswith(("@", "def "))]
    text = dedent("\n".join(body)).strip()
    return text.removeprefix("return ").split("  #")[0] if text.count("\n") == 0 else text
