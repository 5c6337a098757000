"""What users name on the command line: an op, ``module:function`` or ``file.py:function``, and how it is loaded.

Their mistakes become a `UsageError` of one sentence; what their own code raises, a `TheirError` with its traceback.
"""

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tinygrad_cnn.core.op import Op, registry
from tinygrad_cnn.gradcheck import functions
from tinygrad_cnn.utils.near import near

FORM = "write module:function or path/to/file.py:function"


class UsageError(ValueError):
    """One sentence on what is wrong with the command."""


class TheirError(Exception):
    """Code of the user's raised; `trace` is the part of the traceback that is theirs."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


def load(text: str) -> Any:
    """The op or the callable that the text names."""
    place, colon, name = text.rpartition(":")
    if not colon:
        return _op(text)
    if not place or not name:
        raise UsageError(f"gradcheck: {text!r} names no function; {FORM}")
    found: Any = load_module(place)
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError(f"gradcheck: {place} has no {name!r}{_nearest(part, found)}")
        found = getattr(found, part)
    if isinstance(found, type) and issubclass(found, Op):
        return found
    if not callable(found):
        raise UsageError(f"gradcheck: {text} is {_a(type(found).__name__)}, which cannot be called; name a function")
    return found


def load_module(place: str) -> ModuleType:
    """Import a module by its name, or a file by its path."""
    is_path = place.endswith(".py") or "/" in place or "\\" in place
    try:
        return _import_file(Path(place)) if is_path else importlib.import_module(place)
    except UsageError:
        raise
    except ModuleNotFoundError as error:
        if not is_path and error.name is not None and f"{place}.".startswith(f"{error.name}."):
            raise UsageError(
                f"gradcheck: there is no module {error.name!r}, neither in this folder ({Path.cwd()}) nor installed; "
                "name it as in an import, or give the path of its .py file"
            ) from None
        raise _theirs(place, error) from error
    except (Exception, SystemExit) as error:
        raise _theirs(place, error) from error


@contextmanager
def folder_importable() -> Iterator[None]:
    """Inside the block, modules of the current folder can be imported, as `python -m` has it."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


def parameters(function: Callable[..., Any], count: int | None = None) -> list[str] | None:
    """The names of the positional parameters, None if nobody knows; `count` of them if there is a ``*name``."""
    try:
        known = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # ufuncs and builtins
        return None
    names = [p.name for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    spread = [p.name for p in known if p.kind is p.VAR_POSITIONAL]
    if spread and count is not None:
        names += [f"{spread[0]}[{k}]" for k in range(count - len(names))]
    return names if count is None else names[:count]


def check_takes(text: str, function: Callable[..., Any], count: int, given: str) -> None:
    """UsageError if the function does not take so many positional arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*range(count))
    except TypeError as error:
        raise UsageError(f"gradcheck: {text} takes {signature} and was given {given}: {error}") from None


def their_trace(error: BaseException) -> str | None:
    """The traceback from where the checker calls the function, or from the first frame that is not ours.

    None if there is neither: then it is not their function that raised.
    """
    ours = str(Path(__file__).parents[1])
    frames = traceback.extract_tb(error.__traceback__)
    calls = [k + 1 for k, f in enumerate(frames) if f.filename == functions.__file__]
    foreign = [k for k, f in enumerate(frames) if not f.filename.startswith((ours, "<frozen", importlib.__file__))]
    start = calls[-1] if calls else foreign[0] if foreign else None
    last = "".join(traceback.format_exception_only(error))
    if start is None:
        return last if isinstance(error, SyntaxError) else None
    return f"Traceback (most recent call last):\n{''.join(traceback.format_list(frames[start:]))}{last}"


def all_ours(error: BaseException) -> bool:
    """Whether it was raised without any code but this package's: its message says enough."""
    ours = str(Path(__file__).parents[1])
    frames = traceback.extract_tb(error.__traceback__)
    return all(f.filename.startswith(ours) for f in frames)


def first_line(error: BaseException) -> str:
    """The type and the first line of the message."""
    message = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _op(text: str) -> type[Op]:
    if text in registry:
        return registry[text]
    if text.endswith(".py") or "/" in text or "." in text:
        raise UsageError(f"gradcheck: {text!r} names no function; {FORM}")
    hint = near(text, registry) or "`tinygrad-cnn gradcheck --all` lists them."
    raise UsageError(f"gradcheck: there is no op {text!r}; {hint} For a function, {FORM}")


def _import_file(path: Path) -> ModuleType:
    if not os.path.isfile(path):
        raise UsageError(f"gradcheck: {path}: there is no such file")
    if path.suffix != ".py":
        raise UsageError(f"gradcheck: {path} is not a .py file; {FORM}")
    name = f"gradcheck_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageError(f"gradcheck: {path}: cannot be read as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look for it there
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # its neighbours can be imported, as when it is run
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
    return module


def _theirs(place: str, error: BaseException) -> TheirError:
    if isinstance(error, SystemExit):
        what = 'ends the program; put what it does behind if __name__ == "__main__":'
    else:
        what = f"raises {first_line(error)}"
    return TheirError(f"gradcheck: importing {place} {what}", their_trace(error) or "")


def _nearest(name: str, owner: Any) -> str:
    names = [n for n in dir(owner) if callable(getattr(owner, n, None)) and not n.startswith("__")]
    return f"; {near(name, names) or 'name a function that it defines'}"


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
