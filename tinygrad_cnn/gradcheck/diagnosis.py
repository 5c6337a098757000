"""What a wrong gradient looks like: hypotheses, each tested on numbers.

Both Jacobians are laid out in full, one row per output element and one column per input element, from one-sided unit
cotangents and from differences. A hypothesis is a way to make the wrong one out of the right one; it holds only if
it explains every entry.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from itertools import combinations
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck import patterns
from tinygrad_cnn.gradcheck.functions import Checked, NumpyPair, TensorFunction
from tinygrad_cnn.gradcheck.judge import Tolerance, quick
from tinygrad_cnn.gradcheck.patterns import Diagnosis
from tinygrad_cnn.gradcheck.point import Point, number_of, place_of, signed
from tinygrad_cnn.gradcheck.tolerances import DIGITS, RTOL
from tinygrad_cnn.gradcheck.verdicts import Entry, Projected, Verdict

ENDS = {"last": -1, "first": 0}

OUTPUTS, ENTRIES = 600, 200_000
"""Up to so many outputs and Jacobian entries both Jacobians are laid out."""

CLOSE = 1e-5
"""Two Jacobian entries are the same if they differ by less than this part of the largest."""

ALIKE = 1e-4
"""Two ratios of entries are the same if they differ by less than this part of the largest."""

EXACT = 2e-5
"""A ratio is a fraction or a known constant if it differs from it by less than this part."""

BEFORE_NAMES = ("nan", "kink convention")
"""What is said without a look at how the function is computed."""
FURTHER = 3
"""At so many other values it is asked whether one factor holds there, too."""
MOST_ELSEWHERE = 64
"""Of so many elements: each costs a call or two of the function at each of these values."""
NAMES = 5
"""Of the mistakes that give the same numbers so many are told."""

CONSTANTS = {
    "π": np.pi, "1/π": 1 / np.pi, "2π": 2 * np.pi, "1/2π": 0.5 / np.pi, "√2": np.sqrt(2), "1/√2": np.sqrt(0.5),
    "√π": np.sqrt(np.pi), "2/√π": 2 / np.sqrt(np.pi), "√(2/π)": np.sqrt(2 / np.pi), "√(2π)": np.sqrt(2 * np.pi),
    "1/√(2π)": 1 / np.sqrt(2 * np.pi), "ln 2": np.log(2), "1/ln 2": 1 / np.log(2), "ln 10": np.log(10),
    "1/ln 10": 1 / np.log(10), "e": np.e, "1/e": 1 / np.e, "√3": np.sqrt(3), "1/√3": 1 / np.sqrt(3),
}  # fmt: skip

OF_X: dict[str, Callable[[NDArray], NDArray]] = {
    "x": lambda x: x, "x²": lambda x: x**2, "x³": lambda x: x**3, "√x": np.sqrt, "exp(x)": np.exp,
    "ln x": np.log, "sin x": np.sin, "cos x": np.cos, "tan x": np.tan, "sinh x": np.sinh, "cosh x": np.cosh,
    "tanh x": np.tanh, "cos² x": lambda x: np.cos(x) ** 2, "1 + x": lambda x: 1 + x, "1 − x": lambda x: 1 - x,
    "1 + x²": lambda x: 1 + x**2, "1 − x²": lambda x: 1 - x**2, "√(1 − x²)": lambda x: np.sqrt(1 - x**2),
    "√(1 + x²)": lambda x: np.sqrt(1 + x**2), "exp(x²)": lambda x: np.exp(x**2), "|x|": np.abs,
    "sign x": np.sign, "sigmoid(x)": lambda x: 1 / (1 + np.exp(-x)),
}  # fmt: skip

OF_OTHER_INPUT: dict[str, Callable[[NDArray], NDArray]] = {
    "the other input": lambda w: w,
    "its square": lambda w: w**2,
    "its sign": np.sign,
}

OF_Y: dict[str, Callable[[NDArray], NDArray]] = {
    "y": lambda y: y, "y²": lambda y: y**2, "y³": lambda y: y**3, "√y": np.sqrt, "exp(y)": np.exp,
    "1 + y": lambda y: 1 + y, "1 − y": lambda y: 1 - y, "1 + y²": lambda y: 1 + y**2,
    "1 − y²": lambda y: 1 - y**2, "y(1 − y)": lambda y: y * (1 - y), "√(1 − y²)": lambda y: np.sqrt(1 - y**2),
    "√(1 + y²)": lambda y: np.sqrt(1 + y**2), "|y|": np.abs, "sign y": np.sign,
}  # fmt: skip


@dataclass
class Case:
    """What is known of a failure: of each failing input both Jacobians, if they are not too large."""

    point: Point
    entries: Sequence[Entry]
    labels: Sequence[str]
    random: np.random.Generator
    jacobians: dict[int, tuple[NDArray, NDArray]]
    """By the place among the checked inputs: the analytic and the numeric Jacobian, (outputs, elements)."""

    @staticmethod
    def of(
        point: Point, entries: Sequence[Entry], labels: Sequence[str], random: np.random.Generator, tolerance: Tolerance
    ) -> "Case":
        """Lay the Jacobians out."""
        failing = sorted({point.checked.index(e.input) for e in entries if e.verdict is Verdict.FAIL})
        case = Case(point, entries, labels, random, {})
        size = sum(point.arrays[k].size for k in failing) * point.size
        if not 0 < point.size <= OUTPUTS or size > ENTRIES:
            return case
        units = [0.75 * (1 - 2 * (j % 2)) for j in range(point.size)]
        rows = []
        for j, unit in enumerate(units):
            v = np.zeros(point.size)
            v[j] = unit
            rows.append([g.reshape(-1) / unit for g in point.gradients(v)])
        identity = np.eye(point.size)
        for k in failing:
            analytic = np.stack([row[k] for row in rows])
            numeric = quick(point, k, identity, tolerance, analytic).numeric
            kinked = case.kinked(k)
            if len(kinked) < numeric.shape[1]:  # what differences say there is no hypothesis's business
                numeric[:, kinked] = analytic[:, kinked] = 0.0
            case.jacobians[k] = analytic, numeric
        return case

    def kinked(self, k: int) -> list[int]:
        """The elements of an input with a kink at them or close by."""
        shape = self.point.arrays[k].shape
        places = [e.place for e in self.entries if e.input == self.point.checked[k] and e.where is not None]
        return [number_of(place, shape) for place in places if len(place) == len(shape)]

    def worst_first(self) -> list[int]:
        """The failing inputs, those with the worst entries first."""
        off: dict[int, float] = {}
        for e in self.entries:
            if e.verdict is Verdict.FAIL:
                k = self.point.checked.index(e.input)
                off[k] = max(off.get(k, 0.0), e.off / (abs(e.numeric) + e.error + 1e-300))
        return sorted(off, key=lambda k: -off[k])


def diagnose(case: Case) -> list[Diagnosis]:
    """Every explanation that holds, the best first."""
    found = list(_of_the_entries(case))
    if not any(d.kind in BEFORE_NAMES for d in found):
        found += _named(case)
    for rank, k in enumerate(case.worst_first()):
        if k not in case.jacobians:
            continue
        weight = 0.99**rank
        for d in _of_the_jacobians(case, k):
            several = len(case.point.arrays) > 1
            message = f"{case.labels[k]}: {d.message}" if several else d.message
            found.append(Diagnosis(d.kind, message, d.confidence * weight))
    found.append(patterns.UNKNOWN())
    return sorted(found, key=lambda d: -d.confidence)


def _named(case: Case) -> Iterable[Diagnosis]:
    """The mistakes that give these numbers when they are made in the function: see `naming`."""
    pair = _recordable(case.point.adapter) if NAMES else None
    if pair is not None:
        named = import_module("tinygrad_cnn.gradcheck.naming.naming").name_mistake
        inputs, names = case.point.inputs, None
        if any(label != f"input {k}" for label, k in zip(case.labels, case.point.checked, strict=True)):
            own = dict(zip(case.point.checked, case.labels, strict=True))
            names = [own.get(k, f"input {k}") for k in range(len(inputs))]
        for n in named(*pair, inputs, names=names)[:NAMES]:
            yield Diagnosis(n.kind, n.message, 1.04 - 0.05 * n.cost)


def _recordable(adapter: Checked) -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """A function of arrays and its VJP that can be run on values that are written down, if there are such."""
    if isinstance(adapter, NumpyPair):
        return (adapter.function, adapter.written) if adapter.is_real else None
    if isinstance(adapter, TensorFunction):
        function = import_module("tinygrad_cnn.gradcheck.naming.tensors").OfTensors(adapter)
        return function, function.vjp
    return None


def diagnose_shape(point: Point, v: NDArray, k: int, gradient: NDArray, label: str) -> Diagnosis:
    """Of a gradient of the wrong shape: whether it is right but for a sum over the axes that were broadcast."""
    a = point.arrays[k]
    tolerance = Tolerance(None, 1e-5, point.eps, None)
    numeric = quick(point, k, v[None], tolerance, np.full((1, a.size), np.nan)).numeric.reshape(a.shape)
    given = np.asarray(gradient, np.float64)
    facts = {"label": label, "given": given.shape, "expected": a.shape}

    def right(values: NDArray) -> bool:
        return values.size == a.size and np.allclose(values.reshape(a.shape), numeric, rtol=1e-4, atol=1e-7)

    if given.ndim >= a.ndim:
        extra = given.ndim - a.ndim
        axes = [*range(extra), *(extra + j for j, n in enumerate(a.shape) if n == 1 and given.shape[extra + j] != 1)]
        if right(np.asarray(np.sum(given, axis=tuple(axes)))):
            return patterns.NOT_SUMMED(**facts)
    if right(given):
        return patterns.RESHAPED(**facts)
    if given.shape == a.shape[::-1] and right(given.T):
        return patterns.SHAPE_TRANSPOSED(**facts)
    return patterns.SHAPE(**facts)


def nice(value: float, sizes: Iterable[int] = ()) -> str:
    """A number as a fraction or a known constant, or as it is."""
    return simple(value, sizes) or f"{value:.5g}".replace("-", "−") + " (no simple number)"


def simple(value: float, sizes: Iterable[int] = ()) -> str | None:
    """A number as a fraction or a known constant, if it is one."""
    for n in sizes:
        if n > 2 and abs(value - n) < ALIKE * n:
            return f"{n} (the size of an axis or array)"
        if n > 2 and abs(value * n - 1) < ALIKE:
            return f"1/{n} (one over the size of an axis or array)"
    fraction = Fraction(value).limit_denominator(64)
    if fraction and abs(float(fraction) - value) < EXACT * abs(value):
        return str(fraction).replace("-", "−")
    for name, constant in CONSTANTS.items():
        if abs(abs(value) - constant) < EXACT * constant:
            return ("−" if value < 0 else "") + name
    return None


def _of_the_entries(case: Case) -> Iterable[Diagnosis]:
    """What the verdicts and a few more cotangents say, whatever the size."""
    failed = [e for e in case.entries if e.verdict is Verdict.FAIL]
    bad = [e for e in failed if not np.isfinite(e.analytic)]
    if bad:
        yield patterns.NO_NUMBER(e=bad[0])
        return
    if all(e.one_sided is not None for e in failed if e.place):
        at_kinks = [e for e in failed if e.one_sided is not None]
        yield from [patterns.ONLY_AT_KINKS(e=e) for e in at_kinks[:1]]
    else:
        yield from _at_zeros(case)
    yield from _nonlinear(case)
    for k in case.worst_first():
        yield from _ratio(case, k)


def _at_zeros(case: Case) -> Iterable[Diagnosis]:
    """Whether the gradient is right as soon as no element is 0: then what fits here fits by the zeros."""
    point, moved = case.point, False
    inputs = list(point.inputs)
    for k in case.worst_first():
        zeros, place = point.arrays[k] == 0, point.checked[k]
        if np.any(zeros) and not np.all(zeros):
            other = 0.7 * np.median(np.abs(point.arrays[k][~zeros]))
            inputs[place] = np.where(zeros, other, point.arrays[k]).astype(point.arrays[k].dtype)
            moved = True
    if not moved:
        return
    beside = _at(point, inputs)
    if beside is None:
        return
    v = signed(case.random, (1, point.size))
    tolerance = Tolerance(None, RTOL, point.eps, None)
    for k in case.worst_first():
        analytic = np.asarray(beside.gradients(v[0])[k], np.float64).reshape(1, -1)
        numeric = quick(beside, k, v, tolerance, analytic).numeric
        if not np.all(np.abs(analytic - numeric) <= 1e-4 * np.max(np.abs(numeric)) + DIGITS * point.eps):
            return
    with_zeros = next(k for k in case.worst_first() if np.any(point.arrays[k] == 0))
    first = tuple(int(i[0]) for i in np.nonzero(point.arrays[with_zeros] == 0))
    yield patterns.ONLY_AT_ZEROS(label=case.labels[with_zeros], place=first)


def _ratio(case: Case, k: int) -> Iterable[Diagnosis]:
    """One factor between the gradients under the cotangents that were judged: needs no Jacobian."""
    mine = [e for e in case.entries if e.input == case.point.checked[k] and e.place and np.isfinite(e.numeric)]
    a, n, error = (np.array([getattr(e, name) for e in mine]) for name in ("analytic", "numeric", "error"))
    known = np.abs(n) > 100 * error
    some = any(isinstance(e, Projected) for e in case.entries)  # only wrong elements were looked at one by one
    if np.sum(known) < (1 if some else 2) or np.any(np.abs(a[~known]) > 200 * error[~known]):
        return
    c = float(np.median(a[known] / n[known]))
    if np.any(np.abs(a[known] - c * n[known]) > CLOSE * np.abs(n[known]) + (1 + abs(c)) * error[known]):
        return
    label = case.labels[k]
    shape = case.point.arrays[k].shape
    places = np.array([np.ravel_multi_index(e.place, shape) for e in mine], np.intp)
    if abs(c - 1) > CLOSE and not elsewhere(case, k, c, places):
        return
    if abs(c) < 1e-6:
        yield patterns.ZERO_ENTRIES(label=label)
    elif abs(c + 1) < ALIKE:
        yield patterns.SIGN_OF_ENTRIES(label=label)
    elif abs(c - 1) > CLOSE:
        sizes = sorted({case.point.size, case.point.arrays[k].size, *case.point.arrays[k].shape})
        pattern = patterns.FACTOR_OF_WRONG if some else patterns.FACTOR_OF_ENTRIES
        yield pattern(label=label, factor=nice(c, sizes))


def elsewhere(case: Case, k: int, c: float, places: NDArray | None = None) -> bool:
    """Whether the gradient of an input is c times the right one at other values, too; True where that cannot be told.

    One factor of everything is easily one at this point alone, as a determinant, or a mask that is 0 here. `places`
    are the elements that it is asked of, all of them if it is not given; of many some are looked at.
    """
    point = case.point
    random = np.random.default_rng(k)
    tolerance = Tolerance(None, RTOL, point.eps, None)
    places = np.arange(point.arrays[k].size) if places is None else places
    some = places if len(places) <= MOST_ELSEWHERE else np.sort(random.choice(places, MOST_ELSEWHERE, replace=False))
    for _ in range(FURTHER):
        other = _moved(point, random)
        if other is None:
            continue
        v = signed(random, (1, other.size))
        analytic = np.asarray(other.gradients(v[0])[k], np.float64).reshape(1, -1)
        numeric = quick(other, k, v, tolerance, analytic, some).numeric[:, some]
        analytic = analytic[:, some]
        size = float(np.max(np.abs(numeric), initial=0.0))
        if not np.all(np.abs(analytic - c * numeric) <= (ALIKE * (1 + abs(c)) + DIGITS * point.eps) * size):
            return False
    return True


def _moved(point: Point, random: np.random.Generator) -> Point | None:
    """The function at other values: the checked inputs' own, a little changed and in another order."""
    inputs = list(point.inputs)
    values = {k: np.asarray(a) for k, a in zip(point.checked, point.arrays, strict=True)}
    alike: dict[Shape, list[int]] = {}
    for k, a in values.items():
        alike.setdefault(a.shape, []).append(k)
    for shape, places in alike.items():
        several = np.concatenate([values[k].reshape(-1) for k in places])
        moved = random.permutation(several) * random.uniform(0.9, 1.1, several.size)
        for k, part in zip(places, np.split(moved, len(places)), strict=True):
            inputs[k] = part.reshape(shape).astype(values[k].dtype)
    return _at(point, inputs)


