"""Functions that are called with what goes into a module and comes out of it, forwards and backwards."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from tinygrad_cnn import ops
from tinygrad_cnn.autograd.hooks import RemovableHandle
from tinygrad_cnn.core.types import Shape
from tinygrad_cnn.nn.mistakes import note_containers
from tinygrad_cnn.tensor import Tensor

Gradients = tuple[Tensor | None, ...]


@dataclass(eq=False)
class Hook:
    """One registered function, and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


def register(hooks: list[Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    """Add a hook at the end, or in front; the handle takes it away again."""
    hooks.insert(0 if prepend else len(hooks), hook)
    return RemovableHandle(hooks, hook)


REGISTRATIONS: dict[str, list[Callable[..., Any]]] = {"_parameters": [], "_buffers": [], "_modules": []}
"""What is called when any module registers something."""


def registered(module: Any, room: str, name: str, value: Any) -> Any:
    """What a module is to register: the value, or what a hook of all registrations puts in its place."""
    for hook in list(REGISTRATIONS[room]):
        new = hook(module, name, value)
        value = value if new is None else new
    return value


class CallHooks:
    """The hooks of one module around its `forward` and around the backward pass through it."""

    def __init__(self) -> None:
        self.forward_pre: list[Hook] = []
        self.forward: list[Hook] = []
        self.backward_pre: list[Hook] = []
        self.backward: list[Hook] = []

    def any(self) -> bool:
        """Whether there are hooks."""
        return bool(self.forward_pre or self.forward or self.backward_pre or self.backward)

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What ``module(*args, **kwargs)`` does when the module has hooks."""
        result, called = None, set()
        try:
            args, kwargs = self._before(module, args, kwargs)
            before = EVERYWHERE.backward_pre + self.backward_pre  # as they are now
            after = EVERYWHERE.backward + self.backward
            watch = _Watch(module, before, after) if before or after else None
            if watch is not None:
                args = watch.inputs(args)
            result = module.forward(*args, **kwargs)
            for hook in EVERYWHERE.forward + self.forward:
                called.add(hook)
                result = _after(hook, module, args, kwargs, result)
            return result if watch is None else watch.outputs(result)
        except Exception:
            for hook in EVERYWHERE.forward + self.forward:
                if hook.always_call and hook not in called:
                    try:
                        result = _after(hook, module, args, kwargs, result)
                    except Exception as error:
                        warnings.warn(
                            f"{type(module).__name__}: a forward hook raised {error!r} after forward had failed",
                            stacklevel=3,
                        )
            raise

    def _before(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        for hook in EVERYWHERE.forward_pre + self.forward_pre:
            if hook.with_kwargs:
                new = hook.function(module, args, kwargs)
                if new is None:
                    continue
                if not isinstance(new, tuple) or len(new) != 2:
                    raise RuntimeError(
                        f"{type(module).__name__}: a forward pre-hook with kwargs returned {type(new).__name__}; "
                        "expected None or (new_args, new_kwargs)"
                    )
                args, kwargs = new
            else:
                new = hook.function(module, args)
                if new is not None:
                    args = new if isinstance(new, tuple) else (new,)
        return args, kwargs


class FirstCall(CallHooks):
    """What a new module has in the place of hooks: its first call notes shapes, and takes it away again.

    So calls after the first cost nothing more, and the display of a module can say what goes in and comes out.
    """

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the module does without it."""
        module.__dict__.pop("_call_hooks", None)
        hooks = module._call_hooks  # of all modules, if there are any
        try:
            result = module.forward(*args, **kwargs) if hooks is None else hooks.call(module, args, kwargs)
        except BaseException:
            module.__dict__.setdefault("_call_hooks", self)
            raise
        note_containers(module)
        SHAPES[module] = shapes_in([*args, *kwargs.values()]), shapes_in(result)
        return result

    def __reduce__(self) -> str:
        return "FIRST_CALL"


FIRST_CALL = FirstCall()

SHAPES: WeakKeyDictionary[Any, tuple[list[Shape], list[Shape]]] = WeakKeyDictionary()
"""Of modules that were called: the shapes of the tensors that went in and came out, the first time."""


def shapes_in(value: Any) -> list[Shape]:
    """The shapes of the tensors in a value: itself, or what is in lists, tuples and dicts."""
    if isinstance(value, Tensor):
        return [tuple(value.array_shape)]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return [shape for part in parts for shape in shapes_in(part)]


EVERYWHERE = CallHooks()
"""The hooks of the calls of all modules, called before a module's own; see `nn.global_hooks`."""


def _after(hook: Hook, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    new = hook.function(module, args, kwargs, result) if hook.with_kwargs else hook.function(module, args, result)
    return result if new is None else new


class _Watch:
    """One call of a module whose gradients somebody wants to see."""

    def __init__(self, module: Any, before: list[Hook], after: list[Hook]) -> None:
        self.module, self.before, self.after = module, before, after
        self.name = type(module).__name__
        self.grad_output: Gradients | None = None
        """None as long as no gradient has come through the outputs, and again when the hooks have been told of it.

        So nobody is told of what reaches the inputs by another way, as in the derivative of a gradient.
        """
        self.inner = False  # whether an input requires a gradient, so that there is one to wait for

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, behind a joint at which their gradients are seen."""
        if not self.after:
            return args
        args, self.inner = watched(args, self._call)
        self.count = len(args)
        return args

    def outputs(self, result: Any) -> Any:
        """The results, behind another one."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                f"{self.name}: backward hooks see a Tensor or a tuple of Tensors, not {type(result).__name__}",
                stacklevel=4,
            )
            return result
        results, _ = watched(result if isinstance(result, tuple) else (result,), self._arrived)
        return results if isinstance(result, tuple) else results[0]

    def _arrived(self, gradients: Gradients) -> Gradients:
        for hook in self.before:
            gradients = self._chosen(hook.function(self.module, gradients), gradients)
        self.grad_output = gradients
        if self.after and not self.inner:
            kept = self._call((None,) * self.count)
            if any(g is not None for g in kept):
                raise RuntimeError(
                    f"{self.name}: no input requires a gradient, so that a backward hook must return None; "
                    "it returned a gradient"
                )
        return gradients

    def _call(self, gradients: Gradients) -> Gradients:
        if self.grad_output is None:
            return gradients
        for hook in self.after:
            gradients = self._chosen(hook.function(self.module, gradients, self.grad_output), gradients)
        self.grad_output = None
        return gradients

    def _chosen(self, new: Any, old: Gradients) -> Gradients:
        if new is None:
            return old
        chosen = new if isinstance(new, tuple) else (new,)
        if len(chosen) != len(old):
            raise RuntimeError(
                f"{self.name}: a backward hook returned {len(chosen)} gradients; expected None or {len(old)} of them"
            )
        return chosen


def watched(values: Sequence[Any], see: Callable[[Gradients], Gradients]) -> tuple[tuple[Any, ...], bool]:
    """The values, those that require a gradient copied; `see` gets the gradients of all of them at once.

    What `see` returns takes their place. Several tensors go through one array, whose gradient is there only when
    that of each has been added up. The second result says whether any value required a gradient.
    """
    places = [k for k, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not places:
        return tuple(values), False
    tensors = [values[k] for k in places]
    flat = ops.cat([t.reshape(-1) for t in tensors]) if len(tensors) > 1 else tensors[0].clone()
    if not flat.requires_grad:  # nothing is recorded now
        return tuple(values), False

    def apart(joint: Any) -> list[Any]:
        if len(tensors) == 1:
            return [joint]
        pieces = joint.split([t.numel() for t in tensors])
        return [p.reshape(t.shape).astype(t.dtype) for p, t in zip(pieces, tensors, strict=True)]

    def hook(gradient: Tensor) -> Any:
        row: list[Tensor | None] = [None] * len(values)
        for k, g in zip(places, apart(gradient), strict=True):
            row[k] = g
        seen = see(tuple(row))
        if all(a is b for a, b in zip(seen, row, strict=True)):
            return None
        new: list[Any] = [row[k] if seen[k] is None else seen[k] for k in places]
        return new[0] if len(new) == 1 else ops.cat([g.reshape(-1) for g in new])

    flat.register_hook(hook)
    out = list(values)
    for k, value in zip(places, apart(flat), strict=True):
        out[k] = value
    return tuple(out), True
