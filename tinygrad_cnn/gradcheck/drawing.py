"""Samplers driven by a generator of random numbers."""

import numpy as np

from tinygrad_cnn.core.draw import Draw


class RandomDraw(Draw):
    """Draws from a NumPy generator: for documentation, benchmarks and the command line."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator

    def integers(self, low: int, high: int, count: int) -> list[int]:
        """`count` independent, uniformly distributed integers."""
        drawn: list[int] = self.generator.integers(low, high, size=count, endpoint=True).tolist()
        return drawn
