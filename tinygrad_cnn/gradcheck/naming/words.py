"""How an entry of the list is called: in the learner's own expression, or in a few words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_cnn.gradcheck.naming.program import INNER, Program
from tinygrad_cnn.gradcheck.naming.recording import Entry, operand

SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
OPS = {"Sum": "sum", "Mean": "mean", "PowScalar": "power", "Permute": "transpose", "Amax": "max", "Amin": "min"}
OF_MATRICES = ("Matmul", "Solve")
"""They take a vector as a matrix of one row or column."""
TURN = re.compile(r" \(time \d+ of \d+\)|part \d+ of ")


def short(text: str, most: int = 56) -> str:
    """A text with its middle left out, if it is long."""
    return text if len(text) <= most else f"{text[: most - 18]} … {text[-14:]}"


def code(text: str, most: int = 56) -> str:
    """A text marked as code."""
    return f"`{short(text, most)}`"


def number(value: Any) -> str:
    """A number with few digits."""
    return f"{float(value):g}"


def returned(entries: Sequence[Entry]) -> set[int]:
    """The numbers of those entries that are what a function of the learner's returns: the last of a call."""
    steps = [e for e in entries if e.op is not None]
    following = {e.i: after for e, after in pairwise(steps)}
    return {e.i for e in steps if e.caller is not None and _ends(e, following.get(e.i))}


def _ends(e: Entry, after: Entry | None) -> bool:
    return after is None or after.depth < e.depth or (after.depth == e.depth and after.caller != e.caller)


