"""Lists every public name with its signature: `python -m scripts.public_names > tests/public_names.txt`.

A public name is one in the `__all__` of a public path, or a method or attribute of a public class. A line each:
the path, the name, and its parameters with their defaults, without annotations. `tests/test_public_names.py` compares.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

from tinygrad_cnn.autograd import Node

PATHS = (
    "tinygrad_cnn",
    "tinygrad_cnn.autograd",
    "tinygrad_cnn.backends",
    "tinygrad_cnn.data",
    "tinygrad_cnn.datasets",
    "tinygrad_cnn.func",
    "tinygrad_cnn.functional",
    "tinygrad_cnn.gradcheck",
    "tinygrad_cnn.gradcheck.strategies",
    "tinygrad_cnn.io",
    "tinygrad_cnn.learn",
    "tinygrad_cnn.linalg",
    "tinygrad_cnn.nn",
    "tinygrad_cnn.nn.functional",
    "tinygrad_cnn.nn.utils",
    "tinygrad_cnn.numpy_protocol",
    "tinygrad_cnn.ops",
    "tinygrad_cnn.optim",
    "tinygrad_cnn.optim.lr_scheduler",
    "tinygrad_cnn.serialization",
    "tinygrad_cnn.special",
    "tinygrad_cnn.tensor",
    "tinygrad_cnn.transforms",
    "tinygrad_cnn.utils",
    "tinygrad_cnn.utils.data",
)
WITHOUT_LIST = (
    *(
        "accelerator",
        "autograd.function",
        "autograd.functional",
        "backends.cuda",
        "backends.cudnn",
        "backends.mkldnn",
        "backends.mps",
        "cuda",
        "distributions",
    ),
    *("nn.init", "nn.modules", "nn.parallel", "nn.parameter", "nn.utils.parametrizations", "nn.utils.parametrize"),
    *("nn.utils.rnn", "onnx", "optim.swa_utils", "random", "testing", "transforms.functional"),
)
"""Public paths that had no `__all__` when the list was made: what is defined there counts."""


def signature(value: Any, member: Any = None) -> str:
    """The parameters with their defaults; "" of what says nothing, and of nodes, which users only get."""
    if not callable(value) or value is Node:
        return ""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ""
    kept = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    if inspect.isfunction(member) and kept and kept[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
        kept[0] = kept[0].replace(name="self")  # of a function that is a method, too
    text = str(inspect.Signature(kept))
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def of_class(path: str, kind: type, bases: set[type]) -> Iterator[str]:
    """The public methods and attributes that a class has from this package, without those of these bases."""
    for name in sorted(dir(kind)):
        if name.startswith("_"):
            continue
        owner = next((base for base in kind.__mro__ if name in vars(base)), object)
        of_base = any(name in dir(base) for base in kind.__mro__[1:] if base in bases and name not in vars(kind))
        if owner.__module__.startswith("tinygrad_cnn") and not of_base:
            yield f"{path} {kind.__name__}.{name}{signature(getattr(kind, name), vars(owner)[name])}"


def defined(value: Any) -> bool:
    """Whether it is a function or class of this package."""
    return (inspect.isroutine(value) or inspect.isclass(value)) and value.__module__.startswith("tinygrad_cnn.")


def lines(*, whole: bool = True) -> Iterator[str]:
    """A line for each public name and each member of a class; unless `whole`, no member twice."""
    listed: list[tuple[str, str, Any]] = []
    for path in PATHS:
        module = importlib.import_module(path)
        listed += [(path, name, getattr(module, name)) for name in sorted(module.__all__)]
    for path in WITHOUT_LIST:
        module = importlib.import_module(f"tinygrad_cnn.{path}")
        names = [name for name in sorted(vars(module)) if not name.startswith("_")]
        listed += [(module.__name__, name, vars(module)[name]) for name in names if defined(vars(module)[name])]
    public = {value for _, _, value in listed if inspect.isclass(value) and not issubclass(value, (Exception, tuple))}
    shown: set[type] = set()
    for path, name, value in listed:
        yield f"{path} {name}{signature(value)}"
        if inspect.isclass(value) and value in public and (whole or value not in shown):
            shown.add(value)
            yield from of_class(path, value, set() if whole else public)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(whole=False))
