"""What a name says the learner does must be seen in the recorded derivative; what it says is missing must not.

Other mistakes give the same numbers by chance: a length that is a constant's number, a mask whose first element is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.naming.edits.edit import SMALLER, Needs
from tinygrad_cnn.gradcheck.naming.learner import close
from tinygrad_cnn.gradcheck.naming.recording import Entry, operand
from tinygrad_cnn.gradcheck.naming.search import Named
from tinygrad_cnn.gradcheck.naming.written import Written

IS_THERE = 0.1
"""So much more costs a factor that is said to be missing, where the derivative has it somewhere."""


def believed(names: Sequence[Named], w: Written) -> list[Named]:
    """The names without those that the learner's derivative contradicts, the simplest first."""
    kept = []
    steps = _steps(w) if any(n.needs for n in names) else []
    for n in names:
        if n.needs is None or _is_seen(n.needs, steps):
            kept.append(n)
        elif n.needs[0] != SMALLER:
            kept.append(replace(n, cost=n.cost + IS_THERE))
    return sorted(kept, key=lambda n: n.cost)


def _is_seen(needs: Needs, steps: Sequence[Entry]) -> bool:
    if needs[0] == SMALLER:
        return any(a.size > e.size for e in steps for a in e.args)
    _, op, factor = needs
    places = (1,) if op == "Div" else (0, 1)
    there = (operand(e.at.text, q) for e in steps if e.op_name == op and e.at is not None for q in places)
    return factor.strip("`") not in there


def _steps(w: Written) -> list[Entry]:
    """What the learner's derivative does, but for the function's own values, which it computes anew."""
    values: dict[Shape, list[NDArray]] = {}
    for e in w.program.nodes:
        values.setdefault(e.shape, []).append(np.asarray(e.value))
    own = [e for e in w.own if e.op is not None and e.i in w.leads]
    return [e for e in own if not any(close(e.value, x) for x in values.get(e.shape, ()))]
