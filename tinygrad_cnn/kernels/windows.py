"""Where windows are: how many fit along an axis, and which elements lie under each of their taps."""

import itertools
from functools import lru_cache

from tinygrad_cnn.core.types import Pair


def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """How many windows fit along an axis of `size` elements with `padding` more in all."""
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


@lru_cache(1024)
def taps(out: Pair, kernel: Pair, stride: Pair, dilation: Pair, first: int = 0) -> tuple[tuple[slice, slice], ...]:
    """For each tap of the window, in row-major order, the elements of a padded plane that lie under it.

    That is one element for each of `out` rows and columns of windows, from row `first` on.
    """
    down, across = (
        [slice(start, start + s * (n - 1) + 1, s) for start in range(before, before + k * d, d)]
        for n, k, s, d, before in zip(out, kernel, stride, dilation, (first * stride[0], 0), strict=True)
    )
    return tuple(itertools.product(down, across))
