"""Which elements of an input reach which elements of an output, and with what derivative: from the op's own rule.

The rule of an op is asked with unit cotangents, one output at a time: what it answers is a row of the Jacobian. An
element-wise op has one slope an element; an op that copies elements is found by numbering them; where every derivative
is an element of another input, as in a convolution or a product of matrices, the map says which.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core import saved
from tinygrad_cnn.core.op import PLACE, Op
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.types import NDArray

WORK = 6_000_000
"""How many derivatives are computed at most for one input of one op; beyond, only for some of the outputs."""
ENTRIES = 400_000
PATIENCE = 1.5
"""For so many seconds at most the rule of one input is asked, row by row."""


class Applied(NamedTuple):
    """An op with its inputs, as it was recorded."""

    op: type[Op]
    inputs: tuple[Any, ...]
    options: dict[str, Any]

    def forward(self, inputs: Any = None) -> tuple[NDArray, tuple[Any, ...]]:
        """The output, and the auxiliary ones."""
        made = self.op.forward(*(self.inputs if inputs is None else inputs), **self.options)
        y, *aux = made if self.op.aux else (made,)
        return np.asarray(y), tuple(aux)

    def rule(self, k: int, other: int | None = None, codes: Any = None) -> Callable[[NDArray], NDArray]:
        """The derivative of the k-th input as a function of the cotangent; another input may be put in for one."""
        op = self.op
        inputs = [codes if j == other else x for j, x in enumerate(self.inputs)]
        y, aux = self.forward(None if other is None else inputs)
        kept: Any = saved.pack(op, list(inputs), y, aux) or ()
        rule: Any = op.rules[0 if op.variadic else k]
        args = [k if pick == PLACE else kept[pick] for pick in rule.picks]
        options = {name: self.options[name] for name in rule.options if name in self.options}
        return lambda g: np.asarray(rule.function(g, *args, **options))


class Map(NamedTuple):
    """The derivatives of one input: `slope` of an element-wise op, or rows as in a sparse matrix."""

    slope: NDArray | None = None
    rows: NDArray | None = None
    cols: NDArray | None = None
    one: float | None = None
    values: NDArray | None = None
    via: NDArray | None = None
    other: int | None = None
    only: NDArray | None = None

    def dense(self, outputs: int, inputs: int, others: Any) -> NDArray:
        """The whole matrix; for tests and small ones. `others` are the inputs of the op."""
        matrix = np.zeros((outputs, inputs))
        assert self.rows is not None
        assert self.cols is not None
        for n, j in enumerate(range(outputs) if self.only is None else self.only):
            part = slice(self.rows[n], self.rows[n + 1])
            if self.via is not None:
                matrix[j, self.cols[part]] = np.ravel(others[self.other])[self.via[part]]
            else:
                matrix[j, self.cols[part]] = self.one if self.values is None else self.values[part]
        return matrix


def derivatives(applied: Applied, k: int, g: NDArray | None) -> Map | None:
    """The map of the k-th input; None if it has no derivative, or is no array of numbers."""
    op, x = applied.op, applied.inputs[k]
    if op.rules[0 if op.variadic else k] is None or np.asarray(x).dtype.kind != "f" or not np.size(x):
        return None
    y, _ = applied.forward()
    if not y.size or y.dtype.kind != "f":
        return None
    if op.broadcasts:
        slope = applied.rule(k)(np.ones(y.shape, y.dtype))
        return Map(slope=np.array(np.broadcast_to(slope, y.shape)))
    if op.linear == "jointly" and (copied := _copied(applied, k, y)) is not None:
        return copied
    return _rows(applied, k, y, g)


def _real(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _copied(applied: Applied, k: int, y: NDArray) -> Map | None:
    """Of an op that copies elements: which one each output is."""
    x = np.asarray(applied.inputs[k])
    random = np.random.default_rng(0).standard_normal(x.shape)

    def given(values: NDArray) -> NDArray:
        inputs = [values if j == k else np.zeros_like(a) if _real(a) else a for j, a in enumerate(applied.inputs)]
        return applied.forward(inputs)[0]

    codes = given(np.arange(1.0, x.size + 1).reshape(x.shape)).ravel()
    if not np.all((codes == np.floor(codes)) & (codes >= 0) & (codes <= x.size)):
        return None
    reads = codes > 0
    cols = codes[reads].astype(np.int32) - 1
    wanted = np.zeros(y.size)
    wanted[reads] = random.ravel()[cols]
    if not np.array_equal(given(random).ravel(), wanted):
        return None
    return Map(rows=np.concatenate([[0], np.cumsum(reads)]).astype(np.int32), cols=cols, one=1.0)


def _rows(applied: Applied, k: int, y: NDArray, g: NDArray | None) -> Map | None:
    """Row by row: the rule is asked for each output alone."""
    x, op = np.asarray(applied.inputs[k]), applied.op
    ask = applied.rule(k)
    patience = PATIENCE * (4 if x.size * y.size <= WORK else 1)  # a busy machine must not cut what fits
    fit = max(8, min(WORK // x.size, int(patience / (_cost(ask, y, x.shape) + 1e-6))))
    only = None
    if y.size > fit:
        order = np.argsort(-np.abs(np.ravel(g if g is not None else y)), kind="stable")
        only = np.sort(order[:fit]).astype(np.int32)
    outputs = np.arange(y.size) if only is None else only
    rule: Any = op.rules[0 if op.variadic else k]
    picked = [pick - 1 for pick in rule.picks if 0 < pick <= len(op.inputs)]
    if not op.variadic and len(picked) == 1 and picked[0] != k and 0 not in rule.picks:
        found = _read(applied, k, picked[0], y, outputs)
        if found is not None:
            return found._replace(only=only)
    counts, cols, values = [0], [], []
    for j in outputs:
        row = _asked(ask, y, j, x.shape).ravel()
        places = np.flatnonzero(row)
        counts.append(counts[-1] + len(places))
        cols.append(places.astype(np.int32))
        values.append(row[places])
        if counts[-1] > ENTRIES:
            only = np.asarray(outputs[: len(counts) - 1], np.int32)
            break
    data = np.concatenate(values) if values else np.zeros(0)
    same = bool(data.size) and bool(np.all(data == data[0]))
    return Map(
        rows=np.array(counts, np.int32),
        cols=np.concatenate(cols) if cols else np.zeros(0, np.int32),
        one=float(data[0]) if same else None,
        values=None if same else data,
        only=only,
    )


def _read(applied: Applied, k: int, other: int, y: NDArray, outputs: NDArray) -> Map | None:
    """The map where every derivative is an element of one other input: its elements are numbered to see which."""
    x, array = np.asarray(applied.inputs[k]), np.asarray(applied.inputs[other])
    if array.dtype.kind != "f" or array.size > 2**23:
        return None
    wide = applied._replace(inputs=tuple(a.astype(float) if _real(a) else a for a in applied.inputs))
    ask, real = wide.rule(k, other, np.arange(1.0, array.size + 1).reshape(array.shape)), applied.rule(k)
    counts, cols, via = [0], [], []
    check = set(np.random.default_rng(0).choice(len(outputs), min(8, len(outputs)), replace=False))
    for n, j in enumerate(outputs):
        row = _asked(ask, y.astype(float), j, x.shape).ravel()
        places = np.flatnonzero(row)
        codes = row[places]
        if codes.size and not (np.all(codes == np.floor(codes)) and codes.min() >= 1 and codes.max() <= array.size):
            return None
        read = codes.astype(np.int32) - 1
        if n in check:
            wanted = np.zeros(x.size, array.dtype)
            wanted[places] = array.ravel()[read]
            if not np.array_equal(_asked(real, y, j, x.shape).ravel(), wanted):
                return None
        counts.append(counts[-1] + len(places))
        cols.append(places.astype(np.int32))
        via.append(read)
        if counts[-1] > ENTRIES:
            return None
    return Map(rows=np.array(counts, np.int32), cols=np.concatenate(cols), via=np.concatenate(via), other=other)


def _cost(ask: Callable[[NDArray], NDArray], y: NDArray, shape: Any) -> float:
    """How many seconds a row takes: the fastest of five, since a busy machine only adds to it.

    The first is cold, and may compile what it calls: of it alone nothing is concluded.
    """
    times = []
    for _ in range(5):
        began = perf_counter()
        _asked(ask, y, 0, shape)
        times.append(perf_counter() - began)
        if len(times) > 1 and times[-1] > PATIENCE / 20:  # slow enough that a fifth call would be felt
            break
    return min(times)


def _asked(ask: Callable[[NDArray], NDArray], y: NDArray, j: Any, shape: Any) -> NDArray:
    unit = np.zeros(y.size, y.dtype)
    unit[j] = 1
    row = ask(unit.reshape(y.shape))
    return row if row.shape == shape else np.asarray(unbroadcast(row, shape))
