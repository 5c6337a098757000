"""The changes of one line of a learner's derivative that make it right.

The same edits in the other direction: here the list is the wrong one, and an edit is good if it gives the right
numbers. What is found is said with the line in which it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from tinygrad_cnn.gradcheck.naming.edits.constants import is_number
from tinygrad_cnn.gradcheck.naming.edits.edit import Edit, Family, value
from tinygrad_cnn.gradcheck.naming.edits.moves import other_indices, other_options, using, variants
from tinygrad_cnn.gradcheck.naming.program import Change
from tinygrad_cnn.gradcheck.naming.recording import Entry, Step, operand
from tinygrad_cnn.gradcheck.naming.words import Words, code, number, returned
from tinygrad_cnn.gradcheck.naming.written import Written
from tinygrad_cnn.program.source import assigned

HELPER = 0.2
"""A change in a function that the derivative calls costs so much more."""
OUTERMOST = 1e-4
"""So much less costs a change of the last expression than one of the first."""
GIVEN = 0.1
"""A change with an array that the function was given costs so much more."""
POOL = 40
"""Among so many values of the function another one is looked for."""
OPERATORS = {
    "Add": ("sum", np.add), "Sub": ("difference", np.subtract), "Mul": ("product", np.multiply),
    "Div": ("quotient", np.true_divide),
}  # fmt: skip
MOVES = ("Reshape", "Permute", "GetItem", "SetItem", "PutItem")


class Repairs:
    """The changes of one place of a learner's derivative."""

    def __init__(self, w: Written) -> None:
        self.w, self.words = w, Words(w.program)
        self._returned = returned(w.own)
        self._said: dict[int, str] = {}
        self._whole: dict[int, str] = {}
        p = w.program
        shared = {e.at for e in p.forward.tape.entries if e.op is not None}
        """What the function itself does, as in a softmax that both call, is not the derivative's mistake, nor is what
        the package does behind it."""
        self.steps = [e for e in w.own if e.op is not None and e.i in w.leads and e.at not in shared and e.at]
        given = [e for e in p.forward.tape.entries if _is_given(e)]
        self.outside = [*(e for e in p.inputs if e is not None), *given[-POOL:], *p.nodes[-POOL:]]
        self.gradients = [c for n, c in p.cot.items() if n.op is not None][:POOL]
        self.results = {e.i for e in w.results if e is not None}

    def said(self, e: Entry) -> str:
        """How a value is called in the learner's derivative."""
        if e.i not in self._said:
            self._said[e.i] = self._spoken(e)
        return self._said[e.i]

    def _spoken(self, e: Entry) -> str:
        if e.part == "seed":
            return "`g`"
        if e.part == "learner":
            place = e.caller if e.i in self._returned and e.caller is not None else e.at
            name = assigned(place) if place is not None and e.op is not None else None
            if name is not None and name.isidentifier():
                return f"`{name}`"
            if e.op_name == "SetItem" and e.at is not None:
                return code(e.at.text.split("[")[0])
            if e.at is None or e.op is None:
                return number(e.value) if e.ndim == 0 else self._constant(e)
            return code(e.caller.text) if e.i in self._returned and e.caller is not None else code(e.at.text)
        if e.part == "cot" and e.owner is not None:
            return f"the gradient of {self.words.said(e.owner)}"
        return self.words.said(e)

    def _constant(self, e: Entry) -> str:
        if e.part != "learner":
            return self.words.said(e)
        for j, position in self.w.consumers[e.i][:1]:
            reader = self.w.tape[j]
            part = operand(reader.at.text, position) if reader.at is not None else None
            if part:
                return code(part)
        return code(e.at.text) if e.at is not None and e.at.text else "a constant"

    def whole(self, e: Entry) -> str:
        """The whole expression of an entry."""
        if e.i not in self._whole:
            self._whole[e.i] = self._expression(e)
        return self._whole[e.i]

    def _expression(self, e: Entry) -> str:
        return code(e.at.text) if e.at is not None and e.at.text else self.words.described(e)

    def at(self, e: Entry) -> str:
        return f"line {e.at.line}: " if e.at is not None else ""

    def families(self) -> list[Family]:
        """The kinds of changes: of those that are alike the last, on the outermost expression, costs least."""
        kinds = (
            (1.0, self._signs), (1.04, self._options), (1.05, self._products), (1.1, self._values),
            (1.12, self._factors_too_many), (1.13, self._operators), (1.15, self._constants), (1.17, self._factors),
            (1.2, self._moves), (1.25, self._indices), (1.3, self._terms),
        )  # fmt: skip
        return [Family(least - OUTERMOST, using(self._weighed, kind)) for least, kind in kinds]

    def _weighed(self, _: Any, kind: Callable[[], Iterator[Edit]]) -> Iterator[Edit]:
        for e in kind():
            last = e.last
            helper = self.w.tape[last].caller is not None
            e.cost += HELPER * helper - OUTERMOST * last / len(self.w.tape)
            yield e

    def _signs(self) -> Iterator[Edit]:
        for e in self.steps:
            words = f"{self.at(e)}{self.whole(e)} needs the other sign"
            yield Edit(1.0, "sign", words, {e.i: _computed(e, np.negative)})
            if e.op_name in ("Add", "Sub"):
                a, b, f = e.args[0].i, e.args[1].i, 1.0 if e.op_name == "Sub" else -1.0
                other = "+" if e.op_name == "Sub" else "-"
                words = f"{self.at(e)}in {self.whole(e)} the sign must be {other}"
                yield Edit(1.02, "sign", words, {e.i: using(lambda v, a, b, f: v[a] + f * v[b], a, b, f)})

    def _products(self) -> Iterator[Edit]:
        for e in self.steps:
            if e.op_name != "Matmul":
                continue
            a, b = e.args
            for swap, turn_a, turn_b in product((False, True), repeat=3):
                if not (swap or turn_a or turn_b):
                    continue
                left, right = (self._factor(x, e, t) for x, t in ((a, turn_a), (b, turn_b)))
                text = f"{right} @ {left}" if swap else f"{left} @ {right}"
                words = f"{self.at(e)}{self.whole(e)} should be `{text}`"
                yield Edit(1.05, "transposed", words, {e.i: _product(a.i, b.i, swap, turn_a, turn_b)})

    def _factor(self, e: Entry, product: Entry, turned: bool) -> str:
        """A factor of a product, transposed or not, with brackets where it needs them."""
        while e.op_name == "Reshape" and e.at == product.at:  # a vector in a product
            e = e.args[0]
        text = self.said(e).strip("`")
        if re.fullmatch(r"-?[\w.]+(\[[^\]]*\]|\([^()]*\))*(\.T)?", text) is None or text.startswith("-"):
            text = f"({text})"
        if not turned:
            return text
        return text[:-2] if text.endswith(".T") else f"{text}.T"

    def _operators(self) -> Iterator[Edit]:
        for e in self.steps:
            for name, (words, f) in OPERATORS.items():
                if e.op_name in OPERATORS and e.op_name != name and "Mul" in (e.op_name, name):
                    message = f"{self.at(e)}{self.whole(e)} should be a {words}"
                    yield Edit(1.13, "operator", message, {e.i: using(_combined, e.args[0].i, e.args[1].i, f)})

    def _options(self) -> Iterator[Edit]:
        for e in self.steps:
            if e.op_name in ("Sum", "Mean"):
                a = e.args[0]
                count = a.size / max(e.size, 1)
                other = "mean" if e.op_name == "Sum" else "sum"
                words = f"{self.at(e)}{self.whole(e)} should be a {other}"
                scale = 1 / count if other == "mean" else count
                yield Edit(1.04, f"{e.op_name.lower()} for {other}", words, {e.i: _computed(e, using(_times, scale))})
            if isinstance(e.op, Step) or e.op.variadic or e.op_name in MOVES:
                continue
            for option, given in e.options.items():
                for other, words in other_options(option, given, e.args[0]):
                    changed = {**e.options, option: other}
                    turned = words.split(" instead of ")
                    message = f"{self.at(e)}{self.whole(e)} should have {turned[0]}"
                    yield Edit(1.05, "option", message, {e.i: _optioned(e, changed)})

    def _factors_too_many(self) -> Iterator[Edit]:
        for e in self.steps:
            if e.op_name in ("Mul", "Div", "Add", "Sub"):
                what = "factor" if e.op_name == "Mul" else "division by" if e.op_name == "Div" else "term"
                for kept, lost in ((e.args[0], e.args[1]), (e.args[1], e.args[0])):
                    first = kept is e.args[0]
                    if kept.shape == e.shape and (first or e.op_name in ("Mul", "Add")):
                        words = f"{self.at(e)}the {what} {self.said(lost)} in {self.whole(e)} is too many"
                        yield Edit(1.12, "too many", words, {e.i: value(kept.i)})
            elif len(e.args) == 1 and e.args[0].shape == e.shape and e.op_name not in MOVES:
                words = f"{self.at(e)}{self.whole(e)} should be {self.said(e.args[0])} as it is"
                yield Edit(1.2, "too many", words, {e.i: value(e.args[0].i)})

    def _values(self) -> Iterator[Edit]:
        reads: dict[int, list[tuple[Entry, int]]] = {}
        for e in self.steps:
            for position, a in enumerate(e.args):
                reads.setdefault(a.i, []).append((e, position))
        for i, places in reads.items():
            old = self.w.tape[i]
            if not old.ndim:
                continue
            for new in (*self.outside, *self.w.program.seeds, *self.w.own):
                if new is old or new.shape != old.shape or (new.part == "learner" and new.op is None):
                    continue
                told = self.said(new), self.said(old)
                if told[0] == told[1]:
                    continue
                able = [(e, q) for e, q in places if new.i < e.i]
                cost = (1.1 if new in old.args or old in new.args else 1.14) + GIVEN * _is_given(new)
                for e, q in able:
                    words = f"{self.at(e)}write {told[0]} for {told[1]} in {self.whole(e)}"
                    yield Edit(cost, "other value", words, reads={(e.i, q): value(new.i)})
                if len(able) > 1 and len(able) == len(places):
                    e = able[0][0]
                    words = f"{self.at(e)}write {told[0]} for {told[1]} from {self.whole(e)} on"
                    yield Edit(cost + 0.03, "other value", words, reads={(e.i, q): value(new.i) for e, q in able})

    def _factors(self) -> Iterator[Edit]:
        sizes = self.words.sizes()
        numbers = {float(s): f"{s}{text}" for s, text in sizes.items()}
        for u in self.w.tape:
            if u.part in ("forward", "learner") and is_number(u):  # what the function is written with says more
                numbers[float(u.value)] = number(u.value)
        for e in self.steps:
            for u in (*self.outside, *(o for o in self.steps if o.i < e.i)):
                if u.op_name == "Cotangent" or not (u.ndim or u.tracked) or not _fits(u, e):
                    continue
                for words, f in (("multiplied with", _times), ("divided by", _over)):
                    message = f"{self.at(e)}{self.whole(e)} must be {words} {self.said(u)}"
                    yield Edit(1.17 + GIVEN * _is_given(u), "factor dropped", message, {e.i: _with(e, u, f)})
            for c, text in numbers.items():
                if c not in (0.0, 1.0):
                    for words, scale in (("multiplied with", c), ("divided by", 1 / c)):
                        message = f"{self.at(e)}{self.whole(e)} must be {words} {text}"
                        yield Edit(1.18, "factor", message, {e.i: _computed(e, using(_times, scale))})

    def _indices(self) -> Iterator[Edit]:
        for e in self.steps:
            index = e.options.get("index")
            if index is None or e.op_name not in ("GetItem", "SetItem", "PutItem"):
                continue
            shape = e.options.get("shape", e.args[0].shape)
            for other, words in other_indices(index, shape):
                if " instead" in words or "not used" in words:
                    continue
                message = f"{self.at(e)}the index in {self.whole(e)} is another one (as if {words})"
                yield Edit(1.25, "index", message, {e.i: _optioned(e, {**e.options, "index": other})})

    def _constants(self) -> Iterator[Edit]:
        sizes = self.words.sizes()
        for u in self.w.own:
            if not is_number(u) or u.i not in self.w.leads:
                continue
            c = float(u.value)
            others = {x: f"{x:g}" for x in (0.0, 1.0, -c, c + 1, c - 1, 2 * c, c / 2, c * c)}
            others |= {float(s): f"{s}{text}" for s, text in sizes.items()}
            given = [float(o.value) for o in self.w.tape if o.part == "forward" and is_number(o)]
            others |= {v: f"{v:g}" for x in given for v in (2 * x, x / 2, x)}
            reader = next((self.w.tape[j] for j, _ in self.w.consumers[u.i]), u)
            for other, text in others.items():
                if other != c:
                    odd = 0.1 * (other != round(other) and c == round(c))
                    message = f"{self.at(reader)}{c:g} in {self.whole(reader)} should be {text}"
                    yield Edit(1.15 + odd, "constant", message, {u.i: using(_constantly, other)})

    def _moves(self) -> Iterator[Edit]:
        for e in self.steps:
            for q, a in enumerate(e.args):
                if not a.ndim or (a.op is None and a.part == "learner" and a.size < 2):
                    continue
                for words, f, cost in variants(a.shape, np.asarray(a.value).dtype == bool):
                    message = f"{self.at(e)}of {self.said(a)}, {words} is needed in {self.whole(e)}"
                    yield Edit(cost + 0.1, "taken wrongly", message, reads={(e.i, q): using(_function_of, a.i, f)})

    def _terms(self) -> Iterator[Edit]:
        for e in self.steps:
            for u in (*self.gradients, *self.w.program.seeds, *(o for o in self.steps if o.i < e.i)):
                if u.shape != e.shape:
                    continue
                for sign, f in (("+", 1.0), ("-", -1.0)):
                    message = f"{self.at(e)}a term is missing: {self.whole(e)} {sign} {self.said(u)}"
                    yield Edit(1.3, "term dropped", message, {e.i: using(_sum, e, u.i, f)})


