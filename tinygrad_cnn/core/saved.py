"""What a node keeps for its rules: packed here, checked here, and made tensors again here.

It lies in the order of `Op.sources`: output, inputs, auxiliary outputs, what `aside` made, shapes of the inputs; None
where no rule asks for it. Of a variadic op the inputs are one tuple.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.graph import Alias, Node
from tinygrad_cnn.core.op import PLACE, Op
from tinygrad_cnn.core.storage import last_write, written_since

FREED = ()
"""What `Node.saved` becomes when the backward pass has used it; nodes that save nothing keep None."""


def pack(op: type[Op], arrays: list[Any], output: Any, aux: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the rules of an op ask for, the rest left out so that it can be freed."""
    if op.saves_inputs:
        return (None, *arrays)
    inputs = (tuple(arrays),) if op.variadic else arrays
    values = (output, *inputs, *aux, *((op.aside(output, *arrays),) if op.aside else ()))
    kept = tuple([value if asked else None for value, asked in zip(values, op.saves, strict=False)])
    if not op.saves_shapes:
        return kept
    shapes = [tuple(np.shape(a) for a in value) if op.variadic else np.shape(value) for value in inputs]
    return (*kept, *shapes)


def check(node: Node, rule: Any) -> None:
    """RuntimeError if what a rule is about to use was freed, or written in place since."""
    op = node.op
    if node.saved is FREED and any(pick != PLACE for pick in rule.picks):
        raise RuntimeError(
            f"backward: the saved arrays of {op.name} were freed by an earlier backward pass through this graph; to go "
            "through it a second time pass retain_graph=True to the earlier call, or compute the output again (and "
            ".detach() a state that is carried on)"
        )
    used: list[tuple[str, Any]] = [(name, node.options.get(name)) for name in rule.options]
    used += [(op.sources[pick], node.saved[pick]) for pick in rule.picks if pick != PLACE and node.saved]
    for source, value in used:
        for part in value if type(value) is tuple else (value,):
            if written_since(part, node.time):
                name = "its output" if source == "y" else f"{'input' if source in op.inputs else 'its'} {source!r}"
                raise RuntimeError(
                    f"backward: {op.name} needs {name}, of shape {np.shape(part)}, as it was, but it has been modified "
                    f"by an in-place operation at {last_write(part)}; modify a clone() of it"
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
