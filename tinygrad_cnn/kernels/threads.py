"""A pool of threads. NumPy releases the interpreter's lock inside its loops and in BLAS.

From its first use on BLAS is held to one thread, in the whole process: its own threads spin for a while after
each product, on the processors that the pool needs (a training step took a third longer). Products of large
matrices are shared by the pool like everything else, see `passes`, where it is decided what is worth sharing.
"""

import os
import threading
from collections.abc import Callable, Sequence
from functools import cache, partial
from queue import SimpleQueue
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def _blas() -> list[Any]:
    """Those loaded by now: another may come with a later import."""
    from threadpoolctl import ThreadpoolController  # 2 ms to load

    controller = ThreadpoolController()  # looks at every loaded library: 0.4 ms
    return list(controller.select(user_api="blas").lib_controllers)


class _Worker(threading.Thread):
    """A thread that waits for a job and hands back its result, or what it raised.

    Two queues: half the price of concurrent.futures, 20 µs instead of 40.
    """

    def __init__(self) -> None:
        super().__init__(name="tinygrad_cnn", daemon=True)
        self.jobs: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self.results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self.start()

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            try:
                self.results.put((job(), None))
            except BaseException as error:  # raised again where the result is asked for
                self.results.put((None, error))
            del job  # and what it holds


class _Pool:
    """The workers, and who is using them."""

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.workers: list[_Worker] = []

    def started(self) -> list[_Worker]:
        if not self.workers:
            _hold_blas()
            self.workers = [_Worker() for _ in range(thread_count() - 1)]
        return self.workers

    def stop(self) -> None:
        for worker in self.workers:
            worker.jobs.put(None)
        self.workers = []


_pool = _Pool()
if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.__init__)  # type: ignore[misc]

_asked: list[int] = []
"""The number that was set, if one was."""


@cache
def thread_count() -> int:
    """What `get_num_threads` returns, found once: kernels ask at every call."""
    if _asked:
        return _asked[0]
    counts = [library.num_threads for library in _blas()]
    return max(counts) if counts else os.cpu_count() or 1


def get_num_threads() -> int:
    """The number of threads of the kernels: as set, or as many as BLAS had, or one a processor."""
    return thread_count()


def set_num_threads(n: int) -> None:
    """Let the kernels use n threads from now on, and BLAS, in the whole process, only those that call it."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n is {n!r}; it must be an integer of at least 1")
    with _pool.busy:
        _pool.stop()
        _asked[:] = [n]
        thread_count.cache_clear()
        _hold_blas()


def _hold_blas() -> None:
    """Let BLAS use the calling thread alone, from now on."""
    for library in _blas():
        library.set_num_threads(1)


def in_threads(work: Callable[[Task], Result], shares: Sequence[Task]) -> list[Result]:
    """`work` on each share, the first in the calling thread; their results, in order.

    There are no more shares than threads. When the pool is in use, all of them run here.
    """
    if not _pool.busy.acquire(blocking=False):
        return [work(own) for own in shares]
    try:
        workers = _pool.started()[: len(shares) - 1]
        for worker, own in zip(workers, shares[1:], strict=True):
            worker.jobs.put(partial(work, own))
        try:
            results = [work(shares[0])]
        finally:
            rest = [worker.results.get() for worker in workers]
        for result, error in rest:
            if error is not None:
                raise error
            results.append(result)
        return results
    finally:
        _pool.busy.release()
