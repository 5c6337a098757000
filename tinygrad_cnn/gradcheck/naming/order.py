"""The edits in order of cost, made lazily, and those of all turns of a loop as one."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tinygrad_cnn.gradcheck.naming.edits import Edit, Family
from tinygrad_cnn.gradcheck.naming.learner import Clock
from tinygrad_cnn.gradcheck.naming.words import TURN

ALIKE = {
    "overwritten",
    "wrong axis",
    "count",
    "mean for sum",
    "not summed",
    "mask",
    "exponent",
    "step left out",
    "first only",
    "index",
    "option",
}
EXPRESSION = re.compile(r"`[^`]*`|\(line \d+\)| with respect to \S+")


def in_order(w: Any, families: Sequence[Family], clock: Clock) -> Iterator[Edit]:
    """The edits of a program, or of what else the families look at, what costs least first.

    A family is made when everything that costs less has been given.
    """
    heap: list[tuple[float, int, Any]] = [(f.least, n, f) for n, f in enumerate(families)]
    heapq.heapify(heap)
    count = len(families)
    while heap:
        _, _, first = heapq.heappop(heap)
        if isinstance(first, Edit):
            yield first
            continue
        for e in joined(first.edits(w), clock):
            count += 1
            heapq.heappush(heap, (e.cost, count, e))


def joined(edits: Iterable[Edit], clock: Clock) -> Iterator[Edit]:
    """The edits, and those that are made at every place of the same words (each turn of a loop) at once."""
    same: dict[str, list[Edit]] = {}
    alike: dict[tuple[str, str], list[Edit]] = {}
    for e in edits:
        clock.made += 1
        if clock.made % 64 == 0 and clock.over():
            return
        yield e
        if e.whole is None:
            words = TURN.sub("", e.message)
            same.setdefault(words, []).append(e)
            if e.kind in ALIKE:
                alike.setdefault((e.kind, EXPRESSION.sub("", words)), []).append(e)
    for message, group in same.items():
        if len(group) > 1 and _apart(group):
            yield _together(group, group[0].cost + 0.04, f"{message}, each time")
    for group in alike.values():
        if len({TURN.sub("", e.message) for e in group}) > 1 and _apart(group):
            yield _together(group, group[0].cost + 0.1, f"{group[0].message}, and so in the other places like it")


def _apart(group: list[Edit]) -> bool:
    places = [q for e in group for q in (*e.nodes, *e.reads)]
    return len(set(places)) == len(places)


def _together(group: list[Edit], cost: float, message: str) -> Edit:
    nodes = {i: f for e in group for i, f in e.nodes.items()}
    reads = {q: f for e in group for q, f in e.reads.items()}
    return Edit(cost, group[0].kind, message, nodes, reads, needs=group[0].needs)
