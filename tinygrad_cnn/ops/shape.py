"""Ops that move elements about without changing them: each is linear, and its VJP moves them back."""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Literal

import numpy as np

from tinygrad_cnn.core.checks import check_axes, check_axis, check_broadcast, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError, PlaceError
from tinygrad_cnn.core.indexing import GetItem
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.shape import Cast, Expand, Permute, Reshape
from tinygrad_cnn.core.types import A, Array, Axis, NDArray, Shape
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.checks import check_dtype
from tinygrad_cnn.ops.untracked import plain
from tinygrad_cnn.torch_names.conversion import order_in_memory

__all__ = [
    "astype", "broadcast_to", "cat", "chunk", "clone", "concat", "concatenate", "diagonal", "expand", "flatten", "flip",
    "moveaxis", "movedim", "narrow", "pad", "permute", "ravel", "repeat", "reshape", "roll", "select", "split",
    "squeeze", "stack", "swapaxes", "swapdims", "t", "transpose", "tril", "triu", "unbind", "unflatten", "unsqueeze",
]  # fmt: skip


class Part(GetItem):
    """y = x[index], one of several parts        dx = g put at the index of zeros"""

    several = True
    forward = GetItem.forward


class Cat(Op):
    """y = the inputs one after the other along an axis        dx_i = g's part of input i, which ends at ends[i]

    Of an empty input that is `left_out`, as an empty vector is, it is nothing that g leads to.
    """

    linear = "jointly"
    promotes = True
    numpy = (np.concatenate,)

    def forward(*xs: Array, axis: int, ends: Shape, left_out: Shape = ()) -> Array:
        return np.concatenate(xs, axis)

    def d_xs(g: Array, i: int, *, axis: int, ends: Shape, left_out: Shape = ()) -> Array:
        part = g[(slice(None),) * axis + (slice(ends[i - 1] if i else 0, ends[i]),)]
        return np.zeros_like(part) if i in left_out else part

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = draw.shape(1)
        axis = draw.integer(0, len(shape) - 1)
        lengths = draw.integers(0, 3, draw.integer(1, 3))
        shapes = [(*shape[:axis], n, *shape[axis + 1 :]) for n in lengths]
        options = {"axis": axis, "ends": tuple(accumulate(lengths))}
        return Sample(tuple(draw.array(s, Real()) for s in shapes), options)


class Flip(Op):
    """y = x reversed along some axes        dx = g reversed along them"""

    linear = "jointly"

    def forward(x: Array, *, axes: tuple[int, ...]) -> Array:
        return np.array(np.flip(x, axes), order="C")

    def d_x(g: Array, *, axes: tuple[int, ...]) -> Array:
        return np.flip(g, axes)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(), Real())
        return Sample((x,), {"axes": check_axes("flip", draw.axes(x.ndim), x.ndim)})


class Roll(Op):
    """y = x shifted along some axes, what leaves coming in again        dx = g shifted back"""

    linear = "jointly"

    def forward(x: Array, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Array:
        return np.roll(x, shifts, axes)

    def d_x(g: Array, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Array:
        return np.roll(g, tuple(-s for s in shifts), axes)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1), Real())
        axes = check_axes("roll", draw.axes(x.ndim), x.ndim)
        return Sample((x,), {"shifts": tuple(draw.integers(-4, 4, len(axes))), "axes": axes})


class Tril(Op):
    """y = x with zeros above a diagonal of its last two axes        dx = g with the same zeros"""

    linear = "jointly"

    def forward(x: Array, *, k: int) -> Array:
        return np.tril(x, k)

    def d_x(g: Array, *, k: int) -> Array:
        return tril(g, k)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.array(draw.shape(2, 4), Real()),), {"k": draw.integer(-2, 2)})


class Triu(Op):
    """y = x with zeros below a diagonal of its last two axes        dx = g with the same zeros"""

    linear = "jointly"

    def forward(x: Array, *, k: int) -> Array:
        return np.triu(x, k)

    def d_x(g: Array, *, k: int) -> Array:
        return triu(g, k)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Tril.sample(draw)


