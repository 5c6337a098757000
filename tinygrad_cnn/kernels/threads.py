"""How many threads the linear algebra beneath NumPy uses."""

import os
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")  # building one looks at every loaded library: 0.4 ms


def get_num_threads() -> int:
    """The number of threads that BLAS uses; that of the processors if no BLAS can be asked."""
    counts = [library["num_threads"] for library in _controller().info()]
    return max(counts) if counts else os.cpu_count() or 1


def set_num_threads(n: int) -> None:
    """Let BLAS use n threads from now on, in the whole process."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n is {n!r}; it must be an integer of at least 1")
    _controller().limit(limits=n)
