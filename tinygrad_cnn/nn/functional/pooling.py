"""Pooling with PyTorch's signatures: of lines as of planes of height 1, of volumes in two steps, and undone."""

import math
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import A, Array, ArrayLike, Pair, Shape
from tinygrad_cnn.kernels.pool import divisors
from tinygrad_cnn.ops.checks import check_each, check_integer, check_ndim, check_triple
from tinygrad_cnn.ops.pool import Extreme, check_windows
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "avg_pool1d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool1d_with_indices",
    "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d",
    "max_unpool3d",
]  # fmt: skip

avg_pool2d = ops.avg_pool2d
Triple = tuple[int, int, int]


def single(op: str, name: str, value: Any) -> int:
    """The number that is given as such or as (n,)."""
    n = value[0] if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1 else value
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise DTypeError(f"{op}: {name} must be an integer, not {value!r}")
    return int(n)


def _across(op: str, smallest: int, **sizes: Any) -> list[Pair]:
    """Sizes along a line as those of a plane of height 1."""
    return [(smallest, single(op, name, n)) for name, n in sizes.items()]


def _line(op: str, x: A) -> A:
    check_ndim(op, "input", x, (2, 3), "(N, C, L) or (C, L)")
    return ops.unsqueeze(x, -2)


@overload
def max_pool1d(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> A: ...
@overload
def max_pool1d(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[A, A]: ...
def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of (N, C, L) or (C, L); see `ops.max_pool2d`.

    The dtype stays. ValueError if a window does not fit, or the padding is more than half of it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.max_pool1d(tg.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    tensor([[3., 4.]])
    """
    op = "max_pool1d"
    kernel, step, apart = _across(op, 1, kernel_size=kernel_size, stride=_or(stride, kernel_size), dilation=dilation)
    (pads,) = _across(op, 0, padding=padding)
    line = _line(op, input)
    if not return_indices:
        return ops.squeeze(ops.max_pool2d(line, kernel, step, pads, apart, ceil_mode), -2)
    y, places = ops.max_pool2d(line, kernel, step, pads, apart, ceil_mode, return_indices=True)
    return Extreme(ops.squeeze(y, -2), ops.squeeze(places, -2))


def _or(stride: Any, kernel_size: Any) -> Any:
    """The stride, which by default (None, or an empty list) is the size of the kernel."""
    return kernel_size if stride is None or (isinstance(stride, Sequence) and not stride) else stride


def max_pool1d_with_indices(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[A, A]:
    """`max_pool1d` and where the maxima stood.

    The indices are int64: places in the flattened last dims. The dtype of the values stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.functional.max_pool1d_with_indices(tg.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    >>> places
    tensor([[1, 3]])
    """
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def max_pool2d_with_indices(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[A, A]:
    """`max_pool2d` and where the maxima stood.

    The indices are int64: places in the flattened last dims. The dtype of the values stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.functional.max_pool2d_with_indices(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    >>> places
    tensor([[[3]]])
    """
    return ops.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def avg_pool1d(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> A:
    """The mean of each window of (N, C, L) or (C, L); see `ops.avg_pool2d`.

    The dtype stays. ValueError if a window does not fit, or the padding is more than half of it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.avg_pool1d(tg.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    tensor([[2., 3.]])
    """
    op = "avg_pool1d"
    kernel, step = _across(op, 1, kernel_size=kernel_size, stride=_or(stride, kernel_size))
    (pads,) = _across(op, 0, padding=padding)
    return ops.squeeze(avg_pool2d(_line(op, input), kernel, step, pads, ceil_mode, count_include_pad), -2)


def avg_pool3d(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> A:
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W): the sums of windows of planes, summed over depths.

    The dtype stays. ValueError if a window does not fit, or the padding is more than half of it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.avg_pool3d(tg.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    op = "avg_pool3d"
    shape, kernel, step, pads, _ = _volume(op, input, kernel_size, stride, padding, 1)
    if divisor_override == 0:
        raise ArgumentError(f"{op}: divisor_override is 0; it must not be, or None to divide by the window's size")
    out = check_windows(op, shape, kernel, step, pads, (1, 1, 1), ceil_mode)
    n, c, d, h, w = shape
    planes = ops.reshape(input, (n, c * d, h, w))
    planes = avg_pool2d(planes, kernel[1:], step[1:], pads[1:], ceil_mode, divisor_override=1)
    sums = ops.reshape(planes, (n, c, d, math.prod(out[1:])))
    sums = avg_pool2d(sums, (kernel[0], 1), (step[0], 1), (pads[0], 0), ceil_mode, divisor_override=1)
    over = divisors(shape[2:], out, kernel, step, pads, count_include_pad, divisor_override).astype(dtype_of(input))
    whole = dtype_of(input).kind != "f"
    lead = shape_of(input)[:-3]
    return ops.div(ops.reshape(sums, (*lead, *out)), over, rounding_mode="trunc" if whole else None)


@overload
def max_pool3d(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> A: ...
@overload
def max_pool3d(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[A, A]: ...
def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of (N, C, D, H, W) or (C, D, H, W): of planes first, then of the depths.

    With `return_indices`, `(values, indices)`: the places in the flattened D·H·W volume. Of equal maxima the first in
    the window gets the gradient.

    The dtype stays. ValueError if a window does not fit, or the padding is more than half of it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.max_pool3d(tg.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    op = "max_pool3d"
    shape, kernel, step, pads, apart = _volume(op, input, kernel_size, stride, padding, dilation)
    out = check_windows(op, shape, kernel, step, pads, apart, ceil_mode)
    n, c, d, h, w = shape
    flat, lead = math.prod(out[1:]), shape_of(input)[:-3]
    planes = ops.reshape(input, (n, c * d, h, w))
    planes, inner = ops.max_pool2d(planes, kernel[1:], step[1:], pads[1:], apart[1:], ceil_mode, return_indices=True)
    columns = ops.reshape(planes, (n, c, d, flat))
    down = (kernel[0], 1), (step[0], 1), (pads[0], 0), (apart[0], 1)
    y, outer = ops.max_pool2d(columns, *down, ceil_mode, return_indices=True)
    y = ops.reshape(y, (*lead, *out))
    if not return_indices:
        return y
    deep = np.asarray(outer).reshape(n, c, -1)
    within = np.take_along_axis(np.asarray(inner).reshape(n, c, d * flat), deep, -1)
    places = (deep // flat * (h * w) + within).reshape(*lead, *out)
    return Extreme(y, input.wrap(places) if isinstance(input, Tensor) else places)


def _volume(
    op: str, x: ArrayLike, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[tuple[int, int, int, int, int], Triple, Triple, Triple, Triple]:
    """The shape of a batch of volumes, of which a single one is one; and the sizes along the three dims."""
    check_ndim(op, "input", x, (4, 5), "(N, C, D, H, W) or (C, D, H, W)")
    n, c, d, h, w = (1, *shape_of(x))[-5:]
    kernel, apart = check_triple(op, "kernel_size", kernel_size, 1), check_triple(op, "dilation", dilation, 1)
    step, pads = check_triple(op, "stride", _or(stride, kernel), 1), check_triple(op, "padding", padding, 0)
    return (n, c, d, h, w), kernel, step, pads, apart


def max_pool3d_with_indices(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[A, A]:
    """`max_pool3d` and where the maxima stood.

    The indices are int64: places in the flattened last dims. The dtype of the values stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.functional.max_pool3d_with_indices(tg.arange(8.0).reshape(1, 2, 2, 2), 2)
    >>> places
    tensor([[[[7]]]])
    """
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def lp_pool1d(input: A, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> A:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, L) or (C, L).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.lp_pool1d(tg.tensor([[3.0, 4.0, 6.0, 8.0]]), 2, 2)
    tensor([[ 5., 10.]])
    """
    width = single("lp_pool1d", "kernel_size", kernel_size)
    return _powers(avg_pool1d(ops.pow(input, norm_type), width, stride, 0, ceil_mode), norm_type, width)


def lp_pool2d(input: A, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> A:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, H, W) or (C, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.lp_pool2d(tg.tensor([[[3.0, 4.0]]]), 2, (1, 2))
    tensor([[[5.]]])
    """
    size = math.prod(check_each("lp_pool2d", "kernel_size", kernel_size, 2, 1))
    return _powers(avg_pool2d(ops.pow(input, norm_type), kernel_size, stride, 0, ceil_mode), norm_type, size)


def lp_pool3d(input: A, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> A:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, D, H, W) or (C, D, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.lp_pool3d(tg.tensor([[[[3.0, 4.0]]]]), 2, (1, 1, 2))
    tensor([[[[5.]]]])
    """
    size = math.prod(check_each("lp_pool3d", "kernel_size", kernel_size, 3, 1))
    return _powers(avg_pool3d(ops.pow(input, norm_type), kernel_size, stride, 0, ceil_mode), norm_type, size)


def _powers(means: A, p: float, count: int) -> A:
    return ops.pow(ops.sign(means) * ops.relu(ops.abs(means)) * count, 1.0 / p)


def max_unpool1d(
    input: A, indices: ArrayLike, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> A:
    """Zeros with the maxima of `max_pool1d` put back where they stood; (N, C, L) or (C, L).

    The dtype stays; the indices are those that the pooling returned. ValueError if one lies outside of the result.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.max_unpool1d(tg.tensor([[3.0, 4.0]]), tg.tensor([[1, 3]]), 2)
    tensor([[0., 3., 0., 4.]])
    """
    check_ndim("max_unpool1d", "input", input, (2, 3), "(N, C, L) or (C, L)")
    return _put_back("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: A, indices: ArrayLike, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> A:
    """Zeros with the maxima of `max_pool2d` put back where they stood; (N, C, H, W) or (C, H, W).

    `output_size` says which of the sizes that pool to the same one is meant.

    The dtype stays; the indices are those that the pooling returned. ValueError if one lies outside of the result.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.max_unpool2d(tg.tensor([[[4.0]]]), tg.tensor([[[3]]]), 2)
    tensor([[[0., 0.],
             [0., 4.]]])
    """
    check_ndim("max_unpool2d", "input", input, (3, 4), "(N, C, H, W) or (C, H, W)")
    return _put_back("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: A, indices: ArrayLike, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> A:
    """Zeros with the maxima of `max_pool3d` put back where they stood; (N, C, D, H, W) or (C, D, H, W).

    The dtype stays; the indices are those that the pooling returned. ValueError if one lies outside of the result.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.max_unpool3d(tg.tensor([[[[7.0]]]]), tg.tensor([[[[7]]]]), 2)
    tensor([[[[0., 0.],
              [0., 0.]],
    <BLANKLINE>
             [[0., 0.],
              [0., 7.]]]])
    """
    check_ndim("max_unpool3d", "input", input, (4, 5), "(N, C, D, H, W) or (C, D, H, W)")
    return _put_back("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _put_back(
    op: str, dims: int, x: A, indices: ArrayLike, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> A:
    kernel = check_each(op, "kernel_size", kernel_size, dims, 1)
    step = check_each(op, "stride", _or(stride, kernel), dims, 1)
    pads = check_each(op, "padding", padding, dims, 0)
    check_integer(op, "indices", indices)
    shape, at = shape_of(x), np.asarray(indices)
    lead = shape[:-dims]
    if at.shape != shape:
        raise ArgumentError(f"{op}: indices have shape {at.shape}, input {shape}; they must be equal")
    if 0 in shape[-1 - dims :]:
        raise ArgumentError(f"{op}: input has shape {shape}; only the batch may be empty")
    size = _unpooled(op, lead, shape[-dims:], kernel, step, pads, output_size)
    places = math.prod(size)
    if at.size and not (at.min() >= 0 and at.max() < places):
        raise ArgumentError(
            f"{op}: indices range from {at.min()} to {at.max()}; a plane of {size} has places 0 to {places - 1}"
        )
    planes = math.prod(lead)
    y: Array = np.zeros((planes, places), dtype_of(x))
    each = math.prod(shape[-dims:])
    index = (np.arange(planes)[:, None], at.reshape(planes, each))
    return ops.reshape(ops.setitem(y, index, ops.reshape(x, (planes, each))), (*lead, *size))


def _unpooled(op: str, lead: Shape, size: Shape, kernel: Shape, step: Shape, pads: Shape, output_size: Any) -> Shape:
    """The size of what was pooled: the one that its windows just cover, or the one asked for."""
    covered = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(size, step, pads, kernel, strict=True))
    if output_size is None:
        return covered
    dims, wanted = len(size), tuple(output_size)
    if len(wanted) == dims + len(lead):
        wanted = wanted[len(lead) :]
    if len(wanted) != dims:
        raise ArgumentError(f"{op}: output_size {tuple(output_size)} must have {dims} or {dims + len(lead)} elements")
    for n, c, s in zip(wanted, covered, step, strict=True):
        if not c - s < n < c + s:
            raise ArgumentError(f"{op}: output_size {tuple(output_size)}: {n} must be between {c - s} and {c + s}")
    return wanted
