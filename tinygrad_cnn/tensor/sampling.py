"""Random tensors: uniform, normal, integers, permutations, and those whose distribution other tensors say.

Nothing here is differentiable. The numbers are PyTorch's for the same seed; how they are drawn is in `random`.
"""

from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import ArrayLike, DType
from tinygrad_cnn.random import Generator, default_generator, integer_bounds
from tinygrad_cnn.tensor import Tensor, as_array, chances, is_tensor
from tinygrad_cnn.tensor.chances import with_gradient_0
from tinygrad_cnn.tensor.creation import chosen_dtype, dtype_like, made, size_of
from tinygrad_cnn.torch_names.conversion import strided
from tinygrad_cnn.torch_names.dtypes import get_default_dtype
from tinygrad_cnn.torch_names.errors import KernelMissingError

__all__ = [
    "bernoulli", "binomial", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "randperm",
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
    """Numbers drawn evenly from [0, 1).

    The dtype is the default floating one unless it is given; `generator` is the source of chance.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    drawn = (generator or default_generator).uniform(
        size_of("rand", sizes, size), real("rand", chosen_dtype(dtype, out))
    )
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
    """Numbers drawn from the standard normal distribution.

    The dtype is the default floating one unless it is given; `generator` is the source of chance.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    drawn = (generator or default_generator).normal(
        size_of("randn", sizes, size), real("randn", chosen_dtype(dtype, out))
    )
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
    """Integers drawn evenly from low (0 if it is left out) up to but without high: ``randint(low, high, size)``.

    The dtype is int64 unless it is given. ValueError unless low < high.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randint(10, (4,))
    tensor([4, 9, 3, 0])
    """
    first, last, shape = bounds_and_size(bounds, low, high, size)
    kind = np.dtype(np.int64) if dtype is None else chosen_dtype(dtype, out)
    first, last = integer_bounds("randint", first, last, kind)
    drawn = (generator or default_generator).integers(first, last, size_of("randint", (shape,)), kind)
    return made("randint", drawn, requires_grad, device, layout, pin_memory, out)


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
    """The numbers 0 to n-1 in random order, int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    if n < 0:
        raise ArgumentError(f"randperm: n is {n}; it must be at least 0")
    kind: DType = np.dtype(np.int64) if dtype is None else chosen_dtype(dtype, out)
    if kind.kind == "b":
        raise KernelMissingError("randperm: numbers do not fit into booleans; use an integer or floating dtype")
    if n > (2 ** (np.finfo(kind).nmant + 1) if kind.kind == "f" else np.iinfo(kind).max):
        raise ArgumentError(f"randperm: n is {n}, more than {kind} holds without gaps; use a larger dtype")
    drawn = (generator or default_generator).order(n).astype(kind, copy=False)
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
    """Evenly drawn numbers in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand_like(tg.zeros(3))
    tensor([0.4963, 0.7682, 0.0885])
    """
    drawn = (generator or default_generator).uniform(input.array_shape, real("rand_like", dtype_like(input, dtype)))
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
    """Standard normal numbers in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randn_like(tg.zeros(3))
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    drawn = (generator or default_generator).normal(input.array_shape, real("randn_like", dtype_like(input, dtype)))
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
    """Integers drawn evenly from [low, high) in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.randint_like(tg.zeros(3), 10)
    tensor([4., 9., 3.])
    """
    first, last, shape = bounds_and_size(bounds, low, high, input.array_shape)
    kind = dtype_like(input, dtype)
    first, last = integer_bounds("randint_like", first, last, kind)
    drawn = (generator or default_generator).integers(first, last, shape, kind)
    return made("randint_like", drawn, requires_grad, device, layout, memory_format=memory_format)


def normal(
    mean: ArrayLike,
    std: ArrayLike = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers of normal distributions, each with its own mean and deviation, or `size` numbers of one.

    >>> normal(0.0, 2.0, (3, 4)).ndim
    2
    """
    draw = generator or default_generator
    check_deviation(std)
    if size is not None:
        drawn = draw.normal(
            size_of("normal", (size,)), real("normal", chosen_dtype(dtype, out)), float(mean), float(std)
        )
    else:
        arrays = [as_array(x, None) if is_tensor(x) or not isinstance(x, (int, float)) else x for x in (mean, std)]
        kind = next((a.dtype for a in arrays if isinstance(a, np.ndarray)), np.dtype(get_default_dtype()))
        kind = out.array_dtype if is_tensor(out) else kind
        drawn = draw.normal(np.broadcast_shapes(*map(np.shape, arrays)), real("normal", kind))
        drawn = (drawn * np.asarray(arrays[1], kind) + np.asarray(arrays[0], kind)).astype(kind)
    result = made("normal", drawn, requires_grad, device, layout, pin_memory, out, exact=size is not None)
    return result if size is not None or out is not None else with_gradient_0(result, mean, std)


def check_deviation(std: ArrayLike) -> None:
    """RuntimeError if a deviation is negative."""
    if np.any(as_array(std, None) < 0):
        raise ArgumentError(f"normal: std is {std}; a standard deviation is at least 0")


def bernoulli(
    input: ArrayLike, p: float | None = None, *, generator: Generator | None = None, out: Any = None
) -> Tensor:
    """1 with the probability that each element says, else 0; with `p`, that one for all.

    Shape and floating dtype stay. ValueError for a probability outside [0, 1].

    >>> bernoulli([0.0, 1.0])
    tensor([0., 1.])
    """
    drawn = chances.bernoulli(as_array(input, None), p, generator or default_generator)
    if out is None:
        return with_gradient_0(Tensor(drawn), input)
    return made("bernoulli", drawn.astype(out.array_dtype) if is_tensor(out) else drawn, out=out, exact=False)


def poisson(input: ArrayLike, generator: Generator | None = None) -> Tensor:
    """Numbers of Poisson's distributions whose rates are the elements.

    Shape and floating dtype stay; integers are refused. ValueError for a rate below 0.

    >>> poisson([0.0, 0.0])
    tensor([0., 0.])
    """
    rates = as_array(input, None)
    real("poisson", rates.dtype)
    if np.any(rates < 0):
        raise ArgumentError("poisson: a rate is below 0; rates must be at least 0")
    return with_gradient_0(Tensor((generator or default_generator).poisson(rates)), input)


def binomial(count: ArrayLike, prob: ArrayLike, generator: Generator | None = None) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`.

    >>> binomial([4.0, 4.0], [0.0, 1.0])
    tensor([0., 4.])
    """
    counts, odds = as_array(count, None), as_array(prob, None)
    real("binomial", counts.dtype)
    if counts.dtype != odds.dtype:
        raise DTypeError(f"binomial: count has dtype {counts.dtype}, prob {odds.dtype}; give both one dtype")
    return Tensor((generator or default_generator).binomial(*np.broadcast_arrays(counts, odds)))


def real(op: str, dtype: DType) -> DType:
    """The dtype, unless it has no real numbers."""
    if dtype.kind != "f":
        raise KernelMissingError(f"{op}: draws real numbers; got dtype {dtype}; expected a floating dtype")
    return dtype


def multinomial(
    input: ArrayLike,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Any = None,
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

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.multinomial(tg.tensor([0.0, 1.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    weights, draw = as_array(input, None), generator or default_generator
    return made("multinomial", chances.multinomial(weights, num_samples, replacement, draw), out=out)
