"""Distances and angles between vectors, and vectors brought to length 1."""

from typing import Any, cast

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import check_broadcast, dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.tensor.out import written

__all__ = ["bilinear", "cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def detached(value: A) -> A:
    """The values without a history."""
    return value.detach() if hasattr(value, "detach") else value


def pairwise_distance(x1: A, x2: ArrayLike, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> A:
    """The p-norm of ``x1 - x2 + eps`` along the last dim.

    (..., n) and (..., n), which broadcast, give (...); dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.pairwise_distance(tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    check_broadcast("pairwise_distance", shape_of(x1), shape_of(x2))
    return ops.norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: A, x2: ArrayLike, dim: int = 1, eps: float = 1e-8) -> A:
    """``x1 · x2 / (max(|x1|, eps) max(|x2|, eps))`` along a dim of the broadcast shape.

    The gradient is that of this formula: a length below eps counts as eps, and does not change with its vector.

    The result lacks the dim. Floating dtypes promote; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.cosine_similarity(tg.tensor([[1.0, 0.0]]), tg.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    shape = check_broadcast("cosine_similarity", shape_of(x1), shape_of(x2))
    a, b = ops.broadcast_to(x1, shape), ops.broadcast_to(x2, shape)
    lengths = (ops.clamp(ops.norm(v, 2, dim, True), min=eps) for v in (a, b))
    first, second = (v / n for v, n in zip((a, b), lengths, strict=True))
    return ops.sum(first * second, dim)


def normalize(input: A, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> A:
    """``x / max(|x|, eps)`` with the p-norm along a dim.

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.normalize(tg.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return cast(A, written("normalize", input / ops.clamp(ops.norm(input, p, dim, True), min=eps), out))


def pdist(input: A, p: float = 2.0) -> A:
    """The p-norms of the differences of all pairs of rows (N, D): (N (N - 1) / 2,), row by row.

    The floating dtype stays. ValueError unless the input is a matrix.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.pdist(tg.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    check_ndim("pdist", "input", input, (2,), "(N, D)")
    n = shape_of(input)[0]
    pairs = np.flatnonzero(np.triu(np.ones((n, n), bool), 1))
    return ops.take(ops.cdist(input, input, p), pairs)


def bilinear(input1: A, input2: ArrayLike, weight: ArrayLike, bias: ArrayLike = None) -> A:
    """``y[…, k] = x1ᵀ W[k] x2 + b[k]``: inputs (…, n) and (…, m), weight (K, n, m), bias (K,).

    The result is (..., K); dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.bilinear(tg.tensor([1.0, 2.0]), tg.tensor([3.0]), tg.tensor([[[1.0], [10.0]]]))
    tensor([63.])
    """
    a, b, w = shape_of(input1), shape_of(input2), shape_of(weight)
    check_ndim("bilinear", "weight", weight, (3,), "(out_features, in1_features, in2_features)")
    if a[:-1] != b[:-1] or (a[-1:], b[-1:]) != (w[1:2], w[2:]):
        raise ArgumentError(f"bilinear: inputs {a} and {b} do not fit weight {w}; expected (…, {w[1]}) and (…, {w[2]})")
    if bias is not None and shape_of(bias) != w[:1]:
        raise ArgumentError(f"bilinear: bias has shape {shape_of(bias)}; weight {w} expects ({w[0]},)")
    k, n, m = w
    rows = ops.reshape(ops.permute(weight, (1, 0, 2)), (n, k * m))
    turned = ops.reshape(ops.matmul(input1, rows), (*a[:-1], k, m))  # x1ᵀ W[k]
    products = turned * ops.unsqueeze(input2, -2)
    y: Any = ops.sum(products, -1, dtype=dtype_of(products))  # of integers, too
    return y if bias is None else y + bias
