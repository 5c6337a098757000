"""`name_mistake`: which mistake gives the gradients of a wrong VJP, in the learner's words, and in which line it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.gradcheck.naming.evidence import believed
from tinygrad_cnn.gradcheck.naming.learner import Clock, Learner, close, is_floating
from tinygrad_cnn.gradcheck.naming.place import where_it_leaves
from tinygrad_cnn.gradcheck.naming.search import NEAR, UNEXPLAINED, Named, Search

SECONDS = 1.8
"""The whole search computes no longer."""
LARGEST = 100_000
"""Functions with larger inputs are not named."""
LINE = 0.25
"""This part of the time is for the line of the learner's derivative."""
OTHER_WAY = 0.3
"""A change that makes the derivative right is said first only if the mistake itself costs so much more."""
PLACE = 4.8
"""What a place costs, where the mistake has no name."""


def name_mistake(
    function: Any,
    vjp: Any,
    inputs: Sequence[Any],
    seconds: float = SECONDS,
    names: Sequence[str] | None = None,
) -> list[Named]:
    """The mistakes that give the gradients of this VJP, the simplest first; none if it cannot be recorded.

    Parameters
    ----------
    function : ``f(*arrays)``, in NumPy
    vjp : ``vjp(g, *arrays)``, its wrong vector-Jacobian product
    inputs : what both are called with
    seconds : how long the search may take
    names : of the inputs, if they are not those of the function's parameters
    """
    if sum(x.size for x in inputs if is_floating(x)) > LARGEST:
        return []
    found: list[Named] = []
    with Clock(seconds * (1 - LINE)) as clock, np.errstate(all="ignore"):
        try:
            search = Search(Learner(function, vjp, inputs, names, clock), clock)
            names_found = search.run()
            found = covering(names_found, search.wrong)
            if search.wrong:
                clock.renew(seconds * LINE)
                return with_line(search, names_found)
        except Exception:  # learners' functions may do anything: what cannot be recorded has no name, or no line
            return found
    return []


def covering(names: list[Named], wrong: frozenset[int]) -> list[Named]:
    """The explanations, before them the smallest set of them that explains every wrong input, as one."""
    if not names or names[0].explains == wrong:
        return names
    chosen: list[Named] = []
    left = wrong
    for n in sorted(names, key=lambda n: n.cost - UNEXPLAINED * len(n.explains)):
        if left & n.explains and not (chosen and n.explains & frozenset().union(*(c.explains for c in chosen))):
            chosen.append(n)
            left -= n.explains
    if left or len(chosen) < 2:
        return names
    cost = sum(n.cost - UNEXPLAINED * (len(wrong) - len(n.explains)) for n in chosen)
    both = Named(cost, "several mistakes", "; and ".join(n.message for n in chosen), wrong)
    return [both, *names]


def _agree(name: Named, repair: Named) -> bool:
    """Whether a change is of the same kind as the mistake, not one that happens to give the same numbers."""
    if name.kind in ("held constant", "path dropped", "term dropped", "left out"):
        return repair.kind in ("term dropped", "sign")
    if name.kind in ("other value", "taken wrongly", "mask", "other turn", "other point", "exchanged"):
        return repair.kind in ("other value", "taken wrongly", "index")
    if name.kind in ("constant", "count", "factor", "factor dropped", "mean for sum", "sum for mean", "square"):
        return repair.kind not in ("term dropped", "index", "option", "taken wrongly")
    return repair.kind != "term dropped"


def with_line(search: Search, names: list[Named]) -> list[Named]:
    """The explanations with the line of the learner's derivative, and the change that makes it right, if one does."""
    lists = search.written()
    names = covering(believed(names, lists[0]) if lists else names, search.wrong)
    repairs = search.repairs(lists) if lists else []
    if repairs and names and repairs[0].explains == names[0].explains:
        first, line = names[0], repairs[0]
        if first.cost < line.cost + OTHER_WAY and _agree(first, line):
            message = f"{first.message}. In your derivative, {line.message}"
            return [Named(first.cost, first.kind, message, first.explains), *names[1:]]
    own = [Named(n.cost + OTHER_WAY, n.kind, f"in your derivative, {n.message}", n.explains) for n in repairs]
    found = sorted([*names, *own], key=lambda n: (n.explains != search.wrong, n.cost))
    if lists and not any(2 * len(n.explains) >= len(search.wrong) for n in found):
        place = where_it_leaves(lists[0], lists[1:], search.wrong, close)
        if place is not None:  # what fits a small part of the wrong gradients may do so by chance
            cost = min([PLACE, *(n.cost - NEAR for n in found)])
            return [Named(cost, "place", f"your derivative is {place}", search.wrong), *found]
    return found
