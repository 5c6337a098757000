"""Pooling to a size that is asked for: windows that divide the places, and windows that lie at random (fractional)."""

import math
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike, NDArray, Shape
from tinygrad_cnn.nn.functional.distance import detached
from tinygrad_cnn.nn.functional.pooling import single
from tinygrad_cnn.ops.checks import check_each, check_ndim
from tinygrad_cnn.ops.pool import Extreme, adaptive_size, means_of_parts, parts_of
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import rand

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices", "fractional_max_pool2d", "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d", "fractional_max_pool3d_with_indices",
]  # fmt: skip

LINES, PLANES = "(N, C, L) or (C, L)", "(N, C, H, W) or (C, H, W)"
VOLUMES = "(N, C, D, H, W) or (C, D, H, W)"


def adaptive_avg_pool1d(input: A, output_size: Any) -> A:
    """Means over windows that divide the line of (N, C, L) or (C, L) into `output_size` parts.

    The dtype stays. ValueError if the input has other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.adaptive_avg_pool1d(tg.tensor([[1.0, 2.0, 3.0, 4.0]]), 2)
    tensor([[1.5000, 3.5000]])
    """
    op = "adaptive_avg_pool1d"
    check_ndim(op, "input", input, (2, 3), LINES)
    wanted = single(op, "output_size", output_size)
    return means_of_parts(input, adaptive_size(op, shape_of(input)[-1:], (wanted,)))


def adaptive_avg_pool3d(input: A, output_size: Any) -> A:
    """Means over windows that divide (N, C, D, H, W) or (C, D, H, W) into `output_size` parts; None keeps a size.

    The dtype stays. ValueError if the input has other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.adaptive_avg_pool3d(tg.ones(1, 2, 4, 5, 6), (2, None, 3)).shape
    torch.Size([1, 2, 2, 5, 3])
    """
    op = "adaptive_avg_pool3d"
    check_ndim(op, "input", input, (4, 5), VOLUMES)
    return means_of_parts(input, adaptive_size(op, shape_of(input)[-3:], output_size))


@overload
def adaptive_max_pool1d(input: A, output_size: Any, return_indices: Literal[False] = False) -> A: ...
@overload
def adaptive_max_pool1d(input: A, output_size: Any, return_indices: Literal[True]) -> tuple[A, A]: ...
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over windows that divide the line of (N, C, L) or (C, L) into `output_size` parts.

    The dtype stays. ValueError if the input has other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.adaptive_max_pool1d(tg.tensor([[1.0, 2.0, 3.0, 4.0]]), 2)
    tensor([[2., 4.]])
    """
    op = "adaptive_max_pool1d"
    check_ndim(op, "input", input, (2, 3), LINES)
    return _maxima_of_parts(op, input, 1, (single(op, "output_size", output_size),), return_indices)


@overload
def adaptive_max_pool2d(input: A, output_size: Any, return_indices: Literal[False] = False) -> A: ...
@overload
def adaptive_max_pool2d(input: A, output_size: Any, return_indices: Literal[True]) -> tuple[A, A]: ...
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over windows that divide the plane into `output_size` parts; None keeps a size.

    Window i of n covers elements ``floor(i H / n)`` to ``ceil((i + 1) H / n)``, as in PyTorch.

    The dtype stays. ValueError if the input has other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.adaptive_max_pool2d(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]), (1, 2))
    tensor([[[3., 4.]]])
    """
    check_ndim("adaptive_max_pool2d", "input", input, (3, 4), PLANES)
    return _maxima_of_parts("adaptive_max_pool2d", input, 2, output_size, return_indices)


