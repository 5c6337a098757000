"""Which module is being called: `nn` tells it, while somebody asks. Nothing is asked of modules otherwise."""

from collections.abc import Callable
from typing import Any


class Calls:
    """`switch` is given by `nn`: it lets every call of a module go through a function, or, given None, no longer."""

    switch: Callable[[Callable[[Any, Callable[[], Any]], Any] | None], None] | None = None
    around: Callable[[Any, Callable[[], Any]], Any] | None = None
    """What calls go through now: given the module, and what calls it."""


def route(around: Callable[[Any, Callable[[], Any]], Any] | None) -> None:
    """Let calls go through a function, also of a room `nn` that is loaded later."""
    Calls.around = around
    if Calls.switch is not None:
        Calls.switch(around)


def answer(switch: Callable[[Callable[[Any, Callable[[], Any]], Any] | None], None]) -> None:
    """Of `nn`, when it is loaded: how to switch it on and off."""
    Calls.switch = switch
    switch(Calls.around)
