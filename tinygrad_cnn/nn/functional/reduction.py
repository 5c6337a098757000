"""What the losses share: the names of reductions, the old options for them, and the mean or sum itself."""

import warnings

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import check_broadcast, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike
from tinygrad_cnn.ops.loss import REDUCTIONS


def legacy(op: str, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction, unless the old options `size_average` and `reduce` are given, which decide, with a warning."""
    if size_average is None and reduce is None:
        return reduction
    averaged = "mean" if size_average in (None, True) else "sum"
    reduction = averaged if reduce in (None, True) else "none"
    warnings.warn(
        f"{op}: size_average and reduce are deprecated; use reduction={reduction!r}", UserWarning, stacklevel=4
    )
    return reduction


def named(op: str, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The same, checked to be one that there is."""
    reduction = legacy(op, reduction, size_average, reduce)
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{op}: reduction is {reduction!r}; it must be one of {REDUCTIONS}")
    return reduction


def reduced(losses: A, reduction: str) -> A:
    """The losses themselves ("none"), their mean or their sum."""
    if reduction == "none":
        return losses
    return ops.mean(losses) if reduction == "mean" else ops.sum(losses)


def weighted(op: str, losses: A, weight: ArrayLike, reduction: str) -> A:
    """The same with a weight for each loss, the mean being that of the weights."""
    if weight is None:
        return reduced(losses, reduction)
    if shape_of(weight) != shape_of(losses):
        raise ArgumentError(f"{op}: weight has shape {shape_of(weight)}, the losses {shape_of(losses)}; give one each")
    if reduction == "mean":
        return ops.sum(losses * weight) / ops.sum(weight)
    return reduced(losses * weight, reduction)


def check_alike(op: str, input: ArrayLike, target: ArrayLike) -> None:
    """Input and target have one shape, without broadcasting."""
    if shape_of(input) != shape_of(target):
        raise ArgumentError(f"{op}: input has shape {shape_of(input)}, target {shape_of(target)}; they must be equal")


def warn_unlike(op: str, input: ArrayLike, target: ArrayLike) -> None:
    """Shapes that differ but broadcast are rarely meant: a warning. Those that do not broadcast are an error."""
    a, b = shape_of(input), shape_of(target)
    if a != b:
        warnings.warn(
            f"{op}: input has shape {a}, target {b}; they are broadcast to the differences of all pairs, which is "
            "rarely meant: make the shapes equal",
            UserWarning,
            stacklevel=3,
        )
        check_broadcast(op, a, b)
