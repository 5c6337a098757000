"""`explain`: one page, a file by itself, on which one steps through a program and back through its derivatives."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn.core import engine
from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.program import Program
from tinygrad_cnn.program.recording import Recorder, Recording, arguments, begin, end, here
from tinygrad_cnn.teach.story import Story

__all__ = ["explain"]


def explain(what: Any, /, *inputs: Any, out: str | os.PathLike[str] = "explain.html", title: str | None = None) -> Path:
    """Write a page that steps through a computation, forward and back; return its path.

    Parameters
    ----------
    what : a function (or module), which is called with the inputs and returns the loss; a `Program` that was recorded
        with values; or a loss that was computed already, of which the graph alone is known: no source, no names
    inputs : the arguments of the function; floating arrays become tensors that ask for a gradient
    out : where to write the page; an existing file is replaced whole
    title : what stands at its top

    The page needs no server and no network. The `.grad` of your tensors stay as they are.

    Raises
    ------
    RuntimeError
        If nothing asks for a gradient, or the graph was freed by an earlier backward pass.
    ValueError
        If the function returns something else than one number.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_cnn import tensor
    >>> def f(a, b):
    ...     return (a * b).relu()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = explain(f, tensor(2.0), tensor(3.0), out=folder + "/f.html")
    ...     page.read_text(encoding="utf-8").startswith("<!doctype html>")
    True
    """
    if isinstance(what, Program):
        program = what
        if inputs:
            raise TypeError("explain: a Program has its inputs already; leave them out")
        if not any(value.array is not None and not value.literal for value in program.values):
            raise ValueError("explain: this program was recorded without values; use record(..., values=True)")
    elif isinstance(what, Tensor):
        if inputs:
            raise TypeError("explain: a loss takes no inputs; to give inputs pass the function, explain(f, x)")
        program = from_graph(what)
    elif callable(what):
        program = run(what, inputs)
    else:
        raise TypeError(f"explain: expected a function, a Program or a loss, got {type(what).__name__}")
    path = Path(out)
    write_atomically(path, page(program, title or _title(what)).encode())
    return path


def _title(what: Any) -> str:
    return str(getattr(what, "__name__", type(what).__name__)) if callable(what) else "Backward, step by step"


def run(function: Callable[..., Any], inputs: tuple[Any, ...]) -> Program:
    """Record a function with its values, and go back from what it returns."""
    given = [x if isinstance(x, Tensor) else _asking(x) for x in inputs]
    given = [_asking(x) for x in given] if not any(isinstance(x, Tensor) and x.requires_grad for x in given) else given
    recording = Recording(values=True)
    with recording as program:
        recorder = recording.recorder
        recorder.outermost = sys._getframe()
        loss = arguments(recorder, function, given)
        if not isinstance(loss, Tensor):
            raise TypeError(f"explain: the function returned {type(loss).__name__}; it must return a tensor, the loss")
        if recorder.number(loss) not in (number for number, _ in program.seeds):
            program.backward.clear()  # what the function itself went back
            program.seeds.clear()
            for value in program.values:
                value.gradient = None
            back(recorder, loss)
    return program


def _asking(x: Any) -> Any:
    """A tensor of the same elements that asks for its gradient, if it can have one."""
    if not isinstance(x, (Tensor, np.ndarray)):
        return x
    array = x.array if isinstance(x, Tensor) else x
    return Tensor.kind(array, requires_grad=True) if array.dtype.kind == "f" else x


def from_graph(loss: Tensor) -> Program:
    """What the graph of a loss knows: ops, shapes, what was kept, and, by going back once more, the gradients."""
    recorder = Recorder(values=True, outermost=None)
    recorder.traces_back = True
    before = here.recorder
    begin(recorder)
    try:
        back(recorder, loss)
    finally:
        end(before)
    return recorder.program


def back(recorder: Recorder, loss: Tensor) -> None:
    """Go back from a loss without adding to any `.grad`."""
    if loss.array.size != 1:
        raise ValueError(
            f"explain: the result has shape {loss.array.shape}; a gradient starts from one number: add .sum() or "
            ".mean()"
        )
    if not loss.requires_grad:
        raise RuntimeError(
            "explain: nothing here asks for a gradient; create an input with requires_grad=True, outside no_grad() and "
            "detach()"
        )
    edge = loss.edge
    leaves = _leaves(edge)
    engine.gradients("explain", [loss], [None], leaves or [edge], retain_graph=True, create_graph=False)


def _leaves(root: Any) -> list[Any]:
    found, waiting, seen = [], [root], {root}
    while waiting:
        edge = waiting.pop()
        if not isinstance(edge, Node):
            found.append(edge)
        for parent in edge.edges:
            if parent is not None and parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return found


# ---- the page ----------------------------------------------------------------------------------------------------


def page(program: Program, title: str) -> str:
    """The HTML of a program's page."""
    story = Story(program, title)
    data = json.dumps(story.data(), allow_nan=False).replace("<", "\\u003c")
    blocks = "\n".join(
        f'<script type="application/octet-stream" id="b{k}">{block}</script>'
        for k, block in enumerate(story.arrays.blocks)
    )
    parts = {
        "title": escape(title),
        "style": _file("stepper.css"),
        "dagre": _file("dagre.min.js"),
        "script": joined("main.js"),
        "data": f'<script type="application/json" id="data">{data}</script>',
        "blocks": blocks,
    }
    text = _file("stepper.template.html")
    return re.sub("{(" + "|".join(parts) + ")}", lambda place: parts[place[1]], text)


def _file(name: str) -> str:
    return (files("tinygrad_cnn.teach") / "page" / name).read_text(encoding="utf-8")


def joined(name: str, done: set[str] | None = None) -> str:
    """The modules of the page as one script: each after those that it imports, without their imports and exports."""
    done = set() if done is None else done
    done.add(name)
    before, body = [], []
    for line in _file(name).splitlines():
        if line.startswith("import "):
            other = line.rpartition("./")[2].partition('"')[0]
            if other not in done:
                before.append(joined(other, done))
        else:
            body.append(line.removeprefix("export "))
    return "\n".join([*before, *body])