class Diagonal(Op):
    """y[…, i] = x[…, i, …, i + k, …]        dx = g on that diagonal, 0 elsewhere"""

    linear = "jointly"
    views = True

    def forward(x: Array, *, offset: int, axis1: int, axis2: int) -> Array:
        y = np.diagonal(x, offset, axis1, axis2)
        y.flags.writeable = x.flags.writeable
        return y

    def d_x(g: Array, x_shape: Shape, *, offset: int, axis1: int, axis2: int) -> Array:
        return DiagonalPut.apply(g, shape=x_shape, offset=offset, axis1=axis1, axis2=axis2)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(2, 4), Real())
        axis1, axis2 = draw.permutation(x.ndim)[:2].tolist()
        return Sample((x,), {"offset": draw.integer(-2, 2), "axis1": axis1, "axis2": axis2})


class DiagonalPut(Op):
    """y = x on a diagonal of zeros        dx = that diagonal of g"""

    linear = "jointly"

    def forward(x: Array, *, shape: Shape, offset: int, axis1: int, axis2: int) -> Array:
        y = np.zeros(shape, x.dtype)
        view = np.moveaxis(y, (axis1, axis2), (-2, -1))
        rows = np.arange(x.shape[-1])
        view[..., rows - min(offset, 0), rows + max(offset, 0)] = x
        return y

    def d_x(g: Array, *, offset: int, axis1: int, axis2: int) -> Array:
        return diagonal(g, offset, axis1, axis2)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (like,), options = Diagonal.sample(draw)
        x = draw.array(Diagonal.forward(like, **options).shape, Real())
        return Sample((x,), {"shape": like.shape, **options})


class Pad(Op):
    """y = x with a constant around it        dx = g without the border"""

    def forward(x: Array, *, widths: tuple[tuple[int, int], ...], value: float) -> Array:
        return np.pad(x, widths, constant_values=value) if widths else np.array(x)

    def d_x(g: Array, x_shape: Shape, *, widths: tuple[tuple[int, int], ...]) -> Array:
        return g[tuple(slice(before, before + n) for (before, _), n in zip(widths, x_shape, strict=True))]

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(), Real())
        return Sample((x,), {"widths": tuple(draw.pair(0, 2) for _ in x.shape), "value": draw.choice([0.0, 1.5])})


class Clone(Op):
    """y = x, copied        dx = g"""

    linear = "jointly"

    def forward(x: Array, *, order: Literal["K", "C"] = "K") -> Array:
        return np.array(x, order=order)

    def d_x(g: Array) -> Array:
        return g

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.array(draw.shape(), Real()),), {"order": draw.choice("KC")})


def clone(input: A, *, memory_format: Any = None) -> A:
    """A copy in memory of its own, its axes in the same order there.

    Shape and dtype stay; the gradient flows through.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.clone(tg.tensor([1, 2]))
    tensor([1, 2])
    """
    order = order_in_memory("clone", memory_format, len(shape_of(input)))
    return _laid_out(input, order) if order else Clone.apply(input)


def in_format(op: str, x: A, memory_format: Any) -> A:
    """x as it is, or, if its format has the channels last and they are not, copied so."""
    order = order_in_memory(op, memory_format, len(shape_of(x)))
    return _laid_out(x, order) if order and not is_laid_out(x, order) else x


def is_laid_out(x: Array, order: tuple[int, ...]) -> bool:
    """Whether the axes lie in memory in this order."""
    array: Any = getattr(x, "array", x)
    return bool(array.transpose(order).flags.c_contiguous)


def _laid_out(x: A, order: tuple[int, ...]) -> A:
    moved = Clone.apply(permute(x, order), order="C")
    return permute(moved, tuple(order.index(axis) for axis in range(len(order))))


