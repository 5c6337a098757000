"""Edits of what a derivative reads: another value, or the value taken wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.naming.edits.edit import SMALLER, Edit, View, of, value
from tinygrad_cnn.gradcheck.naming.edits.moves import OF_PART, other_indices, using, variants
from tinygrad_cnn.gradcheck.naming.program import Change
from tinygrad_cnn.gradcheck.naming.recording import Entry

SMALL = 8
"""Masks of up to so many elements are tried all."""

Places = list[tuple[int, int]]


def _each(w: View) -> Iterator[tuple[Entry, Entry, Places, str, float, list[Entry]]]:
    """Each value that a derivative reads, whose it is, where, in words; of one input, and of all of them at once."""
    groups = dict(w.groups)
    for o in {o for o, _ in w.groups}:
        own = [members for (p, _), members in w.groups.items() if p == o]
        if len(own) > 1:
            groups[o, None] = [e for members in own for e in members]
    for (o, k), members in groups.items():
        n = w.tape[o]
        read: dict[int, Places] = {}
        for e in members:
            for position, a in enumerate(e.args):
                if a.part in ("forward", "input", "cot") or (a.text and a.ndim):
                    read.setdefault(a.i, []).append((e.i, position))
        inside = w.inside(n, k)
        for i, places in read.items():
            yield w.tape[i], n, places, inside, 0.02 if k is None else 0.0, members


def other_values(w: View) -> Iterator[Edit]:
    """Another value in the place of one that is read."""
    for u, n, places, inside, extra, members in _each(w):
        c = w.cot[n]
        if u is c or not (u.ndim or u.tracked):
            continue
        last = max(e.i for e in members)
        for o in (*w.everything, c):
            if o is u or o.shape != u.shape or (o.part == "forward" and o.i > last):
                continue
            near = any(o is q for q in u.args) or any(u is q for q in o.args)
            name = "the incoming gradient" if o is c else w.said(o)
            message = f"{name} is used in the place of {w.said(u)} {inside}{w.at(n)}"
            cost = (1.15 if near else 1.6) + extra
            yield Edit(cost, "other value", message, reads={q: value(o.i) for q in places})
            if len(places) > 1 and not extra:
                for q in places:
                    once = f"{name} is used in the place of one {w.said(u)} {inside}{w.at(n)}"
                    yield Edit(cost + 0.05, "other value", once, reads={q: value(o.i)})
        if u.op is not None and len(u.args) == 1 and u.shape == u.args[0].shape:
            message = f"{w.said(u)} is applied twice {inside}{w.at(n)}"
            yield Edit(1.5 + extra, "other value", message, reads=dict.fromkeys(places, _twice(u)))


def _twice(u: Entry) -> Change:
    return lambda v: np.asarray(u.op.forward(v[u.i], **u.options))


def _opposite(mask: NDArray) -> NDArray:
    return 1 - mask


def taken_wrongly(w: View) -> Iterator[Edit]:
    """A value that is read transposed, shifted, reversed, rounded, in part."""
    for u, n, places, inside, extra, _ in _each(w):
        if not u.ndim:
            continue
        array, is_g = np.asarray(u.value), u is w.cot[n]
        what = "the incoming gradient" if is_g else w.said(u)
        if u.op is None and not is_g and array.dtype.kind == "f":
            message = f"{what} is rounded {inside}{w.at(n)}"
            yield Edit(1.3 + extra, "taken wrongly", message, reads={q: of(u.i, np.round) for q in places})
        if u.op_name == "GetItem" and not is_g:
            a = u.args[0]
            for index, words in other_indices(u.options["index"], a.shape):
                message = f"of {what}, {words} {inside}{w.at(n)}"
                moved = {q: using(lambda v, a, index: v[a][index], a.i, index) for q in places}
                yield Edit(1.3 + extra, "index", message, reads=moved)
        for words, f, cost in variants(array.shape, array.dtype == bool):
            message = f"of {what}, {words} is used {inside}{w.at(n)}"
            needs = (SMALLER,) if OF_PART in words else None
            yield Edit(cost + extra, "taken wrongly", message, reads={q: of(u.i, f) for q in places}, needs=needs)
        if u.op is None and not is_g and array.size <= SMALL and set(np.unique(array)) <= {0, 1}:
            message = f"the mask {what} is forgotten {inside}{w.at(n)}"
            yield Edit(1.1 + extra, "mask", message, reads={q: of(u.i, np.ones_like) for q in places})
            message = f"of the mask {what}, the inverse is used {inside}{w.at(n)}"
            yield Edit(1.12 + extra, "mask", message, reads={q: of(u.i, _opposite) for q in places})
            for bits in product((0.0, 1.0), repeat=array.size):
                m = np.array(bits).reshape(array.shape)
                message = f"another mask than {what} is used {inside}: {m.astype(int).tolist()}{w.at(n)}"
                yield Edit(1.9 + extra, "mask", message, reads={q: using(lambda v, m: m, m) for q in places})
