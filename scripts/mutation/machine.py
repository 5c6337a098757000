"""Mutants of compiled kernels: the loops that run a mutated function are compiled anew, and nothing of it is kept.

Machine code is on disk for all processes; a process that tries a mutant neither reads it for these loops nor writes it.
"""

import inspect
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from tinygrad_cnn.kernels.compiled import jit

ROOM = "tinygrad_cnn.kernels.compiled."
Dispatcher = type(jit._anything)
"""What Numba makes of a function."""


def plain(value: Any) -> Any:
    """The function behind what the package calls: behind a compiled loop, and behind one that threads share."""
    if isinstance(value, Dispatcher):
        return value.py_func
    for inner in _cells(value):
        if isinstance(inner, Dispatcher):
            return inner.py_func
    return inspect.unwrap(value)


def forget(function: Any) -> None:
    """Let every loop that runs this function, itself or by what it calls, be compiled again when it is called."""
    stale = {function.__code__}
    every = list(dict.fromkeys(_dispatchers()))
    twins = [d for d in every if d.py_func.__qualname__.removesuffix("_in_threads") == function.__qualname__]
    for twin in twins:
        if twin.py_func.__module__ == function.__module__:
            twin.py_func.__code__ = function.__code__
    found: set[Any] = {d for d in every if d.py_func.__code__ in stale}
    while more := {d for d in every if d not in found and not found.isdisjoint(_called(d))}:
        found |= more
    for dispatcher in found:
        dispatcher._make_finalizer()()
        dispatcher._reset_overloads()
        dispatcher._cache = _nothing_kept
        dispatcher._can_compile = True


_uncached: Any = jit.inner(lambda: None)
_nothing_kept = type(_uncached._cache)()


def _dispatchers() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.startswith(ROOM):
            for value in list(vars(module).values()):
                for each in (value, *_cells(value)):
                    if isinstance(each, Dispatcher):
                        yield each


def _called(dispatcher: Any) -> set[Any]:
    """The loops whose names a function reads."""
    code, names = dispatcher.py_func.__code__, dispatcher.py_func.__globals__
    read = [names.get(name) for name in code.co_names] + list(_cells(dispatcher.py_func))
    return {value for value in read if isinstance(value, Dispatcher)}


def _cells(value: Any) -> list[Any]:
    return [cell.cell_contents for cell in value.__closure__ or ()] if isinstance(value, FunctionType) else []