@overload
def adaptive_max_pool3d(input: A, output_size: Any, return_indices: Literal[False] = False) -> A: ...
@overload
def adaptive_max_pool3d(input: A, output_size: Any, return_indices: Literal[True]) -> tuple[A, A]: ...
def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over windows that divide (N, C, D, H, W) or (C, D, H, W) into `output_size` parts; None keeps a size.

    The dtype stays. ValueError if the input has other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.adaptive_max_pool3d(tg.ones(1, 2, 4, 5, 6), (2, None, 3)).shape
    torch.Size([1, 2, 2, 5, 3])
    """
    check_ndim("adaptive_max_pool3d", "input", input, (4, 5), VOLUMES)
    return _maxima_of_parts("adaptive_max_pool3d", input, 3, output_size, return_indices)


def adaptive_max_pool1d_with_indices(input: A, output_size: Any, return_indices: bool = False) -> tuple[A, A]:
    """`adaptive_max_pool1d` and where the maxima stood.

    The indices are int64: places in the flattened last dims. The dtype of the values stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.functional.adaptive_max_pool1d_with_indices(tg.tensor([[1.0, 2.0, 4.0, 3.0]]), 2)
    >>> places
    tensor([[1, 2]])
    """
    return adaptive_max_pool1d(input, output_size, return_indices=True)


def adaptive_max_pool2d_with_indices(input: A, output_size: Any, return_indices: bool = False) -> tuple[A, A]:
    """`adaptive_max_pool2d` and where the maxima stood.

    The indices are int64: places in the flattened last dims. The dtype of the values stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.functional.adaptive_max_pool2d_with_indices(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]), (1, 2))
    >>> places
    tensor([[[2, 3]]])
    """
    return adaptive_max_pool2d(input, output_size, return_indices=True)


def adaptive_max_pool3d_with_indices(input: A, output_size: Any, return_indices: bool = False) -> tuple[A, A]:
    """`adaptive_max_pool3d` and where the maxima stood.

    The indices are int64: places in the flattened last dims. The dtype of the values stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.functional.adaptive_max_pool3d_with_indices(tg.arange(8.0).reshape(1, 2, 2, 2), 1)
    >>> places
    tensor([[[[7]]]])
    """
    return adaptive_max_pool3d(input, output_size, return_indices=True)


def _maxima_of_parts(op: str, x: Any, dims: int, output_size: Any, return_indices: bool) -> Any:
    shape = shape_of(x)
    if 0 in shape[-1 - dims :]:
        raise ArgumentError(f"{op}: input has shape {shape}; only the batch may be empty")
    wanted = adaptive_size(op, shape[-dims:], output_size)
    if dims == 2 and all(parts and n % parts == 0 for n, parts in zip(shape[-2:], wanted, strict=True)):
        kernel = shape[-2] // wanted[0], shape[-1] // wanted[1]
        return ops.max_pool2d(x, kernel, return_indices=True) if return_indices else ops.max_pool2d(x, kernel)
    windows = [parts_of(n, parts) for n, parts in zip(shape[-dims:], wanted, strict=True)]
    return _maxima(x, windows, return_indices)


def _maxima(x: Any, windows: Sequence[NDArray], return_indices: bool) -> Any:
    """The maxima over the windows of the last dims, whose places along each dim are (…, windows, places)."""
    dims = len(windows)
    lead, size = shape_of(x)[:-dims], shape_of(x)[-dims:]
    places = places_of_maxima(np.asarray(detached(x)), windows)
    flat = ops.reshape(x, (*lead, math.prod(size)))
    read = ops.gather(flat, -1, places.reshape(*lead, math.prod(places.shape[len(lead) :])))
    y = ops.reshape(read, places.shape)
    return Extreme(y, x.wrap(places) if isinstance(x, Tensor) else places) if return_indices else y


def places_of_maxima(x: NDArray, windows: Sequence[NDArray]) -> NDArray:
    """Where in the flattened last dims the first maximum of each window stands, int64; the last NaN wins over all.

    One dim after the other, from the last: of what is equal the first in row-major order is left.
    """
    dims = len(windows)
    first = x.ndim - dims
    at = np.broadcast_to(np.arange(math.prod(x.shape[first:])).reshape(x.shape[first:]), x.shape)
    for axis, index in reversed(list(enumerate(windows, start=first))):
        x, at = np.moveaxis(x, axis, -1), np.moveaxis(at, axis, -1)
        lead, (count, length) = x.shape[:-1], index.shape[-2:]
        every = np.broadcast_to(
            index.reshape(*index.shape[:-2], *(1,) * (dims - 1), count * length), (*lead, count * length)
        )
        seen = np.take_along_axis(x, every, -1).reshape(*lead, count, length)
        best = seen.argmax(-1)
        missing = np.isnan(seen)
        if missing.any():
            best = np.where(missing.any(-1), length - 1 - missing[..., ::-1].argmax(-1), best)
        chosen = np.take_along_axis(every.reshape(seen.shape), best[..., None], -1)[..., 0]
        x, at = (np.moveaxis(np.take_along_axis(v, chosen, -1), -1, axis) for v in (x, at))
    return at


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: ArrayLike = None,
) -> Any:
    """Maxima of windows that lie at random steps over (N, C, H, W) or (C, H, W) (Graham 2014).

    The size of the result is `output_size`, or `output_ratio` times that of the input.

    The floating dtype stays; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.fractional_max_pool2d(tg.ones(1, 1, 5, 5), 2, output_size=3).shape
    torch.Size([1, 1, 3, 3])
    """
    check_ndim("fractional_max_pool2d", "input", input, (3, 4), PLANES)
    options = kernel_size, output_size, output_ratio, return_indices, _random_samples
    return _fractional("fractional_max_pool2d", 2, input, *options)


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: ArrayLike = None,
) -> Any:
    """Maxima of windows that lie at random steps over (N, C, D, H, W) or (C, D, H, W); see `fractional_max_pool2d`.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.fractional_max_pool3d(tg.ones(1, 1, 5, 5, 5), 2, output_size=3).shape
    torch.Size([1, 1, 3, 3, 3])
    """
    check_ndim("fractional_max_pool3d", "input", input, (4, 5), VOLUMES)
    options = kernel_size, output_size, output_ratio, return_indices, _random_samples
    return _fractional("fractional_max_pool3d", 3, input, *options)


def fractional_max_pool2d_with_indices(
    input: A,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: ArrayLike = None,
) -> tuple[A, A]:
    """`fractional_max_pool2d` and where the maxima stood.

    The indices are int64: places in the flattened last dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> [part.shape for part in tg.nn.functional.fractional_max_pool2d_with_indices(tg.ones(1, 1, 5, 5), 2, 3)]
    [torch.Size([1, 1, 3, 3]), torch.Size([1, 1, 3, 3])]
    """
    return fractional_max_pool2d(input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d_with_indices(
    input: A,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: ArrayLike = None,
) -> tuple[A, A]:
    """`fractional_max_pool3d` and where the maxima stood.

    The indices are int64: places in the flattened last dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> [part.shape for part in tg.nn.functional.fractional_max_pool3d_with_indices(tg.ones(1, 1, 5, 5, 5), 2, 3)]
    [torch.Size([1, 1, 3, 3, 3]), torch.Size([1, 1, 3, 3, 3])]
    """
    return fractional_max_pool3d(input, kernel_size, output_size, output_ratio, True, _random_samples)


def _fractional(
    op: str, dims: int, x: Any, kernel_size: Any, output_size: Any, ratio: Any, return_indices: bool, samples: Any
) -> Any:
    shape = shape_of(x)
    if 0 in shape[-1 - dims :]:
        raise ArgumentError(f"{op}: input has shape {shape}; only the batch may be empty")
    size = shape[-dims:]
    kernel = check_each(op, "kernel_size", kernel_size, dims, 1)
    out = check_each(op, "output_size", _asked(op, size, output_size, ratio), dims, 0)
    for dim, (n, k, m) in enumerate(zip(size, kernel, out, strict=True), start=len(shape) - dims):
        if m + k - 1 > n:
            raise ArgumentError(
                f"{op}: {m} windows of {k} do not fit into the {n} places of dim {dim} of input {shape}; use a smaller "
                "kernel_size or output_size"
            )
    batch = (1, *shape)[-2 - dims :][:2]
    if samples is None:
        samples = rand(*batch, dims, dtype=dtype_of(x))
    at = np.asarray(detached(samples))
    if at.shape[:1] < batch[:1] or at.shape[1:] != (batch[1], dims):
        raise ArgumentError(f"{op}: _random_samples have shape {at.shape}; input {shape} expects {(*batch, dims)}")
    at = at[: batch[0]].reshape(*shape[:-dims], dims)
    order = (1, 0) if dims == 2 else (0, 1, 2)  # PyTorch draws a plane's column before its row
    sizes = zip(order, size, out, kernel, strict=True)
    return _maxima(x, [_starts(at[..., a], n, m, k)[..., None] + np.arange(k) for a, n, m, k in sizes], return_indices)


def _asked(op: str, size: Shape, output_size: Any, ratio: Any) -> Any:
    if output_size is not None:
        return output_size
    if ratio is None:
        raise ArgumentError(f"{op}: requires specifying either an output_size or an output_ratio; give one of them")
    ratios = tuple(ratio) if isinstance(ratio, Sequence) else (ratio,) * len(size)
    if len(ratios) != len(size):
        raise ArgumentError(f"{op}: output_ratio is {ratio!r}; it must be a number, or {len(size)} of them")
    return tuple(int(n * r) for n, r in zip(size, ratios, strict=True))


def _starts(sample: NDArray, size: int, count: int, kernel: int) -> NDArray:
    """Where windows begin, (…, count): steps of nearly equal length, shifted by the samples, to the very end."""
    apart = np.asarray((size - kernel) / max(count - 1, 1), sample.dtype)
    steps = np.arange(max(count - 1, 0)).astype(sample.dtype)
    shifted = sample[..., None]
    starts = ((steps + shifted) * apart).astype(np.int64) - (shifted * apart).astype(np.int64)
    last = np.full((*sample.shape, min(count, 1)), size - kernel)
    return np.concatenate([starts, last], -1)
