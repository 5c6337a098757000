"""Functions called during the backward pass: with a gradient on its way, or when a leaf has received its own."""

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any

from tinygrad_cnn.core.graph import Node
from tinygrad_cnn.core.tensor import Tensor


class Hooks(list[Callable[[Any], Any]]):
    """Of one edge: what may replace its gradient, and, of a leaf, what is told once `.grad` has it (`after`)."""

    __slots__ = ("after",)

    def __init__(self) -> None:
        super().__init__()
        self.after: list[Callable[[Any], Any]] = []


class RemovableHandle:
    """What registering a hook returns: `remove` takes the hook away again, as leaving a ``with`` block does."""

    def __init__(self, hooks: list[Any], hook: Callable[..., Any]) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        if self._hook in self._hooks:
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

    hooks = hooks_of(tensor)
    hooks.append(adapted)
    return RemovableHandle(hooks, adapted)


def add_post_accumulate_hook(tensor: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Call `hook` with a leaf each time a backward pass has added to its `.grad`."""
    check_hook("register_post_accumulate_grad_hook", tensor, hook)
    if not tensor.is_leaf:
        raise RuntimeError(
            "register_post_accumulate_grad_hook: only a leaf accumulates a gradient, this tensor is the result of an "
            "op; use register_hook"
        )
    hooks = hooks_of(tensor)

    def called(leaf: Any) -> None:
        hook(leaf)

    hooks.after.append(called)
    return RemovableHandle(hooks.after, called)


def check_hook(name: str, tensor: Any, hook: Any) -> None:
    """The tensor has a gradient to be told of, and the hook can be called."""
    if not tensor.requires_grad:
        raise RuntimeError(f"{name}: this tensor does not require a gradient")
    if not callable(hook):
        raise TypeError(f"{name}: a hook is called with the gradient; {type(hook).__name__} is no function")


def hooks_of(tensor: Any) -> Hooks:
    """The hooks at the place in the graph where a tensor stands; made when first asked for."""
    edge = tensor.edge
    if edge.hooks is None:
        edge.hooks = Hooks()
    hooks: Hooks = edge.hooks
    return hooks


def retain(tensor: Any) -> None:
    """Let the backward pass fill the `.grad` of the result of an op."""
    if not tensor.requires_grad:
        raise RuntimeError("retain_grad: this tensor does not require a gradient")
    if isinstance(tensor.edge, Node):
        tensor.edge.retained = weakref.ref(tensor)


def retains(tensor: Any) -> bool:
    """Whether `retain` was asked of a tensor."""
    edge = tensor.edge
    return isinstance(edge, Node) and edge.retained is not None and edge.retained() is tensor
