"""`DataLoader`: batches of a data set, in order or shuffled, made in this thread or ahead in worker threads."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypedDict, Unpack, overload

import numpy as np

from tinygrad_cnn.random import Generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.data import workers
from tinygrad_cnn.utils.data.collate import K, Number, S, default_collate, default_convert
from tinygrad_cnn.utils.data.dataset import IterableDataset, Source, Subset, T, TensorDataset, samples_of
from tinygrad_cnn.utils.data.place import Pass, between, check_fits, own_generators, set_states, stream_fetch
from tinygrad_cnn.utils.data.sampler import BatchSampler, Endless, RandomSampler, SequentialSampler, new_seed

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Batch = TypeVar("Batch", covariant=True, default=Any)
else:
    from typing import TypeVar

    Batch = TypeVar("Batch", covariant=True)

__all__ = ["DataLoader"]

FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}
"""What cannot be set on a DataLoader once it is made: the rest was built from it."""


class Order(TypedDict, total=False):
    """The arguments that do not decide what a batch is, for the type checkers."""

    sampler: Iterable[Any] | None
    batch_sampler: Iterable[Any] | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    worker_init_fn: Callable[[int], Any] | None
    multiprocessing_context: None
    generator: Generator | None
    prefetch_factor: int | None
    persistent_workers: bool
    pin_memory_device: str
    in_order: bool


class Options(Order, total=False):
    """The same where batches are made by `default_collate`."""

    collate_fn: None


class DataLoader(Generic[Batch]):
    """Batches of a data set, as ``torch.utils.data.DataLoader``.

    Parameters
    ----------
    dataset : something with ``[k]`` and ``len``, or an IterableDataset
    batch_size : samples in a batch; the last one may be smaller unless `drop_last`; None for samples, not batches
    shuffle : in a new random order each time, drawn from `generator`
    sampler, batch_sampler : the order, or the batches, given as iterables of sample numbers
    num_workers : so many threads (not processes) make batches ahead; 0 for this thread
    collate_fn : makes a batch of a list of samples; by default `default_collate`
    pin_memory, pin_memory_device : accepted, and of no effect but a warning: there is no accelerator
    timeout : seconds after which a batch that a worker does not give is an error; 0 waits for ever
    worker_init_fn : called in each worker with its number, before its first batch
    multiprocessing_context : None, since workers are threads
    prefetch_factor : how many batches each worker makes ahead; 2 by default
    persistent_workers : keep the workers' copies of the data set from one iteration to the next
    in_order : whether batches come in the order of the sampler, or as soon as they are made

    Examples
    --------
    >>> from tinygrad_cnn import arange
    >>> from tinygrad_cnn.utils.data import TensorDataset
    >>> [batch.tolist() for (batch,) in DataLoader(TensorDataset(arange(5)), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    batch_size: int | None
    _made = False

    @overload
    def __init__(
        self: DataLoader[list[Tensor]],
        dataset: Source[tuple[Number, ...]] | Source[list[S]],
        batch_size: int = 1,
        shuffle: bool | None = None,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[Tensor],
        dataset: Source[Number],
        batch_size: int = 1,
        shuffle: bool | None = None,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[dict[K, Tensor]],
        dataset: Source[dict[K, S]],
        batch_size: int = 1,
        shuffle: bool | None = None,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[list[Tensor | list[str]]],
        dataset: Source[tuple[Number | str, ...]],
        batch_size: int = 1,
        shuffle: bool | None = None,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self,
        dataset: Source[T],
        batch_size: int = 1,
        shuffle: bool | None = None,
        *,
        collate_fn: Callable[[list[T]], Batch],
        **order: Unpack[Order],
    ) -> None: ...
    @overload
    def __init__(
        self,
        dataset: Source[T],
        batch_size: None,
        shuffle: bool | None = None,
        *,
        collate_fn: Callable[[T], Batch],
        **order: Unpack[Order],
    ) -> None: ...
    @overload  # samples of another kind: annotate the variable, ``loader: DataLoader[…] = …``
    def __init__(
        self, dataset: Source[Any], batch_size: int | None = 1, shuffle: bool | None = None, **options: Unpack[Options]
    ) -> None: ...
    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        check_order(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset, self.num_workers, self.timeout = dataset, num_workers, timeout
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, multiprocessing_context
        self.generator, self.in_order, self.persistent_workers = generator, in_order, persistent_workers
        if sampler is None:
            if isinstance(dataset, IterableDataset):
                sampler = Endless()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler
        usual: Callable[[Any], Any] = default_convert if batch_sampler is None else default_collate
        self.collate_fn: Callable[[Any], Any] = collate_fn or usual
        self._crew: list[workers.Worker] | None = None
        self._place: Pass | None = None
        self._resumed: dict[str, Any] | None = None
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._made and name in FIXED:
            raise ValueError(f"DataLoader: {name} cannot be set once it is made; make a new DataLoader")
        super().__setattr__(name, value)

    def _repr_html_(self) -> str:
        """What a notebook shows: how batches are made, and the first samples; no batch is drawn."""
        html: str = import_module("tinygrad_cnn.utils.data.notebook").notebook(self)
        return html

    if not TYPE_CHECKING:  # to type checkers it has neither

        def __next__(self):
            raise TypeError("DataLoader: is no iterator; write for batch in loader, or next(iter(loader))")

        def __getitem__(self, index):
            raise TypeError("DataLoader: has no batches by number; the first one is next(iter(loader))")

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            n = len(self.dataset)  # type: ignore[arg-type]  # one without a length has no len(loader), either
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return len(self._order)

    @property
    def _order(self) -> Any:
        """Gives the numbers of each batch, or, without batches, of each sample."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Batches[Batch]:
        if self.pin_memory:
            warnings.warn("DataLoader: pin_memory has no effect; there is no accelerator", stacklevel=2)
        if self.timeout and not self.num_workers:
            raise AssertionError(f"DataLoader: timeout is {self.timeout} without workers; it must be 0")
        state, self._resumed = self._resumed, None
        place = self._place = Pass(self, state)
        with place.beginning():
            order = iter(self._order)
            # also without workers, as in PyTorch: the numbers drawn next are the same
            seed = new_seed(self.generator)
            feed = None if self.num_workers else place.feed_here(self)
        numbered = place.order(order, feed)
        if feed is not None:
            return Batches(self, one_by_one(feed.fetch, numbered), place)
        if place.workers is not None:
            seed = place.workers["seed"]
        crew = self._crew or workers.crew(self.num_workers, self.dataset, seed, self.worker_init_fn)
        if self.persistent_workers:
            self._crew = crew
        first = place.begin_crew(crew)
        ahead = self.prefetch_factor or 0
        make_feed = partial(place.feed_of, self)
        flow = workers.batches(crew, make_feed, numbered, ahead, self.timeout, self.in_order, first)
        return Batches(self, flow, place)

    def state_dict(self) -> dict[str, Any]:
        """How far the last iteration has got, as ``state_dict`` of torchdata's ``StatefulDataLoader``.

        Take it between two batches, save it with `save` or `io.save_checkpoint`, and give it to `load_state_dict` of a
        loader that is made with the same arguments: its next iteration gives the batches that are still to come, the
        same as here. The batch that was given last counts as done. After the end of an iteration the next one follows.

        A data set, the iterator of an IterableDataset or a sampler that has ``state_dict`` and ``load_state_dict`` is
        asked for its own state. Otherwise the order is drawn again, and an IterableDataset is read again up to that
        place, both with the random numbers that they began with. A sampler of your own that draws random numbers
        between batches needs these two methods. With ``in_order=False`` no sample is lost or comes twice, but which
        batch comes next depends on who is faster, as always.

        Examples
        --------
        >>> from tinygrad_cnn import arange
        >>> from tinygrad_cnn.utils.data import TensorDataset
        >>> def loader():
        ...     return DataLoader(TensorDataset(arange(6)), batch_size=2, shuffle=True)
        >>> first, second = loader(), loader()
        >>> batches = iter(first)
        >>> _ = next(batches)
        >>> second.load_state_dict(first.state_dict())
        >>> [b.tolist() for (b,) in batches] == [b.tolist() for (b,) in second]
        True
        """
        if self._resumed is not None:
            return self._resumed
        return between(self) if self._place is None else self._place.state(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Let the next iteration go on where another loader's was; see `state_dict`. ``{}`` begins anew.

        Raises
        ------
        ValueError
            If it is no state of a DataLoader, or that of one made with another batch size, number of workers, number
            of samples or of generators.

        Examples
        --------
        >>> from tinygrad_cnn import arange
        >>> from tinygrad_cnn.utils.data import TensorDataset
        >>> loader = DataLoader(TensorDataset(arange(3)))
        >>> loader.load_state_dict(DataLoader(TensorDataset(arange(3))).state_dict())
        >>> [b.item() for (b,) in loader]
        [0, 1, 2]
        """
        if state_dict:
            check_fits(self, state_dict)
            set_states(own_generators(self), state_dict["generators"])
        self._place, self._crew, self._resumed = None, None, dict(state_dict) or None

    def fetch_from(self, dataset: Any) -> Callable[[Any], Batch]:
        """The function that makes a batch of sample numbers."""
        if isinstance(dataset, IterableDataset):
            return stream_fetch(iter(dataset), self)
        if self.batch_sampler is None:
            return lambda number: self.collate_fn(dataset[number])
        whole = arrays_of(dataset) if self.collate_fn is default_collate else None
        if whole is None:
            return lambda numbers: self.collate_fn(samples_of(dataset, numbers))
        tensors, order = whole

        def cut(numbers: Any) -> Any:
            """Index each tensor once, not sample by sample."""
            places = np.array([int(k) for k in numbers], dtype=np.int64)
            return list(tensors[places if order is None else order[places]])

        return cut


class Batches(Iterator[Batch]):
    """One iteration over a DataLoader, for one thread or several; its end, or its being forgotten, ends the workers."""

    def __init__(self, loader: DataLoader[Batch], flow: Iterator[Any], place: Pass) -> None:
        self._loader, self._flow, self._place = loader, flow, place
        self._one_at_a_time = threading.RLock()

    def __next__(self) -> Batch:
        with self._one_at_a_time:
            return self._next()

    def _next(self) -> Batch:
        for number, worker, receipt, batch in self._flow:
            self._place.gave(number)
            something = not isinstance(batch, workers.End)
            if worker is not None:
                self._place.gave_by(worker, receipt, something=something)
            if something:
                made: Batch = batch
                return made
        self._place.end()
        raise StopIteration

    def __len__(self) -> int:
        return len(self._loader)


def one_by_one(fetch: workers.Fetch, order: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, None, None, Any]]:
    """Batches made in this thread, in the form of `workers.batches`."""
    for number, numbers in order:
        try:
            batch = fetch(numbers)
        except StopIteration:  # the end of a stream
            return
        yield number, None, None, batch


def arrays_of(dataset: Any) -> tuple[TensorDataset, Any] | None:
    """The TensorDataset behind a data set, and the numbers of its samples if it is a part of it; else None."""
    order = None
    while type(dataset) is Subset:
        inner = np.array(dataset.indices, dtype=np.int64)
        order = inner if order is None else inner[order]
        dataset = dataset.dataset
    return (dataset, order) if type(dataset) is TensorDataset else None


def check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool, context: Any
) -> None:
    """ValueError if these settings contradict each other."""
    if num_workers < 0:
        raise ValueError(f"DataLoader: num_workers is {num_workers}; it must be at least 0")
    if timeout < 0:
        raise ValueError(f"DataLoader: timeout is {timeout}; it must be at least 0")
    if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 0):
        raise ValueError(f"DataLoader: prefetch_factor is {prefetch_factor}; it must be at least 0, and needs workers")
    if persistent_workers and num_workers == 0:
        raise ValueError("DataLoader: persistent_workers needs num_workers above 0")
    if context is not None:
        raise ValueError(
            f"DataLoader: multiprocessing_context is {context!r}; workers are threads here, so leave it at None"
        )


def check_order(dataset: Any, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: Any) -> None:
    """ValueError if these settings contradict each other."""
    if isinstance(dataset, IterableDataset):
        for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
            if value is not None:
                raise ValueError(f"DataLoader: an IterableDataset has its own order; leave out {name} (it is {value})")
    if shuffle and sampler is not None:
        raise ValueError("DataLoader: shuffle and a sampler exclude each other; give one of them")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last")
    if batch_size is None and drop_last:
        raise ValueError("DataLoader: batch_size is None, so there are no batches; it excludes drop_last")
