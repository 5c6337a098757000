"""Orders: sorting, ranks, distinct elements, places in a sorted array."""

import math
from typing import Any, Literal, overload

import numpy as np

from tinygrad_cnn.core.checks import check_axis, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray
from tinygrad_cnn.kernels.orders import order_along, ranked
from tinygrad_cnn.ops.calling import flexible, vectorial
from tinygrad_cnn.ops.indexing import sort
from tinygrad_cnn.ops.statistics import check_ordered, pick
from tinygrad_cnn.ops.untracked import dressed, is_tracked, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "argsort", "bucketize", "kthvalue", "msort", "searchsorted", "unique", "unique_consecutive",
]  # fmt: skip


@flexible
def argsort(input: A, dim: int = -1, descending: bool = False, *, stable: bool = False) -> A:
    """The order that sorts along a dim; equal elements keep theirs.

    The shape stays; the indices are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.argsort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    return sort(input, dim, descending, stable=stable).indices


def msort(input: A) -> A:
    """Sorted along the first dim.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.msort(tg.tensor([[3, 1], [2, 4]]))
    tensor([[2, 1],
            [3, 4]])
    """
    return sort(input, 0).values


@flexible
@vectorial
def kthvalue(input: A, k: int, dim: int = -1, keepdim: bool = False) -> return_types.kthvalue[A]:
    """``(values, indices)`` of the k-th smallest along a dim, counted from 1; NaN is larger than every number.

    Both lack the dim, unless `keepdim`; the indices are int64. ValueError unless 1 <= k <= the size.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.kthvalue(tg.tensor([3.0, 1.0, 2.0]), 2)
    torch.return_types.kthvalue(
    values=tensor(2.),
    indices=tensor(2))
    """
    values = plain("kthvalue", input)
    axis = check_axis("kthvalue", dim, values.ndim)
    check_ordered("kthvalue", values, axis)
    if not 1 <= k <= values.shape[axis]:
        raise ArgumentError(
            f"kthvalue: selected number k is {k}, out of range: dim {dim} of shape {values.shape} has "
            f"{values.shape[axis]} elements"
        )
    return pick(input, ranked(values, k - 1, axis), axis, keepdim, return_types.kthvalue)


@overload
def unique(
    input: A,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> A: ...
@overload
def unique(
    input: A, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> tuple[A, ...]: ...
@flexible
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements (slices of a dim), sorted. A NaN equals nothing, not even another NaN.

    On request also, for each element, which it is, and how often each occurs.

    The dtype stays; positions and counts are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.unique(tg.tensor([3, 1, 3, 2]))
    tensor([1, 2, 3])
    >>> tg.unique(tg.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    values = plain("unique", input)
    axis = None if dim is None else check_axis("unique", dim, values.ndim)
    _check_slices("unique", values, axis)
    if axis is None:
        found, inverse, counts = _distinct(values.reshape(-1))
    else:
        found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    shape = values.shape if axis is None else (values.shape[axis],)
    return _answers(input, found, inverse.reshape(shape), counts, return_inverse, return_counts)


def _distinct(row: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """The distinct elements, which of them each element is, and how often each occurs."""
    order = order_along(row, 0)
    ordered = row[order]
    new = np.ones(row.size, bool)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    inverse = np.empty(row.size, np.int64)
    inverse[order] = np.cumsum(new) - 1
    return ordered[starts], inverse, np.diff(starts, append=row.size)


@overload
def unique_consecutive(
    input: A, return_inverse: Literal[False] = False, return_counts: Literal[False] = False, dim: int | None = None
) -> A: ...
@overload
def unique_consecutive(
    input: A, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> tuple[A, ...]: ...
@flexible
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (slices of a dim) without the neighbours that equal them; also see `unique`.

    The dtype stays; the order of the elements, too.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.unique_consecutive(tg.tensor([1, 1, 2, 2, 1]))
    tensor([1, 2, 1])
    """
    values = plain("unique_consecutive", input)
    axis = 0 if dim is None else check_axis("unique_consecutive", dim, values.ndim)
    _check_slices("unique_consecutive", values, None if dim is None else axis)
    rows = values.reshape(-1) if dim is None else np.moveaxis(values, axis, 0)
    flat = rows.reshape(len(rows), math.prod(rows.shape[1:]))
    new = np.ones(len(rows), bool)
    new[1:] = np.any(flat[1:] != flat[:-1], axis=1)
    starts = np.flatnonzero(new)
    found = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, axis)
    inverse = (np.cumsum(new) - 1).reshape(values.shape if dim is None else (len(rows),))
    counts = np.diff(np.append(starts, len(rows)))
    return _answers(input, found, inverse, counts, return_inverse, return_counts)


