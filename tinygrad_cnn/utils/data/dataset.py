"""Data sets: what gives samples by number, or one after the other; and data sets made of others."""

from __future__ import annotations

import bisect
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast, overload

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import randperm

__all__ = [
    "ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "TensorDataset",
    "random_split",
]  # fmt: skip

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


class Indexed(Protocol[T_co]):
    """Anything that gives samples by number: a list, a Tensor, a Dataset with a length."""

    def __getitem__(self, index: int, /) -> T_co: ...

    def __len__(self) -> int: ...


class Dataset(Generic[T_co]):
    """Subclass it, and write ``__getitem__`` and, unless it has no end, ``__len__``.

    A method ``__getitems__(indices)`` that returns a list of samples is used where there is one.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Squares(tg.utils.data.Dataset):
    ...     def __getitem__(self, k):
    ...         return k * k
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__}: __getitem__ is not written; a subclass of Dataset has one")

    def __add__(self, other: Source[U]) -> ConcatDataset[T_co | U]:
        both: list[Source[T_co | U]] = [self, other]
        return ConcatDataset(both)


Source: TypeAlias = Dataset[T] | Indexed[T]
"""What a DataLoader takes: with samples of this type."""


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Samples one after the other, from a stream: subclass it, and write ``__iter__``.

    Each worker of a DataLoader iterates over a copy of its own; `get_worker_info` tells it which part is its own.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Numbers(tg.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> list(Numbers())
    [0, 1, 2]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: __iter__ is not written; an IterableDataset has one")

    def __add__(self, other: Dataset[U]) -> ChainDataset[T_co | U]:  # type: ignore[override]  # streams have no numbers
        both: list[Dataset[T_co | U]] = [self, other]
        return ChainDataset(both)


class LengthError(ValueError, AssertionError):
    """Lengths that do not agree: a ValueError, and an AssertionError as in PyTorch."""


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples along the first dim of tensors of the same length.

    ValueError if the tensors differ in their first size.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> data = tg.utils.data.TensorDataset(tg.tensor([[1.0], [2.0]]), tg.tensor([0, 1]))
    >>> len(data)
    2
    >>> data[1]
    (tensor([2.]), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [len(t) for t in tensors]
        if not tensors or len(set(lengths)) != 1:
            shapes = " and ".join(str(shape_of(t)) for t in tensors)
            raise LengthError(
                f"TensorDataset: tensors of lengths {lengths}, of shapes {shapes}; expected one or more of the same "
                "length"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class StackDataset(Dataset[T_co]):
    """Samples of several data sets side by side: as tuples, or as dicts if the data sets are given by name.

    >>> StackDataset(x=[1, 2], y="ab")[1]
    {'x': 2, 'y': 'b'}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    @overload
    def __init__(self: StackDataset[tuple[T, U]], first: Source[T], second: Source[U], /) -> None: ...
    @overload
    def __init__(self: StackDataset[tuple[T, ...]], *args: Source[T]) -> None: ...
    @overload
    def __init__(self: StackDataset[dict[str, T]], **kwargs: Source[T]) -> None: ...
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("StackDataset: data sets given by place and by name; expected either tuples or dicts")
        self.datasets = args or kwargs
        lengths = [len(part) for part in (*args, *kwargs.values())]
        if len(set(lengths)) != 1:
            raise ValueError(f"StackDataset: data sets of lengths {lengths}; expected one or more of the same length")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(self.datasets, dict):
            return cast(T_co, {name: part[index] for name, part in self.datasets.items()})
        return cast(T_co, tuple(part[index] for part in self.datasets))

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        if isinstance(self.datasets, dict):
            columns = [samples_of(part, indices) for part in self.datasets.values()]
            return [dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*(samples_of(part, indices) for part in self.datasets), strict=True))

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """One data set after the other, as one; ``a + b`` makes one of two.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> data = tg.utils.data.ConcatDataset([[1, 2], [3]])
    >>> len(data), data[2]
    (3, 3)
    """

    def __init__(self, datasets: Iterable[Source[T_co]]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise LengthError("ConcatDataset: no data sets; expected one or more")
        if any(isinstance(part, IterableDataset) for part in self.datasets):
            raise AssertionError("ConcatDataset: an IterableDataset has no sample numbers; use ChainDataset")
        self.cumulative_sizes = list(accumulate(len(part) for part in self.datasets))

    def __getitem__(self, index: int) -> T_co:
        n = len(self)
        if index < -n:
            raise ValueError(f"ConcatDataset: index {index} is out of range for {n} samples")
        if index >= n:
            raise IndexError(f"ConcatDataset: index {index} is out of range for {n} samples")
        place = index + n if index < 0 else index
        k = bisect.bisect_right(self.cumulative_sizes, place)
        sample: T_co = self.datasets[k][place - (self.cumulative_sizes[k - 1] if k else 0)]
        return sample

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[T_co]):
    """One IterableDataset after the other, as one; ``a + b`` makes one of two.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Numbers(tg.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(tg.utils.data.ChainDataset([Numbers(), Numbers()]))
    [0, 1, 0, 1]
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def _parts(self) -> Iterator[Any]:
        for part in self.datasets:
            if not isinstance(part, IterableDataset):
                raise AssertionError(f"ChainDataset: {type(part).__name__} is no IterableDataset; use ConcatDataset")
            yield part

    def __iter__(self) -> Iterator[T_co]:
        for part in self._parts():
            yield from part

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts())


class Subset(Dataset[T_co]):
    """Some samples of a data set, by their numbers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> data = tg.utils.data.Subset("abcd", [3, 0])
    >>> len(data), data[0]
    (2, 'd')
    """

    def __init__(self, dataset: Source[T_co], indices: Sequence[int]) -> None:
        self.dataset: Any = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T_co:
        numbers = [self.indices[k] for k in index] if isinstance(index, list) else self.indices[index]
        sample: T_co = self.dataset[numbers]
        return sample

    def __getitems__(self, indices: Sequence[int]) -> list[T_co]:
        if type(self).__getitem__ is not Subset.__getitem__:  # a subclass changes its samples
            return [self[k] for k in indices]
        return samples_of(self.dataset, [self.indices[k] for k in indices])

    def __len__(self) -> int:
        return len(self.indices)


def samples_of(dataset: Any, indices: Sequence[Any]) -> list[Any]:
    """The samples with these numbers, asked for at once where the data set can."""
    together: Any = getattr(dataset, "__getitems__", None)
    if together is None:
        return [dataset[k] for k in indices]
    samples: list[Any] = together(indices)
    if len(samples) != len(indices):
        raise ValueError(f"{type(dataset).__name__}.__getitems__: {len(samples)} samples for {len(indices)} indices")
    return samples


def random_split(
    dataset: Source[T], lengths: Sequence[float], generator: Generator | None = default_generator
) -> list[Subset[T]]:
    """Disjoint subsets of these sizes, or of these fractions if they add up to 1.

    Fractions are rounded down; what is left is dealt out one by one, from the first part on.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> a, b = tg.utils.data.random_split(range(5), [3, 2])
    >>> list(a), list(b)
    ([4, 0, 1], [3, 2])
    """
    n = len(dataset)  # type: ignore[arg-type]  # a Dataset without a length cannot be split
    sizes = list(lengths)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        sizes = sizes_of_fractions(n, lengths)
    if sum(sizes) != n:
        raise ValueError(
            f"random_split: sizes {list(lengths)} do not add up to {n}, the length of the data set, but to {sum(sizes)}"
        )
    if not all(isinstance(size, int) or float(size).is_integer() for size in sizes):
        raise TypeError(f"random_split: sizes {list(lengths)} must be integers, or fractions that add up to 1")
    order = randperm(n, generator=generator).numpy().tolist()
    ends = list(accumulate(int(size) for size in sizes))
    return [Subset(dataset, order[end - int(size) : end]) for size, end in zip(sizes, ends, strict=True)]


def sizes_of_fractions(n: int, fractions: Sequence[float]) -> list[float]:
    """How many of n samples belong to each fraction."""
    for k, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"random_split: fraction {k} is {fraction}; it must be between 0 and 1")
    sizes: list[float] = [math.floor(n * fraction) for fraction in fractions]
    for k in range(int(n - sum(sizes))):
        sizes[k % len(sizes)] += 1
    for k, size in enumerate(sizes):
        if size == 0:
            warnings.warn(f"random_split: part {k} is empty", stacklevel=3)
    return sizes
