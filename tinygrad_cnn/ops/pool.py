"""Pooling. The maximum is read under the taps of the maxima, so its VJP puts, and the VJP of that takes."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.pool import MaxPool2D, Windows, sample_windows
from tinygrad_cnn.core.types import A, Array, NDArray, Pair, Shape, Size2
from tinygrad_cnn.kernels import pool as kernels
from tinygrad_cnn.ops.checks import check_dims, check_each, check_ndim, check_pair
from tinygrad_cnn.ops.reduce import mean
from tinygrad_cnn.ops.resample import AddedNeighbours, Resample, Taps
from tinygrad_cnn.ops.shape import reshape, squeeze, unsqueeze

__all__ = [
    "adaptive_avg_pool2d", "avg_pool2d", "max_pool2d",
]  # fmt: skip


class Extreme(NamedTuple):
    """What a pooling of maxima returns: the values, and where they stood."""

    values: Any
    indices: Any


class Averages(NamedTuple):
    """How the windows of a mean lie, and what it is divided by."""

    kernel_size: Pair
    stride: Pair
    padding: Pair
    ceil_mode: bool
    count_include_pad: bool
    divisor_override: int | None


class AvgPool2D(Op):
    """y = the mean of each window        dx = g, a part of it to each element of its window"""

    def forward(x: Array, *, averages: Averages) -> Array:
        return kernels.avg_pool2d(x, **averages._asdict())

    def d_x(g: Array, x_shape: Shape, *, averages: Averages) -> Array:
        return AvgPool2DInput.apply(g, size=x_shape[2:], averages=averages)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (n, c, h, w), (kernel_size, stride, padding, _) = sample_windows(draw)
        averages = Averages(kernel_size, stride, padding, draw.boolean(), draw.boolean(), draw.choice([None, 3]))
        return Sample((draw.array((n, c, h + 1, w + 1), Real()),), {"averages": averages})


class AvgPool2DInput(Op):
    """x = v, a part of it to each element of its window        dv = the mean of each window of g"""

    def forward(v: Array, *, size: Pair, averages: Averages) -> Array:
        where = averages._asdict()
        del where["ceil_mode"]  # the shape of v says it
        return kernels.avg_pool2d_input(v, input_size=size, **where)

    def d_v(g: Array, *, averages: Averages) -> Array:
        return AvgPool2D.apply(g, averages=averages)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = AvgPool2D.sample(draw)
        v = draw.array(AvgPool2D.forward(x, **options).shape, Real())
        return Sample((v,), {"size": x.shape[2:], **options})


@overload
def max_pool2d(
    input: A,
    kernel_size: Size2,
    stride: Size2 | None = None,
    padding: Size2 = 0,
    dilation: Size2 = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> A: ...
@overload
def max_pool2d(
    input: A,
    kernel_size: Size2,
    stride: Size2 | None = None,
    padding: Size2 = 0,
    dilation: Size2 = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[A, A]: ...
def max_pool2d(
    input: Any,
    kernel_size: Size2,
    stride: Size2 | None = None,
    padding: Size2 = 0,
    dilation: Size2 = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window, as ``torch.nn.functional.max_pool2d``.

    Shapes: input (N, C, H, W) or (C, H, W). With `return_indices`, `(values, indices)`: the places of the
    maxima in the flattened H·W plane, int64. Of equal maxima the first in the window gets the gradient.

    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    op = "max_pool2d"
    shape = shape_of(input)
    if len(shape) == 3:
        y = max_pool2d(unsqueeze(input, 0), kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)
        return Extreme(squeeze(y[0], 0), squeeze(y[1], 0)) if return_indices else squeeze(y[0], 0)
    windows = Windows(*_check_window(op, shape, kernel_size, stride, padding, dilation, ceil_mode))
    y, taps = MaxPool2D.apply(input, windows=windows, ceil_mode=ceil_mode)
    if not return_indices:
        return y
    places = kernels.places(np.asarray(taps), (shape[2], shape[3]), **windows._asdict())
    return Extreme(y, places if isinstance(taps, np.ndarray) else taps.wrap(places))


def avg_pool2d(
    input: A,
    kernel_size: Size2,
    stride: Size2 | None = None,
    padding: Size2 = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> A:
    """The mean of each window, as ``torch.nn.functional.avg_pool2d``; input (N, C, H, W) or (C, H, W).

    The dtype stays. ValueError if a window does not fit, or the padding is more than half of it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.avg_pool2d(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    tensor([[[2.5000]]])
    """
    op = "avg_pool2d"
    shape = shape_of(input)
    if len(shape) == 3:
        whole = unsqueeze(input, 0)
        return squeeze(
            avg_pool2d(whole, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override), 0
        )
    kernel, steps, pads, _ = _check_window(op, shape, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise ArgumentError(f"{op}: divisor_override is 0; it must not be, or None to divide by the window's size")
    averages = Averages(kernel, steps, pads, ceil_mode, count_include_pad, divisor_override)
    return AvgPool2D.apply(input, averages=averages)


def _check_window(
    op: str,
    shape: Shape,
    kernel_size: Size2,
    stride: Size2 | None,
    padding: Size2,
    dilation: Size2,
    ceil_mode: bool,
) -> tuple[Pair, Pair, Pair, Pair]:
    check_dims(op, "input", shape, (4,), "(N, C, H, W)")
    kernel, dilations = check_pair(op, "kernel_size", kernel_size, 1), check_pair(op, "dilation", dilation, 1)
    by_kernel = stride is None or (isinstance(stride, Sequence) and not stride)  # an empty list, too
    steps = kernel if by_kernel else check_pair(op, "stride", stride, 1)
    pads = check_pair(op, "padding", padding, 0)
    check_windows(op, shape, kernel, steps, pads, dilations, ceil_mode)
    return kernel, steps, pads, dilations


@lru_cache(1024)
def check_windows(
    op: str, shape: Shape, kernel: Shape, steps: Shape, pads: Shape, dilations: Shape, ceil_mode: bool
) -> Shape:
    """How many windows there are along each dim of places, if they fit and none is all padding.

    It is asked once for the same shapes.
    """
    if 0 in shape[1:]:
        raise ArgumentError(f"{op}: input has shape {shape}; only the batch may be empty")
    if any(2 * p > d * (k - 1) + 1 for p, k, d in zip(pads, kernel, dilations, strict=True)):
        raise ArgumentError(
            f"{op}: padding {pads} is over half of kernel_size {kernel} (dilation {dilations}); a window would be empty"
        )
    out = kernels.windows_along(shape[2:], kernel, steps, pads, dilations, ceil_mode)
    if min(out) < 1:
        raise ArgumentError(
            f"{op}: a window of {kernel} (dilation {dilations}) does not fit into input {shape} padded by {pads}"
        )
    return out


def adaptive_avg_pool2d(input: A, output_size: Any) -> A:
    """Means over windows that divide the plane into `output_size` parts; None keeps a size.

    Window i of n covers elements ``floor(i H / n)`` to ``ceil((i + 1) H / n)``, as in PyTorch.

    Input (N, C, H, W) or (C, H, W); the result has its dims, in a floating dtype. ValueError for other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.adaptive_avg_pool2d(tg.ones(1, 2, 5, 7), (2, 3)).shape
    torch.Size([1, 2, 2, 3])
    """
    check_ndim("adaptive_avg_pool2d", "input", input, (3, 4), "(N, C, H, W) or (C, H, W)")
    return means_of_parts(input, adaptive_size("adaptive_avg_pool2d", shape_of(input)[-2:], output_size))


NEIGHBOURS = 16
"""Up to so many elements along a dim are added one after the other: sums of short runs take NumPy ten times as long."""


def means_of_parts(x: A, sizes: Shape) -> A:
    """Of each of the last dims the means of this many windows, which divide it."""
    shape = shape_of(x)
    first = len(shape) - len(sizes)
    if all(m and n % m == 0 for n, m in zip(shape[first:], sizes, strict=True)):
        times = [n // m for n, m in zip(shape[first:], sizes, strict=True)]
        if dtype_of(x) in (np.float32, np.float64) and 1 not in sizes and max(times) <= NEIGHBOURS:
            for axis, count in enumerate(times, start=first):
                x = AddedNeighbours.apply(x, axis=axis, times=count)
            return x / math.prod(times)
        cut = [part for n, m in zip(shape[first:], sizes, strict=True) for part in (m, n // m)]
        blocks = reshape(x, (*shape[:first], *cut))
        return mean(blocks, tuple(range(first + 1, first + 2 * len(sizes), 2)))
    for axis, m in enumerate(sizes, start=first):
        places = parts_of(shape[axis], m)
        lengths = places[:, -1:] - places[:, :1] + 1
        repeated = np.where(places == places[:, -1:], places.shape[1] - lengths + 1, 1)
        x = Resample.apply(x, axis=axis, taps=Taps(places, 1 / (lengths * repeated)))
    return x


def parts_of(n: int, parts: int) -> NDArray:
    """The places (parts, longest) of the windows that divide n elements; of a shorter one the last is repeated."""
    k = np.arange(parts)
    start, end = k * n // parts, -(-(k + 1) * n // parts)
    longest = int((end - start).max(initial=1))
    return np.minimum(start[:, None] + np.arange(longest), end[:, None] - 1)


def adaptive_size(op: str, size: Shape, wanted: Any) -> tuple[int, ...]:
    """The size of the result: what is wanted, a number for all dims or one for each; None keeps a size."""
    parts = tuple(wanted) if isinstance(wanted, Sequence) else (wanted,) * len(size)
    if len(parts) != len(size):
        expected = "a number or a pair" if len(size) == 2 else f"a number or {len(size)} of them"
        raise ArgumentError(f"{op}: output_size is {wanted!r}; it must be {expected}")
    if 0 in size:
        raise ArgumentError(f"{op}: input has {size} places; every dim of places must have at least one")
    kept = tuple(n if n is not None else m for n, m in zip(parts, size, strict=True))
    return check_each(op, "output_size", kept, len(size), 0)
