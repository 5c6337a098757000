"""Softmax, its logarithm, and the losses of classification, all shifted so that nothing overflows."""

import math
from typing import Any, cast

import numpy as np

from tinygrad_cnn.core.checks import check_axis, dtype_of, shape_of
from tinygrad_cnn.core.domain import AwayFrom, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.loss import ClassCrossEntropy, Softmax
from tinygrad_cnn.core.op import Elementwise, Kink, Op, Sample, Unary
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Shape
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.ops.calling import vectorial
from tinygrad_cnn.ops.checks import check_floating, check_integer
from tinygrad_cnn.ops.mistakes import made_by, warn
from tinygrad_cnn.ops.shape import movedim
from tinygrad_cnn.ops.told import decided, made

__all__ = [
    "cross_entropy", "log_softmax", "nll_loss", "softmax",
]  # fmt: skip

REDUCTIONS = ("mean", "sum", "none")


class LogSoftmax(Op):
    """y = x - ln Σ exp x        dx = g - exp(y) Σ g"""

    floating = True

    def forward(x: Array, *, axis: int) -> Array:
        return chosen.log_softmax(x, axis)

    def d_x(g: Array, y: Array, *, axis: int) -> Array:
        return g - np.exp(y) * np.sum(g, axis=axis, keepdims=True)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Softmax.sample(draw)


class SoftmaxCrossEntropy(Op):
    """y[n] = -Σ_k t[n,k] ln softmax(x)[n,k]        dx = g (softmax(x) Σ t - t),  dt = -g ln softmax(x)"""

    floating = True

    def forward(x: Array, t: Array) -> Array:
        return -np.sum(t * LogSoftmax.forward(x, axis=1), axis=1)

    def d_x(g: Array, x: Array, t: Array) -> Array:
        return np.expand_dims(g, 1) * (Softmax.apply(x, axis=1) * np.sum(t, axis=1, keepdims=True) - t)

    def d_t(g: Array, x: Array) -> Array:
        return -np.expand_dims(g, 1) * LogSoftmax.apply(x, axis=1)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        shape = (draw.integer(1, 3), draw.integer(1, 4), *draw.shape(0, 1, smallest=1))
        return Sample((draw.array(shape, Real()), draw.array(shape, Real())), {})


class BinaryCrossEntropy(Elementwise):
    """y = -t ln p - (1 - t) ln(1 - p)        dp = g (p - t) / max(p (1 - p), 10⁻¹²),  dt = g (ln(1 - p) - ln p)

    The logarithms are at least -100, as in PyTorch, so that 0 and 1 are probabilities, too.
    """

    floating = True
    domain = {"p": Real(low=0.125, high=0.875)}
    kinks = (
        Kink("p = 0, t = 1", (0.0, 1.0), (-1e12, np.inf)),
        Kink("p = 1, t = 1", (1.0, 1.0), (0.0, -np.inf)),
    )

    def forward(p: Array, t: Array) -> Array:
        with np.errstate(divide="ignore"):  # ln 0 is meant
            return (t - 1) * np.maximum(np.log1p(-p), -100) - t * np.maximum(np.log(p), -100)

    def d_p(g: Array, p: Array, t: Array) -> Array:
        return g * (p - t) / np.clip(p * (1 - p), 1e-12, None)

    def d_t(g: Array, p: Array) -> Array:
        with np.errstate(divide="ignore"):
            return g * (np.log1p(-p) - np.log(p))


class Huber(Unary):
    """y = x² / 2 where |x| ≤ δ, else δ (|x| - δ / 2)        dx = g min(max(x, -δ), δ)"""

    domain = {"x": AwayFrom((-2.0, -1.0, 1.0, 2.0))}
    kinks = (Kink("x = δ: the second derivative steps", (1.0,), (1.0,), {"delta": 1.0}),)

    def forward(x: Array, *, delta: float) -> Array:
        inside = np.clip(x, -delta, delta)
        return inside * (x - 0.5 * inside)

    def d_x(g: Array, x: Array, *, delta: float) -> Array:
        return g * np.clip(x, -delta, delta)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"delta": draw.choice([1.0, 2.0])})


