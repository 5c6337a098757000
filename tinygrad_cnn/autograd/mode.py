"""Whether ops are recorded: one switch per thread."""

import threading
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class _Mode(threading.local):
    recording = True


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether ops are recorded in this thread."""
    return mode.recording


class set_grad_enabled:
    """Switch recording on or off in this thread: at once, in a ``with`` block, or around a function.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, enabled: bool) -> None:
        self.before = [mode.recording]
        self.enabled = bool(enabled)
        mode.recording = self.enabled

    def __enter__(self) -> None:
        mode.recording = self.enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode.recording = self.before.pop()


class _Switch:
    """A context manager, re-entrant, that is a decorator as well."""

    enabled: bool

    def __init__(self) -> None:
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(mode.recording)
        mode.recording = self.enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode.recording = self.before.pop()

    def __call__(self, function: F) -> F:
        @wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return cast(F, switched)


class no_grad(_Switch):
    """Do not record ops: ``with no_grad():`` or ``@no_grad()``."""

    enabled = False


class enable_grad(_Switch):
    """Record ops, also inside `no_grad`."""

    enabled = True
