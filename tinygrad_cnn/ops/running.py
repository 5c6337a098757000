"""What runs along a dim: products, extremes, differences, areas."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axis, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, Array, ArrayLike
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.indexing import Gather
from tinygrad_cnn.ops.reduce import Cumprod, sum
from tinygrad_cnn.ops.shape import cat, clone, narrow
from tinygrad_cnn.ops.untracked import dressed, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "cummax", "cummin", "cumprod", "diff", "trapezoid",
]  # fmt: skip


@flexible
def cumprod(input: A, dim: int, *, dtype: Any = None) -> A:
    """Products of the elements up to each place along a dim."""
    x = input if dtype is None else input.astype(dtype)
    axis = check_axis("cumprod", dim, max(len(shape_of(x)), 1))
    return x if not shape_of(x) else Cumprod.apply(x, axis=axis)


@flexible
def cummax(input: A, dim: int) -> return_types.cummax[A]:
    """``(values, indices)`` of the largest element up to each place along a dim; of equal ones the last."""
    return _running("cummax", input, dim, np.maximum, return_types.cummax)


@flexible
def cummin(input: A, dim: int) -> return_types.cummin[A]:
    """``(values, indices)`` of the smallest element up to each place along a dim; of equal ones the last."""
    return _running("cummin", input, dim, np.minimum, return_types.cummin)


def _running(op: str, x: Array, dim: int, extreme: Any, kind: Any) -> Any:
    values = plain(op, x)
    if not values.ndim:
        return kind(x, dressed(np.int64(0), x))
    axis = check_axis(op, dim, values.ndim)
    best = extreme.accumulate(values, axis=axis)
    here = np.arange(values.shape[axis]).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    indices = np.maximum.accumulate(np.where((values == best) | np.isnan(values), here, 0), axis=axis)
    return kind(Gather.apply(x, indices, axis=axis), dressed(indices, x))


@flexible
def diff(input: A, n: int = 1, dim: int = -1, prepend: ArrayLike | None = None, append: ArrayLike | None = None) -> A:
    """Differences of neighbours along a dim, `n` times over."""
    if n < 0:
        raise ArgumentError(f"diff: n is {n}; it must be at least 0")
    if not shape_of(input):
        raise ArgumentError("diff: input has no dims; expected at least 1")
    axis = check_axis("diff", dim, len(shape_of(input)))
    ends = [part for part in (prepend, input, append) if part is not None]
    x = cat(ends, axis) if len(ends) > 1 else input
    for _ in range(n):
        length = shape_of(x)[axis]
        if length == 0:
            break
        after, before = narrow(x, axis, 1, length - 1), narrow(x, axis, 0, length - 1)
        x = after ^ before if plain("diff", x).dtype.kind == "b" else after - before
    return clone(x) if x is input else x


@flexible
def trapezoid(y: A, x: ArrayLike | None = None, *, dx: float = 1, dim: int = -1) -> A:
    """The area under `y` along a dim by the trapezoidal rule, at places `x` or `dx` apart."""
    axis = check_axis("trapezoid", dim, len(shape_of(y)))
    length = shape_of(y)[axis]
    middles = (narrow(y, axis, 1, length - 1) + narrow(y, axis, 0, length - 1)) / 2
    if x is None:
        return sum(middles * dx, axis)
    if len(shape_of(x)) == 1:
        return sum(middles * diff(x).reshape([-1 if a == axis else 1 for a in range(len(shape_of(y)))]), axis)
    return sum(middles * diff(x, 1, dim), axis)
