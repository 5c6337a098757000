"""A `Program` as plain data, for `save`, and back: dicts, lists, numbers, arrays and tensors."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any

import numpy as np

from tinygrad_cnn.core.op import Op, registry
from tinygrad_cnn.program.listing import OPAQUE, Call, Contribution, Line, Program, Value
from tinygrad_cnn.program.source import Place

FORMAT = 1
"""Of the data; a program of another format is refused."""


def state_of(program: Program) -> dict[str, Any]:
    """All that a program holds."""
    return {
        "format": FORMAT,
        "values": [{**_fields(v), "place": _place(v.place)} for v in program.values],
        "lines": [
            {**_fields(line), "options": _plain(line.options), "where": [_place(place) for place in line.where]}
            for line in program.lines
        ],
        "backward": [_fields(step) for step in program.backward],
        "calls": [tuple(call) for call in program.calls],
        **{name: getattr(program, name) for name in ("inputs", "outputs", "seeds", "modules", "single", "why_not")},
    }


def program_of(state: Any) -> Program:
    """The program again; ValueError if the data is not that of one."""
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError("a program of another format")
    program = Program()
    program.values = [Value(**{**v, "place": v["place"] and Place(*v["place"])}) for v in state["values"]]
    for form in state["lines"]:
        line = Line(**{**form, "options": _whole(form["options"]), "where": tuple(Place(*p) for p in form["where"])})
        if line.kind == "op" and line.op not in registry:
            line.kind, program.why_not = OPAQUE, f"the op {line.op} is not defined here; import it first"
        program.lines.append(line)
    program.backward = [Contribution(**step) for step in state["backward"]]
    program.calls = [Call(*call) for call in state["calls"]]
    count = len(program.values)
    for name in ("inputs", "outputs", "seeds", "modules", "single"):
        setattr(program, name, state[name])
    program.why_not = program.why_not or state["why_not"]
    used = [*program.inputs, *program.outputs, *(n for line in program.lines for n in (*line.inputs, *line.outputs))]
    if not all(type(n) is int and 0 <= n < count for n in used):
        raise ValueError("a line of the program names a value that is not there")
    return program


def _fields(thing: Any) -> dict[str, Any]:
    return {f.name: getattr(thing, f.name) for f in fields(thing)}


def _place(place: Place | None) -> tuple[Any, ...] | None:
    return None if place is None else tuple(place)


def _plain(option: Any) -> Any:
    """An option of an op, in what files can hold."""
    if isinstance(option, slice):
        return {"is": "slice", "of": [_plain(part) for part in (option.start, option.stop, option.step)]}
    if option is Ellipsis:
        return {"is": "..."}
    if isinstance(option, np.dtype):
        return {"is": "dtype", "of": option.str}
    if isinstance(option, type) and issubclass(option, Op):
        return {"is": "op", "of": option.name}
    if isinstance(option, tuple) and hasattr(option, "_fields"):
        kind = type(option)
        return {"is": "named", "of": [kind.__module__, kind.__qualname__, [_plain(part) for part in option]]}
    if isinstance(option, dict):
        return {"is": "dict", "of": {name: _plain(part) for name, part in option.items()}}
    if isinstance(option, (list, tuple)) and type(option) in (list, tuple):
        return type(option)(_plain(part) for part in option)
    return option


def _whole(option: Any) -> Any:
    if type(option) in (list, tuple):
        return type(option)(_whole(part) for part in option)
    if not isinstance(option, dict):
        return option
    of: Any = option.get("of")
    match option["is"]:
        case "slice":
            return slice(*map(_whole, of))
        case "...":
            return ...
        case "dtype":
            return np.dtype(of)
        case "op":
            return registry[of]
        case "dict":
            return {name: _whole(part) for name, part in of.items()}
        case "named":
            module, name, parts = of
            kind = vars(sys.modules[module]).get(name) if module.startswith("tinygrad_cnn.") else None
            if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
                return kind(*map(_whole, parts))
    raise ValueError(f"an option that is not known: {option['is']!r}")
