"""The list of a function with the backward pass behind it, and how it runs again after an edit.

Each op's own rules are called with recorded values, so that ``-g * y / b`` of a division is more entries of the same
list. An edit gives an entry, or what an entry reads at one place, another value; what comes after is computed anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.op import PLACE
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.naming.recording import CannotRecord, Entry, Recorded, Seen, Step, Tape


def added(*parts: Any) -> Any:
    """The sum of the parts."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def summed_to(g: Any, shape: Shape, reduce: Callable[..., Any] = np.sum) -> Any:
    """The axes that were broadcast, summed (or reduced otherwise)."""
    lead = g.ndim - len(shape)
    axes = tuple(k for k in range(g.ndim) if k < lead or (shape[k - lead] == 1 and g.shape[k] != 1))
    return np.reshape(reduce(g, axis=axes), shape) if axes else g


COTANGENT = Step("Cotangent", added)
UNBROADCAST = Step("Unbroadcast", lambda g, *, shape: summed_to(g, shape))
EDGE = Step("Edge", lambda d: d)
INNER = {"rule", "edge", "cot"}
"""The parts of the backward pass."""


class Run(list[Any]):
    """The values of a list after an edit, by the numbers of the entries; `tape` is the list they belong to."""

    __slots__ = ("tape",)
    tape: list[Entry]


Change = Callable[[Run], Any]
"""What an entry, or one place where it is read, is instead: a function of the values before it."""


