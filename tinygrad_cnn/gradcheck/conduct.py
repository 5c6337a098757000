"""How a function and its VJP behave: whether they write what is not theirs, roll dice, remember, or return nonsense."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.functions import Recorded, same
from tinygrad_cnn.gradcheck.judge import largest
from tinygrad_cnn.gradcheck.point import Point
from tinygrad_cnn.gradcheck.problems import MODIFIED, Misbehaves, WrongType
from tinygrad_cnn.gradcheck.tolerances import DIGITS
from tinygrad_cnn.gradcheck.verdicts import GradientError

RANDOM = "gradcheck: the function gives another value when called again; seed what is random inside it"
STATE = (
    "gradcheck: the function depends on state: called again after other calls, it gives another value for the same "
    "inputs"
)


class WrongShape(Misbehaves):
    """A gradient of another shape than its input."""

    def __init__(self, k: int, gradient: NDArray, label: str, shape: tuple[int, ...]) -> None:
        super().__init__(f"gradcheck: the vjp returns shape {gradient.shape} for {label} of shape {shape}")
        self.k, self.gradient = k, gradient


def check_function(point: Point, nondet_tol: float) -> None:
    """Called again, a function gives the same value and leaves its inputs as they were.

    A function of tensors is called again for its gradients, and is asked then: see `check_vjp`.
    """
    if isinstance(point.adapter, Recorded):
        return
    arguments = point.copies()
    before = _snapshot(arguments)
    with np.errstate(all="ignore"):
        again = point.adapter.evaluate(arguments)
    if _changed(arguments, before):
        raise Misbehaves(MODIFIED)
    check_same_value(point, again, nondet_tol, RANDOM)


def check_still(point: Point, nondet_tol: float) -> None:
    """Called again after other calls, the function gives the value of the first call."""
    with np.errstate(all="ignore"):
        again = point.adapter.evaluate(point.copies())
    check_same_value(point, again, nondet_tol, STATE)


def check_same_value(point: Point, outputs: Sequence[NDArray], nondet_tol: float, problem: str) -> None:
    """The outputs are those of the first call."""
    if [np.shape(y) for y in outputs] != point.shapes:
        raise Misbehaves(problem)
    if not np.all(np.abs(point.flat(outputs) - point.values) <= nondet_tol + rounding(point, point.values)):
        raise Misbehaves(problem)


def rounding(point: Point, values: NDArray) -> float:
    """What the same numbers may differ by when they are computed again: NumPy sums by where arrays lie in memory."""
    return DIGITS * point.eps * largest(values)


class Cotangents(Sequence[list[NDArray | None]]):
    """Cotangents for each output: of the rows of V, of mixtures of the first two, and of the first once more.

    Each is made when it is asked for, in memory that the one before has left; the first is kept.
    """

    def __init__(self, point: Point, V: NDArray, mixtures: Sequence[tuple[float, float]]) -> None:
        self.point, self.V, self.mixtures = point, V, mixtures
        self.first = point.split(V[0])

    def __len__(self) -> int:
        return len(self.V) + len(self.mixtures) + 1

    def __getitem__(self, i: Any) -> Any:
        if i == 0:
            return self.first
        if i < len(self.V):
            return self.point.split(self.V[i])
        if i == len(self) - 1:
            return self.point.split(self.V[0])
        a, b = self.mixtures[i - len(self.V)]  # IndexError beyond the last: so ends an iteration
        return self.point.split(a * self.V[0] + b * self.V[1])


def check_vjp(
    point: Point, V: NDArray, mixtures: Sequence[tuple[float, float]], labels: Sequence[str], nondet_tol: float
) -> list[list[NDArray | None]]:
    """The gradients under each cotangent, if the VJP leaves everything as it was and returns the right shapes.

    The first is asked again at the end, and must repeat itself: through one recorded graph, where there is one.
    """
    arguments, given = point.copies(), Cotangents(point, V, mixtures)
    before, kept = _snapshot(arguments), [None if v is None else v.copy() for v in given.first]
    *rows, again = _called_in_turn(point, arguments, given, nondet_tol)
    if any(v is not None and not np.array_equal(v, b) for v, b in zip(given.first, kept, strict=True) if b is not None):
        raise Misbehaves("gradcheck: the vjp modifies the cotangent; let it work on a copy")
    if _changed(arguments, before):
        raise Misbehaves("gradcheck: the vjp modifies its input; let it work on a copy")
    first = rows[0]
    for k, (g, a, label) in enumerate(zip(first, point.arrays, labels, strict=True)):
        if g is not None and np.asarray(g).dtype.kind not in "fiub":
            raise WrongType(f"gradcheck: the vjp returns {np.asarray(g).dtype} for {label}; expected real numbers")
        if g is not None and np.shape(g) != a.shape:
            raise WrongShape(k, np.asarray(g), label, a.shape)
    for g, other, label in zip(first, again, labels, strict=True):
        if g is None or other is None or same(g, np.asarray(other)):
            continue
        with np.errstate(invalid="ignore"):
            equal = (
                (np.abs(np.asarray(g, np.float64) - other) <= nondet_tol + rounding(point, np.asarray(g, np.float64)))
                | (g == other)
                | (np.isnan(g) & np.isnan(other))
            )
        if not np.all(equal):
            raise Misbehaves(
                f"gradcheck: the gradient of {label} differs when it is computed again; seed what is random inside it"
            )
    return rows


def check_dtypes(point: Point, gradients: Sequence[NDArray | None], labels: Sequence[str]) -> None:
    """Each gradient has the dtype of its input."""
    for g, a, label in zip(gradients, point.arrays, labels, strict=True):
        if g is not None and g.dtype != a.dtype:
            raise Misbehaves(f"gradcheck: the vjp returns {g.dtype} for {label} of dtype {a.dtype}; they must be equal")


SEVERAL = 4
"""So many outputs at most are given a cotangent alone."""


def check_undefined(point: Point, cotangent: NDArray, labels: Sequence[str]) -> None:
    """Of several outputs of a function of tensors, one that alone has a cotangent gives what it gives with zeros."""
    given = point.split(cotangent)
    wanted = [j for j, v in enumerate(given) if v is not None]
    if len(wanted) < 2 or not isinstance(point.adapter, Recorded):
        return
    recorded = point.adapter.recorded(point.copies())
    for j in [j for j in wanted if recorded[j]][:SEVERAL]:
        alone = [v if k == j else None for k, v in enumerate(given)]
        zeros = [v if k == j or v is None else np.zeros_like(v) for k, v in enumerate(given)]
        found, expected = (_called(point, point.copies(), each) for each in (alone, zeros))
        for i, (k, label) in enumerate(zip(point.checked, labels, strict=True)):
            a, b = (np.zeros(1) if g is None else np.asarray(g, np.float64) for g in (found[k], expected[k]))
            most = DIGITS * point.eps * largest(b) + point.unseen(i, cotangent)
            if not np.allclose(a, b, rtol=DIGITS * point.eps, atol=most, equal_nan=True):
                raise Misbehaves(
                    f"gradcheck: output {j} without cotangents for the others gives another gradient of {label} than "
                    "with zeros for them; let backward take None for zeros"
                )


def check_batched(point: Point, V: NDArray, labels: Sequence[str]) -> str:
    """Every cotangent of a batch gives what it gives alone; returns how the batch was computed."""
    batched = getattr(point.adapter, "vjp_batch", None)
    order = [*range(len(V)), *reversed(range(len(V)))]
    cotangents = [point.split(V[c]) for c in order]
    if batched is None:
        found = [point.adapter.vjp(point.copies(), v) for v in cotangents]
    else:
        found = batched(point.copies(), cotangents)
    for c, gradients in zip(order, found, strict=True):
        alone = point.adapter.vjp(point.copies(), point.split(V[c]))
        for k, label in zip(point.checked, labels, strict=True):
            a, b = (np.zeros(1) if g is None else np.asarray(g, np.float64) for g in (gradients[k], alone[k]))
            size = float(np.max(np.abs(b), initial=0.0))
            if not np.allclose(a, b, rtol=DIGITS * point.eps, atol=DIGITS * point.eps * size, equal_nan=True):
                raise Misbehaves(
                    f"gradcheck: a batch of cotangents gives another gradient of {label} than each of them alone"
                )
    return str(getattr(point.adapter, "batched", "one after another through the same function"))


def _called(point: Point, arguments: Sequence[Any], given: Sequence[Any]) -> Sequence[Any]:
    with _blamed():
        return point.adapter.vjp(arguments, given)  # type: ignore[no-any-return]


def _called_in_turn(
    point: Point, arguments: Sequence[Any], given: Sequence[Sequence[Any]], nondet_tol: float
) -> list[list[NDArray | None]]:
    """The gradients of the checked inputs under each cotangent; a graph is recorded of the value of the first call."""
    in_turn = getattr(point.adapter, "vjps", None)
    if isinstance(point.adapter, Recorded):
        in_turn = partial(point.adapter.vjps, seen=lambda found: check_same_value(point, found, nondet_tol, RANDOM))
    with _blamed():
        if in_turn:  # gives copies
            return [[row[k] for k in point.checked] for row in in_turn(arguments, given)]
        found = (point.adapter.vjp(arguments, v) for v in given)
        return [[None if row[k] is None else np.array(row[k]) for k in point.checked] for row in found]


@contextmanager
def _blamed() -> Iterator[None]:
    """What a VJP raises is its misbehaviour: what it may do wrong has no bounds."""
    try:
        with np.errstate(all="ignore"):
            yield
    except GradientError:
        raise
    except Exception as error:
        raise Misbehaves(f"gradcheck: the vjp raises {type(error).__name__}: {error}") from error


def _snapshot(arguments: Sequence[Any]) -> list[NDArray | None]:
    return [None if a is None else a.copy() for a in map(_array, arguments)]


def _array(value: Any) -> NDArray | None:
    """What an argument holds, if it holds an array."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "detach"):
        return np.asarray(value.detach().numpy())
    return None


def _changed(arguments: Sequence[Any], before: Sequence[NDArray | None]) -> bool:
    for a, b in zip(arguments, before, strict=True):
        now = _array(a)
        if now is not None and b is not None and not same(now, b):
            return True
    return False
