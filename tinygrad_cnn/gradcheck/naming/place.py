"""Up to which expression the values of a learner's derivative are those of the right one, where no name fits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import Shape
from tinygrad_cnn.gradcheck.naming.recording import Entry
from tinygrad_cnn.gradcheck.naming.repairs import Repairs
from tinygrad_cnn.gradcheck.naming.words import Words, code
from tinygrad_cnn.gradcheck.naming.written import Written

MARGIN = 1e-8
"""Arrays that are the same but for rounding differ by less than this part in their projections."""
GATHERS = ("Add", "Reshape", "Stack", "Cat", "SetItem", "PutItem")
"""They put values together; the last of them what is done."""
SEVERAL = 50
"""Among so many values with the projection of another one it is looked for."""


def where_it_leaves(
    w: Written, others: Sequence[Written], wrong: frozenset[int], close: Callable[..., bool]
) -> str | None:
    """From which expression on the values of a learner's derivative are none of the right one any more.

    A value of the other sign is as right where it is subtracted; where that leaves no place, it is none.
    """
    alike, negative = _alike(w, others, close)
    found = _leaves(w, {**negative, **alike}, negative.keys() - alike.keys(), wrong)
    return found if found is not None or not negative else _leaves(w, alike, (), wrong)


def _leaves(w: Written, alike: dict[int, Entry], negative: Collection[int], wrong: frozenset[int]) -> str | None:
    from_g = {e.i for e in w.program.seeds}
    for e in w.own:
        if any(a.i in from_g for a in e.args):
            from_g.add(e.i)
    reaches: set[int] = set()  # what leads to a wrong gradient without a right value in between
    todo = [e for k, e in enumerate(w.results) if k in wrong and e is not None]
    while todo:
        e = todo.pop()
        if e.i not in reaches and e.i not in alike and e.i in from_g:
            reaches.add(e.i)
            todo += e.args
    found: list[tuple[Entry, list[Entry]]] = []
    for e in w.own:
        before = [a for a in e.args if a.i in from_g]
        if e.i not in reaches or e.op is None or e.at is None or not before or any(a.i not in alike for a in before):
            continue
        if e.op_name == "Add" and _of_one_value([alike[a.i] for a in before]):
            alike[e.i] = alike[before[0].i]
        elif not any(a.at == e.at for a in before if a.part == "learner"):
            found.append((e, before))
    # what adds right values up may be right, though the right derivative adds them elsewhere
    found.sort(key=lambda q: GATHERS.index(q[0].op_name) if q[0].op_name in GATHERS else -1)
    for e, before in found[:1]:
        said, text, line = Repairs(w).said, e.at.text if e.at else "", e.at.line if e.at else 0
        more = {a.i: " but for the sign" if a.i in negative else _is(w, said, a, alike[a.i]) for a in before}
        names = list(dict.fromkeys(f"{said(a)}{more[a.i]}" for a in before))
        return f"right up to {' and '.join(names).rstrip(',')}; wrong from {code(text)} on (line {line})"
    return None


def _of_one_value(parts: Sequence[Entry]) -> bool:
    """Whether these are the gradients of a value that the function takes several times, as `x[t]` in two products."""
    owners = [e.owner for e in parts if e.part == "cot" and e.owner is not None and e.owner.op_name == "GetItem"]
    if len(owners) < max(len(parts), 2):
        return False
    return all(o.args == owners[0].args and np.array_equal(o.value, owners[0].value) for o in owners)


def _is(w: Written, said: Any, a: Entry, right: Entry) -> str:
    """What a right value is the gradient of, if it is one."""
    if a.part == "seed" or right.part != "cot" or right.owner is None:
        return ""
    return f", the gradient of {Words(w.program).said(right.owner)},"


def _alike(
    w: Written, others: Sequence[Written], close: Callable[..., bool]
) -> tuple[dict[int, Entry], dict[int, Entry]]:
    """The learner's values that are values of the right derivative at all points, and which; of the other sign, too."""
    found: dict[int, Entry] = {e.i: e for e in w.program.seeds}
    negative: dict[int, Entry] = {}
    rank = {"cot": 0, "seed": 0, "edge": 1, "rule": 2, "forward": 3, "input": 3}
    right = sorted((e for e in w.program.tape if e.part in rank), key=lambda e: rank[e.part])
    by_shape: dict[Shape, list[tuple[float, int]]] = {}
    for n, r in enumerate(right):
        by_shape.setdefault(r.shape, []).append((_projected(r.value), n))
    for marks in by_shape.values():
        marks.sort()
    for e in w.own:
        if e.op is None:
            continue
        mark, marks = _projected(e.value), by_shape.get(e.shape, [])
        margin = MARGIN * (abs(mark) + float(np.abs(e.value).max(initial=0.0)) * e.size)
        for sign, those in ((1, found), (-1, negative)):
            low, high = (sign * mark - margin, 0), (sign * mark + margin, len(right))
            near = marks[bisect_left(marks, low) : bisect_right(marks, high)]
            for _, n in sorted(near, key=lambda q: q[1])[:SEVERAL]:
                r = right[n]
                if all(close(sign * o.values[e.i], o.values[r.i]) for o in (w, *others)):
                    those[e.i] = r
                    break
    return found, negative


def _projected(x: Any) -> float:
    """A number by which an array is found among thousands: equal arrays have equal ones."""
    flat = np.asarray(x, float).reshape(-1)
    mark = float(flat @ np.cos(np.arange(flat.size) + 1.0))
    return mark if np.isfinite(mark) else np.inf
