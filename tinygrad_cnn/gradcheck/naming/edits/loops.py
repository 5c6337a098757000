"""Edits of all turns of a loop at once: the value of the turn before or after, of the first or last; other slices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import Shape
from tinygrad_cnn.gradcheck.naming.edits.edit import Edit, View
from tinygrad_cnn.gradcheck.naming.edits.moves import progression
from tinygrad_cnn.gradcheck.naming.edits.rules import put_index
from tinygrad_cnn.gradcheck.naming.program import Change
from tinygrad_cnn.gradcheck.naming.recording import Entry
from tinygrad_cnn.gradcheck.naming.words import TURN, code

BACK = {"GetItem": "PutItem", "PutItem": "GetItem"}
"""What the derivative of each of them does."""
Read = tuple[int, int, Entry]
Turns = list[tuple[Entry, list[Entry]]]


def turns(w: View) -> Iterator[Edit]:
    """What each turn reads, and where it writes, as another turn does."""
    same = w.p.forward.namesakes
    families: dict[tuple[str, int | None, str], Turns] = {}
    for (o, k), members in w.groups.items():
        n = w.tape[o]
        if n.at is not None and len(same.get(n.i, ())) > 1:
            families.setdefault((n.op_name, k, f"{n.at.line}:{n.at.column}:{n.at.text}"), []).append((n, members))
    sequences = list(_sequences(list(families.values())))
    after: dict[int, Entry] = {}
    before: dict[int, Entry] = {}
    for _, places in sequences:
        row = [a for _, _, a in places]
        for a, b in pairwise(row):
            if a is not b and b.op is not None:
                after.setdefault(a.i, b)
                before.setdefault(b.i, a)
    for _, places in sequences:
        for _, _, a in places:
            own = same.get(a.i, [])
            where = own.index(a) if a in own else None
            if where is not None and where + 1 < len(own) and own[where + 1].shape == a.shape:
                after.setdefault(a.i, own[where + 1])
    for n, places in sequences:
        yield from _other_turns(w, n, places, before, after)
    for (name, _, _), found in families.items():
        if name not in BACK:
            continue
        puts = [e for _, members in found for e in members if e.op_name == BACK[name]]
        n = found[0][0]
        assert n.at is not None
        for words, new in progression([e.options["index"] for e in puts]):
            message = f"{words} in the derivative of {code(n.at.text)}{w.at(n)}, in each turn of the loop"
            if "split" in n.at.text and "way round" in words:
                message = f"the gradients of the parts of {code(n.at.text)} are exchanged{w.at(n)}"
            yield Edit(1.15, "index", message, {e.i: _put(e, index) for e, index in zip(puts, new, strict=True)})


def _put(e: Entry, index: Any) -> Change:
    if e.op_name == "GetItem":
        return lambda v: v[e.args[0].i][index]
    return lambda v: put_index(v[e.args[0].i], index, e.options["shape"])


def _sequences(families: list[Turns]) -> Iterator[tuple[Entry, list[Read]]]:
    """What each turn reads at the same place."""
    for found in families:
        found.sort(key=lambda t: t[0].i)
        if len(found) < 2:
            continue
        by_place: dict[tuple[int, int], list[Read]] = {}
        for _, members in found:
            for e in members:
                for position, a in enumerate(e.args):
                    if a.part in ("forward", "input"):
                        source = a.args[0] if a.op_name == "Reshape" else a  # a vector in a product
                        by_place.setdefault((e.i - members[0].i, position), []).append((e.i, position, source))
        for places in by_place.values():
            read = [a for _, _, a in places]
            alike = len({a.shape for a in read}) == 1 and len({a.i for a in read}) > 1
            if len(places) == len(found) and alike and any(a.ndim or a.tracked for a in read):
                yield found[0][0], places


def _other_turns(
    w: View, n: Entry, places: list[Read], before: dict[int, Entry], after: dict[int, Entry]
) -> Iterator[Edit]:
    assert n.at is not None
    inside = f"in the derivative of {code(n.at.text)}{w.at(n)}, in each turn of the loop"
    what = TURN.sub("", w.said(places[-1][2]))
    row = [a for _, _, a in places]
    others: list[tuple[str, list[Entry | None]]] = [
        ("the value of the turn before", [before.get(a.i) for a in row]),
        ("the value of the turn after", [after.get(a.i) for a in row]),
        ("the value of the first turn", [row[0]] * len(row)),
        ("the value of the last turn", [row[-1]] * len(row)),
        ("the value of the opposite turn", [*row[::-1]]),
    ]
    for words, to in others:
        if sum(b is not None for b in to) >= len(row) - 1:
            able = [(w.tape[i], q, b) for (i, q, _), b in zip(places, to, strict=True) if b is not None]
            reads = {(e.i, q): _shaped(b.i, e.args[q].shape) for e, q, b in able}
            yield Edit(1.3, "other turn", f"of {what}, {words} is used {inside}", reads=reads)
    if all(a.op_name == "GetItem" for a in row) and len({a.args[0].i for a in row}) == 1:
        source = row[0].args[0].i
        for words, new in progression([a.options["index"] for a in row]):
            able = [(w.tape[i], q, index) for (i, q, _), index in zip(places, new, strict=True)]
            slices = {(e.i, q): _sliced(source, index, e.args[q].shape) for e, q, index in able}
            yield Edit(1.25, "index", f"of {what}, {words} {inside}", reads=slices)


def _shaped(i: int, shape: Shape) -> Change:
    return lambda v: np.reshape(v[i], shape)


def _sliced(source: int, index: Any, shape: Shape) -> Change:
    return lambda v: np.reshape(v[source][index], shape)
