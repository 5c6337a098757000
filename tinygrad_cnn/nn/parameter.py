"""Tensors that a module notices when they are assigned to it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NoReturn

import numpy as np

from tinygrad_cnn.core.storage import in_order
from tinygrad_cnn.core.types import ArrayLike, NDArray
from tinygrad_cnn.core.writing import Writable
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.device import check_device

__all__ = ["Buffer", "Parameter", "UninitializedParameter"]


class Parameter(Tensor):
    """A leaf that requires a gradient; a module that gets one as an attribute lists it among its parameters.

    It shares the memory of the data that it is made of.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> weight = tg.nn.Parameter(tg.ones(2))
    >>> weight
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
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
            known = memo[id(self)] = Parameter(np.array(in_order(self)), self.requires_grad)
        return known


class Buffer(Tensor):
    """A tensor that belongs to a module's state but is not trained; assigned to a module it becomes a buffer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.Module()
    >>> layer.scale = tg.nn.Buffer(tg.ones(2))
    >>> list(layer.state_dict())
    ['scale']
    """

    __slots__ = ("persistent",)

    def __init__(self, data: ArrayLike = (), *, persistent: bool = True) -> None:
        super().__init__(data)
        self.persistent = persistent

    def __reduce__(self) -> tuple[Any, ...]:
        return _buffer, (self.detach().numpy(), self.persistent)


def _buffer(data: ArrayLike, persistent: bool) -> Buffer:
    return Buffer(data, persistent=persistent)


MEMORY: Any = vars(Writable)["array"]
"""The slot of a tensor's array, which an uninitialized parameter hides."""


class UninitializedParameter(Parameter):
    """The parameter of a lazy layer before its first input: a place without shape and values.

    It becomes a Parameter by `materialize`, and stays the same object, so that an optimiser may hold it already.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> weight = tg.nn.LazyLinear(4).weight
    >>> type(weight).__name__
    'UninitializedParameter'
    >>> weight.materialize((4, 3))
    >>> weight.shape
    torch.Size([4, 3])
    """

    __slots__ = ()

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        check_device("UninitializedParameter", device)
        place: Any = self
        place.__class__ = Parameter
        Parameter.__init__(place, empty(0, dtype=dtype), requires_grad)
        place.__class__ = UninitializedParameter

    @property
    def array(self) -> NDArray:
        raise ValueError(
            "Attempted to use an uninitialized parameter: a lazy layer has no weights before its first input; call it "
            "with one first"
        )

    @array.setter
    def array(self, value: NDArray) -> None:
        MEMORY.__set__(self, value)

    def _held(self) -> NDArray:
        array: NDArray = MEMORY.__get__(self)
        return array

    @property
    def shape(self) -> NoReturn:
        """There is none: a RuntimeError."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter: a lazy layer has no weights before its first input; "
            "call it with one first"
        )

    def convert(self, fn: Any) -> None:
        """Take the dtype that `fn` gives a tensor."""
        self.array = fn(Tensor(self._held())).numpy()

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a Parameter of this shape, with whatever its memory holds."""
        check_device("materialize", device)
        values = empty(shape, dtype=self._held().dtype if dtype is None else dtype)
        place: Any = self
        place.__class__ = Parameter
        place.data = values

    def materialize_as(self, other: Tensor) -> None:
        """Become a Parameter with the values of another, in the own dtype."""
        self.materialize(tuple(other.shape))
        self.detach().copy_(other.detach())

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: there are no numbers yet."""
        html: str = import_module("tinygrad_cnn.display").fragment(
            '<p class="tg-head">UninitializedParameter</p>'
            '<p class="tg-facts">no shape and no values before the first input</p>'
        )
        return html

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedParameter:
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = UninitializedParameter(self.requires_grad, dtype=self._held().dtype)
        return known

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.requires_grad, None, self._held().dtype)
