"""Arrays laid side by side, repeated, cut and turned, made of the moves in `shape`."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.checks import check_axis, check_broadcast, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, Array, Shape
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.checks import check_integer
from tinygrad_cnn.ops.indexing import getitem, index_select
from tinygrad_cnn.ops.reduce import sum
from tinygrad_cnn.ops.shape import (
    broadcast_to,
    cat,
    clone,
    flatten,
    flip,
    repeat,
    reshape,
    split,
    stack,
    transpose,
    unsqueeze,
)
from tinygrad_cnn.ops.untracked import plain
from tinygrad_cnn.torch_names.size import Size

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors", "cartesian_prod", "column_stack",
    "combinations", "dsplit", "dstack", "fliplr", "flipud", "hsplit", "hstack", "meshgrid", "repeat_interleave",
    "rot90", "row_stack", "split_with_sizes", "tensor_split", "tile", "vsplit", "vstack",
]  # fmt: skip


def unpacked(op: str, tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arrays of ``f(a, b)`` and ``f([a, b])`` alike."""
    listed = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if not listed:
        raise ArgumentError(f"{op}: got no tensors; expected at least one")
    return listed


@overload
def atleast_1d(tensors: Sequence[A], /) -> tuple[A, ...]: ...
@overload
def atleast_1d(tensor: A, /) -> A: ...
@overload
def atleast_1d(*tensors: A) -> tuple[A, ...]: ...
def atleast_1d(*tensors: Any) -> Any:
    """With a dim, if there was none.

    Several tensors, or a tuple of them, give a tuple. The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.atleast_1d(tg.tensor(3.0))
    tensor([3.])
    """
    return _atleast("atleast_1d", tensors, _at_least_1d)


@overload
def atleast_2d(tensors: Sequence[A], /) -> tuple[A, ...]: ...
@overload
def atleast_2d(tensor: A, /) -> A: ...
@overload
def atleast_2d(*tensors: A) -> tuple[A, ...]: ...
def atleast_2d(*tensors: Any) -> Any:
    """With at least 2 dims: a row, if there was one.

    Several tensors, or a tuple of them, give a tuple. The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.atleast_2d(tg.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """
    return _atleast("atleast_2d", tensors, _at_least_2d)


@overload
def atleast_3d(tensors: Sequence[A], /) -> tuple[A, ...]: ...
@overload
def atleast_3d(tensor: A, /) -> A: ...
@overload
def atleast_3d(*tensors: A) -> tuple[A, ...]: ...
def atleast_3d(*tensors: Any) -> Any:
    """With at least 3 dims: a vector becomes (1, n, 1), a matrix (n, m, 1).

    Several tensors, or a tuple of them, give a tuple. The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.atleast_3d(tg.tensor([1.0, 2.0])).shape
    torch.Size([1, 2, 1])
    """
    return _atleast("atleast_3d", tensors, _at_least_3d)


def _at_least_1d(x: Array) -> Array:
    return x if shape_of(x) else reshape(x, 1)


def _at_least_3d(x: Array) -> Array:
    return x if len(shape_of(x)) > 2 else unsqueeze(_at_least_2d(x), -1)


def _at_least_2d(x: Array) -> Array:
    shape = shape_of(x)
    return x if len(shape) > 1 else reshape(x, (1, *(shape or (1,))))


def _atleast(op: str, tensors: tuple[Any, ...], change: Any) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], (list, tuple)):
        return change(tensors[0])
    return tuple(change(x) for x in unpacked(op, tensors))


def hstack(tensors: Sequence[A]) -> A:
    """Side by side: along dim 1, of vectors along dim 0.

    All other sizes must be equal, or it is a ValueError; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.hstack((tg.tensor([1, 2]), tg.tensor([3])))
    tensor([1, 2, 3])
    """
    parts = [_at_least_1d(x) for x in unpacked("hstack", (tensors,))]
    return cat(parts, 0 if len(shape_of(parts[0])) == 1 else 1)


