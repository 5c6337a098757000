"""Methods of `Tensor` that fill it with random numbers; the numbers are PyTorch's for the same seed, see `random`."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.indexing import SetItem
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor.arrays import as_plain
from tinygrad_cnn.tensor.facts import FactMethods


class DrawMethods(FactMethods):
    """Random numbers."""

    __slots__ = ()

    def _drawn(self, op: str, values: Any) -> Self:
        return self.become(op, lambda x: SetItem.apply(x, np.asarray(values).astype(self.array_dtype), index=...))

    def uniform_(self, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn evenly from [a, b)."""
        return self._drawn(
            "uniform_", (generator or default_generator).uniform(self.array_shape, self.array_dtype, a, b)
        )

    def normal_(self, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn from a normal distribution."""
        draw = generator or default_generator
        return self._drawn("normal_", draw.normal(self.array_shape, self.array_dtype, mean, std))

    def random_(self, *bounds: int, generator: Generator | None = None) -> Self:
        """Fill with integers: ``random_(to)`` from [0, to), ``random_(from, to)``, or any that the dtype holds."""
        draw = generator or default_generator
        if not bounds:
            return self._drawn("random_", draw.any_integers(self.array_shape, self.array_dtype))
        low, high = bounds if len(bounds) == 2 else (0, bounds[0])
        if low >= high:
            raise ArgumentError(f"random_: from {low} must be less than to {high}")
        return self._drawn("random_", draw.integers(low, high, self.array_shape))

    def bernoulli_(self, p: ArrayLike = 0.5, *, generator: Generator | None = None) -> Self:
        """Fill with 1 with probability p (a number, or one for each element), else 0."""
        draw, chances = generator or default_generator, as_plain(p)
        if np.min(chances, initial=0) < 0 or np.max(chances, initial=0) > 1:
            raise ArgumentError(f"bernoulli_: p is {p!r}; it must lie in [0, 1]")
        if isinstance(chances, (int, float)):
            return self._drawn("bernoulli_", draw.bernoulli(float(chances), self.array_shape))
        return self._drawn("bernoulli_", draw.uniform(self.array_shape, chances.dtype) < chances)

    def exponential_(self, lambd: float = 1.0, *, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn from the exponential distribution with this rate."""
        if lambd <= 0:
            raise ArgumentError(f"exponential_: lambd is {lambd}; it must be positive")
        draw = generator or default_generator
        return self._drawn("exponential_", draw.exponential(self.array_shape, self.array_dtype, lambd))

    def geometric_(self, p: float, *, generator: Generator | None = None) -> Self:
        """Fill with the number of trials until the first success of probability p, the successful one counted."""
        if not 0 < p < 1:
            raise ArgumentError(f"geometric_: p is {p}; it must lie between 0 and 1")
        even = (generator or default_generator).uniform(self.array_shape, np.dtype(np.float64))
        return self._drawn("geometric_", np.ceil(np.log(even) / np.log1p(-p)))

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn from Cauchy's distribution."""
        even = (generator or default_generator).uniform(self.array_shape, np.dtype(np.float64))
        return self._drawn("cauchy_", median + sigma * np.tan(np.pi * (even - 0.5)))

    def log_normal_(self, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Self:
        """Fill with exponentials of normal numbers of this mean and deviation."""
        draw, kind = generator or default_generator, np.dtype(np.float64)
        drawn = [draw.normal((), kind, mean, std) for _ in range(self.array.size)]  # one by one, as PyTorch does
        return self._drawn("log_normal_", np.exp(np.reshape(np.array(drawn, kind), self.array_shape)))