def _at(point: Point, inputs: Sequence[Any]) -> Point | None:
    """The function at other inputs; None if it has no values there, or other shapes."""
    try:
        with np.errstate(all="ignore"):
            other = Point(point.adapter, inputs, point.checked)
    except Exception:  # outside of its domain a function may do anything
        return None
    if other.output_shapes != point.output_shapes or not np.all(np.isfinite(other.values)):
        return None
    return other


def _nonlinear(case: Case) -> Iterable[Diagnosis]:
    """Whether Jᵀ(v − 2.5 w) = Jᵀv − 2.5 Jᵀw, and what it depends on if not, for the input that is most wrong."""
    point = case.point
    v, w = (signed(case.random, (point.size,)) * s for s in (1.0, 4.0))
    order = [*case.worst_first(), *range(len(point.checked))]

    def g(cotangent: NDArray) -> list[NDArray]:
        return [a.reshape(-1) for a in point.gradients(cotangent)]

    all_v, all_w, all_zero = g(v), g(w), g(np.zeros(point.size))
    size = float(np.max(np.abs(np.nan_to_num(np.concatenate([*all_v, *all_w]))), initial=0.0))
    slack = (1e-7 + 256 * point.eps) * max(size, 1e-300) + 64 * point.eps

    def same(a: NDArray, b: NDArray) -> bool:
        return bool(np.all(np.abs(a - b) <= slack))

    if not np.all(np.isfinite(np.concatenate(all_zero))):
        yield patterns.NO_NUMBER_AT_0()
        return
    all_both = g(v - 2.5 * w)
    k = next((k for k in order if not same(all_both[k], all_v[k] - 2.5 * all_w[k])), None)
    if k is None:
        return
    of_v, of_w, of_zero, both = all_v[k], all_w[k], all_zero[k], all_both[k]
    witness = f"Jᵀ(v − 2.5w) is {_first(both)}, but Jᵀv − 2.5 Jᵀw is {_first(of_v - 2.5 * of_w)}"
    if len(point.checked) > 1:
        witness = f"of {case.labels[k]}, {witness}"
    if same(of_v, of_w) and not same(of_v, 0 * of_v):
        yield patterns.LEFT_OUT(witness=witness)
    elif not same(of_zero, 0 * of_zero) and same(both - of_zero, (of_v - of_zero) - 2.5 * (of_w - of_zero)):
        constant = next(x for x in of_zero.tolist() if abs(x) > slack)
        pattern = patterns.CONSTANT if simple(constant) is not None else patterns.ODD_CONSTANT
        yield pattern(constant=nice(constant))
    elif same(g(-v)[k], of_v) and same(g(2 * v)[k], 2 * of_v):
        yield patterns.ABSOLUTE(witness=witness)
    elif same(g(-v)[k], of_v) and same(g(2 * v)[k], 4 * of_v):
        yield patterns.SQUARED(witness=witness)
    elif same(g(2 * v)[k], of_v):
        yield patterns.SIGN_ONLY(witness=witness)
    else:
        yield patterns.NONLINEAR(witness=witness)