def vstack(tensors: Sequence[A]) -> A:
    """One below the other: along dim 0, vectors as rows.

    All other sizes must be equal, or it is a ValueError; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.vstack((tg.tensor([1, 2]), tg.tensor([3, 4])))
    tensor([[1, 2],
            [3, 4]])
    """
    parts = unpacked("vstack", (tensors,))
    if {shape_of(x) for x in parts} == {shape_of(parts[0])} and len(shape_of(parts[0])) == 1:
        return stack(parts)
    return cat([_at_least_2d(x) for x in parts], 0)


row_stack = vstack


def dstack(tensors: Sequence[A]) -> A:
    """One behind the other: along dim 2.

    All other sizes must be equal, or it is a ValueError; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.dstack((tg.tensor([1, 2]), tg.tensor([3, 4])))
    tensor([[[1, 3],
             [2, 4]]])
    """
    return cat([_at_least_3d(x) for x in unpacked("dstack", (tensors,))], 2)


def column_stack(tensors: Sequence[A]) -> A:
    """Side by side along dim 1, vectors as columns.

    All other sizes must be equal, or it is a ValueError; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.column_stack((tg.tensor([1, 2]), tg.tensor([3, 4])))
    tensor([[1, 3],
            [2, 4]])
    """
    parts = unpacked("column_stack", (tensors,))
    return cat([x if len(shape_of(x)) > 1 else reshape(x, (-1, 1)) for x in parts], 1)


