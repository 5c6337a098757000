"""With the compiled kernels: runs of element-wise arithmetic on a tape become one loop each, compiled by Numba.

Such a loop reads every array once and writes only what is used after it; what is in between stays in registers. A sum
and a product may be rounded together, so results are the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import Shape
from tinygrad_cnn.playback.tape import CALL, Slot, Step, slots_in, users_of

FUSED = "fused"
"""The kind of a step whose function writes into `outs`, which it is given behind `args`."""
LEAST = 3
"""A run of fewer steps stays as it is."""
MOST_ARRAYS = 40

FORMULAS: dict[Any, str] = {
    np.add: "{0} + {1}",
    np.subtract: "{0} - {1}",
    np.multiply: "{0} * {1}",
    np.true_divide: "{0} / {1}",
    np.negative: "-{0}",
    np.square: "{0} * {0}",
    np.maximum: "{0} if {0} >= {1} or {0} != {0} else {1}",
    np.minimum: "{0} if {0} <= {1} or {0} != {0} else {1}",
}
"""What compiles to vectors. The functions of NumPy's own that are not here are faster in NumPy."""
_compiled: dict[str, Callable[..., None]] = {}


def fused(steps: list[Step], outputs: list[Slot]) -> list[Step]:
    """The steps with each run of arithmetic on arrays of one shape as one step."""
    found: list[Step] = []
    run: list[Step] = []
    form: Any = None
    users = users_of(steps, outputs)
    for step in [*steps, None]:
        this = None if step is None else _form(step)
        if run and (this is None or this != form):
            found += _joined(run, users)
            run = []
        if step is not None and this is not None:
            form = this
            run.append(step)
        elif step is not None:
            found.append(step)
    return found


def _form(step: Step) -> tuple[Shape, Any] | None:
    """The shape and dtype of a step that can be part of a loop."""
    if step.kind != CALL or step.function not in _FUNCTIONS or step.options or step.source or len(step.outs) != 1:
        return None
    array = step.outs[0].array
    if array.dtype.char not in "fd" or not array.flags.c_contiguous or not array.ndim or array.base is not None:
        return None
    for value in step.args:
        if isinstance(value, Slot):
            other = value.array
            if other.dtype != array.dtype or not other.flags.c_contiguous:
                return None
            if other.ndim and other.shape != array.shape[array.ndim - other.ndim :]:
                return None
        elif type(value) not in (int, float):
            return None
    return array.shape, array.dtype


_FUNCTIONS = set(FORMULAS)


def _joined(run: list[Step], users: dict[Slot, set[Step | None]]) -> list[Step]:
    """One step of a run, if that pays."""
    if len(run) < LEAST:
        return run
    inside: set[Step | None] = set(run)
    made = {step.outs[0] for step in run}
    stored = [s for s in made if users.get(s, set()) - inside]
    stored.sort(key=lambda slot: slot.number)
    given = list(dict.fromkeys(s for step in run for s in slots_in(step.args) if s not in made))
    if len(given) + len(stored) > MOST_ARRAYS or len(stored) >= len(run):
        return run
    names: dict[Slot, str] = {slot: f"x{k}" for k, slot in enumerate(given)}
    kind = run[0].outs[0].array.dtype.name
    whole = run[0].outs[0].array.shape
    rows = {slot.array.size for slot in given if slot.array.ndim and slot.array.shape != whole}
    if len(rows) > 1:
        return run
    before = [f"x{k} = a{k}[()]" for k, slot in enumerate(given) if not slot.array.ndim]
    before += [f"b{k} = a{k}.reshape(-1)" for k, slot in enumerate(given) if slot.array.ndim]
    before += [f"p{k} = o{k}.reshape(-1)" for k in range(len(stored))]
    wide = rows.pop() if rows else None
    places = {k: "i" if slot.array.shape == whole else "j" for k, slot in enumerate(given) if slot.array.ndim}
    body = [f"x{k} = b{k}[{place}]" for k, place in places.items()]
    for k, step in enumerate(run):
        values = [names[v] if isinstance(v, Slot) else f"{kind}({v!r})" for v in step.args]
        name = names[step.outs[0]] = f"t{k}"
        body.append(f"{name} = {FORMULAS[step.function].format(*values)}")
    body += [f"p{k}[i] = {names[slot]}" for k, slot in enumerate(stored)]
    arguments = [f"a{k}" for k in range(len(given))] + [f"o{k}" for k in range(len(stored))]
    source = f"def loop({', '.join(arguments)}):\n    " + "\n    ".join(before)
    if wide is None:
        source += "\n    for i in range(p0.size):\n        " + "\n        ".join(body) + "\n"
    else:  # beside rows that are repeated
        body.insert(0, "i = r + j")
        source += f"\n    for r in range(0, p0.size, {wide}):\n        for j in range({wide}):\n            "
        source += "\n            ".join(body) + "\n"
    return [Step(FUSED, compiled(source), tuple(given), outs=tuple(stored))]


def compiled(source: str) -> Callable[..., None]:
    """The compiled function of this text; the same text once."""
    if source not in _compiled:
        jit = import_module("tinygrad_cnn.kernels.compiled.jit")  # with Numba, which is loaded by now
        small = import_module("tinygrad_cnn.kernels.compiled.small")
        space: dict[str, Any] = {"float32": np.float32, "float64": np.float64, "inf": np.inf, "nan": np.nan}
        space |= {name: getattr(small, name) for name in small.__all__}
        exec(compile(source, "<a loop of a tape>", "exec"), space)
        _compiled[source] = jit.contracted_here(space["loop"])
    return _compiled[source]