def _first(values: NDArray) -> str:
    return f"{float(values[int(np.argmax(np.abs(values)))]):.4g}"


class _Pair:
    """Both Jacobians of one input, the shapes, and which entries are wrong."""

    def __init__(self, case: Case, k: int) -> None:
        self.case, self.k = case, k
        self.A, self.N = case.jacobians[k]
        self.x = np.asarray(case.point.arrays[k], np.float64)
        self.y = case.point.values
        shapes = case.point.output_shapes
        self.out: Shape = shapes[0] if len(shapes) == 1 else (case.point.size,)
        self.into: Shape = self.x.shape
        self.others = [np.asarray(a, np.float64) for j, a in enumerate(case.point.arrays) if j != k]
        self.size = float(np.max(np.abs(np.nan_to_num(self.N)), initial=0.0))
        self.slack = CLOSE * max(self.size, 1e-300) + 64 * case.point.eps
        self.wrong = ~(np.abs(self.A - self.N) <= self.slack)
        self.a0, self.n0 = np.abs(self.A) <= self.slack, np.abs(self.N) <= self.slack
        self.sizes = sorted({self.x.size, self.y.size, *self.into, *self.out})

    def elsewhere(self, c: float) -> bool:
        """Whether the gradient is this many times the right one at other values, too."""
        return elsewhere(self.case, self.k, c)

    def explains(self, J: NDArray) -> bool:
        """Whether a Jacobian made of the right one is the wrong one."""
        return J.shape == self.A.shape and bool(np.all(np.abs(self.A - J) <= self.slack))

    def numeric(self) -> NDArray:
        """The right one with the axes of output and input apart."""
        return self.N.reshape((*self.out, *self.into))


