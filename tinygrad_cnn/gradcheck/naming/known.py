"""Textbook functions, recognised by their numbers, with the textbook's derivative.

A learner's softmax is five ops; its derivative in a book is one line. Where a part of a program gives the numbers of
one of these functions, the mistakes that can be made in that line are tried, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.naming.program import Known, Program
from tinygrad_cnn.gradcheck.naming.recording import Entry, Recorded

LARGEST = 5000
"""Arrays of more elements are not looked at."""


ELEMENTWISE = (
    Known("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda g, x, y: g * (y * (1 - y))),
    Known("tanh", np.tanh, lambda g, x, y: g * (1 - y * y)),
    Known("softplus", lambda x: np.logaddexp(0, x), lambda g, x, y: g * (1 / (1 + np.exp(-x)))),
)


def softmax(x: NDArray, axis: int) -> NDArray:
    """The softmax along an axis."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return np.asarray(e / e.sum(axis, keepdims=True))


def _softmax(a: int) -> Known:
    return Known(
        f"softmax over axis {a}",
        lambda x: softmax(x, a),
        lambda g, x, y: y * (g - np.sum(g * y, axis=a, keepdims=True)),
        "softmax",
    )


def _log_softmax(a: int) -> Known:
    return Known(
        f"log-softmax over axis {a}",
        lambda x: np.log(softmax(x, a)),
        lambda g, x, y: g - np.exp(y) * np.sum(g, axis=a, keepdims=True),
        "log_softmax",
    )


def _logsumexp(a: int) -> Known:
    return Known(
        f"logsumexp over axis {a}",
        lambda x: np.asarray(np.log(np.exp(x).sum(a))),
        lambda g, x, y: np.expand_dims(g, a) * (np.exp(x) / np.sum(np.exp(x), axis=a, keepdims=True)),
        "logsumexp",
    )


def _unit(a: int) -> Known:
    def rule(g: Any, x: Any, y: Any) -> Any:
        return (g - y * np.sum(g * y, axis=a, keepdims=True)) / np.sqrt(np.sum(x * x, axis=a, keepdims=True))

    return Known(f"x / |x| over axis {a}", lambda x: x / np.sqrt((x * x).sum(a, keepdims=True)), rule, "unit")


def _root_mean_square(axes: tuple[int, ...], eps: float) -> Known:
    def rule(g: Any, x: Any, y: Any) -> Any:
        root = np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + eps)
        return (g - y * np.mean(g * y, axis=axes, keepdims=True)) / root

    def value(x: NDArray) -> NDArray:
        return np.asarray(x / np.sqrt((x * x).mean(axes, keepdims=True) + eps))

    return Known(f"x / root of the mean square over {_over(axes)}", value, rule, "normalised")


def _standardised(axes: tuple[int, ...], eps: float, extra: float = 0.0) -> Known:
    def rule(g: Any, x: Any, y: Any) -> Any:
        deviation = np.sqrt(np.var(x, axis=axes, keepdims=True) + eps)
        mean = np.mean(g, axis=axes, keepdims=True)
        return (g - mean - y * np.mean(g * y, axis=axes, keepdims=True)) / deviation

    def value(x: NDArray) -> NDArray:
        return np.asarray((x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps))

    return Known(f"(x - mean) / deviation over {_over(axes)}", value, rule, "normalised")


def _over(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"


def constant(g: Recorded, value: Any, text: str) -> Recorded:
    """A constant of a rule, with a name."""
    found = g.tape.recorded(value)
    found.entry.text = text
    return found


def _cross_entropy(target: NDArray, mean: bool, what: str) -> Known:
    rows = float(len(target))

    def value(x: NDArray) -> NDArray:
        losses = -(target * np.log(softmax(x, 1))).sum(1)
        return np.asarray(losses.mean() if mean else losses.sum())

    def rule(g: Any, x: Any, y: Any) -> Any:
        p = np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)
        d = p - constant(g, target, what)
        return g * (d / constant(g, rows, "the number of rows")) if mean else g * d

    return Known(f"softmax and cross-entropy ({'mean' if mean else 'sum'})", value, rule)


