"""How the loops of this package are compiled and shared by threads. Only this file, `panel`, `registers`
and `vectors` import Numba.

Machine code is kept on disk for the next process. The threads are Numba's own, OpenMP's where it has them: awake they
take up a share in 2 µs, where handing one to a Python thread takes 20 and more, so that also small work can be shared.
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import njit, prange
from numba.np.ufunc.parallel import threading_layer

from tinygrad_cnn.kernels.threads import thread_count, times_of

__all__ = ["contracted", "exact", "inlined", "inner", "prange", "shared", "sums"]


def forget_stale(sources: Path, kept: Path) -> None:
    """Remove machine code, kept in a folder, that is older than one of its sources: Numba looks only at the file of the
    outermost loop, which may have been compiled with others of another file in it.
    """
    newest = max(source.stat().st_mtime for source in sources.glob("*.py"))
    for index in kept.glob("*.nbi"):
        with suppress(OSError):  # another process may do the same, or the folder be read-only
            if index.stat().st_mtime < newest:
                index.unlink()


@njit(cache=True)
def _anything() -> None:
    """Here for where Numba keeps its machine code: beside the package, in a folder of the user, or where it is told."""


forget_stale(Path(__file__).parent, Path(cast(str, _anything.stats.cache_path)))
F = TypeVar("F", bound=Callable[..., Any])

SUMS = {"reassoc", "contract", "nsz"}
"""What the compiler may do to sums: reorder and fuse them. NaN and infinity keep their meaning."""
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": True}
PROCESSORS = os.cpu_count() or 1
SPINS = "1000"
"""For how long OpenMP's threads wait awake: 25 µs, from one loop to the next. That is also how long a processor waits
for a thread that has none, because another process takes it: a loop then takes 60 µs, with 10,000 turns 500, and left
alone 5 ms."""
WORTH_SHARING = 1 << 20
"""The cost, in bytes moved plus an eighth of the operations, from which threads pay: 50 to 100 µs. Less would do where
the threads are awake, but after work of one thread they must be woken, and their processor may be taken."""
USUAL = 1.2e-5
"""Seconds to hand over a share and to end the loop together, of which `WORTH_SHARING` is eight times as much."""


def exact(function: F) -> F:
    """Compile loops whose arithmetic must stay as written."""
    return cast(F, njit(**OPTIONS)(function))


def sums(function: F) -> F:
    """Compile loops that add many products, in any order."""
    return cast(F, njit(**OPTIONS, fastmath=SUMS)(function))


def contracted(function: F) -> F:
    """Compile loops whose arithmetic may only be fused: a product and a sum with one rounding."""
    return cast(F, njit(**OPTIONS, fastmath={"contract", "nsz"})(function))


def contracted_here(function: F) -> F:
    """The same, of a function that no file has: its machine code is not kept."""
    return cast(F, njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})(function))


def inner(function: F) -> F:
    """Compile a function that other loops call, which keep it on disk with them."""
    return cast(F, njit(nogil=True, error_model="numpy", fastmath=SUMS)(function))


def inlined(function: F) -> F:
    """Compile a line of other loops in its place: what it is given and returns stays in registers."""
    return cast(F, njit(nogil=True, error_model="numpy", fastmath=SUMS, inline="always")(function))


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """Compile a loop ``for share in prange(shares)`` twice, for one thread and for several.

    `shares` is the last parameter. Who calls gives `cost` in its place, and the shares depend on it and on the number
    of threads alone. On a machine that is slow to wake threads one thread computes more of what costs little.
    """
    twin = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    twin.__qualname__ = function.__qualname__ + "_in_threads"  # a name of its own in the cache on disk
    alone, together = njit(**OPTIONS)(function), njit(**OPTIONS, parallel=True)(twin)

    def call(*args: Any, cost: float) -> None:
        shares = 1 if cost < WORTH_SHARING else number_of_shares()
        if shares > 1 and cost >= WORTH_SHARING * delay(shares):
            numba.set_num_threads(shares)  # of this Python thread
            together(*args, shares)
        else:
            alone(*args, shares)

    call.__doc__ = function.__doc__
    return call


def number_of_shares() -> int:
    """Into how many shares work that is worth it is divided."""
    return min(thread_count(), PROCESSORS)


@cache
def delay(threads: int) -> float:
    """How many times the usual time it takes here to hand over work, at least 1: found once, in about 1 ms.

    Infinity where there must be no threads: after a fork, which OpenMP does not survive, and with Numba's own last
    resort, "workqueue", which several Python threads may not use at once.
    """
    if _forked:
        return math.inf
    loop = njit(parallel=True, cache=True)(_first_use)
    numba.set_num_threads(threads)
    x = np.zeros(threads)
    with _settings():
        loop(x, threads)
    if threading_layer() not in ("omp", "tbb"):
        return math.inf
    return times_of(lambda: loop(x, threads), USUAL)


_forked: list[bool] = []
"""Not empty in a child process."""


def _in_child() -> None:
    _forked.append(True)
    delay.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


@contextmanager
def _settings() -> Iterator[None]:
    """What OpenMP reads when it is loaded, by the first loop that is shared."""
    asked = os.environ.get("GOMP_SPINCOUNT")
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    try:
        yield
    finally:
        if asked is None:
            del os.environ["GOMP_SPINCOUNT"]


def _first_use(x: Any, shares: int) -> None:
    for share in prange(shares):
        x[share] = share
