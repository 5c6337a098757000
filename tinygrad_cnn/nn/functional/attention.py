"""Attention: each query takes the mean of the values, weighted by how well their keys fit (Vaswani et al. 2017)."""

import math
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike, DType, NDArray, Shape
from tinygrad_cnn.nn.functional.dropout import dropout
from tinygrad_cnn.ops.attention import Attention
from tinygrad_cnn.ops.told import decided, made
from tinygrad_cnn.ops.untracked import is_tracked
from tinygrad_cnn.tensor import as_plain
from tinygrad_cnn.torch_names.errors import BoundError

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: A,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> A:
    """``softmax(scale · q kᵀ + mask) v``

    Parameters
    ----------
    query, key, value : (…, L, E), (…, S, E) and (…, S, V); the result is (…, L, V)
    attn_mask : broadcast to (…, L, S); booleans say which keys take part, numbers are added to the scores
    dropout_p : the probability with which a weight is made 0, also outside of training
    is_causal : let query i see the keys 0 to i; in place of a mask
    scale : by default 1/√E
    enable_gqa : repeat the heads (dim -3) of key and value as often as those of query need (Ainslie et al. 2023)

    Notes
    -----
    A query that may see no key gets 0. Of float16 all is computed in float32, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> q, k, v = tg.tensor([[1.0, 0.0]]), tg.tensor([[1.0, 0.0], [0.0, 1.0]]), tg.tensor([[1.0], [3.0]])
    >>> tg.nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[1.6605]])
    """
    name = "scaled_dot_product_attention"
    if dtype_of(query) == np.float16:
        wide = [ops.astype(x, np.float32) for x in (query, key, value)]
        if attn_mask is not None and dtype_of(attn_mask).kind == "f":
            attn_mask = ops.astype(attn_mask, np.float32)
        y = scaled_dot_product_attention(
            wide[0], wide[1], wide[2], attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
        return ops.astype(y, np.float16)
    if enable_gqa:
        key, value = _repeat_heads(name, query, key, value)
    q, k, v = shape_of(query), shape_of(key), shape_of(value)
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ArgumentError(f"{name}: query {q}, key {k}, value {v}; expected (…, L, E), (…, S, E) and (…, S, V)")
    if is_causal and attn_mask is not None:
        raise ArgumentError(f"{name}: is_causal makes a mask of its own; leave attn_mask out")
    scale = 1 / math.sqrt(q[-1]) if scale is None else scale
    if dropout_p == 0 and q[:-2] == k[:-2] == v[:-2] and 0 not in (*q, *k, *v) and not is_tracked(attn_mask):
        if attn_mask is None:
            none = made(np.zeros, (), dtype_of(query))
            return _in_blocks(query, key, value, none, is_causal, scale)
        if fits(shape_of(attn_mask), (*q[:-1], k[-2])):
            mask = made(_added, np.asarray(as_plain(attn_mask)), dtype_of(query), q[:-1], k[-2])
            return _in_blocks(query, key, value, mask, False, scale)
    if is_causal:
        attn_mask = made(np.tri, q[-2], k[-2], 0, np.bool_)
    scores = ops.matmul(query * scale, ops.transpose(key, -1, -2))
    if attn_mask is None:
        weights = ops.softmax(scores, -1)
    else:
        scores = scores + additive(name, attn_mask, dtype_of(scores))
        if decided(_hides_rows, np.asarray(as_plain(attn_mask))):
            unseen = made(_unseen, scores)
            weights = ops.masked_fill(ops.softmax(ops.masked_fill(scores, unseen, 0.0), -1), unseen, 0.0)
        else:
            weights = ops.softmax(scores, -1)
    return ops.matmul(dropout(weights, dropout_p), value)


def fits(shape: Shape, target: Shape) -> bool:
    """Whether a shape broadcasts to another."""
    own = shape[::-1]
    return len(own) <= len(target) and all(n in (1, m) for n, m in zip(own, target[::-1], strict=False))


def _in_blocks(query: Any, key: Any, value: Any, mask: Any, causal: bool, scale: float) -> Any:
    """By the op, whose arrays have four axes; `mask` is added."""
    lead = shape_of(query)[:-2]
    four = (math.prod(lead[:-1]), *lead[-1:]) if lead else (1, 1)
    parts = [x if len(lead) == 2 else ops.reshape(x, (*four, *shape_of(x)[-2:])) for x in (query, key, value)]
    y = Attention.apply(*parts, mask, scale=scale, causal=causal)[0]
    return y if len(lead) == 2 else ops.reshape(y, (*lead, shape_of(query)[-2], shape_of(value)[-1]))


def _added(mask: NDArray, dtype: DType, rows: Shape, keys: int) -> NDArray:
    """A mask as what is added to scores (…, keys), with four axes; `rows` is the shape of all queries."""
    added = np.asarray(additive("scaled_dot_product_attention", mask, dtype))
    lead = rows[:-1]
    four = (math.prod(lead[:-1]), *lead[-1:]) if lead else (1, 1)
    if len(lead) != 2 and added.ndim > 2:
        return np.broadcast_to(added, (*rows, keys)).reshape(*four, rows[-1], keys)
    return added.reshape(*(1,) * (4 - added.ndim), *added.shape)


def _repeat_heads(name: str, query: ArrayLike, key: ArrayLike, value: ArrayLike) -> tuple[Any, Any]:
    heads = [shape_of(x)[-3] if len(shape_of(x)) > 2 else 1 for x in (query, key, value)]
    if any(heads[0] % n for n in heads[1:]):
        raise ArgumentError(
            f"{name}: key and value have {heads[1:]} heads, of which query's {heads[0]} are no multiple"
        )
    repeated = []
    for x, n in zip((key, value), heads[1:], strict=True):
        times = heads[0] // n
        repeated.append(x[..., made(np.repeat, range(n), times), :, :] if times > 1 else x)
    return repeated[0], repeated[1]


def additive(name: str, mask: ArrayLike, dtype: Any, *, hides: bool = False) -> Any:
    """A mask as what is added to scores: of booleans, 0 and -∞; True takes part, or with `hides` does not."""
    kind = dtype_of(mask).kind
    if kind == "f":
        return mask
    if kind != "b":
        raise BoundError(f"{name}: the mask has dtype {dtype_of(mask)}; only bool and floating types are supported")
    seen = np.asarray(as_plain(mask))
    return np.where(seen != hides, np.zeros((), np.dtype(dtype)), np.asarray(-np.inf, np.dtype(dtype)))


def _hides_rows(mask: NDArray) -> bool:
    """Whether there may be a query that may see no key."""
    seen = mask if mask.dtype == bool else ~np.isneginf(mask)
    return not bool(seen.any(-1).all()) if mask.ndim else not bool(seen)


def _unseen(scores: Any) -> NDArray:
    return np.asarray(np.isneginf(np.max(as_plain(scores), axis=-1, keepdims=True, initial=-np.inf)))
