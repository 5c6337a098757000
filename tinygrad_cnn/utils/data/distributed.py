"""`DistributedSampler`: the part of a data set that one of several processes works on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinygrad_cnn.random import Generator
from tinygrad_cnn.utils.data.sampler import Sampler, length_of

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th sample number from the `rank`-th on, in an order that all processes agree on.

    The order of a pass belongs to `seed` and the number given to `set_epoch`. Numbers are repeated, or with
    `drop_last` left out, so that all processes get as many. There are no groups of processes here: whoever starts
    several says how many they are; a single one leaves both at None.

    >>> [list(DistributedSampler(range(5), 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        replicas, place = 1 if num_replicas is None else num_replicas, 0 if rank is None else rank
        if not 0 <= place < replicas:
            raise ValueError(f"DistributedSampler: rank is {place}; it must be at least 0 and below {replicas}")
        self.dataset, self.num_replicas, self.rank = dataset, replicas, place
        self.epoch, self.drop_last, self.shuffle, self.seed = 0, drop_last, shuffle, seed
        whole, rest = divmod(length_of("DistributedSampler", dataset), replicas)
        self.num_samples = whole if drop_last or not rest else whole + 1
        self.total_size = self.num_samples * replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        order = Generator().manual_seed(self.seed + self.epoch).permutation(n) if self.shuffle else list(range(n))
        while 0 < len(order) < self.total_size:
            order += order[: self.total_size - len(order)]
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next passes."""
        self.epoch = epoch
