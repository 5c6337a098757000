"""The sets on which ops are smooth, as plain objects that can fill an array with their members.

Values lie on a grid of sixteenths: they are exact in every float dtype, print short, and stay away from kinks
by more than any finite-difference step.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape

GRID = 16
"""Values are whole multiples of 1/GRID."""


class Source(Protocol):
    """Where the numbers come from: the part of `Draw` that a domain needs."""

    def integers(self, low: int, high: int, count: int) -> list[int]:
        """`count` integers between `low` and `high`, both included."""
        ...

    def permutation(self, n: int) -> NDArray:
        """The numbers 0 to n-1 in some order."""
        ...


@dataclass(frozen=True)
class Domain:
    """A set of real numbers in which an input may lie."""

    repeats = True
    """Whether one value may stand in several places of an array."""

    def fill(self, draw: Source, shape: Shape) -> NDArray:
        """An array of this shape with members of the set."""
        raise NotImplementedError

    def grid(self, draw: Source, shape: Shape, low: float, high: float) -> NDArray:
        """Multiples of 1/GRID between low and high."""
        count = int(np.prod(shape, dtype=np.int64))
        numbers = draw.integers(int(np.ceil(low * GRID)), int(np.floor(high * GRID)), count)
        return np.asarray(np.array(numbers, dtype=np.float64).reshape(shape) / GRID)


@dataclass(frozen=True)
class Real(Domain):
    """All real numbers; drawn between `low` and `high`."""

    low: float = -3.0
    high: float = 3.0

    def fill(self, draw: Source, shape: Shape) -> NDArray:
        """Any value of the range."""
        return self.grid(draw, shape, self.low, self.high)


@dataclass(frozen=True)
class Positive(Real):
    """Numbers above 0; drawn between `low` and `high`."""

    low: float = 0.25
    high: float = 4.0


@dataclass(frozen=True)
class AwayFrom(Domain):
    """Real numbers at least `gap` from each of the `points`."""

    points: tuple[float, ...]
    gap: float = 0.125
    low: float = -3.0
    high: float = 3.0

    def fill(self, draw: Source, shape: Shape) -> NDArray:
        """Values of the range; those too near a point are moved away from it, to the side they are on."""
        values = self.grid(draw, shape, self.low, self.high)
        for left, right in self.holes():
            if left < self.low and right > self.high:
                raise ValueError(
                    f"AwayFrom: no number between {self.low} and {self.high} is {self.gap} away from {self.points}; "
                    "choose a smaller gap or a wider range"
                )
            lower = (values < (left + right) / 2) | (right > self.high)
            end = np.where(lower & (left >= self.low), left, right)
            values = np.where((left < values) & (values < right), end, values)
        return values

    def holes(self) -> list[tuple[float, float]]:
        """The open intervals in which no value may lie; those of points near each other are one."""
        merged: list[tuple[float, float]] = []
        for point in sorted(self.points):
            left, right = point - self.gap, point + self.gap
            if merged and left < merged[-1][1]:
                left, _ = merged.pop()
            merged.append((left, right))
        return merged


@dataclass(frozen=True)
class Distinct(Domain):
    """Numbers that all differ from each other, by at least `gap`, and from 0."""

    gap: float = 0.25
    repeats = False

    def fill(self, draw: Source, shape: Shape) -> NDArray:
        """A permutation of equally spaced values about 0."""
        count = int(np.prod(shape, dtype=np.int64))
        return np.asarray((draw.permutation(count) - count // 2 + 0.5) * self.gap).reshape(shape)
