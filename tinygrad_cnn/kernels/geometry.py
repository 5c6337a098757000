"""Where the windows of convolutions and poolings lie. No arithmetic on values."""

import numpy as np

from tinygrad_cnn.types import NDArray, Pads, Pair


def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """How many windows fit along an axis of `size` elements with `padding` more in all."""
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


def ceil_output_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """The same counting a last, incomplete window, if it starts inside the input or the left padding.

    `padding` is that of one side. The rule is that of PyTorch's MaxPool2d.
    """
    out = -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out


def padded(x: NDArray, pads: Pads, value: float = 0) -> NDArray:
    """The planes of x (N,C,H,W) with a border of `value`; x itself if there is none."""
    (top, bottom), (left, right) = pads
    if not (top or bottom or left or right):
        return x
    n, c, h, w = x.shape
    out = np.full((n, c, h + top + bottom, w + left + right), value, x.dtype)
    out[:, :, top : top + h, left : left + w] = x
    return out


def windows(x: NDArray, kernel: Pair, stride: Pair, dilation: Pair) -> NDArray:
    """All windows of x (N,C,H,W) as a read-only view (N,C,KH,KW,OH,OW)."""
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x, extent, axis=(2, 3))  # (N,C,H',W',EH,EW)
    picked = view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    return picked.transpose(0, 1, 4, 5, 2, 3)


def tap(k: int, stride: int, dilation: int, out: int) -> slice:
    """The elements of a padded axis that meet tap k of the kernel, one per window."""
    start = k * dilation
    return slice(start, start + stride * (out - 1) + 1, stride)
