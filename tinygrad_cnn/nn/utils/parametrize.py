"""Weights that are functions of other parameters, as ``torch.nn.utils.parametrize``.

A parametrized module gets a class of its own in which the weight is a property: reading it computes it, from what is
kept in ``module.parametrizations``.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, TypeVar

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.nn.container import ModuleDict, ModuleList
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.tensor import Tensor

__all__ = ["ParametrizationList", "is_parametrized", "register_parametrization", "remove_parametrizations"]

M = TypeVar("M", bound=Module)


class ParametrizationList(ModuleList):
    """The functions whose composition is one weight, and the parameters that the first of them takes.

    These are ``original``, or ``original0``, ``original1``, … if there are several: what `right_inverse` of the
    functions makes of the weight there was.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(3, 2))
    >>> type(layer.parametrizations.weight).__name__
    'ParametrizationList'
    """

    def __init__(self, modules: Sequence[Module], original: Tensor) -> None:
        super().__init__(modules)
        self.is_tensor, self.ntensors = True, 1
        with no_grad():
            begun = self._inverted(original.detach())
            if isinstance(begun, Tensor):
                if isinstance(original, Parameter):
                    original.data = begun.detach()
                self._keep("original", original if isinstance(original, Parameter) else begun)
                return
            self.is_tensor, self.ntensors = False, len(begun)
            for k, part in enumerate(begun):
                kept = Parameter(part.detach(), original.requires_grad) if isinstance(original, Parameter) else part
                self._keep(f"original{k}", kept)

    def _keep(self, name: str, value: Tensor) -> None:
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        else:
            self.register_buffer(name, value)

    def _inverted(self, value: Any) -> Any:
        for module in reversed(list(self)):
            inverse: Any = getattr(module, "right_inverse", None)
            if inverse is not None:
                value = inverse(value)
        if not isinstance(value, (Tensor, Sequence)):
            raise ValueError(
                f"parametrization: right_inverse must return a Tensor or a sequence of them, not {type(value).__name__}"
            )
        return value

    def originals(self) -> list[Tensor]:
        """The parameters that the weight is computed from."""
        names = ["original"] if self.is_tensor else [f"original{k}" for k in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    @no_grad()
    def right_inverse(self, value: Tensor) -> None:
        """Set the parameters so that the weight is `value`, as far as the functions can be inverted."""
        begun = self._inverted(value.detach())
        for kept, new in zip(self.originals(), [begun] if isinstance(begun, Tensor) else begun, strict=True):
            kept.data = new.detach()

    def forward(self) -> Tensor:
        """The weight."""
        first, *rest = self
        value = first(*self.originals())
        for module in rest:
            value = module(value)
        return value


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrized weights, or this one is.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.Linear(3, 2)
    >>> tg.nn.utils.parametrize.is_parametrized(layer)
    False
    """
    held = _held(module)
    return bool(held) if tensor_name is None else tensor_name in held


def _held(module: Module) -> dict[str, ParametrizationList]:
    """What computes the weights of a module, by their names."""
    lists = module._modules.get("parametrizations")
    pairs = lists.items() if isinstance(lists, ModuleDict) else ()
    return {name: held for name, held in pairs if isinstance(held, ParametrizationList)}


def register_parametrization(module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> M:
    """Let a parameter or buffer of a module be computed by `parametrization`, after those that it has.

    Parameters
    ----------
    parametrization : a Module; if it has `right_inverse`, that gives the parameter to begin with, or a tuple of them
    unsafe : leave the checks of shape and dtype out

    Raises
    ------
    ValueError
        If the module has no such parameter, or the result has another shape or dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Positive(tg.nn.Module):
    ...     def forward(self, x):
    ...         return x.exp()
    >>> layer = tg.nn.Linear(3, 2)
    >>> _ = tg.nn.utils.parametrize.register_parametrization(layer, "weight", Positive())
    >>> (layer.weight > 0).all()
    tensor(True)
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        value = getattr(module, tensor_name)
        if not unsafe:
            _check_kept(parametrization(value), value)
        _held(module)[tensor_name].append(parametrization)
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"register_parametrization: {type(module).__name__} has no parameter and no buffer {tensor_name!r}"
        )
    original: Tensor = getattr(module, tensor_name)
    shape, dtype = tuple(original.shape), original.dtype
    weight = ParametrizationList([parametrization], original)
    if not unsafe:
        _check_kept(weight(), original, shape, dtype)
    lists = module._modules.get("parametrizations")
    if not isinstance(lists, ModuleDict):
        _give_own_class(module)
        lists = module.parametrizations = ModuleDict()
    delattr(module, tensor_name)
    _make_property(module, tensor_name)
    lists[tensor_name] = weight
    return module


def _check_kept(new: Any, old: Tensor, shape: Any = None, dtype: Any = None) -> None:
    shape, dtype = tuple(old.shape) if shape is None else shape, old.dtype if dtype is None else dtype
    if not isinstance(new, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(new).__name__}.")
    if tuple(new.shape) != shape or new.dtype != dtype:
        raise ValueError(
            "register_parametrization: may not change the shape or the dtype, unless unsafe=True: "
            f"{shape}, {dtype} would become {tuple(new.shape)}, {new.dtype}"
        )


def _give_own_class(module: Module) -> None:
    unparametrized = type(module)

    def refuse(self: Any, protocol: Any) -> Any:
        raise RuntimeError("A parametrized module cannot be pickled; save its state_dict")

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = object.__new__(type(self))
            known.__setstate__(deepcopy(self.__getstate__(), memo))
        return known

    module.__class__ = type(
        f"Parametrized{unparametrized.__name__}", (unparametrized,), {"__reduce_ex__": refuse, "__deepcopy__": copied}
    )


def _make_property(module: Module, name: str) -> None:
    def read(self: Any) -> Tensor:
        return self.parametrizations[name]()

    def write(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a weight a parameter again: with the value that it has, or, if not `leave_parametrized`, the original one.

    Raises
    ------
    ValueError
        If it is not parametrized, or was made of several parameters and shall be left as it was.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(3, 2))
    >>> _ = tg.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    held = _held(module).get(tensor_name)
    if held is None:
        raise ValueError(f"Module {module!r} does not have a parametrization on {tensor_name}")
    if not leave_parametrized and not held.is_tensor:
        raise ValueError(
            "remove_parametrizations: this tensor is made of several others, so none of them can take its place; "
            "pass leave_parametrized=True"
        )
    first = held.originals()[0]
    restored = value = held().detach() if leave_parametrized else first.detach()
    if isinstance(first, Parameter):
        restored = first if held.is_tensor else Parameter(value, first.requires_grad)
        restored.data = value
    delattr(type(module), tensor_name)
    delattr(module.parametrizations, tensor_name)
    if isinstance(restored, Parameter):
        module.register_parameter(tensor_name, restored)
    else:
        module.register_buffer(tensor_name, restored)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module
