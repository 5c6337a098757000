"""Losses as layers: settings, and a call of the function of the same name."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn.distance import PairwiseDistance
from tinygrad_cnn.nn.functional.loss import check_margin, check_power
from tinygrad_cnn.nn.functional.reduction import legacy
from tinygrad_cnn.nn.linear import Linear
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss",
    "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "LinearCrossEntropyLoss",
    "LinearCrossEntropyOptions", "MSELoss",
    "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss",
    "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


class _Loss(Module):
    """What losses share: how the losses of single elements become one."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy(type(self).__name__, reduction, size_average, reduce)


class _WeightedLoss(_Loss):
    """A loss with weights of classes or elements, which are a buffer."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """``|x - t|``

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.L1Loss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """``(x - t)²``

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """``d² / (2 beta)`` for differences up to beta, ``|d| - beta / 2`` beyond (Girshick 2015).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.SmoothL1Loss(reduction="none")(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 5.0]))
    tensor([0.1250, 2.5000])
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """``d² / 2`` for differences up to delta, ``delta (|d| - delta / 2)`` beyond (Huber 1964).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.HuberLoss(reduction="none")(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 5.0]))
    tensor([0.1250, 2.5000])
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class CrossEntropyLoss(_WeightedLoss):
    """Cross-entropy of logits and class indices or probabilities; see `ops.cross_entropy`.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.CrossEntropyLoss()(tg.tensor([[2.0, 1.0], [0.0, 3.0]]), tg.tensor([0, 1]))
    tensor(0.1809)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        options: dict[str, Any] = {"ignore_index": self.ignore_index, "label_smoothing": self.label_smoothing}
        return ops.cross_entropy(input, target, self.weight, reduction=self.reduction, **options)


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch cuts the batch into chunks to save memory. Here the loss is computed whole, and is the same.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> options = tg.nn.LinearCrossEntropyOptions(batch_chunk_size=4)
    >>> options.batch_chunk_size
    4
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: Literal["accurate", "balanced", "compact", "auto"] = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        """ArgumentError for a setting that PyTorch does not know, either."""
        layer, method = "LinearCrossEntropyOptions", self.chunking_method
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ArgumentError(f"{layer}: invalid acc_policy: {self.acc_policy!r}")
        if method not in (None, "auto") and not re.fullmatch(r"aspect_ratio(:0*[1-9]\d*)?", str(method)):
            raise ArgumentError(f"{layer}: invalid chunking_method: {method!r}")
        if self.batch_chunk_size is not None and not (
            isinstance(self.batch_chunk_size, int) and self.batch_chunk_size > 0
        ):
            raise ArgumentError(
                f"{layer}: batch_chunk_size must be positive int or None, got {self.batch_chunk_size!r}"
            )


class LinearCrossEntropyLoss(_WeightedLoss):
    """Cross-entropy of logits that its own `Linear` makes of features; see `F.linear_cross_entropy`.

    With `out_features` (d1, …) there are as many logits, and a target, for each of these places.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> loss = tg.nn.LinearCrossEntropyLoss(2, 3)
    >>> loss(tg.tensor([[1.0, 2.0]]), tg.tensor([1])).shape
    torch.Size([])
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        super().__init__(weight, None, None, reduction)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        self.linear = Linear(in_features, num_classes * math.prod(out_features), bias, device, dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        places, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*places, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(places),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        """The configuration."""
        shown = "num_classes", "out_features", "bias", "reduction", "ignore_index", "label_smoothing", "options"
        settings = {**vars(self), "bias": self.linear.bias is not None}
        return f"in_features={self.linear.in_features}, " + ", ".join(f"{name}={settings[name]}" for name in shown)


class NLLLoss(_WeightedLoss):
    """Negative log-likelihood of log-probabilities at class indices; see `ops.nll_loss`.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.NLLLoss()(tg.tensor([[-0.5, -1.0], [-2.0, -0.25]]), tg.tensor([0, 1]))
    tensor(0.3750)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCELoss(_WeightedLoss):
    """``-t ln p - (1 - t) ln(1 - p)`` of probabilities p, each logarithm at least -100.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.BCELoss()(tg.tensor([0.5, 0.75]), tg.tensor([1.0, 1.0]))
    tensor(0.4904)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """``-p t ln sigmoid(x) - (1 - t) ln sigmoid(-x)`` of logits, with the weight p of positives.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.BCEWithLogitsLoss()(tg.tensor([0.0, 2.0]), tg.tensor([1.0, 1.0]))
    tensor(0.4100)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        options: dict[str, Any] = {"reduction": self.reduction, "pos_weight": self.pos_weight}
        return F.binary_cross_entropy_with_logits(input, target, self.weight, **options)


