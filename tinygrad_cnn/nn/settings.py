"""The base of layers without weights: what they were set to is printed. And what any layer checks about its sizes."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn.module import Module


class Settings(Module):
    """A layer that is its settings: those named in `shown` are printed, as PyTorch prints them."""

    shown: tuple[str, ...] = ()

    def extra_repr(self) -> str:
        """The configuration."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)


def check_sizes(layer: str, **sizes: Any) -> None:
    """Every size is an integer of at least 1."""
    for name, n in sizes.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
            raise TypeError(f"{layer}: {name} is {n!r}; it must be an integer of at least 1")
        if n < 1:
            raise ArgumentError(f"{layer}: {name} is {n!r}; it must be an integer of at least 1")
