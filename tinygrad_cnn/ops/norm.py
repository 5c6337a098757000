"""Normalisation: a batch or a layer brought to mean 0 and variance 1, then scaled and shifted.

The rules rebuild mean and deviation from the input, so that second derivatives see them; first derivatives take
those that were saved.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.linalg import ChannelSum
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.reduce import Sum
from tinygrad_cnn.core.shape import Expand
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Shape
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.ops.checks import check_floating, check_ndim
from tinygrad_cnn.ops.reduce import Mean
from tinygrad_cnn.ops.told import made

__all__ = [
    "layer_norm",
]


def mean_over(x: Array, axes: tuple[int, ...]) -> Array:
    """The mean over the axes, which stay with size 1."""
    return Mean.apply(x, axes=axes, keepdim=True)


def standardised(x: Array, axes: tuple[int, ...], eps: float, centred: bool = True) -> tuple[Array, Array]:
    """(x - mean) / √(var + eps) over the axes, and 1 / √(var + eps); the mean is 0 if it is not `centred`."""
    deviation = x - mean_over(x, axes) if centred else x
    inverse = 1 / np.sqrt(mean_over(deviation * deviation, axes) + eps)
    return deviation * inverse, inverse


def stretched(v: Array, along: tuple[int, ...], shape: Shape) -> Array:
    """What lies along some axes of an array of this shape, with 1 for the others."""
    return np.reshape(v, tuple(n if a in along else 1 for a, n in enumerate(shape)))


def summed_along(g: Array, along: tuple[int, ...]) -> Array:
    """The sum over all axes but those."""
    return Sum.apply(g, axes=tuple(a for a in range(len(g.shape)) if a not in along), keepdim=False)


class Normalize(Op):
    """y = w z + b, z = (x - x̄) / √(var x + ε)        dx = (h - h̄ - z mean(h z)) / √(var x + ε), h = g w;  dw = Σ g z

    Means and variance are taken over `axes`; w and b lie along the axes `along`, and db = Σ g. If it is not `centred`,
    x̄ and h̄ are 0. Where no pass is recorded, all derivatives are computed together from the saved statistics.
    """

    floating = True
    promotes = True
    aux = ("mean", "variance")

    def forward(
        x: Array, w: Array, b: Array, *, axes: tuple[int, ...], along: tuple[int, ...], eps: float, centred: bool
    ) -> tuple[Array, Array, Array]:
        return chosen.normalize(x, w, b, axes=axes, along=along, eps=eps, centred=centred)

    def d_x(
        g: Array, x: Array, w: Array, *, axes: tuple[int, ...], along: tuple[int, ...], eps: float, centred: bool
    ) -> Array:
        z, inverse = standardised(x, axes, eps, centred)
        h = g * stretched(w, along, x.shape)
        inner = h - mean_over(h, axes) if centred else h
        return (inner - z * mean_over(h * z, axes)) * inverse

    def d_w(g: Array, x: Array, *, axes: tuple[int, ...], along: tuple[int, ...], eps: float, centred: bool) -> Array:
        return summed_along(g * standardised(x, axes, eps, centred)[0], along)

    def d_b(g: Array, *, along: tuple[int, ...]) -> Array:
        return summed_along(g, along)

    def together(
        g: Array,
        wanted: Sequence[bool],
        x: Array,
        w: Array,
        mean: Array,
        variance: Array,
        *,
        axes: tuple[int, ...],
        along: tuple[int, ...],
        eps: float,
        centred: bool,
    ) -> tuple[Array | None, ...]:
        how: dict[str, Any] = {"axes": axes, "along": along, "eps": eps, "centred": centred}
        return chosen.normalize_back(g, x, w, mean, variance, **how, wanted=wanted)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array((draw.integer(2, 3), *draw.shape(1, 2, smallest=1)), Real())
        last = x.ndim - 1
        axes, along = draw.choice([((0,), (last,)), (tuple(range(x.ndim)), ()), ((0, last), (0, last)), ((0,), ())])
        shape = tuple(x.shape[a] for a in along)
        w, b = draw.array(shape, Real()), draw.array(shape, Real())
        options = {"axes": axes, "along": along, "eps": draw.choice([0.5, 0.1]), "centred": draw.boolean()}
        return Sample((x, w, b), options)


def normalised(
    x: A, axes: tuple[int, ...], eps: float, w: Any = None, b: Any = None, along: tuple[int, ...] = (), **how: bool
) -> tuple[A, Any, Any]:
    """Over the axes brought to mean 0 and variance 1, times w, plus b, which lie along axes; and mean and variance.

    Of no elements there are no statistics, and nothing to bring.
    """
    shape, dtype = shape_of(x), dtype_of(x)
    if 0 in shape:
        column = [n if a in along else 1 for a, n in enumerate(shape)]
        x = x * (1 if w is None else np.reshape(w, column)) + (0 if b is None else np.reshape(b, column))
        return x, None, None
    along = along if w is not None or b is not None else ()
    size = tuple(shape[a] for a in along)
    w = made(np.ones, size, dtype) if w is None else w
    b = made(np.zeros, size, dtype) if b is None else b
    return Normalize.apply(x, w, b, axes=axes, along=along, eps=eps, centred=how.get("centred", True))


def batch_norm(input: A, weight: ArrayLike | None, bias: ArrayLike | None, eps: float = 1e-5) -> A:
    """Normalise each channel of (N, C, …) over the batch and all places, then scale and shift it.

    The training form (Ioffe & Szegedy 2015), by the batch's own statistics.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ops.batch_norm(tg.tensor([[1.0], [3.0]]), tg.tensor([1.0]), tg.tensor([0.0]))
    tensor([[-1.0000],
            [ 1.0000]])
    """
    return batch_normalised(input, weight, bias, eps)[0]


def batch_normalised(input: A, weight: ArrayLike | None, bias: ArrayLike | None, eps: float) -> tuple[A, Any, Any]:
    """`batch_norm`, and the mean and variance that it took; None of an empty batch."""
    shape = shape_of(input)
    check_ndim("batch_norm", "input", input, (2, 3, 4, 5), "(N, C, …)")
    axes = (0, *range(2, len(shape)))
    size = math.prod(shape[a] for a in axes)
    if size == 1:
        raise ArgumentError(
            f"batch_norm: input {shape} has one value per channel; training needs more: "
            "call eval() to use the network, or leave out a last batch of one, with DataLoader(…, drop_last=True)"
        )
    check_channels("batch_norm", shape, weight, bias)
    return normalised(input, axes, eps, weight, bias, (1,))


def check_channels(op: str, shape: Shape, weight: Any, bias: Any) -> None:
    """ArgumentError if weight or bias have not one number for each channel (axis 1)."""
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value) != shape[1:2]:
            raise ArgumentError(f"{op}: {name} has shape {shape_of(value)}; input {shape} expects ({shape[1]},)")


class Followed(Op):
    """y = keep r + share v̄, v̄ the mean of v over axis 0        dr = keep g,  dv = share g / n

    So running statistics r follow those of a batch.
    """

    def forward(r: Array, v: Array, *, keep: float, share: float) -> Array:
        each = v if v.shape[0] == 1 else v.mean(0)
        return r * keep + each.reshape(r.shape) * share

    def d_r(g: Array, *, keep: float) -> Array:
        return g * keep

    def d_v(g: Array, v: Array, *, share: float) -> Array:
        return Expand.apply(np.reshape(g * (share / v.shape[0]), (1, *v.shape[1:])), shape=v.shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n = draw.integer(1, 3)
        r, v = draw.array((n,), Real()), draw.array((draw.integer(1, 2), n, 1), Real())
        return Sample((r, v), {"keep": 0.75, "share": 0.5})


class ScaleChannels(Op):
    """y[n,c,…] = w[c] x[n,c,…] + b[c]        dx = w g,  dw = Σ g x,  db = Σ g, the sums over all axes but that of c"""

    floating = True
    promotes = True

    def forward(x: Array, w: Array, b: Array) -> Array:
        return chosen.scale_channels(x, w, b)

    def d_x(g: Array, w: Array) -> Array:
        return ScaleChannels.apply(g, w, np.zeros(w.shape, w.dtype))

    def d_w(g: Array, x: Array) -> Array:
        return summed_along(g * x, (1,))

    def d_b(g: Array) -> Array:
        return ChannelSum.apply(g, axis=1)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array((draw.integer(1, 3), *draw.shape(1, 3, smallest=1)), Real())
        return Sample((x, *(draw.array(x.shape[1:2], Real()) for _ in range(2))), {})


def scale_channels(op: str, y: Array, weight: Array | None, bias: Array | None) -> Array:
    """Each channel (axis 1) times its weight plus its bias."""
    shape = shape_of(y)
    check_channels(op, shape, weight, bias)
    if weight is None and bias is None:
        return y
    one, dtype = shape[1:2], dtype_of(y)
    return ScaleChannels.apply(
        y, np.ones(one, dtype) if weight is None else weight, np.zeros(one, dtype) if bias is None else bias
    )


def column(shape: Shape) -> Shape:
    """The shape in which one number per channel (axis 1) broadcasts against an array of this shape."""
    return (shape[1], *(1,) * (len(shape) - 2))


def layer_norm(
    input: A,
    normalized_shape: Sequence[int],
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> A:
    """Normalise each sample over its last dims, those of `normalized_shape` (Ba, Kiros, Hinton 2016).

    Shape and dtype stay. ValueError if the last sizes are not `normalized_shape`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.layer_norm(tg.tensor([[1.0, 3.0], [5.0, 9.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    shape, last = shape_of(input), tuple(normalized_shape)
    if not last or shape[-len(last) :] != last:
        raise ArgumentError(f"layer_norm: input has shape {shape}; normalized_shape {last} must be its last dims")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value) != last:
            raise ArgumentError(f"layer_norm: {name} has shape {shape_of(value)}; expected {last}")
    axes = tuple(range(len(shape) - len(last), len(shape)))
    return normalised(input, axes, eps, weight, bias, axes)[0]


def drop(input: A, p: float, generator: Any) -> A:
    """Zero each element with probability p, and scale the others by 1 / (1 - p) (Srivastava et al. 2014).

    What stays is said by ``generator.bernoulli(1 - p, shape)``. Integers cannot be scaled: a DTypeError.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.ops.norm import drop
    >>> generator = tg.Generator().manual_seed(0)
    >>> drop(tg.ones(4), 0.5, generator)
    tensor([0., 0., 2., 0.])
    """
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"dropout: p is {p}; a probability is between 0 and 1")
    if p == 0.0:
        return input
    shape = shape_of(input)
    if p == 1.0:
        return input * np.zeros((), input.dtype)
    check_floating("dropout", "input", input)
    return input * made(_kept, generator, p, shape, input.dtype, drawn=True)


def _kept(generator: Any, p: float, shape: Shape, dtype: Any) -> NDArray:
    mask: NDArray = generator.bernoulli(1 - p, shape) * np.dtype(dtype).type(1 / (1 - p))
    return mask
