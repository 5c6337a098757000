"""Which edits give the learner's numbers at every point: the search, under one clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.naming import known
from tinygrad_cnn.gradcheck.naming.edits import FAMILIES, OF_KNOWN, Edit, Family, View
from tinygrad_cnn.gradcheck.naming.edits.edges import NO_OPTIONS_OF_THE_LEARNER
from tinygrad_cnn.gradcheck.naming.edits.edit import Needs, zeros
from tinygrad_cnn.gradcheck.naming.edits.moves import other_options, using
from tinygrad_cnn.gradcheck.naming.learner import SAME, Clock, Learner, close
from tinygrad_cnn.gradcheck.naming.order import in_order
from tinygrad_cnn.gradcheck.naming.program import Forward, Known, Program, Programs
from tinygrad_cnn.gradcheck.naming.recording import Step
from tinygrad_cnn.gradcheck.naming.repairs import Repairs
from tinygrad_cnn.gradcheck.naming.words import Words
from tinygrad_cnn.gradcheck.naming.written import Written

TEXTBOOK = 0.09
"""Of a softmax and its like it costs so much less to say that the terms between elements are missing."""
TOGETHER = 0.2
"""Where every wrong input has an explanation of its own, one of all of them may cost so much more."""
CANCELS = 1e-9
"""So small a part of the largest gradient is what is left where gradients cancel."""
KEPT = 2_000_000
"""Of so many elements of gradients that did not fit it is asked whether two make the mistake."""
NEAR = 0.02
"""What costs so much more than the best explanation is not looked for."""
UNEXPLAINED, SPOILT = 0.6, 0.1
"""What an explanation costs more for each wrong input it leaves, and for each right one it would make wrong."""


@dataclass(frozen=True)
class Named:
    """An explanation: what it costs, its kind, its words, and the places of the inputs it explains."""

    cost: float
    kind: str
    message: str
    explains: frozenset[int]
    needs: Needs | None = None


class Search:
    """The search for the mistake: what is wrong, and what has been found."""

    def __init__(self, learner: Learner, clock: Clock) -> None:
        self.learner, self.clock = learner, clock
        signature = learner.programs[0].signature()
        self.alike = [q for q, p in enumerate(learner.programs) if p.signature() == signature]
        self.programs: Sequence[Program] = [learner.programs[q] for q in self.alike]
        self.theirs = [learner.theirs[q] for q in self.alike]
        self.everything = self.programs
        self.right = [p.right for p in self.programs]
        self.wrong = frozenset(
            k
            for k in learner.places
            if not all(close(t[k], r[k], 1e-7) for t, r in zip(self.theirs, self.right, strict=True))
        )
        self.whole = Words(self.programs[0])
        self.found: list[Named] = []
        self.best: dict[int, float] = {}
        self.textbook = False
        self.tried: list[tuple[Sequence[Program], Edit, list[Any]]] = []
        """What did not fit: of two mistakes it may be one."""
        self.kept = 0

    def _programs(
        self, held: Iterable[int], form: tuple[int, int, Known] | None, factor: int | None = None
    ) -> Programs:
        forwards = [p.forward for p in self.everything]
        return Programs(forwards, [self.learner.seeds[q] for q in self.alike], tuple(held), form, factor)

    def run(self) -> list[Named]:
        """Every explanation that was found, the simplest first."""
        if not self.wrong:
            return []
        everything = self.programs
        held = self._free()
        if held:
            self.programs = self._programs(held, None)
        self._try(self.programs, View(self.programs[0]), FAMILIES, 0.0)
        self._known(held)
        if not any(n.cost < 1.1 for n in self.found) and not self.clock.over():
            self._options(everything)
        if not self.found and held:
            self._try(everything, View(everything[0]), FAMILIES, 0.0)
        self._jacobians(self.programs)
        if any(k not in self.best for k in self.wrong):
            self._two()
        return self._sorted()

    def _sorted(self) -> list[Named]:
        self.found.sort(key=lambda n: n.cost)
        first: dict[str, Named] = {}
        for n in self.found:
            first.setdefault(n.message, n)
        return list(first.values())

    def _free(self) -> list[int]:
        """Values that may be held constant without a change, as the maximum that a softmax subtracts.

        Their gradients cancel in the right answer only: held, more mistakes are single ones. What is multiplied by
        zeros, as a gate before the first state of a loop, has no gradient that could cancel.
        """
        held: list[int] = []
        p = self.programs[0]
        outputs = {o.i for o in p.outputs}
        sizes = {n.i: float(np.abs(p.cot[n].value).max(initial=0.0)) for n in p.nodes if n in p.cot}
        largest = max(sizes.values(), default=0.0)
        for n in p.nodes:
            if sizes.get(n.i, largest) > CANCELS * largest or n.i in outputs or any(a.i in held for a in n.args):
                continue
            if self.clock.over():
                break
            trial = [*held, n.i]
            if self._sends(n.i) and all(self._changes_nothing(q, trial) for q in range(len(self.programs))):
                held = trial
        return held

    def _sends(self, i: int) -> bool:
        """Whether the gradient of an entry is not plainly 0, but cancels up to rounding."""
        return any(np.any(p.cot[p.tape[i]].value) for p in self.programs)

    def _changes_nothing(self, q: int, trial: list[int]) -> bool:
        p = self.programs[q]
        cots = [p.cot[p.tape[i]].i for i in trial]
        gs = p.run({c: zeros(c) for c in cots}, {})
        return all(g is None or close(g, r, 1e-11) for g, r in zip(gs, self.right[q], strict=True))

    # ---- the search ------------------------------------------------------------------------------------------------

    def _stops(self, cost: float) -> bool:
        """Whether what costs so much need not be looked at any more."""
        whole = min((n.cost for n in self.found if n.explains == self.wrong), default=9.0)
        if cost > whole + NEAR:
            return True
        if all(k in self.best for k in self.wrong):
            return cost > max(self.best.values()) + (TOGETHER if len(self.wrong) > 1 else NEAR)
        return False

    def _try(
        self,
        programs: Sequence[Program],
        view: View,
        families: Sequence[Family],
        bonus: float,
    ) -> None:
        """The edits of a program that give the learner's numbers at every point, and not the right ones."""
        for e in in_order(view, families, self.clock):
            if self.clock.over() or self._stops(e.cost + bonus):
                return
            self._try_one(programs, e, bonus)

    def _try_one(self, programs: Sequence[Program], e: Edit, bonus: float) -> None:
        self.clock.tried += 1
        gs = e.apply(programs[0])
        if gs is None:
            return
        left = frozenset(k for k in self.wrong if close(gs[k], self.theirs[0][k]))
        if left != self.wrong and self.kept < KEPT:
            self.tried.append((programs, e, gs))
            self.kept += sum(int(np.size(g)) for g in gs)
        if left:
            self._confirm(programs, e, gs, left, bonus)

    def _confirm(self, programs: Sequence[Program], e: Edit, gs: list[Any], left: frozenset[int], bonus: float) -> None:
        first = gs
        same = all(close(gs[k], self.right[0][k]) for k in left)
        for q in range(1, len(programs)):
            other = e.apply(programs[q])
            left = frozenset(k for k in left if other is not None and close(other[k], self.theirs[q][k]))
            if not left or other is None:
                return
            same = same and all(close(other[k], self.right[q][k]) for k in left)
        if not same:
            spoilt = [
                k
                for k in self.learner.places
                if k not in self.wrong and self.right[0][k] is not None and not close(first[k], self.right[0][k])
            ]
            self._add(e.cost + bonus, e.kind, e.message, left, len(spoilt), e.needs)

    def _add(
        self,
        cost: float,
        kind: str,
        message: str,
        left: frozenset[int],
        spoilt: int,
        needs: Needs | None = None,
    ) -> None:
        for k in left:
            self.best[k] = min(self.best.get(k, 9.0), cost + SPOILT * spoilt)
        cost += UNEXPLAINED * (len(self.wrong) - len(left)) + SPOILT * spoilt
        if left != self.wrong or spoilt:
            names = [self.name(k) for k in sorted(left)]
            if not any(f"gradient of {name}" in message for name in names):
                message = f"in the gradient of {' and '.join(names)}: {message}"
        self.found.append(Named(cost, kind, message, left, needs))

    def name(self, k: int) -> str:
        """The name of an input."""
        e = self.programs[0].inputs[k]
        return f"`{e.name}`" if e is not None else f"input {k}"

    def _known(self, held: list[int]) -> None:
        """The mistakes in the textbook's derivative of a part of the program."""
        found = []
        with np.errstate(all="ignore"):
            for form in known.recognised(self.programs[0], _closely, self.clock.over):
                found.append(form)
                if self.clock.over() or len(found) > 40:
                    break
        self.textbook = bool(found)
        plain = {(first, form.name) for (first, _, form), factor in found if factor is None}
        found = [f for f in found if f[1] is None or (f[0][0], f[0][2].name) not in plain]
        for form in found:
            first, last, _ = form[0]
            bonus = -0.08 - 0.005 * min(last - first, 30)
            if self.clock.over() or self._stops(0.9 + bonus):
                return
            programs = self._programs(held, *form)
            self._try(programs, View(programs[0], programs[0].tape[last]), OF_KNOWN, bonus)

    def _options(self, programs: Sequence[Program]) -> None:
        """The derivative of the function with another option in one of its ops, recorded anew."""
        words = Words(programs[0])
        for n in programs[0].nodes:
            if isinstance(n.op, Step) or n.op.variadic or n.op_name in NO_OPTIONS_OF_THE_LEARNER:
                continue
            for option, value in n.options.items():
                for other, what in other_options(option, value, n.args[0]):
                    if self.clock.over():
                        return
                    self.clock.tried += 1
                    message = f"the derivative is that of the function with {what} in {words.said(n)}{words.at(n)}"
                    self._patched((n.i, option, other), message)

    def _patched(self, patch: tuple[int, str, Any], message: str) -> None:
        left, same = self.wrong, True
        for q, theirs, right in zip(self.alike, self.theirs, self.right, strict=True):
            try:
                with np.errstate(all="ignore"):
                    forward = Forward(self.learner.seen, self.learner.points[q], patch, self.learner.names)
                    shapes = [o.shape for o in self.programs[0].outputs]
                    if [o.shape for o in forward.outputs] != shapes:
                        return
                    gs = Program(forward, self.learner.seeds[q]).right
            except Exception:  # the function may not take it
                return
            left = frozenset(k for k in left if close(gs[k], theirs[k]))
            same = same and all(close(gs[k], right[k]) for k in left)
            if not left:
                return
        if not same:
            self._add(1.12, "option", message, left, 0)

    def _jacobians(self, programs: Sequence[Program]) -> None:
        """Mistakes of the whole Jacobian: its diagonal alone; not transposed."""
        p = programs[0]
        if len(p.seeds) != 1 or not 1 < p.seeds[0].size <= 64:
            return
        square = [k for k in self.wrong if self.right[0][k].size == p.seeds[0].size]
        for k in square:
            left = dict(JACOBIAN)
            same = dict.fromkeys(left, True)
            for q, p in enumerate(programs):
                g = np.asarray(p.seeds[0].value)
                units = np.eye(g.size).reshape(g.size, *g.shape)
                rows = [p.run({p.seeds[0].i: using(lambda v, u: u, u)}, {})[k].reshape(-1) for u in units]
                J = np.stack(rows)
                if "diagonal" in left and np.allclose(np.diag(J), 1):
                    del left["diagonal"]  # a derivative that is left out
                if "row sums" in left and np.allclose(J.sum(1), 1):
                    del left["row sums"]  # a gradient that is passed on as it is
                if "inverse" in left and not np.array_equal(J, np.diag(np.diag(J))):
                    del left["inverse"]
                for kind, (_, _, made) in list(left.items()):
                    d = made(J, g.reshape(-1)).reshape(self.right[q][k].shape)
                    if not close(d, self.theirs[q][k]):
                        del left[kind]
                    elif not close(d, self.right[q][k]):
                        same[kind] = False
                if not left or self.clock.over():
                    break
            for kind, (cost, message, _) in left.items():
                if not same[kind]:
                    cost -= TEXTBOOK * (kind == "diagonal" and self.textbook)
                    self._add(cost, kind, message, frozenset({k}), 0)

    # ---- the learner's own line ------------------------------------------------------------------------------------

    def written(self) -> list[Written]:
        """The learner's derivative recorded at every point; nothing if it cannot be."""
        points = self.learner.points
        lists: list[Written] = []
        try:
            for p, q in zip(self.everything, self.alike, strict=True):
                if self.clock.over():
                    return []
                lists.append(Written(p, self.learner.seen_vjp, points[q], self.learner.several))
        except Exception:  # it may do anything
            return []
        signature = lists[0].signature()
        same = all(w.signature() == signature for w in lists) and self._is_theirs(lists[0])
        return lists if same else []

    def repairs(self, lists: list[Written]) -> list[Named]:
        """The changes of one place of the learner's derivative that make it right, the simplest first."""
        found: list[Named] = []
        for e in in_order(None, Repairs(lists[0]).families(), self.clock):
            if self.clock.over() or (found and e.cost > found[0].cost + NEAR):
                break
            self.clock.tried += 1
            left = self._mended(lists, e)
            if left and (left == self.wrong or len(self.wrong) > 1):
                found.append(Named(e.cost + UNEXPLAINED * (len(self.wrong) - len(left)), e.kind, e.message, left))
        return sorted(found, key=lambda n: n.cost)

    def _is_theirs(self, w: Written) -> bool:
        given = zip(w.results, self.theirs[0], strict=True)
        return all(e is None or t is None or close(e.value, t, 1e-8) for e, t in given)

    def _mended(self, lists: list[Written], e: Edit) -> frozenset[int]:
        """The wrong inputs whose gradients an edit of the learner's derivative makes right, leaving right ones so."""
        left = self.wrong
        for w, right in zip(lists, self.right, strict=True):
            try:
                gs = w.run(e.nodes, e.reads)
            except (ValueError, TypeError, IndexError, KeyError, AttributeError, ZeroDivisionError, OverflowError):
                return frozenset()
            left = frozenset(k for k in left if close(gs[k], right[k]))
            if not left:
                return left
            for k in self.learner.places:
                if k not in self.wrong and w.results[k] is not None and not close(gs[k], right[k], 1e-7):
                    return frozenset()
        return left

    # ---- two mistakes ----------------------------------------------------------------------------------------------

    def _two(self) -> None:
        """An edit times a simple number, or two edits whose effects add up."""
        for k in sorted(self.wrong - self.best.keys()):
            whole = [proportional(r[k], t[k]) for r, t in zip(self.right, self.theirs, strict=True)]
            if _one(whole):
                c = whole[0]
                assert c is not None
                message = f"the gradient of {self.name(k)} is multiplied by {c:g}"
                self._add(1.9, "factor", message, frozenset({k}), 0)
                continue
            if whole[0] is None:
                self._scaled(k)
                self._sums(k)

    def _scaled(self, k: int) -> None:
        seen = set()
        for programs, e, gs in self.tried:
            if self.clock.over():
                return
            c = proportional(gs[k], self.theirs[0][k])
            if c is None or e.message in seen or not any(abs(f - c) < 1e-9 * abs(c) for f in NICE):
                continue
            seen.add(e.message)
            others = [(e.apply(p), self.theirs[q]) for q, p in enumerate(programs)]
            if all(found is not None and close(c * np.asarray(found[k]), t[k]) for found, t in others):
                self._add(
                    e.cost + 1.0, e.kind, f"{e.message}; and in addition a factor {c:g}", frozenset({k}), 0, e.needs
                )

    def _sums(self, k: int) -> None:
        right, theirs = self.right[0][k], self.theirs[0][k]
        if np.shape(right) != np.shape(theirs) or np.size(right) < 3:
            return
        D = theirs - right
        size = max(float(np.abs(D).max()), float(np.abs(right).max()))
        places = np.argsort(-np.abs(D).reshape(-1))[:3]
        table: dict[tuple[float, ...], list[Any]] = {}
        effects = []
        for programs, e, gs in self.tried:
            if np.shape(gs[k]) == np.shape(right):
                effect = gs[k] - right
                if np.all(np.isfinite(effect)) and np.abs(effect).max() > SAME * size:
                    effects.append((programs, e, effect))
                    table.setdefault(_key(effect, places, size), []).append(effects[-1])
        for programs, e, effect in effects:
            rest = D - effect
            for others, other, also in table.get(_key(rest, places, size), ())[:4]:
                if self.clock.over():
                    return
                if other.message < e.message and others is programs and close(also, rest, 1e-8):
                    self._both(programs, e, other, k)

    def _both(self, programs: Sequence[Program], a: Edit, b: Edit, k: int) -> None:
        for q, p in enumerate(programs):
            first, second = a.apply(p), b.apply(p)
            if first is None or second is None:
                return
            if not close(np.asarray(first[k]) + second[k] - self.right[q][k], self.theirs[q][k], 1e-8):
                return
        self._add(a.cost + b.cost, "two mistakes", f"{a.message}; and {b.message}", frozenset({k}), 0)


