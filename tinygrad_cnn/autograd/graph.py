"""``torch.autograd.graph``: the nodes of a graph as PyTorch shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_cnn.core.graph import Edge, Leaf
from tinygrad_cnn.core.graph import Node as CoreNode
from tinygrad_cnn.torch_names.absent import absent
from tinygrad_cnn.torch_names.node_names import name_of_node


class Node(CoreNode):
    """One recorded op, with PyTorch's name and its neighbours in the graph."""

    __slots__ = ()

    def name(self) -> str:
        """PyTorch's name of it, such as "MulBackward0"."""
        return name_of_node(self.op.name, self.array_shape, self.options)

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """Where the cotangents of the inputs go, as (node, number of its output); None where none is needed."""
        return tuple((None, 0) if edge is None else entrance(edge) for edge in self.edges)


CoreNode.kind = Node


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
    if isinstance(edge, CoreNode):
        assert isinstance(edge, Node)
        return edge, 0
    return AccumulateGrad(edge), 0


if not TYPE_CHECKING:
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
