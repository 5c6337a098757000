"""`DataLoader`: batches of a data set, in order or shuffled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.creation import tensor
from tinygrad_cnn.data.dataset import Dataset, Subset, TensorDataset
from tinygrad_cnn.ops import stack
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack tensors, arrays and numbers; go into tuples, lists and dicts."""
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray):
        return Tensor(np.stack(batch))
    if isinstance(first, (int, float, np.number)):
        return tensor(list(batch))
    if isinstance(first, dict):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        return [default_collate(column) for column in zip(*batch, strict=True)]
    return list(batch)


class DataLoader:
    """Batches of a data set, as ``torch.utils.data.DataLoader``.

    Parameters
    ----------
    batch_size : samples in a batch; the last one may be smaller unless `drop_last`
    shuffle : in a new random order each time, drawn from `generator`
    sampler, batch_sampler : the order, or the batches, given as iterables of indices
    collate_fn : makes a batch of a list of samples; by default `default_collate`

    Examples
    --------
    >>> from tinygrad_cnn import arange
    >>> from tinygrad_cnn.data import TensorDataset
    >>> [batch.tolist() for (batch,) in DataLoader(TensorDataset(arange(5)), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if num_workers:
            raise ValueError(
                f"DataLoader: num_workers is {num_workers}; only 0 is available, batches are made in this thread"
            )
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"DataLoader: batch_size is {batch_size!r}; it must be an integer of at least 1")
        if shuffle and (sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader: shuffle and a sampler exclude each other; give one of them")
        if batch_sampler is not None and (sampler is not None or drop_last or batch_size != 1):
            raise ValueError("DataLoader: batch_sampler excludes batch_size, sampler and drop_last")
        self.dataset, self.batch_size, self.shuffle = dataset, int(batch_size), shuffle
        self.sampler, self.batch_sampler, self.drop_last = sampler, batch_sampler, drop_last
        self.collate_fn, self.generator = collate_fn, generator

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(list(self.batch_sampler))
        n = len(self.dataset) if self.sampler is None else len(list(self.sampler))
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def _batches(self) -> Iterator[Any]:
        """The indices of each batch."""
        if self.batch_sampler is not None:
            yield from self.batch_sampler
            return
        if self.sampler is not None:
            order = np.array(list(self.sampler), dtype=np.int64)
        elif self.shuffle:
            order = (self.generator or default_generator).numpy.permutation(len(self.dataset))
        else:
            order = np.arange(len(self.dataset))
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __iter__(self) -> Iterator[Any]:
        whole = arrays_of(self.dataset) if self.collate_fn is None else None
        for indices in self._batches():
            if whole is not None:
                dataset, order = whole
                places = np.asarray(indices) if order is None else order[indices]
                yield list(dataset[places])  # each tensor indexed once, not sample by sample
            else:
                samples = [self.dataset[int(k)] for k in indices]
                yield (self.collate_fn or default_collate)(samples)


def arrays_of(dataset: Dataset) -> tuple[TensorDataset, Any] | None:
    """The TensorDataset behind a data set, and the numbers of its samples if it is a part of it; else None."""
    order = None
    while type(dataset) is Subset:
        inner = np.array(dataset.indices, dtype=np.int64)
        order = inner if order is None else inner[order]
        dataset = dataset.dataset
    return (dataset, order) if type(dataset) is TensorDataset else None
