"""What the losses share: the names of reductions, the old options for them, and the mean or sum itself."""

import warnings

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import check_broadcast, check_numbers, dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike, Shape
from tinygrad_cnn.ops.loss import REDUCTIONS


def legacy(op: str, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction, unless the old options `size_average` and `reduce` are given, which decide, with a warning."""
    if size_average is None and reduce is None:
        return reduction
    for given in (size_average, reduce):
        if getattr(given, "array_shape", ()):
            raise TypeError(
                f"{op}: got a Tensor where an option stands; make the loss first, then call it with the data: "
                f"{op}()(input, target)"
            )
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
        a, b = _shapes(op, input, target)
        raise ArgumentError(f"{op}: input has shape {a}, target {b}; they must be equal{_alike(a, b)}")


def warn_unlike(op: str, input: ArrayLike, target: ArrayLike) -> None:
    """Shapes that differ but broadcast are rarely meant: a warning. Those that do not broadcast are an error."""
    a, b = shape_of(input), shape_of(target)
    if a == b:
        return
    _shapes(op, input, target)
    try:
        check_broadcast(op, a, b)
    except ArgumentError as error:
        classes = len(a) == 2 and b == a[:1] and dtype_of(target).kind in "iu"
        raise ArgumentError(f"{error}{'; class indices need cross_entropy, or one_hot' if classes else ''}") from None
    warnings.warn(
        f"{op}: input has shape {a}, target {b}; they are broadcast to the differences of all pairs, which is "
        f"rarely meant: make the shapes equal{_alike(a, b)}",
        UserWarning,
        stacklevel=3,
    )


def _shapes(op: str, input: ArrayLike, target: ArrayLike) -> tuple[Shape, Shape]:
    """The shapes of two arrays; TypeError if one is none."""
    for value in (input, target):
        if value is None or isinstance(value, tuple):
            check_numbers(op, value)
    return shape_of(input), shape_of(target)


def _alike(a: Shape, b: Shape) -> str:
    """How two shapes become alike that differ by a dim of size 1."""
    for longer, shorter, name, other in ((a, b, "input", "target"), (b, a, "target", "input")):
        for dim, n in enumerate(longer):
            if n == 1 and longer[:dim] + longer[dim + 1 :] == shorter:
                return f", with {name}.squeeze({dim}) or {other}.unsqueeze({dim})"
    return ""
