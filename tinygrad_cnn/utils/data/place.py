"""Where a DataLoader is in its data, as a dict, and how another loader goes on from there.

The order is drawn again from the random numbers with which it began, and what was given before is left out. What tells
its own state by `state_dict` and `load_state_dict` (a data set, the stream of its samples, a sampler) is asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from itertools import chain, islice
from typing import Any

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.utils.data.dataset import IterableDataset
from tinygrad_cnn.utils.data.sampler import Endless
from tinygrad_cnn.utils.data.workers import Fetch, Receipt, Worker

State = dict[str, Any]
KEYS = {
    "loader", "batches", "beyond", "finished", "over", "begun", "drawn", "generators", "sampler", "feed", "workers",
}  # fmt: skip
"""Of a loader's state: how the loader is made, what it has given, and what is needed to go on."""


def stateful(value: Any) -> bool:
    """Whether it tells its state, and takes one over."""
    return all(callable(getattr(value, name, None)) for name in ("state_dict", "load_state_dict"))


def state_of(value: Any) -> Any:
    """Its state as it is now, if it tells one."""
    return deepcopy(value.state_dict()) if stateful(value) else None


class Feed:
    """What one thread makes batches from: a data set or, of an IterableDataset, the stream of its samples.

    With the state of another one it is where that was, as far as data set and stream tell it; `skip` does the rest.
    """

    def __init__(self, loader: Any, dataset: Any, state: Mapping[str, Any] | None = None) -> None:
        told = state or {"dataset": None, "stream": None}
        self.knows = any(part is not None for part in told.values())
        if told["dataset"] is not None:
            dataset.load_state_dict(told["dataset"])
        self.dataset = dataset
        self.stream: Any = None
        if not isinstance(dataset, IterableDataset):
            self.fetch: Fetch = loader.fetch_from(dataset)
            return
        self.stream = iter(dataset)
        if told["stream"] is not None:
            self.stream.load_state_dict(told["stream"])
        self.fetch = stream_fetch(self.stream, loader)

    def skip(self, samples: int) -> None:
        """Take so many samples from a stream that does not know itself how far it was."""
        if self.stream is not None and not self.knows:
            taken(self.stream, samples)

    def state(self) -> State | None:
        """The states that data set and stream tell; None if neither does."""
        itself = self.stream is self.dataset
        found = {"dataset": None if itself else state_of(self.dataset), "stream": state_of(self.stream)}
        return found if any(part is not None for part in found.values()) else None


def stream_fetch(samples: Iterator[Any], loader: Any) -> Fetch:
    """What makes batches of as many samples of a stream as it is given numbers."""
    if loader.batch_sampler is None:
        return lambda _: loader.collate_fn(next(samples))

    def fetch(numbers: Any) -> Any:
        batch = taken(samples, len(numbers))
        if not batch or (loader.drop_last and len(batch) < len(numbers)):
            raise StopIteration
        return loader.collate_fn(batch)

    return fetch


def taken(samples: Iterator[Any], most: int) -> list[Any]:
    """The next samples of a stream, by `next` alone: a data set that is its own iterator may begin anew at `iter`."""
    found = []
    for _ in range(most):
        try:
            found.append(next(samples))
        except StopIteration:
            break
    return found


