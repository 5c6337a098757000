"""What a node keeps for its rules: packed here, checked here, and made tensors again here.

It lies in the order of `Op.sources`: the output, the inputs, the auxiliary outputs, the shapes of the inputs; None
where no rule asks for it. Of a variadic op the inputs are one tuple.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.graph import Alias, Node
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.writes import clock, written_since

FREED = ()
"""What `Node.saved` becomes when the backward pass has used it; nodes that save nothing keep None."""


def pack(op: type[Op], arrays: list[Any], output: Any, aux: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the rules of an op ask for, the rest left out so that it can be freed."""
    if op.saves_inputs:
        return (None, *arrays)
    inputs = (tuple(arrays),) if op.variadic else arrays
    values = (output, *inputs, *aux)
    kept = tuple([value if asked else None for value, asked in zip(values, op.saves, strict=False)])
    if not op.saves_shapes:
        return kept
    shapes = [tuple(np.shape(a) for a in value) if op.variadic else np.shape(value) for value in inputs]
    return (*kept, *shapes)


def check(node: Node) -> None:
    """RuntimeError if what the node saved was freed, or written in place since."""
    if node.saved is FREED:
        raise RuntimeError(
            f"backward: the saved arrays of {node.op.name} were freed by an earlier backward pass through this "
            "graph; pass retain_graph=True to the earlier call, or compute the output again"
        )
    if node.saved is None or node.time == clock.now:
        return
    for source, value in zip(node.op.sources, node.saved, strict=False):
        parts = value if isinstance(value, tuple) else (value,)
        if any(written_since(part, node.time) for part in parts):
            name = "its output" if source == "y" else f"{'input' if source in node.op.inputs else 'its'} {source!r}"
            raise RuntimeError(
                f"backward: {node.op.name} needs {name}, of shape {np.shape(parts[0])}, "
                "as it was, but it has been modified by an in-place operation since; modify a clone() of it"
            )


def aliased(node: Node, picks: tuple[int, ...], alias: Alias) -> Sequence[Any]:
    """What was saved, the arrays that a rule picks as tensors at their places in the graph: their use is recorded."""
    values: list[Any] = list(node.saved or ())
    edges = node.edges
    for pick in picks:
        if pick == 0:
            values[0] = alias(values[0], node)
        elif pick == 1 and node.op.variadic:
            values[1] = tuple(a if e is None else alias(a, e) for a, e in zip(values[1], edges, strict=True))
        elif 0 < pick <= len(node.op.inputs) and not node.op.variadic and (edge := edges[pick - 1]) is not None:
            values[pick] = alias(values[pick], edge)
    return values
