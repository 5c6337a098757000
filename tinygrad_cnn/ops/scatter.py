"""Writing by index without changing the input, and reading where a condition holds: made of `SetItem` and `GetItem`."""

import math
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tinygrad_cnn.core.checks import check_axis, check_broadcast, dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.indexing import PutItem, SetItem
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Shape
from tinygrad_cnn.kernels.scatter import add_at
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.checks import check_integer, check_mask, check_ndim, check_range, check_same_dtype
from tinygrad_cnn.ops.indexing import along_axis, gather, getitem, scatter_add, setitem
from tinygrad_cnn.ops.piecewise import Where
from tinygrad_cnn.ops.shape import broadcast_to, cat, clone, flatten, reshape
from tinygrad_cnn.ops.untracked import dressed, is_tracked, plain

__all__ = [
    "argwhere", "index_add", "index_copy", "index_fill", "index_put", "index_reduce", "masked_scatter", "nonzero",
    "put", "scatter", "scatter_reduce", "select_scatter", "slice_scatter", "take", "take_along_dim", "where",
]  # fmt: skip


@flexible
def scatter(
    input: A, dim: int, index: ArrayLike, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> A:
    """Write along a dim: ``out[index[i][j]][j] = src[i][j]`` for dim 0, and so on, on a copy of `input`.

    `src` may be a number (or given as `value`). With `reduce` "add" or "multiply" what is there stays in the result.

    Shape and dtype stay; `src` must have the same dtype, `index` integers. IndexError for a place that is not
    there.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.scatter(tg.zeros(3), 0, tg.tensor([2, 0]), tg.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    if reduce not in (None, "add", "multiply"):
        raise ArgumentError(f"scatter: reduce is {reduce!r}; it must be 'add' or 'multiply'")
    written = _scattered("scatter", input, dim, index, value if src is None else src)
    if written is None:
        return clone(input)
    x, axis, numbers, source = written
    places = along_axis(numbers, axis)
    if reduce is None:
        return reshape(SetItem.apply(x, source, index=places), shape_of(input))
    if reduce == "add":
        value = source if hasattr(type(source), "__record__") else np.asarray(source, dtype_of(x))
        added = source if shape_of(source) else broadcast_to(value, numbers.shape)
        return reshape(scatter_add(x, axis, numbers, added), shape_of(input))
    values = np.array(plain("scatter", x))
    np.multiply.at(values, places, np.asarray(plain("scatter", source)).astype(values.dtype))
    return dressed(values.reshape(shape_of(input)), input, index)


def _scattered(op: str, input: Array, dim: int, index: Array, source: Any) -> tuple[Any, int, NDArray, Any] | None:
    """The input, the axis, the index and the source, of its size, of at least one dim; None if the index is empty."""
    if shape_of(source) or hasattr(type(source), "__record__"):
        check_same_dtype(op, input, source)
    shape, wanted = shape_of(input) or (1,), shape_of(index) or (1,)
    axis = check_axis(op, dim, len(shape))
    check_integer(op, "index", index)
    numbers = plain(op, index).reshape(wanted)
    if not numbers.size:
        return None
    if len(shape) != len(wanted) or any(m > n for a, (n, m) in enumerate(zip(shape, wanted, strict=True)) if a != axis):
        raise ArgumentError(f"{op}: index has shape {wanted}, input {shape}; expected as many dims, none larger")
    check_range(op, "index", numbers, shape[axis])
    given = shape_of(source)
    if given:
        if len(given) != len(wanted) or any(m > n for n, m in zip(given, wanted, strict=True)):
            raise ArgumentError(f"{op}: src has shape {given}; index of shape {wanted} must fit into it")
        source = getitem(source, tuple(slice(n) for n in wanted))
    return reshape(input, shape), axis, numbers, source


@flexible
def scatter_reduce(
    input: A, dim: int, index: ArrayLike, src: ArrayLike, reduce: str, *, include_self: bool = True
) -> A:
    """Reduce along a dim the elements of `src` that go to one place: "sum", "prod", "mean", "amax" or "amin".

    With `include_self` what was there counts, too. Of several that are the largest (or smallest) each gets an equal
    share of the gradient. The mean of integers is rounded down.

    Shape and dtype stay; `src` must have the same dtype, `index` integers. ValueError for another word than these.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.scatter_reduce(tg.zeros(2), 0, tg.tensor([0, 0, 1]), tg.tensor([1.0, 2.0, 3.0]), "sum")
    tensor([3., 3.])
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ArgumentError(f"scatter_reduce: reduce is {reduce!r}; it must be 'sum', 'prod', 'mean', 'amax' or 'amin'")
    written = _scattered("scatter_reduce", input, dim, index, src)
    if written is None:
        return clone(input)
    x, axis, numbers, source = written
    source = source if shape_of(source) else reshape(source, (1,) * numbers.ndim)
    places = along_axis(numbers, axis)
    if reduce in ("sum", "mean"):
        start = x if include_self else SetItem.apply(x, np.zeros((), dtype_of(x)), index=places)
        total = scatter_add(start, axis, numbers, source)
        if reduce == "mean":
            count = np.maximum(_counts(shape_of(x), places, include_self), 1).astype(dtype_of(x))
            total = total / count if count.dtype.kind == "f" else total // count
        return reshape(total, shape_of(input))
    tracked = is_tracked(x) or is_tracked(source)
    if reduce == "prod" and tracked:
        start = x if include_self else SetItem.apply(x, np.ones((), dtype_of(x)), index=places)
        count = np.arange(math.prod(shape_of(x))).reshape(shape_of(x))
        groups = np.concatenate([count.reshape(-1), count[places].reshape(-1)])
        return reshape(_products(cat([flatten(start), flatten(source)]), groups), shape_of(input))
    function = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce]
    values, sources = np.array(plain("scatter_reduce", x)), plain("scatter_reduce", source)
    if not include_self:
        values[places] = 1 if reduce == "prod" else sources
    function.at(values, places, sources)
    if not tracked:
        return dressed(values.reshape(shape_of(input)), input, index, src)
    kept = plain("scatter_reduce", x) == values
    if not include_self:
        kept[places] = False
    untouched = _counts(shape_of(x), places, False) == 0
    chosen = sources == values[places]
    ties = np.array(kept | untouched).astype(np.int64)
    add_at(ties, places, chosen)
    total = scatter_add(where(kept | untouched, x, 0.0), axis, numbers, where(chosen, source, 0.0))
    return reshape(total / ties.astype(dtype_of(x)), shape_of(input))


