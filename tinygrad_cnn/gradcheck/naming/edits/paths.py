"""Edits of the graph: a value held constant, a path that is missing, a sign, gradients exchanged, steps left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.naming.edits.edit import Edit, View, of, total, value, zeros
from tinygrad_cnn.gradcheck.naming.edits.moves import using
from tinygrad_cnn.gradcheck.naming.program import Change, Run, added
from tinygrad_cnn.gradcheck.naming.recording import Entry

FEW, NEIGHBOURS = 120, 60
"""Exchanges are tried among so many entries; a derivative is left out over no more than so many."""
COMPOSED = ("Add", "Sub", "Mul", "Div", "Matmul", "Permute", "Flip", "Roll", "GetItem", "SetItem")
"""They are no function of one value that could be left out."""
PAIRS = 24
"""Pairs are tried among the last so many entries."""


def signs(w: View) -> Iterator[Edit]:
    """A sign: of everything, of an input, of a path."""
    if w.p.known_edge is not None:
        n, _, e = w.p.known_edge
        words = f"the derivative of {w.said(n)} has the wrong sign{w.at(n)}"
        yield Edit(1.0, "sign", words, {e.i: of(e.args[0].i, np.negative)})
    if w.about is not None:
        return
    yield Edit(0.9, "sign", "the whole gradient has the wrong sign", {g.i: of(g.i, np.negative) for g in w.p.seeds})
    for x in w.inputs:
        c = w.cot[x]
        flipped = {c.i: using(lambda v, c: -added(*(v[q.i] for q in c.args)), c)}
        yield Edit(0.95, "sign", f"the gradient of {w.said(x)} has the wrong sign", flipped)
    for (n, k), e in w.p.edges.items():
        through = f"the gradient of {w.said(n.args[k])} through {w.said(n)}"
        yield Edit(1.0, "sign", f"{through} has the wrong sign{w.at(n)}", {e.i: of(e.args[0].i, np.negative)})


def held(w: View) -> Iterator[Edit]:
    """A value held constant; a path that is missing; an output whose gradient is not used."""
    for k, s in enumerate(w.p.seeds if len(w.p.seeds) > 1 else ()):
        words = f"the incoming gradient of output {k}, {w.said(w.p.outputs[k])}, is not used"
        yield Edit(0.99, "path dropped", words, {s.i: zeros(s.i)})
    for n in w.everything:
        cost = 1.0 - 1e-4 * n.i / len(w.tape)  # the outermost of expressions in each other
        words = f"{w.said(n)} is held constant: no gradient flows through it{w.at(n)}"
        if n.part == "input":
            words = f"{w.said(n)} gets no gradient"
        yield Edit(cost, "held constant", words, {w.cot[n].i: zeros(w.cot[n].i)})
    for (n, k), e in w.p.edges.items():
        a = n.args[k]
        if len(w.cot[a].args) > 1 or len(n.args) > 1:
            words = f"the path through {w.said(a)} in {w.said(n)} is missing{w.at(n)}"
            yield Edit(1.1, "path dropped", words, {e.i: zeros(e.i)})


def held_pairs(w: View) -> Iterator[Edit]:
    """Two values held constant."""
    for n, m in combinations(w.nodes[-PAIRS:], 2):
        c, d = w.cot[n].i, w.cot[m].i
        words = f"{w.said(n)} and {w.said(m)} are both held constant{w.at(n)}"
        yield Edit(1.45, "held constant", words, {c: zeros(c), d: zeros(d)})


def left_out(w: View) -> Iterator[Edit]:
    """A value taken as 1 or 0."""
    outputs = {e.i for e in w.p.outputs}
    for n in w.tape:
        if n.part not in ("forward", "input") or not (n.tracked or n.ndim) or n.i in outputs:
            continue
        if np.asarray(n.value).dtype.kind == "f":
            for words, f in (("left out (1)", np.ones_like), ("left out (0)", np.zeros_like)):
                message = f"the derivative is that of the function with {w.said(n)} {words}{w.at(n)}"
                what = _what(w, n)
                cost = 1.3 - 1e-4 * n.i / len(w.tape)  # the outermost of expressions in each other
                if what is not None and (what == "term") == words.endswith("(0)"):
                    message = f"the {what} {w.said(n)} is missing in the derivative, everywhere{w.at(n)}"
                yield Edit(cost, "left out", message, {n.i: of(n.i, f)})
                if message.endswith(f"everywhere{w.at(n)}") and n in w.cot and n.op is not None:
                    c = w.cot[n].i
                    yield Edit(cost - 0.02, "left out", message, {n.i: of(n.i, f), c: zeros(c)})
    for n in w.nodes:
        sources = [(k, a) for k, a in enumerate(n.args) if a.tracked]
        if len(sources) == 1 and n.op_name not in COMPOSED and sources[0][1].shape == n.shape:
            k, a = sources[0]
            edge = w.p.edges.get((n, k))
            if edge is not None:
                message = (
                    f"the derivative is that of the function without {w.said(n)}: as if there were {w.said(a)} in the "
                    f"place of it{w.at(n)}"
                )
                yield Edit(1.27, "left out", message, {n.i: value(a.i), edge.i: value(w.cot[n].i)})


def _what(w: View, n: Entry) -> str | None:
    """Whether a value is a factor, or a term, wherever the function reads it."""
    names = {e.op_name for e, _ in w.p.forward.readers.get(n.i, ())}
    if names and names <= {"Mul", "Div"}:
        return "factor"
    return "term" if names and names <= {"Add", "Sub"} else None


def overwritten(w: View) -> Iterator[Edit]:
    """Gradients assigned where they should be added up."""
    for n in w.everything:
        parts = w.cot[n].args
        put = [(q, q.args[0]) for q in parts if q.args and q.args[0].op_name in ("PutItem", "Put")]
        turns = _of_turns(w, parts)
        for words, order in (("the last", -1), ("the first", 1)):
            message = (
                f"the gradient of {w.said(n)} is assigned, not added up, where it is read several times ({words} wins)"
            )
            if len(put) > 1 and len(put) == len(parts):
                yield Edit(1.05, "overwritten", message, {w.cot[n].i: _assigned(put, order, n.shape)})
            elif turns:
                yield Edit(1.08, "overwritten", message, {w.cot[n].i: value(turns[min(order, 0)].i)})


def _of_turns(w: View, parts: Sequence[Entry]) -> list[Entry]:
    """The parts of a gradient in the order of the turns that they come from, if one line of a loop reads the value."""
    owners = [q.owner for q in parts if q.owner is not None]
    if len(parts) < 3 or len(owners) < len(parts):
        return []
    same = w.p.forward.namesakes.get(owners[0].i, ())
    if len({o.op_name for o in owners}) > 1 or any(o not in same for o in owners):
        return []
    return sorted(parts, key=lambda q: q.owner.i if q.owner is not None else 0)


def _assigned(parts: Sequence[tuple[Entry, Entry]], order: int, shape: Shape) -> Change:
    by_turn = sorted(parts, key=lambda q: -order * (q[0].owner.i if q[0].owner is not None else 0))

    def change(v: Run) -> NDArray:
        d = np.zeros(shape)
        for e, source in by_turn:
            written, options = np.zeros(shape, bool), v.tape[source.i].options
            if source.op_name == "PutItem":
                written[options["index"]] = True
            else:
                written.reshape(-1)[options["places"]] = True
            d[written] = v[e.i][written]
        return d

    return change


def derivative_left_out(w: View) -> Iterator[Edit]:
    """The gradient of a later value used for an earlier one."""
    if w.p.known_edge is not None:
        n, a, e = w.p.known_edge
        if n.shape == a.shape:
            words = f"the derivative of {w.said(n)} is left out: the gradient is passed on as it is{w.at(n)}"
            yield Edit(1.15, "derivative left out", words, {e.i: value(w.cot[n].i)})
    if w.about is not None:
        return
    for k, n in enumerate(w.everything):
        start = max(0, k - len(w.inputs))
        for m in w.nodes[start : start + NEIGHBOURS]:
            if n is m or n.i not in w.p.before(m.i) or not _fits(n, m):
                continue
            between = sum(
                1 for q in w.nodes[start : start + NEIGHBOURS] if n.i in w.p.before(q.i) and q.i in w.p.before(m.i)
            )
            out = {e.i: zeros(e.i) for (q, _), e in w.p.edges.items() if q is m}
            c, j, shape = w.cot[n], w.cot[m].i, n.shape
            of_one = f"the derivative of {w.said(m)} with respect to {w.said(n)} is left out: the gradient of the one"
            if len(c.args) > 1 and out:
                added_up = {**out, c.i: using(lambda v, c, j, s: total(c)(v) + np.broadcast_to(v[j], s), c, j, shape)}
                words = f"{of_one} is added to that of the other as it is{w.at(m)}"
                yield Edit(1.22 + 0.15 * between, "derivative left out", words, added_up)
            passed = {c.i: using(lambda v, j, s: np.broadcast_to(v[j], s), j, shape)}
            words = f"{of_one} is passed on as that of the other{w.at(m)}"
            yield Edit(1.2 + 0.15 * between, "derivative left out", words, passed)


def _fits(n: Entry, m: Entry) -> bool:
    if n.shape == m.shape:
        return True
    try:
        return m.size > 1 and np.broadcast_shapes(n.shape, m.shape) == n.shape
    except ValueError:
        return False


def exchanged(w: View) -> Iterator[Edit]:
    """Gradients of two values, and values that the backward pass reads, in each other's place."""
    for a, b in permutations(w.everything[:FEW], 2):
        if a.shape != b.shape or a.i > b.i or b.i in w.p.before(a.i) or a.i in w.p.before(b.i):
            continue
        sibling = a.op_name == b.op_name and ([x.i for x in a.args] == [x.i for x in b.args] or a.op is None)
        c, d = w.cot[a], w.cot[b]
        words = f"the gradients of {w.said(a)} and {w.said(b)} are exchanged{w.at(b)}"
        yield Edit(1.3 if sibling else 1.8, "exchanged", words, {c.i: total(d), d.i: total(c)})
        if a.part == b.part == "input":
            for x, y in ((a, b), (b, a)):
                i, j = w.p.inputs.index(x), w.p.inputs.index(y)
                words = f"{w.said(x)} gets the gradient of {w.said(y)}"
                yield Edit(1.3, "wrong input", words, whole=using(lambda gs, i, j: put(gs, i, gs[j]), i, j))
    reads: dict[int, list[tuple[int, int]]] = {}
    for e in w.tape:
        if e.part in ("rule", "edge", "cot"):
            for position, a in enumerate(e.args):
                if a.part in ("forward", "input"):
                    reads.setdefault(a.i, []).append((e.i, position))
    for a, b in combinations([w.tape[i] for i in reads], 2):
        if a.shape == b.shape and a.ndim and a.op_name == b.op_name:
            both = {q: value(b.i) for q in reads[a.i]} | {q: value(a.i) for q in reads[b.i]}
            words = f"{w.said(a)} and {w.said(b)} are exchanged in the backward pass"
            yield Edit(1.6, "exchanged", words, reads=both)


def put(gs: Sequence[Any], i: int, g: Any) -> list[Any]:
    """The gradients with one of them exchanged."""
    return [g if k == i else old for k, old in enumerate(gs)]


def sent_elsewhere(w: View) -> Iterator[Edit]:
    """What one op sends to a value, added to the gradient of another value of that shape."""
    for (n, k), e in list(w.p.edges.items())[: FEW * 2]:
        a = n.args[k]
        for b in w.everything[:FEW]:
            c = w.cot[b]
            if b.i in w.p.before(a.i) or b.shape != a.shape or c.i < e.i or b.i >= n.i:
                continue
            through = f"the gradient of {w.said(a)} through {w.said(n)}"
            words = f"{through} is added to that of {w.said(b)} in the place of it{w.at(n)}"
            moved = using(lambda v, d, parts: v[d] + sum(v[i] for i in parts), e.args[0].i, [q.i for q in c.args])
            yield Edit(1.35, "other value", words, {e.i: zeros(e.i), c.i: moved})