def _of_the_jacobians(case: Case, k: int) -> list[Diagnosis]:
    pair = _Pair(case, k)
    if not np.any(pair.wrong) or not np.all(np.isfinite(pair.A)):
        return []
    tests = (_zero, _multiple, _placed, _shifted, _axes, _subset, _mask, _chain, _part, _coarse)
    return [d for test in tests for d in test(pair)]


def _zero(p: _Pair) -> Iterable[Diagnosis]:
    if np.all(p.a0):
        yield patterns.ZERO() if p.elsewhere(0.0) else patterns.ZERO_HERE()


def _multiple(p: _Pair) -> Iterable[Diagnosis]:
    """One factor everywhere."""
    if np.all(p.a0) or np.any(p.a0 != p.n0):
        return
    c = float(np.sum(p.A * p.N) / np.sum(p.N * p.N))
    if not p.explains(c * p.N):
        return
    if abs(c + 1) < ALIKE:
        yield patterns.SIGN()
        return
    count = p.y.size // max(1, p.x.size) if p.x.size < p.y.size else 1
    most = int(np.max(np.sum(~p.n0, axis=0), initial=0))
    if most == count > 1 and np.all(np.sum(~p.n0, axis=1) <= 1) and abs(c * count - 1) < ALIKE:
        yield patterns.AVERAGED(count=count)
    of_y = _function_of_output(c, p.y[0]) if p.y.size == 1 and simple(c, p.sizes) is None else None
    if of_y is not None:
        yield patterns.OF_OUTPUT(factor=of_y)
        return
    if not p.elsewhere(c):
        yield patterns.FACTOR_HERE(factor=f"{c:.4g}")
        return
    one = patterns.FACTOR_OF_ONE if c > 0 else patterns.NEGATIVE_FACTOR_OF_ONE
    pattern = patterns.FACTOR if np.sum(~p.n0) > 1 else one
    yield pattern(factor=nice(c, p.sizes))


