"""Tables whose rows are learned: `Embedding`, and `EmbeddingBag`, which reduces several rows to one."""

from __future__ import annotations

from typing import Any, Self

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.device import check_device
from tinygrad_cnn.torch_names.errors import BoundError

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """What both share: the weight, its padding row, its options."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        layer = type(self).__name__
        check_device(layer, device)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise BoundError(f"{layer}: padding_idx {padding_idx} must be within num_embeddings {num_embeddings}")
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if _weight is None:
            self.weight = Parameter(empty(num_embeddings, embedding_dim, dtype=dtype), not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise BoundError(
                    f"{layer}: the weight has shape {tuple(_weight.shape)}; expected {(num_embeddings, embedding_dim)}"
                )
            self.weight = Parameter(_weight, not _freeze)

    @no_grad()
    def reset_parameters(self) -> None:
        """Begin anew: normal numbers, and 0 in the padding row."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0

    def extra_repr(self) -> str:
        """The configuration, what is not default."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        text += f", padding_idx={self.padding_idx}" * (self.padding_idx is not None)
        text += f", max_norm={self.max_norm}" * (self.max_norm is not None)
        text += f", norm_type={self.norm_type}" * (self.norm_type != 2)
        text += f", scale_grad_by_freq={self.scale_grad_by_freq}" * bool(self.scale_grad_by_freq)
        return text + ", sparse=True" * bool(self.sparse)


def _check_table(layer: str, embeddings: Tensor) -> tuple[int, int]:
    if embeddings.ndim != 2:
        raise BoundError(f"{layer}: embeddings have shape {tuple(embeddings.shape)}; expected 2 dims")
    rows, columns = embeddings.shape
    return rows, columns


class Embedding(_Table):
    """The rows of a table (num_embeddings, embedding_dim) by their numbers: (…) to (…, embedding_dim).

    The weight begins with standard normal numbers. The row `padding_idx` begins with 0 and gets no gradient; rows whose
    norm is above `max_norm` are scaled down when they are read.

    Numbers are integers; the result has the dtype of the weight. IndexError for a number that is not below
    `num_embeddings`.

    Examples
    --------
    >>> from tinygrad_cnn import nn, tensor
    >>> nn.Embedding(10, 3)(tensor([[1, 2], [9, 0]])).shape
    torch.Size([2, 2, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        options = self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        return F.embedding(input, self.weight, *options)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A layer with this table, whose memory it shares, trained only if not `freeze`."""
        rows, columns = _check_table("Embedding", embeddings)
        return cls(
            rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, _freeze=freeze
        )


class EmbeddingBag(_Table):
    """Sums, means or maxima of the rows of a table that each bag names; see `functional.embedding_bag`.

    The result has a row for each bag, in the dtype of the weight.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.EmbeddingBag(10, 3)
    >>> layer(tg.tensor([[0, 1], [5, 5]])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        options = padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
        super().__init__(num_embeddings, embedding_dim, *options, _weight, device=device, dtype=dtype)
        self.mode, self.include_last_offset = mode, include_last_offset

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

    def extra_repr(self) -> str:
        """The configuration, what is not default."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        text += f", max_norm={self.max_norm}" * (self.max_norm is not None)
        text += f", norm_type={self.norm_type}" * (self.norm_type != 2)
        text += f", scale_grad_by_freq={self.scale_grad_by_freq}" * bool(self.scale_grad_by_freq)
        return f"{text}, mode={self.mode!r}" + f", padding_idx={self.padding_idx}" * (self.padding_idx is not None)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """A layer with this table, whose memory it shares, trained only if not `freeze`."""
        rows, columns = _check_table("EmbeddingBag", embeddings)
        options = max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings, include_last_offset, padding_idx
        layer = cls(rows, columns, *options)
        layer.weight.requires_grad_(not freeze)
        return layer
