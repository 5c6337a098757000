"""A pool of threads. NumPy releases the interpreter's lock inside its loops and in BLAS.

From the first kernel that asks for the number of threads on, BLAS is held to one thread, in the whole process: its own
threads spin for a while after each product, on the processors that these need, and those of compiled loops (a training
step took a third longer, one of LeNet with compiled loops twice as long). Products of large matrices are shared by the
pool like everything else, see `passes`, where it is decided what is worth sharing.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Done: TypeAlias = tuple[int, Any, BaseException | None]
"""The number of a share, the result of the work on it, and what it raised."""


def _blas() -> list[Any]:
    """Those loaded by now: another may come with a later import."""
    from threadpoolctl import ThreadpoolController  # 2 ms to load

    controller = ThreadpoolController()  # looks at every loaded library: 0.4 ms
    return list(controller.select(user_api="blas").lib_controllers)


class _Worker(threading.Thread):
    """A thread that waits for a share of some work, and hands back its number, its result, and what it raised.

    Queues of C: half the price of concurrent.futures, 20 µs instead of 40.
    """

    def __init__(self) -> None:
        super().__init__(name="tinygrad_cnn", daemon=True)
        self.jobs: SimpleQueue[tuple[Any, Any, int, SimpleQueue[Done]] | None] = SimpleQueue()

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            work, own, k, done = job
            try:
                done.put((k, work(own), None))
            except BaseException as error:  # raised again where the results are asked for
                done.put((k, None, error))
            del job, work, own, done  # and what they hold


class _Pool:
    """The workers, and whose they are now.

    Ctrl-C, like an exception that one thread throws into another, can come after any call. So each use has a queue of
    its own for the results, which nobody reads after it, and whose pool it is can be told from wherever it ends. A use
    that ends early leaves no worker behind: the next one makes new ones.
    """

    def __init__(self) -> None:
        self.used: dict[str, object] = {}  # "by": the use to which the workers belong now
        self.workers: list[_Worker] = []

    def run(self, work: Callable[[Task], Result], shares: Sequence[Task]) -> list[Result]:
        """`work` on each share, here and by the workers; all of them here if these are in use."""
        use, finished = object(), False
        left: list[_Worker] = []
        try:
            if self.used.setdefault("by", use) is use:
                results = self._shared(work, shares)
            else:
                results = [work(own) for own in shares]
            finished = True
            return results
        finally:
            used = self.used  # from here on no call, hence no interrupt, until the pool is in order
            if "by" in used and used["by"] is use:
                if not finished:
                    left, self.workers = self.workers, []
                self.used = {}
            if left:
                stop(left)

    def _shared(self, work: Callable[[Task], Result], shares: Sequence[Task]) -> list[Result]:
        done: SimpleQueue[Done] = SimpleQueue()
        workers = self._started(len(shares) - 1)
        for k, worker in enumerate(workers, 1):
            worker.jobs.put((work, shares[k], k, done))
        own = [(k, work(shares[k]), None) for k in (0, *range(1 + len(workers), len(shares)))]
        results = []
        for _, result, error in sorted([*own, *(done.get() for _ in workers)]):  # by their numbers
            if error is not None:
                raise error
            results.append(result)
        return results

    def _started(self, count: int) -> list[_Worker]:
        """So many workers, or as many as the system gives."""
        while len(self.workers) < count:
            worker = _Worker()
            self.workers.append(worker)  # before it runs, so that it is stopped whatever happens
            try:
                worker.start()
            except RuntimeError:
                self.workers.remove(worker)
                break
        return self.workers[:count]


def stop(workers: list[_Worker]) -> None:
    """End threads, and wait until none of them writes any more."""
    for worker in workers:
        worker.jobs.put(None)
    for worker in workers:
        if worker.is_alive():
            worker.join()


_pool = _Pool()
if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.__init__)  # type: ignore[misc]


class _Asked:
    """The number of threads that was set, if one was."""

    count = 0


@cache
def _found() -> int:
    """As many as BLAS had, or one a processor."""
    counts = [library.num_threads for library in _blas()]
    return max(counts) if counts else os.cpu_count() or 1


@cache
def thread_count() -> int:
    """What `get_num_threads` returns, found once: kernels ask at every call. From the first one on BLAS is held."""
    count = get_num_threads()
    _hold_blas()
    return count


def get_num_threads() -> int:
    """The number of threads of the kernels: as set, or as many as BLAS had, or one a processor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.get_num_threads() >= 1
    True
    """
    return _Asked.count or _found()


def set_num_threads(n: int) -> None:
    """Let the kernels use n threads from now on, and BLAS, in the whole process, only those that call it.

    ValueError for less than 1.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> before = tg.get_num_threads()
    >>> tg.set_num_threads(1)
    >>> tg.get_num_threads()
    1
    >>> tg.set_num_threads(before)
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n is {n!r}; it must be an integer of at least 1")
    _Asked.count = n
    thread_count.cache_clear()
    delay.cache_clear()
    _hold_blas()


def _hold_blas() -> None:
    """Let BLAS use the calling thread alone, from now on."""
    for library in _blas():
        library.set_num_threads(1)


def in_threads(work: Callable[[Task], Result], shares: Sequence[Task]) -> list[Result]:
    """`work` on each share, the first in the calling thread; their results, in order.

    When the pool is in use, all of them run here.
    """
    return _pool.run(work, shares)


USUAL = 5e-5
"""Seconds to hand over a share and to have its result, of which `passes.WORTH_SHARING` is eight times as much."""
SLOWEST = 16.0
"""At most so many times that: where it takes longer, another process took the processors just then."""


@cache
def delay() -> float:
    """How many times the usual time it takes here to hand over work, at least 1: found once, in about 1 ms."""
    shares = [None] * thread_count()
    return times_of(lambda: in_threads(lambda own: own, shares), USUAL)


def times_of(hand_over: Callable[[], object], usual: float) -> float:
    """How many times the usual seconds a hand-over takes, from 1 to `SLOWEST`.

    Measured as between two kernels, after 0.1 ms in which the other threads had no work; the lower quartile, so that
    what else the machine does at this moment counts for little.
    """
    hand_over()
    times = []
    for _ in range(8):
        end = time.perf_counter() + 1e-4
        while (start := time.perf_counter()) < end:
            pass
        hand_over()
        times.append(time.perf_counter() - start)
    return min(SLOWEST, max(1.0, sorted(times)[2] / usual))
