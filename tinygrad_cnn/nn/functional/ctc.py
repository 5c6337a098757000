"""Connectionist temporal classification: how likely a sequence is when it is not known where its labels lie."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike, NDArray
from tinygrad_cnn.nn.functional.reduction import named, reduced
from tinygrad_cnn.ops.checks import check_integer, check_ndim

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: A,
    targets: ArrayLike,
    input_lengths: ArrayLike,
    target_lengths: ArrayLike,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> A:
    """The negative log-likelihood of label sequences, summed over all alignments (Graves et al. 2006).

    Parameters
    ----------
    log_probs : (T, N, C) or (T, C), of log_softmax
    targets : class indices (N, S), or all sequences one after the other; none is the blank
    input_lengths, target_lengths : how much of each counts: (N,) or a number
    blank : the class that stands between labels
    reduction : "mean" divides each loss by its target's length first
    zero_infinity : 0 instead of ∞ where the input is too short for its target

    The forward recursion over the labels with blanks between them, a step of time at once for all of them.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> log_probs = tg.log_softmax(tg.zeros(3, 1, 3), dim=2)
    >>> tg.nn.functional.ctc_loss(log_probs, tg.tensor([[1, 2]]), tg.tensor([3]), tg.tensor([2]))
    tensor(0.8432)
    """
    op = "ctc_loss"
    reduction = named(op, reduction, None, None)
    check_ndim(op, "log_probs", log_probs, (2, 3), "(T, N, C) or (T, C)")
    if len(shape_of(log_probs)) == 2:
        rows = np.atleast_2d(np.asarray(targets))
        options = blank, reduction, zero_infinity
        loss = ctc_loss(ops.unsqueeze(log_probs, 1), rows, input_lengths, target_lengths, *options)
        return loss[0] if reduction == "none" else loss
    steps, n, classes = shape_of(log_probs)
    times, sizes = _lengths(op, "input_lengths", input_lengths, n), _lengths(op, "target_lengths", target_lengths, n)
    if n and not (times.min() >= 1 and times.max() <= steps):
        raise ArgumentError(f"{op}: input_lengths {times.tolist()} must lie between 1 and the {steps} steps of input")
    if not 0 <= blank < classes:
        raise ArgumentError(f"{op}: blank is {blank}; it must be one of {classes} classes")
    labels = _padded(op, np.asarray(targets), sizes, classes, blank)
    between = np.full((n, 2 * labels.shape[1] + 1), blank)
    between[:, 1::2] = labels
    forward = _forward(log_probs[:, np.arange(n)[:, None], between], _skips(between, blank))
    last = forward[times - 1, np.arange(n)]
    on_label = ops.masked_fill(last[np.arange(n), np.maximum(2 * sizes - 1, 0)], sizes <= 0, -np.inf)
    losses = -ops.logsumexp(ops.stack([last[np.arange(n), 2 * sizes], on_label]), 0)
    if zero_infinity:
        losses = ops.masked_fill(losses, losses == np.inf, 0.0)
    return reduced(losses / np.maximum(sizes, 1) if reduction == "mean" else losses, reduction)


def _lengths(op: str, name: str, given: Any, n: int) -> NDArray:
    lengths = np.atleast_1d(np.asarray(given if not isinstance(given, Sequence) else list(given)))
    check_integer(op, name, lengths)
    if lengths.shape != (n,):
        raise ArgumentError(f"{op}: {name} has shape {lengths.shape}; a batch of {n} expects ({n},)")
    return lengths.astype(np.int64)


def _padded(op: str, targets: NDArray, sizes: NDArray, classes: int, blank: int) -> NDArray:
    """The labels of each sequence (N, S), blanks after its end."""
    check_integer(op, "targets", targets)
    longest = int(sizes.max(initial=0))
    inside = np.arange(longest) < sizes[:, None]
    if targets.ndim == 2 and (targets.shape[0] != len(sizes) or targets.shape[1] < longest):
        raise ArgumentError(f"{op}: targets have shape {targets.shape}; lengths {sizes.tolist()} do not fit into it")
    if targets.ndim == 1 and targets.size != sizes.sum():
        raise ArgumentError(f"{op}: targets have {targets.size} labels; lengths {sizes.tolist()} have {sizes.sum()}")
    labels = np.full(inside.shape, blank)
    labels[inside] = targets if targets.ndim == 1 else targets[:, :longest][inside]
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ArgumentError(f"{op}: targets have labels {labels.min()} to {labels.max()}; expected 0 to {classes - 1}")
    return labels


def _skips(between: NDArray, blank: int) -> NDArray:
    """Where the blank before may be left out: at a label that differs from the one before."""
    skips = np.zeros(between.shape, bool)
    skips[:, 2:] = (between[:, 2:] != blank) & (between[:, 2:] != between[:, :-2])
    return skips


def _forward(emitted: A, skips: NDArray) -> A:
    """Of (T, N, L) log-probabilities the logarithm of all ways that lead to each label at each time."""
    length = skips.shape[1]
    start = np.where(np.arange(length) < 2, 0.0, -np.inf)
    ways = [emitted[0] + start.astype(dtype_of(emitted))]
    for step in range(1, shape_of(emitted)[0]):
        before = ops.pad(ways[-1], (2, 0), value=-np.inf)
        leap = ops.where(skips, before[:, :length], -np.inf)
        ways.append(ops.logsumexp(ops.stack([ways[-1], before[:, 1:-1], leap]), 0) + emitted[step])
    return ops.stack(ways)
