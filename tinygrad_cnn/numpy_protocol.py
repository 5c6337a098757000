"""What NumPy's functions mean when they are given a Tensor (NEP 13, NEP 18): the op, or a plain result.

This is how a derivative written in NumPy's notation records itself, and how users call ``np.exp(tensor)``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.ops.indexing import along_axis
from tinygrad_cnn.ops.op import registry
from tinygrad_cnn.types import Array, Axis, Shape

UFUNCS: dict[Any, Callable[..., Array]] = {f: op.apply for op in registry.values() for f in op.numpy}
UFUNCS |= {np.matmul: ops.matmul, np.power: ops.pow, np.square: ops.square, np.reciprocal: ops.reciprocal}

WITHOUT_GRADIENT = {
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(
        np.logical_and,
        np.logical_or,
        np.logical_not,
        np.logical_xor,
        np.isfinite,
        np.isnan,
        np.isinf,
        np.signbit,
    ),
    *(np.floor, np.ceil, np.rint, np.trunc),
}
"""Functions that are constant between jumps: their results are Tensors without a history."""


def _reduction(door: Callable[..., Array]) -> Callable[..., Array]:
    """A reduction called as NumPy calls it."""

    def reduce(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
        return door(a, axis, keepdims)

    return reduce


def _spread_of(door: Callable[..., Array]) -> Callable[..., Array]:
    def reduce(a: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
        return door(a, axis, correction=ddof, keepdim=keepdims)

    return reduce


def transpose(a: Array, axes: Any = None) -> Array:
    """``np.transpose``"""
    return ops.permute(a, tuple(reversed(range(a.ndim))) if axes is None else tuple(axes))


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


def cumsum(a: Array, axis: int | None = None) -> Array:
    """``np.cumsum``"""
    return ops.cumsum(ops.flatten(a), 0) if axis is None else ops.cumsum(a, axis)


def take_along_axis(arr: Array, indices: Array, axis: int) -> Array:
    """``np.take_along_axis``: the shapes broadcast, but for the axis."""
    at = axis % arr.ndim
    others = np.broadcast_shapes(*((*a.shape[:at], 1, *a.shape[at + 1 :]) for a in (arr, indices)))
    source, places = ((*others[:at], a.shape[at], *others[at + 1 :]) for a in (arr, indices))
    return ops.getitem(ops.broadcast_to(arr, source), along_axis(np.broadcast_to(np.asarray(indices), places), at))


def zeros_like(a: Array, dtype: Any = None) -> Array:
    """``np.zeros_like``: an array, since no gradient flows."""
    return np.zeros(a.shape, dtype or a.dtype)


def ones_like(a: Array, dtype: Any = None) -> Array:
    """``np.ones_like``: an array, since no gradient flows."""
    return np.ones(a.shape, dtype or a.dtype)


def where(condition: Array, x: Array, y: Array) -> Array:
    """``np.where`` with three arguments."""
    return ops.where(condition, x, y)


def shape(a: Array) -> Shape:
    """``np.shape``"""
    return tuple(a.shape)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: where,
    np.concatenate: lambda arrays, axis=0: ops.cat(arrays, axis),
    np.stack: lambda arrays, axis=0: ops.stack(arrays, axis),
    np.reshape: lambda a, shape: ops.reshape(a, shape),
    np.ravel: lambda a: ops.reshape(a, -1),
    np.transpose: transpose,
    np.swapaxes: ops.transpose,
    np.moveaxis: ops.movedim,
    np.expand_dims: expand_dims,
    np.squeeze: lambda a, axis=None: ops.squeeze(a, axis),
    np.broadcast_to: ops.broadcast_to,
    np.flip: flip,
    np.roll: lambda a, shift, axis=None: ops.roll(a, shift, axis),
    np.tril: ops.tril,
    np.triu: ops.triu,
    np.diagonal: ops.diagonal,
    np.sum: _reduction(ops.sum),
    np.mean: _reduction(ops.mean),
    np.prod: _reduction(ops.prod),
    np.max: _reduction(ops.amax),
    np.min: _reduction(ops.amin),
    np.any: _reduction(ops.any),
    np.all: _reduction(ops.all),
    np.argmax: _reduction(ops.argmax),
    np.argmin: _reduction(ops.argmin),
    np.var: _spread_of(ops.var),
    np.std: _spread_of(ops.std),
    np.cumsum: cumsum,
    np.clip: lambda a, a_min=None, a_max=None: ops.clamp(a, a_min, a_max),
    np.dot: ops.matmul,
    np.outer: lambda a, b: ops.outer(a, b),
    np.einsum: ops.einsum,
    np.take_along_axis: take_along_axis,
    np.zeros_like: zeros_like,
    np.ones_like: ones_like,
    np.shape: shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.numel(),
}
