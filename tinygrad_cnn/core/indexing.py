"""Reading and writing elements by index. Reading and putting at the same index are each other's VJP."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.shape import Expand
from tinygrad_cnn.core.types import Array, Shape
from tinygrad_cnn.kernels.scatter import add_at

Index = Any
"""Whatever stands between the brackets: integers, slices, None, ..., integer and boolean arrays, tuples of them."""
Path = tuple[tuple[type[Op], dict[str, Any]], ...]
"""The ops that lead from a tensor to a view of it, with their options."""


class GetItem(Op):
    """y = x[index]        dx = g put at the index of zeros, added up where an element was read twice"""

    linear = "jointly"
    views = True

    def forward(x: Array, *, index: Index) -> Array:
        y = x[index]
        if type(x) is np.ndarray and type(y) is not np.ndarray:  # one element: NumPy gives a number, not its place
            y = x[(*index, ...) if type(index) is tuple else (index, ...)]
        return y

    def d_x(g: Array, x_shape: Shape, *, index: Index) -> Array:
        return PutItem.apply(g, index=index, shape=x_shape)

    def add_derivative(total: Array, g: Array, *, index: Index) -> None:
        if is_basic(index):
            total[index] += g
        else:
            add_at(total, index, g)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, smallest=1), Real())
        return Sample((x,), {"index": sample_index(draw, x.shape)})


class CopySlices(Op):
    """y = x with v written into a view        dx = g, 0 in the view;  dv = that view of g, 0 where a later v won"""

    linear = "jointly"

    def forward(x: Array, v: Array, *, path: Path) -> Array:
        y = np.array(x)
        part = viewed(y, path)
        if np.may_share_memory(part, y):
            part[...] = v
        else:  # a shape that this order of memory has no view for
            y.flat[viewed(np.arange(y.size).reshape(y.shape), path)] = v
        return y

    def d_x(g: Array, v_shape: Shape, *, path: Path) -> Array:
        return CopySlices.apply(g, np.zeros(v_shape, g.dtype), path=path)

    def d_v(g: Array, *, path: Path) -> Array:
        d = viewed(g, path)
        if not any(op.overlaps for op, _ in path):
            return d
        order = np.arange(np.prod(d.shape, dtype=np.int64)).reshape(d.shape)
        return d * (viewed(CopySlices.forward(np.zeros(g.shape, np.int64), order, path=path), path) == order)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, smallest=1), Real())
        path: Path = ((GetItem, {"index": (slice(None, None, draw.integer(1, 2)),)}),) * draw.integer(1, 2)
        path += ((Expand, {"shape": (2, *viewed(x, path).shape)}),) * draw.integer(0, 1)
        return Sample((x, draw.array(viewed(x, path).shape, Real())), {"path": path})


class PutItem(Op):
    """y = zeros with x added at the index        dx = g[index]"""

    linear = "jointly"

    def forward(x: Array, *, index: Index, shape: Shape) -> Array:
        y = np.zeros(shape, np.asarray(x).dtype)
        if is_basic(index):
            y[index] = x
        else:
            add_at(y, index, x)
        return y

    def d_x(g: Array, *, index: Index) -> Array:
        return GetItem.apply(g, index=index)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = draw.shape(1, smallest=1)
        index = sample_index(draw, shape)
        x = draw.array(np.zeros(shape)[index].shape, Real())
        return Sample((x,), {"index": index, "shape": shape})


class SetItem(Op):
    """y = x with y[index] = v        dx = g, 0 at the index;  dv = g[index], 0 where a later write won"""

    linear = "jointly"
    kinks = (
        Kink(
            "an element written twice: the last write wins",
            (np.zeros(2), np.array([1.0, 2.0])),
            (np.array([0.0, 1.0]), np.array([0.0, 1.0])),
            {"index": (np.array([0, 0]),)},
        ),
    )

    def forward(x: Array, v: Array, *, index: Index) -> Array:
        y = np.array(x)
        y[index] = v
        return y

    def d_x(g: Array, *, index: Index) -> Array:
        return np.zeros(g.shape, g.dtype) if index is ... else SetItem.apply(g, 0.0, index=index)

    def d_v(g: Array, v_shape: Shape, *, index: Index) -> Array:
        read = GetItem.apply(g, index=index)
        if not is_basic(index):
            read = read * last_writes(g.shape, index, read.shape)
        return unbroadcast(read, v_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, smallest=1), Real())
        index = sample_index(draw, x.shape)
        place = x[index].shape
        fits = tuple(1 if draw.boolean() else n for n in place)[draw.integer(0, len(place)) :]
        return Sample((x, draw.array(fits, Real())), {"index": index})


def viewed(x: Array, path: Path) -> Array:
    """The view of a view of … of x."""
    for op, options in path:
        x = op.apply(x, **options)
    return x


def is_basic(index: Index) -> bool:
    """Whether an index has only integers, slices, None and an ellipsis: no element is read twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        p is None or p is Ellipsis or (isinstance(p, (slice, int, np.integer)) and not isinstance(p, bool))
        for p in parts
    )