def astype(input: A, dtype: Any) -> A:
    """Converted to another dtype; the gradient comes back in the own one.

    The shape stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ops.astype(tg.tensor([1.5, 2.5]), "int64")
    tensor([1, 2])
    """
    return Cast.apply(input, dtype=check_dtype("astype", dtype))


@flexible
def reshape(input: A, *shape: Any) -> A:
    """The same elements in another shape; one size may be -1 and is worked out. Shares memory if it can.

    The dtype stays. ValueError if the number of elements does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.reshape(tg.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    wanted = _unpacked(shape)
    have = shape_of(input)
    total = math.prod(have)
    if list(wanted).count(-1) > 1 or any(n < -1 for n in wanted):
        raise ArgumentError(f"reshape: shape {wanted} is not valid; at most one size may be -1, none less")
    if -1 in wanted:
        known = -math.prod(wanted)
        if known == 0 or total % known:
            raise ArgumentError(
                f"reshape: cannot work out -1 in {wanted} for an input of shape {have} ({total} elements, which "
                f"{known} does not divide)"
            )
        wanted = tuple(total // known if n == -1 else n for n in wanted)
    if math.prod(wanted) != total:
        raise ArgumentError(
            f"reshape: input of shape {have} has {total} elements, shape {wanted} has {math.prod(wanted)}"
        )
    return Reshape.apply(input, shape=wanted)


def _unpacked(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes of `f(2, 3)`, `f((2, 3))` and `f(2)` alike."""
    if len(sizes) == 1 and isinstance(sizes[0], (Sequence, np.ndarray)):
        sizes = tuple(sizes[0])
    return tuple(int(n) for n in sizes)


@flexible
def permute(input: A, *dims: Any) -> A:
    """The dims in another order, all of them named.

    The result shares memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.permute(tg.zeros(2, 3, 4), (2, 0, 1)).shape
    torch.Size([4, 2, 3])
    """
    order, ndim = _unpacked(dims), len(shape_of(input))
    axes = check_axes("permute", order, ndim)
    if len(axes) != ndim:
        raise ArgumentError(
            f"permute: dims {order} name {len(axes)} of the input's {ndim} dims; name every one once, of the shape "
            f"{shape_of(input)}"
        )
    return Permute.apply(input, order=axes)


def transpose(input: A, dim0: int, dim1: int) -> A:
    """Two dims swapped.

    The result shares memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.transpose(tg.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([[1, 3],
            [2, 4]])
    """
    ndim = len(shape_of(input))
    a, b = (check_axis("transpose", dim, max(ndim, 1)) for dim in (dim0, dim1))
    if not ndim:
        return Permute.apply(input, order=())
    order = list(range(ndim))
    order[a], order[b] = b, a
    return Permute.apply(input, order=tuple(order))