def _check_slices(op: str, values: NDArray, axis: int | None) -> None:
    if axis is not None and not values.size and values.shape[axis]:
        raise ArgumentError(f"{op}: input of shape {values.shape} has slices without elements; none can be told apart")


def _answers(
    x: Array, found: NDArray, inverse: NDArray, counts: NDArray, wants_inverse: bool, wants_counts: bool
) -> Any:
    if is_tracked(x):
        raise ArgumentError("unique: has no derivative; use .detach()")
    answers = [found, *([inverse] if wants_inverse else []), *([counts] if wants_counts else [])]
    result = dressed(tuple(answers), x)
    return result if len(answers) > 1 else result[0]


def searchsorted(
    sorted_sequence: A,
    input: ArrayLike,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: ArrayLike | None = None,
) -> A:
    """Where each value of `input` belongs in sorted rows, so that they stay sorted: before equal ones, or behind.

    NaN is larger than every number, and belongs to the end.

    The result has the shape of `input`: int64, or int32 if `out_int32`. Dtypes may differ.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.searchsorted(tg.tensor([1, 3, 5]), tg.tensor([3, 4]))
    tensor([1, 2])
    """
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ArgumentError(f"searchsorted: side is {side!r} and right {right}; side must be 'left' or 'right'")
    rows, values = plain("searchsorted", sorted_sequence), plain("searchsorted", input)
    if not rows.ndim:
        raise ArgumentError("searchsorted: the sorted sequence has no dims; expected at least 1")
    if sorter is not None:
        rows = np.take_along_axis(rows, _checked_sorter(plain("searchsorted", sorter), rows), -1)
    end: Any = "right" if right or side == "right" else "left"
    if rows.ndim == 1:
        places = np.searchsorted(rows, values, end)
    else:
        if rows.shape[:-1] != values.shape[:-1]:
            raise ArgumentError(
                f"searchsorted: sequences {rows.shape} and input {values.shape} differ before the last dim"
            )
        places = np.empty(values.shape, np.int64)
        for row in np.ndindex(rows.shape[:-1]):
            places[row] = np.searchsorted(rows[row], values[row], end)
    return dressed(np.asarray(places).astype(np.int32 if out_int32 else np.int64), sorted_sequence, input)


def _checked_sorter(order: NDArray, rows: NDArray) -> NDArray:
    if order.dtype != np.int64:
        raise ArgumentError(f"searchsorted: sorter has dtype {order.dtype}; expected int64, what argsort gives")
    if order.shape != rows.shape:
        raise ArgumentError(f"searchsorted: sorter has shape {order.shape}, the sequence {rows.shape}; expected equal")
    if order.size and (order.min() < 0 or order.max() >= rows.shape[-1]):
        raise ArgumentError(f"searchsorted: sorter index out of range for sequences of {rows.shape[-1]} elements")
    return order


def bucketize(input: A, boundaries: ArrayLike, *, out_int32: bool = False, right: bool = False) -> A:
    """Which of the parts between sorted boundaries each value lies in; see `searchsorted`.

    The result has the shape of `input`: int64, or int32 if `out_int32`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bucketize(tg.tensor([0, 3, 9]), tg.tensor([1, 3, 5]))
    tensor([0, 1, 3])
    """
    if len(shape_of(boundaries)) != 1:
        raise ArgumentError(f"bucketize: boundaries have shape {shape_of(boundaries)}; expected 1 dim")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
