"""Functions called during the backward pass: with a gradient on its way, or when a leaf has received its own."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from threading import local
from types import TracebackType
from typing import Any

from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.tensor import Tensor


class Snapshot(list[Callable[..., Any]]):
    """Functions to be called one after the other: those that are there when that begins, whatever they do to the list.

    Hooks remove themselves or others and add new ones, and other threads do so at any time.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return iter(self.copy())


class Hooks(Snapshot):
    """Of one edge: what may replace its gradient, and what is called `after`.

    That is, of a leaf, once `.grad` has the gradient; of a node, once it has given those of its inputs.
    """

    __slots__ = ("after",)

    def __init__(self) -> None:
        super().__init__()
        self.after = Snapshot()


class RemovableHandle:
    """What registering a hook returns: `remove` takes the hook away again, as leaving a ``with`` block does.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda g: 10 * g)
    >>> handle.remove()
    >>> x.sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """

    _ids = count()

    def __init__(self, hooks: list[Any], hook: Callable[..., Any]) -> None:
        self._hooks, self._hook, self.id = hooks, hook, next(self._ids)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        with suppress(ValueError):  # it was taken away before
            self._hooks.remove(self._hook)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def add_hook(tensor: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Call `hook` with the gradient of a tensor in every backward pass; what it returns replaces the gradient."""
    check_hook("register_hook", tensor, hook)
    wrap = tensor.wrap

    def adapted(gradient: Any) -> Any:
        given = wrap(gradient)
        returned = hook(given)
        if returned is None:
            return gradient
        if not isinstance(returned, Tensor):
            kind = type(returned).__name__
            raise TypeError(f"register_hook: the hook returned {kind}; expected None, or the new gradient as a Tensor")
        if returned.array_shape != given.array_shape or returned.array_dtype != given.array_dtype:
            raise RuntimeError(
                f"register_hook: the hook returned shape {returned.array_shape} and dtype {returned.array_dtype} for a "
                f"gradient of shape {given.array_shape} and dtype {given.array_dtype}; they must stay"
            )
        return returned if gradient is given else returned.array

    tensor.seen_view()
    hooks = hooks_of(tensor.edge)
    hooks.insert(sum(not isinstance(known, PreHook) for known in hooks), adapted)  # those of the node come last
    return RemovableHandle(hooks, adapted)


def add_post_accumulate_hook(tensor: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Call `hook` with a leaf each time a backward pass has added to its `.grad`."""
    check_hook("register_post_accumulate_grad_hook", tensor, hook)
    if not tensor.is_leaf:
        raise RuntimeError(
            "register_post_accumulate_grad_hook: only a leaf accumulates a gradient, this tensor is the result of an "
            "op; use register_hook"
        )

    def called(leaf: Any) -> None:
        hook(leaf)

    after = hooks_of(tensor.edge).after
    after.insert(sum(not isinstance(known, AfterNode) for known in after), called)  # those of the node come last
    return RemovableHandle(after, called)


class AfterNode:
    """A function that is called with the gradient that a leaf has got."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook, self.arrived = hook, local()

    def note(self, gradients: Any) -> None:
        """Keep what is on its way, until the leaf has it."""
        self.arrived.gradients = gradients

    def __call__(self, leaf: Any) -> None:
        """Tell of it."""
        self.hook((), self.arrived.gradients)


class PreHook:
    """A function that is called with the gradients of the outputs of a node, before the node has its turn."""

    def __init__(
        self, hook: Callable[..., Any], parts: Callable[[Any], tuple[Any, ...]], whole: Callable[..., Any]
    ) -> None:
        self.hook, self.parts, self.whole = hook, parts, whole

    def __call__(self, gradient: Any) -> Any:
        """The gradient that the hook wants in the place of this one."""
        given = self.parts(gradient)
        chosen = chosen_by(self.hook, given, given)
        return gradient if chosen is given else self.whole(chosen, gradient)


def add_node_hook(edge: Any, hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook` with the gradients of the inputs and of the outputs once a node has given the former."""
    hooks = hooks_of(edge).after

    def called(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return chosen_by(hook, inputs, inputs, outputs)

    hooks.append(called)
    return RemovableHandle(hooks, called)


def chosen_by(hook: Callable[..., Any], old: tuple[Any, ...], *given: Any) -> tuple[Any, ...]:
    """The gradients that a hook wants in the place of the old ones: it is called with what is given."""
    new = hook(*given)
    if new is None:
        return old
    name = getattr(hook, "__name__", type(hook).__name__)
    if not isinstance(new, tuple):
        raise TypeError(f"hook {name!r}: expected tuple, but hook returned {type(new).__name__!r}")
    if len(new) != len(old):
        raise RuntimeError(
            f"hook {name!r} has returned an incorrect number of values (got {len(new)}, but expected {len(old)})"
        )
    for before, after in zip(old, new, strict=True):
        if after is not None and not isinstance(after, Tensor):
            raise TypeError(f"hook {name!r}: expected Tensors or None, but hook returned {type(after).__name__!r}")
        if before is not None and after is not None and before.array_shape != after.array_shape:
            raise RuntimeError(
                f"hook {name!r} has changed the size of value: from {before.array_shape} to {after.array_shape}"
            )
    return new


def check_hook(name: str, tensor: Any, hook: Any) -> None:
    """The tensor has a gradient to be told of, and the hook can be called."""
    if not tensor.requires_grad:
        raise RuntimeError(f"{name}: this tensor does not require a gradient")
    if not callable(hook):
        raise TypeError(f"{name}: a hook is called with the gradient; {type(hook).__name__} is no function")


def hooks_of(edge: Any) -> Hooks:
    """The hooks at a place in the graph; made when first asked for."""
    if edge.hooks is None:
        edge.hooks = Hooks()
    hooks: Hooks = edge.hooks
    return hooks


def retain(tensor: Any) -> None:
    """Let the backward pass fill the `.grad` of the result of an op."""
    if not tensor.requires_grad:
        raise RuntimeError("retain_grad: this tensor does not require a gradient")
    tensor.seen_view()
    if isinstance(tensor._node, Node) and not retains(tensor):
        tensor.edge.retained = weakref.ref(tensor)


def retains(tensor: Any) -> bool:
    """Whether `retain` was asked of a tensor."""
    edge = tensor._node
    return isinstance(edge, Node) and edge.retained is not None and edge.retained() is tensor
