"""Losses with PyTorch's signatures, composed from ops. `reduction` is "mean", "sum" or "none" everywhere."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import check_broadcast, dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike, NDArray
from tinygrad_cnn.nn.functional.activation import logsigmoid
from tinygrad_cnn.nn.functional.distance import detached, pairwise_distance
from tinygrad_cnn.nn.functional.reduction import check_alike, named, reduced, warn_unlike, weighted
from tinygrad_cnn.ops.checks import check_integer, check_ndim
from tinygrad_cnn.ops.elementwise import Sigmoid, Softplus
from tinygrad_cnn.ops.loss import BinaryCrossEntropy, Huber, LogSoftmax
from tinygrad_cnn.ops.mistakes import made_by, warn
from tinygrad_cnn.ops.told import decided

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "linear_cross_entropy",
    "margin_ranking_loss", "mse_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "nll_loss", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip

EPSILON = 1e-12
"""What `cosine_embedding_loss` adds to squared lengths."""


def cross_entropy(
    input: A,
    target: ArrayLike,
    weight: ArrayLike = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> A:
    """Cross-entropy of logits and class indices or probabilities; see `ops.cross_entropy`.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.cross_entropy(tg.tensor([[2.0, 1.0], [0.0, 3.0]]), tg.tensor([0, 1]))
    tensor(0.1809)
    """
    if size_average is not None or reduce is not None:
        reduction = named("cross_entropy", reduction, size_average, reduce)
    return ops.cross_entropy(
        input, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


def linear_cross_entropy(
    input: A,
    linear_weight: ArrayLike,
    target: ArrayLike,
    *,
    linear_bias: ArrayLike = None,
    weight: ArrayLike = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> A:
    """`cross_entropy` of logits that are computed from features: those of `linear`.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Parameters
    ----------
    input : (N, in_features), or (in_features,)
    linear_weight : (C, in_features), or, with a target for each of d1, … places, (C, d1, …, in_features)
    target : class indices (N, d1, …), or probabilities (N, C, d1, …)
    linear_bias : (C, d1, …), optional
    options : a `LinearCrossEntropyOptions`: with it float16 is computed in float32, as in PyTorch's chunks

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x, weight = tg.tensor([[1.0, 2.0]]), tg.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> tg.nn.functional.linear_cross_entropy(x, weight, tg.tensor([1]))
    tensor(0.3133)
    """
    op = "linear_cross_entropy"
    half = options is not None and dtype_of(input) == np.float16
    if half:
        wide: list[Any] = [
            ops.astype(a, np.float32) if a is not None and dtype_of(a) == np.float16 else a
            for a in (input, linear_weight, target, linear_bias, weight)
        ]
        input, linear_weight, target, linear_bias, weight = wide
    check_ndim(op, "input", input, (1, 2), "(N, in_features) or (in_features,)")
    shape, weights = shape_of(input), shape_of(linear_weight)
    if len(weights) < 2 or weights[-1] != shape[-1]:
        raise ArgumentError(f"{op}: linear_weight has shape {weights}; input {shape} expects (C, …, {shape[-1]})")
    if linear_bias is not None and shape_of(linear_bias) != weights[:-1]:
        raise ArgumentError(f"{op}: linear_bias has shape {shape_of(linear_bias)}; expected {weights[:-1]}")
    if len(weights) > 2 and len(shape) == 1:
        raise ArgumentError(f"{op}: linear_weight {weights} needs a batch of inputs (N, {shape[-1]}), not {shape}")
    wanted = (*shape[:-1], *weights[:-1])
    if shape_of(target) == wanted and ignore_index is not None:
        raise ArgumentError(f"{op}: ignore_index is {ignore_index}; targets that are probabilities have no index")
    rows = math.prod(weights[:-1])
    bias = None if linear_bias is None else ops.reshape(linear_bias, (rows,))
    logits = ops.linear(input, ops.reshape(linear_weight, (rows, weights[-1])), bias)
    loss = cross_entropy(
        ops.reshape(logits, wanted),
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
    return ops.astype(loss, np.float16) if half else loss


def nll_loss(
    input: A,
    target: ArrayLike,
    weight: ArrayLike = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """Negative log-likelihood of log-probabilities at class indices; see `ops.nll_loss`.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.nll_loss(tg.tensor([[-0.5, -1.0], [-2.0, -0.25]]), tg.tensor([0, 1]))
    tensor(0.3750)
    """
    reduction = named("nll_loss", reduction, size_average, reduce)
    return ops.nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)


def mse_loss(
    input: A,
    target: ArrayLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: ArrayLike = None,
) -> A:
    """Squared differences, each times its weight; different shapes are broadcast, with a warning.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = named("mse_loss", reduction, size_average, reduce)
    warn_unlike("mse_loss", input, target)
    if made_by(input, LogSoftmax) and decided(_are_one_hot, np.asarray(detached(target))):
        warn(
            f"mse_loss: the input of shape {shape_of(input)} is the result of log_softmax, the target one-hot; use "
            "nll_loss with class indices, target.argmax(1), or cross_entropy of the logits"
        )
    return weighted("mse_loss", ops.square(input - target), weight, reduction)


