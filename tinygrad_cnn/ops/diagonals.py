"""Diagonals taken from matrices and put into them."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axis, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, Array, ArrayLike, Shape
from tinygrad_cnn.ops.arrangement import atleast_2d, unpacked
from tinygrad_cnn.ops.indexing import setitem
from tinygrad_cnn.ops.reduce import sum
from tinygrad_cnn.ops.shape import DiagonalPut, cat, clone, diagonal, flatten, movedim, pad

__all__ = [
    "block_diag", "diag", "diag_embed", "diagflat", "diagonal_scatter", "trace",
]  # fmt: skip


def diag(input: A, diagonal: int = 0) -> A:
    """The diagonal of a matrix, or a matrix with a vector on its diagonal.

    The dtype stays. ValueError unless there are one or two dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.diag(tg.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> tg.diag(tg.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    ndim = len(shape_of(input))
    if ndim not in (1, 2):
        raise ArgumentError(f"diag: input has shape {shape_of(input)}; expected 1 or 2 dims")
    return diag_embed(input, diagonal) if ndim == 1 else clone(_taken(input, diagonal))


_taken = diagonal


def diag_embed(input: A, offset: int = 0, dim1: int = -2, dim2: int = -1) -> A:
    """Matrices with the last dim of the input on a diagonal of their dims `dim1` and `dim2`.

    One more dim than the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.diag_embed(tg.tensor([1, 2]), offset=1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    """
    shape = shape_of(input)
    axis1, axis2 = (check_axis("diag_embed", d, len(shape) + 1) for d in (dim1, dim2))
    if axis1 == axis2:
        raise ArgumentError(f"diag_embed: dim1 and dim2 are both {axis1}; they must differ")
    side = shape[-1] + abs(offset)
    rest = iter(shape[:-1])
    full = tuple(side if a in (axis1, axis2) else next(rest) for a in range(len(shape) + 1))
    return DiagonalPut.apply(input, shape=full, offset=offset, axis1=axis1, axis2=axis2)


def diagonal_scatter(input: A, src: ArrayLike, offset: int = 0, dim1: int = 0, dim2: int = 1) -> A:
    """A diagonal replaced by `src`, which has its shape.

    A copy of the shape of the input.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.diagonal_scatter(tg.zeros(2, 2), tg.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    place = diagonal_index(input, offset, dim1, dim2)
    size = shape_of(_taken(input, offset, dim1, dim2))
    if shape_of(src) != size:
        raise ArgumentError(f"diagonal_scatter: src has shape {shape_of(src)}; the diagonal has shape {size}")
    turned = movedim(input, (dim1, dim2), (-2, -1))
    return movedim(setitem(turned, place, src), (-2, -1), (dim1, dim2))


def diagonal_index(input: Array, offset: int, dim1: int, dim2: int) -> tuple[Any, ...]:
    """The index of a diagonal of the last two dims, once dim1 and dim2 have been moved there."""
    count = shape_of(_taken(input, offset, dim1, dim2))[-1]
    steps = np.arange(count)
    return (Ellipsis, steps + max(-offset, 0), steps + max(offset, 0))


def diagflat(input: A, offset: int = 0) -> A:
    """A matrix with all elements of the input on its diagonal.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.diagflat(tg.tensor([[1, 2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(flatten(input), offset)


def block_diag(*tensors: A) -> A:
    """A matrix with the given matrices along its diagonal, zeros elsewhere.

    Matrices, vectors (as rows) or numbers; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.block_diag(tg.tensor([[1, 2]]), tg.tensor([[3]]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    blocks: list[Array] = [atleast_2d(x) for x in unpacked("block_diag", tensors)]
    if any(len(shape_of(x)) != 2 for x in blocks):
        raise ArgumentError(f"block_diag: shapes {[shape_of(x) for x in blocks]}; expected at most 2 dims")
    widths = [shape_of(x)[1] for x in blocks]
    before = np.cumsum([0, *widths]).tolist()
    total = before[-1]
    rows = [pad(x, (before[k], total - before[k + 1])) for k, x in enumerate(blocks)]
    return cat(rows, 0)


def trace(input: A) -> A:
    """The sum of the diagonal of a matrix.

    Without dims; integers sum to int64. ValueError unless the input is a matrix.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.trace(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if len(shape_of(input)) != 2:
        raise ArgumentError(f"trace: input has shape {shape_of(input)}; expected 2 dims")
    return sum(diagonal(input))


def diagonal_places(shape: Shape, wrap: bool = False) -> tuple[Any, ...]:
    """The index of the main diagonal; with `wrap`, of a tall matrix it begins again below, one row left out."""
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) != 1):
        raise ArgumentError(f"fill_diagonal_: shape {shape}; expected 2 dims, or more of one size")
    if len(shape) > 2 or not wrap:
        return (np.arange(min(shape)),) * len(shape)
    rows, columns = shape
    return np.unravel_index(np.arange(0, rows * columns, columns + 1), shape)
