"""The transformer (Vaswani et al. 2017): layers of attention and small networks, with residual sums and norms."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.attention import MultiheadAttention
from tinygrad_cnn.nn.container import ModuleList
from tinygrad_cnn.nn.dropout import Dropout
from tinygrad_cnn.nn.linear import Linear
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.norm import LayerNorm
from tinygrad_cnn.ops.told import made
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import check_device
from tinygrad_cnn.torch_names.dtypes import get_default_dtype

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Any], Any]


def chosen_activation(activation: Activation) -> Callable[[Any], Any]:
    """The function itself, or the one that "relu" or "gelu" names."""
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise ArgumentError(f"Transformer: activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _masks(mask: Tensor | None, padding: Tensor | None, is_causal: bool) -> dict[str, Any]:
    return {"attn_mask": mask, "key_padding_mask": padding, "is_causal": is_causal, "need_weights": False}


class _Layer(Module):
    """What encoder and decoder layers share: attention, the small network behind it, residual sums and norms."""

    attends_to_memory = False

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_device(type(self).__name__, device)
        attention: dict[str, Any] = {"dropout": dropout, "bias": bias, "batch_first": batch_first, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        if self.attends_to_memory:
            self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, dtype=dtype)
        self.norm_first = norm_first

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, dtype=dtype)

        self.norm1, self.norm2 = norm(), norm()
        if self.attends_to_memory:
            self.norm3 = norm()
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        if self.attends_to_memory:
            self.dropout3 = Dropout(dropout)
        self.activation = chosen_activation(activation)

    def _network(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _residual(self, k: int, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        """``x + part(norm(x))`` if `norm_first`, else ``norm(x + part(x))``; the parts' output is dropped out."""
        norm, dropout = getattr(self, f"norm{k}"), getattr(self, f"dropout{k}")
        if self.norm_first:
            return x + dropout(part(norm(x)))
        return norm(x + dropout(part(x)))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a small network, each with a residual sum and a norm.

    Parameters
    ----------
    d_model : the size of every place in the sequence
    nhead : the number of heads
    dim_feedforward : the hidden size of the small network
    activation : "relu", "gelu" or a function
    norm_first : normalise before each part instead of after the sum

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.TransformerEncoderLayer(4, 2, dim_feedforward=8, batch_first=True)
    >>> layer(tg.zeros(2, 5, 4)).shape
    torch.Size([2, 5, 4])
    """

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """(time, batch, d_model), or (batch, time, …) if `batch_first`; for the masks see `MultiheadAttention`."""
        masks = _masks(src_mask, src_key_padding_mask, is_causal)
        x = self._residual(1, src, lambda x: self.self_attn(x, x, x, **masks)[0])
        return self._residual(2, x, self._network)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output, then a small network; see `TransformerEncoderLayer`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.TransformerDecoderLayer(4, 2, dim_feedforward=8, batch_first=True)
    >>> layer(tg.zeros(2, 5, 4), tg.zeros(2, 3, 4)).shape
    torch.Size([2, 5, 4])
    """

    attends_to_memory = True

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """`tgt` attends to itself under the `tgt_…` masks, then to `memory` under the `memory_…` masks."""
        own = _masks(tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = _masks(memory_mask, memory_key_padding_mask, memory_is_causal)
        x = self._residual(1, tgt, lambda x: self.self_attn(x, x, x, **own)[0])
        x = self._residual(2, x, lambda x: self.multihead_attn(x, memory, memory, **other)[0])
        return self._residual(3, x, self._network)


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(Module):
    """`num_layers` copies of an encoder layer, one after the other, and a norm if one is given.

    `enable_nested_tensor` and `mask_check` are about PyTorch's nested tensors, and change nothing here.

    Shapes and dtypes are those of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.TransformerEncoderLayer(4, 2, dim_feedforward=8, batch_first=True)
    >>> tg.nn.TransformerEncoder(layer, 2)(tg.zeros(2, 5, 4)).shape
    torch.Size([2, 5, 4])
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The last layer's output; every layer gets the same masks."""
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=bool(is_causal), src_key_padding_mask=src_key_padding_mask)
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(Module):
    """`num_layers` copies of a decoder layer, one after the other, and a norm if one is given.

    Shapes and dtypes are those of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.TransformerDecoderLayer(4, 2, dim_feedforward=8, batch_first=True)
    >>> tg.nn.TransformerDecoder(layer, 2)(tg.zeros(2, 5, 4), tg.zeros(2, 3, 4)).shape
    torch.Size([2, 5, 4])
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The last layer's output; every layer gets the same memory and masks."""
        x = tgt
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder and a decoder, each with a norm at its end; all matrices begin by `init.xavier_uniform_`.

    Examples
    --------
    >>> from tinygrad_cnn import nn, zeros
    >>> net = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> net(zeros(3, 5, 8), zeros(3, 4, 8), tgt_mask=nn.Transformer.generate_square_subsequent_mask(4)).shape
    torch.Size([3, 4, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_device("Transformer", device)
        layer: tuple[Any, ...] = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first)
        rest: dict[str, Any] = {"norm_first": norm_first, "bias": bias, "dtype": dtype}

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, dtype=dtype)

        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*layer, **rest)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm())
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*layer, **rest)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm())
        self.encoder, self.decoder = custom_encoder, custom_decoder
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode `src`, and decode `tgt` beside it: the decoder's output, of the shape of `tgt`."""
        s, t = shape_of(src), shape_of(tgt)
        batch = 0 if self.batch_first else 1
        if len(s) == 3 and len(t) == 3 and s[batch] != t[batch]:
            raise ArgumentError(f"Transformer: the batch number of src {s} and tgt {t} must be equal")
        if s[-1] != self.d_model or t[-1] != self.d_model:
            raise ArgumentError(
                f"Transformer: the feature number of src {s} and tgt {t} must be equal to d_model {self.d_model}"
            )
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask (sz, sz): 0 where place i may see place j ≤ i, else -∞."""
        check_device("generate_square_subsequent_mask", device)
        kind = np.dtype(get_default_dtype() if dtype is None else dtype)
        return Tensor.sharing(made(_mask, sz, kind))


def _mask(sz: int, kind: Any) -> NDArray:
    return np.triu(np.full((sz, sz), -np.inf, kind), 1)
