"""The backward pass: cotangents flow from the roots to the leaves, consumers before producers.

Read `Pass` top to bottom: it is the whole of reverse-mode differentiation. Cotangents are ndarrays, or, when the
pass is itself recorded (`create_graph`), tensors; the same code and the same rules serve both. Then the rules ask NumPy
for functions of tensors, which `Tensor.meanings` has to know.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core import saved
from tinygrad_cnn.core.checks import check_numbers
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.graph import Alias, Edge, Node
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.op import NO_OPTIONS, PLACE
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.storage import clock
from tinygrad_cnn.core.types import Array
from tinygrad_cnn.core.watch import watch


def backward(
    name: str,
    outputs: Sequence[Any],
    cotangents: Sequence[Any],
    *,
    inputs: Sequence[Any] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradients of the outputs to the `.grad` of every leaf, or of the inputs if they are given."""
    if inputs is not None:
        check_inputs(name, inputs)
        if not inputs:
            raise RuntimeError(f"{name}: inputs is empty; leave it out to reach every leaf")
    wanted = None if inputs is None else [tensor.edge for tensor in inputs]
    found = gradients(name, outputs, cotangents, wanted, retain_graph=retain_graph, create_graph=create_graph)
    for tensor in inputs or ():
        if tensor.edge in found:
            (tensor.accumulate if tensor.is_leaf else tensor.retain)(found[tensor.edge], False)


def gradients(
    name: str,
    outputs: Sequence[Any],
    cotangents: Sequence[Any],
    wanted: Sequence[Edge] | None,
    *,
    retain_graph: bool | None,
    create_graph: bool,
) -> dict[Edge, Array]:
    """Carry the cotangents of the outputs back, and return those of the wanted edges; None means 1."""
    starts = roots(name, outputs, cotangents, create_graph)
    alias = outputs[0].alias if create_graph and outputs else None
    running = Pass(wanted, create_graph if retain_graph is None else retain_graph, alias)
    entered, before, mode.recording = mode.entered, mode.recording, create_graph and not mode.inference
    try:
        return running.run(starts)
    except Exception:
        if watch.watcher is not None:
            watch.watcher.failed(running.node)
        raise
    finally:
        mode.recording, mode.entered = before, entered


def check_inputs(name: str, inputs: Sequence[Any]) -> None:
    """RuntimeError unless each of the inputs requires a gradient."""
    for k, tensor in enumerate(inputs):
        if not tensor.requires_grad:
            raise RuntimeError(
                f"{name}: input {k} of shape {tensor.array_shape} does not require a gradient; create it with "
                "requires_grad=True, before the outputs are computed"
            )


def roots(name: str, outputs: Sequence[Any], cotangents: Sequence[Any], create_graph: bool) -> list[tuple[Edge, Array]]:
    """(edge, cotangent) of each output, the cotangent checked, or 1."""
    if len(cotangents) != len(outputs):
        raise ArgumentError(f"{name}: {len(cotangents)} cotangents for {len(outputs)} outputs; give one for each")
    starts = []
    for output, cotangent in zip(outputs, cotangents, strict=True):
        shape = output.array_shape
        if not output.requires_grad or (output.edge is output and not output._wants):
            raise RuntimeError(
                f"{name}: the output of shape {shape} does not require a gradient and no op recorded it; an input "
                "needs requires_grad=True, outside no_grad(); argmax and == have none, gradients with create_graph=True"
            )
        if cotangent is None and math.prod(shape) != 1:
            raise RuntimeError(
                f"{name}: a gradient can be created implicitly for an output of one element only, this one has "
                f"shape {shape}; pass its cotangent, or reduce it with .sum() or .mean()"
            )
        if cotangent is not None and (given := tuple(np.shape(cotangent))) != shape:
            raise ArgumentError(f"{name}: the cotangent has shape {given}, its output {shape}; they must be equal")
        starts.append((output.edge, cotangent_of(name, output, cotangent, create_graph)))
    return starts


def cotangent_of(name: str, output: Any, given: Any, recorded: bool) -> Array:
    """A cotangent in the dtype of its output: a tensor if the pass is recorded, else an array."""
    if given is None:
        given = np.ones(output.array_shape, output.array_dtype)
    elif not hasattr(type(given), "__record__"):
        given = check_numbers(name, given)
    if not recorded:
        return np.asarray(getattr(given, "array", given), output.array_dtype)
    tensor = output.wrap(given)
    return tensor if tensor.array_dtype is output.array_dtype else tensor.astype(output.array_dtype)


