"""NumPy's functions that move, join, cut and read elements."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import check_axis
from tinygrad_cnn.core.types import Array, Axis, Shape
from tinygrad_cnn.numpy_protocol.reductions import refused
from tinygrad_cnn.ops.indexing import along_axis
from tinygrad_cnn.ops.views import unfold_windows


def transpose(a: Array, axes: Any = None) -> Array:
    """``np.transpose``"""
    return ops.permute(a, tuple(reversed(range(a.ndim))) if axes is None else tuple(axes))


def reshape(a: Array, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Array:
    """``np.reshape``"""
    refused("reshape", order=None if order == "C" else order)
    return ops.clone(ops.reshape(a, shape)) if copy else ops.reshape(a, shape)


def expand_dims(a: Array, axis: Axis) -> Array:
    """``np.expand_dims``"""
    axes = (axis,) if isinstance(axis, int) else tuple(axis or ())
    ndim = a.ndim + len(axes)
    places = {k % ndim for k in axes}
    sizes = iter(a.shape)
    return ops.reshape(a, tuple(1 if k in places else next(sizes) for k in range(ndim)))


def flip(m: Array, axis: Axis = None) -> Array:
    """``np.flip``"""
    axes = range(m.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return ops.flip(m, tuple(axes))


def sliding_window_view(
    x: Array, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Array:
    """``np.lib.stride_tricks.sliding_window_view``: a view of every window, whose axes come last."""
    sizes = (window_shape,) if isinstance(window_shape, int) else tuple(window_shape)
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if len(sizes) != len(axes):
        raise ValueError(f"numpy.sliding_window_view: window_shape {sizes} for the axes {axes}: give a size for each")
    axes = tuple(check_axis("numpy.sliding_window_view", a, x.ndim) for a in axes)
    for size, place in zip(sizes, axes, strict=True):
        if not 0 <= size <= x.shape[place]:
            raise ValueError(f"numpy.sliding_window_view: a window of {size} does not fit axis {place} of {x.shape}")
        x = unfold_windows(x, place, size, 1)
    return x


def where(condition: Array, x: Array = None, y: Array = None, /) -> Any:
    """``np.where``: with one argument, the places of what is not 0."""
    if x is None and y is None:
        return ops.nonzero(condition, as_tuple=True)
    return ops.where(condition, x, y)


def concatenate(arrays: Sequence[Array], /, axis: int | None = 0, out: Any = None, *, dtype: Any = None) -> Array:
    """``np.concatenate``: of the flattened arrays, if axis is None."""
    refused("concatenate", out=out)
    parts = [ops.flatten(as_array(a)) for a in arrays] if axis is None else list(arrays)
    joined = ops.cat(parts, axis or 0)
    return joined if dtype is None else ops.astype(joined, np.dtype(dtype))


def stack(arrays: Sequence[Array], axis: int = 0, out: Any = None, *, dtype: Any = None) -> Array:
    """``np.stack``"""
    refused("stack", out=out)
    joined = ops.stack(list(arrays), axis)
    return joined if dtype is None else ops.astype(joined, np.dtype(dtype))


def append(arr: Array, values: Array, axis: int | None = None) -> Array:
    """``np.append``"""
    return concatenate((arr, values), axis)


def as_array(value: Any) -> Any:
    """What has a shape as it is, and anything else as an array."""
    return value if hasattr(value, "shape") else np.asarray(value)


def array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """``np.array_split``: parts that may differ in size by one."""
    return list(ops.tensor_split(ary, indices_or_sections, axis))


def split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """``np.split``: equal parts, or parts between indices."""
    at = check_axis("numpy.split", axis, ary.ndim)
    if np.ndim(indices_or_sections) == 0 and ary.shape[at] % int(indices_or_sections):
        raise ValueError(f"numpy.split: {ary.shape[at]} elements are not {indices_or_sections} equal parts")
    return array_split(ary, indices_or_sections, at)


def hsplit(ary: Array, indices_or_sections: Any) -> list[Array]:
    """``np.hsplit``"""
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


def pad(array: Array, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Array:
    """``np.pad`` with one constant, or the modes that repeat elements: edge, reflect, symmetric, wrap."""
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(k, pad_width.get(k - array.ndim, 0)) for k in range(array.ndim)]
        pad_width = [(n, n) if np.ndim(n) == 0 else n for n in pad_width]
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    if mode == "constant":
        if np.ndim(constant_values):
            raise TypeError("numpy.pad: constant_values must be one number for Tensors")
        return ops.pad(array, [n for pair in reversed(widths) for n in pair], "constant", constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"numpy.pad: mode {mode!r} has no rule for Tensors; use constant, edge, reflect or wrap")
    for axis, pair in enumerate(widths):
        places = np.pad(np.arange(array.shape[axis]), pair, mode=mode)  # type: ignore[call-overload]
        array = ops.index_select(array, axis, places)
    return array


def take(a: Array, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Array:
    """``np.take``"""
    refused("take", out=out, mode=None if mode == "raise" else mode)
    places = np.asarray(indices)
    if axis is None:
        return ops.getitem(ops.flatten(a), places)
    return ops.getitem(a, (*(slice(None),) * check_axis("numpy.take", axis, a.ndim), places))


def take_along_axis(arr: Array, indices: Array, axis: int) -> Array:
    """``np.take_along_axis``: the shapes broadcast, but for the axis."""
    at = axis % arr.ndim
    others = np.broadcast_shapes(*((*a.shape[:at], 1, *a.shape[at + 1 :]) for a in (arr, indices)))
    source, places = ((*others[:at], a.shape[at], *others[at + 1 :]) for a in (arr, indices))
    return ops.getitem(ops.broadcast_to(arr, source), along_axis(np.broadcast_to(np.asarray(indices), places), at))


def shape(a: Array) -> Shape:
    """``np.shape``"""
    return tuple(a.shape)


def several(door: Callable[[Array], Array]) -> Callable[..., Any]:
    """`np.atleast_1d` and its like, which take several arrays."""
    return lambda *arrays: door(arrays[0]) if len(arrays) == 1 else tuple(door(a) for a in arrays)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: where,
    np.lib.stride_tricks.sliding_window_view: sliding_window_view,
    np.concatenate: concatenate,
    np.stack: stack,
    np.append: append,
    np.hstack: lambda tup: ops.hstack(list(tup)),
    np.vstack: lambda tup: ops.vstack(list(tup)),
    np.dstack: lambda tup: ops.dstack(list(tup)),
    np.column_stack: lambda tup: ops.column_stack(list(tup)),
    np.reshape: reshape,
    np.ravel: lambda a: ops.reshape(a, -1),
    np.transpose: transpose,
    np.swapaxes: ops.transpose,
    np.moveaxis: ops.movedim,
    np.matrix_transpose: lambda x: ops.transpose(x, -1, -2),
    np.expand_dims: expand_dims,
    np.squeeze: lambda a, axis=None: ops.squeeze(a, axis),
    np.broadcast_to: ops.broadcast_to,
    np.broadcast_arrays: ops.broadcast_tensors,
    np.atleast_1d: several(ops.atleast_1d),
    np.atleast_2d: several(ops.atleast_2d),
    np.flip: flip,
    np.fliplr: ops.fliplr,
    np.flipud: ops.flipud,
    np.roll: lambda a, shift, axis=None: ops.roll(a, shift, axis),
    np.tril: ops.tril,
    np.triu: ops.triu,
    np.diagonal: ops.diagonal,
    np.diag: ops.diag,
    np.diagflat: ops.diagflat,
    np.rot90: lambda m, k=1, axes=(0, 1): ops.rot90(m, k, axes),
    np.trace: lambda a, offset=0, axis1=0, axis2=1: ops.sum(ops.diagonal(a, offset, axis1, axis2), -1),
    np.split: split,
    np.array_split: array_split,
    np.hsplit: hsplit,
    np.vsplit: split,
    np.dsplit: lambda ary, parts: split(ary, parts, 2),
    np.repeat: lambda a, repeats, axis=None: ops.repeat_interleave(a, repeats, axis),
    np.tile: lambda A, reps: ops.tile(A, (reps,) if isinstance(reps, int) else tuple(reps)),
    np.meshgrid: lambda *xi, indexing="xy": list(ops.meshgrid(*xi, indexing=indexing)),
    np.pad: pad,
    np.take: take,
    np.take_along_axis: take_along_axis,
    np.copy: lambda a: ops.clone(a),
    np.shape: shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.numel(),
}
