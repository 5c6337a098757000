"""A pool of threads over blocks of a batch. NumPy releases the interpreter's lock inside its loops and in BLAS.

From its first use on BLAS is held to one thread, in the whole process: its own threads spin for a while after
each product, on the processors that the pool needs (a training step took a third longer). Products of large
matrices are shared by the pool like everything else, see `matmul`.
"""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
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
            self.workers = [_Worker() for _ in range(get_num_threads() - 1)]
        return self.workers

    def stop(self) -> None:
        for worker in self.workers:
            worker.jobs.put(None)
        self.workers = []


_pool = _Pool()
if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.__init__)  # type: ignore[misc]

_threads: list[int] = []
"""The number asked for, if one was."""


def get_num_threads() -> int:
    """The number of threads of the kernels: as set, or as many as BLAS had, or one a processor."""
    if not _threads:
        counts = [library.num_threads for library in _blas()]
        _threads.append(max(counts) if counts else os.cpu_count() or 1)
    return _threads[0]


def set_num_threads(n: int) -> None:
    """Let the kernels use n threads from now on, and BLAS, in the whole process, only those that call it."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n is {n!r}; it must be an integer of at least 1")
    with _pool.busy:
        _pool.stop()
        _threads[:] = [n]
        _hold_blas()


def _hold_blas() -> None:
    """Let BLAS use the calling thread alone, from now on."""
    for library in _blas():
        library.set_num_threads(1)


def share(tasks: Sequence[Task], work: Callable[[Sequence[Task]], Result], *, cost: float) -> list[Result]:
    """`work` on each thread's share of the tasks, in their order; the results in the order of the shares.

    `cost` is an estimate of the whole in bytes moved plus an eighth of the operations. Below `WORTH_SHARING` all
    stays in the calling thread: handing over takes 20 µs and more. The shares depend on the number of threads alone, so
    that results do, too, even when the pool is in use and a share runs here.
    """
    n = min(get_num_threads(), len(tasks))
    if n < 2 or cost < WORTH_SHARING:
        return [work(tasks)]
    shares = [tasks[len(tasks) * k // n : len(tasks) * (k + 1) // n] for k in range(n)]
    if not _pool.busy.acquire(blocking=False):
        return [work(own) for own in shares]
    try:
        workers = _pool.started()[: n - 1]
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


WORTH_SHARING = 1 << 22
"""The cost from which threads pay: about 0.4 ms of one thread's work."""


BLOCK_ELEMENTS = 1 << 18
"""Elements worked on at once: 1 MiB of float32, a usual second-level cache."""


def split(n: int, size: int) -> list[slice]:
    """Slices of at most `size` that make up n."""
    return [slice(k, min(k + size, n)) for k in range(0, n, max(1, size))]


def row_blocks(n: int, elements: int) -> list[slice]:
    """Slices of n rows whose lowered windows, `elements` a row, fit the cache together; one a thread at least."""
    size = min(BLOCK_ELEMENTS // max(1, elements), -(-n // get_num_threads()))
    return split(n, max(1, size))
