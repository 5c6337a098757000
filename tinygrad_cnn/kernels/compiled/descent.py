"""Steps of optimisers, one pass each; compare `kernels.descent`, which rounds alike: the results are the same bits."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import exact, prange, shared
from tinygrad_cnn.kernels.compiled.layout import DTYPES

SMALL = 4096
"""Parameters of at most so many elements are left to NumPy where it makes two calls of them."""
NONE = {dtype: np.empty(0, dtype) for dtype in DTYPES}
"""In the place of what is not kept."""


def descend(value: NDArray, gradient: NDArray, rate: float) -> None:
    """value -= rate · gradient, in place."""
    if value.size <= SMALL or not _alike(value, gradient):
        numpy_set.descend(value, gradient, rate)
    else:
        into, source, step = value.reshape(-1), gradient.reshape(-1), value.dtype.type(rate)
        _descend(into, source, step, cost=3 * value.nbytes)


def descend_by_velocity(
    value: NDArray,
    gradient: NDArray,
    velocity: NDArray,
    rate: float,
    *,
    momentum: float,
    dampening: float,
    nesterov: bool,
    decay: float,
) -> None:
    """v = momentum · v + (1 - dampening) g, value -= rate · v, in place; `decay` and `nesterov` as in SGD."""
    if not _alike(value, gradient, velocity):
        options: dict[str, Any] = {"momentum": momentum, "dampening": dampening, "nesterov": nesterov, "decay": decay}
        numpy_set.descend_by_velocity(value, gradient, velocity, rate, **options)
        return
    number = value.dtype.type
    numbers = number(rate), number(momentum), number(1 - dampening), nesterov, number(decay)
    _by_velocity(value.reshape(-1), gradient.reshape(-1), velocity.reshape(-1), *numbers, cost=5 * value.nbytes)


def adam(
    value: NDArray,
    gradient: NDArray,
    mean: NDArray,
    square: NDArray,
    largest: NDArray | None,
    *,
    rate: float,
    eps: float,
    new: tuple[float, float],
    decay: float,
    kept: float,
) -> None:
    """value = kept · value - rate · m / (√v + eps), in place, with m and v the averages of g and of g²."""
    most = square if largest is None else largest
    if not _alike(value, gradient, mean, square, most):
        options: dict[str, Any] = {"rate": rate, "eps": eps, "new": new, "decay": decay, "kept": kept}
        numpy_set.adam(value, gradient, mean, square, largest, **options)
        return
    kept_most = NONE[value.dtype] if largest is None else largest.reshape(-1)
    arrays = value.reshape(-1), gradient.reshape(-1), mean.reshape(-1), square.reshape(-1), kept_most
    numbers = tuple([value.dtype.type(n) for n in (rate, eps, *new, 1 - new[1], decay, kept)])
    _adam(*arrays, numbers, cost=(10 if largest is None else 12) * value.nbytes)


def _alike(value: NDArray, *others: NDArray) -> bool:
    """Whether all are runs of one dtype that loops are compiled for."""
    dtype = value.dtype
    same = value.flags.c_contiguous and all(a.dtype == dtype and a.flags.c_contiguous for a in others)
    return same and dtype in DTYPES


@shared
def _descend(value: NDArray, gradient: NDArray, rate: float, shares: int) -> None:
    for share in prange(shares):
        some = slice(value.size * share // shares, value.size * (share + 1) // shares)
        _descend_run(value[some], gradient[some], rate)


@exact
def _descend_run(value: NDArray, gradient: NDArray, rate: float) -> None:
    for k in range(value.size):
        value[k] -= rate * gradient[k]


@shared
def _by_velocity(
    w: NDArray,
    g: NDArray,
    v: NDArray,
    rate: float,
    momentum: float,
    taken: float,
    nesterov: bool,
    decay: float,
    shares: int,
) -> None:
    for share in prange(shares):
        some = slice(w.size * share // shares, w.size * (share + 1) // shares)
        _by_velocity_run(w[some], g[some], v[some], rate, momentum, taken, nesterov, decay)


@exact
def _by_velocity_run(
    w: NDArray, g: NDArray, v: NDArray, rate: float, momentum: float, taken: float, nesterov: bool, decay: float
) -> None:
    for k in range(w.size):
        slope = g[k] + decay * w[k] if decay != 0 else g[k]
        velocity = v[k] * momentum + (taken * slope if taken != 1 else slope)
        v[k] = velocity
        w[k] -= rate * (slope + momentum * velocity if nesterov else velocity)


@shared
def _adam(
    w: NDArray, g: NDArray, m: NDArray, v: NDArray, most: NDArray, numbers: tuple[float, ...], shares: int
) -> None:
    """`most` is empty where no largest v is kept."""
    for share in prange(shares):
        some = slice(w.size * share // shares, w.size * (share + 1) // shares)
        _adam_run(w[some], g[some], m[some], v[some], most[some], numbers)


@exact
def _adam_run(w: NDArray, g: NDArray, m: NDArray, v: NDArray, most: NDArray, numbers: tuple[float, ...]) -> None:
    rate, eps, new, new_square, old_square, decay, kept = numbers
    keeps = most.size > 0
    for k in range(w.size):
        slope = g[k] + decay * w[k] if decay != 0 else g[k]
        mean = m[k] + (slope - m[k]) * new
        square = v[k] * old_square + slope * slope * new_square
        m[k], v[k] = mean, square
        if keeps:
            before = most[k]
            square = before if (before > square) | (before != before) else square
            most[k] = square
        w[k] = w[k] * kept - mean / (np.sqrt(square) + eps) * rate