class Pass:
    """One iteration over a loader: the random numbers that it began with, and what it has given so far.

    With the state of an unfinished pass it goes on with that one; with that of a finished one it is the next.
    """

    def __init__(self, loader: Any, state: Mapping[str, Any] | None) -> None:
        self.generators = [default_generator, *own_generators(loader)]
        self.sampler = own_sampler(loader)
        self.endless = isinstance(loader.sampler, Endless)
        self.batched, self.size = loader.batch_size is not None, loader.batch_size or 1
        self.finished = False
        self.feed: Feed | None = None
        self.resumed = state if state is not None and not state["finished"] else None
        going = self.resumed or {"batches": 0, "beyond": [], "begun": None, "drawn": None}
        self.given: int = going["batches"]
        """Of the order, so many batches from the first on have been given."""
        self.beyond = set(going["beyond"])
        """Numbers of batches that were given before their turn, where they need not come in order."""
        self.begun: list[NDArray] | None = going["begun"]
        self.drawn: list[NDArray] | None = going["drawn"]
        self.workers: State | None = state["workers"] if state is not None else None
        self.feed_state = state["feed"] if state is not None else None
        if state is not None and state["sampler"] is not None and self.sampler is not None:
            self.sampler.load_state_dict(state["sampler"])
        self.sampler_states = {self.given: state_of(self.sampler)}
        self.over = bool(self.resumed and self.resumed["over"])
        """Whether nothing comes after what was given, though a sampler that knows its place is at its beginning."""
        self.last: int | None = None

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """In here the order is begun: with the random numbers of this pass, also if they were drawn long ago."""
        if self.begun is None:
            self.begun = [g.get_state() for g in self.generators]
            yield
        else:
            with replayed(self.generators, self.begun):
                yield

    def feed_here(self, loader: Any) -> Feed:
        """What this thread makes batches from."""
        going = self.feed_state if self.resumed else after_the_end(self.feed_state)
        feed = Feed(loader, loader.dataset, going)
        if stateful(feed.dataset) or stateful(feed.stream):
            self.feed = feed
        return feed

    def order(self, order: Iterator[Any], feed: Feed | None) -> Iterator[tuple[int, Any]]:
        """The batches that are still to be given: the number of each, and of its samples."""
        if self.drawn is None:
            self.drawn = [g.get_state() for g in self.generators]
        else:
            with replayed(self.generators, self.drawn):
                if not (self.endless or self.sampler):
                    passed = list(islice(order, max(self.given, 1)))  # one at least: then the order has been drawn
                    order = chain(passed[self.given :], order)
                if feed is not None:
                    feed.skip(self.given * self.size)
            if self.resumed and feed is not None:  # workers are ahead: what they draw from here on is drawn again
                set_states(self.generators[1:], self.resumed["generators"])
        number, already = self.given, frozenset(self.beyond)
        for numbers in () if self.over else order:
            if self.sampler is not None:
                self.sampler_states[number + 1] = state_of(self.sampler)
                if self.batched and len(numbers) < self.size:
                    self.last = number + 1
            if number not in already:
                yield number, numbers
            number += 1

    def gave(self, number: int) -> None:
        """A batch has been given."""
        self.beyond.add(number)
        while self.given in self.beyond:
            self.sampler_states.pop(self.given, None)
            self.beyond.remove(self.given)
            self.given += 1

    def end(self) -> None:
        """All batches have been given."""
        self.finished, self.begun, self.drawn = True, None, None

    def state(self, loader: Any) -> State:
        """What another loader needs to go on."""
        workers = self.workers if not self.finished or loader.persistent_workers else None
        return {
            "loader": making(loader),
            "batches": self.given,
            "beyond": sorted(self.beyond),
            "finished": self.finished,
            "over": self.over or self.given == self.last,
            "begun": self.begun,
            "drawn": self.drawn,
            "generators": [g.get_state() for g in self.generators[1:]],
            "sampler": state_of(self.sampler) if self.finished else self.sampler_states.get(self.given),
            "feed": None if self.feed is None else self.feed.state(),
            "workers": deepcopy(workers),
        }

    # ---- with worker threads -----------------------------------------------------------------------------

    def begin_crew(self, made: list[Worker]) -> int:
        """Note with what each worker begins, unless the pass goes on with another one; who makes the next batch."""
        if self.workers is not None:  # they stand for those of another process
            for worker, lane in zip(made, self.workers["lanes"], strict=True):
                generator, told = lane["receipt"] or lane["start"]
                worker.going_on = (generator, after_the_end(told)) if lane["receipt"] or lane["prepared"] else None
        if self.workers is None or not self.resumed:
            lanes = [new_lane(worker) for worker in made]
            self.workers = {"seed": made[0].info.seed, "next": 0, "lanes": lanes}
        self.starts = deepcopy(self.workers["lanes"])
        first: int = self.workers["next"]
        return first

    def feed_of(self, loader: Any, worker: Worker) -> Feed:
        """What a worker makes batches from; its generator is where that of the worker was whose pass goes on."""
        lane = self.starts[worker.info.id]
        generator, told = lane["start"]
        if lane["prepared"]:
            worker.generator.set_state(generator)
        if lane["receipt"]:
            generator, told = lane["receipt"]
        feed = Feed(loader, worker.info.dataset, told)
        feed.skip(lane["batches"] * self.size)
        if lane["receipt"]:
            worker.generator.set_state(generator)
        return feed

    def gave_by(self, worker: int, receipt: Receipt, *, something: bool) -> None:
        """A worker has made what came next: a batch, or nothing, since its stream has ended."""
        assert self.workers is not None
        lane = self.workers["lanes"][worker]
        lane["receipt"] = receipt
        lane["batches"] += something
        self.workers["next"] = (worker + 1) % len(self.workers["lanes"])