def _function_of_output(c: float, y: NDArray) -> str | None:
    """The function of the output that a factor is, or one over it."""
    for name, function in OF_Y.items():
        f = function(y)
        for value, message in ((f, f"there is a factor {name} too many"), (1 / f, f"a factor {name} is missing")):
            if abs(c - value) < 1e-7 * abs(c):
                return message
    return None


def _placed(p: _Pair) -> Iterable[Diagnosis]:
    """The right values in wrong places: transposed, flipped, in another order."""
    n, o = p.numeric(), len(p.out)
    reduced = len(p.out) < len(p.into) or 1 in p.out
    for i, j in combinations(range(len(p.into)), 2):
        swapped = np.swapaxes(n, o + i, o + j)
        if not p.explains(swapped.reshape(p.A.shape)):
            continue
        if swapped.shape == n.shape:
            yield (patterns.REDUCED_AXES if reduced else patterns.PLACED_AXES)(i=i, j=j)
            yield patterns.EXCHANGED(i=i, j=j)
        else:
            yield patterns.EXCHANGED_RESHAPED(i=i, j=j)
    for count in range(1, len(p.into) + 1):
        for axes in combinations(range(len(p.into)), count):
            if p.explains(np.flip(n, tuple(o + a for a in axes)).reshape(p.A.shape)):
                yield patterns.REVERSED(axes=f"{'axis' if count == 1 else 'axes'} {', '.join(map(str, axes))}")
    order = _order(p)
    moved = [i for i, j in enumerate(order) if i != j]
    if moved:
        yield patterns.MOVED(to=moved[0], source=order[moved[0]])


