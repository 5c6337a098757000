"""Convolution: one trilinear form T(x, w, v) = ⟨v, conv(x, w)⟩ and its three contractions.

Each of `Conv2D`, `Conv2DInput` and `Conv2DWeight` is linear in either argument, and the VJPs of each are the
other two: the set is closed under differentiation. How arrays are moved about is in `kernels.conv`.
"""

from typing import NamedTuple

from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.linalg import ChannelSum
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import Array, Pads, Pair, Shape
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.windows import output_size


class Geometry(NamedTuple):
    """How the windows lie: s, the padding, d and the groups of channels."""

    stride: Pair
    padding: Pads
    dilation: Pair
    groups: int


class Conv2D(Op):
    """y[n,o,p,q] = Σ_cij w[o,c,i,j] x[n,c,sp+di,sq+dj]        dx = input(g, w),  dw = weight(x, g)"""

    linear = "each"
    promotes = True

    def forward(x: Array, w: Array, *, geometry: Geometry) -> Array:
        return chosen.conv2d(x, w, **geometry._asdict())

    def d_x(g: Array, w: Array, x_shape: Shape, *, geometry: Geometry) -> Array:
        return Conv2DInput.apply(g, w, size=x_shape[2:], geometry=geometry)

    def d_w(g: Array, x: Array, w_shape: Shape, *, geometry: Geometry) -> Array:
        return Conv2DWeight.apply(x, g, size=w_shape[2:], geometry=geometry)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x, w, _, geometry = sample_convolution(draw)
        return Sample((x, w), {"geometry": geometry})


class Conv2DBias(Op):
    """y = conv(x, w) + b        dx = input(g, w),  dw = weight(x, g),  db = Σ g over images and places"""

    promotes = True

    def forward(x: Array, w: Array, b: Array, *, geometry: Geometry) -> Array:
        return chosen.conv2d(x, w, b, **geometry._asdict())

    d_x, d_w = Conv2D.d_x, Conv2D.d_w

    def d_b(g: Array) -> Array:
        return ChannelSum.apply(g, axis=1)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x, w, _, geometry = sample_convolution(draw)
        return Sample((x, w, draw.array((len(w),), Real())), {"geometry": geometry})


class Conv2DInput(Op):
    """x = input(v, w), the adjoint of conv in x        dv = conv(g, w),  dw = weight(g, v)"""

    linear = "each"
    promotes = True

    def forward(v: Array, w: Array, *, size: Pair, geometry: Geometry) -> Array:
        return chosen.conv2d_input(v, w, input_size=size, **geometry._asdict())

    def d_v(g: Array, w: Array, *, geometry: Geometry) -> Array:
        return Conv2D.apply(g, w, geometry=geometry)

    def d_w(g: Array, v: Array, w_shape: Shape, *, geometry: Geometry) -> Array:
        return Conv2DWeight.apply(g, v, size=w_shape[2:], geometry=geometry)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x, w, v, geometry = sample_convolution(draw)
        return Sample((v, w), {"size": x.shape[2:], "geometry": geometry})


class Conv2DWeight(Op):
    """w = weight(x, v), the adjoint of conv in w        dx = input(v, g),  dv = conv(x, g)"""

    linear = "each"
    promotes = True

    def forward(x: Array, v: Array, *, size: Pair, geometry: Geometry) -> Array:
        return chosen.conv2d_weight(x, v, kernel_size=size, **geometry._asdict())

    def d_x(g: Array, v: Array, x_shape: Shape, *, geometry: Geometry) -> Array:
        return Conv2DInput.apply(v, g, size=x_shape[2:], geometry=geometry)

    def d_v(g: Array, x: Array, *, geometry: Geometry) -> Array:
        return Conv2D.apply(x, g, geometry=geometry)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x, w, v, geometry = sample_convolution(draw)
        return Sample((x, v), {"size": w.shape[2:], "geometry": geometry})


def sample_convolution(draw: Draw) -> tuple[Array, Array, Array, Geometry]:
    """An image batch, a weight, a cotangent of their convolution, and the geometry."""
    x, w, v, geometry = sample_geometry(draw)
    return draw.array(x, Real()), draw.array(w, Real()), draw.array(v, Real()), geometry


def sample_geometry(
    draw: Draw,
    *,
    kernel_size: int = 3,
    stride: int = 3,
    padding: int = 2,
    dilation: int = 2,
    groups: int = 2,
    symmetric: bool = False,
) -> tuple[Shape, Shape, Shape, Geometry]:
    """The shapes of an image batch, of a weight and of their convolution, and the geometry, up to these numbers."""
    blocks = draw.integer(1, groups)
    per_group, outputs = draw.integer(1, 2), blocks * draw.integer(1, 2)
    kernel, strides, dilations = draw.pair(1, kernel_size), draw.pair(1, stride), draw.pair(1, dilation)
    down, right = draw.pair(0, padding), draw.pair(0, padding)
    pads = ((down[0], down[0]), (right[0], right[0])) if symmetric else (down, right)
    least = [max(1, d * (k - 1) + 1 - sum(p)) for k, d, p in zip(kernel, dilations, pads, strict=True)]
    size = least[0] + draw.integer(0, 2), least[1] + draw.integer(0, 2)
    n = draw.integer(0, 2) if draw.integer(0, 9) == 9 else draw.integer(1, 2)
    out = [output_size(size[a], kernel[a], strides[a], sum(pads[a]), dilations[a]) for a in (0, 1)]
    geometry = Geometry(strides, pads, dilations, blocks)
    return (n, blocks * per_group, *size), (outputs, per_group, *kernel), (n, outputs, *out), geometry