@vectorial
def softmax(input: A, dim: int, dtype: Any = None) -> A:
    """Exponentials along a dim, normalised to sum 1.

    The shape stays; a floating dtype stays, or `dtype` is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.softmax(tg.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([0.0900, 0.2447, 0.6652])
    """
    return _along("softmax", Softmax, input, dim, dtype)


@vectorial
def log_softmax(input: A, dim: int, dtype: Any = None) -> A:
    """The logarithm of softmax along a dim, exact where softmax underflows.

    The shape stays; a floating dtype stays, or `dtype` is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.log_softmax(tg.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([-2.4076, -1.4076, -0.4076])
    """
    return _along("log_softmax", LogSoftmax, input, dim, dtype)


def _along(op: str, rule: type[Op], x: Any, dim: int, dtype: Any) -> Any:
    axis = check_axis(op, dim, len(shape_of(x)))
    return rule.apply(x if dtype is None else x.astype(dtype), axis=axis)


def cross_entropy(
    input: A,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> A:
    """Cross-entropy of logits and targets, as ``torch.nn.functional.cross_entropy``.

    Parameters
    ----------
    input : (N, K), (K,) or (N, K, d1, …), logits
    target : class indices (N,), () or (N, d1, …), or probabilities of the shape of `input`
    weight : (K,), optional: the weight of each class
    ignore_index : a class index whose rows count for nothing
    reduction : "mean" (over the weights of the rows), "sum" or "none"
    label_smoothing : in [0, 1]: this part of each target is spread evenly over the classes (Szegedy et al. 2016)

    Examples
    --------
    >>> import numpy as np
    >>> float(cross_entropy(np.array([[1000.0, 0.0]]), np.array([1])))
    1000.0
    """
    op = "cross_entropy"
    _check_logits(op, input)
    if made_by(input, Softmax):
        _warn_of_softmax(op, input, "logits: cross_entropy makes probabilities of them; leave out the softmax")
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{op}: reduction is {reduction!r}; it must be one of {REDUCTIONS}")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(f"{op}: label_smoothing is {label_smoothing}; it must be between 0 and 1")
    shape, labels = shape_of(input), shape_of(target)
    if not shape:
        raise ArgumentError(f"{op}: input is a number; expected logits (N, K), (K,) or (N, K, d1, …)")
    if len(shape) == 1:
        target = np.reshape(target, (1, *labels))
        options: dict[str, Any] = {"ignore_index": ignore_index, "label_smoothing": label_smoothing}
        loss = cross_entropy(input[None], target, weight, reduction=reduction, **options)
        return loss[0] if reduction == "none" else loss
    classes = shape[1]
    if weight is None and not label_smoothing and len(shape) == 2 and labels == shape[:1]:
        hot = np.asarray(target)
        if decided(all_count, hot, classes, ignore_index):  # the commonest case, with no question about rows
            row_weight = made(np.full, len(hot), 1 / len(hot) if reduction == "mean" else 1, dtype_of(input))
            return ClassCrossEntropy.apply(input, hot, row_weight, each=reduction == "none")
    per_class = _class_weight(op, weight, classes, dtype_of(input))
    if labels == shape and dtype_of(target).kind == "f":
        if ignore_index >= 0:
            raise ArgumentError(f"{op}: ignore_index is {ignore_index}; targets that are probabilities have no index")
        return _probability_loss(input, target, per_class, reduction, label_smoothing)
    if labels != (shape[0], *shape[2:]):
        raise ArgumentError(
            f"{op}: input has shape {shape}, target {labels}; expected class indices of shape "
            f"{(shape[0], *shape[2:])}, or probabilities of shape {shape}{_labels_fix(shape, labels)}"
        )
    rows, hot, counted = _rows(op, input, target, classes, ignore_index)
    row_weight = counted if weight is None else made(_weighted, per_class, hot, counted)
    over = made(np.sum, row_weight) if reduction == "mean" else 1.0
    if label_smoothing:
        smooth = made(_smoothed, hot, classes, per_class, label_smoothing, over, counted)
        losses = SoftmaxCrossEntropy.apply(rows, smooth)
    elif reduction == "none":
        losses = ClassCrossEntropy.apply(rows, hot, row_weight, each=True)
    else:
        loss = ClassCrossEntropy.apply(rows, hot, made(_divided, row_weight, over, counted), each=False)
        return (
            loss
            if reduction == "sum" or decided(np.any, counted)
            else loss + _mean_of_nothing(op, counted, ignore_index)
        )
    return _reduce(op, losses, counted, reduction, labels, ignore_index)


def _check_logits(op: str, input: Any) -> None:
    """DTypeError unless the input of a loss of classes holds floats."""
    dtype = dtype_of(input)
    if dtype.kind in "biu":
        raise DTypeError(
            f"{op}: input has dtype {dtype}; expected a floating dtype: the logits of all classes, not their argmax, "
            "which has no gradient; input comes first, target second"
        )
    if dtype.kind not in "fc":
        check_floating(op, "input", input)


def _warn_of_softmax(op: str, input: Any, expected: str) -> None:
    """Warn if the input is the softmax over the classes."""
    shape = shape_of(input)
    if made_by(input, Softmax).options["axis"] == min(1, len(shape) - 1):
        warn(f"{op}: the input of shape {shape} is the result of softmax; expected {expected}")


def _mean_of_nothing(op: str, counted: NDArray, ignore_index: int) -> float:
    """NaN, with a warning if there are labels, and all of them are to be ignored."""
    if counted.size:
        warn(f"{op}: all {counted.size} labels are {ignore_index}, the ignore_index; the mean of no loss is NaN")
    return math.nan


def _labels_fix(shape: Shape, labels: Shape) -> str:
    """What most likely is to be done about labels whose shape does not fit."""
    if labels == shape:
        return "; one-hot integers become class indices by .argmax(1), or probabilities by .float()"
    if len(labels) == len(shape) and labels == (shape[0], 1, *shape[2:]):
        return "; take away the dim of size 1, with .squeeze(1)"
    return ""


def all_count(labels: NDArray, classes: int, ignore_index: int) -> bool:
    """Whether there are labels, and every one is a class and none is to be ignored; in one pass."""
    if labels.dtype != np.int64 or not labels.size or 0 <= ignore_index < classes:
        return False
    return bool(np.maximum.reduce(labels.view(np.uint64)) < classes)  # a negative label is a very large one


def _class_weight(op: str, weight: Array | None, classes: int, dtype: Any) -> NDArray:
    if weight is None:
        return cast(NDArray, made(np.ones, classes, dtype))
    if shape_of(weight) != (classes,):
        raise ArgumentError(f"{op}: weight has shape {shape_of(weight)}; {classes} classes expect ({classes},)")
    return cast(NDArray, made(_converted, np.asarray(weight), dtype))


def _converted(weight: NDArray, dtype: Any) -> NDArray:
    return weight.astype(dtype)


def _weighted(per_class: NDArray, hot: NDArray, counted: NDArray) -> NDArray:
    return np.asarray(per_class[hot] * counted)


def _rows(op: str, x: Array, target: Array, classes: int, ignore_index: int) -> tuple[Array, NDArray, NDArray]:
    """Logits as rows (M, K), their labels (M,) with the ignored ones made 0, and 1 for the rows that count."""
    check_integer(op, "target", target)
    labels = np.asarray(target).reshape(-1)
    rows = x if len(shape_of(x)) == 2 else np.reshape(movedim(x, 1, -1), (labels.size, classes))
    if decided(_some_wrong, labels, classes, ignore_index):
        bad = labels[_wrong(labels, classes, ignore_index)][0]
        fix = f"; ignore_index={bad} leaves them out" if bad < 0 else "; labels count from 0" if bad == classes else ""
        raise IndexError(f"{op}: target contains {bad}; {classes} classes expect labels 0 to {classes - 1}{fix}")
    return rows, made(_zeroed, labels, ignore_index), made(_counting, labels, ignore_index, dtype_of(x))


def _wrong(labels: NDArray, classes: int, ignore_index: int) -> NDArray:
    return np.asarray((labels != ignore_index) & ((labels < 0) | (labels >= classes)))


def _some_wrong(labels: NDArray, classes: int, ignore_index: int) -> bool:
    return bool(_wrong(labels, classes, ignore_index).any())


def _zeroed(labels: NDArray, ignore_index: int) -> NDArray:
    return labels * (labels != ignore_index)


def _counting(labels: NDArray, ignore_index: int, dtype: Any) -> NDArray:
    return (labels != ignore_index).astype(dtype)


def _smoothed(
    labels: NDArray, classes: int, per_class: NDArray, smoothing: float, total: Any, counted: NDArray
) -> NDArray:
    """Weighted target rows, divided: 1 - s on the label and s / K on every class."""
    hot = (labels[:, None] == np.arange(classes)) * (1 - smoothing) + smoothing / classes
    return _divided(np.asarray(hot * per_class), total, counted[:, None]).astype(per_class.dtype)


def _probability_loss(x: Array, target: Array, per_class: NDArray, reduction: str, smoothing: float) -> Array:
    classes = shape_of(x)[1]
    column = per_class.reshape(-1, *(1,) * (len(shape_of(x)) - 2))
    smooth = target * (1 - smoothing) + smoothing / classes if smoothing else target
    losses = SoftmaxCrossEntropy.apply(x, smooth * column)
    if reduction == "none":
        return losses
    total = np.sum(losses)
    return total if reduction == "sum" else total / float(np.prod(shape_of(losses)))


def _divided(weights: NDArray, total: Any, counted: NDArray) -> NDArray:
    """The weights over their sum, 0 for rows that do not count. If all are 0, so that none has a share, NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(counted, weights / weights.dtype.type(total), 0))


def _reduce(op: str, losses: Array, counted: NDArray, reduction: str, shape: Shape, ignore_index: int) -> Array:
    """The rows' losses, or their sum: for a mean they have been divided. That of nothing is NaN, with gradient 0."""
    if reduction == "none":
        return np.reshape(losses, shape)
    total = np.sum(losses)
    if reduction == "sum" or decided(np.any, counted):
        return total
    return total + _mean_of_nothing(op, counted, ignore_index)


def nll_loss(
    input: A,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> A:
    """Negative log-likelihood of log-probabilities (N, K) or (N, K, d1, …) at class indices (N,) or (N, d1, …).

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.nll_loss(tg.log_softmax(tg.tensor([[1.0, 2.0], [3.0, 1.0]]), 1), tg.tensor([1, 0]))
    tensor(0.2201)
    """
    op = "nll_loss"
    _check_logits(op, input)
    if made_by(input, Softmax):
        _warn_of_softmax(op, input, "logarithms of probabilities; use log_softmax, or cross_entropy of the logits")
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{op}: reduction is {reduction!r}; it must be one of {REDUCTIONS}")
    shape, labels = shape_of(input), shape_of(target)
    if len(shape) == 1 and labels == ():
        loss = nll_loss(input[None], np.reshape(target, (1,)), weight, ignore_index=ignore_index, reduction=reduction)
        return loss[0] if reduction == "none" else loss
    if len(shape) < 2 or labels != (shape[0], *shape[2:]):
        fix = _labels_fix(shape, labels)
        raise ArgumentError(f"{op}: input has shape {shape}, target {labels}; expected (N, K, …) and (N, …){fix}")
    rows, hot, counted = _rows(op, input, target, shape[1], ignore_index)
    row_weight = made(_weighted, _class_weight(op, weight, shape[1], dtype_of(input)), hot, counted)
    over: Any = made(np.sum, row_weight) if reduction == "mean" else 1.0
    none = reduction == "mean" and not decided(bool, over)
    losses = -rows[made(np.arange, hot.size), hot] * (made(_divided, row_weight, over, counted) if none else row_weight)
    return _reduce(op, losses, counted, reduction, labels, ignore_index) / (1.0 if none else over)
