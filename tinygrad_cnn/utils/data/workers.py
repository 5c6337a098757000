"""Worker threads: batches are made ahead, in order, while the program computes with the ones before.

A worker has a number, a seed and a shallow copy of the data set, and makes its batches one after the other. The
k-th batch is the business of worker k modulo their number, so what comes out does not depend on who is faster.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol
from weakref import ref

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.random import Generator, draw_in_this_thread_from
from tinygrad_cnn.utils.data.dataset import Dataset

__all__ = ["get_worker_info"]

Fetch = Callable[[Any], Any]
"""Makes a batch of sample numbers; raises StopIteration at the end of a stream."""
Receipt = tuple[NDArray, Any]
"""What comes with each batch: the states of the worker's generator, and of its feed, after it."""


class Feed(Protocol):
    """What a worker makes batches from."""

    fetch: Fetch

    def state(self) -> Any:
        """How far it is."""


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info` tells: `id` of `num_workers`, the `seed`, and the worker's own `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Here(threading.local):
    info: WorkerInfo | None = None


_here = _Here()


def get_worker_info() -> WorkerInfo | None:
    """Who the DataLoader's worker in this thread is; None outside of workers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> print(tg.utils.data.get_worker_info())
    None
    """
    return _here.info


class End:
    """The answer of a worker whose stream has ended."""


class Failure:
    """The answer of a worker in which something was raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Noticing(Generator):
    """A generator that notices when it is drawn from: asking for its state takes longer than making a small batch."""

    _changed = True
    _lent = False
    _kept: NDArray

    @property
    def numpy(self) -> Any:  # what asks for it can draw later without being noticed
        """What draws in NumPy's ways."""
        self._lent = True
        return self._numpy

    @numpy.setter
    def numpy(self, value: Any) -> None:
        self._numpy = value

    def manual_seed(self, seed: int) -> Generator:
        """Begin the stream that belongs to this seed."""
        self._changed = True
        return super().manual_seed(seed)

    def set_state(self, new_state: Any) -> Generator:
        """Go on from a state."""
        self._changed = True
        return super().set_state(new_state)

    def words(self, count: int) -> NDArray:
        """The next so many words of 32 bits, of which everything else is made."""
        self._changed = True
        drawn: NDArray = chosen.random_words(self._numpy, count)
        return drawn

    def state(self) -> NDArray:
        """The state, asked for only if it may have changed."""
        if self._changed or self._lent:
            self._kept, self._changed = self.get_state(), False
        return self._kept


class Worker:
    """What stays of a worker from one iteration to the next: who it is, and what is still to be prepared."""

    def __init__(self, info: WorkerInfo, prepare: Callable[[int], Any] | None) -> None:
        self.info, self.prepare = info, prepare
        self.generator = Noticing()
        self.generator.manual_seed(info.seed)
        self.going_on: Receipt | None = None
        """Where it goes on once it is prepared, if it stands for a worker of another process."""

    def go_on(self) -> None:
        """Be where the worker of another process was."""
        if self.going_on is not None:
            generator, told = self.going_on
            self.generator.set_state(generator)
            if told is not None:
                self.info.dataset.load_state_dict(told["dataset"])
            self.going_on = None


class Asking:
    """Is there as long as somebody may ask for batches, and has `stop` set when that is over.

    An interrupt can come between any two lines, also between those that end an iteration. So the threads look for
    themselves, once a second, whether this is still there.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()


class Lane:
    """The thread of a worker for one iteration, to be started, and the queues of its tasks and answers."""

    def __init__(
        self, worker: Worker, make_feed: Callable[[Worker], Feed], answers: SimpleQueue[Any], asking: Asking
    ) -> None:
        self.worker, self.make_feed, self.answers, self.asking = worker, make_feed, answers, ref(asking)
        self.tasks: SimpleQueue[Any] = SimpleQueue()
        name = f"DataLoader worker {worker.info.id}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _task(self) -> Any:
        """The next task; None if nobody asks any more."""
        while (asking := self.asking()) is not None and not asking.stop.is_set():
            del asking
            with suppress(Empty):
                return self.tasks.get(timeout=1.0)
        return None

    def _run(self) -> None:
        worker = self.worker
        _here.info = worker.info
        draw_in_this_thread_from(worker.generator)
        feed: Feed | None = None
        while (task := self._task()) is not None:
            try:
                if worker.prepare is not None:
                    worker.prepare(worker.info.id)
                    worker.prepare = None
                worker.go_on()
                feed = feed or self.make_feed(worker)
                answer = feed.fetch(task[1])
            except StopIteration:
                answer = End()
            except BaseException as error:  # raised again where the batch is asked for
                error.add_note(f"raised in DataLoader worker {worker.info.id}")
                answer = Failure(error)
            receipt = (worker.generator.state(), None if feed is None else feed.state())
            self.answers.put((self, task[0], receipt, answer))


def crew(count: int, dataset: Any, seed: int, prepare: Callable[[int], Any] | None) -> list[Worker]:
    """So many workers, each with a shallow copy of the data set, which `prepare` may change."""
    own = [copy.copy(dataset) if isinstance(dataset, Dataset) else dataset for _ in range(count)]
    return [Worker(WorkerInfo(k, count, seed + k, part), prepare) for k, part in enumerate(own)]


def batches(
    workers: list[Worker],
    make_feed: Callable[[Worker], Feed],
    order: Iterator[tuple[int, Any]],
    ahead: int,
    timeout: float,
    in_order: bool,
    first: int = 0,
) -> Iterator[tuple[int, int, Receipt, Any]]:
    """The batches of an order of numbered sample numbers: number, worker, receipt, and batch or `End`.

    Each worker is `ahead` of the program by so many batches; worker `first` makes the first.

    However the iteration ends, at its end, by ``break`` or by an exception, the threads end with it.
    """
    asking = Asking()
    anyone: SimpleQueue[Any] = SimpleQueue()
    lanes = [Lane(worker, make_feed, SimpleQueue() if in_order else anyone, asking) for worker in workers]
    active, asked = deque(lanes), deque[Lane]()
    active.rotate(-first)

    def ask() -> None:
        """Give the next batch to the next worker whose stream has not ended."""
        if active:
            for task in order:
                active[0].tasks.put(task)
                asked.append(active[0])
                active.rotate(-1)
                break

    hanging = False
    try:
        for lane in lanes:
            lane.thread.start()
        for _ in range(max(ahead, 1) * len(lanes)):
            ask()
        while asked:
            hanging = True
            lane, number, receipt, answer = _wait(asked.popleft().answers, timeout)
            hanging = False
            if isinstance(answer, Failure):
                raise answer.error
            if isinstance(answer, End) and lane in active:
                active.remove(lane)
            ask()
            yield number, lane.worker.info.id, receipt, answer
    finally:
        asking.stop.set()
        for lane in lanes:
            lane.tasks.put(None)
        if not hanging:  # else its thread ends with the sample it is at, if that ends
            for lane in lanes:
                if lane.thread.is_alive():  # one that an interrupt kept from starting cannot be waited for
                    lane.thread.join()


def _wait(answers: SimpleQueue[Any], timeout: float) -> Any:
    """The next answer. The wait is cut in pieces so that Ctrl-C comes through on every platform."""
    end = time.monotonic() + timeout if timeout else float("inf")
    while True:
        try:
            return answers.get(timeout=max(min(1.0, end - time.monotonic()), 0.0))
        except Empty:
            if time.monotonic() >= end:
                raise RuntimeError(
                    f"DataLoader: timed out, no batch came within {timeout} seconds; a worker hangs, or needs longer"
                ) from None
