"""What modules note for the optimisers' lookout: layers in plain lists, and layers that took the place of others."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tinygrad_cnn.nn.entries import Entries
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor

MOST = 64
"""So many notes are kept before those of what is forgotten are thrown away."""

CONTAINERS = list, tuple, dict


class Note(NamedTuple):
    """A module, the name of an attribute, and what stood there: layers or parameters. None of them is kept alive."""

    module: weakref.ref[Any]
    name: str
    kind: str
    """The container in which they stood, or "" if they were registered."""
    parts: list[weakref.ref[Any]]

    def parameters(self) -> list[Tensor]:
        """The parameters that are still there."""
        alive = (ref() for ref in self.parts)
        return [p for part in alive if part is not None for p in parameters_of(part)]


UNLISTED: list[Note] = []
"""Plain containers, of whose layers and parameters the module does not know."""
REPLACED: list[Note] = []
"""What was registered under a name that has another value now."""


def note_containers(module: Any) -> None:
    """Note the lists, tuples and dicts among the attributes that hold layers or parameters of their own: at least two.

    A list of one is how a layer is hidden on purpose.
    """
    for name, value in vars(module).items():
        if type(value) in CONTAINERS and not name.startswith("_"):
            held = trained(value.values() if type(value) is dict else value)
            if len(held) > 1:
                known = {id(p) for p in module.parameters()}
                if not any(id(p) in known for part in held for p in parameters_of(part)):
                    _keep(UNLISTED, Note(weakref.ref(module), name, type(value).__name__, list(map(weakref.ref, held))))


def note_replaced(module: Any, name: str, old: Any) -> None:
    """Note that something with parameters, which stood under this name, is no longer there."""
    if trained([old]):
        _keep(REPLACED, Note(weakref.ref(module), name, "", list(map(weakref.ref, parameters_of(old)))))


def trained(parts: Iterable[Any]) -> list[Any]:
    """The parameters among these, and the modules that have some."""
    return [part for part in parts if any(p.requires_grad for p in parameters_of(part))]


def parameters_of(part: Any) -> Iterator[Parameter]:
    """A parameter itself, those of a module; of anything else none."""
    if isinstance(part, Parameter):
        return iter((part,))
    fields = getattr(part, "__dict__", {})
    return part.parameters() if isinstance(fields.get("_parameters"), Entries) else iter(())


def is_registered(note: Note) -> bool:
    """Whether any module lists one of the parts: they are shared then, and not forgotten."""
    alive = (ref() for ref in note.parts)
    return any(isinstance(holder, Entries) for part in alive if part is not None for holder in gc.get_referrers(part))


def _keep(notes: list[Note], note: Note) -> None:
    if len(notes) >= MOST:
        notes[:] = [n for n in notes if n.module() is not None and any(ref() is not None for ref in n.parts)][-MOST:]
    notes.append(note)