def new_lane(worker: Worker) -> State:
    """What a worker begins a pass with."""
    here = worker.going_on or (worker.generator.get_state(), after_the_end({"dataset": state_of(worker.info.dataset)}))
    prepared = worker.prepare is None or worker.going_on is not None
    return {"prepared": prepared, "start": here, "batches": 0, "receipt": None}


def after_the_end(feed: Mapping[str, Any] | None) -> State | None:
    """Of the state of a feed whose pass is over, what the next pass begins with: the data set's, not the stream's."""
    return None if feed is None or feed["dataset"] is None else {"dataset": feed["dataset"], "stream": None}


def own_generators(loader: Any) -> list[Generator]:
    """The generators that the loader and its samplers were given."""
    batch = loader.batch_sampler
    holders = (loader, loader.sampler, batch, getattr(batch, "sampler", None))
    found = [getattr(holder, "generator", None) for holder in holders]
    return list({id(g): g for g in found if isinstance(g, Generator) and g is not default_generator}.values())


def own_sampler(loader: Any) -> Any:
    """The sampler that tells its own state, if there is one."""
    given = (loader.batch_sampler, getattr(loader.batch_sampler, "sampler", None), loader.sampler)
    return next((sampler for sampler in given if stateful(sampler)), None)


@contextmanager
def replayed(generators: list[Generator], states: list[NDArray]) -> Iterator[None]:
    """What is drawn in here is drawn as it was in these states; it is nothing to the first, the common generator."""
    kept = generators[0].get_state()
    set_states(generators, states)
    try:
        yield
    finally:
        generators[0].set_state(kept)


def set_states(generators: list[Generator], states: list[NDArray]) -> None:
    """Each generator goes on from a state."""
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)


def making(loader: Any) -> State:
    """What two loaders must have in common, so that one goes on where the other was."""
    counted: Callable[[Any], int] | None = getattr(type(loader.dataset), "__len__", None)
    return {
        "batch_size": loader.batch_size,
        "drop_last": loader.drop_last,
        "num_workers": loader.num_workers,
        "samples": None if counted is None or isinstance(loader.dataset, IterableDataset) else len(loader.dataset),
        "generators": len(own_generators(loader)),
    }


def between(loader: Any) -> State:
    """The state of a loader that has given nothing yet."""
    new = Pass(loader, None)
    new.end()
    return new.state(loader)


def check_fits(loader: Any, state: Any) -> None:
    """ValueError unless it is the state of a loader that was made alike."""
    if not isinstance(state, Mapping) or not state.keys() >= KEYS:
        raise ValueError("DataLoader: load_state_dict takes what state_dict of a DataLoader gave")
    have, given = making(loader), state["loader"]
    differ = [name for name in have if have[name] != given.get(name)]
    if differ:
        told = ", ".join(f"{name} {given.get(name)}, not {have[name]}" for name in differ)
        raise ValueError(
            f"DataLoader: the state is that of a loader with {told}; make this one with the same arguments"
        )
