"""What is computed of arrays outside ops, and told to somebody who writes down what a call does: usually to nobody."""

import threading
from collections.abc import Callable
from typing import Any, Protocol


class Listener(Protocol):
    """Who writes down what happens in its thread."""

    def decide(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Ask: what is done next depends on it."""

    def make(self, function: Callable[..., Any], args: tuple[Any, ...], drawn: bool) -> Any:
        """Make an array, as one step."""


class _Told(threading.local):
    listener: Listener | None = None


told = _Told()


def decided(function: Callable[..., Any], *args: Any) -> Any:
    """``function(*args)``, of arrays: what the answer is decides what is done."""
    return function(*args) if told.listener is None else told.listener.decide(function, args)


def made(function: Callable[..., Any], *args: Any, drawn: bool = False) -> Any:
    """``function(*args)``: an array of arrays, numbers and shapes, or `drawn` at random, which is another each time."""
    return function(*args) if told.listener is None else told.listener.make(function, args, drawn)
