"""Edits of what one op sends to one of its inputs: moved, multiplied, transposed, reshaped, sent to other elements."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import numpy as np

from tinygrad_cnn.gradcheck.naming.edits.edit import Edit, View, marked, of, value
from tinygrad_cnn.gradcheck.naming.edits.moves import named_axes, other_options, using, variants
from tinygrad_cnn.gradcheck.naming.program import Run, derivative_at, summed_to
from tinygrad_cnn.gradcheck.naming.recording import Entry, Step

WINNERS = {"Amax": "largest", "MaxDim": "largest", "Amin": "smallest", "MinDim": "smallest"}
GATES = ("Maximum", "Minimum", "Clamp", "Relu", "Hardtanh", "Threshold", "LeakyRelu")
NO_OPTIONS_OF_THE_LEARNER = ("GetItem", "Reshape", "Permute", "PutItem", "SetItem")


def moved(w: View) -> Iterator[Edit]:
    """A gradient taken wrongly on its way."""
    for (n, k), e in w.p.edges.items():
        if e.ndim:
            for words, f, cost in variants(e.shape, False):
                if words.endswith("for all of them"):
                    continue
                through = f"the gradient of {w.said(n.args[k])} through {w.said(n)}"
                yield Edit(cost + 0.2, "moved", f"{through}: {words}{w.at(n)}", {e.i: of(e.args[0].i, f)})


def multiplied(w: View) -> Iterator[Edit]:
    """A gradient with a size of an axis as a factor."""
    called = w.words.sizes()
    for s in w.sizes() if len(w.inputs) > 1 else ():
        for words, f in ((f"{s} times too large", float(s)), (f"{s} times too small", 1.0 / s)):
            scaled = {g.i: using(lambda v, g, f: f * v[g], g.i, f) for g in w.p.seeds}
            yield Edit(1.19, "factor", f"the whole gradient is {words}{called.get(s, '')}", scaled)
    for x in w.inputs:
        for s in w.sizes():
            c = w.cot[x]
            for words, f in ((f"{s} times too large", float(s)), (f"{s} times too small", 1.0 / s)):
                parts = [q.i for q in c.args]
                scaled = {c.i: using(lambda v, f, parts: f * sum(v[i] for i in parts), f, parts)}
                yield Edit(1.2, "factor", f"the gradient of {w.said(x)} is {words}{called.get(s, '')}", scaled)
    for (n, k), e in w.p.edges.items():
        through = f"the gradient of {w.said(n.args[k])} through {w.said(n)}"
        for s in w.sizes():
            for words, f in ((f"{s} times too large", float(s)), (f"{s} times too small", 1.0 / s)):
                scaled = {e.i: using(lambda v, j, f: f * v[j], e.args[0].i, f)}
                yield Edit(1.5, "factor", f"{through} is {words}{called.get(s, '')}{w.at(n)}", scaled)


def passed_on(w: View) -> Iterator[Edit]:
    """A gradient passed on as it is, or with the op itself applied."""
    for (n, k), e in w.p.edges.items():
        a, c = n.args[k], w.cot[n].i
        if n.shape == a.shape:
            kind, cost = "derivative left out", 1.25
            words = f"the derivative of {w.said(n)} is left out on the way to {w.said(a)}{w.at(n)}"
            if n.op_name in GATES:
                kind, cost = "mask", 1.05
                words = f"the mask of {w.said(n)} is missing: the gradient passes everywhere{w.at(n)}"
            yield Edit(cost, kind, words, {e.i: value(c)})
            if len([q for q in n.args if q.tracked]) == 1 and not n.op.broadcasts:
                words = f"{w.said(n)} is applied to the gradient as it is, not transposed (reversed){w.at(n)}"
                again = {
                    e.i: using(lambda v, i, c: np.asarray(v.tape[i].op.forward(v[c], **v.tape[i].options)), n.i, c)
                }
                yield Edit(1.2, "not the adjoint", words, again)


def products(w: View) -> Iterator[Edit]:
    """The eight ways to multiply g with the other matrix."""
    for (n, k), e in w.p.edges.items():
        if n.op_name != "Matmul":
            continue
        a, b = n.args[k], n.args[1 - k]
        other = w.words.bare(b)
        if not other.isidentifier():
            other = f"({other})" if " " in other else other
        c = w.cot[n].i
        should = f"g @ {other}.T" if k == 0 else f"{other}.T @ g"
        for turned_g, turned_b, g_last, turned in product((False, True), repeat=4):
            if not turned and (turned_g, turned_b, g_last) == ((False, True, False) if k == 0 else (False, True, True)):
                continue
            left, right = f"g{'.T' if turned_g else ''}", f"{other}{'.T' if turned_b else ''}"
            text = f"{right} @ {left}" if g_last else f"{left} @ {right}"
            text = f"({text}).T" if turned else text
            message = f"the gradient of {w.said(a)} in {w.said(n)} is `{text}`; it should be `{should}`{w.at(n)}"
            made = _product(c, b.i, turned_g, turned_b, g_last, turned)
            yield Edit(1.05 + 0.3 * turned, "transposed", message, {e.i: made})


def _product(c: int, b: int, turned_g: bool, turned_b: bool, g_last: bool, turned: bool) -> Any:
    def change(v: Run) -> Any:
        g = np.swapaxes(v[c], -1, -2) if turned_g else v[c]
        o = np.swapaxes(v[b], -1, -2) if turned_b else v[b]
        r = o @ g if g_last else g @ o
        return np.swapaxes(r, -1, -2) if turned else r

    return change


def reshaped(w: View) -> Iterator[Edit]:
    """A gradient put into a shape in another order."""
    for (n, k), e in w.p.edges.items():
        a, c = n.args[k], w.cot[n].i
        if n.op_name not in ("Reshape", "Permute") or not 1 < a.ndim < 6:
            continue
        for order in permutations(range(a.ndim)):
            if order == tuple(range(a.ndim)):
                if n.op_name == "Permute":
                    words = f"the gradient of {w.said(n)} is only reshaped, its axes are not transposed back{w.at(n)}"
                    as_it_is = {e.i: using(lambda v, c, s: v[c].reshape(s), c, a.shape)}
                    yield Edit(1.22, "reshaped", words, as_it_is)
                    words = f"the axes of {w.said(n)} are put in the same order once more, not transposed back{w.at(n)}"
                    axes = n.options["order"]
                    again = {e.i: using(lambda v, c, s, axes: v[c].transpose(axes).reshape(s), c, a.shape, axes)}
                    yield Edit(1.22, "reshaped", words, again)
                continue
            shape, back = tuple(a.shape[q] for q in order), np.argsort(order)
            words = (
                f"the gradient is put into the shape of {w.said(a)} with its axes in the order {order}, not as "
                f"{w.said(n)} took them{w.at(n)}"
            )
            yield Edit(
                1.3, "reshaped", words, {e.i: using(lambda v, c, s, b: v[c].reshape(s).transpose(b), c, shape, back)}
            )
        words = f"the gradient is reshaped in Fortran's order, {w.said(n)} in C's{w.at(n)}"
        yield Edit(1.25, "reshaped", words, {e.i: using(lambda v, c, s: v[c].reshape(s, order="F"), c, a.shape)})


def winners(w: View) -> Iterator[Edit]:
    """A maximum: to all, to ties, to the first of the window."""
    for (n, k), e in w.p.edges.items():
        if n.op_name not in WINNERS:
            continue
        a, c, which = n.args[k], w.cot[n].i, WINNERS[n.op_name]
        axes: Any = n.options.get("axes") or (n.options.get("axis"),)
        if axes == (None,):
            axes = tuple(range(a.ndim))
        wide = _wide(axes, bool(n.options.get("keepdim")))
        message = f"the gradient of {w.said(n)} goes to all elements, not to the {which} alone{w.at(n)}"
        yield Edit(1.1, "mask", message, {e.i: using(lambda v, c, w, s: np.broadcast_to(w(v[c]), s), c, wide, a.shape)})
        message = f"the gradient of {w.said(n)} is shared by all elements, not given to the {which} alone{w.at(n)}"
        share = float(n.size) / a.size
        shared = {e.i: using(lambda v, c, w, s, f: np.broadcast_to(f * w(v[c]), s), c, wide, a.shape, share)}
        yield Edit(1.09, "mask", message, shared)
        for axis in range(a.ndim):
            if (axis,) != tuple(axes):
                message = f"the {which} along axis {axis} gets the gradient of {w.said(n)}, not {_along(axes)}{w.at(n)}"
                extreme = np.max if which == "largest" else np.min
                other = {e.i: using(_along_other, c, wide, a.i, axis, extreme)}
                yield Edit(1.1, "wrong axis", message, other)
        message = f"if several elements of {w.said(n)} are equally {which[:-2]}, each gets the whole gradient{w.at(n)}"
        ties = {e.i: using(lambda v, c, w, x, y: w(v[c]) * (v[x] == w(v[y])), c, wide, a.i, n.i)}
        yield Edit(0.95, "mask", message, ties)
        for what, cut in (("first", slice(0, 1)), ("last", slice(-1, None))):
            index = tuple(cut if ax in axes else slice(None) for ax in range(a.ndim))
            message = f"the gradient of {w.said(n)} goes to the {what} element of each window, not to the {which}"
            first = {e.i: using(lambda v, c, w, s, index: marked(s, index) * w(v[c]), c, wide, a.shape, index)}
            yield Edit(1.15, "mask", f"{message}{w.at(n)}", first)


def _along(axes: Any) -> str:
    return f"along {named_axes(axes)}"


def _along_other(v: Run, c: int, wide: Any, x: int, axis: int, extreme: Any) -> Any:
    return wide(v[c]) * (v[x] == extreme(v[x], axis, keepdims=True))


def _wide(axes: tuple[int, ...], keep: bool) -> Any:
    return lambda g: g if keep else np.expand_dims(g, axes)


def options(w: View) -> Iterator[Edit]:
    """An op's derivative with another option, or its value with another one read everywhere."""
    for (n, k), e in w.p.edges.items():
        if isinstance(n.op, Step):
            continue
        a, c = n.args[k], w.cot[n].i
        rule = n.op.rules[0 if n.op.variadic else k]
        for option in rule.options if rule is not None else ():
            for other, words in other_options(option, n.options.get(option), a):
                changed = {**n.options, option: other}
                message = f"the derivative of {w.said(n)} is taken with {words}{w.at(n)}"
                cost = 1.4 if n.op_name == "Mean" else 1.0  # there it changes no more than the count
                yield Edit(cost, "option", message, {e.i: _ruled(n, k, c, changed, a)})
        if n.op.variadic or n.op_name in NO_OPTIONS_OF_THE_LEARNER:
            continue
        for option, given in n.options.items():
            for other, words in other_options(option, given, a):
                changed = {**n.options, option: other}
                message = f"the derivative is that of the function with {words} in {w.said(n)}{w.at(n)}"
                yield Edit(1.1, "option", message, {n.i: _valued(n, changed)})


def _ruled(n: Entry, k: int, c: int, changed: Any, a: Entry) -> Any:
    return lambda v: summed_to(derivative_at(v, n, k, c, changed), a.shape)


def _valued(n: Entry, changed: Any) -> Any:
    def change(v: Run) -> Any:
        r = n.op.forward(*(v[q.i] for q in n.args), **changed)
        return np.asarray(r[0] if isinstance(r, tuple) else r)

    return change
