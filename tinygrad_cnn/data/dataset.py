"""Data sets: what has a length and gives samples by number."""

import math
from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor


class Dataset:
    """Subclass it, and write ``__getitem__`` and ``__len__``."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: __getitem__ is not written")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: __len__ is not written")


class TensorDataset(Dataset):
    """Samples along the first dim of tensors of the same length."""

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [len(t) for t in tensors]
        if not tensors or len(set(lengths)) != 1:
            raise ValueError(f"TensorDataset: tensors of lengths {lengths}; expected one or more of the same length")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """Some samples of a data set, by their numbers."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, list(indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Disjoint subsets of these sizes, or of these fractions if they add up to 1."""
    n = len(dataset)
    sizes = [int(size) for size in lengths]
    if math.isclose(sum(lengths), 1):
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for k in range(n - sum(sizes)):
            sizes[k % len(sizes)] += 1
    if sum(sizes) != n:
        raise ValueError(f"random_split: sizes {list(lengths)} do not add up to {n}, the length of the data set")
    order = (generator or default_generator).permutation(n)
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
