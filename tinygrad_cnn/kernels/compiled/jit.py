"""How the loops of this package are compiled and shared by threads. Only this file, `panel` and `vectors` import Numba.

Machine code is kept on disk for the next process. The threads are Numba's own, OpenMP's where it has them: they
take up a share in 2 µs, where handing one to a Python thread takes 20 and more, so that also small work can be shared.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import njit, prange
from numba.np.ufunc.parallel import threading_layer

from tinygrad_cnn.kernels.threads import thread_count

__all__ = ["exact", "inlined", "inner", "prange", "shared", "sums"]


def forget_stale(folder: Path) -> None:
    """Remove machine code that is older than a source of this folder: Numba looks only at the file of the outermost
    loop, which may have been compiled with others of another file in it.
    """
    newest = max(source.stat().st_mtime for source in folder.glob("*.py"))
    for index in folder.glob("__pycache__/*.nbi"):
        with suppress(OSError):  # another process may do the same, or the folder be read-only
            if index.stat().st_mtime < newest:
                index.unlink()


forget_stale(Path(__file__).parent)
F = TypeVar("F", bound=Callable[..., Any])

SUMS = {"reassoc", "contract", "nsz"}
"""What the compiler may do to sums: reorder and fuse them. NaN and infinity keep their meaning."""
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": True}
PROCESSORS = os.cpu_count() or 1
SPINS = "10000"
"""For how long OpenMP's threads wait awake: some 0.1 ms, from one loop to the next. Left alone they would take the
processors for 5 ms, also from BLAS: the products of a step of the MNIST example then took 5.8 ms instead of 3.2."""
WORTH_SHARING = 1 << 20
"""The cost, in bytes moved plus an eighth of the operations, from which threads pay: 50 to 100 µs. Less would do where
the threads are awake, but after work of one thread they must be woken, and their processor may be taken."""


def exact(function: F) -> F:
    """Compile loops whose arithmetic must stay as written."""
    return cast(F, njit(**OPTIONS)(function))


def sums(function: F) -> F:
    """Compile loops that add many products, in any order."""
    return cast(F, njit(**OPTIONS, fastmath=SUMS)(function))


def inner(function: F) -> F:
    """Compile a function that other loops call, which keep it on disk with them."""
    return cast(F, njit(nogil=True, error_model="numpy", fastmath=SUMS)(function))


def inlined(function: F) -> F:
    """Compile a line of other loops in its place: what it is given and returns stays in registers."""
    return cast(F, njit(nogil=True, error_model="numpy", fastmath=SUMS, inline="always")(function))


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """Compile a loop ``for share in prange(shares)`` twice, for one thread and for several.

    `shares` is the last parameter. Who calls gives `cost` in its place, and the shares depend on it and on the number
    of threads alone.
    """
    twin = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    twin.__qualname__ = function.__qualname__ + "_in_threads"  # a name of its own in the cache on disk
    alone, together = njit(**OPTIONS)(function), njit(**OPTIONS, parallel=True)(twin)

    def call(*args: Any, cost: float) -> None:
        shares = 1 if cost < WORTH_SHARING else number_of_shares()
        (together if shares > 1 else alone)(*args, shares)

    call.__doc__ = function.__doc__
    return call


def number_of_shares() -> int:
    """Into how many shares work that is worth it is divided."""
    n = min(thread_count(), PROCESSORS)
    if n < 2 or _forked or not may_share():
        return 1
    numba.set_num_threads(n)
    return n


_forked: list[bool] = []
"""Not empty in a child process: OpenMP does not survive a fork."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _forked.append(True))


@cache
def may_share() -> bool:
    """Whether several Python threads may use Numba's at once: not with its own last resort, "workqueue"."""
    asked = os.environ.get("GOMP_SPINCOUNT")
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    try:
        njit(parallel=True, cache=True)(_first_use)(np.zeros(2), 2)  # loads OpenMP, which reads its settings then
    finally:
        if asked is None:
            del os.environ["GOMP_SPINCOUNT"]
    layer: str = threading_layer()
    return layer in ("omp", "tbb")


def _first_use(x: Any, shares: int) -> None:
    for share in prange(shares):
        x[share] = share
