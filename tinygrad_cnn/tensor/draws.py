"""Methods of `Tensor` that fill it with random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_cnn.ops.indexing import SetItem
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor.methods import Methods

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class DrawMethods(Methods):
    """Random numbers."""

    __slots__ = ()

    def uniform_(self, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
        """Fill with numbers drawn evenly from [a, b)."""
        drawn = (generator or default_generator).uniform(self.array_shape, self.array_dtype, a, b)
        return self._become("uniform_", lambda x: SetItem.apply(x, drawn, index=...))

    def normal_(self, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
        """Fill with numbers drawn from a normal distribution."""
        drawn = (generator or default_generator).normal(self.array_shape, self.array_dtype, mean, std)
        return self._become("normal_", lambda x: SetItem.apply(x, drawn, index=...))