@flexible
def tile(input: A, *dims: Any) -> A:
    """The whole array laid several times along its last dims; see `repeat`.

    The dtype stays; missing dims count as 1.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tile(tg.tensor([1, 2]), (2, 2))
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = tuple(dims[0]) if len(dims) == 1 and isinstance(dims[0], Sequence) else dims
    return repeat(input, (1,) * (len(shape_of(input)) - len(times)) + times)


@flexible
def repeat_interleave(input: A, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> A:
    """Each element (slice of a dim) several times, one after the other; `repeats` is a number, or one for each.

    Without a dim the input is flattened. The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.repeat_interleave(tg.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    >>> tg.repeat_interleave(tg.tensor([[1, 2], [3, 4]]), tg.tensor([1, 2]), dim=0)
    tensor([[1, 2],
            [3, 4],
            [3, 4]])
    """
    x = flatten(input) if dim is None else input
    axis = check_axis("repeat_interleave", 0 if dim is None else dim, max(len(shape_of(x)), 1))
    x = x if shape_of(x) else reshape(x, 1)
    length = shape_of(x)[axis]
    times = plain("repeat_interleave", repeats)
    check_integer("repeat_interleave", "repeats", times)
    if times.ndim > 1 or (times.ndim == 1 and len(times) not in (1, length)) or (times < 0).any():
        raise ArgumentError(f"repeat_interleave: repeats {repeats!r} do not fit the {length} slices of dim {dim}")
    places = np.repeat(np.arange(length), np.broadcast_to(times, (length,)))
    if output_size is not None and output_size != len(places):
        raise ArgumentError(f"repeat_interleave: output_size is {output_size}, the result has {len(places)} slices")
    return index_select(x, axis, places)


@flexible
def tensor_split(input: A, indices_or_sections: Any, dim: int = 0) -> tuple[A, ...]:
    """Parts of a dim: so many, as equal as can be, or cut before the given places.

    The parts are views: they share the memory of the input and keep its dtype. The dim must exist.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tensor_split(tg.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> tg.tensor_split(tg.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    shape = shape_of(input)
    axis = check_axis("tensor_split", dim, len(shape))
    length = shape[axis]
    if isinstance(indices_or_sections, (str, float)):
        raise TypeError(f"tensor_split: got {indices_or_sections!r}; expected how many parts, or where they begin")
    if not shape_of(indices_or_sections):
        n = int(indices_or_sections)
        if n <= 0:
            raise ArgumentError(f"tensor_split: {n} sections; expected at least 1")
        ends = list(accumulate(length // n + (k < length % n) for k in range(n)))[:-1]
    else:
        ends = [int(k) for k in plain("tensor_split", indices_or_sections)]
    lead = (slice(None),) * axis
    return tuple(getitem(input, (*lead, slice(a, b))) for a, b in zip([0, *ends], [*ends, length], strict=True))


def hsplit(input: A, indices_or_sections: Any) -> tuple[A, ...]:
    """Parts of dim 1, of a vector of dim 0; see `tensor_split`.

    The parts are views: they share the memory of the input and keep its dtype. The dim must exist.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.hsplit(tg.tensor([[1, 2], [3, 4]]), 2)
    (tensor([[1],
            [3]]), tensor([[2],
            [4]]))
    """
    return _split_along("hsplit", input, indices_or_sections, 1 if len(shape_of(input)) > 1 else 0, 1)


def vsplit(input: A, indices_or_sections: Any) -> tuple[A, ...]:
    """Parts of dim 0; see `tensor_split`.

    The parts are views: they share the memory of the input and keep its dtype. The dim must exist.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.vsplit(tg.tensor([[1, 2], [3, 4]]), 2)
    (tensor([[1, 2]]), tensor([[3, 4]]))
    """
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: A, indices_or_sections: Any) -> tuple[A, ...]:
    """Parts of dim 2; see `tensor_split`.

    The parts are views: they share the memory of the input and keep its dtype. The dim must exist.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> [part.shape for part in tg.dsplit(tg.zeros(2, 3, 4), 2)]
    [torch.Size([2, 3, 2]), torch.Size([2, 3, 2])]
    """
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


def _split_along(op: str, x: Array, where: Any, axis: int, least: int) -> tuple[Array, ...]:
    shape = shape_of(x)
    if len(shape) < least:
        raise ArgumentError(f"{op}: input has shape {shape}; expected at least {least} dims")
    if isinstance(where, int) and (where <= 0 or shape[axis] % where):
        raise ArgumentError(f"{op}: {where} sections do not divide dim {axis} of shape {shape}")
    return tensor_split(x, where, axis)


@flexible
def split_with_sizes(input: A, split_sizes: Sequence[int], dim: int = 0) -> tuple[A, ...]:
    """Parts of a dim of these sizes; see `split`.

    The parts are views: they share the memory of the input and keep its dtype. The dim must exist.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.split_with_sizes(tg.arange(5), [2, 3])
    (tensor([0, 1]), tensor([2, 3, 4]))
    """
    return split(input, split_sizes, dim)


def fliplr(input: A) -> A:
    """Mirrored left to right: dim 1 reversed.

    A copy of the same shape and dtype. The input needs at least 2 dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.fliplr(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if len(shape_of(input)) < 2:
        raise ArgumentError(f"fliplr: input has shape {shape_of(input)}; expected at least 2 dims")
    return flip(input, 1)


def flipud(input: A) -> A:
    """Mirrored top to bottom: dim 0 reversed.

    A copy of the same shape and dtype. The input needs at least 1 dim.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.flipud(tg.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if not shape_of(input):
        raise ArgumentError("flipud: input has no dims; expected at least 1")
    return flip(input, 0)


def rot90(input: A, k: int = 1, dims: Sequence[int] = (0, 1)) -> A:
    """Turned by 90 degrees `k` times in the plane of two dims, from the first towards the second.

    The dtype stays; the two sizes change places if `k` is odd.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.rot90(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    ndim = len(shape_of(input))
    if len(dims) != 2 or ndim < 2:
        raise ArgumentError(f"rot90: dims {dims!r} of an input of {ndim} dims; expected two of at least two")
    a, b = (check_axis("rot90", d, ndim) for d in dims)
    if a == b:
        raise ArgumentError(f"rot90: dims {tuple(dims)} name one dim twice")
    turns = k % 4
    if turns == 0:
        return clone(input)
    if turns == 2:
        return flip(input, a, b)
    return transpose(flip(input, b), a, b) if turns == 1 else flip(transpose(input, a, b), b)


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that arrays of these shapes broadcast to.

    A ValueError if they do not broadcast.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    return Size(check_broadcast("broadcast_shapes", *((s,) if isinstance(s, int) else tuple(s) for s in shapes)))


@overload
def broadcast_tensors(tensors: Sequence[A], /) -> tuple[A, ...]: ...
@overload
def broadcast_tensors(*tensors: A) -> tuple[A, ...]: ...
def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Each repeated to the common shape, without copying.

    The results share memory with the inputs; dtypes stay. ValueError if the shapes do not broadcast.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.broadcast_tensors(tg.tensor([1, 2]), tg.tensor([[3], [4]]))
    (tensor([[1, 2],
            [1, 2]]), tensor([[3, 3],
            [4, 4]]))
    """
    parts = unpacked("broadcast_tensors", tensors)
    shape: Shape = check_broadcast("broadcast_tensors", *(shape_of(x) for x in parts))
    return tuple(x if shape_of(x) == shape else broadcast_to(x, shape) for x in parts)


@overload
def meshgrid(tensors: Sequence[A], /, *, indexing: str = "ij") -> tuple[A, ...]: ...
@overload
def meshgrid(*tensors: A, indexing: str = "ij") -> tuple[A, ...]: ...
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """The coordinates of a grid: of n vectors n arrays of n dims, dims 0 and 1 swapped for "xy".

    The results share memory with the inputs; dtypes stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.meshgrid(tg.tensor([1, 2]), tg.tensor([3, 4]), indexing="ij")
    (tensor([[1, 1],
            [2, 2]]), tensor([[3, 4],
            [3, 4]]))
    """
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f"meshgrid: indexing is {indexing!r}; it must be 'ij' or 'xy'")
    axes = [_at_least_1d(x) for x in unpacked("meshgrid", tensors)]
    if any(len(shape_of(x)) != 1 for x in axes):
        raise ArgumentError(f"meshgrid: shapes {[shape_of(x) for x in axes]}; expected vectors or numbers")
    shape = tuple(shape_of(x)[0] for x in axes)
    swapped = indexing == "xy" and len(axes) > 1
    grids = []
    for k, x in enumerate(axes):
        grid = broadcast_to(reshape(x, tuple(-1 if a == k else 1 for a in range(len(axes)))), shape)
        grids.append(transpose(grid, 0, 1) if swapped else grid)
    return tuple(grids)


def cartesian_prod(*tensors: A) -> A:
    """Every choice of one element of each vector, a row each.

    Vectors of one dtype; the result has a column for each.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cartesian_prod(tg.tensor([1, 2]), tg.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    parts = unpacked("cartesian_prod", tensors)
    if len(parts) == 1:
        return parts[0]
    return stack([flatten(grid) for grid in meshgrid(*parts)], 1)


def combinations(input: A, r: int = 2, with_replacement: bool = False) -> A:
    """Every choice of `r` elements of a vector, a row each, in the vector's order.

    The input is a vector; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.combinations(tg.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if len(shape_of(input)) != 1:
        raise ArgumentError(f"combinations: input has shape {shape_of(input)}; expected 1 dim")
    n = shape_of(input)[0]
    grid = np.indices((n,) * r).reshape(r, n**r) if r else np.zeros((0, 1), np.int64)
    rising = np.all(grid[:-1] <= grid[1:] if with_replacement else grid[:-1] < grid[1:], axis=0)
    return getitem(input, grid[:, rising].T) if r else getitem(input, np.zeros(0, np.int64))


@flexible
def sum_to_size(input: A, *size: Any) -> A:
    """Summed over the dims along which an array of this shape would be broadcast.

    The dtype stays. The shape must broadcast to that of the input.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], Sequence) else tuple(size)
    if check_broadcast("sum_to_size", shape_of(input), shape) != shape_of(input):
        raise ArgumentError(f"sum_to_size: input of shape {shape_of(input)} is no broadcast of {shape}")
    have = shape_of(input)
    lead = len(have) - len(shape)
    if not shape:
        return sum(input)
    axes = [k for k, n in enumerate(have) if k < lead or (shape[k - lead] == 1 and n != 1)]
    return reshape(sum(input, axes, True), shape) if axes else input
