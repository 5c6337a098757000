"""Random tensors: uniform, normal, integers, permutations, and those whose distribution other tensors say.

Nothing here is differentiable. The numbers are PyTorch's for the same seed; how they are drawn is in `random`.
"""

from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike, NDArray
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import as_tensor, chosen_dtype, dtype_like, made, size_of
from tinygrad_cnn.torch_names.conversion import strided
from tinygrad_cnn.torch_names.dtypes import get_default_dtype

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm",
]  # fmt: skip


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers drawn evenly from [0, 1)."""
    drawn = (generator or default_generator).uniform(size_of("rand", sizes, size), chosen_dtype(dtype))
    return made("rand", drawn, requires_grad, device, layout, pin_memory, out)


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers drawn from the standard normal distribution."""
    drawn = (generator or default_generator).normal(size_of("randn", sizes, size), chosen_dtype(dtype))
    return made("randn", drawn, requires_grad, device, layout, pin_memory, out)


def randint(
    *bounds: Any,
    low: int = 0,
    high: int | None = None,
    size: Any = None,
    generator: Generator | None = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Integers drawn evenly from low (0 if it is left out) up to but without high: ``randint(low, high, size)``."""
    first, last, shape = bounds_and_size(bounds, low, high, size)
    drawn = (generator or default_generator).integers(first, last, size_of("randint", (shape,)))
    kind = np.dtype(np.int64) if dtype is None else chosen_dtype(dtype)
    return made("randint", drawn.astype(kind), requires_grad, device, layout, pin_memory, out)


def bounds_and_size(bounds: tuple[Any, ...], low: int, high: Any, size: Any) -> tuple[int, int, Any]:
    """The arguments of ``randint(high, size)`` and ``randint(low, high, size)``, by place or by name."""
    given = list(bounds)
    if size is None:
        if not given or isinstance(given[-1], int):
            raise TypeError(f"randint: no size among {bounds!r}; give it last, as in randint(0, 10, (2, 3))")
        size = given.pop()
    if high is None:
        if not given:
            raise TypeError("randint: high is missing; give it as in randint(0, 10, (2, 3))")
        high = given.pop()
    if given:
        low = given.pop()
    if given:
        raise TypeError(f"randint: too many arguments {bounds!r}; expected low, high and size")
    if low >= high:
        raise ArgumentError(f"randint: low {low} must be less than high {high}")
    return int(low), int(high), size


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The numbers 0 to n-1 in random order, int64."""
    if n < 0:
        raise ArgumentError(f"randperm: n is {n}; it must be at least 0")
    kind = np.dtype(np.int64) if dtype is None else chosen_dtype(dtype)
    drawn = np.array((generator or default_generator).permutation(n), kind)
    return made("randperm", drawn, requires_grad, device, layout, pin_memory, out)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Evenly drawn numbers in the shape and dtype of another tensor."""
    drawn = (generator or default_generator).uniform(input.array_shape, dtype_like(input, dtype))
    return made("rand_like", drawn, requires_grad, device, layout, memory_format=memory_format)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Standard normal numbers in the shape and dtype of another tensor."""
    drawn = (generator or default_generator).normal(input.array_shape, dtype_like(input, dtype))
    return made("randn_like", drawn, requires_grad, device, layout, memory_format=memory_format)


def randint_like(
    input: Tensor,
    *bounds: int,
    low: int = 0,
    high: int | None = None,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Integers drawn evenly from [low, high) in the shape and dtype of another tensor."""
    first, last, shape = bounds_and_size(bounds, low, high, input.array_shape)
    drawn = (generator or default_generator).integers(first, last, shape).astype(dtype_like(input, dtype))
    return made("randint_like", drawn, requires_grad, device, layout, memory_format=memory_format)


def normal(
    mean: ArrayLike,
    std: ArrayLike = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers of normal distributions, each with its own mean and deviation, or `size` numbers of one.

    >>> normal(0.0, 2.0, (3, 4)).ndim
    2
    """
    draw = generator or default_generator
    if size is not None:
        check_deviation(std)
        shape = (size,) if isinstance(size, int) else tuple(size)
        kind = get_default_dtype() if dtype is None else dtype
        return Tensor(draw.normal(shape, kind, float(mean), float(std)), requires_grad=requires_grad)
    centre, deviation = as_tensor(mean), as_tensor(std)
    check_deviation(deviation.detach().numpy())
    both = np.broadcast(centre.detach().numpy(), deviation.detach().numpy())
    kind = centre.dtype if isinstance(mean, Tensor) else deviation.dtype
    with_noise = draw.normal(both.shape, kind) * deviation.detach().numpy() + centre.detach().numpy()
    return Tensor(with_noise, dtype=kind, requires_grad=requires_grad)


def check_deviation(std: ArrayLike) -> None:
    """RuntimeError if a deviation is negative."""
    if np.any(np.asarray(std) < 0):
        raise RuntimeError(f"normal: std is {std}; a standard deviation is at least 0")


def bernoulli(input: ArrayLike, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element says, else 0; with `p`, that one for all.

    >>> bernoulli([0.0, 1.0])
    tensor([0., 1.])
    """
    given, draw = as_tensor(input).detach(), generator or default_generator
    chances = given.numpy() if p is None else np.asarray(p)
    if not np.all((chances >= 0) & (chances <= 1)):
        raise RuntimeError("bernoulli: every probability must be between 0 and 1")
    if p is not None:
        return Tensor(draw.bernoulli(p, given.shape).astype(given.numpy().dtype))
    if given.numpy().dtype.kind != "f":
        raise RuntimeError(f"bernoulli: probabilities of dtype {given.dtype}; expected a floating dtype")
    return Tensor((draw.uniform(given.shape, chances.dtype) < chances).astype(chances.dtype))


def multinomial(
    input: ArrayLike, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with the probabilities that a vector, or each row of a matrix, is proportional to.

    Parameters
    ----------
    input : (C,) or (N, C), at least 0, not all 0
    num_samples : how many of each row
    replacement : whether an index may be drawn again

    Returns
    -------
    Tensor
        (num_samples,) or (N, num_samples), int64.

    Notes
    -----
    Without replacement, and for one sample: the largest of probability / exponential number, since the first of
    several exponential clocks to ring is number k with a probability proportional to its rate.
    """
    weights, draw = as_tensor(input).detach().numpy(), generator or default_generator
    if weights.ndim not in (1, 2):
        raise ArgumentError(f"multinomial: input has shape {weights.shape}; expected (C,) or (N, C)")
    if weights.dtype.kind != "f":
        raise RuntimeError(f"multinomial: input has dtype {weights.dtype}; expected a floating dtype")
    if num_samples <= 0:
        raise RuntimeError(f"multinomial: num_samples is {num_samples}; it must be at least 1")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError(
            f"multinomial: {num_samples} of {weights.shape[-1]} categories without replacement; draw fewer, or set "
            "replacement=True"
        )
    if not np.all((weights >= 0) & np.isfinite(weights)):
        raise RuntimeError("multinomial: the probabilities contain inf, nan or a number below 0")
    if not np.all(weights.sum(-1) > 0):
        raise RuntimeError("multinomial: the probabilities of a row are all 0")
    if replacement and num_samples > 1:
        return Tensor(by_levels(weights, num_samples, draw))
    clocks = weights / draw.exponential(weights.shape, weights.dtype)
    order = np.argsort(-clocks, axis=-1, kind="stable")[..., :num_samples]
    return Tensor(order.astype(np.int64))


def by_levels(weights: NDArray, count: int, draw: Generator) -> NDArray:
    """For each row `count` indices: where uniform numbers fall among the cumulative probabilities."""
    rows = weights.reshape(-1, weights.shape[-1])
    levels = np.cumsum(rows, axis=1)
    levels /= levels[:, -1:]
    uniform = draw.uniform((len(rows), count), np.float64)
    found = [np.searchsorted(level, u) for level, u in zip(levels, uniform, strict=True)]
    return np.array(found, np.int64).reshape(*weights.shape[:-1], count)
