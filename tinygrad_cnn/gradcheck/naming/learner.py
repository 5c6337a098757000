"""A learner's function and VJP at several points: the function recorded, and the gradients that the VJP gives."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from threading import get_ident
from time import thread_time
from typing import Any, Self

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.naming.program import Forward, Program
from tinygrad_cnn.gradcheck.naming.recording import CannotRecord, Seen

EDITS = 20_000
"""A search tries no more edits."""
POINTS = 5
ENTRIES = 5_000
"""Functions of more ops are not named."""
SAME = 1e-9
"""Gradients are the same if they differ by less than this part of the largest element."""


def close(a: Any, b: Any, tolerance: float = SAME) -> bool:
    """Whether two gradients are the same but for rounding."""
    if a is None or b is None or np.shape(a) != np.shape(b):
        return False
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype == b.dtype == bool:
        return bool(np.all(a == b))
    if not a.size:
        return True
    off = np.abs(a - b).max()
    return bool(off <= tolerance * max(np.abs(b).max(), 1e-300))


class Clock:
    """How much may still be done: what others do on the machine, or in this process, does not count.

    Nor does the collection of garbage, while the clock is entered: it takes as long as the program has objects, half
    a second where there are many, whoever made them.
    """

    def __init__(self, seconds: float) -> None:
        self.end, self.tried = thread_time() + seconds, 0
        self.made = 0
        """Edits that were made, tried or not: what the search costs on any machine."""
        self._thread, self._stopped = get_ident(), 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self._collection)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._collection)

    def _collection(self, phase: str, _: Mapping[str, int]) -> None:
        """Stand still while garbage is collected in this thread."""
        if get_ident() == self._thread:
            if phase == "start":
                self._stopped = thread_time()
            else:
                self.end += thread_time() - self._stopped

    def renew(self, seconds: float) -> None:
        """Allow so much more, beside what is left."""
        self.end, self.tried = min(self.end, thread_time()) + seconds, 0

    def over(self) -> bool:
        return self.tried > EDITS or thread_time() > self.end


class Learner:
    """A function and its VJP, at several points: the function with its right derivative, and what the VJP gives."""

    def __init__(
        self,
        function: Any,
        vjp: Any,
        inputs: Sequence[Any],
        names: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.names = names
        self.function, self.vjp, self.seen = function, vjp, Seen(function)
        self.seen_vjp = Seen(vjp)
        self.several = False
        self.random = np.random.default_rng(0)
        self.inputs = [x.astype(np.float64) if is_floating(x) else x for x in inputs]
        self.places = [k for k, x in enumerate(self.inputs) if is_floating(x)]
        self.points: list[list[Any]] = []
        self.programs: list[Program] = []
        self.seeds: list[list[NDArray]] = []
        self.theirs: list[list[Any]] = []
        for q in range(POINTS):
            if clock is not None and clock.over():
                raise CannotRecord("recording it takes all the time")
            self._record(q)
        if len(self.points) <= POINTS // 2:
            raise CannotRecord("the recorded gradient is not that of the function")

    def _record(self, q: int) -> None:
        at = [x if q == 0 else self._near(x, shuffle=q >= 2) for x in self.inputs]
        with np.errstate(all="ignore"):
            y = self.function(*at)
            if not _finite(y):
                at = [self._near(x, shuffle=False) for x in self.inputs]
                y = self.function(*at)
        several = self.several = isinstance(y, (tuple, list))
        outputs = [np.asarray(v, float) for v in (y if several else [y])]
        size = self.random.choice([0.3, 1.0, 2.0])
        gs = [self.random.standard_normal(v.shape) * size for v in outputs]
        given = self.vjp(tuple(g.copy() for g in gs) if several else gs[0].copy(), *(_copied(x) for x in at))
        theirs = list(given) if isinstance(given, (tuple, list)) else [given]
        forward = Forward(self.seen, at, names=self.names)
        if len(forward.tape.entries) > ENTRIES:
            raise CannotRecord("too many ops to try mistakes in them")
        if not all(close(o.value, v, 1e-8) for o, v in zip(forward.outputs, outputs, strict=True)):
            raise CannotRecord("the recorded function gives other values")
        if not any(o.tracked for o in forward.outputs):
            raise CannotRecord("the function could not be recorded")
        program = Program(forward, gs)
        if q and not self._is_derivative(at, gs, program):
            return  # at a kink, or a part was not recorded
        self.points.append(at)
        self.programs.append(program)
        self.seeds.append(gs)
        self.theirs.append(
            [
                np.zeros(x.shape) if g is None and k in self.places else None if g is None else np.asarray(g, float)
                for k, (g, x) in enumerate(zip(theirs, at, strict=True))
            ]
        )

    def _near(self, x: Any, shuffle: bool) -> Any:
        """Numbers like these, a little changed, and in another order."""
        if not is_floating(x):
            return x
        order = self.random.permutation(x.reshape(-1)).reshape(x.shape) if shuffle else x
        return np.asarray(order * self.random.uniform(0.9, 1.1, x.shape))

    def _is_derivative(self, at: list[Any], gs: list[NDArray], p: Program) -> bool:
        u = [self.random.standard_normal(x.shape) if is_floating(x) else None for x in at]
        ends = []
        for h in (1e-6, -1e-6):
            y = self.function(*(x if d is None else x + h * d for x, d in zip(at, u, strict=True)))
            ends.append([np.asarray(v) for v in (y if isinstance(y, (tuple, list)) else [y])])
        slope = sum(float(np.sum(g * (a - b))) for g, a, b in zip(gs, *ends, strict=True)) / 2e-6
        mine = sum(float(np.sum(g * d)) for g, d in zip(p.right, u, strict=True) if d is not None and g is not None)
        return abs(slope - mine) <= 1e-3 * (abs(slope) + abs(mine) + 1e-3)


def is_floating(x: Any) -> bool:
    """Whether an argument has a derivative."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def _finite(y: Any) -> bool:
    return all(bool(np.all(np.isfinite(v))) for v in (y if isinstance(y, (tuple, list)) else [y]))
