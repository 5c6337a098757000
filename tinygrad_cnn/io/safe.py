"""The classes that ``load(…, weights_only=True)`` may make, as PyTorch keeps them in `torch.serialization`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

Listed: TypeAlias = Callable[..., object]
"""A class, or a function."""
_listed: list[Listed] = []


def add_safe_globals(safe_globals: Sequence[Listed]) -> None:
    """List classes (and functions, which need it not).

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Notes: pass
    >>> tg.serialization.add_safe_globals([Notes])
    >>> Notes in tg.serialization.get_safe_globals()
    True
    >>> tg.serialization.clear_safe_globals()
    """
    _listed.extend(value for value in safe_globals if value not in _listed)


def get_safe_globals() -> list[Listed]:
    """What is listed.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.serialization.get_safe_globals()
    []
    """
    return list(_listed)


def clear_safe_globals() -> None:
    """List nothing any more.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.serialization.clear_safe_globals()
    >>> tg.serialization.get_safe_globals()
    []
    """
    _listed.clear()


@contextmanager
def safe_globals(safe_globals: Sequence[Listed]) -> Iterator[None]:
    """List classes as long as the block lasts.

    >>> from tinygrad_cnn import nn
    >>> with safe_globals([nn.Linear]):
    ...     get_safe_globals()
    [<class 'tinygrad_cnn.nn.linear.Linear'>]
    >>> get_safe_globals()
    []
    """
    before = get_safe_globals()
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _listed[:] = before
