"""The classes and functions that a saved Module refers to, by name. Nothing is imported to find one, nothing is run.

A class must be a Module that the program has defined or imported already; a function must be one of this package's own
that only compute (`ops`, `nn.functional`), such as the activation that a layer keeps.
"""

import sys
from collections.abc import Iterable
from typing import Any

from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.reading import FileError, expect, shown

COMPUTING = ("tinygrad_cnn.ops", "tinygrad_cnn.nn.functional")


def computes(value: Any) -> bool:
    """Whether it is a function that may be saved."""
    return callable(value) and named(COMPUTING, getattr(value, "__module__", None))


def named(packages: tuple[str, ...], module: Any) -> bool:
    """Whether a module is one of these packages or inside one."""
    return isinstance(module, str) and any(module == p or module.startswith(f"{p}.") for p in packages)


def looked_up(module: Any, qualname: Any) -> Any:
    """What stands under a name in a module that is loaded; None if there is nothing."""
    value: Any = sys.modules.get(module) if isinstance(module, str) else None
    for part in str(qualname).split("."):
        value = vars(value).get(part) if value is not None and hasattr(value, "__dict__") else None
    return value


def module_class(module: Any, qualname: Any) -> type[Module]:
    """The class of a saved Module."""
    found = looked_up(module, qualname)
    if not (isinstance(found, type) and issubclass(found, Module)):
        raise FileError(
            f"the file holds a {spelled(qualname)} of the module {spelled(module)}, and no Module of that name is "
            "loaded; define or import the class first, or save its state_dict()"
        )
    return found


def function(module: Any, qualname: Any) -> Any:
    """A function that a saved Module keeps."""
    found = looked_up(module, qualname) if named(COMPUTING, module) else None
    if found is None or isinstance(found, type) or not computes(found):
        raise FileError(f"the file names a function {spelled(module, qualname)}, which is not one that computes")
    return found


def spelled(*names: Any) -> str:
    """A dotted name of the file; what is not one, in part."""
    name = ".".join(names) if all(isinstance(part, str) for part in names) else names[0]
    return name if isinstance(name, str) and len(name) < 100 and name.isprintable() else shown(name)


ROOMS = {"_parameters": Parameter, "_buffers": Tensor, "_modules": Module}
MARKS: dict[str, type] = {"training": bool, "_non_persistent_buffers_set": set, "_call_hooks": type(None)}
"""What the state of a Module holds beside them and the attributes of its own; the last may be absent."""


def checked_state(kind: type[Module], state: Any) -> dict[str, Any]:
    """The attributes of a saved Module, none of which stands in the place of a method or of what holds entries."""
    if not isinstance(state, dict) or not {*ROOMS, *MARKS} - {"_call_hooks"} <= state.keys():
        raise FileError(f"the file has a {kind.__name__} without parameters, buffers and modules")
    for room, expected in ROOMS.items():
        for name, entry in expect(dict, state[room]).items():
            if not isinstance(name, str) or (entry is not None and not isinstance(entry, expected)):
                raise FileError(f"the file has a {kind.__name__} in whose {room} a {type(entry).__name__} stands")
    for name, expected in MARKS.items():
        expect(expected, state.get(name))
    for name in (*state, *(name for room in ROOMS for name in state[room])):
        if not isinstance(name, str) or callable(getattr(Module, name, None)):
            raise FileError(f"the file has a {kind.__name__} with {shown(name)} for an attribute")
    return state


DEEPEST, MOST_PATHS = 250, 100_000


def check_tree(modules: Iterable[Module]) -> None:
    """FileError if Modules contain themselves, or each other very deeply or on very many ways."""
    seen: dict[Module, tuple[int, int]] = {}
    """Of each Module that was left: how deep it is, and how many there are in it, counted on every way."""
    for root in modules:
        open_ = {root: iter(root._modules.values())}
        while open_:
            top = next(reversed(open_))
            below = next((m for m in open_[top] if m is not None and m not in seen), None)
            if below is None:
                parts = [seen[m] for m in top._modules.values() if m is not None]
                depth = 1 + max((d for d, _ in parts), default=0)
                ways = 1 + sum(n for _, n in parts)
                if depth > DEEPEST or ways > MOST_PATHS:
                    raise FileError(f"the file has Modules in each other more than {DEEPEST} deep, or on too many ways")
                seen[top] = depth, ways
                del open_[top]
            elif below in open_:
                raise FileError("the file has a Module that contains itself")
            else:
                open_[below] = iter(below._modules.values())
