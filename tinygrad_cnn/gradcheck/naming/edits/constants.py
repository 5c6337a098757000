"""Edits of constants: left out, doubled, of the other sign, another size; in the derivative or everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.gradcheck.naming.edits.edit import Edit, View
from tinygrad_cnn.gradcheck.naming.edits.moves import using
from tinygrad_cnn.gradcheck.naming.program import INNER
from tinygrad_cnn.gradcheck.naming.recording import Entry


def is_number(e: Entry) -> bool:
    """Whether an entry is a number that nothing computed."""
    numbers = (int, float, np.number, np.ndarray)
    return e.op is None and e.ndim == 0 and isinstance(e.value, numbers) and not isinstance(e.value, bool)


def constants(w: View) -> Iterator[Edit]:
    """Other constants."""
    called = w.words.sizes()
    for u in w.tape:
        if u.part not in ("forward", "rule") or not is_number(u):
            continue
        use = w.p.consumers[u.i]
        back = [q for q in use if w.tape[q[0]].part in INNER and w.looks_at(w.tape[q[0]])]
        c = float(u.value)
        if not np.isfinite(c) or (w.about is not None and not back):
            continue
        for other, words in _others(w, u, c, called).items():
            if other == c:
                continue
            cost = 1.05 if "left out" in words else 1.3
            if u.part == "rule" and words in ("inverted", "squared", "replaced by its root"):
                cost = 1.55  # of a 2 it is as much as a size of 4
            if u.part == "forward" and w.about is None:
                message = f"the constant {c:g} of {w.said(_reader(w, use))} is {words} in the derivative{w.at(u)}"
                yield Edit(cost, "constant", message, {u.i: using(lambda v, o: o, other)})
            if back and (len(back) < len(use) or u.part == "rule"):
                message = f"the constant {c:g} in the derivative of {w.said(_reader(w, back))} is {words}{w.at(u)}"
                yield Edit(cost + 0.02, "constant", message, reads={q: using(lambda v, o: o, other) for q in back})


def _reader(w: View, use: list[tuple[int, int]]) -> Entry:
    return w.tape[use[0][0]] if use else w.tape[0]


def _others(w: View, u: Entry, c: float, called: dict[int, str]) -> dict[float, str]:
    found: dict[float, str] = {
        0.0: "left out (0)", 1.0: "left out (1)", -c: "given the other sign", c + 1: f"{c + 1:g}", c - 1: f"{c - 1:g}",
        2 * c: "doubled", c / 2: "halved",
    }  # fmt: skip
    if c:
        found |= {1 / c: "inverted", float(np.sqrt(abs(c))): "replaced by its root", c * c: "squared"}
    for o in w.tape:
        if o is not u and o.part == "forward" and is_number(o):
            other: Any = float(o.value)
            if other not in found and other != c:
                found[other] = f"{other:g}, as in {w.said(_reader(w, w.p.consumers[o.i]))},"
    for s in w.sizes():
        found.setdefault(float(s), f"{s}{called.get(s, '')}")
    return found
