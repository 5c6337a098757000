"""Pooling. The maximum takes what lies under a tap of each window; its VJP puts there, whose VJP takes again.

A tap is the number of a place in its window, row by row.
"""

from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.domain import Distinct, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.types import Array, Pair, Shape
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.pool import window_take


class Windows(NamedTuple):
    """How the windows of a pooling lie."""

    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair


class MaxPool2D(Op):
    """y, t = the maximum of each window and its tap        dx = g put under t"""

    aux = ("taps",)
    domain = {"x": Distinct()}
    kinks = (
        Kink(
            "a tie: the first of the window wins",
            (np.ones((1, 1, 2, 2)),),
            (np.array([[[[1.0, 0.0], [0.0, 0.0]]]]),),
            {"windows": Windows((2, 2), (2, 2), (0, 0), (1, 1)), "ceil_mode": False},
        ),
    )

    def forward(x: Array, *, windows: Windows, ceil_mode: bool) -> tuple[Array, Array]:
        return chosen.max_pool2d(x, **windows._asdict(), ceil_mode=ceil_mode)

    def d_x(g: Array, taps: Array, x_shape: Shape, *, windows: Windows) -> Array:
        return WindowPut.apply(g, taps, size=x_shape[2:], windows=windows)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape, windows = sample_windows(draw)
        x, ceil_mode = draw.array(shape, cls.domain["x"]), draw.boolean()
        if draw.boolean():  # elements that are below every maximum may tie
            least = np.min(cls.forward(x, windows=windows, ceil_mode=ceil_mode)[0])
            x = draw.layout(np.maximum(x, least - 0.25))
        return Sample((x,), {"windows": windows, "ceil_mode": ceil_mode})


def sample_windows(
    draw: Draw, *, kernel_size: int = 3, stride: int = 3, padding: int = 1, dilation: int = 2
) -> tuple[Shape, Windows]:
    """The shape of an image batch and windows that fit into it, up to these numbers."""
    kernel, strides, dilations = draw.pair(1, kernel_size), draw.pair(1, stride), draw.pair(1, dilation)
    pads = draw.integer(0, min(padding, kernel[0] // 2)), draw.integer(0, min(padding, kernel[1] // 2))
    h, w = (d * (k - 1) + 1 + draw.integer(0, 3) for k, d in zip(kernel, dilations, strict=True))
    return (draw.integer(1, 2), draw.integer(1, 2), h, w), Windows(kernel, strides, pads, dilations)


class WindowPut(Op):
    """y = zeros with x added under one tap of each window        dx = g under those taps"""

    linear = "jointly"
    constant = ("taps",)

    def forward(x: Array, taps: Array, *, size: Pair, windows: Windows) -> Array:
        return chosen.window_put(x, taps, input_size=size, **windows._asdict())

    def d_x(g: Array, taps: Array, *, windows: Windows) -> Array:
        return WindowTake.apply(g, taps, windows=windows)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x, taps), options = WindowTake.sample(draw)
        return Sample((draw.array(taps.shape, Real()), taps), {"size": x.shape[2:], **options})


class WindowTake(Op):
    """y = x under one tap of each window        dx = g put under those taps"""

    linear = "jointly"
    constant = ("taps",)

    def forward(x: Array, taps: Array, *, windows: Windows) -> Array:
        return window_take(x, taps, **windows._asdict())

    def d_x(g: Array, taps: Array, x_shape: Shape, *, windows: Windows) -> Array:
        return WindowPut.apply(g, taps, size=x_shape[2:], windows=windows)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,), options = MaxPool2D.sample(draw)
        _, taps = MaxPool2D.forward(x, **options)
        return Sample((x, taps), {"windows": options["windows"]})