def _closely(a: Any, b: Any) -> bool:
    return close(a, b, 1e-10)


def _key(a: NDArray, places: NDArray, size: float) -> tuple[float, ...]:
    return tuple(np.round(a.reshape(-1)[places] / size, 7).tolist())


def _one(factors: Sequence[float | None]) -> bool:
    """Whether the factors at all points are one simple number."""
    given = [c for c in factors if c is not None]
    if len(given) < len(factors) or np.ptp(given) > 1e-9 * abs(given[0]):
        return False
    return any(abs(f - given[0]) < 1e-9 * abs(f) for f in NICE)


NICE = {s * c for s in (1.0, -1.0) for n in range(1, 65) for c in (float(n), 1.0 / n)} - {1.0}

JACOBIAN: dict[str, Any] = {
    "diagonal": (
        1.12,
        "only the derivative of each element by itself is taken (the diagonal of the Jacobian); the terms between "
        "elements are missing",
        lambda J, g: np.diag(J) * g,
    ),
    "not transposed": (
        1.2,
        "the Jacobian is not transposed: the gradient goes through the function in the same direction as its input",
        lambda J, g: J @ g,
    ),
    "inverse": (
        1.15,
        "the derivative of each element is turned round: it is divided by where it should be multiplied with, or the "
        "other way",
        lambda J, g: g / np.diag(J),
    ),
    "row sums": (
        1.2,
        "the sums of the Jacobian's rows times the gradient are returned",
        lambda J, g: J.sum(1) * g,
    ),
}  # fmt: skip


def proportional(a: Any, b: Any) -> float | None:
    """The factor between two arrays, if there is one."""
    if np.shape(a) != np.shape(b) or np.size(a) < 3 or not np.all(np.isfinite(a)):
        return None
    squares = float(np.sum(np.square(a)))
    c = float(np.sum(a * b)) / squares if squares else 0.0
    return c if c and close(c * np.asarray(a), b) else None