class Words:
    """What the entries of a program are called."""

    def __init__(self, p: Program) -> None:
        self.p = p
        self._said: dict[int, str] = {}
        self._returned = returned(p.forward.tape.entries)

    def said(self, e: Entry) -> str:
        """How the learner wrote this value."""
        found = self._said.get(e.i)
        if found is None:
            found = self._said[e.i] = self._spoken(e)
        return found

    def bare(self, e: Entry) -> str:
        """The same without the marks of code."""
        return self.said(e).strip("`")

    def _spoken(self, e: Entry) -> str:
        if e.part == "input":
            return code(e.name)
        if e.text:
            return e.text
        known = self.p.known
        if known is not None and e.i == known[1]:
            place = e.caller or e.at
            return f"{known[2].name} ({code(place.text, 40)})" if place is not None else known[2].name
        if e.part in INNER and e.owner is not None:
            return self.said(e.owner)
        if e.op is None:
            return self._constant(e)
        if e.i in self._returned and e.caller is not None:
            same = [q for q in self.p.forward.namesakes.get(e.i, ()) if q.caller == e.caller]
            return code(e.caller.text) + (f" (time {same.index(e) + 1} of {len(same)})" if len(same) > 1 else "")
        if e.op_name == "Reshape" and any(q.op_name in OF_MATRICES and q.at == e.at for q in self.p.forward.nodes):
            return self.said(e.args[0])  # a vector in a product
        if e.at is None or not e.at.text:  # as where nobody keeps the source
            parts = [self.bare(a) for a in e.args if a.tracked or e.op_name in SIGNS]
            if e.op_name in SIGNS:
                return f"`{f' {SIGNS[e.op_name]} '.join(parts)}`"
            return f"`{OPS.get(e.op_name, e.op_name.lower())}({', '.join(parts)})`"
        return self._among_namesakes(e)

    def _constant(self, e: Entry) -> str:
        for reader, position in self.p.forward.readers.get(e.i, ())[:1]:
            part = operand(reader.at.text, position) if reader.at is not None else None
            if part:
                return code(part)
        if e.ndim == 0:
            return number(e.value)
        return f"a constant of {code(e.at.text)}" if e.at is not None and e.at.text else "a constant"

    def _among_namesakes(self, e: Entry) -> str:
        assert e.at is not None
        if e.op_name == "SetItem":
            return code(e.at.text.split("[")[0])
        text, same = e.at.text, self.p.forward.namesakes.get(e.i, [e])
        same = [q for q in same if q is e or q.op_name != "Reshape"]
        if len(same) > 1:
            callers = {q.caller for q in same}
            if len(callers) == len(same) and e.caller is not None:
                return f"{code(text)} of {code(e.caller.text, 24)}"
            if e.op_name == "GetItem" and "split" in text:
                return f"part {same.index(e)} of {code(text)}"
            if e.op_name not in {q.op_name for q in same if q is not e}:
                return code(text) if e is same[-1] else f"{code(text)} ({OPS.get(e.op_name, e.op_name.lower())})"
            own = [q for q in same if q.op_name == e.op_name]
            return f"{code(text)} (time {own.index(e) + 1} of {len(own)})"
        return code(text)

    def at(self, e: Entry) -> str:
        """The line, to be put behind."""
        owner = e.owner if e.part in INNER else e
        return f" (line {owner.at.line})" if owner is not None and owner.at is not None else ""

    def word(self, e: Entry) -> str:
        """A factor or a term."""
        if e.part == "cot":
            return "`g`"
        if e.text:
            return e.text
        if e.op is None and e.ndim == 0:
            return self.said(e) if e.part in ("forward", "input") else number(e.value)
        if e.part == "rule" and e.op is None:
            ones = set(np.unique(np.asarray(e.value))) <= {0, 1}
            return "the mask of 0 and 1" if ones else "a constant"
        if e.part == "rule":
            return code(self.described(e))
        return self.said(e)

    def described(self, e: Entry, depth: int = 0) -> str:
        """A value of the backward pass as a formula."""
        if e.part in ("cot", "seed"):
            return "g"
        if e.text:
            return e.text
        if self.p.known is not None and e.i == self.p.known[1]:
            return self.p.known[2].short
        if e.op is None and e.ndim == 0:
            return self.bare(e) if e.part in ("forward", "input") else number(e.value)
        if e.part in ("forward", "input") or e.op is None:
            return self.bare(e)
        if e.op_name == "Refined":  # the same value with more digits
            return self.described(e.args[0], depth)
        if depth > 3:
            return "…"
        parts = [self.described(a, depth + 1) for a in e.args]
        if e.op_name in SIGNS or e.op_name in ("Neg", "PowScalar", "Permute"):
            parts = [f"({t})" if _several(a, t) else t for a, t in zip(e.args, parts, strict=True)]
        if e.op_name in SIGNS:
            return f" {SIGNS[e.op_name]} ".join(parts)
        if e.op_name == "Neg":
            return f"-{parts[0]}"
        if e.op_name == "PowScalar":
            return parts[0] if e.options["p"] == 1 else f"{parts[0]}**{e.options['p']:g}"
        if e.op_name == "Permute":
            return f"{parts[0]}.T"
        return f"{OPS.get(e.op_name, e.op_name.lower())}({', '.join(parts)})"

    def sizes(self) -> dict[int, str]:
        """What the sizes of axes and arrays are, to be put behind the number."""
        found: dict[int, str] = {}
        for n in [*(e for e in self.p.inputs if e is not None), *self.p.nodes]:
            for axis, m in enumerate(n.shape):
                if m > 1:
                    where = f"length of axis {axis} of" if n.ndim > 1 else "length of"
                    found.setdefault(m, f" (the {where} {self.said(n)})")
        for n in self.p.nodes:
            found.setdefault(n.size, f" (the size of {self.said(n)})")
        return found


def _several(e: Entry, text: str) -> bool:
    """Whether the text of an operand needs brackets."""
    if e.part == "rule":
        return e.op_name in SIGNS
    return re.search(r"\s[-+*/@]\s", re.sub(r"[(\[].*[)\]]", "", text)) is not None


def is_mask(value: Any) -> bool:
    """Whether this is an array of booleans."""
    return np.asarray(value).dtype == bool
