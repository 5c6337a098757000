"""How a batch lies in memory: pixels outermost, then images, then channels (H, W, N, C).

A pixel of all images is one contiguous run, so that pooling, padding and element-wise work move long runs
whatever the number of channels; and the channels of a pixel, being adjacent, are rows of a GEMM. Arrays keep the
shape (N, C, H, W); only their strides differ, and NumPy's element-wise functions keep the order.
"""

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Shape

NOTHING: Pads = (0, 0), (0, 0)


def pixels(x: NDArray, pads: Pads = NOTHING, value: float = 0) -> NDArray:
    """x (N,C,H,W) as contiguous (H,W,N,C) with a border of `value`: a copy only where it must be."""
    return bordered(x.transpose(2, 3, 0, 1), (*pads, (0, 0), (0, 0)), value)


def planes_of_channels(x: NDArray, pads: Pads = NOTHING, value: float = 0) -> NDArray:
    """x (N,C,H,W) as contiguous (C,H,W,N) with a border of `value`: a copy only where it must be."""
    return bordered(x.transpose(1, 2, 3, 0), ((0, 0), *pads, (0, 0)), value)


def from_pixels(y: NDArray) -> NDArray:
    """y (H,W,N,C) as a view (N,C,H,W)."""
    return y.transpose(2, 3, 0, 1)


def reshaped(x: NDArray, shape: Shape) -> NDArray:
    """x with another shape, in the order of its indices, whatever the memory: a view where that is possible.

    Images that lie by pixels are first brought together, by runs of channels; then each is transposed in cache. In
    one go, every read would be of another cache line.
    """
    x = np.asarray(x)
    if x.ndim == 4 and not x.flags.c_contiguous and x.transpose(2, 3, 0, 1).flags.c_contiguous:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return x.reshape(shape)


def bordered(x: NDArray, pads: tuple[tuple[int, int], ...], value: float) -> NDArray:
    """x in C order with so many elements of `value` before and behind each axis."""
    if not any(map(any, pads)):
        return np.ascontiguousarray(x)
    shape = [n + before + behind for n, (before, behind) in zip(x.shape, pads, strict=True)]
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, pads, strict=True))] = x
    return out


def view(x: NDArray, shape: Shape, axes: tuple[int, ...], steps: tuple[int, ...], start: Shape = ()) -> NDArray:
    """Part of a contiguous x, from `start` on: axis k of it moves along axis ``axes[k]`` of x by ``steps[k]``."""
    offset = sum(s * k for s, k in zip(x.strides, start, strict=False))
    strides = [x.strides[a] * step for a, step in zip(axes, steps, strict=True)]
    return np.ndarray(shape, x.dtype, x, offset, strides)  # as_strided, at a twentieth of its overhead
