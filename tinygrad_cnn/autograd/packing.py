"""What a graph saves, packed by the program: `saved_tensors_hooks` and what is made of it.

Nodes ask nobody whether there are such hooks. While there are, a watcher sees each new node, packs what it saved and
changes its class to one that unpacks; see `watching`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.autograd.mode import no_grad
from tinygrad_cnn.autograd.nodes import Node
from tinygrad_cnn.autograd.switch import Switch
from tinygrad_cnn.autograd.watching import add_watcher, remove_watcher
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.graph import Alias
from tinygrad_cnn.core.saved import FREED
from tinygrad_cnn.core.storage import clock, written_since
from tinygrad_cnn.core.tensor import Tensor

__all__ = ["disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"]


Hooks = tuple[tuple[Callable[[Any], Any], Callable[[Any], Any]], ...]


class _Here(threading.local):
    """The hooks of this thread, the innermost last, and why there may be none, if that is so."""

    def __init__(self) -> None:
        self.hooks: Hooks = ()
        self.refused: str | None = None


_here = _Here()


class Packed(NamedTuple):
    """What the hook made of a saved array, and how it becomes an array again."""

    value: Any
    unpack: Callable[[Any], Any]
    shape: tuple[int, ...]

    def array(self) -> Any:
        """The array."""
        with no_grad():
            tensor = self.unpack(self.value)
        if not isinstance(tensor, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(tensor).__name__}"
            )
        if tensor.array_shape != self.shape:
            raise ArgumentError(
                f"saved_tensors_hooks: unpack_hook returned shape {tensor.array_shape} for what was saved with shape "
                f"{self.shape}; it must return what pack_hook was given"
            )
        return tensor.array


def packed(array: Any) -> Any:
    """A saved array as the innermost hook of this thread packs it; what is no array as it is."""
    if type(array) is tuple and any(isinstance(a, np.ndarray) for a in array):
        return tuple(packed(a) for a in array)
    if not isinstance(array, np.ndarray) or not _here.hooks:
        return array
    pack, unpack = _here.hooks[-1]
    before = clock.now
    with no_grad():
        value = pack(Tensor.wrap(array))
    if clock.now != before and written_since(array, before):
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot "
            "be modified by in-place operations; pack a clone() of it"
        )
    return Packed(value, unpack, array.shape)


def unpacked(value: Any) -> Any:
    """What was packed, as an array again."""
    if type(value) is tuple:
        return tuple(unpacked(v) for v in value)
    return value.array() if isinstance(value, Packed) else value


class _Packing:
    """Watches the graph: what each new node saved is packed, in threads that have hooks."""

    def made(self, node: Any) -> None:
        """Pack what a new node saved."""
        if _here.hooks and node.saved and node.op.saves_arrays:
            node.saved = tuple([packed(value) for value in node.saved])
            kind: Any = type(node)
            node.__class__ = unpacking(kind)

    def returned(self, node: Any, k: int, gradient: Any) -> None:
        """Nothing."""

    def failed(self, node: Any) -> None:
        """Nothing."""


_packing = _Packing()


@cache
def unpacking(kind: Any) -> type[Node]:
    """The class of nodes of this kind that unpack what they saved before they use it."""

    class Unpacking(kind):  # type: ignore[misc]  # its class is not known by name
        __slots__ = ()
        by_op = False

        def derivatives(self, g: Any, alias: Alias | None, keep: bool) -> Sequence[Any]:
            node: Any = self
            kept, time = node.saved, node.time
            try:
                if kept is not FREED:  # what was unpacked is new: no write into it counts
                    node.saved, node.time = unpacked(kept), clock.now
                found: Sequence[Any] = node.compute(g, alias, keep)
                return found
            finally:
                node.saved, node.time = kept, time

    Unpacking.__name__ = Unpacking.__qualname__ = kind.__name__
    return Unpacking


class saved_tensors_hooks(Switch):
    """In this thread, within the block, what the graph saves for the backward pass is packed, and unpacked there.

    `pack_hook` is called with each tensor that an op or a Function saves, and returns anything; `unpack_hook` is called
    with that when the backward pass needs it, and returns a tensor of the same values. Inner hooks take the place of
    outer ones. Which tensors are saved is the ops' business: here a function may save others than in PyTorch.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> x = tensor([2.0, 3.0], requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([4., 6.])
    """

    chain = "packing"

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        super().__init__()
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def _state(self) -> tuple[dict[str, Any], Hooks]:
        if _here.refused is not None:
            raise RuntimeError(_here.refused)
        return _here.__dict__, _here.hooks

    def _switch(self) -> None:
        add_watcher(_packing)
        _here.hooks = (*_here.hooks, (self.pack_hook, self.unpack_hook))

    def _restore(self, state: tuple[dict[str, Any], Hooks]) -> None:
        here, hooks = state
        if here["hooks"] is not hooks:
            here["hooks"] = hooks
            remove_watcher(_packing)


class save_on_cpu(saved_tensors_hooks):
    """What is saved stays on the CPU, where everything is; with `pin_memory` it is copied, as in PyTorch."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.clone() if pin_memory else tensor, lambda tensor: tensor)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Any:
    """Refuse hooks on saved tensors within the block, with this message."""
    before = _here.refused
    if _here.hooks:
        raise RuntimeError(error_message)
    _here.refused = error_message
    try:
        yield
    finally:
        _here.refused = before
