"""Edits of the inside of a derivative: a factor, a term, a sum, an exponent, a mask, an index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.naming.edits.constants import is_number
from tinygrad_cnn.gradcheck.naming.edits.edit import SMALLER, WITHOUT, Edit, View, of, operation, value
from tinygrad_cnn.gradcheck.naming.edits.moves import masks, named_axes, other_indices, using, variants
from tinygrad_cnn.gradcheck.naming.program import Change, Run, summed_to
from tinygrad_cnn.gradcheck.naming.recording import Entry
from tinygrad_cnn.gradcheck.naming.words import OPS, is_mask

Found = Iterator[Edit]


def _each(w: View) -> Iterator[tuple[Entry, Entry, int | None, str]]:
    """Each entry inside of a derivative, whose it is, and in words."""
    for (o, k), members in w.groups.items():
        n = w.tape[o]
        inside = w.inside(n, k)
        for e in members:
            if e.op is not None:
                yield e, n, k, inside


def factors(w: View) -> Found:
    """A factor, or a division, that is missing or turned round."""
    for e, n, _, inside in _each(w):
        if e.op_name not in ("Mul", "Div") or len(e.args) != 2:
            continue
        for position, a in enumerate(e.args):
            b = e.args[1 - position]
            if e.op_name == "Div" and position == 1:
                continue
            what = w.words.word(b)
            if a.shape == e.shape or _spreads(a, e):
                multiplies = (e.op_name == "Mul") != _below(w, e)
                lost = f"the factor {what}" if multiplies else f"the division by {what}"
                cost = 1.6 if _from_g(b) else 1.0
                number = b.part == "forward" and b.op is None and not b.ndim
                needs = (WITHOUT, "Mul" if multiplies else "Div", what) if number else None
                alone = value(a.i) if a.shape == e.shape else using(_spread, a.i, e.shape)
                yield Edit(cost, "factor dropped", f"{lost} is missing {inside}{w.at(n)}", {e.i: alone}, needs=needs)
            if e.op_name == "Div":
                words = f"{what} multiplies instead of dividing {inside}{w.at(n)}"
                yield Edit(1.5, "factor", words, {e.i: using(lambda v, a, b: v[a] * v[b], a.i, b.i)})
        if e.op_name == "Mul":
            for position, b in enumerate(e.args):
                a = e.args[1 - position]
                if b.part != "cot":
                    words = f"{w.words.word(b)} divides instead of multiplying {inside}{w.at(n)}"
                    yield Edit(1.55, "factor", words, {e.i: using(lambda v, a, b: v[a] / v[b], a.i, b.i)})
            if e.args[0] is e.args[1]:
                words = f"{w.words.word(e.args[0])} is not squared {inside}{w.at(n)}"
                yield Edit(0.95, "square", words, {e.i: value(e.args[0].i)})


def _from_g(e: Entry) -> bool:
    """Whether the incoming gradient is in a value of a rule: what is left without it is no gradient."""
    return e.part == "cot" or (e.part == "rule" and any(_from_g(a) for a in e.args))


def _spreads(a: Entry, e: Entry) -> bool:
    """Whether a number alone may stand for its product with an array, as 2 for 2x."""
    return e.op_name == "Mul" and is_number(a)


def _spread(v: Run, a: int, shape: Shape) -> Any:
    return np.broadcast_to(v[a], shape)


def _below(w: View, e: Entry) -> bool:
    """Whether a value of a rule stands below a fraction bar."""
    use = w.p.consumers[e.i]
    return len(use) == 1 and use[0][1] == 1 and w.tape[use[0][0]].op_name == "Div"


def terms(w: View) -> Found:
    """A term that is missing or has the other sign."""
    for e, n, _, inside in _each(w):
        if e.op_name not in ("Add", "Sub") or len(e.args) != 2:
            continue
        a, b = e.args
        for kept, lost, sign in ((a, b, 1.0), (b, a, -1.0 if e.op_name == "Sub" else 1.0)):
            whole = "" if lost.ndim or lost.tracked else f" of `{w.words.described(e)}`"
            words = f"the term {w.words.word(lost)}{whole} is missing {inside}{w.at(n)}"
            alone = {e.i: using(lambda v, j, s, f: np.broadcast_to(f * np.asarray(v[j]), s), kept.i, e.shape, sign)}
            yield Edit(1.1, "term dropped", words, alone)
        sign = 1.0 if e.op_name == "Sub" else -1.0
        words = f"the sign of the term {w.words.word(b)} is wrong {inside}{w.at(n)}"
        yield Edit(1.2, "sign", words, {e.i: using(lambda v, a, b, f: v[a] + f * np.asarray(v[b]), a.i, b.i, sign)})


def steps(w: View) -> Found:
    """A function that is not applied; an exponent that is off by one."""
    other = ("Mul", "Div", "Add", "Sub", "Edge", "Unbroadcast", "Sum", "Mean")
    for e, n, _, inside in _each(w):
        if e.op_name not in other and e.args and e.args[0].shape == e.shape and e.args[0].value is not None:
            name, what = OPS.get(e.op_name, e.op_name.lower()), w.words.word(e.args[0])
            words = f"{name} of {what} is left out {inside}"
            if e.op_name in ("PutItem", "Put", "ScatterAdd"):
                words = f"{what} is passed on in its own order, not put back to the elements that were read, {inside}"
            elif e.op_name == "Permute":
                words = f"{what} is not transposed {inside}"
            yield Edit(1.2, "step left out", f"{words}{w.at(n)}", {e.i: value(e.args[0].i)})
        if e.op_name == "PowScalar":
            p = e.options["p"]
            for q in (p + 1, p - 1):
                words = f"the exponent is {q:g} instead of {p:g} {inside}{w.at(n)}"
                yield Edit(1.05, "exponent", words, {e.i: using(lambda v, a, q: v[a] ** q, e.args[0].i, q)})


def unbroadcasts(w: View) -> Found:
    """The sum over the axes that an input was broadcast along."""
    for e, n, k, _ in _each(w):
        if e.op_name != "Unbroadcast" or k is None:
            continue
        a, shape, x = e.args[0], e.options["shape"], w.said(n.args[k])
        a, shape, x = e.args[0], e.options["shape"], w.said(n.args[k])
        gradient = f"the gradient of {x}"
        words = f"{gradient} is not summed over the axes it was broadcast along{w.at(n)}"
        yield Edit(1.05, "not summed", words, {e.i: value(a.i)})
        for words, reduce, cost, kind in (
            (f"a mean instead of a sum over the axes {x} was broadcast along", np.mean, 1.05, "mean for sum"),
            (f"only the first of the axes {x} was broadcast along is taken, not the sum", first, 1.15, "first only"),
            (f"only the last of the axes {x} was broadcast along is taken, not the sum", last, 1.17, "last only"),
        ):
            reduced = {e.i: using(lambda v, a, s, r: summed_to(v[a], s, r), a.i, shape, reduce)}
            yield Edit(cost, kind, f"{words}{w.at(n)}", reduced, needs=(SMALLER,))
        everywhere = {e.i: using(lambda v, a, s: np.full(s, v[a].sum()), a.i, shape)}
        words = f"{gradient} is summed over all axes, not only over those it was broadcast along{w.at(n)}"
        yield Edit(1.15, "wrong axis", words, everywhere, needs=(SMALLER,))
        for axis in range(a.ndim):
            for keep in (True, False):
                words = f"{gradient} is summed over axis {axis}, not over the one it was broadcast along{w.at(n)}"
                along = {e.i: using(lambda v, a, axis, keep: v[a].sum(axis, keepdims=keep), a.i, axis, keep)}
                yield Edit(1.1, "wrong axis", words, along, needs=(SMALLER,))


def first(x: NDArray, axis: tuple[int, ...]) -> Any:
    """The first along these axes."""
    return x[tuple(0 if k in axis else slice(None) for k in range(x.ndim))]


def last(x: NDArray, axis: tuple[int, ...]) -> Any:
    """The last along these axes."""
    return x[tuple(-1 if k in axis else slice(None) for k in range(x.ndim))]


def sums(w: View) -> Found:
    """A sum or mean: the other of the two, over another axis, or not taken."""
    for e, n, _, inside in _each(w):
        if e.op_name not in ("Sum", "Mean"):
            continue
        a, what, there = e.args[0], w.words.described(e.args[0]), f"{inside}{w.at(n)}"
        name, other = ("sum", "mean") if e.op_name == "Sum" else ("mean", "sum")
        count = a.size / max(e.size, 1)
        scaled = operation(e, using(lambda r, f: np.asarray(r) * f, 1 / count if name == "sum" else count))
        words = f"the {other} of `{what}` is taken instead of the {name} {there}"
        yield Edit(1.1, f"{other} for {name}", words, {e.i: scaled})
        if name == "mean":
            for m in w.sizes() if count > 1 else ():
                if m != count:
                    words = f"the mean is divided by {m}, not by {count:g}, {there}"
                    yield Edit(1.17, "count", words, {e.i: operation(e, using(_times, count / m))})
            words = f"the mean is divided by n - 1 = {count - 1:g}, not by n = {count:g}, {there}"
            if count > 2:
                yield Edit(1.12, "count", words, {e.i: operation(e, using(_times, count / (count - 1)))})
        given = tuple(e.options.get("axes") or ())
        for axes in _sets(a.ndim) if given else ():
            if axes != given:
                instead = f"{named_axes(axes)} instead of {named_axes(given)}"
                words = f"the {name} of `{what}` is taken over {instead} {there}"
                yield Edit(
                    1.05 + 0.02 * (len(axes) > 1), "wrong axis", words, {e.i: _summed(e, axes)}, needs=(SMALLER,)
                )
        words = f"the {name} of `{what}` is not taken {there}"
        yield Edit(1.15, "not summed", words, {e.i: value(a.i)})
        words = f"the factor `{name}({what})` is missing {there}"
        yield Edit(1.15, "factor dropped", words, {e.i: of(e.i, np.ones_like)})
        words = f"the term `{name}({what})` is missing {there}"
        yield Edit(1.15, "term dropped", words, {e.i: of(e.i, np.zeros_like)})


def _times(x: Any, by: float) -> Any:
    return np.asarray(x) * by


def _sets(ndim: int) -> Iterator[tuple[int, ...]]:
    for r in range(1, ndim + 1):
        yield from combinations(range(ndim), r)


def _summed(e: Entry, axes: tuple[int, ...]) -> Any:
    options = {**e.options, "axes": axes}
    return lambda v: np.asarray(e.op.forward(v[e.args[0].i], **options))


def boolean(w: View) -> Found:
    """A mask taken wrongly, or all masks of an op."""
    for (o, k), members in _with_all(w):
        n = w.tape[o]
        inside = w.inside(n, k)
        found = [e for e in members if e.op is not None and is_mask(e.value)]
        sides = [e for e in found if e.op_name != "equal"]  # ties have a mask of their own
        if len(sides) > 1 or (sides and len(found) > 1):
            for words, f, cost in masks():
                changes = {e.i: operation(e, f) for e in sides}
                yield Edit(cost + 0.02, "mask", f"of the mask, {words} is used {inside}{w.at(n)}", changes)
        for e in found if k is not None else ():
            for words, f, cost in variants(e.shape, True):
                message = f"of the mask `{w.words.described(e)}`, {words} is used {inside}{w.at(n)}"
                yield Edit(cost, "mask", message, {e.i: operation(e, f)})


def _with_all(w: View) -> Iterator[tuple[tuple[int, int | None], list[Entry]]]:
    """The insides of derivatives by the input, and those of all inputs of an op together."""
    yield from w.groups.items()
    by_op: dict[int, list[list[Entry]]] = {}
    for (o, _), members in w.groups.items():
        by_op.setdefault(o, []).append(members)
    for o, parts in by_op.items():
        if len(parts) > 1:
            yield (o, None), [e for members in parts for e in members]


def indices(w: View) -> Found:
    """An index taken wrongly, and gradients that overwrite each other."""
    for e, n, _, inside in _each(w):
        if e.op_name == "GetItem":
            a = e.args[0]
            for index, words in other_indices(e.options["index"], a.shape):
                yield Edit(
                    1.2,
                    "index",
                    f"{words} {inside}{w.at(n)}",
                    {e.i: using(lambda v, a, index: v[a][index], a.i, index)},
                )
        if e.op_name in ("PutItem", "Put"):
            yield from _puts(w, e, n, inside)


def _puts(w: View, e: Entry, n: Entry, inside: str) -> Found:
    a, shape = e.args[0].i, e.options["shape"]
    if e.op_name == "PutItem":
        for other, words in other_indices(e.options["index"], shape):
            elsewhere = {e.i: using(lambda v, other: put_index(v[a], other, shape), other)}
            yield Edit(1.1, "index", f"{words} {inside}{w.at(n)}", elsewhere)
    for how, words in (
        ("last", "the last gradient overwrites the others; they must be added up"),
        ("first", "only the first gradient counts; they must be added up"),
        ("mean", "the mean of the gradients is taken, not their sum"),
    ):
        message = f"where an element is read several times, {words}, {inside}{w.at(n)}"
        yield Edit(1.05, "overwritten", message, {e.i: _scattered(e, a, how)})


def _scattered(e: Entry, a: int, how: str) -> Change:
    shape = e.options["shape"]
    return lambda v: scattered(v[a], places_of(v.tape[e.i], shape), shape, how)


def places_of(e: Entry, shape: Shape) -> NDArray:
    """The numbers of the elements that it puts something to."""
    if "places" in e.options:
        return np.asarray(e.options["places"]).reshape(-1)
    return np.asarray(np.arange(int(np.prod(shape))).reshape(shape)[e.options["index"]]).reshape(-1)


def put_index(g: Any, index: Any, shape: Shape) -> NDArray:
    """Zeros with this added at an index."""
    y = np.zeros(shape)
    np.add.at(y, index, g)
    return y


def scattered(g: Any, places: NDArray, shape: Shape, how: str) -> NDArray:
    """What is put to elements, the last or first of each alone, or their mean."""
    g = np.asarray(g).reshape(-1)
    d = np.zeros(int(np.prod(shape)))
    if how == "last":
        d[places] = g
    elif how == "first":
        d[places[::-1]] = g[::-1]
    else:
        np.add.at(d, places, g)
        d /= np.maximum(np.bincount(places, minlength=d.size), 1)
    return d.reshape(shape)
