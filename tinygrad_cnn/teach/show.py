"""`show`: tensors, batches and networks in a notebook, whatever they lie in."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.display import fragment
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.utils.data.notebook import batch_shown

__all__ = ["Shown", "show"]


class Shown:
    """Some values as a notebook shows them; they print as they are."""

    def __init__(self, *things: Any) -> None:
        self.things = things

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.things))

    def _repr_html_(self) -> str:
        return "".join(
            thing._repr_html_() if hasattr(thing, "_repr_html_") else fragment(batch_shown(thing))
            for thing in map(_tensors, self.things)
        )


def show(*things: Any) -> Shown:
    """What a notebook shows of tensors, arrays, and lists, tuples and dicts of them, such as a batch of a DataLoader.

    A list has no display of its own: end a cell with ``show(batch)``. Images get the labels that lie beside them.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> show([tensor([1.0, 2.0]), tensor([3])])
    [tensor([1., 2.]), tensor([3])]
    """
    return Shown(*things)


def _tensors(thing: Any) -> Any:
    """Arrays as tensors, also those in lists, tuples and dicts."""
    if isinstance(thing, np.ndarray) and thing.dtype.kind in "bfiu":
        return Tensor(thing)
    if isinstance(thing, dict):
        return {key: _tensors(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_tensors(value) for value in thing]
    return thing
