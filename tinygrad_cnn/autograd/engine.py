"""The backward pass: cotangents flow from the roots to the leaves, consumers before producers.

Read it top to bottom: `run` is the whole of reverse-mode differentiation. Cotangents are ndarrays, or, when the
pass is itself recorded (`create_graph`), Tensors; the same code and the same rules serve both.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.autograd import anomaly
from tinygrad_cnn.autograd.graph import Edge, Node, check_saved
from tinygrad_cnn.autograd.mode import set_grad_enabled
from tinygrad_cnn.ops.op import Op, Rule
from tinygrad_cnn.ops.reduce import Sum
from tinygrad_cnn.types import Array, Shape

Alias = Callable[[Array, Edge], Array]
"""Makes a tensor of a saved array that stands at its old place in the graph."""


def run(
    roots: Sequence[tuple[Edge, Array]],
    *,
    wanted: Sequence[Edge] | None,
    retain_graph: bool,
    alias: Alias | None,
) -> dict[Edge, Array]:
    """Carry cotangents back from the roots.

    With `wanted` None the leaves accumulate into their `.grad`; otherwise nothing accumulates, only paths to
    the wanted edges are followed, and their cotangents are returned. `alias` is given when the pass is to be
    recorded.
    """
    pending = count_consumers([edge for edge, _ in roots])
    useful = None if wanted is None else leading_to(wanted, pending)
    targets = frozenset(wanted or ())
    cotangents: dict[Edge, Array] = {}
    result: dict[Edge, Array] = {}
    own: set[Edge] = set()  # edges whose cotangent is held by nobody else
    for edge, cotangent in roots:
        cotangents[edge] = cotangents[edge] + cotangent if edge in cotangents else cotangent

    ready = [edge for edge in dict.fromkeys(edge for edge, _ in roots) if not pending[edge]]
    with set_grad_enabled(alias is not None):
        while ready:
            edge = ready.pop()
            g = cotangents.pop(edge, None)
            if g is not None:
                if edge.hooks:
                    for hook in edge.hooks:
                        g = hook(g)
                if targets and edge in targets:
                    result[edge] = g
            if not isinstance(edge, Node):
                if wanted is None and g is not None:
                    edge._accumulate(g, edge in own)
                    if edge.hooks is not None:
                        for told in edge.hooks.after:
                            told(edge)
                continue
            if wanted is None and g is not None and edge.retained is not None:
                holder = edge.retained()
                if holder is not None:
                    holder._accumulate(g, False)
            if g is not None:
                try:
                    used = pull_back(edge, g, useful, cotangents, own, alias)
                except Exception:
                    if anomaly.state.enabled:
                        anomaly.warn_of_call(edge)
                    raise
                if used and not retain_graph:
                    edge.release()
            for parent in edge.edges:
                if parent is not None:
                    pending[parent] -= 1
                    if not pending[parent]:
                        ready.append(parent)
    return result


def count_consumers(roots: list[Edge]) -> dict[Edge, int]:
    """For every edge that the roots depend on, how many times its value is used among them."""
    pending: dict[Edge, int] = dict.fromkeys(roots, 0)
    stack = list(pending)
    while stack:
        for parent in stack.pop().edges:
            if parent is None:
                continue
            if parent in pending:
                pending[parent] += 1
            else:
                pending[parent] = 1
                stack.append(parent)
    return pending


def leading_to(wanted: Sequence[Edge], reached: dict[Edge, int]) -> set[Edge]:
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


def pull_back(
    node: Node,
    g: Array,
    useful: set[Edge] | None,
    cotangents: dict[Edge, Array],
    own: set[Edge],
    alias: Alias | None,
) -> bool:
    """Apply the rules of one node for its useful edges, all if None, and add what they give to their cotangents.

    Whether there were any.
    """
    op, options, saved = node.op, node.options, None
    given = None if type(node) is Node else node.derivatives(g, alias)
    adds = given is None and alias is None and op.add_derivative is not None and not anomaly.state.check_nan
    for k, edge in enumerate(node.edges):
        if edge is None or (useful is not None and edge not in useful):
            continue
        if given is not None:
            d = given[k]
            if d is None:
                continue
        else:
            rule = op.rules[0 if op.variadic else k]
            if rule is None:
                continue
            if adds and edge in own:
                op.add_derivative(cotangents[edge], g, **options)
                continue
            if saved is None:
                check_saved(node)
                saved = node.saved or ()
                if alias is not None:
                    saved = aliased(node, saved, alias)
            d = settle(op, rule, call(rule, g, saved, options, k), edge)
        if anomaly.state.check_nan:
            anomaly.check_no_nan(node, k, d)
        known = cotangents.get(edge)
        if known is not None:
            total = known + d
            cotangents[edge] = np.asarray(total) if isinstance(total, np.generic) else total
            own.add(edge)
        else:
            cotangents[edge] = d
            if adds:
                own.add(edge)
            if type(edge) is Node or given is not None:
                continue  # only a leaf keeps its cotangent, and what a Function returns may be the user's
            if d is not g and type(d) is np.ndarray and d.base is None and d.flags.writeable:
                own.add(edge)
    return saved is not None or given is not None


def call(rule: Rule, g: Array, saved: tuple[Any, ...], options: dict[str, Any], i: int) -> Array:
    """One derivative, given just what it asks for."""
    if not rule.picks and not rule.options:
        return rule.function(g)
    args = [saved[k] if k < len(saved) else i for k in rule.picks]  # behind the saved comes i, the variadic place
    if not rule.options:
        return rule.function(g, *args)
    if rule.takes_all:
        return rule.function(g, *args, **options)
    return rule.function(g, *args, **{name: options[name] for name in rule.options if name in options})


def aliased(node: Node, saved: tuple[Any, ...], alias: Alias) -> tuple[Any, ...]:
    """The saved arrays as tensors at their places in the graph, so that what the rules do is recorded."""
    if not saved:
        return saved
    values = list(saved)
    if values[0] is not None:
        values[0] = alias(values[0], node)
    if node.op.variadic:
        if values[1] is not None:
            values[1] = tuple(a if e is None else alias(a, e) for a, e in zip(values[1], node.edges, strict=True))
        return tuple(values)
    for k, edge in enumerate(node.edges):
        if edge is not None and values[k + 1] is not None:
            values[k + 1] = alias(values[k + 1], edge)
    return tuple(values)


def settle(op: type[Op], rule: Rule, d: Array, edge: Edge) -> Array:
    """Give what a rule returned the shape and dtype of the input it belongs to, or refuse it."""
    if type(d) is np.ndarray and d.dtype is edge.array_dtype and d.shape == edge.array_shape:
        return d
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


def unbroadcast(d: Array, shape: Shape) -> Array:
    """Sum a cotangent over the axes along which its input was repeated; spread it if the rule did not."""
    lead = len(d.shape) - len(shape)
    axes = [a for a, n in enumerate(d.shape) if a < lead or (shape[a - lead] == 1 and n != 1)]
    if axes:
        d = np.reshape(Sum.apply(d, axes=tuple(axes), keepdim=True), d_shape_without(d.shape, axes, lead))
    return d if d.shape == shape else np.broadcast_to(d, shape)


def d_shape_without(shape: Shape, axes: list[int], lead: int) -> Shape:
    """The shape after summing the axes, the leading ones dropped and the others of size 1."""
    return tuple(1 if a in axes else n for a, n in enumerate(shape))[max(lead, 0) :]
