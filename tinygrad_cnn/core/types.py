"""The type aliases of the package, in one place. Imports NumPy only."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

NDArray: TypeAlias = npt.NDArray[Any]
"""An array of numbers, of any dtype."""

Array: TypeAlias = Any
"""What a rule computes with: an ndarray at training speed, a Tensor when the rule is itself recorded."""

ArrayLike: TypeAlias = Any
"""What can be made an array: an ndarray, a Tensor, a number, nested sequences of numbers."""

DType: TypeAlias = np.dtype[Any]
Shape: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None for all of them; negative numbers count from the end."""

Pair: TypeAlias = tuple[int, int]
"""(vertical, horizontal): of a stride, a kernel, a dilation, a size."""

Pads: TypeAlias = tuple[Pair, Pair]
"""((top, bottom), (left, right)): the zeros added on each side of a plane."""

Size2: TypeAlias = int | tuple[int, int]
"""A pair, or one number for both directions."""

Size3: TypeAlias = int | tuple[int, int, int]
"""Of a volume: depth, height and width, or one number for all."""

A = TypeVar("A", bound=Any)
"""An ndarray or a Tensor: what a function takes is what it gives, so `relu(x: A) -> A` of a Tensor is a Tensor.

Its bound is Any, since the bodies compute in NumPy's notation with either.
"""