def _binary_cross_entropy(target: NDArray, mean: bool, what: str) -> Known:
    count = float(target.size)

    def value(x: NDArray) -> NDArray:
        losses = np.logaddexp(0, x) - target * x
        return np.asarray(losses.mean() if mean else losses.sum())

    def rule(g: Any, x: Any, y: Any) -> Any:
        d = 1 / (1 + np.exp(-x)) - constant(g, target, what)
        return g * (d / constant(g, count, "the number of elements")) if mean else g * d

    return Known(f"sigmoid and cross-entropy ({'mean' if mean else 'sum'})", value, rule)


def _forms(u: Entry, p: Program, names: set[str]) -> Iterator[Known]:
    """The functions of an array of this shape that a program with these ops may have in it."""
    nd = u.ndim
    exponential = bool(names & {"Exp", "Softmax", "Logsumexp", "Logaddexp"})
    root = bool(names & {"Sqrt", "PowScalar", "Pow", "Rsqrt", "Std", "Norm"})
    if exponential or "Tanh" in names:
        yield from ELEMENTWISE
    axes = [a for a in range(nd) if u.shape[a] > 1]
    for a in axes:
        if exponential:
            yield _softmax(a)
            if names & {"Log", "Logsumexp"}:
                yield _log_softmax(a)
                yield _logsumexp(a)
        if root:
            yield _unit(a)
    if root and nd:
        for r in range(1, len(axes) + 1):
            for several in combinations(axes, r):
                for eps in _epsilons(p):
                    yield _standardised(several, eps)
                    yield _root_mean_square(several, eps)
    if exponential and names & {"Log", "Logsumexp", "Log1p", "Logaddexp"}:
        yield from _losses(u, p)


def _losses(u: Entry, p: Program) -> Iterator[Known]:
    for target, what in _targets(u, p):
        for mean in (True, False):
            if u.ndim == 2 and np.allclose(target.sum(1), 1):
                yield _cross_entropy(target, mean, what)
            yield _binary_cross_entropy(target, mean, what)


def _targets(u: Entry, p: Program) -> Iterator[tuple[NDArray, str]]:
    for n in p.nodes:
        index = n.options.get("index")
        if n.op_name == "GetItem" and u.ndim == 2 and isinstance(index, tuple) and len(index) == 2:
            rows, labels = index
            if isinstance(labels, (np.ndarray, list)) and not isinstance(rows, slice):
                hot = np.zeros(u.shape)
                try:
                    hot[index] = 1
                except IndexError:
                    continue
                yield hot, "the one-hot labels"
    for e in p.forward.tape.entries:
        if e.shape == u.shape and e.op is None and e is not u:
            value = np.asarray(e.value)
            if value.dtype.kind in "fib" and np.all((value >= 0) & (value <= 1)):
                yield value.astype(float), f"`{e.name}`" if e.name else "the target"


def _epsilons(p: Program) -> tuple[float, ...]:
    found = {
        float(e.value)
        for e in p.forward.tape.entries
        if e.op is None and isinstance(e.value, float) and 0 < e.value < 0.1
    }
    return (0.0, *sorted(found)[:2])


Found = tuple[tuple[int, int, Known], int | None]


def recognised(p: Program, close: Callable[[Any, Any], bool], over: Callable[[], bool]) -> Iterator[Found]:
    """What of a program is a textbook function of what: the numbers of both entries, the function, and its factor."""
    names = {n.op_name for n in p.nodes}
    nodes = [n for n in p.nodes if n in p.cot]
    inputs = [e for e in p.inputs if e is not None and e in p.cot]
    for u in [*inputs, *nodes]:
        later = [n for n in nodes if n is not u and u.i in p.before(n.i)]
        if over():
            return
        if not u.ndim or u.size > LARGEST or not later:
            continue
        for form in _forms(u, p, names):
            y = form.value(u.value)
            for n in later:
                direct = len(n.args) == 1 and n.args[0] is u
                if n.shape != y.shape or direct:
                    continue
                if close(n.value, y):
                    yield (u.i, n.i, form), None
                for b in inputs if form.scaled and n.op_name in ("Mul", "Div") else ():
                    if b is not u and b.i not in p.before(u.i) and _fits(b, n) and close(n.value, y * b.value):
                        yield (u.i, n.i, form), b.i


def _fits(b: Entry, n: Entry) -> bool:
    try:
        return bool(np.broadcast_shapes(b.shape, n.shape) == n.shape)
    except ValueError:
        return False
