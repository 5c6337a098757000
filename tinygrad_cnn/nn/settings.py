"""The base of layers without weights: what they were set to is printed. And what any layer checks about its sizes."""

from typing import Any, Self

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.ops.checks import check_each


class Settings(Module):
    """A layer that is its settings: those named in `shown` are printed, as PyTorch prints them."""

    shown: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """TypeError if one of our layers is given the data where its settings belong."""
        if cls.__module__.startswith("tinygrad_cnn."):
            for value in args:
                refuse_data(cls.__name__, value)
        return super().__new__(cls)

    def extra_repr(self) -> str:
        """The configuration."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)


def refuse_data(layer: str, value: Any) -> None:
    """TypeError for a Tensor with dims, where a setting of a layer is expected."""
    if shape := getattr(value, "array_shape", ()):
        raise TypeError(
            f"{layer}: got a Tensor of shape {shape} as a setting; make the layer first, then call it with the data: "
            f"{layer}(…)(x)"
        )


def size_of_dims(layer: str, dims: int, name: str, value: Any, smallest: int) -> tuple[int, ...]:
    """A size along a line, (n,), of a plane, (h, w), or of a volume: of numbers, each at least `smallest`."""
    return check_each(layer, name, value, dims, smallest)


def check_sizes(layer: str, **sizes: Any) -> None:
    """Every size is an integer of at least 1."""
    for name, n in sizes.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
            refuse_data(f"{layer}: {name}", n)
            whole = "; // divides to whole numbers" if isinstance(n, float) else ""
            raise DTypeError(f"{layer}: {name} is {n!r}; it must be an integer of at least 1{whole}")
        if n < 1:
            raise ArgumentError(f"{layer}: {name} is {n!r}; it must be an integer of at least 1")
