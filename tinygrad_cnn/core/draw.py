"""The protocol by which samplers draw: one source of integers, everything else derived from it.

A NumPy generator drives it (`gradcheck.drawing`), or Hypothesis, in tests, which shrinks what it drew.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from tinygrad_cnn.core.domain import Domain
from tinygrad_cnn.core.types import NDArray, Shape

T = TypeVar("T")


class Draw(ABC):
    """Draws sizes, options and arrays for a sampler."""

    @abstractmethod
    def integers(self, low: int, high: int, count: int) -> list[int]:
        """`count` integers between `low` and `high`, both included."""

    def integer(self, low: int, high: int) -> int:
        """One integer between `low` and `high`, both included."""
        return self.integers(low, high, 1)[0]

    def boolean(self) -> bool:
        """True or False."""
        return self.integer(0, 1) == 1

    def choice(self, items: Sequence[T]) -> T:
        """One of the items; the first is the simplest."""
        return items[self.integer(0, len(items) - 1)]

    def pair(self, low: int, high: int) -> tuple[int, int]:
        """Two integers, such as a stride."""
        return self.integer(low, high), self.integer(low, high)

    def permutation(self, n: int) -> NDArray:
        """The numbers 0 to n-1 in some order."""
        return np.argsort(np.array(self.integers(0, 1 << 20, n), dtype=np.int64), kind="stable")

    def shape(self, low: int = 0, high: int = 3, *, smallest: int = 0, largest: int = 3) -> Shape:
        """A shape of `low` to `high` axes; zero-size axes come rarely, and only if `smallest` is 0."""
        axes = self.integers(max(1, smallest), largest, self.integer(low, high))
        if smallest == 0 and axes and self.integer(0, 9) == 9:
            axes[self.integer(0, len(axes) - 1)] = 0
        return tuple(axes)

    def broadcastable(self, count: int, full: Shape | None = None) -> list[Shape]:
        """`count` shapes that broadcast against each other, made from one shape (any, if none is given)."""
        full = self.shape() if full is None else full
        return [full if count == 1 else self._broadcast_from(full) for _ in range(count)]

    def _broadcast_from(self, full: Shape) -> Shape:
        how = self.integer(0, 3)
        if how < 2:
            return full[self.integer(0, len(full)) :] if how else full
        return tuple(1 if self.boolean() else n for n in full)

    def axes(self, ndim: int) -> int | tuple[int, ...] | None:
        """None, one axis or several, some counted from the end."""
        if ndim == 0 or self.integer(0, 3) == 0:
            return None
        picked = sorted(self.permutation(ndim)[: self.integer(1, ndim)].tolist())
        signed = tuple(a - ndim if self.boolean() else a for a in picked)
        return signed[0] if len(signed) == 1 and self.boolean() else signed

    def array(self, shape: Shape, domain: Domain) -> NDArray:
        """A float64 array of the domain, in some memory layout."""
        source = tuple(1 if n > 1 else n for n in shape)
        if domain.repeats and source != shape and self.integer(0, 7) == 7:
            return np.broadcast_to(domain.fill(self, source), shape)  # stride 0, read-only
        return self.layout(domain.fill(self, shape))

    def index_array(self, shape: Shape, size: int) -> NDArray:
        """An integer array of valid indices into an axis of this size (which must not be 0)."""
        count = int(np.prod(shape, dtype=np.int64))
        return np.array(self.integers(0, size - 1, count), dtype=np.int64).reshape(shape)

    def layout(self, array: NDArray) -> NDArray:
        """The same values in C order, Fortran order, reversed, strided or read-only memory."""
        how = self.integer(0, 5)
        if array.ndim == 0 or how <= 1:
            return array
        if how == 2:
            return np.asfortranarray(array)
        if how == 3:
            backwards = (slice(None, None, -1),) * array.ndim
            return array[backwards].copy()[backwards]
        if how == 4:
            spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            spread[..., ::2] = array
            return spread[..., ::2]
        array.flags.writeable = False
        return array
