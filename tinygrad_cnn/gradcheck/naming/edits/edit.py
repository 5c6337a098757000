"""What an edit is, and what all families ask of a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.naming.program import Change, Program, Run, added
from tinygrad_cnn.gradcheck.naming.recording import Entry
from tinygrad_cnn.gradcheck.naming.words import Words

Whole = Callable[[Sequence[Any]], list[Any]]
"""An edit of the gradients as a whole: of the right ones, those of the mistake."""


SMALLER, WITHOUT = "smaller", "without"
Needs = tuple[str, ...]
"""What must be seen in the learner's derivative if the mistake is the one that is said: see `evidence`."""


@dataclass(slots=True)
class Edit:
    """A mistake somebody could make: its cost (what is simpler costs less), its name, and what it changes."""

    cost: float
    kind: str
    message: str
    nodes: Mapping[int, Change] = field(default_factory=dict)
    reads: Mapping[tuple[int, int], Change] = field(default_factory=dict)
    whole: Whole | None = None
    needs: Needs | None = None

    def apply(self, p: Program) -> list[Any] | None:
        """The gradients with the mistake; None if they cannot be computed."""
        try:
            return self.whole(p.right) if self.whole is not None else p.run(self.nodes, self.reads)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, ZeroDivisionError, OverflowError):
            return None

    @property
    def last(self) -> int:
        """The number of the last entry that it changes."""
        return max((*self.nodes, *(i for i, _ in self.reads)))


class Family(NamedTuple):
    """A kind of edits: what they cost at least, and how they are made."""

    least: float
    edits: Callable[[View], Iterator[Edit]]


class View:
    """A program as the families see it: all of it, or the derivative of one entry alone."""

    def __init__(self, p: Program, about: Entry | None = None) -> None:
        self.p, self.words, self.about = p, Words(p), about
        self.tape, self.cot = p.tape, p.cot
        self.said, self.at = self.words.said, self.words.at
        self.nodes = [n for n in p.nodes if n in p.cot]
        self.inputs = [e for e in p.inputs if e is not None and e in p.cot]
        self.everything = [*self.inputs, *self.nodes]
        self.groups: dict[tuple[int, int | None], list[Entry]] = {}
        """The insides of the derivatives, by the entry and the number of its input."""
        for e in p.tape:
            if e.part == "rule" and e.owner is not None and self.looks_at(e):
                self.groups.setdefault((e.owner.i, e.k), []).append(e)

    def looks_at(self, e: Entry) -> bool:
        """Whether an entry of the backward pass is to be changed."""
        return self.about is None or e.owner is self.about

    def inside(self, n: Entry, k: int | None) -> str:
        """Which derivative, to be put behind."""
        known = self.p.known is not None and n.i == self.p.known[1]
        of = f"in the derivative of {self.said(n)}"
        return of if k is None or known or len(n.args) == 1 else f"{of} with respect to {self.said(n.args[k])}"

    def sizes(self) -> list[int]:
        """Sizes of axes and arrays."""
        axes = sorted({s for n in self.everything for s in n.shape if s > 1} | {2})
        return axes + sorted({n.size for n in self.everything if n.size > 1} - set(axes))


def value(i: int) -> Change:
    """The value of another entry."""
    return lambda v: v[i]


def zeros(i: int) -> Change:
    """Zeros in the place of the value of an entry."""
    return lambda v: np.zeros_like(v[i])


def of(i: int, function: Callable[[Any], Any]) -> Change:
    """A function of the value of an entry."""
    return lambda v: function(v[i])


def total(c: Entry) -> Change:
    """A cotangent, from its parts."""
    return lambda v: added(*(v[q.i] for q in c.args))


def operation(e: Entry, after: Callable[[Any], Any] = lambda x: x) -> Change:
    """What an entry computes, and a function of it."""
    numbers = [a.i for a in e.args]

    def change(v: Run) -> Any:
        r = v.tape[e.i].op.forward(*(v[i] for i in numbers), **v.tape[e.i].options)
        return after(r[0] if isinstance(r, tuple) else r)

    return change


def marked(shape: Shape, index: tuple[Any, ...]) -> NDArray:
    """Zeros with ones at an index."""
    m = np.zeros(shape)
    m[index] = 1
    return m
