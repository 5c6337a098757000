"""Where windows are: how many fit along an axis, and which elements lie under each of their taps."""

import itertools
from functools import lru_cache
from typing import NamedTuple

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


class Phase(NamedTuple):
    """Along an axis the pixels `first`, `first` + stride, …, which the same taps of a window reach."""

    first: int
    taps: tuple[int, ...]
    """Places in the kernel."""
    offsets: tuple[int, ...]
    """For each tap the window, beside number k, through which it reaches the pixel number k of the phase."""


@lru_cache(1024)
def reaching(kernel: int, stride: int, before: int, dilation: int) -> tuple[Phase, ...]:
    """The windows that reach each pixel of an axis with so much padding before it, phase by phase.

    Pixel h lies under tap i of window p where p · stride + i · dilation = h + before. So the gradient of a convolution
    in its input is, phase by phase, a convolution with some of the taps and no stride.
    """
    phases = []
    for first in range(stride):
        windows, rest = divmod(first + before, stride)
        here = tuple(i for i in range(kernel) if i * dilation % stride == rest)
        phases.append(Phase(first, here, tuple(windows - i * dilation // stride for i in here)))
    return tuple(phases)
