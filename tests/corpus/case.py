"""What a case of the corpus is: a function, its gradient as a framework once had it, and the gradient put right.

Every case restates a public bug in our own few lines of NumPy; the reference names the issue or pull request where it
was reported or fixed. Where the function has a kink at the inputs, `at` says so, and `right` is a member of its
subdifferential (the convention of a framework that documents one).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.core.draw import Draw

REFERENCE = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+#[1-9]\d*")
KINDS = {
    "sign", "factor", "transposed", "unbroadcast", "chain", "overwritten", "axis", "window", "dropped", "nonlinear",
    "shape", "nan", "permuted", "constant", "kink convention", "dtype", "mask", "unknown",
}  # fmt: skip
"""What a diagnosis can say. `mask`: a gradient where the function does not depend on its input; `unknown`: none of
these patterns, such as a derivative taken at the wrong place."""

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Case:
    """One bug of the corpus."""

    name: str
    framework: str
    reference: str
    year: int
    story: str
    """What went wrong, in one sentence."""
    f: Callable[..., Any]
    wrong: Callable[..., Any]
    right: Callable[..., Any]
    inputs: Callable[[], Arrays]
    kind: str
    also: tuple[str, ...] = ()
    """Kinds that describe the same mistake as well."""
    at: str = ""
    """The special point at which alone it shows, if any."""
    kink: bool = False
    """Whether f has a kink at the inputs."""
    sample: Callable[[Draw], Arrays] | None = None
    """Other inputs of other sizes, away from kinks, on which `right` must hold as well."""


def values(seed: int, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(seed).uniform(low, high, shape)


def distinct(seed: int, *shape: int) -> np.ndarray:
    """Numbers of which no two lie closer together than 0.25, in random order: no ties, no kinks within reach."""
    count = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(count).reshape(shape) - count / 2 + 0.25) / 4


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function without NumPy's warnings, for formulas that overflow or divide 0 by 0."""

    def silent(*arrays: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arrays)

    return silent


def complex_step(function: Callable[..., Any], g: Any, *arrays: np.ndarray) -> Arrays:
    """⟨g, function⟩ differentiated without differences: Im⟨g, function(x + ih e)⟩ / h, exact where it is analytic."""
    step = 1e-30
    gradients = []
    for k, x in enumerate(arrays):
        gradient = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            moved = x.astype(complex)
            moved[place] += 1j * step
            there = function(*arrays[:k], moved, *arrays[k + 1 :])
            gradient[place] = np.sum(np.asarray(g) * np.imag(there)) / step
        gradients.append(gradient)
    return tuple(gradients)
