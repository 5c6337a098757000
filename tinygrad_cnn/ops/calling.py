"""How functions may be called besides their own signature: by NumPy's names of dims, and sizes by keyword."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

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