def _order(p: _Pair) -> list[int]:
    """Per element, the one that has its right values, each used once; empty if there is none for any of them."""
    order: dict[int, None] = {}
    for i in range(p.A.shape[1]):
        matches = np.flatnonzero(np.all(np.abs(p.N - p.A[:, [i]]) <= p.slack, axis=0))
        fresh = [j for j in matches.tolist() if j not in order]
        if not fresh:
            return []
        order[i if i in fresh else fresh[0]] = None
    return list(order)


def _shifted(p: _Pair) -> Iterable[Diagnosis]:
    """Off by one or two along an axis of the input or of the output."""
    n, a, o = p.numeric(), p.A.reshape((*p.out, *p.into)), len(p.out)
    for axis in range(n.ndim):
        length = n.shape[axis]
        for step in (1, -1, 2, -2):
            if abs(step) >= length or length < 3:
                continue
            rolled = np.roll(n, step, axis)
            inner = [slice(None)] * n.ndim
            inner[axis] = slice(step, None) if step > 0 else slice(None, step)
            close = np.abs(a - rolled) <= p.slack
            if np.all(close[tuple(inner)]) and np.any(np.abs(rolled[tuple(inner)]) > p.slack):
                whose = f"axis {axis - o} of the input" if axis >= o else f"axis {axis} of the output"
                yield (patterns.OFF_BY_ONE if abs(step) == 1 else patterns.OFF_BY_TWO)(whose=whose)


def _axes(p: _Pair) -> Iterable[Diagnosis]:
    """The right thing along another axis, of the input and the output alike."""
    n, o = p.numeric(), len(p.out)
    if p.out == p.into:
        for i, j in combinations(range(o), 2):
            both = np.swapaxes(np.swapaxes(n, i, j), o + i, o + j)
            if both.shape == n.shape and p.explains(both.reshape(p.A.shape)):
                yield patterns.OTHER_AXIS(i=i, j=j)
        for i in range(o):
            if p.explains(np.flip(n, (i, o + i)).reshape(p.A.shape)):
                yield patterns.BACKWARDS(i=i)
    rows = np.allclose(p.A.sum(axis=1), p.N.sum(axis=1), atol=p.slack * 4, rtol=1e-5)
    if p.x.size > 1 and rows and np.allclose(np.sort(p.A, axis=1), np.sort(p.N, axis=1), atol=p.slack, rtol=1e-5):
        axis = _index_axis(p, ~p.a0)
        if axis is not None:
            yield patterns.WRONG_SUM(axis=axis)
        yield patterns.MOVED_PER_OUTPUT()


