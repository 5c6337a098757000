"""Tensors that a module notices when they are assigned to it."""

from __future__ import annotations

from typing import Any

from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.types import ArrayLike


class Parameter(Tensor):
    """A leaf that requires a gradient; a module that gets one as an attribute lists it among its parameters.

    It shares the memory of the data that it is made of.
    """

    __slots__ = ()

    def __init__(self, data: ArrayLike = (), requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A parameter with memory of its own, without the gradient."""
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = Parameter(self.detach().clone(), self.requires_grad)
        return known


class Buffer(Tensor):
    """A tensor that belongs to a module's state but is not trained; assigned to a module it becomes a buffer."""

    __slots__ = ("persistent",)

    def __init__(self, data: ArrayLike = (), *, persistent: bool = True) -> None:
        super().__init__(data)
        self.persistent = persistent

    def __reduce__(self) -> tuple[Any, ...]:
        return _buffer, (self.detach().numpy(), self.persistent)


def _buffer(data: ArrayLike, persistent: bool) -> Buffer:
    return Buffer(data, persistent=persistent)
