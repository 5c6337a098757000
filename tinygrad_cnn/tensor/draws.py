"""Methods of `Tensor` that fill it with random numbers; the numbers are PyTorch's for the same seed, see `random`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.indexing import SetItem
from tinygrad_cnn.core.types import ArrayLike, NDArray, Shape
from tinygrad_cnn.random import Generator, default_generator, integer_bounds
from tinygrad_cnn.tensor import chances
from tinygrad_cnn.tensor.arrays import as_plain
from tinygrad_cnn.tensor.chances import with_gradient_0
from tinygrad_cnn.tensor.facts import FactMethods
from tinygrad_cnn.torch_names.errors import KernelMissingError


def axes_in_memory(array: NDArray) -> list[int]:
    """The axes from the one of the longest strides to that of the shortest."""
    return sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))


class DrawMethods(FactMethods):
    """Random numbers."""

    __slots__ = ()

    def _drawn(self, op: str, draw: Callable[[Shape], NDArray]) -> Self:
        """Write what is drawn for a shape, in the order in which the elements lie in memory, as PyTorch does."""
        axes = axes_in_memory(self.array)
        values = draw(tuple(self.array_shape[axis] for axis in axes)).astype(self.array_dtype)
        values = values.transpose(np.argsort(axes)) if axes else values
        return self.become(op, lambda x: SetItem.apply(x, values, index=...))

    def _check_floating(self, op: str) -> None:
        if self.array_dtype.kind != "f":
            raise KernelMissingError(
                f"{op}: draws real numbers, and the tensor has dtype {self.dtype}; expected a floating dtype"
            )

    def uniform_(self, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn evenly from [a, b).

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(3).uniform_()
        tensor([0.4963, 0.7682, 0.0885])
        """
        self._check_floating("uniform_")
        most = float(np.finfo(self.array_dtype).max)
        if not (a <= b and -most <= a and b <= most and b - a <= most):
            raise ArgumentError(f"uniform_: the range [{a}, {b}) is empty or does not fit into {self.dtype}")
        draw = generator or default_generator
        return self._drawn("uniform_", lambda shape: draw.uniform(shape, self.array_dtype, a, b))

    def normal_(self, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn from a normal distribution.

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(3).normal_()
        tensor([ 1.5410, -0.2934, -2.1788])
        """
        self._check_floating("normal_")
        if not std >= 0:
            raise ArgumentError(f"normal_: std is {std}; a standard deviation is at least 0")
        draw = generator or default_generator
        if self.is_contiguous():
            return self._drawn("normal_", lambda shape: draw.normal(shape, self.array_dtype, mean, std))
        return self._drawn(
            "normal_", lambda shape: draw.normal_in_pairs(shape, mean, std)
        )  # one by one, in PyTorch too

    def random_(self, *bounds: int | None, generator: Generator | None = None, **named: int | None) -> Self:
        """Fill with integers: ``random_(to)`` from [0, to), ``random_(from, to)``, or any that the dtype holds.

        With ``to=None`` up to the largest of the dtype, from the smallest integer of 64 bits on any of these.

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(3).random_(10)
        tensor([4., 9., 3.])
        """
        draw, kind = generator or default_generator, self.array_dtype
        if not bounds and not named:
            return self._drawn("random_", lambda shape: draw.any_integers(shape, kind))
        if len(bounds) + len(named) > 2 or not named.keys() <= {"from", "to"}:
            raise TypeError(f"random_: got {bounds} and {named}; expected from and to, or to alone")
        given = [*bounds, *named.values()]
        low, high = (given[0], given[1]) if len(given) == 2 else (0, given[0])
        if low is None:
            raise TypeError("random_: from is None; give an integer")
        if low == -(2**63) and high is None:
            if kind not in ("int64", "float64", "float32"):
                raise KernelMissingError(f"random_: there are no 2**64 values in {self.dtype}; use int64 or a float")
            return self._drawn(
                "random_", lambda shape: draw.long_words(self.array.size).astype(np.int64).reshape(shape)
            )
        first, end = integer_bounds("random_", low, high, kind)
        return self._drawn("random_", lambda shape: draw.integers(first, end, shape))

    def bernoulli(self, p: float | None = None, *, generator: Generator | None = None) -> Self:
        """1 with the probability that each element says, else 0; with `p`, that one for all.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.tensor([0.0, 0.5, 1.0]).bernoulli()
        tensor([0., 0., 1.])
        """
        drawn = self.wrap(chances.bernoulli(self.array, p, generator or default_generator))
        return with_gradient_0(drawn, self)

    def multinomial(self, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Self:
        """Indices drawn with the probabilities that the vector, or each row, is proportional to.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([0.0, 1.0, 0.0]).multinomial(2, replacement=True)
        tensor([1, 1])
        """
        return self.wrap(chances.multinomial(self.array, num_samples, replacement, generator or default_generator))

    def bernoulli_(self, p: ArrayLike = 0.5, *, generator: Generator | None = None) -> Self:
        """Fill with 1 with probability p (a number, or one for each element), else 0.

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(4).bernoulli_(0.5)
        tensor([0., 0., 1., 0.])
        """
        draw, given = generator or default_generator, as_plain(p)
        if np.min(given, initial=0) < 0 or np.max(given, initial=0) > 1:
            raise ArgumentError(f"bernoulli_: p is {p!r}; it must lie in [0, 1]")
        if isinstance(given, (int, float)):
            chance = float(given)
            return self._drawn("bernoulli_", lambda shape: draw.bernoulli(chance, shape))
        if given.dtype.kind != "f":
            raise KernelMissingError(f"bernoulli_: p has dtype {given.dtype}; expected a floating dtype")
        broadcast = np.broadcast_to(given, self.array_shape)
        return self._drawn(
            "bernoulli_", lambda shape: draw.chances(broadcast.transpose(axes_in_memory(self.array)), shape)
        )

    def exponential_(self, lambd: float = 1.0, *, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn from the exponential distribution with this rate.

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(3).exponential_()
        tensor([3.5083, 1.2304, 0.6150])
        """
        self._check_floating("exponential_")
        if not lambd > 0:
            raise ArgumentError(f"exponential_: lambd is {lambd}; it must be positive")
        draw = generator or default_generator
        return self._drawn("exponential_", lambda shape: draw.exponential(shape, self.array_dtype, lambd))

    def geometric_(self, p: float, *, generator: Generator | None = None) -> Self:
        """Fill with the number of trials until the first success of probability p, the successful one counted.

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(3).geometric_(0.5)
        tensor([1., 1., 2.])
        """
        if self.array_dtype.kind == "b":
            raise KernelMissingError("geometric_: counts do not fit into booleans; use an integer or floating dtype")
        if not 0 < p < 1:
            raise ArgumentError(f"geometric_: p is {p}; it must lie between 0 and 1")
        draw = generator or default_generator
        return self._drawn("geometric_", lambda shape: np.ceil(np.log(draw.uniform(shape, np.float64)) / np.log1p(-p)))

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Self:
        """Fill with numbers drawn from Cauchy's distribution.

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(3).cauchy_()
        tensor([10.5977,  0.7648, -0.1283])
        """
        self._check_floating("cauchy_")
        if not sigma > 0:
            raise ArgumentError(f"cauchy_: sigma is {sigma}; it must be positive")
        draw = generator or default_generator
        return self._drawn(
            "cauchy_", lambda shape: median + sigma * np.tan(np.pi * (draw.uniform(shape, np.float64) - 0.5))
        )

    def log_normal_(self, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Self:
        """Fill with exponentials of normal numbers of this mean and deviation.

        The tensor itself changes, and is returned: its shape and dtype stay. `generator` is the source of
        chance.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.empty(3).log_normal_()
        tensor([5.9263e+01, 1.5116e+00, 3.4819e-02])
        """
        self._check_floating("log_normal_")
        if not std > 0:
            raise ArgumentError(f"log_normal_: std is {std}; it must be positive")
        draw = generator or default_generator
        return self._drawn("log_normal_", lambda shape: np.exp(draw.normal_in_pairs(shape, mean, std)))
