"""Multi-head attention as one function of its weights, which `nn.MultiheadAttention` keeps."""

import math
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.nn.functional.attention import additive, scaled_dot_product_attention
from tinygrad_cnn.nn.functional.dropout import dropout
from tinygrad_cnn.torch_names.errors import BoundError

__all__ = ["multi_head_attention_forward"]

OP = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: ArrayLike = None,
    need_weights: bool = True,
    attn_mask: ArrayLike = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """Attention of several heads, projected before and after; see `nn.MultiheadAttention`.

    Parameters
    ----------
    query, key, value : (L, N, E), (S, N, …) and (S, N, …), or all without N
    in_proj_weight, in_proj_bias : (3 E, E) and (3 E,): the maps to queries, keys and values, one after the other
    use_separate_proj_weight : take q_proj_weight (E, E), k_proj_weight and v_proj_weight in place of in_proj_weight
    bias_k, bias_v, add_zero_attn : a key and value more for all: (1, 1, E), and zeros
    static_k, static_v : (N · heads, S, E / heads), in place of the projected keys and values

    Returns
    -------
    The result (L, N, E), and with `need_weights` the weights (N, L, S), or of each head (N, heads, L, S).

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> q, w, b, o = tg.ones(3, 1, 4), tg.ones(12, 4), tg.zeros(12), tg.eye(4)
    >>> y, weights = tg.nn.functional.multi_head_attention_forward(q, q, q, 4, 2, w, b, None, None, False, 0.0, o, None)
    >>> y.shape, weights.shape
    (torch.Size([3, 1, 4]), torch.Size([1, 3, 3]))
    """
    if len(shape_of(query)) == 2:
        query, key, value = (ops.unsqueeze(x, 1) for x in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else np.expand_dims(key_padding_mask, 0)
        batched = False
    else:
        batched = True
    length, batch, size = _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    weights = (in_proj_weight,) if not use_separate_proj_weight else (q_proj_weight, k_proj_weight, v_proj_weight)
    q, k, v = _projected(query, key, value, weights, in_proj_bias)
    source = shape_of(k)[0] if static_k is None else shape_of(static_k)[1]
    if is_causal and attn_mask is None:
        raise ArgumentError(f"{OP}: Need attn_mask if specifying the is_causal hint")
    hinted = is_causal and key_padding_mask is None and not need_weights
    mask = None if hinted else _mask(attn_mask, key_padding_mask, (batch, num_heads, length, source), dtype_of(q))
    k, v, more = _with_biases(k, v, bias_k, bias_v, static_k, static_v)
    heads = [_heads(x, num_heads) for x in (q, k, v)]
    for place, static in ((1, static_k), (2, static_v)):
        if static is not None:
            heads[place] = _static(static, batch, num_heads, size // num_heads)
    if add_zero_attn:
        zeros = np.zeros((batch, num_heads, 1, size // num_heads), np.dtype(dtype_of(q)))
        heads[1:] = [ops.cat([x, zeros], 2) for x in heads[1:]]
        more += 1
    mask = ops.pad(mask, (0, more)) if mask is not None and more else mask
    p = dropout_p if training else 0.0
    seen = None
    if need_weights:
        scores = ops.matmul(_scaled(heads[0], math.sqrt(num_heads / size)), ops.transpose(heads[1], -1, -2))
        seen = dropout(ops.softmax(scores if mask is None else scores + mask, -1), p)
        mixed = ops.matmul(seen, heads[2])
        seen = ops.mean(seen, 1) if average_attn_weights else seen
    else:
        mixed = scaled_dot_product_attention(heads[0], heads[1], heads[2], mask, p, hinted)
    joined = ops.reshape(ops.permute(mixed, (2, 0, 1, 3)), (length, batch, size))  # (N,heads,L,E/heads) -> (L,N,E)
    y = ops.linear(joined, out_proj_weight, out_proj_bias)
    return (y, seen) if batched else (y[:, 0], None if seen is None else seen[0])


def _check_sizes(query: Any, key: Any, value: Any, wanted: int, heads: int, apart: bool) -> tuple[int, int, int]:
    q, k, v = shape_of(query), shape_of(key), shape_of(value)
    if not len(q) == len(k) == len(v) == 3:
        raise BoundError(f"{OP}: query {q}, key {k} and value {v} should all be unbatched 2D or batched 3D tensors")
    if q[2] != wanted:
        raise BoundError(f"{OP}: was expecting embedding dimension of {wanted}, but got {q[2]}")
    if q[2] % heads:
        raise BoundError(f"{OP}: embed_dim {q[2]} must be divisible by num_heads {heads}")
    if k[:2] != v[:2] if apart else k != v:
        raise BoundError(f"{OP}: key {k} and value {v} must have one length and batch, and with one weight one size")
    if q[1] != k[1]:
        raise ArgumentError(f"{OP}: query {q} and key {k} have different batch sizes")
    return q[0], q[1], q[2]


def _projected(q: Any, k: Any, v: Any, weights: tuple[Any, ...], bias: Any) -> Any:
    """Queries, keys and values (…, N, E); by one product where the inputs are one."""
    if any(w is None for w in weights):
        raise BoundError(f"{OP}: a weight of the projections is None; give in_proj_weight, or all three separate ones")
    if len(weights) == 1 and q is k is v:
        return ops.chunk(ops.linear(q, weights[0], bias), 3, -1)
    each = ops.chunk(weights[0], 3, 0) if len(weights) == 1 else weights
    biases = (None, None, None) if bias is None else ops.chunk(bias, 3, 0)
    return tuple(ops.linear(x, w, b) for x, w, b in zip((q, k, v), each, biases, strict=True))


def _mask(attn_mask: Any, key_padding_mask: Any, shape: tuple[int, int, int, int], dtype: Any) -> Any:
    """What is added to the scores (N, heads, L, S), or None."""
    batch, heads, length, source = shape
    mask = None
    if attn_mask is not None:
        given = shape_of(attn_mask)
        if given not in ((length, source), (batch * heads, length, source)):
            raise ArgumentError(
                f"{OP}: The shape of attn_mask is {given}, but should be {(length, source)} or "
                f"{(batch * heads, length, source)}"
            )
        mask = additive(OP, attn_mask, dtype, hides=True)
        mask = mask if len(given) == 2 else ops.reshape(mask, shape)
    if key_padding_mask is not None:
        if shape_of(key_padding_mask) != (batch, source):
            raise BoundError(
                f"{OP}: expecting key_padding_mask shape of {(batch, source)}, but got {shape_of(key_padding_mask)}"
            )
        padding = ops.reshape(additive(OP, key_padding_mask, dtype, hides=True), (batch, 1, 1, source))
        mask = padding if mask is None else mask + padding
    return mask


def _with_biases(k: Any, v: Any, bias_k: Any, bias_v: Any, static_k: Any, static_v: Any) -> tuple[Any, Any, int]:
    """Keys and values with the learned ones behind them, and how many these are."""
    if bias_k is None and bias_v is None:
        return k, v, 0
    if bias_k is None or bias_v is None:
        raise BoundError(f"{OP}: bias_k and bias_v: give both or neither")
    if static_k is not None or static_v is not None:
        raise BoundError(f"{OP}: bias cannot be added to static key or value")
    one = 1, *shape_of(k)[1:]
    return ops.cat([k, ops.broadcast_to(bias_k, one)], 0), ops.cat([v, ops.broadcast_to(bias_v, one)], 0), 1


def _scaled(x: Any, factor: float) -> Any:
    """x times a number that is not rounded to the dtype of x first."""
    half = dtype_of(x) == np.float16
    return ops.astype(ops.astype(x, np.float32) * factor, np.float16) if half else x * factor


def _heads(x: Any, heads: int) -> Any:
    """(L, N, E) as (N, heads, L, E / heads)."""
    length, batch, size = shape_of(x)
    return ops.permute(ops.reshape(x, (length, batch, heads, size // heads)), (1, 2, 0, 3))


def _static(x: Any, batch: int, heads: int, size: int) -> Any:
    shape = shape_of(x)
    if len(shape) != 3 or shape[0] != batch * heads or shape[2] != size:
        raise BoundError(f"{OP}: a static key or value has shape {shape}; expected ({batch * heads}, S, {size})")
    return ops.reshape(x, (batch, heads, *shape[1:]))
