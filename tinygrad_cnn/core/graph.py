"""The computation graph: a node per recorded op, and what a leaf must offer to stand at its edges."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias

from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.storage import clock
from tinygrad_cnn.core.types import Array, DType, Shape
from tinygrad_cnn.core.watch import watch

Alias: TypeAlias = Callable[[Any, "Edge | None"], Any]
"""Makes a tensor of a saved array that stands at its old place in the graph."""


class Leaf(Protocol):
    """A tensor that no op made and that wants a gradient: where the backward pass ends."""

    edges: tuple[()]
    hooks: Any
    retained: Any  # not None
    array_shape: Shape
    array_dtype: DType

    def accumulate(self, gradient: Array, owned: bool) -> None:
        """Add to `.grad`; `owned` says that nobody else holds this array."""


Edge: TypeAlias = "Node | Leaf"


class Node:
    """One recorded op: which rules it has, what they need, and where their results go.

    `saved` is what `saved.pack` kept. There is no edge from a node to its own output tensor, so that a graph has no
    cycles.
    """

    __slots__ = (
        *("__weakref__", "array_dtype", "array_shape", "edges", "hooks"),
        *("op", "options", "retained", "saved", "time"),
    )

    kind: ClassVar[type[Node]]
    """The class of new nodes: one that can say more of itself, if there is one."""
    by_op = True
    """Whether an op made it, whose rules give its cotangents; else `derivatives` does."""

    def __init__(
        self,
        op: type[Op],
        edges: tuple[Edge | None, ...],
        saved: tuple[Any, ...] | None,
        options: dict[str, Any],
        shape: Shape,
        dtype: DType,
    ) -> None:
        self.op, self.edges = op, edges
        self.saved, self.options = saved, options
        self.array_shape, self.array_dtype = shape, dtype
        self.time = clock.now
        self.hooks: Any = None
        self.retained: weakref.ref[Any] | None = None
        if watch.watcher is not None:
            watch.watcher.made(self)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    def name(self) -> str:
        """What it is called."""
        return self.op.name

    def accumulate(self, gradient: Array, owned: bool) -> None:
        """Add to the `.grad` of the tensor of this node that asked for it, while there is one."""
        holder = None if self.retained is None else self.retained()
        if holder is not None:
            holder.retain(gradient, False)

    def derivatives(self, g: Array, alias: Alias | None, keep: bool) -> Sequence[Any]:
        """All cotangents of nodes that no op made, None where there is none; without `keep` what it holds is freed."""
        raise NotImplementedError


Node.kind = Node
