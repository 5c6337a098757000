"""Windows on the same memory that other ops cannot give: by strides, in overlapping parts, as another dtype."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axis, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.indexing import PutItem
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.storage import in_order, owner, start
from tinygrad_cnn.core.types import A, Array, DType, NDArray, Shape
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.checks import check_dtype
from tinygrad_cnn.ops.shape import reshape

__all__ = ["as_strided", "view"]


class Strided(Op):
    """y[i, j, …] = m[offset + i s₀ + j s₁ + …], m the memory from x on        dx = g added up at the places of x

    Elements of x that lie in one place get equal shares.
    """

    linear = "jointly"
    views = True
    overlaps = True
    kinks = (
        Kink(
            "two rows in one place",
            ([[1.0, 2.0], [1.0, 2.0]],),
            ([[0.5, 0.5], [0.5, 0.5]],),
            {"size": (2,), "stride": (1,), "offset": 0, "steps": (0, 1)},
        ),
    )

    def forward(x: Array, *, size: Shape, stride: Shape, offset: int, steps: Shape) -> Array:
        if tuple(step // x.itemsize for step in x.strides) != steps and x.size > 1:  # a cotangent, which lies otherwise
            which = _elements(x.shape, steps, _places(size, stride) + offset)
            return np.where(which < 0, x.dtype.type(0), x.reshape(-1)[which])
        memory = owner(x)
        seen = row_of(memory)
        if seen is None:
            raise ArgumentError(f"as_strided: the memory, of strides {memory.strides}, has gaps; clone() it")
        row = seen[: seen.size - seen.size % x.itemsize].view(x.dtype)
        first = (start(x) - start(memory)) // x.itemsize + offset
        if first < 0 or (0 not in size and first + _last(size, stride) >= row.size):
            raise ArgumentError(
                f"as_strided: size {size} with stride {stride} from element {first} on does not lie within memory of "
                f"{row.size} elements"
            )
        return np.lib.stride_tricks.as_strided(row[first:], size, [step * x.itemsize for step in stride])

    def d_x(g: Array, x_shape: Shape, *, size: Shape, stride: Shape, offset: int, steps: Shape) -> Array:
        which = _elements(x_shape, steps, _places(size, stride) + offset)
        count = int(np.prod(x_shape, dtype=np.int64))
        d = PutItem.apply(g[which >= 0], index=(which[which >= 0],), shape=(count,))
        seen = _elements(x_shape, steps, _places(x_shape, steps)).ravel()  # of elements in one place the last
        if (seen != np.arange(count)).any():  # each gets its share
            d = (d / np.maximum(np.bincount(seen, minlength=count), 1).astype(g.dtype))[seen]
        return d.reshape(x_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = np.array(draw.array(draw.shape(1, smallest=1), Real()), order="C")
        size = tuple(draw.integers(0, 3, draw.integer(0, 3)))
        stride = tuple(draw.integers(0, max(1, x.size // 4), len(size)))
        while size and _last(size, stride) >= x.size:
            size, stride = size[1:], stride[1:]
        offset = draw.integer(0, x.size - 1 - _last(size, stride))
        steps = tuple(step // x.itemsize for step in x.strides)
        return Sample((x,), {"size": size, "stride": stride, "offset": offset, "steps": steps})


def row_of(memory: NDArray) -> NDArray | None:
    """The bytes of memory without gaps, as one row; None if it has gaps."""
    lying = memory.transpose(sorted(range(memory.ndim), key=lambda axis: -memory.strides[axis]))
    lying = memory if memory.flags.c_contiguous else lying
    return lying.reshape(-1).view(np.uint8) if lying.flags.c_contiguous else None


def _last(size: Shape, stride: Shape) -> int:
    """How far the last element lies behind the first."""
    return sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if 0 not in size else 0


def _places(size: Shape, stride: Shape) -> NDArray:
    """How far each element lies behind the first."""
    places = np.zeros(size, np.int64)
    for axis, (n, step) in enumerate(zip(size, stride, strict=True)):
        places += (np.arange(n) * step).reshape(-1, *(1,) * (len(size) - axis - 1))
    return places


def _elements(shape: Shape, steps: Shape, seen: NDArray) -> NDArray:
    """Of places in memory, counted from the first element of an array that lies so, its elements; -1 if none."""
    own = _places(shape, steps)
    number = np.full(max(int(own.max(initial=0)), int(seen.max(initial=0))) + 1, -1)
    number[own] = np.arange(own.size).reshape(shape)
    return np.asarray(np.where(seen < 0, -1, number[np.maximum(seen, 0)]))


class Windows(Op):
    """y[…, k, …, i] = x[…, k step + i, …]        dx = g added up where windows overlap"""

    linear = "jointly"
    views = True
    overlaps = True

    def forward(x: Array, *, axis: int, size: int, step: int) -> Array:
        shape, steps = list(x.shape), list(x.strides)
        shape[axis], steps[axis] = (x.shape[axis] - size) // step + 1, x.strides[axis] * step
        return np.lib.stride_tricks.as_strided(
            x, (*shape, size), (*steps, x.strides[axis]), writeable=x.flags.writeable
        )

    def d_x(g: Array, x_shape: Shape, *, axis: int, size: int, step: int) -> Array:
        places = np.arange(0, x_shape[axis] - size + 1, step)[:, None] + np.arange(size)
        return PutItem.apply(np.moveaxis(g, -1, axis + 1), index=(slice(None),) * axis + (places,), shape=x_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, 4), Real())
        axis = draw.integer(0, x.ndim - 1)
        return Sample((x,), {"axis": axis, "size": draw.integer(0, x.shape[axis]), "step": draw.integer(1, 3)})


def unfold_windows(input: A, dimension: int, size: int, step: int) -> A:
    """The windows of a dim, `step` apart, their elements as a new last dim; they share memory.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tensor([1, 2, 3, 4]).unfold(0, 2, 1)
    tensor([[1, 2],
            [2, 3],
            [3, 4]])
    """
    shape = shape_of(input)
    axis = check_axis("unfold", dimension, max(len(shape), 1))
    length = shape[axis] if shape else 1
    if size > length or size < 0 or step <= 0:
        raise ArgumentError(f"unfold: windows of {size}, {step} apart, do not fit dim {dimension} of shape {shape}")
    if not shape:
        return reshape(input, 1)[:size]
    return Windows.apply(input, axis=axis, size=size, step=step)


def as_strided(input: A, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> A:
    """A window on the memory of the input, with these sizes and strides, counted in elements.

    It begins at the element `storage_offset` of the memory; by default where the input begins.

    The dtype stays. ValueError if the window does not lie within the memory.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.as_strided(tg.arange(4), (2, 2), (1, 1))
    tensor([[0, 1],
            [1, 2]])
    """
    array = _memory(input)
    sizes, steps = tuple(int(n) for n in size), tuple(int(n) for n in stride)
    if len(sizes) != len(steps) or min((*sizes, *steps, storage_offset or 0), default=0) < 0:
        raise ArgumentError(
            f"as_strided: size {sizes}, stride {steps}, offset {storage_offset}; all >= 0, as many strides"
        )
    begins = (start(array) - start(owner(array))) // array.itemsize
    offset = 0 if storage_offset is None else storage_offset - begins
    own = tuple(step // array.itemsize for step in array.strides)
    return Strided.apply(input, size=sizes, stride=steps, offset=offset, steps=own)


def _memory(value: Any) -> NDArray:
    """The array beneath a tensor, or an array as it is."""
    return in_order(value) if hasattr(value, "view_of") else np.asarray(value)


@flexible
def view(input: A, *shape: Any) -> A:
    """The same memory in another shape; one size may be -1 and is worked out. With a dtype instead, its bytes as that.

    Raises
    ------
    RuntimeError
        If the strides of the input have no such view; `reshape` copies then.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.arange(6).view(2, 3)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if len(shape) == 1 and not isinstance(shape[0], (int, np.integer, Sequence, np.ndarray)):
        return _as_dtype(input, check_dtype("view", shape[0]))
    before = _memory(input)
    try:
        y = reshape(input, *shape)
    except ArgumentError as error:
        raise ArgumentError(f"view{str(error).removeprefix('reshape')}") from None
    if before.size and owner(before) is not owner(_memory(y)):
        raise ArgumentError(
            f"view: size {shape_of(y)} is not compatible with the shape {before.shape} and the strides of the input: a "
            "dim spans two that do not lie together in memory; use reshape(), which copies, or contiguous() before"
        )
    return y


def _as_dtype(input: Any, dtype: DType) -> Any:
    array = _memory(input)
    try:
        seen = array.view(dtype)
    except ValueError as error:
        raise ArgumentError(f"view: shape {array.shape} and dtype {array.dtype} as {dtype}: {error}") from None
    return input.sharing(seen) if hasattr(input, "view_of") else seen
