"""Where the windows of convolutions and poolings lie. No arithmetic on values."""


def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """How many windows fit along an axis of `size` elements with `padding` more in all."""
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


def ceil_output_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """The same counting a last, incomplete window, if it starts inside the input or the left padding.

    `padding` is that of one side. The rule is that of PyTorch's MaxPool2d.
    """
    out = -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out


def tap(k: int, stride: int, dilation: int, out: int, first: int = 0) -> slice:
    """The elements of a padded axis that meet tap k of the kernel, one per window: `out` of them, from `first` on."""
    start = first * stride + k * dilation
    return slice(start, start + stride * (out - 1) + 1, stride)
