"""`MultiheadAttention`: several attentions side by side, each on its own projection of the inputs."""

from __future__ import annotations

from typing import Any

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
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
        first = self.batch_first and batched
        self_attention = query is key, key is value
        q, k, v = (ops.transpose(x, 0, 1) if first else x for x in self._checked(query, key, value))
        k = q if self_attention[0] else k
        v = k if self_attention[1] else v
        y, weights = F.multi_head_attention_forward(
            q,
            k,
            v,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            not self._qkv_same_embed_dim,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (ops.transpose(y, 0, 1) if first else y), weights

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