def t(input: A) -> A:
    """The transpose of a matrix; a vector or number is returned as it is.

    The result shares memory with the input; the dtype stays. ValueError for more than 2 dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.t(tg.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    ndim = len(shape_of(input))
    if ndim > 2:
        raise ArgumentError(
            f"t: input has shape {shape_of(input)}; expected at most 2 dims, use .mT or permute, or transpose(a, b)"
        )
    return Permute.apply(input, order=tuple(reversed(range(ndim))))


swapaxes = swapdims = transpose


def movedim(input: A, source: int | Sequence[int], destination: int | Sequence[int]) -> A:
    """One dim, or several, moved to other places, the others keeping their order.

    The result shares memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.movedim(tg.zeros(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """
    ndim = len(shape_of(input))
    start, end = check_axes("movedim", source, ndim), check_axes("movedim", destination, ndim)
    if len(start) != len(end):
        raise ArgumentError(f"movedim: {len(start)} dims to {len(end)} places; give as many of both")
    order = [a for a in range(ndim) if a not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return Permute.apply(input, order=tuple(order))


moveaxis = movedim


def flatten(input: A, start_dim: int = 0, end_dim: int = -1) -> A:
    """The dims from start to end made one.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.flatten(tg.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    shape = shape_of(input) or (1,)
    first, last = check_axis("flatten", start_dim, len(shape)), check_axis("flatten", end_dim, len(shape))
    if first > last:
        raise ArgumentError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if first == last and shape_of(input):
        return input
    return Reshape.apply(input, shape=(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@flexible
def unflatten(input: A, dim: int, sizes: Sequence[int]) -> A:
    """One dim split into several; one size may be -1.

    The dtype stays. ValueError if the sizes do not multiply to that of the dim.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.unflatten(tg.zeros(2, 12), 1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    shape = shape_of(input)
    axis = check_axis("unflatten", dim, len(shape))
    known = math.prod(n for n in sizes if n != -1)
    parts = [shape[axis] // known if n == -1 and known else n for n in sizes]  # -1 is of this dim, others may be empty
    if not parts or min(parts) < 0 or list(sizes).count(-1) > 1 or math.prod(parts) != shape[axis]:
        raise ArgumentError(f"unflatten: sizes {tuple(sizes)} do not multiply to dim {dim} of shape {shape}")
    return reshape(input, (*shape[:axis], *parts, *shape[axis + 1 :]))


def ravel(input: A) -> A:
    """All dims made one, in C order: copied unless it lies so already.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ravel(tg.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return reshape(input if plain("ravel", input).flags.c_contiguous else Clone.apply(input, order="C"), -1)


@flexible
def narrow(input: A, dim: int, start: Any, length: int) -> A:
    """`length` slices of a dim from `start` on, sharing memory.

    The dtype stays. An error if the slices are not all there.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.narrow(tg.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    shape = shape_of(input)
    if not shape:
        raise ArgumentError("narrow: input has no dims; expected at least 1")
    axis = check_axis("narrow", dim, len(shape))
    if shape_of(start) or np.asarray(start).dtype.kind not in "iu":
        raise ArgumentError(f"narrow: start is {start!r}; expected an integer, or a tensor of one without dims")
    first = int(start)
    if not -shape[axis] <= first <= shape[axis]:
        raise PlaceError(f"narrow: start {first} is out of range for dim {dim} of shape {shape}")
    first += shape[axis] if first < 0 else 0
    if length < 0 or first + length > shape[axis]:
        raise ArgumentError(f"narrow: {length} slices from {first} on do not fit into dim {dim} of shape {shape}")
    return input[(slice(None),) * axis + (slice(first, first + length),)]


@flexible
def select(input: A, dim: int, index: int) -> A:
    """One slice of a dim, without it, sharing memory.

    The dtype stays. IndexError for an index outside the dim.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.select(tg.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([3, 4])
    """
    shape = shape_of(input)
    axis = check_axis("select", dim, len(shape))
    if not -shape[axis] <= index < shape[axis]:
        raise IndexError(f"select: index {index} is out of range for dim {dim} of shape {shape}")
    return input[(slice(None),) * axis + (int(index),)]


@flexible
def squeeze(input: A, dim: Axis = None) -> A:
    """Without the dims of size 1: all, or those among the given ones.

    The result shares memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.squeeze(tg.zeros(1, 2, 1)).shape
    torch.Size([2])
    >>> tg.squeeze(tg.zeros(1, 2, 1), 0).shape
    torch.Size([2, 1])
    """
    shape = shape_of(input)
    axes = check_axes("squeeze", dim, len(shape))
    return Reshape.apply(input, shape=tuple(n for a, n in enumerate(shape) if a not in axes or n != 1))


@flexible
def unsqueeze(input: A, dim: int) -> A:
    """With a new dim of size 1 at this place of the result.

    The result shares memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.unsqueeze(tg.tensor([1, 2]), 1)
    tensor([[1],
            [2]])
    """
    shape = shape_of(input)
    axis = check_axis("unsqueeze", dim, len(shape) + 1)
    return Reshape.apply(input, shape=(*shape[:axis], 1, *shape[axis:]))


@flexible
def expand(input: A, *sizes: Any) -> A:
    """Repeated to this shape along size-1 and new leading dims, without copying; -1 keeps a size.

    The dtype stays. ValueError if a size that is not 1 would change.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    wanted, have = _unpacked(sizes), shape_of(input)
    padded = (1,) * (len(wanted) - len(have)) + have
    shape = tuple(n if w == -1 else w for w, n in zip(wanted, padded, strict=False))
    if len(wanted) < len(have) or any(w != n and n != 1 for w, n in zip(shape, padded, strict=True)):
        raise ArgumentError(f"expand: input of shape {have} cannot be expanded to {wanted}; only dims of size 1 grow")
    return Expand.apply(input, shape=shape)


def broadcast_to(input: A, shape: Shape) -> A:
    """Repeated to this shape by NumPy's broadcasting rules, without copying.

    The dtype stays. ValueError if the shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.broadcast_to(tg.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    if check_broadcast("broadcast_to", shape_of(input), tuple(shape)) != tuple(shape):
        raise ArgumentError(f"broadcast_to: input of shape {shape_of(input)} is larger than {tuple(shape)}")
    return Expand.apply(input, shape=tuple(shape))


@flexible
def repeat(input: A, *repeats: Any) -> A:
    """The whole array laid several times along each dim, as NumPy's `tile`.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times, have = _unpacked(repeats), shape_of(input)
    if len(times) < len(have) or any(n < 0 for n in times):
        raise ArgumentError(f"repeat: repeats {times} for an input of shape {have}; give one number >= 0 per dim")
    padded = (1,) * (len(times) - len(have)) + have
    apart = reshape(input, tuple(size for n in padded for size in (1, n)))
    laid = expand(apart, tuple(size for r, n in zip(times, padded, strict=True) for size in (r, n)))
    return reshape(Clone.apply(laid, order="C"), tuple(r * n for r, n in zip(times, padded, strict=True)))


@flexible
def flip(input: A, *dims: Any) -> A:
    """Reversed along the given dims.

    A copy: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.flip(tg.tensor([[1, 2], [3, 4]]), (1,))
    tensor([[2, 1],
            [4, 3]])
    """
    axes = check_axes("flip", _unpacked(dims), len(shape_of(input)) or 1)  # a number has one dim for this
    return Flip.apply(input, axes=axes if shape_of(input) else ())


def roll(input: A, shifts: int | Sequence[int], dims: Axis = None) -> A:
    """Shifted cyclically; without dims, as one flat row that is then given its shape back.

    A copy: shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.roll(tg.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None:
        return reshape(roll(flatten(input), by, 0), shape_of(input))
    if not shape_of(input):
        raise PlaceError(f"roll: dims is {dims!r}, but the input has no dims; leave it out")
    axes = check_axes("roll", dims, len(shape_of(input)))
    if len(axes) != len(by):
        raise ArgumentError(f"roll: {len(by)} shifts for {len(axes)} dims; give one shift per dim")
    return Roll.apply(input, shifts=by, axes=axes)


@flexible
def cat(tensors: Sequence[A], dim: int = 0) -> A:
    """One after the other along a dim; all other sizes must be equal.

    Dtypes promote. ValueError if the sizes differ.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cat((tg.tensor([[1, 2]]), tg.tensor([[3, 4]])), dim=1)
    tensor([[1, 2, 3, 4]])
    """
    return _cat("cat", tensors, dim)


concat = concatenate = cat


def _cat(op: str, tensors: Sequence[Array], dim: int) -> Array:
    if hasattr(type(tensors), "__record__"):
        raise TypeError(f"{op}: got one Tensor; expected a sequence of them, such as [a, b]")
    shapes = [shape_of(x) for x in tensors]
    empty = tuple(i for i, shape in enumerate(shapes) if shape == (0,)) if op != "stack" else ()
    other = next((shape for shape in shapes if shape not in ((0,), ())), ())
    if len(other) > 1:  # an empty vector fits everything, as in PyTorch
        place = check_axis(op, dim, len(other))
        fitting = (*other[:place], 0, *other[place + 1 :])
        tensors = [reshape(x, fitting) if shape_of(x) == (0,) else x for x in tensors]
        shapes = [shape_of(x) for x in tensors]
    if not shapes:
        raise ArgumentError(f"{op}: got no tensors; expected at least one")
    if () in shapes:
        raise ArgumentError(f"{op}: tensor {shapes.index(())} has no dims; give it one, x.reshape(1), or use stack")
    axis = check_axis(op, dim, len(shapes[0]))
    for k, shape in enumerate(shapes):
        if (*shape[:axis], *shape[axis + 1 :]) != (*shapes[0][:axis], *shapes[0][axis + 1 :]):
            raise ArgumentError(
                f"{op}: tensor {k} has shape {shape}, tensor 0 has {shapes[0]}; they may differ in dim {dim} only"
            )
    ends = tuple(accumulate([shape[axis] for shape in shapes]))
    return Cat.apply(*tensors, axis=axis, ends=ends, **{"left_out": empty} if empty else {})


@flexible
def stack(tensors: Sequence[A], dim: int = 0) -> A:
    """Arrays of one shape, along a new dim.

    Dtypes promote. ValueError if the shapes differ.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.stack((tg.tensor([1, 2]), tg.tensor([3, 4])))
    tensor([[1, 2],
            [3, 4]])
    """
    shapes = [shape_of(x) for x in tensors]
    if not shapes or len(set(shapes)) != 1:
        pad = "; nn.utils.rnn.pad_sequence makes sequences equally long" if shapes else ""
        raise ArgumentError(f"stack: expected one or more tensors of one shape, got shapes {shapes}{pad}")
    axis = check_axis("stack", dim, len(shapes[0]) + 1)
    if axis == len(shapes[0]):
        return _cat("stack", [unsqueeze(x, axis) for x in tensors], axis)
    lead, rest = shapes[0][:axis], shapes[0][axis:]
    return reshape(_cat("stack", tensors, axis), (*lead, len(shapes), *rest))  # one view instead of one for each


@flexible
def split(input: A, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[A, ...]:
    """Parts of a dim: of this size (the last may be smaller), or of these sizes.

    The parts share memory with the input; the dtype stays. ValueError if sizes do not add up to that of the dim.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.split(tg.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    shape = shape_of(input)
    axis = check_axis("split", dim, len(shape))
    length = shape[axis]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size <= 0:
            raise ArgumentError(f"split: the size of a part is {size}; it must be at least 1")
        sections = [min(size, length - start) for start in range(0, length, size)] or [0]
    else:
        sections = list(split_size_or_sections)
        if sum(sections) != length or min(sections, default=0) < 0:
            raise ArgumentError(f"split: sections {sections} do not add up to {length}, the size of dim {dim}")
    ends = list(accumulate(sections))
    lead = (slice(None),) * axis
    places = [(*lead, slice(end - n, end)) for n, end in zip(sections, ends, strict=True)]
    return tuple(Part.apply(input, index=place) for place in places)


@flexible
def chunk(input: A, chunks: int, dim: int = 0) -> tuple[A, ...]:
    """At most this many parts of equal size, the last one smaller if need be.

    The parts share memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.chunk(tg.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    shape = shape_of(input)
    if chunks <= 0:
        raise ArgumentError(f"chunk: chunks is {chunks}; it must be at least 1")
    length = shape[check_axis("chunk", dim, len(shape))]
    return split(input, max(1, -(-length // chunks)), dim)


@flexible
def unbind(input: A, dim: int = 0) -> tuple[A, ...]:
    """The slices along a dim, without it.

    They share memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.unbind(tg.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    shape = shape_of(input)
    axis = check_axis("unbind", dim, len(shape))
    return tuple(Part.apply(input, index=(slice(None),) * axis + (k,)) for k in range(shape[axis]))


def pad(input: A, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> A:
    """Pad as PyTorch does: pairs (before, after) from the last dim backwards; negative widths crop.

    `mode` is "constant" (with `value`), "reflect", "replicate" or "circular".

    The dtype stays. ValueError if a width is too large for the mode.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.pad(tg.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    shape = shape_of(input)
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise ArgumentError(
            f"pad: {len(pad)} widths for an input of shape {shape}; give (before, after) per dim, last first"
        )
    widths = [(0, 0)] * (len(shape) - len(pad) // 2)
    widths += [(int(pad[k]), int(pad[k + 1])) for k in range(len(pad) - 2, -1, -2)]
    for n, (before, after) in zip(shape, widths, strict=True):
        if n + before + after < 0:
            raise ArgumentError(f"pad: widths ({before}, {after}) take more than the {n} elements of a dim of {shape}")
    if mode == "constant":
        crop = tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(shape, widths, strict=True))
        inner = input[crop] if any(a < 0 or b < 0 for a, b in widths) else input
        return Pad.apply(inner, widths=tuple((max(0, a), max(0, b)) for a, b in widths), value=value)
    for axis, width in enumerate(widths):
        if width != (0, 0):
            places = _border_indices(shape, axis, width, mode)
            input = input[(slice(None),) * axis + (places,)]
    return input


def _border_indices(shape: Shape, axis: int, width: tuple[int, int], mode: str) -> Array:
    """For each element of the padded axis, the element of the axis that it repeats."""
    n, (before, after) = shape[axis], width
    limits = {"reflect": n - 1, "replicate": math.inf if n else 0, "circular": n}
    if mode not in limits:
        raise ArgumentError(f"pad: mode is {mode!r}; it must be 'constant', 'reflect', 'replicate' or 'circular'")
    if max(width) > limits[mode]:
        raise ArgumentError(f"pad: widths {width} are too large for mode {mode!r} on a dim of size {n} of {shape}")
    places = np.arange(-before, n + after)
    if mode == "circular":
        return _around(places, n)
    if mode == "replicate":
        return np.clip(places, 0, n - 1)
    return n - 1 - np.abs(n - 1 - np.abs(places))


def _around(places: NDArray, n: int) -> NDArray:
    """Places on a ring of n. Where one end is cropped, the ring is what is left of it, as in PyTorch."""
    first, last = max(int(places[0]), 0), min(int(places[-1]), n - 1)
    return first + (places - first) % (last - first + 1)


def tril(input: A, diagonal: int = 0) -> A:
    """With zeros above the diagonal of the last two dims.

    A copy: shape and dtype stay. ValueError for less than 2 dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tril(tg.tensor([[1, 2], [3, 4]]))
    tensor([[1, 0],
            [3, 4]])
    """
    _check_matrix("tril", input)
    return Tril.apply(input, k=diagonal)


def triu(input: A, diagonal: int = 0) -> A:
    """With zeros below the diagonal of the last two dims.

    A copy: shape and dtype stay. ValueError for less than 2 dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.triu(tg.tensor([[1, 2], [3, 4]]))
    tensor([[1, 2],
            [0, 4]])
    """
    _check_matrix("triu", input)
    return Triu.apply(input, k=diagonal)


def _check_matrix(op: str, x: Array) -> None:
    if len(shape_of(x)) < 2:
        raise ArgumentError(f"{op}: input has shape {shape_of(x)}; expected at least 2 dims")


def diagonal(input: A, offset: int = 0, dim1: int = 0, dim2: int = 1) -> A:
    """The diagonal of two dims, as the last dim of the result.

    It shares memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.diagonal(tg.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    _check_matrix("diagonal", input)
    ndim = len(shape_of(input))
    axis1, axis2 = check_axis("diagonal", dim1, ndim), check_axis("diagonal", dim2, ndim)
    if axis1 == axis2:
        raise ArgumentError(f"diagonal: dim1 and dim2 are both {axis1}; they must differ")
    return Diagonal.apply(input, offset=offset, axis1=axis1, axis2=axis2)
