"""The right derivative at another point, of another cotangent, or with a factor that is a function of a value."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from tinygrad_cnn.gradcheck.naming.edits.edit import Edit, View, of, total, value

FUNCTIONS: dict[str, Any] = {
    "{}": lambda a: a,
    "{}²": np.square,
    "1 - {}": lambda a: 1 - a,
    "1 + {}": lambda a: 1 + a,
    "{0}(1 - {0})": lambda a: a * (1 - a),
    "1 - {}²": lambda a: 1 - a * a,
    "√{}": np.sqrt,
    "exp({})": np.exp,
    "sigmoid({})": lambda a: 1 / (1 + np.exp(-a)),
    "(1 - tanh({})²)": lambda a: 1 - np.tanh(a) ** 2,
}


def other_points(w: View) -> Iterator[Edit]:
    """The derivative at another value, or with its arguments exchanged."""
    for x in w.inputs:
        for y in w.nodes:
            if y.shape == x.shape:
                words = f"the derivative is taken at {w.said(y)} instead of at {w.said(x)}"
                yield Edit(1.4, "other point", words, {x.i: value(y.i)})
    for a, b in combinations(w.inputs, 2):
        if a.shape == b.shape:
            words = f"{w.said(a)} and {w.said(b)} are exchanged as arguments"
            yield Edit(1.5, "exchanged", words, {a.i: _before(b.i), b.i: _before(a.i)})


def _before(i: int) -> Any:
    """The value as it is before any edit, at the point of the run."""
    return lambda v: v.tape[i].value


def cotangents(w: View) -> Iterator[Edit]:
    """The incoming gradient used otherwise than linearly."""
    for s in w.p.seeds:
        for words, f in (
            ("its absolute value is used", np.abs),
            ("its square is used", np.square),
            ("its sign is used", np.sign),
            ("it is not used (1)", np.ones_like),
            ("its mean is used", lambda g: np.full_like(g, g.mean())),
            ("its sum is used", lambda g: np.full_like(g, g.sum())),
        ):
            yield Edit(1.3, "cotangent", f"of the incoming gradient, {words}", {s.i: of(s.i, f)})


def factors(w: View) -> Iterator[Edit]:
    """A factor that is a simple function of a value."""
    for x in w.inputs:
        c = w.cot[x]
        for u in w.everything:
            if not u.ndim or u.shape != x.shape:
                continue
            for form, f in FUNCTIONS.items():
                name = f"`{form.format(w.words.bare(u))}`"
                more = {c.i: lambda v, c=c, u=u.i, f=f: total(c)(v) * f(v[u])}
                yield Edit(1.9, "factor", f"the gradient of {w.said(x)} has a factor {name} too many", more)
                less = {c.i: lambda v, c=c, u=u.i, f=f: total(c)(v) / f(v[u])}
                yield Edit(1.9, "factor", f"a factor {name} is missing in the gradient of {w.said(x)}", less)
