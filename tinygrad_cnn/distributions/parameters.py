"""How parameters are taken: as Tensors of one shape and a floating dtype; probabilities and their logits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import enable_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike, DType, NDArray
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import as_tensor, tensor
from tinygrad_cnn.torch_names.dtypes import get_default_dtype
from tinygrad_cnn.torch_names.size import Size

EULER = 0.57721566490153286060
"""Euler's constant γ."""
V = TypeVar("V")


def floating(value: ArrayLike, dtype: Any = None) -> Tensor:
    """A Tensor of a floating dtype; of a number, of the dtype given."""
    if isinstance(value, (bool, int, float)):
        return tensor(float(value), dtype=get_default_dtype() if dtype is None else dtype)
    given = as_tensor(value)
    return given if given.array.dtype.kind == "f" else given.astype(get_default_dtype())


def broadcast_all(*values: ArrayLike) -> list[Tensor]:
    """Parameters in their common shape; a number takes the dtype of the first Tensor."""
    dtype = next((floating(v).dtype for v in values if not isinstance(v, (bool, int, float))), None)
    given = [floating(v, dtype) for v in values]
    try:
        shape = np.broadcast_shapes(*(v.array.shape for v in given))
    except ValueError:
        shapes = ", ".join(str(tuple(v.shape)) for v in given)
        raise ArgumentError(f"distribution: parameters of shapes {shapes} do not broadcast") from None
    return [v if v.array.shape == shape else v.expand(*shape) for v in given]


def one_of(probs: ArrayLike, logits: ArrayLike) -> str:
    """The name of the one that is given."""
    if (probs is None) == (logits is None):
        raise ArgumentError("Either `probs` or `logits` must be specified, but not both.")
    return "logits" if probs is None else "probs"


class ProbsOrLogits:
    """What keeps one of `probs` and `logits`, as it was given, and computes the other when it is asked for."""

    @property
    def _param(self) -> Tensor:
        kept: Tensor = vars(self)["probs"] if "probs" in vars(self) else vars(self)["logits"]
        return kept

    @property
    def param_shape(self) -> Size:
        """The shape of the parameters."""
        return self._param.shape


def values(x: Tensor) -> NDArray:
    """The numbers alone."""
    return x.detach().array


def kind(x: Tensor) -> DType:
    """NumPy's dtype."""
    return x.array.dtype


def limits(x: Tensor) -> np.finfo[Any]:
    """The smallest and largest numbers of a Tensor's dtype."""
    found: np.finfo[Any] = np.finfo(x.array.dtype)
    return found


def constant(value: float, like: Tensor, shape: Any = None) -> Tensor:
    """One number in the dtype of a Tensor, and in its shape unless another is given."""
    return Tensor.wrap(np.full(like.array.shape if shape is None else tuple(shape), value, like.array.dtype))


def uniform(shape: Any, like: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Numbers drawn evenly from [low, high)."""
    return Tensor.wrap(default_generator.uniform(tuple(shape), like.array.dtype, low, high))


def standard_normal(shape: Any, like: Tensor) -> Tensor:
    """Numbers of the standard normal distribution."""
    return Tensor.wrap(default_generator.normal(tuple(shape), like.array.dtype))


def clamped(probs: Tensor) -> Tensor:
    """Away from 0 and 1 by a rounding, so that the logarithm is finite, as in PyTorch."""
    eps = float(limits(probs).eps)
    return probs.clamp(eps, 1 - eps)


def logits_of(probs: Tensor, is_binary: bool = False) -> Tensor:
    """ln p, or of a single probability ln p - ln(1 - p)."""
    inner = clamped(probs)
    return inner.log() - (-inner).log1p() if is_binary else inner.log()


def probs_of(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The softmax, or of a single probability the sigmoid."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def cross_entropy(logits: Tensor, value: Tensor) -> Tensor:
    """-value ln p - (1 - value) ln(1 - p) with p the sigmoid of the logits."""
    return ops.softplus(logits) - value * logits


def log_sigmoid(x: Tensor) -> Tensor:
    """-ln(1 + exp(-x))."""
    return -ops.softplus(-x)


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """The sum over so many dims from the right."""
    return value.reshape(*value.shape[: value.ndim - dims], -1).sum(-1) if dims else value


def one_hot(places: Tensor, classes: int, like: Tensor) -> Tensor:
    """Vectors with a 1 at these places."""
    return Tensor.wrap(np.eye(classes, dtype=like.array.dtype)[np.asarray(values(places))])


def factorial_log(n: int) -> float:
    """ln n!."""
    return math.lgamma(n + 1)


class Unwritten:
    """An attribute that raises unless a subclass has it."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        raise NotImplementedError(f"{type(instance).__name__}: has no {self.what}")


def unwritten(what: str) -> Any:
    """An attribute that each subclass writes in its own way: as a value, or as a property."""
    return Unwritten(what)


class lazy_property(Generic[V]):  # PyTorch's name
    """What is computed when it is first asked for, recorded, and then an attribute."""

    def __init__(self, wrapped: Callable[[Any], V]) -> None:
        self.wrapped, self.__doc__ = wrapped, wrapped.__doc__

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> V: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        vars(instance)[self.wrapped.__name__] = value
        return value