class Forward:
    """A function recorded at one point."""

    def __init__(
        self,
        seen: Seen,
        inputs: Sequence[Any],
        patch: tuple[int, str, Any] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self.given = list(inputs)
        tape = Tape()
        tape.part, tape.patch = "input", patch
        self.inputs: list[Entry | None] = [
            tape.add(None, [], {}, x, True) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else None
            for x in inputs
        ]
        tape.part = "forward"
        values = [x if e is None else Recorded(e, tape) for e, x in zip(self.inputs, inputs, strict=True)]
        y = seen.run(tape, values)
        self.outputs = [tape.entry(v) for v in (y if isinstance(y, (tuple, list)) else [y])]
        self.tape = tape
        self.nodes = [e for e in tape.entries if e.tracked and e.op is not None]
        for name, entry in zip(names or _parameters(seen.function, len(inputs)), self.inputs, strict=True):
            if entry is not None:
                entry.name = name
        self.readers: dict[int, list[tuple[Entry, int]]] = {}
        for e in tape.entries:
            for position, a in enumerate(e.args):
                self.readers.setdefault(a.i, []).append((e, position))
        alike: dict[Any, list[Entry]] = {}
        for e in tape.entries:
            if e.op is not None and e.at is not None:
                alike.setdefault((e.at, e.caller), []).append(e)
        self.namesakes: dict[int, list[Entry]] = {e.i: found for found in alike.values() for e in found}
        """Entries of the same expression, as in the turns of a loop."""


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    try:
        names = [p.name for p in inspect.signature(function).parameters.values() if p.kind < 2]
    except (TypeError, ValueError):
        names = []
    if len(names) >= count:
        return names[:count]
    return ["x"] if count == 1 else [f"input {k}" for k in range(count)]


class Known:
    """A textbook function that a part of a program is, with the textbook's derivative, and its name in a formula."""

    def __init__(
        self, name: str, value: Callable[[NDArray], NDArray], rule: Callable[[Any, Any, Any], Any], short: str = ""
    ) -> None:
        self.name, self.value, self.rule, self.short = name, value, rule, short or name
        self.scaled = short in ("normalised", "unit")
        """Whether it is looked for with a factor in it, too: (g x) / s is no g (x / s) to a list of ops."""


class Listing:
    """Entries with their values, and the results among them: after an edit, what depends on it is computed anew."""

    def __init__(self, tape: list[Entry], results: list[Entry | None]) -> None:
        self.tape, self.results = tape, results
        self.values = [e.value for e in tape]
        self.consumers: list[list[tuple[int, int]]] = [[] for _ in tape]
        for e in tape:
            for position, a in enumerate(e.args):
                self.consumers[a.i].append((e.i, position))
        self._after: dict[int, tuple[int, ...]] = {}
        self._plan = [_planned(e) for e in tape]
        self.leads = self._leading()
        """The numbers of the entries that a result depends on."""

    def _leading(self) -> set[int]:
        found: set[int] = set()
        todo = [e for e in self.results if e is not None]
        while todo:
            e = todo.pop()
            if e.i not in found:
                found.add(e.i)
                todo += e.args
        return found

    # ---- running it again ------------------------------------------------------------------------------------------

    def after(self, i: int) -> tuple[int, ...]:
        """The numbers of all entries that depend on one and lead to a result, in order."""
        found = self._after.get(i)
        if found is None:
            seen, todo = set(), [i]
            while todo:
                for j, _ in self.consumers[todo.pop()]:
                    if j not in seen and j in self.leads:
                        seen.add(j)
                        todo.append(j)
            found = self._after[i] = tuple(sorted(seen))
        return found

    def run(self, nodes: Mapping[int, Change], reads: Mapping[tuple[int, int], Change]) -> list[Any]:
        """The results after an edit."""
        v = Run(self.values)
        v.tape = self.tape
        plan = self._plan
        places = {i for i, _ in reads}
        touched = {*nodes, *places}
        if len(touched) == 1:
            (i,) = touched
            order: Iterable[int] = (i, *self.after(i))
        else:
            order = sorted(touched.union(*(self.after(i) for i in touched)))
        for i in order:
            if i in nodes:
                v[i] = nodes[i](v)
                continue
            forward, numbers, options = plan[i]
            if i in places:
                args = [reads[i, p](v) if (i, p) in reads else v[a] for p, a in enumerate(numbers)]
                r = args[0] if forward is None else forward(*args, **options)
            elif forward is None:
                v[i] = v[numbers[0]]
                continue
            elif len(numbers) == 1:
                r = forward(v[numbers[0]], **options)
            else:
                r = forward(*[v[a] for a in numbers], **options)
            v[i] = r[0] if type(r) is tuple else r
        return [None if g is None else np.asarray(v[g.i]) for g in self.results]

    def signature(self) -> list[Any]:
        """What must be the same at every point for edits to mean the same."""
        return [(e.op_name, e.part, np.shape(e.value)) for e in self.tape]


def _planned(e: Entry) -> tuple[Callable[..., Any] | None, tuple[int, ...], dict[str, Any]]:
    """How an entry is computed from which others; no function if it is the first of them as it is."""
    passes = e.op is EDGE or (e.op is COTANGENT and len(e.args) == 1)
    return None if passes or e.op is None else e.op.forward, tuple(a.i for a in e.args), e.options


class Program(Listing):
    """The list of a forward and its backward pass at one point.

    Some entries may be held constant from the start, and one part may have the derivative of a known function: the
    numbers of where it begins and ends, and the function; `factor` is the number of what it is multiplied with.
    """

    def __init__(
        self,
        forward: Forward,
        seeds: Sequence[NDArray],
        held: Iterable[int] = (),
        known: tuple[int, int, Known] | None = None,
        factor: int | None = None,
    ) -> None:
        self.factor = factor
        self.forward, self.nodes, self.inputs, self.outputs = forward, forward.nodes, forward.inputs, forward.outputs
        self.known = known
        self.known_edge: tuple[Entry, Entry, Entry] | None = None
        self.held = set(held)
        tape = self._tape = Tape(forward.tape.entries)
        tape.part = "seed"
        self.seeds = [tape.add(None, [], {}, np.asarray(g), True) for g in seeds]
        self.cot: dict[Entry, Entry] = {}
        self.edges: dict[tuple[Entry, int], Entry] = {}
        self._backward()
        self.grads = [self._gradient(e) for e in self.inputs]
        super().__init__(tape.entries, self.grads)
        self._before: dict[int, frozenset[int]] | None = None

    def _gradient(self, e: Entry | None) -> Entry | None:
        if e is None or e in self.cot:
            return None if e is None else self.cot[e]
        self._tape.part, self._tape.owner = "zero", None
        return self._tape.add(None, [], {}, np.zeros(e.shape), True)

    def _backward(self) -> None:
        tape = self._tape
        parts: dict[Entry, list[Entry]] = {}
        for v, g in zip(self.outputs, self.seeds, strict=True):
            parts.setdefault(v, []).append(g)
        for n in sorted([*self.nodes, *(v for v in self.inputs if v is not None)], key=lambda e: -e.i):
            if n not in parts:
                continue
            tape.part, tape.owner, tape.k = "cot", n, None
            c = tape.add(COTANGENT, parts[n], {}, np.asarray(added(*(p.value for p in parts[n]))), True)
            self.cot[n] = c
            if n.op is None:
                continue
            if self.known is not None and n.i == self.known[1]:
                a = tape.entries[self.known[0]]
                tape.part, tape.k = "rule", 0
                incoming, x, y = Recorded(c, tape), Recorded(a, tape), Recorded(n, tape)
                if self.factor is not None:
                    incoming, y = self._scaled(n, incoming, y, parts)
                    tape.part, tape.k = "rule", 0
                edge = self._edge(n, 0, tape.entry(self.known[2].rule(incoming, x, y)))
                self.known_edge = n, a, edge
                parts.setdefault(a, []).append(edge)
                continue
            for k, a in enumerate(n.args):
                if not a.tracked or a.i in self.held:
                    continue
                tape.part, tape.k = "rule", k
                d = derivative(n, k, Recorded(c, tape), tape)
                if d is None:
                    continue
                d = tape.entry(d)
                if n.op.broadcasts and d.shape != a.shape:
                    d = tape.add(UNBROADCAST, [d], {"shape": a.shape}, summed_to(d.value, a.shape), True)
                edge = self.edges[n, k] = self._edge(n, k, d)
                parts.setdefault(a, []).append(edge)

    def _scaled(self, n: Entry, g: Any, y: Any, parts: dict[Entry, list[Entry]]) -> tuple[Any, Any]:
        """Of a known function with a factor: the gradient of the function alone, and its value."""
        tape = self._tape
        assert self.factor is not None
        b = tape.entries[self.factor]
        by: Any = Recorded(b, tape)
        alone = y / by
        if b.tracked:
            d: Entry = tape.entry(g * alone)
            d = tape.add(UNBROADCAST, [d], {"shape": b.shape}, summed_to(d.value, b.shape), True)
            parts.setdefault(b, []).append(self._edge(n, 1, d))
            tape.part, tape.k = "rule", 0
        return g * by, alone

    def _edge(self, n: Entry, k: int, d: Entry) -> Entry:
        self._tape.part, self._tape.owner, self._tape.k = "edge", n, k
        return self._tape.add(EDGE, [d], {}, d.value, True)

    @property
    def right(self) -> list[Any]:
        """The gradients as they should be."""
        return [None if g is None else np.asarray(g.value) for g in self.grads]

    def before(self, i: int) -> frozenset[int]:
        """The numbers of all entries of the forward that one depends on, with its own."""
        if self._before is None:
            self._before = {}
            for e in self.forward.tape.entries:
                self._before[e.i] = frozenset({e.i}).union(*(self._before[a.i] for a in e.args))
        return self._before[i]


class Programs(Sequence[Program]):
    """The same program at every point, each made when it is first asked for: most edits do not fit at the first."""

    def __init__(self, forwards: Sequence[Forward], seeds: Sequence[Sequence[NDArray]], *facts: Any) -> None:
        self.forwards, self.seeds, self.facts = forwards, seeds, facts
        self.made: dict[int, Program] = {}

    def __len__(self) -> int:
        return len(self.forwards)

    @overload
    def __getitem__(self, q: int) -> Program: ...
    @overload
    def __getitem__(self, q: slice) -> list[Program]: ...
    def __getitem__(self, q: int | slice) -> Program | list[Program]:
        """The program at one point, or at some."""
        if isinstance(q, slice):
            return [self[k] for k in range(*q.indices(len(self)))]
        if q >= len(self):
            raise IndexError(q)
        if q not in self.made:
            self.made[q] = Program(self.forwards[q], self.seeds[q], *self.facts)
        return self.made[q]


def derivative(n: Entry, k: int, g: Recorded, tape: Tape) -> Any:
    """One derivative of an entry, recorded."""
    if isinstance(n.op, Step):
        return n.op.rule(g, n) if n.op.rule is not None else None
    rule = n.op.rules[0 if n.op.variadic else k]
    if rule is None:
        return None
    given = [Recorded(a, tape) for a in n.args]
    inputs: list[Any] = [tuple(given)] if n.op.variadic else list(given)
    shapes: list[Any] = [tuple(a.shape for a in n.args)] if n.op.variadic else [a.shape for a in n.args]
    aside = [None] if n.op.aside else []  # digits of a tail, which would outlast an edit of the value
    bag = [Recorded(n, tape), *inputs, *(Recorded(a, tape) for a in n.aux), *aside, *shapes]
    asked = [k if p == PLACE else bag[p] for p in rule.picks]
    return rule.function(g, *asked, **{o: n.options[o] for o in rule.options if o in n.options})


def derivative_at(v: Run, n: Entry, k: int, c: int, options: Mapping[str, Any]) -> Any:
    """The same on the values of a run, with other options."""
    here = v.tape[n.i]
    if isinstance(here.op, Step):
        raise CannotRecord("a step has no options")
    rule = here.op.rules[0 if here.op.variadic else k]
    given = [v[a.i] for a in here.args]
    inputs: list[Any] = [tuple(given)] if here.op.variadic else given
    shapes: list[Any] = [tuple(np.shape(x) for x in given)] if here.op.variadic else [np.shape(x) for x in given]
    aside = [None] if here.op.aside else []
    bag = [v[here.i], *inputs, *(v[a.i] for a in here.aux), *aside, *shapes]
    asked = [k if p == PLACE else bag[p] for p in rule.picks]
    return np.asarray(rule.function(v[c], *asked, **{o: options[o] for o in rule.options if o in options}))
