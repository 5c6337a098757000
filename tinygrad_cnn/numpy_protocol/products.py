"""NumPy's products of arrays, and `numpy.linalg`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.types import Array, Axis
from tinygrad_cnn.numpy_protocol.reductions import refused
from tinygrad_cnn.ops.matrix_functions import norms


def dot(a: Array, b: Array, out: Any = None) -> Array:
    """``np.dot``: over the last axis of a and the last but one of b; numbers are multiplied."""
    refused("dot", out=out)
    left, right = len(shape_of(a)), len(shape_of(b))
    if not left or not right:
        return ops.mul(a, b)
    return ops.matmul(a, b) if right <= 2 else ops.tensordot(a, b, ([left - 1], [right - 2]))


def tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    """``np.tensordot``"""
    if not isinstance(axes, int):
        axes = tuple([part] if isinstance(part, int) else list(part) for part in axes)
    return ops.tensordot(a, b, axes)


def einsum(*operands: Any, optimize: Any = False, out: Any = None) -> Array:
    """``np.einsum``; `optimize` is a matter of speed alone."""
    refused("einsum", out=out)
    return ops.einsum(*operands)


def norm(x: Array, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """``np.linalg.norm``: of all elements, if neither an order nor an axis is given."""
    return norms(x, ord, axis, keepdims)


def svd(a: Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """``np.linalg.svd``"""
    return ops.linalg_svd(a, full_matrices) if compute_uv else ops.svdvals(a)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.dot: dot,
    np.tensordot: tensordot,
    np.einsum: einsum,
    np.inner: ops.inner,
    np.kron: ops.kron,
    np.outer: lambda a, b: ops.outer(ops.flatten(a) if len(shape_of(a)) != 1 else a, b),
    np.vdot: lambda a, b: ops.dot(ops.reshape(a, -1), ops.reshape(b, -1)),
    np.cross: lambda a, b, axis=-1: ops.cross(a, b, axis),
    np.linalg.norm: norm,
    np.linalg.det: ops.det,
    np.linalg.slogdet: ops.slogdet,
    np.linalg.inv: ops.inv,
    np.linalg.solve: lambda a, b: ops.solve(a, b),
    np.linalg.cholesky: lambda a, /, *, upper=False: ops.cholesky(a, upper=upper),
    np.linalg.eigh: ops.eigh,
    np.linalg.svd: svd,
    np.linalg.pinv: lambda a: ops.pinv(a),
    np.linalg.qr: lambda a, mode="reduced": ops.qr(a, mode),
    np.linalg.matrix_power: ops.matrix_power,
    np.linalg.multi_dot: lambda arrays: ops.multi_dot(list(arrays)),
}
