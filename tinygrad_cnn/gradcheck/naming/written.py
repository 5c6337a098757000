"""The learner's own derivative, recorded behind the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.gradcheck.naming.program import Listing, Program
from tinygrad_cnn.gradcheck.naming.recording import CannotRecord, Recorded, Seen, Tape


class Written(Listing):
    """The list of a program and behind it the learner's derivative, at one point."""

    def __init__(self, p: Program, seen: Seen, arguments: Sequence[Any], several: bool) -> None:
        tape = Tape(p.tape)
        tape.part = "learner"
        first = len(tape.entries)
        gs = tuple(Recorded(e, tape) for e in p.seeds)
        given = [x if e is None else Recorded(e, tape) for e, x in zip(p.inputs, arguments, strict=True)]
        result = seen.run(tape, [gs if several else gs[0], *given])
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(parts) != len(p.inputs):
            raise CannotRecord("another number of gradients")
        results = [None if e is None or g is None else tape.entry(g) for e, g in zip(p.inputs, parts, strict=True)]
        super().__init__(tape.entries, results)
        self.program = p
        self.own = self.tape[first:]