def _index_axis(p: _Pair, support: NDArray) -> int | None:
    """The axis of the output along which the places count the elements of the input, if there is one."""
    if not p.out:
        return None
    index = np.indices(p.out).reshape(len(p.out), -1)
    for axis in range(len(p.out)):
        own = index[axis][:, None] == np.arange(p.x.size)[None, :]
        if np.all(own | ~support):
            return axis
    return None


def _subset(p: _Pair) -> Iterable[Diagnosis]:
    """Some contributions are there, rightly; the others are 0."""
    if np.any(p.wrong & ~p.a0) or np.all(p.a0):
        return
    columns = np.flatnonzero(np.any(p.wrong, axis=0)).tolist()
    partly = [i for i in columns if np.any(~p.a0[:, i])]
    kept_rows = np.flatnonzero(np.any(~p.a0, axis=1))
    needed_rows = np.flatnonzero(np.any(~p.n0, axis=1))
    if len(kept_rows) == 1 and len(needed_rows) > 1 and len(partly) < len(columns):
        place = int(np.searchsorted(needed_rows, kept_rows[0]))
        which = {0: "first", len(needed_rows) - 1: "last"}.get(place)
        if which is not None:
            yield patterns.EARLY_RETURN(which=which)
    if partly:
        end = next((name for name in ENDS if all(_has_only(p, i, name) for i in partly)), None)
        assigned = patterns.ASSIGNED if len(partly) == len(columns) else patterns.ASSIGNED_IN_PLACES
        yield patterns.LOST() if end is None else assigned(which=end)
    kept = np.any(~p.a0, axis=0).reshape(p.into)
    for axis, length in enumerate(p.into):
        for name, end_slice in ENDS.items():
            others = np.delete(kept, end_slice, axis=axis)
            if length > 1 and not np.any(others) and np.any(np.take(kept, end_slice, axis=axis)):
                yield patterns.ONE_SLICE(which=name, axis=axis)
    gone = [i for i in columns if np.all(p.a0[:, i])]
    if gone:
        yield patterns.GONE(place=place_of(gone[0], p.into))
    yield patterns.PART_GONE()


def _has_only(p: _Pair, i: int, end: str) -> bool:
    """Whether element i has its contributions from the last, or the first, of the outputs that use it, alone."""
    given, needed = (np.flatnonzero(~zero[:, i]).tolist() for zero in (p.a0, p.n0))
    return set(given) <= set(needed[-len(given) :] if end == "last" else needed[: len(given)])


def _mask(p: _Pair) -> Iterable[Diagnosis]:
    """A gradient where the function, or one output of it, does not depend on its input; right elsewhere."""
    extra = p.wrong & p.n0
    if np.any(extra) and not np.any(p.wrong & ~p.n0):
        places = np.flatnonzero(np.any(extra, axis=0))
        flat = bool(np.all(p.n0[:, places]))
        yield (patterns.NO_MASK if flat else patterns.ARRIVES)(place=place_of(int(places[0]), p.into))


def _chain(p: _Pair) -> Iterable[Diagnosis]:
    """The wrong one is the right one times something: a function of x, of y, of another input, or of nothing known."""
    if np.any(p.a0 & ~p.n0) and np.all(p.a0 | ~p.wrong):
        return  # parts are missing; see _subset
    both = ~p.n0
    if not np.any(both) or np.any(p.n0 & p.wrong):
        return
    with np.errstate(all="ignore"):
        ratio = p.A[both] / p.N[both]
    if not np.all(np.isfinite(ratio)):
        return
    rows, columns = np.nonzero(both)
    differs = bool(np.ptp(ratio) > ALIKE * np.max(np.abs(ratio)))
    known = _known_function(p, ratio, rows, columns, differs)
    if known is not None:
        yield known
    elif differs:
        yield from _irregular(p, ratio, rows, columns)


def _known_function(p: _Pair, ratio: NDArray, rows: NDArray, columns: NDArray, differs: bool) -> Diagnosis | None:
    """What the ratio is as a function of x, of y or of another input, if it is one."""
    candidates = [
        (p.x.reshape(-1)[columns], OF_X, patterns.OF_ARGUMENT if differs else patterns.OF_CONSTANT),
        (p.y[rows], OF_Y, patterns.OF_ARGUMENT),
    ]
    for w in p.others:
        if w.shape in (p.out, p.into):
            place = rows if w.shape == p.out else columns
            candidates.append((w.reshape(-1)[place], OF_OTHER_INPUT, patterns.OF_OTHER))
    for values, functions, pattern in candidates:
        factor = _recognised(ratio, values, functions)
        if factor is not None:
            return pattern(factor=factor)
    return None


