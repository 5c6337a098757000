"""What an optimiser looks at now and then, to warn of mistakes that raise nothing: a step costs one comparison more.

Each sign is certain before anything is said; what cannot be told from what is meant is left alone.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.nn.mistakes import REPLACED, UNLISTED, is_registered, parameters_of
from tinygrad_cnn.nn.parameter import UninitializedParameter
from tinygrad_cnn.ops.mistakes import warn
from tinygrad_cnn.tensor import Tensor

EVERY = 10
"""So many steps lie between two looks."""
SELDOM = 50
"""So many lie between two looks at numbers."""
LEFT = 3
"""So many intervals between two steps must show a gradient that was left over, one after the other."""
COUNTS = 500, 1000, 1500
"""The steps at which the nodes that are alive are counted."""
BLOCKS = 5
"""A graph that is kept keeps more blocks of memory than this, at each step."""

OPTIMISERS: weakref.WeakSet[Any] = weakref.WeakSet()
"""All that there are."""


class Lookout:
    """Of one optimiser: `steps` counts its steps, and `look` is called at the step `next`."""

    __slots__ = ("blocks", "finite", "grad", "left", "name", "next", "nodes", "steps", "watch", "zeroed")

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps, self.next = 0, 1
        self.zeroed: float = 0
        """The last step after which `zero_grad` was called; infinity once it is known that gradients are not left."""
        self.grad: weakref.ref[Tensor] | None = None
        self.watch: Watch | None = None
        self.left = 0
        self.finite: Callable[[], Tensor | None] | None = None
        self.blocks = 0
        self.nodes: int | None = None

    def look(self, optimiser: Any) -> None:
        """Look at an optimiser's parameters, and say what is wrong."""
        self.next = (self.steps // EVERY + 1) * EVERY
        if (UNLISTED or REPLACED) and self.steps <= COUNTS[-1]:
            warn_of_notes(self.name, optimiser._params)
        self.look_at_gradients(optimiser._params)
        if self.steps == 1 or self.steps % SELDOM == 0:
            self.look_at_values(optimiser)
        if self.steps in COUNTS:
            self.look_at_graphs()

    def look_at_gradients(self, params: Callable[[], Iterable[Tensor]]) -> None:
        """Whether each backward pass adds to the gradients of all those before."""
        if self.watch is not None:
            left, self.watch = self.watch.ended(), None
            if not left:
                self.left, self.zeroed = 0, float("inf")
            elif self.left == LEFT - 1:
                self.left, self.zeroed = 0, float("inf")
                warn(
                    f"{self.name}: step: the gradients of all {self.steps} steps are added up, for nothing sets them "
                    "back; call optimizer.zero_grad() before each backward(), or after each step()"
                )
            else:
                self.left += 1
        if self.steps - self.zeroed < EVERY:
            return
        sample = smallest(p for p in params() if p._grad is not None)
        if sample is None:
            return
        grad = sample._grad
        if self.grad is not None and self.grad() is grad:
            self.watch, self.next = Watch(sample), self.steps + 1
        else:
            self.grad = weakref.ref(grad)

    def look_at_values(self, optimiser: Any) -> None:
        """Whether a parameter that was finite no longer is."""
        if self.finite is None:
            sample = smallest(optimiser._params())
            if sample is not None and np.isfinite(sample.array).all():
                self.finite = weakref.ref(sample)
        elif (sample := self.finite()) is not None and not np.isfinite(sample.array).all():
            self.finite = said_once
            rates = sorted({float(group["lr"]) for group in optimiser.param_groups if "lr" in group})
            warn(
                f"{self.name}: after {self.steps} steps a parameter of shape {tuple(sample.shape)} is NaN or infinite, "
                f"and so will be all that is computed from it; take a smaller lr (it is {', '.join(map(str, rates))}), "
                "or look for NaN in the data, and for the first op that gives it, with autograd.detect_anomaly()"
            )

    def look_at_graphs(self) -> None:
        """Whether the graph of every step is kept: nodes are counted only if memory grows by as much."""
        steps, before, self.blocks = COUNTS[1] - COUNTS[0], self.blocks, sys.getallocatedblocks()
        if self.steps == COUNTS[0] or self.blocks - before < BLOCKS * steps:
            self.nodes = None
        elif self.nodes is None:
            self.nodes = alive()
        elif alive() - self.nodes >= steps:
            gc.collect()
            if (grown := alive() - self.nodes) >= steps:
                warn(
                    f"{self.name}: the last {steps} steps have left {grown} nodes of graphs in memory, and each step "
                    "adds some; keep numbers, not losses: losses.append(loss.item()), total += loss.item(), or "
                    ".detach() what is carried on"
                )


class Watch:
    """One interval between two steps: whether the gradient that the first left was still there at the next backward."""

    __slots__ = ("__weakref__", "expected", "handle", "seen")

    def __init__(self, param: Tensor) -> None:
        self.expected: NDArray = np.array(param._grad.array)
        self.seen: bool | None = None
        watch, own = weakref.ref(self), weakref.ref(param)

        def arrives(gradient: Tensor) -> None:
            """A gradient is about to be added to what is there, which must be all that came before."""
            asked, held = watch(), own()
            if asked is not None and held is not None and asked.seen is not False:
                kept = held._grad
                asked.seen = kept is not None and bool(kept.array.any()) and np.array_equal(kept.array, asked.expected)
                asked.expected = asked.expected + gradient.array

        self.handle = param.register_hook(arrives)

    def ended(self) -> bool:
        """Whether it was; False if no gradient came."""
        self.handle.remove()
        return bool(self.seen)


def said_once() -> None:
    """In the place of a parameter that is looked at no more."""


def smallest(params: Iterable[Tensor]) -> Tensor | None:
    """The one with the fewest elements, which is soonest looked at."""
    made = (p for p in params if not isinstance(p, UninitializedParameter) and p.array.size)
    return min(made, key=lambda p: p.array.size, default=None)


def alive() -> int:
    """How many nodes of graphs there are."""
    return sum(issubclass(type(held), Node) for held in gc.get_objects())  # a proxy may hide what is gone


def warn_of_notes(optimiser: str, params: Callable[[], Iterable[Tensor]]) -> None:
    """Warn of parameters that have gradients and no optimiser, if their module is trained by this one."""
    own = {id(p) for p in params()}
    held = {id(p) for other in OPTIMISERS for p in other._params()}

    def forgotten(parameters: Iterable[Tensor]) -> bool:
        return any(p._grad is not None and id(p) not in held for p in parameters)

    for note in list(UNLISTED):
        module = note.module()
        if module is None:
            UNLISTED.remove(note)
        elif forgotten(note.parameters()) and any(id(p) in own for p in module.parameters()):
            UNLISTED.remove(note)
            if not is_registered(note):
                warn(
                    f"{optimiser}: {type(module).__name__}.{note.name} is a plain {note.kind} of {len(note.parts)}, of "
                    "which parameters() knows nothing, so no optimiser trains them; make it an nn.ModuleList, "
                    "nn.ModuleDict or nn.ParameterList"
                )
    for note in list(REPLACED):
        module, old = note.module(), note.parameters()
        if module is None or not old:
            REPLACED.remove(note)
        elif any(id(p) in own for p in old) and all(p._grad is None for p in old):
            listed = {id(p) for p in module.parameters()}
            if not any(id(p) in listed for p in old) and forgotten(parameters_of(vars(module).get(note.name))):
                REPLACED.remove(note)
                warn(
                    f"{optimiser}: it holds the old parameters of {type(module).__name__}.{note.name}, which was "
                    "replaced after the optimiser was made, so the new ones are not trained; make the optimiser after "
                    "the network is complete"
                )
