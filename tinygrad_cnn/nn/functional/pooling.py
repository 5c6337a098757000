"""Pooling with PyTorch's signatures: of lines as of planes of height 1, of adaptive windows, and undone."""

import math
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Pair, Shape
from tinygrad_cnn.nn.functional.distance import detached
from tinygrad_cnn.ops.checks import check_integer, check_ndim, check_pair
from tinygrad_cnn.ops.pool import Extreme, adaptive_size
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices", "avg_pool1d", "lp_pool1d", "lp_pool2d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d_with_indices", "max_unpool1d", "max_unpool2d",
]  # fmt: skip

avg_pool2d, adaptive_avg_pool2d = ops.avg_pool2d, ops.adaptive_avg_pool2d


def single(op: str, name: str, value: Any) -> int:
    """The number that is given as such or as (n,)."""
    n = value[0] if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1 else value
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"{op}: {name} must be an integer, not {value!r}")
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
    """The maximum of each window of (N, C, L) or (C, L); see `ops.max_pool2d`."""
    op = "max_pool1d"
    kernel, step, apart = _across(op, 1, kernel_size=kernel_size, stride=_or(stride, kernel_size), dilation=dilation)
    (pads,) = _across(op, 0, padding=padding)
    y, places = ops.max_pool2d(_line(op, input), kernel, step, pads, apart, ceil_mode, return_indices=True)
    y = ops.squeeze(y, -2)
    return Extreme(y, ops.squeeze(places, -2)) if return_indices else y


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
    """`max_pool1d` and where the maxima stood."""
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
    """`max_pool2d` and where the maxima stood."""
    return ops.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def avg_pool1d(
    input: A,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> A:
    """The mean of each window of (N, C, L) or (C, L); see `ops.avg_pool2d`."""
    op = "avg_pool1d"
    kernel, step = _across(op, 1, kernel_size=kernel_size, stride=_or(stride, kernel_size))
    (pads,) = _across(op, 0, padding=padding)
    return ops.squeeze(avg_pool2d(_line(op, input), kernel, step, pads, ceil_mode, count_include_pad), -2)


def lp_pool1d(input: A, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> A:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, L) or (C, L)."""
    width = single("lp_pool1d", "kernel_size", kernel_size)
    return _powers(avg_pool1d(ops.pow(input, norm_type), width, stride, 0, ceil_mode), norm_type, width)


def lp_pool2d(input: A, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> A:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, H, W) or (C, H, W)."""
    size = math.prod(check_pair("lp_pool2d", "kernel_size", kernel_size, 1))
    return _powers(avg_pool2d(ops.pow(input, norm_type), kernel_size, stride, 0, ceil_mode), norm_type, size)


def _powers(means: A, p: float, count: int) -> A:
    return ops.pow(ops.sign(means) * ops.relu(ops.abs(means)) * count, 1.0 / p)


def adaptive_avg_pool1d(input: A, output_size: Any) -> A:
    """Means over windows that divide the line of (N, C, L) or (C, L) into `output_size` parts."""
    op = "adaptive_avg_pool1d"
    return ops.squeeze(adaptive_avg_pool2d(_line(op, input), (1, single(op, "output_size", output_size))), -2)


@overload
def adaptive_max_pool1d(input: A, output_size: Any, return_indices: Literal[False] = False) -> A: ...
@overload
def adaptive_max_pool1d(input: A, output_size: Any, return_indices: Literal[True]) -> tuple[A, A]: ...
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over windows that divide the line of (N, C, L) or (C, L) into `output_size` parts."""
    op = "adaptive_max_pool1d"
    y, places = adaptive_max_pool2d_with_indices(_line(op, input), (1, single(op, "output_size", output_size)))
    y = ops.squeeze(y, -2)
    return Extreme(y, ops.squeeze(places, -2)) if return_indices else y


@overload
def adaptive_max_pool2d(input: A, output_size: Any, return_indices: Literal[False] = False) -> A: ...
@overload
def adaptive_max_pool2d(input: A, output_size: Any, return_indices: Literal[True]) -> tuple[A, A]: ...
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over windows that divide the plane into `output_size` parts; None keeps a size.

    Window i of n covers elements ``floor(i H / n)`` to ``ceil((i + 1) H / n)``, as in PyTorch.
    """
    check_ndim("adaptive_max_pool2d", "input", input, (3, 4), "(N, C, H, W) or (C, H, W)")
    shape = shape_of(input)
    wanted = adaptive_size("adaptive_max_pool2d", shape[-2:], output_size)
    if all(n % parts == 0 for n, parts in zip(shape[-2:], wanted, strict=True)):
        kernel = shape[-2] // wanted[0], shape[-1] // wanted[1]
        return ops.max_pool2d(input, kernel, return_indices=True) if return_indices else ops.max_pool2d(input, kernel)
    places = _adaptive_places(np.asarray(detached(input)), wanted)
    flat = ops.reshape(input, (*shape[:-2], shape[-2] * shape[-1]))
    y = ops.reshape(ops.gather(flat, -1, places.reshape(*shape[:-2], -1)), places.shape)
    return Extreme(y, input.wrap(places) if isinstance(input, Tensor) else places) if return_indices else y


def adaptive_max_pool1d_with_indices(input: A, output_size: Any, return_indices: bool = False) -> tuple[A, A]:
    """`adaptive_max_pool1d` and where the maxima stood."""
    return adaptive_max_pool1d(input, output_size, return_indices=True)


def adaptive_max_pool2d_with_indices(input: A, output_size: Any, return_indices: bool = False) -> tuple[A, A]:
    """`adaptive_max_pool2d` and where the maxima stood."""
    return adaptive_max_pool2d(input, output_size, return_indices=True)


def _adaptive_places(x: NDArray, wanted: Pair) -> NDArray:
    """Where in the flattened plane the first maximum of each window stands, int64."""
    h, w = x.shape[-2:]
    out = np.empty((*x.shape[:-2], *wanted), np.int64)
    for i in range(wanted[0]):
        top, bottom = i * h // wanted[0], -(-(i + 1) * h // wanted[0])
        for j in range(wanted[1]):
            left, right = j * w // wanted[1], -(-(j + 1) * w // wanted[1])
            window = x[..., top:bottom, left:right].reshape(*x.shape[:-2], -1)
            down, across = np.divmod(window.argmax(axis=-1), right - left)
            out[..., i, j] = (top + down) * w + left + across
    return out


def max_unpool1d(
    input: A, indices: ArrayLike, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> A:
    """Zeros with the maxima of `max_pool1d` put back where they stood; (N, C, L) or (C, L)."""
    op = "max_unpool1d"
    kernel, step = _across(op, 1, kernel_size=kernel_size, stride=_or(stride, kernel_size))
    (pads,) = _across(op, 0, padding=padding)
    check_ndim(op, "input", input, (2, 3), "(N, C, L) or (C, L)")
    size = _unpooled(op, shape_of(input)[:-1], (1, shape_of(input)[-1]), kernel, step, pads, output_size, 1)
    return ops.squeeze(_put_back(op, ops.unsqueeze(input, -2), np.expand_dims(np.asarray(indices), -2), size), -2)


def max_unpool2d(
    input: A, indices: ArrayLike, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> A:
    """Zeros with the maxima of `max_pool2d` put back where they stood; (N, C, H, W) or (C, H, W).

    `output_size` says which of the sizes that pool to the same one is meant.
    """
    op = "max_unpool2d"
    kernel = check_pair(op, "kernel_size", kernel_size, 1)
    step, pads = check_pair(op, "stride", _or(stride, kernel), 1), check_pair(op, "padding", padding, 0)
    check_ndim(op, "input", input, (3, 4), "(N, C, H, W) or (C, H, W)")
    shape = shape_of(input)
    size = _unpooled(op, shape[:-2], (shape[-2], shape[-1]), kernel, step, pads, output_size, 2)
    return _put_back(op, input, np.asarray(indices), size)


def _unpooled(
    op: str, lead: Shape, size: Pair, kernel: Pair, step: Pair, pads: Pair, output_size: Any, dims: int
) -> Pair:
    """The size of the plane that was pooled: the one that its windows just cover, or the one asked for."""
    covered = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(size, step, pads, kernel, strict=True)]
    if output_size is None:
        return covered[0], covered[1]
    wanted = list(output_size)
    if len(wanted) == dims + len(lead):
        wanted = wanted[len(lead) :]
    if len(wanted) != dims:
        raise ArgumentError(f"{op}: output_size {tuple(output_size)} must have {dims} or {dims + len(lead)} elements")
    for n, c, s in zip(wanted, covered[-dims:], step[-dims:], strict=True):
        if not c - s < n < c + s:
            raise ArgumentError(f"{op}: output_size {tuple(output_size)}: {n} must be between {c - s} and {c + s}")
    return (1, wanted[0]) if dims == 1 else (wanted[0], wanted[1])


def _put_back(op: str, x: A, indices: ArrayLike, size: Pair) -> A:
    check_integer(op, "indices", indices)
    shape, places = shape_of(x), math.prod(size)
    if indices.shape != shape:
        raise ArgumentError(f"{op}: indices have shape {indices.shape}, input {shape}; they must be equal")
    if indices.size and not (indices.min() >= 0 and indices.max() < places):
        raise ArgumentError(
            f"{op}: indices range from {indices.min()} to {indices.max()}; a plane of {size} has places 0 to "
            f"{places - 1}"
        )
    planes = math.prod(shape[:-2])
    y: Array = np.zeros((planes, places), dtype_of(x))
    index = (np.arange(planes)[:, None], indices.reshape(planes, -1))
    return ops.reshape(ops.setitem(y, index, ops.reshape(x, (planes, -1))), (*shape[:-2], *size))
