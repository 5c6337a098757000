"""Images with the images of a pixel side by side: (C,H,W,N)."""

import numpy as np

from tinygrad_cnn.kernels.compiled.jit import exact
from tinygrad_cnn.kernels.layout import NOTHING, planes_of_channels
from tinygrad_cnn.kernels.threads import share_evenly
from tinygrad_cnn.types import NDArray, Pads

DTYPES = np.dtype(np.float32), np.dtype(np.float64)
"""What the loops are compiled for."""


def planes(x: NDArray, pads: Pads = NOTHING, value: float = 0) -> NDArray:
    """x (N,C,H,W) as contiguous (C,H,W,N) with a border of `value`: a copy only where it must be."""
    lying = x.transpose(1, 2, 3, 0)
    if x.dtype not in DTYPES:
        return planes_of_channels(x, pads, value)
    if not lying.flags.c_contiguous:
        together = np.empty(lying.shape, x.dtype)
        if x.flags.c_contiguous:
            _transpose(x.reshape(len(x), -1), together.reshape(-1, len(x)))
        else:
            np.copyto(together, lying)
        lying = together
    if pads == NOTHING:
        return lying
    c, h, w, n = lying.shape
    (top, bottom), (left, right) = pads
    out = np.empty((c, top + h + bottom, left + w + right, n), x.dtype)
    share_evenly(c, lambda some: _border(lying[some], out[some], top, left, value), 2 * out.nbytes)
    return out


def images(y: NDArray) -> NDArray:
    """y (C,H,W,N) as a view (N,C,H,W)."""
    return y.transpose(3, 0, 1, 2)


@exact
def _border(x: NDArray, y: NDArray, top: int, left: int, value: float) -> None:
    """Each row of y: a row of x between borders, or a border."""
    channels, height, width, n = x.shape
    start, stop = left * n, (left + width) * n
    for c in range(channels):
        for i in range(y.shape[1]):
            row, inside = y[c, i].reshape(-1), top <= i < top + height
            for k in range(start if inside else row.size):
                row[k] = value
            if inside:
                source, into = x[c, i - top].reshape(-1), row[start:]
                for k in range(source.size):
                    into[k] = source[k]
                for k in range(stop, row.size):
                    row[k] = value


@exact
def _transpose(x: NDArray, y: NDArray) -> None:
    """y = x transposed, in squares that stay in the cache."""
    rows, columns = x.shape
    for top in range(0, rows, 16):
        for left in range(0, columns, 16):
            for j in range(left, min(left + 16, columns)):
                for i in range(top, min(top + 16, rows)):
                    y[j, i] = x[i, j]