def _is_given(e: Entry) -> bool:
    """Whether the function was given this array, as a mask or running means."""
    return e.part == "forward" and e.op is None and e.ndim > 0 and np.asarray(e.value).dtype.kind == "f"


def _times(x: Any, by: Any) -> Any:
    return x * by


def _combined(v: Any, a: int, b: int, f: Any) -> Any:
    return f(v[a], v[b])


def _over(x: Any, by: Any) -> Any:
    return x / by


def _constantly(v: Any, c: float) -> Any:
    return c


def _function_of(v: Any, i: int, f: Any) -> Any:
    return f(v[i])


def _computed(e: Entry, after: Any) -> Change:
    return lambda v: after(_forward(v, e))


def _forward(v: Any, e: Entry) -> Any:
    here = v.tape[e.i]
    r = here.op.forward(*(v[a.i] for a in here.args), **here.options)
    return r[0] if isinstance(r, tuple) else r


def _with(e: Entry, u: Entry, f: Any) -> Change:
    return lambda v: f(_forward(v, e), v[u.i])


def _sum(v: Any, e: Entry, u: int, f: float) -> Any:
    return _forward(v, e) + f * v[u]


def _optioned(e: Entry, options: Any) -> Change:
    def change(v: Any) -> Any:
        r = e.op.forward(*(v[a.i] for a in e.args), **options)
        return np.asarray(r[0] if isinstance(r, tuple) else r)

    return change


def _product(a: int, b: int, swap: bool, turn_a: bool, turn_b: bool) -> Change:
    def change(v: Any) -> Any:
        x = np.swapaxes(v[a], -1, -2) if turn_a else v[a]
        y = np.swapaxes(v[b], -1, -2) if turn_b else v[b]
        return y @ x if swap else x @ y

    return change


def _fits(u: Entry, e: Entry) -> bool:
    """Whether the product with it keeps the shape."""
    if u.size == 1 and u.ndim <= e.ndim:
        return True
    try:
        return np.broadcast_shapes(u.shape, e.shape) == e.shape
    except ValueError:
        return False