def last_writes(shape: Shape, index: Index, place: Shape) -> Array:
    """Of the values written at the index, True for those that were not overwritten by a later one."""
    order = np.arange(int(np.prod(place, dtype=np.int64))).reshape(place)
    written = np.zeros(shape, np.int64)
    written[index] = order
    return written[index] == order


def sample_index(draw: Draw, shape: Shape) -> Index:
    """An index that fits the shape, of every form; the simplest takes all.

    Integers, slices with steps, None, ..., integer arrays (repeating, broadcast against each other) and masks over
    one axis or several, alone and mixed.
    """
    kind = draw.choice(["basic", "arrays", "mask"]) if shape else "basic"
    special = draw.integer(0, len(shape) - 1) if shape else 0
    place = tuple(draw.integers(0, 3, draw.integer(1, 2)))
    parts: list[Index] = []
    covered, mask = 0, np.ones((), bool)
    if kind == "mask":
        covered = draw.integer(1, len(shape) - special)
        masked = shape[special : special + covered]
        mask = np.array(draw.integers(0, 1, int(np.prod(masked))), dtype=bool).reshape(masked)
        place = (int(np.sum(mask)),)
    for axis, n in enumerate(shape):
        if special <= axis < special + covered:
            parts += [mask] if axis == special else []
        elif kind == "arrays" and axis == special:
            parts.append(sample_places(draw, place, n))
        else:
            parts.append(sample_part(draw, place if kind != "basic" else None, n))
    how = draw.integer(0, 3)
    if how == 3 and parts:
        return parts[0]
    if how == 2:
        del parts[draw.integer(0, len(parts)) :]
    if how == 1:
        first = draw.integer(0, len(parts))
        after = first + draw.integer(0, len(parts) - first)
        parts[first:after] = [...]
    for _ in range(draw.integer(0, 2)):
        parts.insert(draw.integer(0, len(parts)), None)
    return tuple(parts)


def sample_part(draw: Draw, place: Shape | None, n: int) -> Index:
    """What stands for an axis of size n: a slice, an integer, or an integer array if there are others of a place."""
    how = draw.integer(0, 3)
    if how == 1 and n > 0:
        return draw.integer(-n, n - 1)
    if how == 2:
        start, stop = (draw.choice([None, draw.integer(-n, n)]) for _ in range(2))
        return slice(start, stop, draw.choice([None, 2, -1, -2]))
    return slice(None) if how < 3 or place is None else sample_places(draw, place, n)


def sample_places(draw: Draw, place: Shape, n: int) -> Index:
    """An integer array that broadcasts to the place; all of an axis without elements, unless nothing is read of it."""
    if n == 0:
        return np.zeros(place, np.int64) if 0 in place else slice(None)
    shape = tuple(1 if draw.integer(0, 3) == 3 else m for m in place)
    return np.array(draw.integers(-n, n - 1, int(np.prod(shape))), dtype=np.int64).reshape(shape)


def check_index(op: str, index: Index, shape: Shape) -> Index:
    """An index with lists and Tensors made arrays; IndexError, naming shape and index, if it does not fit."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(plain_part(op, part, shape) for part in parts)
    return plain[0] if len(plain) == 1 and is_basic(plain) else plain


def plain_part(op: str, part: Any, shape: Shape) -> Any:
    """One part of an index as NumPy takes it."""
    if part is None or part is Ellipsis or isinstance(part, (slice, int)):
        return part
    values = np.asarray(part)
    if values.ndim == 0 and values.dtype.kind in "iu":
        return int(values)
    if values.size == 0 and not hasattr(part, "dtype"):
        values = values.astype(np.int64)  # the empty list
    if values.dtype.kind not in "iub":
        raise IndexError(
            f"{op}: an index of dtype {values.dtype} for an input of shape {shape}; expected integers, slices, "
            "None, ... or integer or boolean arrays; convert it with .long()"
        )
    return values
