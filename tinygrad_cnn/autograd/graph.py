"""The computation graph: a node per recorded op, and what a leaf must offer to stand at its edges."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np

from tinygrad_cnn.absent import absent
from tinygrad_cnn.autograd.anomaly import remember_call, state
from tinygrad_cnn.autograd.names import name_of_node
from tinygrad_cnn.autograd.writes import clock, written_since
from tinygrad_cnn.ops.op import Op
from tinygrad_cnn.types import Array, DType, Shape

Hook: TypeAlias = Callable[[Array], Array]


class Leaf(Protocol):
    """A tensor that no op made and that wants a gradient: where the backward pass ends."""

    edges: tuple[()]
    hooks: Any

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
        self.hooks: Any = None
        self.retained: weakref.ref[Any] | None = None
        if state.enabled:
            remember_call(self)

    def name(self) -> str:
        """PyTorch's name of it, such as "MulBackward0"."""
        return name_of_node(self.op.name, self.array_shape, self.options)

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """Where the cotangents of the inputs go, as (node, number of its output); None where none is needed."""
        return tuple((None, 0) if edge is None else entrance(edge) for edge in self.edges)

    def derivatives(self, g: Array, alias: Any) -> list[Any]:
        """The cotangents of all inputs at once, for nodes that are no op with a rule per input."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what was saved, once the backward pass has used it."""
        if self.op.saves_arrays:
            self.saved = FREED

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class AccumulateGrad:
    """The end of the graph at a leaf, as `next_functions` shows it: its cotangent is added to `.grad`."""

    next_functions = ()

    def __init__(self, variable: Leaf) -> None:
        self.variable = variable

    def name(self) -> str:
        """PyTorch's name."""
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"


def entrance(edge: Edge) -> tuple[Node | AccumulateGrad, int]:
    """An edge as PyTorch shows it: a node, and the number of the output whose cotangent goes there."""
    return (edge, 0) if isinstance(edge, Node) else (AccumulateGrad(edge), 0)


def is_tensor(value: Any) -> bool:
    """Whether a value records what is computed from it. This room knows Tensors by that alone."""
    return hasattr(type(value), "__record__")


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


__getattr__ = absent(
    "torch.autograd.graph",
    {
        "saved_tensors_hooks": "saved arrays are kept as they are; save in `ctx` of a Function what you would pack",
        "save_on_cpu": "everything is on the CPU",
        "disable_saved_tensors_hooks": "there are no saved-tensor hooks",
        "allow_mutation_on_saved_tensors": "use clone() before a write in place",
        "register_multi_grad_hook": "use Tensor.register_hook on each tensor",
        "get_gradient_edge": "pass the tensor itself to autograd.grad",
        "GradientEdge": "pass the tensor itself to autograd.grad",
        "increment_version": "writes through a Tensor are noticed by themselves",
    },
)
