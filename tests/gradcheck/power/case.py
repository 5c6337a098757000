"""What a wrong gradient is here: a function of arrays, its VJP, the VJP with a mistake in it, and inputs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

VISIBLE = 1e-6
"""A mistake changes some value by more than this part of the largest derivative."""


def normal(seed, *shape):
    """Standard normal numbers, the same in every run."""
    return np.random.default_rng(seed).standard_normal(shape)


def positive(seed, *shape):
    """Numbers between 0.5 and 2."""
    return np.random.default_rng(seed).uniform(0.5, 2.0, shape)


def spread(seed, *shape):
    """Numbers no two of which lie closer together than 0.2, in random order: nothing ties, nothing is near 0."""
    count = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(count).reshape(shape) - count / 2 + 0.4) / 5


@dataclass(frozen=True)
class Wrong:
    """A mistake. `f`, `right`, `wrong` and `inputs` are as in the corpus, so that the same checkers take both."""

    name: str
    f: Callable[..., Any]
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    given: tuple[Any, ...]
    size: float = field(default=1.0)
    """Of the cotangents for which it shows; 0 for the zero cotangent."""

    def inputs(self):
        """The arguments of the function."""
        return self.given

    def change(self):
        """How much the mistake changes at most, as part of the largest derivative, under some cotangents."""
        return max(self._change(normal(seed, *np.shape(self.f(*self.given)))) for seed in range(8))

    def _change(self, g):
        pairs = [self.pulled(vjp, g * self.size) for vjp in (self.right, self.wrong)]
        off = max(np.max(np.abs(np.nan_to_num(a - b, nan=np.inf)), initial=0.0) for a, b in zip(*pairs, strict=True))
        return off / max(np.max(np.abs(a), initial=0.0) for a in pairs[0]) if self.size else off

    def pulled(self, vjp, g):
        """The gradients, one array an input."""
        found = vjp(np.asarray(g), *self.given)
        return [np.asarray(d, np.float64) for d in (found if isinstance(found, tuple) else (found,))]


def variants(name, f, vjp, given, *mistakes, size=1.0):
    """A case for each mistake that `vjp(g, *inputs, m="")` can make."""
    return [
        Wrong(f"{name}: {m}", f, vjp, lambda g, *inputs, m=m: vjp(g, *inputs, m=m), tuple(given), size)
        for m in mistakes
    ]


def others(name, f, right, given, wrong, size=1.0):
    """A case for each of a dictionary of wrong VJPs."""
    return [Wrong(f"{name}: {what}", f, right, vjp, tuple(given), size) for what, vjp in wrong.items()]


def elementwise(name, f, slope, x, wrong):
    """A case for each of a dictionary of wrong derivatives of a function of one number."""
    return [
        Wrong(f"{name}: {what}", f, lambda g, x: g * slope(x), lambda g, x, d=d: g * d(x), (x,))
        for what, d in wrong.items()
    ]