def l1_loss(
    input: A,
    target: ArrayLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: ArrayLike = None,
) -> A:
    """Absolute differences, each times its weight; different shapes are broadcast, with a warning.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = named("l1_loss", reduction, size_average, reduce)
    warn_unlike("l1_loss", input, target)
    return weighted("l1_loss", ops.abs(input - target), weight, reduction)


def huber_loss(input: A, target: ArrayLike, reduction: str = "mean", delta: float = 1.0, weight: ArrayLike = None) -> A:
    """``d² / 2`` for differences up to delta, ``delta (|d| - delta / 2)`` beyond (Huber 1964).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.huber_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 5.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = named("huber_loss", reduction, None, None)
    if delta <= 0:
        raise ArgumentError(f"huber_loss: delta is {delta}; it must be above 0")
    warn_unlike("huber_loss", input, target)
    losses = Huber.apply(input - target, delta=delta)
    return reduced(losses if weight is None else losses * weight, reduction)


def smooth_l1_loss(
    input: A,
    target: ArrayLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> A:
    """``d² / (2 beta)`` for differences up to beta, ``|d| - beta / 2`` beyond (Girshick 2015); beta 0 is `l1_loss`.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.smooth_l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.5, 5.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = named("smooth_l1_loss", reduction, size_average, reduce)
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss: beta is {beta}; it must be at least 0")
    warn_unlike("smooth_l1_loss", input, target)
    d = input - target
    return reduced(Huber.apply(d, delta=beta) / beta if beta else ops.abs(d), reduction)


def binary_cross_entropy(
    input: A,
    target: ArrayLike,
    weight: ArrayLike = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``-t ln p - (1 - t) ln(1 - p)`` of probabilities p in [0, 1]; each logarithm is at least -100, as in PyTorch.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.binary_cross_entropy(tg.tensor([0.5, 0.75]), tg.tensor([1.0, 1.0]))
    tensor(0.4904)
    """
    reduction = named("binary_cross_entropy", reduction, size_average, reduce)
    check_alike("binary_cross_entropy", input, target)
    p = np.asarray(detached(input))
    if not decided(_are_probabilities, p):
        raise ArgumentError(
            f"binary_cross_entropy: input has values from {p.min()} to {p.max()}; expected probabilities between 0 "
            "and 1; apply sigmoid first, or give logits to binary_cross_entropy_with_logits"
        )
    losses = BinaryCrossEntropy.apply(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: A,
    target: ArrayLike,
    weight: ArrayLike = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: ArrayLike = None,
) -> A:
    """``-p t ln sigmoid(x) - (1 - t) ln sigmoid(-x)``, with the weight p of positives; exact for logits of any size.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.binary_cross_entropy_with_logits(tg.tensor([0.0, 2.0]), tg.tensor([1.0, 1.0]))
    tensor(0.4100)
    """
    op = "binary_cross_entropy_with_logits"
    reduction = named(op, reduction, size_average, reduce)
    check_alike(op, input, target)
    if made_by(input, Sigmoid):
        warn(
            f"{op}: the input of shape {shape_of(input)} is the result of sigmoid; expected logits: leave out the "
            "sigmoid, or use binary_cross_entropy"
        )
    positive = target if pos_weight is None else target * pos_weight
    losses = positive * Softplus.apply(-input, threshold=math.inf)
    losses = losses + (1 - target) * Softplus.apply(input, threshold=math.inf)
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(
    input: A,
    target: ArrayLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> A:
    """``t (ln t - x)`` of log-probabilities x and probabilities t, or, with `log_target`, their logarithms.

    `reduction` may also be "batchmean", the sum over the batch size: the mathematical divergence. "mean" divides by
    the number of elements, with PyTorch's warning.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.kl_div(tg.log(tg.tensor([[0.25, 0.75]])), tg.tensor([[0.5, 0.5]]), reduction="batchmean")
    tensor(0.1438)
    """
    batchmean = reduction == "batchmean"
    reduction = named("kl_div", "sum" if batchmean else reduction, size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "kl_div: reduction='mean' divides by the number of elements; 'batchmean' divides by the batch size, as "
            "the divergence is defined",
            UserWarning,
            stacklevel=2,
        )
    check_broadcast("kl_div", shape_of(input), shape_of(target))
    if log_target:
        losses = ops.exp(target) * (target - input)
    else:
        logs = ops.log(ops.where(detached(target) == 0, 1.0, target))  # 0 ln 0 is 0
        losses = target * logs - target * input
    total = reduced(losses, reduction)
    return total / shape_of(input)[0] if batchmean and shape_of(input) else total


def poisson_nll_loss(
    input: A,
    target: ArrayLike,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``exp(x) - t x``, or without `log_input` ``x - t ln(x + eps)``: counts t of a Poisson distribution.

    With `full`, Stirling's approximation of ln t! is added for t above 1.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.poisson_nll_loss(tg.tensor([0.0, 1.0]), tg.tensor([1.0, 2.0]))
    tensor(0.8591)
    """
    reduction = named("poisson_nll_loss", reduction, size_average, reduce)
    check_broadcast("poisson_nll_loss", shape_of(input), shape_of(target))
    losses = ops.exp(input) - target * input if log_input else input - target * ops.log(input + eps)
    if full:
        many = detached(target) > 1
        t = ops.where(many, target, 1.0)
        losses = losses + ops.where(many, t * ops.log(t) - t + 0.5 * ops.log(2 * math.pi * t), 0.0)
    return reduced(losses, reduction)


def at_least(x: A, least: float) -> A:
    """x brought up to `least`, without effect on its gradient, which flows as if nothing had been done."""
    values = np.asarray(detached(x))
    return x + (np.maximum(values, least) - values).astype(values.dtype)


def gaussian_nll_loss(
    input: A, target: ArrayLike, var: ArrayLike, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> A:
    """``(ln v + (x - t)² / v) / 2`` of a normal distribution with mean x and variance v (Nix & Weigend 1994).

    The variance is at least `eps`, without effect on its gradient; it may lack the last dim of `input`, have 1 in
    place of one size, or be a number. With `full`, ``ln(2π) / 2`` is added.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.gaussian_nll_loss(tg.tensor([0.0, 1.0]), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))
    tensor(0.5000)
    """
    reduction = named("gaussian_nll_loss", reduction, None, None)
    shape = shape_of(input)
    if isinstance(var, (int, float)):
        var = np.full(shape, var, dtype_of(input))
    elif shape_of(var) != shape:
        if shape_of(var) == shape[:-1]:
            var = ops.unsqueeze(var, -1)
        elif len(shape_of(var)) != len(shape) or [n for n, m in zip(shape_of(var), shape, strict=True) if n != m] != [
            1
        ]:
            raise ArgumentError(
                f"gaussian_nll_loss: var has shape {shape_of(var)}; input {shape} expects {shape}, with 1 in place of "
                f"one of its sizes, or {shape[:-1]}"
            )
    values = np.asarray(detached(var))
    if decided(_some_negative, values):
        raise ArgumentError(f"gaussian_nll_loss: var contains {values.min()}; a variance is not negative")
    v = at_least(var, eps)
    losses = 0.5 * (ops.log(v) + ops.square(input - target) / v)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def soft_margin_loss(
    input: A,
    target: ArrayLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``ln(1 + exp(-t x))`` of targets 1 and -1; nothing overflows.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.soft_margin_loss(tg.tensor([0.0, 2.0]), tg.tensor([1.0, -1.0]))
    tensor(1.4100)
    """
    reduction = named("soft_margin_loss", reduction, size_average, reduce)
    check_broadcast("soft_margin_loss", shape_of(input), shape_of(target))
    return reduced(-logsigmoid(target * input), reduction)


def hinge_embedding_loss(
    input: A,
    target: ArrayLike,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.hinge_embedding_loss(tg.tensor([0.5, 0.25]), tg.tensor([1.0, -1.0]), reduction="none")
    tensor([0.5000, 0.7500])
    """
    reduction = named("hinge_embedding_loss", reduction, size_average, reduce)
    check_broadcast("hinge_embedding_loss", shape_of(input), shape_of(target))
    t = detached(target)
    losses = ops.where(t != 1, ops.clamp(margin - input, min=0.0), 0.0) + ops.where(t != -1, input, 0.0)
    return reduced(losses, reduction)


def margin_ranking_loss(
    input1: A,
    input2: ArrayLike,
    target: ArrayLike,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``max(0, -t (x1 - x2) + margin)``: x1 should be the larger where t is 1, the smaller where it is -1.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x1, x2 = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 1.0])
    >>> tg.nn.functional.margin_ranking_loss(x1, x2, tg.tensor([1.0, 1.0]), reduction="none")
    tensor([2., 0.])
    """
    reduction = named("margin_ranking_loss", reduction, size_average, reduce)
    shapes = shape_of(input1), shape_of(input2), shape_of(target)
    if len({len(shape) for shape in shapes}) != 1:
        raise ArgumentError(f"margin_ranking_loss: shapes {shapes}; inputs and target must have as many dims")
    check_broadcast("margin_ranking_loss", *shapes)
    return reduced(ops.clamp(-target * (input1 - input2) + margin, min=0.0), reduction)


def cosine_embedding_loss(
    input1: A,
    input2: ArrayLike,
    target: ArrayLike,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``1 - cos`` of two vectors where the target is 1, ``max(0, cos - margin)`` where it is -1; (N, D) or (D,).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.cosine_embedding_loss(tg.tensor([[1.0, 0.0]]), tg.tensor([[0.0, 1.0]]), tg.tensor([1.0]))
    tensor(1.)
    """
    op = "cosine_embedding_loss"
    reduction = named(op, reduction, size_average, reduce)
    shapes = shape_of(input1), shape_of(input2), shape_of(target)
    check_broadcast(op, *shapes[:2])
    if len(shapes[0]) not in (1, 2) or len(shapes[1]) != len(shapes[0]) or len(shapes[2]) != len(shapes[0]) - 1:
        raise ArgumentError(f"{op}: shapes {shapes}; expected inputs (N, D) and target (N,), or (D,) and ()")
    check_broadcast(op, shapes[0][:-1], shapes[2])
    lengths = (ops.sum(input1 * input1, -1) + EPSILON) * (ops.sum(input2 * input2, -1) + EPSILON)
    cosine = ops.sum(input1 * input2, -1) / ops.sqrt(lengths)
    t = detached(target)
    losses = ops.where(t == 1, 1 - cosine, 0.0) + ops.where(t == -1, ops.clamp(cosine - margin, min=0.0), 0.0)
    return reduced(losses, reduction)


def triplet_margin_loss(
    anchor: A,
    positive: ArrayLike,
    negative: ArrayLike,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``max(0, d(a, p) - d(a, n) + margin)`` of p-norms; with `swap` d(p, n) if smaller (Balntas et al. 2016).

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.triplet_margin_loss(tg.tensor([[0.0, 0.0]]), tg.tensor([[0.0, 2.0]]), tg.tensor([[1.5, 2.0]]))
    tensor(0.5000)
    """
    reduction = named("triplet_margin_loss", reduction, size_average, reduce)
    distance = lambda a, b: pairwise_distance(a, b, p, eps)  # noqa: E731
    return _triplets("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: A,
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> A:
    """`triplet_margin_loss` of any distance; by default the Euclidean.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x, near, far = tg.tensor([[0.0, 0.0]]), tg.tensor([[0.0, 2.0]]), tg.tensor([[1.5, 2.0]])
    >>> tg.nn.functional.triplet_margin_with_distance_loss(x, near, far)
    tensor(0.5000)
    """
    op = "triplet_margin_with_distance_loss"
    reduction = named(op, reduction, None, None)
    return _triplets(op, anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


def check_margin(op: str, margin: float) -> None:
    """The margin of triplets is above 0."""
    if margin <= 0:
        raise ArgumentError(f"{op}: margin is {margin}; it must be above 0")


def check_power(op: str, p: int) -> None:
    """Gaps count as they are, or squared."""
    if p not in (1, 2):
        raise ArgumentError(f"{op}: p is {p}; it must be 1 or 2")


def _triplets(
    op: str,
    anchor: A,
    positive: ArrayLike,
    negative: ArrayLike,
    distance: Any,
    margin: float,
    swap: bool,
    reduction: str,
) -> A:
    check_margin(op, margin)
    shapes = shape_of(anchor), shape_of(positive), shape_of(negative)
    if len({len(shape) for shape in shapes}) != 1:
        raise ArgumentError(f"{op}: shapes {shapes}; anchor, positive and negative must have as many dims")
    check_broadcast(op, *shapes)
    apart = distance(anchor, negative)
    if swap:
        apart = ops.minimum(apart, distance(positive, negative))
    return reduced(ops.clamp(margin + distance(anchor, positive) - apart, min=0.0), reduction)


def multi_margin_loss(
    input: A,
    target: ArrayLike,
    p: int = 1,
    margin: float = 1.0,
    weight: ArrayLike = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``Σ_k max(0, margin - x[t] + x[k])ᵖ / K`` over the other classes k; scores (N, K) or (K,), targets (N,) or ().

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.multi_margin_loss(tg.tensor([[0.5, 1.0]]), tg.tensor([1]))
    tensor(0.2500)
    """
    op = "multi_margin_loss"
    reduction = named(op, reduction, size_average, reduce)
    check_power(op, p)
    shape, labels = shape_of(input), shape_of(target)
    classes = shape[-1] if shape else 1
    if weight is not None and shape_of(weight) != (classes,):
        raise ArgumentError(f"{op}: weight has shape {shape_of(weight)}; {classes} classes expect ({classes},)")
    if len(shape) < 2 and labels in ((), (1,)):
        row, label = ops.reshape(input, (1, classes)), np.reshape(np.asarray(target), (1,))
        return reduced(_multi_margin(op, row, label, p, margin, weight)[0], reduction)
    if len(shape) != 2 or classes == 0 or labels != shape[:1]:
        raise ArgumentError(f"{op}: input has shape {shape}, target {labels}; expected (N, K) and (N,)")
    return reduced(_multi_margin(op, input, np.asarray(target), p, margin, weight), reduction)


def _multi_margin(op: str, x: A, labels: Any, p: int, margin: float, weight: ArrayLike) -> A:
    check_integer(op, "target", labels)
    n, classes = shape_of(x)
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ArgumentError(f"{op}: target has labels {labels.min()} to {labels.max()}; expected 0 to {classes - 1}")
    own = x[np.arange(n), labels]
    gaps = ops.relu(margin - ops.unsqueeze(own, 1) + x)
    gaps = gaps if p == 1 else gaps * gaps
    others = (labels[:, None] != np.arange(classes)).astype(dtype_of(x))
    losses = ops.sum(gaps * others, 1) / classes
    return losses if weight is None else losses * weight[labels]


def multilabel_margin_loss(
    input: A,
    target: ArrayLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """``Σ max(0, 1 - x[i] + x[j]) / K`` over the classes i of a target, up to its first -1, and all others j.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.multilabel_margin_loss(tg.tensor([[0.5, 1.0, 0.0]]), tg.tensor([[1, -1, 0]]))
    tensor(0.1667)
    """
    op = "multilabel_margin_loss"
    reduction = named(op, reduction, size_average, reduce)
    shape = shape_of(input)
    classes = shape[-1] if shape else 1
    if (
        len(shape) > 2
        or shape_of(target) not in (shape, *((), (1,)) * (len(shape) < 2 and classes == 1))
        or not classes
    ):
        raise ArgumentError(f"{op}: input has shape {shape}, target {shape_of(target)}; expected both (N, K) or (K,)")
    check_integer(op, "target", target)
    several = len(shape) == 2
    rows, labels = (ops.reshape(v, shape if several else (1, classes)) for v in (input, np.asarray(target)))
    if labels.size and not (labels.min() >= -1 and labels.max() < classes):
        raise ArgumentError(f"{op}: target has labels {labels.min()} to {labels.max()}; expected -1 to {classes - 1}")
    listed = np.logical_and.accumulate(labels >= 0, axis=1)
    row, _ = place = np.nonzero(listed)
    counts = np.zeros(labels.shape, dtype_of(input))  # how often each class is named
    np.add.at(counts, (row, labels[place]), 1)
    pairs = counts[:, :, None] * (counts == 0)[:, None, :]
    gaps = ops.relu(1 - ops.unsqueeze(rows, 2) + ops.unsqueeze(rows, 1))
    losses = ops.sum(gaps * pairs, (1, 2)) / classes
    return reduced(losses if several else losses[0], reduction)


def multilabel_soft_margin_loss(
    input: A,
    target: ArrayLike,
    weight: ArrayLike = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> A:
    """The mean over the classes, the last dim, of ``-t ln sigmoid(x) - (1 - t) ln sigmoid(-x)``.

    With reduction "none" the result has the shape of the losses, else none. A floating dtype stays. ValueError if
    shapes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.multilabel_soft_margin_loss(tg.tensor([[0.0, 2.0]]), tg.tensor([[1.0, 0.0]]))
    tensor(1.4100)
    """
    op = "multilabel_soft_margin_loss"
    reduction = named(op, reduction, size_average, reduce)
    check_broadcast(op, shape_of(input), shape_of(target))
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduced(ops.mean(losses if weight is None else losses * weight, -1), reduction)


def _are_probabilities(p: NDArray) -> bool:
    return not p.size or bool(p.min() >= 0 and p.max() <= 1)


def _some_negative(values: NDArray) -> bool:
    return bool((values < 0).any())


def _are_one_hot(target: NDArray) -> bool:
    """Whether each row is 0 but for a single 1."""
    return bool(target.ndim == 2 and ((target == 0) | (target == 1)).all() and (target.sum(1) == 1).all())
