"""Up to which expression the values of a learner's derivative are those of the right one, where no name fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_cnn.gradcheck.naming.recording import Entry
from tinygrad_cnn.gradcheck.naming.repairs import Repairs
from tinygrad_cnn.gradcheck.naming.words import Words, code
from tinygrad_cnn.gradcheck.naming.written import Written


def where_it_leaves(
    w: Written, others: Sequence[Written], wrong: frozenset[int], close: Callable[..., bool]
) -> str | None:
    """From which expression on the values of a learner's derivative are none of the right one any more."""
    alike = _alike(w, others, close)
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
    for e in w.own:
        before = [a for a in e.args if a.i in from_g]
        if e.i in reaches and e.op is not None and e.at is not None and before and all(a.i in alike for a in before):
            said = Repairs(w).said
            if any(a.at == e.at for a in before if a.part == "learner"):
                continue
            names = list(dict.fromkeys(f"{said(a)}{_is(w, said, a, alike[a.i])}" for a in before))
            return f"right up to {' and '.join(names).rstrip(',')}; wrong from {code(e.at.text)} on (line {e.at.line})"
    return None


def _is(w: Written, said: Any, a: Entry, right: Entry) -> str:
    """What a right value is the gradient of, if it is one."""
    if a.part == "seed" or right.part != "cot" or right.owner is None:
        return ""
    return f", the gradient of {Words(w.program).said(right.owner)},"


def _alike(w: Written, others: Sequence[Written], close: Callable[..., bool]) -> dict[int, Entry]:
    """The learner's values that are values of the right derivative at all points, and which."""
    found: dict[int, Entry] = {e.i: e for e in w.program.seeds}
    rank = {"cot": 0, "seed": 0, "edge": 1, "rule": 2, "forward": 3, "input": 3}
    right = sorted((e for e in w.program.tape if e.part in rank), key=lambda e: rank[e.part])
    for e in w.own:
        if e.op is None:
            continue
        same = (r for r in right if r.shape == e.shape and close(e.value, r.value))
        for r in same:
            if all(close(o.values[e.i], o.values[r.i]) for o in others):
                found[e.i] = r
                break
    return found
