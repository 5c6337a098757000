"""How functions may be called besides their own signature: by NumPy's names of dims, sizes by keyword, of a number."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from tinygrad_cnn.core.checks import shape_of

Door = TypeVar("Door", bound=Callable[..., Any])
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def flexible(door: Door) -> Door:
    """Let a function take `axis` for `dim` and `keepdims` for `keepdim`, and its ``*dims`` as ``dims=(...)``.

    So do PyTorch's functions.
    """
    code = inspect.unwrap(door).__code__  # `inspect.signature` takes ten times as long, for a hundred functions
    count = code.co_argcount + code.co_kwonlyargcount
    parameters = code.co_varnames[:count]
    several = code.co_varnames[count] if code.co_flags & inspect.CO_VARARGS else None
    renamed = {name: own for name, own in NUMPY_NAMES.items() if own in parameters}

    others = frozenset(renamed) | ({several} if several else frozenset())

    @wraps(door)
    def called(*args: Any, **options: Any) -> Any:
        if others.isdisjoint(options):
            return door(*args, **options)
        for name, own in renamed.items():
            if name in options:
                if own in options:
                    raise TypeError(f"{door.__name__}: {name} and {own} are two names of one argument; give one")
                options[own] = options.pop(name)
        if several in options:
            args = (*args, options.pop(several))
        return door(*args, **options)

    return cast(Door, called)


def vectorial(door: Door) -> Door:
    """Let a function along a dim take an input without dims: as a vector of one element, of which the dim is 0 or -1.

    Its results are then without dims, too.
    """

    @wraps(door)
    def called(input: Any, *args: Any, **options: Any) -> Any:
        if shape_of(input):
            return door(input, *args, **options)
        return _first(door(np.reshape(input, (1,)), *args, **options))

    return cast(Door, called)


def _first(result: Any) -> Any:
    """The only element of a result; of several, of each."""
    if isinstance(result, tuple):
        parts = map(_first, result)
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    return np.reshape(result, ()) if shape_of(result) == (1,) else result