def _irregular(p: _Pair, ratio: NDArray, rows: NDArray, columns: NDArray) -> Iterable[Diagnosis]:
    """A ratio that differs from entry to entry, and is no function that is known."""
    wrong = ratio[np.abs(ratio - 1) >= ALIKE]
    if not len(wrong):
        return
    if len(wrong) < len(ratio) and np.ptp(wrong) < ALIKE * np.max(np.abs(ratio)):
        c = float(wrong[0])
        if abs(c + 1) < ALIKE:
            yield patterns.SIGN_IN_PLACES()
        else:
            several = len(wrong) > 1 or any(abs(c - n) < EXACT * abs(c) for n in (2, 0.5))
            yield (patterns.FACTOR_IN_PLACES if several else patterns.ONE_ELEMENT)(factor=nice(c, p.sizes))
        return
    if _nice_all(ratio):
        yield patterns.FACTORS(factor=nice(float(wrong[0])))
        return
    fitting = [(whose, i) for whose, i in (("input", columns), ("output", rows)) if _depends_on(ratio, i)]
    repeated = [whose for whose, i in fitting if 2 * len(set(i.tolist())) <= len(ratio)]
    if repeated:
        yield patterns.DIFFERS(whose=repeated[0])
    elif fitting:  # one ratio for each element fits whatever is wrong
        yield patterns.OFF_ONE_BY_ONE(whose=fitting[0][0])


def _nice_all(ratio: NDArray) -> bool:
    return 2 * len({round(r, 6) for r in ratio.tolist()}) <= len(ratio) and all(
        abs(float(Fraction(r).limit_denominator(12)) - r) < ALIKE for r in ratio.tolist()
    )


def _depends_on(ratio: NDArray, index: NDArray) -> bool:
    """Whether the ratio is the same wherever the index is."""
    groups: dict[int, list[float]] = {}
    for i, r in zip(index.tolist(), ratio.tolist(), strict=True):
        groups.setdefault(i, []).append(r)
    return all(np.ptp(g) <= ALIKE * np.max(np.abs(g)) for g in groups.values())


def _recognised(ratio: NDArray, values: NDArray, functions: dict[str, Callable[[NDArray], NDArray]]) -> str | None:
    """The function that the ratio, or one over it, is a multiple of; one that it is itself, if there is one."""
    if len(set(np.round(values, 9).tolist())) < 2 and len(values) > 1:
        return None
    multiple = None
    for name, function in functions.items():
        with np.errstate(all="ignore"):
            f = function(values)
            pairs = (ratio * f, f"a factor {name} is missing"), (ratio / f, f"there is a factor {name} too many")
        for constant, message in pairs:
            if not np.all(np.isfinite(constant)) or np.ptp(f) == 0:
                continue
            c = float(np.mean(constant))
            if abs(c) < 1e-9 or np.max(np.abs(constant - c)) > ALIKE * abs(c):
                continue
            if abs(c - 1) <= ALIKE:
                return message
            if multiple is None and len(set(np.round(f, 9).tolist())) > 2:
                multiple = f"{message}, and there is a factor {nice(c)}"
    return multiple


def _part(p: _Pair) -> Iterable[Diagnosis]:
    """The difference is simple in itself: a mean that is not subtracted, a product of two vectors, one diagonal."""
    if np.all(p.a0):
        return
    d = p.A - p.N
    size = max(p.size, float(np.max(np.abs(d))))
    if min(d.shape) < 2 or not np.all(np.isfinite(p.N)):
        return
    if p.A.shape[0] == p.A.shape[1]:
        off = ~np.eye(len(p.A), dtype=bool)
        if not np.any(~p.a0 & off) and np.any(~p.n0 & off):
            yield patterns.DIAGONAL()
    rank, full = (int(np.sum(np.linalg.svd(J, compute_uv=False) > 1e-5 * size)) for J in (d, p.N))
    mixed = bool(np.any(np.sum(~p.n0, axis=1) > 1)) and bool(np.any(np.sum(~p.n0, axis=0) > 1))
    if mixed and rank <= max(1, full // 4) and rank < min(d.shape):
        yield patterns.TERM(rank=rank)


def _coarse(p: _Pair) -> Iterable[Diagnosis]:
    """Right to the digits of a shorter dtype."""
    off = np.abs(p.A - p.N)
    relative = off[~p.n0] / np.abs(p.N[~p.n0])
    if relative.size and np.max(relative) < 5e-3 and not np.any(p.wrong & p.n0):
        for dtype in (np.float16, np.float32):
            if np.max(relative) < 8 * float(np.finfo(dtype).eps) and np.all(p.A.astype(dtype) == p.A):
                yield patterns.PRECISION(dtype=np.dtype(dtype))
                return
