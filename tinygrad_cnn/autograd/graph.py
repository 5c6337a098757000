"""The computation graph: a node per recorded op, and what a leaf must offer to stand at its edges."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np

from tinygrad_cnn.autograd.writes import clock, written_since
from tinygrad_cnn.ops.op import Op
from tinygrad_cnn.types import Array, DType, Shape

Hook: TypeAlias = Callable[[Array], Array]


class Leaf(Protocol):
    """A tensor that no op made and that wants a gradient: where the backward pass ends."""

    edges: tuple[()]
    hooks: list[Hook] | None

    @property
    def array_shape(self) -> Shape:
        """The shape of its array."""

    @property
    def array_dtype(self) -> DType:
        """NumPy's dtype of its array."""

    def _accumulate(self, gradient: Array, owned: bool) -> None:
        """Add to `.grad`; `owned` says that nobody else holds this array."""


Edge: TypeAlias = "Node | Leaf"


class Node:
    """One recorded op: which rules it has, what they need, and where their results go.

    `saved` holds, in the order of `Op.saves`: the output, the inputs, the auxiliary outputs, the shapes; None
    where no rule asks for it. There is no edge from a node to its own output tensor.
    """

    __slots__ = (
        "__weakref__",
        "array_dtype",
        "array_shape",
        "edges",
        "hooks",
        "op",
        "options",
        "retained",
        "saved",
        "time",
    )

    def __init__(
        self,
        op: type[Op],
        edges: tuple[Edge | None, ...],
        saved: tuple[Any, ...] | None,
        options: dict[str, Any],
        output: np.ndarray[Any, Any],
    ) -> None:
        self.op = op
        self.edges = edges
        self.saved = saved
        self.options = options
        self.array_shape = output.shape
        self.array_dtype = output.dtype
        self.time = clock.now
        self.hooks: list[Hook] | None = None
        self.retained: weakref.ref[Any] | None = None

    def name(self) -> str:
        """The op's name with "Backward", as PyTorch's `grad_fn.name()`."""
        return f"{self.op.name}Backward"

    @property
    def next_functions(self) -> tuple[Edge | None, ...]:
        """Where the cotangents of the inputs go: nodes, leaf tensors, or None where no gradient is needed."""
        return self.edges

    def __repr__(self) -> str:
        return f"<{self.name()}>"


def save(op: type[Op], arrays: list[Any], output: Any, aux: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the rules of an op ask for, the rest left out so that it can be freed."""
    if op.saves_inputs:
        return (None, *arrays)
    inputs = (tuple(arrays),) if op.variadic else arrays
    bag = (output, *inputs, *aux)
    wanted = op.saves
    kept = tuple([value if wanted[k] else None for k, value in enumerate(bag)])
    if True not in wanted[len(bag) :]:
        return kept
    shapes = [tuple(np.shape(a) for a in value) if op.variadic else np.shape(value) for value in inputs]
    return (*kept, *shapes)


FREED = ()
"""What `saved` becomes when the backward pass has used it; nodes that save nothing keep None."""


def check_saved(node: Node) -> None:
    """RuntimeError if what the node saved was freed, or written in place since."""
    if node.saved is FREED:
        raise RuntimeError(
            f"backward: the saved arrays of {node.op.name} were freed by an earlier backward pass through this "
            "graph; pass retain_graph=True to the earlier call, or compute the output again"
        )
    if node.saved is None or node.time == clock.now:
        return
    names = ("its output", *(f"input {n!r}" for n in node.op.inputs))
    for name, value in zip(names, node.saved, strict=False):
        parts = value if isinstance(value, tuple) else (value,)
        if any(written_since(part, node.time) for part in parts):
            raise RuntimeError(
                f"backward: {node.op.name} needs {name}, of shape {np.shape(parts[0])}, "
                "as it was, but it has been modified by an in-place operation since; modify a clone() of it"
            )
