"""`Module`: a tree of parameters, buffers and other modules, with PyTorch's interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.ops.checks import check_dtype
from tinygrad_cnn.tensor import Tensor

M = TypeVar("M", bound="Module")
ROOMS = "_parameters", "_buffers", "_modules"
"""Where a module keeps what is looked up by name."""


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it did not want."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """The base of layers and networks: subclass it, assign layers in ``__init__``, write ``forward``.

    Examples
    --------
    >>> from tinygrad_cnn import nn, zeros
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.body = nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.body(x).relu()
    >>> Net()(zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    training: bool

    def __init__(self) -> None:
        fields = self.__dict__
        fields["training"] = True
        fields["_parameters"] = {}
        fields["_buffers"] = {}
        fields["_transient"] = set()
        fields["_modules"] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses write it."""
        raise NotImplementedError(f"{type(self).__name__}: forward is not written; define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # ---- attributes --------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: call super().__init__() before assigning {name!r}")
        rooms = {"_parameters": Parameter, "_modules": Module}
        for room, kind in rooms.items():
            if isinstance(value, kind):
                self._forget(name)
                self.__dict__[room][name] = value
                return
        if name in self._buffers and (value is None or isinstance(value, Tensor)):
            self._buffers[name] = value
        elif name in self._parameters and value is not None:
            raise TypeError(
                f"{type(self).__name__}: {name!r} is a parameter; assign a Parameter or None, "
                f"not {type(value).__name__}"
            )
        else:
            self._forget(name)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__
        for room in ROOMS:
            held = fields.get(room)
            if held is not None and name in held:
                return held[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        if not self._forget(name):
            object.__delattr__(self, name)

    def _forget(self, name: str) -> bool:
        found = [self.__dict__[room].pop(name, self) is not self for room in ROOMS]
        self.__dict__.pop(name, None)
        return any(found)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name."""
        self._check_name(name)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained; saved if `persistent`."""
        self._check_name(name)
        self._buffers[name] = tensor
        if not persistent:
            self._transient.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name."""
        self._check_name(name)
        self._modules[name] = module

    def _check_name(self, name: str) -> None:
        if "." in name or not name:
            raise KeyError(f"{type(self).__name__}: {name!r} is no name for an attribute: it is empty or has a dot")

    # ---- the tree ----------------------------------------------------------------------------------------

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with dotted names."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module
                stack += [(_join(name, k), m) for k, m in reversed(module._modules.items()) if m is not None]

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, with their names."""
        return ((name, module) for name, module in self._modules.items() if module is not None)

    def children(self) -> Iterator[Module]:
        """The modules directly below."""
        return (module for _, module in self.named_children())

    def _named(self, room: str, prefix: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for place, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, value in module.__dict__[room].items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield _join(place, name), value

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters of this module and all below it, each once, with dotted names."""
        return self._named("_parameters", prefix, recurse)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """The buffers with dotted names."""
        return self._named("_buffers", prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def apply(self: M, fn: Callable[[Module], object]) -> M:
        """Call a function with every module, children first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ---- modes -------------------------------------------------------------------------------------------

    def train(self: M, mode: bool = True) -> M:
        """Behave as in training (dropout drops, batch norm uses the batch)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Behave as in use."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Train the parameters, or freeze them."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters, or make them 0."""
        for p in self.parameters():
            if set_to_none or p.grad is None:
                p.grad = None
            else:
                p.grad.detach().zero_()

    def to(self: M, dtype: Any) -> M:
        """Convert floating-point parameters and buffers; "cpu" as the device is where they are."""
        if isinstance(dtype, str) and dtype == "cpu":
            return self
        wanted = check_dtype("to", dtype)
        if wanted.kind != "f":
            raise TypeError(f"to: {wanted} is not a floating dtype; parameters need gradients")
        for value in (*self.parameters(), *self.buffers()):
            if value.dtype.kind == "f":
                value.data = value.detach().astype(wanted)
        return self

    def float(self: M) -> M:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Convert to float64."""
        return self.to(np.float64)

    # ---- state -------------------------------------------------------------------------------------------

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """The parameters and persistent buffers by dotted names, sharing their memory."""
        state: dict[str, Tensor] = {}
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            if value is not None and name not in self._transient:
                state[prefix + name] = value.detach()
        for name, module in self.named_children():
            state |= module.state_dict(f"{prefix}{name}.")
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values in by name; nothing is changed if a shape, or with `strict` a name, does not fit.

        Raises
        ------
        RuntimeError
            That lists every missing and unexpected name and every shape that does not fit.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: got {type(state_dict).__name__}; expected a mapping of names to tensors")
        own = self.state_dict()
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        wrong = [
            f"{name} has shape {np.shape(state_dict[name])}, expected {own[name].shape}"
            for name in own
            if name in state_dict and tuple(np.shape(state_dict[name])) != own[name].shape
        ]
        problems = [f"missing: {', '.join(missing)}"] * bool(missing and strict)
        problems += [f"unexpected: {', '.join(unexpected)}"] * bool(unexpected and strict)
        if problems + wrong:
            raise RuntimeError(f"load_state_dict: {type(self).__name__}: {'; '.join(problems + wrong)}")
        for name, target in own.items():
            if name in state_dict:
                target.copy_(state_dict[name])
        return IncompatibleKeys(missing, unexpected)

    # ---- printing ----------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands in the parentheses of a module without children."""
        return ""

    def __repr__(self) -> str:
        lines = [line for line in self.extra_repr().split("\n") if line]
        children = [f"({name}): " + repr(m).replace("\n", "\n  ") for name, m in self.named_children()]
        name = type(self).__name__
        if len(lines) + len(children) == len(lines) <= 1:
            return f"{name}({''.join(lines)})"
        return f"{name}(\n  " + "\n  ".join(lines + children) + "\n)"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
