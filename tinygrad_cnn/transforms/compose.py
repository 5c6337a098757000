"""Transforms made of transforms: one after the other, some of them, in random order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

import numpy as np

from tinygrad_cnn import nn
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import randperm
from tinygrad_cnn.transforms.transform import ImageTransform, Img

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
T = TypeVar("T")
Transforms = Sequence[Callable[[Any], Any]]


def uniform(low: float, high: float) -> float:
    """One number drawn evenly from [low, high), as ``torch.empty(1).uniform_(low, high)`` draws it."""
    share = float(default_generator.uniform((1,), np.float32)[0])
    start = np.float32(low)
    return float(np.float32(share * float(np.float32(high) - start) + float(start)))  # rounded once, as by its kernels


def whole(low: int, high: int) -> int:
    """One integer drawn from low up to but without high."""
    return int(default_generator.integers(low, high, (1,))[0])


def happens(p: float) -> bool:
    """True with probability p."""
    return uniform(0.0, 1.0) < p


def lines(transform: Any, parts: Iterable[Any]) -> str:
    """Its name, and its parts below each other."""
    return "\n".join([f"{type(transform).__name__}(", *(f"    {part}" for part in parts), ")"])


class Compose(Generic[Out]):
    """One transform after the other.

    >>> Compose([lambda x: x + 1, lambda x: x * 2])(3)
    8
    """

    @overload  # transforms that all keep the kind of an image: so do they together
    def __init__(self: Compose[ImageTransform], transforms: Sequence[ImageTransform]) -> None: ...
    @overload
    def __init__(self: Compose[Tensor], transforms: Sequence[Callable[[Any], Tensor]]) -> None: ...
    @overload
    def __init__(self, transforms: Sequence[Callable[[Any], Out]]) -> None: ...
    @overload  # functions of several kinds in one list, which the checker cannot tell apart
    def __init__(self: Compose[Any], transforms: Sequence[Callable[[Any], object]]) -> None: ...
    def __init__(self, transforms: Transforms) -> None:
        self.transforms = transforms

    @overload
    def __call__(self: Compose[ImageTransform], img: Img) -> Img: ...
    @overload
    def __call__(self, img: Any) -> Out: ...
    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return lines(self, self.transforms)


class Lambda(Generic[In, Out]):
    """A function as a transform.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.Lambda(lambda x: 2 * x)(tg.tensor([1.0]))
    tensor([2.])
    """

    def __init__(self, lambd: Callable[[In], Out]) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: got {type(lambd).__name__}; expected a function")
        self.lambd = lambd

    def __call__(self, img: In) -> Out:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomTransforms:
    """The base of transforms that choose among others."""

    def __init__(self, transforms: Transforms) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError(f"{type(self).__name__}: transforms is {type(transforms).__name__}; expected a sequence")
        self.transforms = transforms

    def __repr__(self) -> str:
        return lines(self, self.transforms)


class RandomOrder(RandomTransforms):
    """One transform after the other, in a new random order each time.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomOrder([lambda x: x + 1, lambda x: x + 2])(3)
    6
    """

    def __call__(self, img: T) -> T:
        for k in randperm(len(self.transforms)).numpy().tolist():
            img = self.transforms[k](img)
        return img


class RandomChoice(RandomTransforms):
    """One of the transforms, each with the same chance, or with those in proportion to `p`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomChoice([lambda x: x + 1, lambda x: x + 2], p=[1.0, 0.0])(3)
    4
    """

    def __init__(self, transforms: Transforms, p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and (not isinstance(p, Sequence) or len(p) != len(transforms)):
            raise TypeError(f"RandomChoice: p is {p}; expected {len(transforms)} numbers, one for each transform")
        self.p = p

    def __call__(self, img: T) -> T:
        bounds = np.cumsum([1.0] * len(self.transforms) if self.p is None else self.p)
        k = int(np.searchsorted(bounds[:-1], uniform(0.0, 1.0) * bounds[-1], side="right"))
        return self.transforms[k](img)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


class RandomApply(nn.Module):
    """All of the transforms with probability p, or none.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transforms.RandomApply([lambda x: x + 1], p=1.0)(3)
    4
    """

    if TYPE_CHECKING:

        def __call__(self, img: T) -> T: ...  # type: ignore[override] # what comes out is what goes in

    def __init__(self, transforms: Transforms | nn.ModuleList, p: float = 0.5) -> None:
        super().__init__()
        self.transforms, self.p = transforms, p

    def forward(self, img: T) -> T:
        if self.p < uniform(0.0, 1.0):
            return img
        result: Any = img
        for transform in self.transforms:
            result = transform(result)
        return cast(T, result)

    def __repr__(self) -> str:
        return lines(self, [f"p={self.p}", *self.transforms])
