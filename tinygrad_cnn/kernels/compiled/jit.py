"""How the loops of this package are compiled, and nothing else. The only file that imports Numba."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

SUMS = {"reassoc", "contract", "nsz"}
"""What the compiler may do to sums: reorder and fuse them. NaN and infinity keep their meaning."""


def exact(function: F) -> F:
    """Compile loops whose arithmetic must stay as written. The machine code is kept on disk for the next process."""
    return cast(F, njit(nogil=True, error_model="numpy", cache=True)(function))


def sums(function: F) -> F:
    """Compile loops that add many products, in any order."""
    return cast(F, njit(nogil=True, error_model="numpy", cache=True, fastmath=SUMS)(function))
