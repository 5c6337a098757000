"""`MultiheadAttention`: several attentions side by side, each on its own projection of the inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.functional.attention import additive
from tinygrad_cnn.nn.linear import Linear
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.device import check_device
from tinygrad_cnn.torch_names.errors import BoundError

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that PyTorch prints for it here."""


class MultiheadAttention(Module):
    """Attention in `num_heads` heads of size ``embed_dim / num_heads`` (Vaswani et al. 2017).

    Queries, keys and values are projected, attended to per head, put side by side and projected again.

    Parameters
    ----------
    embed_dim : the size of queries and of the result
    dropout : the probability with which an attention weight is dropped in training
    bias : whether the projections have one
    add_bias_kv : add one learned key and value to every sequence
    add_zero_attn : add one key and value of zeros
    kdim, vdim : the sizes of keys and values, by default `embed_dim`
    batch_first : whether sequences are (batch, time, …) rather than (time, batch, …)

    Examples
    --------
    >>> from tinygrad_cnn import nn, zeros
    >>> y, weights = nn.MultiheadAttention(8, 2, batch_first=True)(zeros(3, 5, 8), zeros(3, 6, 8), zeros(3, 6, 8))
    >>> y.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 6]))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"MultiheadAttention: embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        super().__init__()
        check_device("MultiheadAttention", device)
        if embed_dim % num_heads:
            raise BoundError(f"MultiheadAttention: embed_dim {embed_dim} must be divisible by num_heads {num_heads}")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        apart = {} if self._qkv_same_embed_dim else {"q": embed_dim, "k": self.kdim, "v": self.vdim}
        for name in "qkv":
            size = apart.get(name)
            weight = None if size is None else Parameter(empty(embed_dim, size, dtype=dtype))
            self.register_parameter(f"{name}_proj_weight", weight)
        joint = Parameter(empty(3 * embed_dim, embed_dim, dtype=dtype)) if self._qkv_same_embed_dim else None
        self.register_parameter("in_proj_weight", joint)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, dtype=dtype)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty(1, 1, embed_dim, dtype=dtype)) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
        if self.out_proj.bias is not None:
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend; the result and, with `need_weights`, the weights, their mean over the heads or those of each.

        Shapes: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), all without N, or with N first if
        `batch_first`. `key_padding_mask` (N, S) is True for keys to leave out, `attn_mask` (L, S) or
        (N · heads, L, S) for pairs to leave out; numbers are added to the scores. `is_causal` says that
        `attn_mask` is the causal mask. The weights are (N, L, S), or (N, heads, L, S).
        """
        batched = len(shape_of(query)) == 3
        q, k, v = (self._batch_first(x, batched) for x in self._checked(query, key, value))
        q, k, v = self._projected(q, k, v, same=(query is key, key is value))
        mask = self._mask(q, k, attn_mask, key_padding_mask, batched, is_causal)
        k, v, mask = self._extended(k, v, mask)
        heads = [self._heads(x) for x in (q, k, v)]
        p = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = ops.matmul(heads[0] * (1 / math.sqrt(self.head_dim)), ops.transpose(heads[1], -1, -2))
            weights = F.dropout(ops.softmax(scores if mask is None else scores + mask, -1), p)
            mixed = ops.matmul(weights, heads[2])
            weights = ops.mean(weights, 1) if average_attn_weights else weights
        else:
            mixed = F.scaled_dot_product_attention(heads[0], heads[1], heads[2], mask, p)
        y = self.out_proj(ops.transpose(mixed, 1, 2).reshape(*shape_of(q)[:2], self.embed_dim))
        if not batched:
            return y[0], None if weights is None else weights[0]
        return (y if self.batch_first else ops.transpose(y, 0, 1)), weights

    def _checked(self, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
        q, k, v = shape_of(query), shape_of(key), shape_of(value)
        layer = "MultiheadAttention"
        if not (len(q) == len(k) == len(v) and len(q) in (2, 3)):
            raise BoundError(
                f"{layer}: query {q}, key {k} and value {v} should all be unbatched 2D or batched 3D tensors"
            )
        sizes = (self.embed_dim, self.kdim, self.vdim)
        if (q[-1], k[-1], v[-1]) != sizes or k[:-1] != v[:-1]:
            error = BoundError if self._qkv_same_embed_dim or k[:-1] != v[:-1] or q[-1] != sizes[0] else ArgumentError
            raise error(
                f"{layer}: query {q}, key {k} and value {v} do not fit: expected embedding dimensions {sizes}, and key "
                "and value of the same length and batch"
            )
        batch = 0 if self.batch_first else 1
        if len(q) == 3 and q[batch] != k[batch]:
            raise ArgumentError(f"{layer}: query {q} and key {k} have different batch sizes")
        return query, key, value

    def _batch_first(self, x: Any, batched: bool) -> Any:
        if not batched:
            return ops.unsqueeze(x, 0)
        return x if self.batch_first else ops.transpose(x, 0, 1)

    def _projected(self, q: Any, k: Any, v: Any, same: tuple[bool, bool]) -> tuple[Any, Any, Any]:
        """Queries, keys and values, (N, L, embed_dim) each; by one product where the inputs are one."""
        bias = self.in_proj_bias
        if same == (True, True) and self._qkv_same_embed_dim:
            return ops.chunk(F.linear(q, self.in_proj_weight, bias), 3, -1)
        weights = (
            ops.chunk(self.in_proj_weight, 3, 0)
            if self._qkv_same_embed_dim
            else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        )
        biases = (None, None, None) if bias is None else ops.chunk(bias, 3, 0)
        projected = [F.linear(x, w, b) for x, w, b in zip((q, k, v), weights, biases, strict=True)]
        return projected[0], projected[1], projected[2]

    def _mask(self, q: Any, k: Any, attn_mask: Any, key_padding_mask: Any, batched: bool, is_causal: bool) -> Any:
        """What is added to the scores (N, heads, L, S), or None."""
        layer = "MultiheadAttention"
        if is_causal and attn_mask is None:
            raise ArgumentError(f"{layer}: Need attn_mask if specifying the is_causal hint")
        batch, length, source = shape_of(q)[0], shape_of(q)[1], shape_of(k)[1]
        mask = None
        if attn_mask is not None:
            shape = shape_of(attn_mask)
            if shape not in ((length, source), (batch * self.num_heads, length, source)):
                raise ArgumentError(
                    f"{layer}: The shape of attn_mask is {shape}, but should be {(length, source)} or "
                    f"{(batch * self.num_heads, length, source)}"
                )
            mask = additive(layer, attn_mask, dtype_of(q), hides=True)
            mask = mask if len(shape) == 2 else mask.reshape(batch, self.num_heads, length, source)
        if key_padding_mask is not None:
            expected = (batch, source) if batched else (source,)
            if shape_of(key_padding_mask) != expected:
                raise BoundError(
                    f"{layer}: expecting key_padding_mask shape of {expected}, but got {shape_of(key_padding_mask)}"
                )
            padding = additive(layer, key_padding_mask, dtype_of(q), hides=True).reshape(batch, 1, 1, source)
            mask = padding if mask is None else mask + padding
        return mask

    def _extended(self, k: Any, v: Any, mask: Any) -> tuple[Any, Any, Any]:
        """Keys and values with the learned ones and those of zeros behind them."""
        batch, _, size = shape_of(k)
        more: list[tuple[Any, Any]] = []
        if self.bias_k is not None:
            more.append((ops.expand(self.bias_k, batch, 1, size), ops.expand(self.bias_v, batch, 1, size)))
        if self.add_zero_attn:
            zeros = np.zeros((batch, 1, size), np.dtype(dtype_of(k)))
            more.append((zeros, zeros))
        if more:
            k, v = ops.cat([k, *(x for x, _ in more)], 1), ops.cat([v, *(x for _, x in more)], 1)
            mask = None if mask is None else ops.pad(mask, (0, len(more)))
        return k, v, mask

    def _heads(self, x: Any) -> Any:
        batch, length, _ = shape_of(x)
        return ops.transpose(x.reshape(batch, length, self.num_heads, self.head_dim), 1, 2)
