"""A weight that is computed from other parameters before every call of its module: what the forms of it share."""

from __future__ import annotations

from typing import Any, TypeVar

from tinygrad_cnn.nn.hooks import CallHooks
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor

M = TypeVar("M", bound=Module)
R = TypeVar("R", bound="Reparametrized")


class Reparametrized:
    """A forward pre-hook that sets the weight `name`; subclasses say how it is computed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def compute(self, module: Module) -> Tensor:
        """The weight."""
        raise NotImplementedError(f"{type(self).__name__}: compute is not written")

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.compute(module))


def _installed(module: Module) -> list[Any]:
    hooks: CallHooks | None = module._call_hooks
    return [] if hooks is None else [h for h in hooks.forward_pre if isinstance(h.function, Reparametrized)]


def install(module: Module, form: Reparametrized) -> Parameter:
    """Take the weight out of the parameters of a module, and let it be computed from now on.

    Raises
    ------
    RuntimeError
        If it is computed already.
    """
    kind = type(form).__name__
    if any(type(h.function) is type(form) and h.function.name == form.name for h in _installed(module)):
        raise RuntimeError(f"{kind}: cannot register two {kind} hooks on the same parameter {form.name!r}")
    weight = getattr(module, form.name)
    if not isinstance(weight, Parameter):
        raise ValueError(f"{kind}: {form.name!r} of {type(module).__name__} is no parameter")
    del module._parameters[form.name]
    module.register_forward_pre_hook(form)
    return weight


def find(module: Module, name: str, kind: type[R]) -> R:
    """What computes a weight; ValueError if nothing of this kind does."""
    for hook in _installed(module):
        if type(hook.function) is kind and hook.function.name == name:
            return hook.function
    raise ValueError(f"{kind.__name__} of {name!r} not found in {module!r}")


def uninstall(module: M, form: Reparametrized, names: list[str], weight: Tensor) -> M:
    """Undo `install`: the weight is a parameter, and those that it was computed from are gone."""
    for name in (form.name, *names):
        delattr(module, name)
    module.register_parameter(form.name, Parameter(weight.detach()))
    hooks = module._hooks_of_calls().forward_pre
    hooks[:] = [h for h in hooks if h.function is not form]
    return module
