"""The nodes of a graph as PyTorch shows them, with its names, neighbours and hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from tinygrad_cnn.autograd.hooks import AfterNode, PreHook, RemovableHandle, add_node_hook, hooks_of
from tinygrad_cnn.core.engine import Pass, together
from tinygrad_cnn.core.graph import Alias, Edge, Leaf
from tinygrad_cnn.core.graph import Node as CoreNode
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.torch_names.node_names import name_of_node


class Node(CoreNode):
    """One recorded op, with PyTorch's name and its neighbours in the graph.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> node = (x * 2).exp().grad_fn
    >>> node.name()
    'ExpBackward0'
    >>> node.next_functions[0][0].name()
    'MulBackward0'
    """

    __slots__ = ()

    def name(self) -> str:
        """PyTorch's name of it, such as "MulBackward0"."""
        return name_of_node(self.op.name, self.array_shape, self.options)

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """Where the cotangents of the inputs go, as (node, number of its output); None where none is needed."""
        return tuple((None, 0) if edge is None else entrance(edge) for edge in self.edges)

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` each time this node has given the gradients of its inputs.

        Both are tuples, with None for what has no gradient. A tuple that `fn` returns takes the place of
        `grad_inputs`.
        """
        if not isinstance(self, Hooked):
            kind: Any = type(self)
            self.__class__ = hooked(kind)
        return add_node_hook(self, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` each time the gradients of the outputs of this node are there.

        They are a tuple, and so is what `fn` may return to take their place. Hooks of tensors are called before.
        """
        return add_prehook(self, fn, self.parts, self.whole)

    def parts(self, g: Any) -> tuple[Any, ...]:
        """The gradients of the outputs, as hooks get them."""
        return (Tensor.wrap(g),)

    def whole(self, parts: tuple[Any, ...], g: Any) -> Any:
        """What hooks made of them, as `g` was."""
        return whole(parts, g)

    def tensor_places(self) -> list[int]:
        """The numbers of the inputs that are tensors, as hooks count them."""
        return list(range(len(self.edges)))

    def compute(self, g: Any, alias: Alias | None, keep: bool) -> Sequence[Any]:
        """The cotangents of all inputs, by the op."""
        found = together(self, g, alias) if self.op.at_once else None
        going = Pass(None, keep, alias)
        return found or [None if edge is None else going.derivative(self, k, g) for k, edge in enumerate(self.edges)]


CoreNode.kind = Node


class Hooked:
    """Of nodes that call somebody once they have given the gradients of their inputs; see `hooked`."""

    __slots__ = ()


@cache
def hooked(kind: Any) -> type[Node]:
    """The class that a node of this kind changes to when the first such hook is registered.

    So that no other node asks whether it has any.
    """
    compute = kind.compute if kind.by_op else kind.derivatives

    class Calling(Hooked, kind):  # type: ignore[misc]  # its class is not known by name
        __slots__ = ()
        by_op = False

        def derivatives(self, g: Any, alias: Alias | None, keep: bool) -> Sequence[Any]:
            found = list(compute(self, g, alias, keep))
            places, outputs = self.tensor_places(), self.parts(g)
            inputs = tuple(None if found[k] is None else Tensor.wrap(found[k]) for k in places)
            chosen = inputs
            for hook in self.hooks.after:
                chosen = hook(chosen, outputs)
            for k, old, new in zip(places, inputs, chosen, strict=True):
                if new is not old:
                    found[k] = new if new is None or alias is not None else new.array
            return found

    Calling.__name__ = Calling.__qualname__ = kind.__name__
    return Calling


def alike(gradient: Any, other: Any) -> Any:
    """A gradient that a hook returned, as a tensor only where the other one was one: in a pass that is recorded."""
    return gradient if isinstance(other, Tensor) else gradient.array


def whole(parts: tuple[Any, ...], g: Any) -> Any:
    """The only gradient of an output that hooks returned; 0 in the place of None."""
    return g * 0 if parts[0] is None else alike(parts[0], g)


def add_prehook(
    edge: Any, fn: Callable[..., Any], parts: Callable[[Any], tuple[Any, ...]], whole: Callable[..., Any]
) -> RemovableHandle:
    """Call `fn` with the gradients that arrive at a place of the graph."""
    hooks, hook = hooks_of(edge), PreHook(fn, parts, whole)
    hooks.append(hook)
    return RemovableHandle(hooks, hook)


class AccumulateGrad:
    """The end of the graph at a leaf, as `next_functions` shows it: its cotangent is added to `.grad`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> end = (2 * x).grad_fn.next_functions[0][0]
    >>> end.name(), end.variable is x
    ('torch::autograd::AccumulateGrad', True)
    """

    next_functions = ()

    def __init__(self, variable: Leaf) -> None:
        self.variable = variable

    def name(self) -> str:
        """PyTorch's name."""
        return "torch::autograd::AccumulateGrad"

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn((), grad_outputs)`` each time the gradient, the only one of the tuple, was added to `.grad`."""
        called, after = AfterNode(fn), hooks_of(self.variable).after
        self.register_prehook(called.note)
        after.append(called)
        return RemovableHandle(after, called)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` each time a gradient is about to be added to `.grad`."""
        return add_prehook(self.variable, fn, lambda g: (Tensor.wrap(g),), whole)

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