def _products(values: A, groups: NDArray) -> A:
    """The product of the values of each group, in the order of the groups' numbers.

    Neighbours are multiplied in pairs until one value of each group is left: the derivative by each value is the
    product of the others, also where some are 0.
    """
    order = np.argsort(groups, kind="stable")
    values, groups = values[order], groups[order]
    while (repeats := groups[1:] == groups[:-1]).any():
        starts = np.flatnonzero(np.concatenate([[True], ~repeats]))
        ranks = np.arange(len(groups)) - np.repeat(starts, np.diff(starts, append=len(groups)))
        kept = np.flatnonzero(ranks % 2 == 0)
        paired = np.append(repeats, False)[kept]
        values, groups = values[kept] * where(paired, values[kept + paired], 1.0), groups[kept]
    return values


def _counts(shape: Shape, places: tuple[Any, ...], first: bool) -> NDArray:
    """How many elements go to each place, with what was there if it is to count."""
    counts = np.full(shape, int(first))
    add_at(counts, places, 1)
    return counts


@flexible
def index_reduce(
    input: A, dim: int, index: ArrayLike, source: ArrayLike, reduce: str, *, include_self: bool = True
) -> A:
    """Slices of `source` reduced into slices of a dim, as by `scatter_reduce`: "prod", "mean", "amax" or "amin".

    The result is a copy of the input: shape and dtype stay. The index is a vector of integers; the dtypes must be
    equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.zeros(2).index_reduce(0, tg.tensor([0, 0, 1]), tg.tensor([1.0, 2.0, 3.0]), "amax")
    tensor([2., 3.])
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ArgumentError(f"index_reduce: reduce is {reduce!r}; it must be 'prod', 'mean', 'amax' or 'amin'")
    axis, _, numbers = _slices("index_reduce", input, dim, index)
    _fits("index_reduce", input, axis, len(numbers), source)
    shape = shape_of(source) or (1,)
    places = np.broadcast_to(numbers.reshape((-1,) + (1,) * (len(shape) - axis - 1)), shape)
    x = reshape(input, shape_of(input) or (1,))
    reduced = scatter_reduce(x, axis, places, reshape(source, shape), reduce, include_self=include_self)
    return reshape(reduced, shape_of(input))


def _slices(op: str, input: Array, dim: int, index: Array) -> tuple[int, tuple[Any, ...], NDArray]:
    """The axis, the index tuple of some of its slices, and their numbers; checked."""
    shape = shape_of(input)
    axis = check_axis(op, dim, max(len(shape), 1))
    check_ndim(op, "index", index, (0, 1), "(n,)")
    check_integer(op, "index", index)
    numbers = np.atleast_1d(plain(op, index))
    check_range(op, "index", numbers, shape[axis] if shape else 1, lowest=-(shape[axis] if shape else 1))
    return axis, (slice(None),) * axis + (numbers,) if shape else (), numbers


def _fits(op: str, input: Array, axis: int, count: int, source: Array) -> None:
    shape = shape_of(input)
    expected = (*shape[:axis], count, *shape[axis + 1 :]) if shape else shape
    if shape_of(source) != expected:
        raise ArgumentError(f"{op}: source has shape {shape_of(source)}; {count} slices of {shape} are {expected}")


@flexible
def index_add(input: A, dim: int, index: ArrayLike, source: ArrayLike, *, alpha: float = 1) -> A:
    """``alpha * source`` added to slices of a dim, more than once where the index repeats.

    The result is a copy of the input: shape and dtype stay. The index is a vector of integers; the dtypes must be
    equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.index_add(tg.zeros(2), 0, tg.tensor([0, 0, 1]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([3., 3.])
    """
    axis, places, numbers = _slices("index_add", input, dim, index)
    _fits("index_add", input, axis, len(numbers), source)
    check_same_dtype("index_add", input, source)
    added = source if alpha == 1 else source * np.asarray(alpha).astype(dtype_of(source))
    return input + PutItem.apply(added, index=places, shape=shape_of(input))


@flexible
def index_copy(input: A, dim: int, index: ArrayLike, source: ArrayLike) -> A:
    """The slices of `source` written over slices of a dim.

    The result is a copy of the input: shape and dtype stay. The index is a vector of integers; the dtypes must be
    equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.index_copy(tg.zeros(3), 0, tg.tensor([2, 0]), tg.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    axis, places, numbers = _slices("index_copy", input, dim, index)
    _fits("index_copy", input, axis, len(numbers), source)
    check_same_dtype("index_copy", input, source)
    return SetItem.apply(input, source, index=places)


@flexible
def index_fill(input: A, dim: int, index: ArrayLike, value: Any) -> A:
    """One value written over slices of a dim.

    The result is a copy of the input: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.index_fill(tg.tensor([1.0, 2.0, 3.0]), 0, tg.tensor([0, 2]), 9.0)
    tensor([9., 2., 9.])
    """
    if shape_of(value):
        raise ArgumentError(f"index_fill: value has shape {shape_of(value)}; expected a number")
    _, places, _ = _slices("index_fill", input, dim, index)
    return SetItem.apply(input, value, index=places)


def index_put(input: A, indices: Sequence[Any], values: ArrayLike, accumulate: bool = False) -> A:
    """``input[indices] = values`` on a copy; with `accumulate`, added, more than once where an index repeats.

    Shape and dtype stay; the values must have the same dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.index_put(tg.zeros(3), (tg.tensor([0, 0]),), tg.tensor([1.0, 2.0]), accumulate=True)
    tensor([3., 0., 0.])
    """
    index = tuple(plain("index_put", part) if part is not None else slice(None) for part in indices)
    (*others, first) = index
    masked = not others and isinstance(first, np.ndarray) and first.dtype.kind == "b"
    if shape_of(values) or not masked:  # one number fills what a mask chooses
        check_same_dtype("index_put", input, values)
    if not accumulate:
        return setitem(input, index, values)
    place = np.empty(shape_of(input))[index].shape
    return input + PutItem.apply(broadcast_to(values, place), index=index, shape=shape_of(input))


def masked_scatter(input: A, mask: ArrayLike, source: ArrayLike) -> A:
    """The first elements of `source`, in order, where the mask, broadcast to the input, holds.

    The mask is bool; the dtypes must be equal. ValueError if `source` has too few elements.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.masked_scatter(tg.tensor([1, 2, 3]), tg.tensor([True, False, True]), tg.tensor([8, 9]))
    tensor([8, 2, 9])
    """
    shape = check_broadcast("masked_scatter", shape_of(input), shape_of(mask))
    chosen = np.broadcast_to(_mask("masked_scatter", mask), shape)
    count = int(chosen.sum())
    check_same_dtype("masked_scatter", input, source)
    values = flatten(source)
    if shape_of(values)[0] < count:
        raise ArgumentError(f"masked_scatter: source has {shape_of(values)[0]} elements, the mask holds at {count}")
    return SetItem.apply(broadcast_to(input, shape), values[:count], index=(chosen,))


def _mask(op: str, mask: Array) -> NDArray:
    check_mask(op, mask)
    return plain(op, mask)


def take(input: A, index: ArrayLike) -> A:
    """Elements of the flattened input by their numbers, in the shape of the index.

    The dtype stays. IndexError for a number that is too large.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.take(tg.tensor([[1, 2], [3, 4]]), tg.tensor([0, 3]))
    tensor([1, 4])
    """
    check_integer("take", "index", index)
    places = plain("take", index)
    n = int(np.prod(shape_of(input), dtype=np.int64))
    check_range("take", "index", places, n, lowest=-n)
    return reshape(getitem(flatten(input), (places.reshape(-1),)), places.shape)


@flexible
def take_along_dim(input: A, indices: ArrayLike, dim: int | None = None) -> A:
    """Read along a dim as `gather` does, the other dims broadcast; without a dim, from the flattened input.

    The dtype stays; the indices are integers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.take_along_dim(tg.tensor([[3, 1], [2, 4]]), tg.tensor([[1], [0]]), dim=1)
    tensor([[1],
            [2]])
    """
    if dim is None:
        return gather(flatten(input), 0, plain("take_along_dim", indices).reshape(-1))
    shape, wanted = shape_of(input), shape_of(indices)
    axis = check_axis("take_along_dim", dim, len(shape))
    if len(shape) != len(wanted):
        raise ArgumentError(f"take_along_dim: input has shape {shape}, indices {wanted}; expected as many dims")
    others = check_broadcast("take_along_dim", _without(shape, axis), _without(wanted, axis))
    numbers = plain("take_along_dim", indices)
    numbers = np.where(numbers < 0, numbers + shape[axis], numbers)
    places = np.broadcast_to(numbers, (*others[:axis], wanted[axis], *others[axis + 1 :]))
    return gather(broadcast_to(input, (*others[:axis], shape[axis], *others[axis + 1 :])), axis, places)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], 1, *shape[axis + 1 :])


@overload
def nonzero(input: A, *, as_tuple: Literal[False] = False) -> A: ...
@overload
def nonzero(input: A, *, as_tuple: bool) -> tuple[A, ...]: ...
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Where the elements are not 0: their indices as rows (n, dims), or for each dim those of all of them.

    The indices are int64, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nonzero(tg.tensor([0, 5, 7]))
    tensor([[1],
            [2]])
    >>> tg.nonzero(tg.tensor([0, 5, 7]), as_tuple=True)
    (tensor([1, 2]),)
    """
    values = plain("nonzero", input)
    found = np.nonzero(np.atleast_1d(values))
    if as_tuple:
        return dressed(tuple(found), input)
    rows = np.stack(found, axis=1) if values.ndim else np.zeros((len(found[0]), 0), np.int64)
    return dressed(rows, input)


def argwhere(input: A) -> A:
    """Where the elements are not 0, a row of indices for each.

    The indices are int64, without a gradient.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.argwhere(tg.tensor([[0, 5], [7, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    return nonzero(input)


@overload
def where(condition: A) -> tuple[A, ...]: ...
@overload
def where(condition: NDArray, input: A, other: float) -> A: ...
@overload
def where(condition: NDArray, input: float | NDArray, other: A) -> A: ...
@overload
def where(condition: NDArray, input: A, other: ArrayLike) -> A: ...
@overload
def where(condition: A, input: ArrayLike, other: ArrayLike) -> A: ...
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """Elements of `input` where the condition holds, else of `other`; of a condition alone, where it holds.

    Shapes broadcast; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.where(tg.tensor([True, False]), tg.tensor([1.0, 2.0]), tg.tensor([8.0, 9.0]))
    tensor([1., 9.])
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    return Where.apply(condition, input, other)


@flexible
def select_scatter(input: A, src: ArrayLike, dim: int, index: int) -> A:
    """One slice of a dim replaced by `src`.

    The result is a copy of the input; `src` has the shape of the slice.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.select_scatter(tg.zeros(2, 2), tg.tensor([1.0, 2.0]), 0, 1)
    tensor([[0., 0.],
            [1., 2.]])
    """
    axis = check_axis("select_scatter", dim, len(shape_of(input)))
    return setitem(input, (slice(None),) * axis + (index,), src)


@flexible
def slice_scatter(
    input: A, src: ArrayLike, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> A:
    """The slices of a dim from start to end replaced by `src`.

    The result is a copy of the input; `src` has the shape of the slices.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.slice_scatter(tg.zeros(3), tg.tensor([1.0, 2.0]), 0, 1)
    tensor([0., 1., 2.])
    """
    axis = check_axis("slice_scatter", dim, len(shape_of(input)))
    return setitem(input, (slice(None),) * axis + (slice(start, end, step),), src)


def put(input: A, index: ArrayLike, source: ArrayLike, accumulate: bool = False) -> A:
    """Elements of the flattened input replaced, or added to, by their numbers.

    The result is a copy of the input: shape and dtype stay; dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.zeros(2, 2).put(tg.tensor([0, 3]), tg.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    check_integer("put", "index", index)
    check_same_dtype("put", input, source)
    places = plain("put", index).reshape(-1)
    changed = index_put(flatten(input), (places,), flatten(source), accumulate)
    return reshape(changed, shape_of(input))
