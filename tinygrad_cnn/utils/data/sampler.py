"""Samplers: the order in which samples are drawn, and how they are gathered in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import multinomial, randint, randperm

__all__ = [
    "BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler",
]  # fmt: skip

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Subclass it, and write ``__iter__``, which gives sample numbers, and, for ``len(loader)``, ``__len__``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Backwards(tg.utils.data.Sampler):
    ...     def __iter__(self):
    ...         return iter([2, 1, 0])
    >>> list(tg.utils.data.DataLoader([10, 11, 12], sampler=Backwards(), batch_size=3))
    [tensor([12, 11, 10])]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: __iter__ is not written; a Sampler has one")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, …

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> list(tg.utils.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(length_of("SequentialSampler", self.data_source)))

    def __len__(self) -> int:
        return length_of("SequentialSampler", self.data_source)


class RandomSampler(Sampler[int]):
    """A new random order each time; with `replacement`, samples may come again.

    `num_samples` of them, by default as many as there are; without replacement, more than there are come as one
    random order after the other.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> list(tg.utils.data.RandomSampler("abcd"))
    [2, 3, 0, 1]
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source, self.replacement, self._num_samples = data_source, replacement, num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement is {replacement!r}; it must be a bool")
        _check_positive("RandomSampler", "num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many numbers one iteration gives."""
        return length_of("RandomSampler", self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = length_of("RandomSampler", self.data_source)
        generator = self.generator or Generator().manual_seed(new_seed(None))
        if self.replacement:
            for start in range(0, self.num_samples, 32):  # PyTorch draws as many at once: so do we, for its numbers
                yield from randint(0, n, (min(32, self.num_samples - start),), generator=generator).numpy().tolist()
            return
        for _ in range(self.num_samples // n):
            yield from randperm(n, generator=generator).numpy().tolist()
        # an order of its own for what is left, as in PyTorch even for none: the pass after this one depends on it
        yield from randperm(n, generator=generator).numpy().tolist()[: self.num_samples % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """These sample numbers, in a new random order each time.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> list(tg.utils.data.SubsetRandomSampler([5, 7, 9]))
    [9, 5, 7]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for k in randperm(len(self.indices), generator=self.generator).numpy().tolist():
            yield self.indices[k]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` numbers from 0 to len(weights) - 1, each with a chance in proportion to its weight.

    Without `replacement`, none comes twice.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> list(tg.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _check_positive("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"WeightedRandomSampler: replacement is {replacement!r}; it must be a bool")
        self.weights = Tensor(weights, dtype=np.float64)
        if self.weights.ndim != 1:
            raise ValueError(f"WeightedRandomSampler: weights of shape {tuple(self.weights.shape)}; expected one dim")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        yield from (
            multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator).numpy().tolist()
        )

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The numbers of a sampler in lists of `batch_size`; a shorter last one comes unless `drop_last`.

    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        _check_positive("BatchSampler (of DataLoader)", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last is {drop_last!r}; it must be a bool")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]  # a sampler without a length has no len(loader), either
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class Endless(Sampler[None]):
    """Nothing, for ever: what stands for the order of an IterableDataset, which has its own."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def new_seed(generator: Generator | None) -> int:
    """A seed for a generator, drawn from another one."""
    return int((generator or default_generator).any_integers((), np.int64))


def length_of(name: str, source: Any) -> int:
    """How many samples a data set has; TypeError, for a sampler of this name, where it cannot say."""
    if not hasattr(source, "__len__"):
        raise TypeError(
            f"{name}: the data set {type(source).__name__} has no length; write __len__, or make it an IterableDataset"
        )
    return len(source)


def _check_positive(name: str, what: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"{name}: {what} is {value!r}; it must be a positive integer value")
