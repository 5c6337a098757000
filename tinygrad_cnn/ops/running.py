"""What runs along a dim: products, extremes, differences, areas."""

from math import prod
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axes, check_axis, dtype_of, shape_of
from tinygrad_cnn.core.domain import AwayFrom, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.kernels.orders import is_nan
from tinygrad_cnn.kernels.passes import running, tail_sums
from tinygrad_cnn.ops.calling import flexible, vectorial
from tinygrad_cnn.ops.indexing import Gather
from tinygrad_cnn.ops.reduce import Cumprod, Cumsum, cumsum, in_dtype, sum
from tinygrad_cnn.ops.shape import cat, clone, narrow
from tinygrad_cnn.ops.untracked import dressed, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "cummax", "cummin", "cumprod", "cumulative_trapezoid", "diff", "gradient", "logcumsumexp", "trapezoid",
]  # fmt: skip


@flexible
@vectorial
def cumprod(input: A, dim: int, *, dtype: Any = None) -> A:
    """Products of the elements up to each place along a dim; see `sum` for integers.

    The shape stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cumprod(tg.tensor([1, 2, 3]), dim=0)
    tensor([1, 2, 6])
    """
    axis = check_axis("cumprod", dim, len(shape_of(input)))
    op = Cumprod if prod(shape_of(input)) > 1 else Cumsum  # one number, whose derivative is a constant
    return in_dtype(lambda x: op.apply(x, axis=axis), input, dtype)


@flexible
@vectorial
def cummax(input: A, dim: int) -> return_types.cummax[A]:
    """``(values, indices)`` of the largest element up to each place along a dim; of equal ones the last.

    Both have the shape of the input; the indices are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cummax(tg.tensor([1, 3, 2]), dim=0)
    torch.return_types.cummax(
    values=tensor([1, 3, 3]),
    indices=tensor([0, 1, 1]))
    """
    return _running("cummax", input, dim, np.maximum, return_types.cummax)


@flexible
@vectorial
def cummin(input: A, dim: int) -> return_types.cummin[A]:
    """``(values, indices)`` of the smallest element up to each place along a dim; of equal ones the last.

    Both have the shape of the input; the indices are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cummin(tg.tensor([3, 1, 2]), dim=0)
    torch.return_types.cummin(
    values=tensor([3, 1, 1]),
    indices=tensor([0, 1, 1]))
    """
    return _running("cummin", input, dim, np.minimum, return_types.cummin)


def _running(op: str, x: Array, dim: int, extreme: Any, kind: Any) -> Any:
    values = plain(op, x)
    axis = check_axis(op, dim, values.ndim)
    best = extreme.accumulate(values, axis=axis)
    here = np.arange(values.shape[axis]).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    indices = np.maximum.accumulate(np.where((values == best) | is_nan(values), here, 0), axis=axis)
    return kind(Gather.apply(x, indices, axis=axis), dressed(indices, x))


