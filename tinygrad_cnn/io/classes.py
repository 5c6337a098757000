"""The classes and functions that a saved Module refers to, by name. Nothing is imported to find one, nothing is run.

A class must be a Module that the program has defined or imported already; a function must be one of this package's own
that only compute (`ops`, `nn.functional`), such as the activation that a layer keeps.
"""

import sys
from typing import Any

from tinygrad_cnn.io.errors import UnreadableFileError
from tinygrad_cnn.nn.module import Module

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
        raise UnreadableFileError(
            f"load: the file holds a {qualname} of the module {module}, and no Module of that name is loaded; define "
            "or import the class first, or save its state_dict()"
        )
    return found


def function(module: Any, qualname: Any) -> Any:
    """A function that a saved Module keeps."""
    found = looked_up(module, qualname) if named(COMPUTING, module) else None
    if found is None or isinstance(found, type) or not computes(found):
        raise UnreadableFileError(
            f"load: the file names a function {module}.{qualname}, which is not one that computes"
        )
    return found
