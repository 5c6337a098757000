"""A tensor that a module trains."""

from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.types import ArrayLike


class Parameter(Tensor):
    """A leaf that requires a gradient; a module that gets one as an attribute lists it among its parameters."""

    __slots__ = ()

    def __init__(self, data: ArrayLike, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
