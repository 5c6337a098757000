"""The smallest input that still fails, without Hypothesis: shorter axes first, then rounder numbers."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.point import Point

TRIALS = 80
SECONDS = 3.0

Fails = Callable[[Sequence[Any]], bool]
"""Whether the check fails, rather than passes or cannot be made, on these arguments."""


def smallest_failing(point: Point, fails: Fails) -> tuple[NDArray, ...]:
    """Shrink the checked inputs of a function that fails on them, greedily, as far as it takes smaller ones.

    All axes of one length are shortened together, since functions that relate shapes need them equal; then single
    axes; then values are rounded.
    """
    search = _Search(point, fails)
    while search.once():
        pass
    search.round()
    return tuple(search.best)


class _Search:
    def __init__(self, point: Point, fails: Fails) -> None:
        self.point, self.fails = point, fails
        self.best: list[NDArray] = [a.copy() for a in point.arrays]
        self.trials, self.end = 0, monotonic() + SECONDS

    def tries(self, arrays: Sequence[NDArray]) -> bool:
        """Take the arrays if the check fails on them."""
        if self.trials >= TRIALS or monotonic() > self.end:
            return False
        self.trials += 1
        arguments = list(self.point.inputs)
        for k, a in zip(self.point.checked, arrays, strict=True):
            arguments[k] = a.copy()
        try:
            failed = self.fails(arguments)
        except Exception:  # a function may refuse other shapes in any way
            return False
        if failed:
            self.best = [np.array(a) for a in arrays]
        return failed

    def once(self) -> bool:
        """One step to smaller shapes; False if there is none."""
        lengths = sorted({n for a in self.best for n in a.shape if n > 1}, reverse=True)
        for n in lengths:
            for m in dict.fromkeys((1, n // 2, n - 1)):
                if self.tries([_shortened(a, n, m) for a in self.best]):
                    return True
        for k, a in enumerate(self.best):
            for axis, n in enumerate(a.shape):
                for m in dict.fromkeys((1, n - 1)) if n > 1 else ():
                    shorter = np.take(a, range(m), axis=axis)
                    if self.tries([shorter if j == k else b for j, b in enumerate(self.best)]):
                        return True
        return False

    def round(self) -> None:
        """Values with fewer digits."""
        for digits in (1, 2, 4, 16):
            if self.tries([np.round(a * digits) / digits if np.all(np.isfinite(a)) else a for a in self.best]):
                return


def _shortened(a: NDArray, n: int, m: int) -> NDArray:
    for axis, length in enumerate(a.shape):
        if length == n:
            a = np.take(a, range(m), axis=axis)
    return a