@flexible
def diff(input: A, n: int = 1, dim: int = -1, prepend: ArrayLike | None = None, append: ArrayLike | None = None) -> A:
    """Differences of neighbours along a dim, `n` times over.

    The dim has `n` elements less; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.diff(tg.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    if n < 0:
        raise ArgumentError(f"diff: n is {n}; it must be at least 0")
    if not shape_of(input):
        raise ArgumentError("diff: input has no dims; expected at least 1")
    axis = check_axis("diff", dim, len(shape_of(input)))
    if n == 0:
        return clone(input)
    ends = [part for part in (prepend, input, append) if part is not None]
    x = cat(ends, axis) if len(ends) > 1 else input
    for _ in range(n):
        length = shape_of(x)[axis]
        if length == 0:
            break
        after, before = narrow(x, axis, 1, length - 1), narrow(x, axis, 0, length - 1)
        x = after ^ before if plain("diff", x).dtype.kind == "b" else after - before
    return clone(x) if x is input else x


class TailSum(Op):
    """y[k] = Σ_{j≥k} v[j] exp(a[k] - b[j]) along an axis        dv[j] = Σ_{k≤j} g[k] exp(a[k] - b[j])"""

    def forward(v: Array, a: Array, b: Array, *, axis: int) -> Array:
        return tail_sums(v, a, b, axis)

    def d_v(g: Array, a: Array, b: Array, *, axis: int) -> Array:
        return head_sum(g, a, b, axis)

    def d_a(g: Array, y: Array) -> Array:
        return g * y

    def d_b(g: Array, v: Array, a: Array, b: Array, *, axis: int) -> Array:
        return -v * head_sum(g, a, b, axis)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = draw.shape(1)
        return Sample(
            tuple(draw.array(shape, AwayFrom((0.0,)) if k == 0 else Real()) for k in range(3)),
            {"axis": draw.integer(0, len(shape) - 1)},
        )


def head_sum(v: Array, a: Array, b: Array, axis: int) -> Array:
    """Σ_{k≤j} v[k] exp(a[k] - b[j]): the adjoint of `TailSum`."""
    return np.flip(TailSum.apply(np.flip(v, axis), np.flip(-b, axis), np.flip(-a, axis), axis=axis), axis)


class Logcumsumexp(Op):
    """y[k] = ln(exp x[0] + … + exp x[k]) along an axis        dx[k] = Σ_{j≥k} g[j] exp(x[k] - y[j])"""

    floating = True

    def forward(x: Array, *, axis: int) -> Array:
        return running(np.logaddexp, x, axis)

    def d_x(g: Array, y: Array, x: Array, *, axis: int) -> Array:
        return TailSum.apply(g, x, y, axis=axis)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1), Real())
        return Sample((x,), {"axis": draw.integer(0, x.ndim - 1)})


@flexible
@vectorial
def logcumsumexp(input: A, dim: int) -> A:
    """The logarithm of the sum of exponentials up to each place along a dim; nothing overflows.

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logcumsumexp(tg.tensor([0.0, 0.0, 0.0]), dim=0)
    tensor([0.0000, 0.6931, 1.0986])
    """
    return Logcumsumexp.apply(input, axis=check_axis("logcumsumexp", dim, len(shape_of(input))))


@flexible
def trapezoid(y: A, x: ArrayLike | None = None, *, dx: float = 1, dim: int = -1) -> A:
    """The area under `y` along a dim by the trapezoidal rule, at places `x` or `dx` apart.

    Integers are taken as floating-point numbers first, so that no sum of bytes overflows.

    The result lacks the dim. Integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.trapezoid(tg.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """
    axis = check_axis("trapezoid", dim, len(shape_of(y)))
    return sum(_trapezoids(y, x, dx, axis), axis)


@flexible
def cumulative_trapezoid(y: A, x: ArrayLike | None = None, *, dx: float = 1, dim: int = -1) -> A:
    """The area under `y` from the start of a dim to each further place; see `trapezoid`.

    The dim has one element less.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cumulative_trapezoid(tg.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    axis = check_axis("cumulative_trapezoid", dim, len(shape_of(y)))
    return cumsum(_trapezoids(y, x, dx, axis), axis)


def _trapezoids(y: Array, x: Any, dx: float, axis: int) -> Array:
    """The area of each strip between two places."""
    y, x = (v if v is None or dtype_of(v).kind == "f" else v.astype(default.dtype) for v in (y, x))
    shape = shape_of(y)
    if shape[axis] == 0:
        return y
    middles = (narrow(y, axis, 1, shape[axis] - 1) + narrow(y, axis, 0, shape[axis] - 1)) / 2
    if x is None:
        return middles * dx
    if len(shape_of(x)) == 1:
        if shape_of(x)[0] != shape[axis]:
            raise ArgumentError(f"trapezoid: x has shape {shape_of(x)}; y of shape {shape} has {shape[axis]} places")
        return middles * diff(x).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return middles * diff(x, 1, axis - len(shape))


@flexible
def gradient(input: A, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[A, ...]:
    """The slopes along dims (all by default), from each place's two neighbours, at the ends from the next 1 or 2.

    `spacing` is the distance of neighbours, or one for each dim, or the coordinates along each dim.

    One array for each dim, of the shape of the input; integers give the default floating dtype. ValueError if a dim
    has too few elements.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.gradient(tg.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order is {edge_order}; it must be 1 or 2")
    x = input if dtype_of(input).kind == "f" else input.astype(default.dtype)
    shape = shape_of(x)
    dims: Any = range(len(shape)) if dim is None else [dim] if isinstance(dim, int) else dim
    axes = check_axes("gradient", tuple(dims), len(shape))
    spacing = 1 if spacing is None else spacing
    spacings = [spacing] * len(axes) if isinstance(spacing, (int, float)) else list(spacing)
    if len(spacings) != len(axes):
        raise ArgumentError(f"gradient: {len(spacings)} spacings for {len(axes)} dims; give as many, or one number")
    return tuple(_slopes(x, axis, step, edge_order) for axis, step in zip(axes, spacings, strict=True))


def _slopes(x: Array, axis: int, spacing: Any, edge_order: int) -> Array:
    n, ndim, dtype = shape_of(x)[axis], len(shape_of(x)), dtype_of(x)
    if n <= edge_order:
        raise ArgumentError(
            f"gradient: input of shape {shape_of(x)} needs more than {edge_order} elements in dim {axis}"
        )
    places = plain("gradient", spacing)
    if places.ndim and places.shape != (n,):
        raise ArgumentError(f"gradient: coordinates of shape {places.shape} for dim {axis} of shape {shape_of(x)}")
    steps = np.diff(places) if places.ndim else np.full(n - 1, places)
    h = steps.astype(dtype).reshape([-1 if a == axis else 1 for a in range(ndim)])
    slopes = diff(x, 1, axis) / h
    if n == 2:
        return cat([slopes, slopes], axis)
    if places.ndim:
        left, right = narrow(h, axis, 0, n - 2), narrow(h, axis, 1, n - 2)
        middle = (narrow(slopes, axis, 0, n - 2) * right + narrow(slopes, axis, 1, n - 2) * left) / (left + right)
    else:
        middle = (narrow(x, axis, 2, n - 2) - narrow(x, axis, 0, n - 2)) / (2 * float(places))
    first, last = narrow(slopes, axis, 0, 1), narrow(slopes, axis, n - 2, 1)
    if edge_order == 2:  # the parabola through three places
        first = 2 * first - narrow(middle, axis, 0, 1)
        last = 2 * last - narrow(middle, axis, n - 3, 1)
    return cat([first, middle, last], axis)