class Pass:
    """One backward pass. With `wanted` None the leaves accumulate into their `.grad`.

    Otherwise nothing accumulates, only paths to the wanted edges are followed, and their cotangents are `found`.
    `alias` is given when the pass is to be recorded.
    """

    def __init__(self, wanted: Sequence[Edge] | None, keep: bool, alias: Alias | None) -> None:
        self.wanted = None if wanted is None else frozenset(wanted)
        self.keep, self.alias = keep, alias
        self.useful: set[Edge] | None = None  # the edges on a path to a wanted one; None if all are
        self.found: dict[Edge, Array] = {}
        self.cotangents: dict[Edge, Array] = {}  # sums of what the consumers of an edge have sent so far
        self.own: set[Edge] = set()  # edges whose cotangent is held by nobody else
        self.node: Node | None = None  # the one that is pulled back now

    def run(self, starts: Sequence[tuple[Edge, Array]]) -> dict[Edge, Array]:
        """Carry cotangents back: an edge is ready once all its consumers have sent theirs."""
        pending = count_consumers([edge for edge, _ in starts])
        self.useful = None if self.wanted is None else leading_to(self.wanted, pending)
        for edge, g in starts:
            self.add(edge, g, False)
        ready = [edge for edge in self.cotangents if not pending[edge]]
        while ready:
            edge = ready.pop()
            if edge in self.cotangents:
                self.arrive(edge, self.cotangents.pop(edge))
            for parent in edge.edges:
                if parent is not None:
                    pending[parent] -= 1
                    if not pending[parent]:
                        ready.append(parent)
        return self.found

    def arrive(self, edge: Edge, g: Array) -> None:
        """The cotangent of an edge is complete: call its hooks, keep it where it is wanted, and pull it back."""
        for hook in edge.hooks or ():
            g = hook(g)
        if self.wanted is not None and edge in self.wanted:
            self.found[edge] = g
        if edge.retained is not None and (self.wanted is None or isinstance(edge, Node)):
            edge.accumulate(g, edge in self.own and not edge.hooks)
        if isinstance(edge, Node):
            self.pull_back(edge, g)

    def pull_back(self, node: Node, g: Array) -> None:
        """Send each useful input of a node the cotangent that its rule gives."""
        self.node, op, used = node, node.op, False
        given: Any = (
            op.at_once and together(node, g, self.alias) if node.by_op else node.derivatives(g, self.alias, self.keep)
        )
        for k, edge in enumerate(node.edges):
            if edge is None or (self.useful is not None and edge not in self.useful):
                continue
            used = True
            if op.add_derivative and node.by_op and edge in self.own and self.alias is None and watch.watcher is None:
                if node.time != clock.now:
                    saved.check(node, op.rules[k])
                op.add_derivative(self.cotangents[edge], g, **node.options)
                continue
            d = self.derivative(node, k, g) if given is None else given[k]
            if d is not None:
                self.add(edge, d, given is None and d is not g and bool(edge.retained or op.add_derivative))
        if used and op.saves_arrays and not self.keep:
            node.saved = saved.FREED

    def derivative(self, node: Node, k: int, g: Array) -> Array:
        """What the rule of the k-th input gives."""
        d = ask(node, node.op.rules[0 if node.op.variadic else k], k, g, self.alias)
        if watch.watcher is not None:
            watch.watcher.returned(node, k, d)
        return settle(node, k, d if self.alias is None or type(d) is not np.ndarray else self.alias(d, None))

    def add(self, edge: Edge, d: Array, fresh: bool) -> None:
        """Add to the cotangent of an edge."""
        known = self.cotangents.get(edge)
        if known is not None:
            d = np.asarray(total) if isinstance(total := known + d, np.generic) else total
        self.cotangents[edge] = d
        if known is not None or (fresh and type(d) is np.ndarray and d.base is None and d.flags.writeable):
            self.own.add(edge)


def count_consumers(roots: list[Edge]) -> dict[Edge, int]:
    """For every edge that the roots depend on, how many times its value is used among them."""
    pending: dict[Edge, int] = dict.fromkeys(roots, 0)
    stack = list(pending)
    while stack:
        for parent in stack.pop().edges:
            if parent in pending:
                pending[parent] += 1
            elif parent is not None:
                pending[parent] = 1
                stack.append(parent)
    return pending


def leading_to(wanted: Iterable[Edge], reached: dict[Edge, int]) -> set[Edge]:
    """The edges reached from the roots that lie on a path to a wanted one, or are wanted."""
    consumers: dict[Edge, list[Edge]] = {}
    for edge in reached:
        for parent in edge.edges:
            if parent is not None:
                consumers.setdefault(parent, []).append(edge)
    useful = {edge for edge in wanted if edge in reached}
    stack = list(useful)
    while stack:
        for consumer in consumers.get(stack.pop(), ()):
            if consumer not in useful:
                useful.add(consumer)
                stack.append(consumer)
    return useful


def ask(node: Node, rule: Any, place: Any, g: Array, alias: Alias | None) -> Any:
    """What a rule gives for what it asks of all that the node saved; a tensor where the pass is recorded."""
    if (kept := node.saved) is saved.FREED or node.time != clock.now:  # read once: another thread may free it
        saved.check(node, rule)
    values: Any = kept if alias is None else saved.aliased(node, rule.picks, alias)
    args = [place if pick == PLACE else values[pick] for pick in rule.picks]
    options = {o: node.options[o] for o in rule.options if o in node.options} if rule.options else NO_OPTIONS
    return rule.function(g, *args, **options)


def together(node: Node, g: Array, alias: Alias | None) -> Sequence[Any] | None:
    """The cotangents of all inputs in one go; None where the rules are to be asked, one by one."""
    wanted = [edge is not None for edge in node.edges]
    if alias is not None or watch.watcher is not None or not any(wanted):
        return None
    found = enumerate(ask(node, node.op.at_once, wanted, g, None))
    return [settle(node, k, d) if wanted[k] else None for k, d in found]


def settle(node: Node, k: int, d: Array) -> Array:
    """Give what the rule of the k-th input returned the shape and dtype of that input, or refuse it."""
    edge: Any = node.edges[k]
    if type(d) is np.ndarray and d.dtype is edge.array_dtype and d.shape == edge.array_shape:
        return d
    op = node.op
    rule: Any = op.rules[0 if op.variadic else k]
    if isinstance(d, np.generic):
        d = np.asarray(d)
    if not hasattr(d, "shape"):
        raise TypeError(f"{op.name}: {rule.name} returned {type(d).__name__}; a derivative returns an array")
    if d.shape != edge.array_shape:
        if not op.broadcasts:
            raise RuntimeError(
                f"{op.name}: {rule.name} returned a cotangent of shape {d.shape} for an input of shape "
                f"{edge.array_shape}; a derivative must have the shape of its input"
            )
        d = unbroadcast(d, edge.array_shape)
    return d if d.dtype is edge.array_dtype else d.astype(edge.array_dtype)