class KLDivLoss(_Loss):
    """``t (ln t - x)`` of log-probabilities x; with `log_target` the targets are logarithms, too.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.KLDivLoss(reduction="batchmean")(tg.log(tg.tensor([[0.25, 0.75]])), tg.tensor([[0.5, 0.5]]))
    tensor(0.1438)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """``exp(x) - t x``, or without `log_input` ``x - t ln(x + eps)``: counts t of a Poisson distribution.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.PoissonNLLLoss()(tg.tensor([0.0, 1.0]), tg.tensor([1.0, 2.0]))
    tensor(0.8591)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        options: dict[str, Any] = {"full": self.full, "eps": self.eps, "reduction": self.reduction}
        return F.poisson_nll_loss(log_input, target, self.log_input, **options)


class GaussianNLLLoss(_Loss):
    """``(ln v + (x - t)² / v) / 2`` of a normal distribution with mean x and variance v (Nix & Weigend 1994).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.GaussianNLLLoss()(tg.tensor([0.0, 1.0]), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))
    tensor(0.5000)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class SoftMarginLoss(_Loss):
    """``ln(1 + exp(-t x))`` of targets 1 and -1.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.SoftMarginLoss()(tg.tensor([0.0, 2.0]), tg.tensor([1.0, -1.0]))
    tensor(1.4100)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class _MarginLoss(_Loss):
    """A loss with a margin."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class HingeEmbeddingLoss(_MarginLoss):
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.HingeEmbeddingLoss(reduction="none")(tg.tensor([0.5, 0.25]), tg.tensor([1.0, -1.0]))
    tensor([0.5000, 0.7500])
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_MarginLoss):
    """``max(0, -t (x1 - x2) + margin)``: x1 should be the larger where t is 1, the smaller where it is -1.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MarginRankingLoss(reduction="none")(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 1.0]), tg.tensor([1.0, 1.0]))
    tensor([2., 0.])
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """``1 - cos`` of two vectors where the target is 1, ``max(0, cos - margin)`` where it is -1.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.CosineEmbeddingLoss()(tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 1.0]]), tg.tensor([1.0]))
    tensor(1.)
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """``max(0, d(a, p) - d(a, n) + margin)`` of p-norms; with `swap` d(p, n) if smaller (Balntas et al. 2016).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.TripletMarginLoss()(tg.tensor([[0.0, 0.0]]), tg.tensor([[0.0, 2.0]]), tg.tensor([[1.5, 2.0]]))
    tensor(0.5000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        check_margin("TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        options = self.margin, self.p, self.eps, self.swap
        return F.triplet_margin_loss(anchor, positive, negative, *options, reduction=self.reduction)


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` of any distance; by default the Euclidean.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> loss = tg.nn.TripletMarginWithDistanceLoss()
    >>> loss(tg.tensor([[0.0, 0.0]]), tg.tensor([[0.0, 2.0]]), tg.tensor([[1.5, 2.0]]))
    tensor(0.5000)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_margin("TripletMarginWithDistanceLoss", margin)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class MultiMarginLoss(_WeightedLoss):
    """``Σ_k max(0, margin - x[t] + x[k])ᵖ / K`` over the other classes k.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MultiMarginLoss()(tg.tensor([[0.5, 1.0]]), tg.tensor([1]))
    tensor(0.2500)
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        check_power("MultiMarginLoss", p)
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """``Σ max(0, 1 - x[i] + x[j]) / K`` over the classes i of a target, up to its first -1, and all others j.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MultiLabelMarginLoss()(tg.tensor([[0.5, 1.0, 0.0]]), tg.tensor([[1, -1, 0]]))
    tensor(0.1667)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over the classes of ``-t ln sigmoid(x) - (1 - t) ln sigmoid(-x)``.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MultiLabelSoftMarginLoss()(tg.tensor([[0.0, 2.0]]), tg.tensor([[1.0, 0.0]]))
    tensor(1.4100)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class CTCLoss(_Loss):
    """Negative log-likelihood of label sequences, summed over all alignments (Graves et al. 2006).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> log_probs = tg.log_softmax(tg.zeros(3, 1, 3), dim=2)
    >>> tg.nn.CTCLoss()(log_probs, tg.tensor([[1, 2]]), tg.tensor([3]), tg.tensor([2]))
    tensor(0.8432)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any) -> Tensor:
        options = self.blank, self.reduction, self.zero_infinity
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, *options)
