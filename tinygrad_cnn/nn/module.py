"""`Module`: a tree of parameters, buffers and other modules, with PyTorch's interface.

What `load_state_dict` does is in `nn.state`, what hooks do in `nn.hooks`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, ParamSpec, Protocol, Self, TypeVar, overload

from tinygrad_cnn.autograd.differentiate import zero_gradients
from tinygrad_cnn.autograd.hooks import RemovableHandle
from tinygrad_cnn.nn.entries import Entries
from tinygrad_cnn.nn.hooks import FIRST_CALL, CallHooks, Hook, register, registered
from tinygrad_cnn.nn.mistakes import note_replaced
from tinygrad_cnn.nn.not_here import MODULE_METHODS
from tinygrad_cnn.nn.parameter import Buffer, Parameter
from tinygrad_cnn.nn.state import IncompatibleKeys, StateHooks, load, save
from tinygrad_cnn.program.modules import answer
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.conversion import asked_dtype
from tinygrad_cnn.torch_names.dtypes import dtype_named, float16, float32, float64

__all__ = ["Module"]

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class HasForward(Protocol[P, R_co]):
    """To type checkers, a module whose `forward` is known: calling it takes and gives what `forward` does.

    `Module` declares none to them, so that a variable typed only `Module` gives a Tensor when it is called.
    """

    @property
    def forward(self) -> Callable[P, R_co]:
        """Compute the output."""
        ...


ROOMS = "_parameters", "_buffers", "_modules"
"""Where a module keeps what is looked up by name."""


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
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _version: ClassVar[int] = 1
    """That of what a class keeps in its state, which stands in ``state_dict()._metadata``."""
    _call_hooks: CallHooks | None = None
    _state_hooks: StateHooks | None = None

    def __init__(self) -> None:
        fields = self.__dict__
        for room in ROOMS:  # what an earlier call has registered
            for name in fields.get(room, ()):
                fields.pop(name, None)
        fields.update(training=True, _non_persistent_buffers_set=set(), _call_hooks=FIRST_CALL)
        fields.update((room, Entries(self)) for room in ROOMS)

    if TYPE_CHECKING:

        @overload
        def __call__(self: HasForward[P, R_co], *args: P.args, **kwargs: P.kwargs) -> R_co: ...
        @overload
        def __call__(self, *args: Any, **kwargs: Any) -> Tensor: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
        def __getattr__(self, name: str) -> Tensor | Module: ...
    else:

        def forward(self, *args, **kwargs):
            """Compute the output; subclasses write it."""
            near = [name for name in get_close_matches("forward", vars(type(self))) if name != "forward"]
            hint = f", not {near[0]}" if near else ""
            hint = "; go through it with for, or by number" if hasattr(self, "__iter__") else hint
            raise NotImplementedError(f"{type(self).__name__}: forward is not written; define forward(self, ...){hint}")

        def __call__(self, *args, **kwargs):
            if self._call_hooks is None:
                return self.forward(*args, **kwargs)
            return self._call_hooks.call(self, args, kwargs)

        def __getattr__(self, name):
            fields = self.__dict__
            for room in ROOMS:
                held = fields.get(room)
                if held is not None and name in held:
                    return held[name]
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(text, name=name, obj=self)  # so that a traceback suggests a name that there is

    # ---- attributes --------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        fields = self.__dict__
        if isinstance(value, (Parameter, Buffer, Module)):
            if "_parameters" not in fields:
                kind = "module" if isinstance(value, Module) else "parameters"
                raise AttributeError(
                    f"cannot assign {kind} before Module.__init__() call: {type(self).__name__}: call "
                    f"super().__init__() before assigning {name!r}"
                )
            if not (isinstance(value, Module) and name in self._parameters):
                self._enter(name, value)
                return
        for room in ROOMS:
            if name in fields.get(room, ()):
                if value is not None and not (room == "_buffers" and isinstance(value, Tensor)):
                    raise TypeError(
                        f"cannot assign {type(value).__name__!r} as {name!r}, one of the {room[1:]} of "
                        f"{type(self).__name__}; assign {_KINDS[room]} or None, or delete it first"
                    )
                fields[room][name] = value
                return
        object.__setattr__(self, name, value)

    def _enter(self, name: str, value: Parameter | Buffer | Module) -> None:
        """Assign what is registered by being assigned; in its room it keeps its place."""
        home = "_modules" if isinstance(value, Module) else "_buffers" if isinstance(value, Buffer) else "_parameters"
        old = self.__dict__.pop(name, None)
        if old is not None and old is not value:
            note_replaced(self, name, old)
        for room in ROOMS:
            if room != home:
                self.__dict__[room].pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        if isinstance(value, Module):
            self._modules[name] = registered(self, "_modules", name, value)
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
        else:
            self.register_parameter(name, value)

    def __delattr__(self, name: str) -> None:
        for room in ROOMS:
            if name in self.__dict__.get(room, ()):
                del self.__dict__[room][name]
                self.__dict__.pop(name, None)
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        named = {*object.__dir__(self), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in named if not name[0].isdigit())

    def __getstate__(self) -> Any:
        """The attributes; a parameter, a buffer or a module only where it is registered."""
        state: Any = super().__getstate__()
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        fields: dict[str, Any] = dict(attributes)
        if fields.get("_call_hooks") is FIRST_CALL:
            del fields["_call_hooks"]
        for room in ROOMS:
            for name in fields.get(room, ()):
                fields.pop(name, None)
            if room in fields:
                fields[room] = dict(fields[room])
        return fields if slots is None else (fields, slots)

    def __setstate__(self, state: Any) -> None:
        fields, slots = state if isinstance(state, tuple) else (state, {})
        self.__dict__.update({"_call_hooks": FIRST_CALL, **fields})
        for name, value in slots.items():
            object.__setattr__(self, name, value)
        for room in ROOMS:
            if room in self.__dict__:
                self.__dict__[room] = Entries(self, self.__dict__[room])

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name.

        Raises
        ------
        KeyError
            If the name is empty, has a dot, or is an attribute of another kind.
        TypeError, ValueError
            If it is no Parameter, or the result of an op.
        """
        self._check_entry("_parameters", name, param, Parameter)
        if param is not None and not param.is_leaf:
            raise ValueError(
                f"register_parameter: {name!r} is the result of an op, which a parameter cannot be; compute it in "
                "forward"
            )
        self._parameters[name] = registered(self, "_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained; saved if `persistent`."""
        self._check_entry("_buffers", name, tensor, Tensor)
        self._buffers[name] = registered(self, "_buffers", name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name."""
        self._check_entry("_modules", name, module, Module)
        self._modules[name] = registered(self, "_modules", name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name: `add_module`."""
        self.add_module(name, module)

    def _check_entry(self, room: str, name: Any, value: Any, kind: type) -> None:
        layer = type(self).__name__
        if room not in self.__dict__:
            raise AttributeError(f"cannot register {name!r} before Module.__init__() call: {layer}")
        if not isinstance(name, str):
            raise TypeError(f"{layer}: a name must be a string, not {type(name).__name__}")
        if "." in name or not name:
            raise KeyError(f"{layer}: {name!r} is no name for an attribute: it is empty or has a dot")
        if name not in self.__dict__[room] and hasattr(self, name):
            raise KeyError(f"attribute {name!r} already exists in {layer}")
        if value is not None and not isinstance(value, kind):
            hint = "; a ParameterList holds parameters" if room == "_modules" and isinstance(value, Tensor) else ""
            if room == "_parameters" and isinstance(value, Tensor):
                hint = "; make it one, nn.Parameter(…)" if value.is_leaf else "; compute the result of an op in forward"
            what = f"cannot register {type(value).__name__!r} as {name!r} of {layer}"
            raise TypeError(f"{what}; expected {_KINDS[room]} or None{hint}")

    # ---- the tree ----------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once if `remove_duplicate`, with dotted names."""
        seen = set() if memo is None else memo
        if self in seen:
            return
        if remove_duplicate:
            seen.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(seen, _join(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each once if `remove_duplicate`."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, each once, with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below, each once."""
        return (module for _, module in self.named_children())

    def _named(self, room: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        return self._named_members(lambda module: module.__dict__[room].items(), prefix, recurse, remove_duplicate)

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """What a function finds in this module and, with `recurse`, in all below it, with dotted names."""
        seen: set[int] = set()
        places = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for place, module in places:
            for name, value in get_members_fn(module):
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield _join(place, name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters of this module and, with `recurse`, all below it, each once, with dotted names."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with dotted names."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module of a dotted name; AttributeError if there is none. The empty name is this module."""
        module: Module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute {name!r} (in {target!r})")
            found = getattr(module, name)
            if not isinstance(found, Module):
                raise AttributeError(f"{name!r} (in {target!r}) is not a Module but {type(found).__name__}")
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module in the place of a dotted name; with `strict` there must be one already."""
        if not target:
            raise ValueError("set_submodule: the name is empty; a module cannot replace itself")
        if not isinstance(module, Module):
            raise ValueError(f"set_submodule: expected a Module, got {type(module).__name__}")
        parent, _, name = target.rpartition(".")
        holder = self.get_submodule(parent)
        held = getattr(holder, name, None)
        if (strict and held is None) or (held is not None and not isinstance(held, Module)):
            raise AttributeError(f"{type(holder).__name__} has no module {name!r}")
        setattr(holder, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name; AttributeError if there is none."""
        return self._named_entry("_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of a dotted name; AttributeError if there is none."""
        return self._named_entry("_buffers", target)

    def _named_entry(self, room: str, target: str) -> Any:
        parent, _, name = target.rpartition(".")
        holder = self.get_submodule(parent)
        found = holder.__dict__[room].get(name)
        if found is None:
            raise AttributeError(f"{type(holder).__name__} has no {name!r} among its {room[1:]} (in {target!r})")
        return found

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call a function with every module, children first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ---- modes -------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Behave as in training (dropout drops, batch norm uses the batch); what is below does so, too."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: training mode is expected to be boolean, not {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Behave as in use."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Train the parameters, or freeze them."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters, or make them 0."""
        zero_gradients(self.parameters(), set_to_none)

    # ---- dtype and device --------------------------------------------------------------------------------

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the data of every parameter, its gradient, and every buffer by what `fn` makes of them."""
        for module in self.children() if recurse else ():
            module._apply(fn)
        for p in self._parameters.values():
            if p is not None:
                gradient = p.grad
                p.grad = None
                p.data = fn(p.detach())
                p.grad = None if gradient is None else fn(gradient)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating-point parameters and buffers: ``to(dtype)``, ``to(device, dtype)``, ``to(x)``.

        The parameters stay the same objects; the device is the CPU, where they are.
        """
        wanted = asked_dtype("to", *args, **kwargs)
        if wanted is None:
            return self
        if wanted.kind != "f":
            raise TypeError(f"to: {wanted} is not a floating dtype; nn.Module.to only accepts floating point dtypes")
        return self._apply(lambda t: t.astype(wanted) if t.dtype.kind == "f" else t)

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a dtype."""
        wanted = dtype_named(dst_type)
        return self._apply(lambda t: t.astype(wanted))

    def half(self) -> Self:
        """Convert to float16."""
        return self.to(float16)

    def float(self) -> Self:
        """Convert to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(float64)

    def cpu(self) -> Self:
        """Nothing: everything is on the CPU."""
        return self

    def cuda(self, device: Any = None) -> NoReturn:
        """Refused: there is no GPU."""
        self._refuse("cuda")

    def bfloat16(self) -> NoReturn:
        """Refused: NumPy has no such dtype."""
        self._refuse("bfloat16")

    def share_memory(self) -> NoReturn:
        """Refused: there is one process."""
        self._refuse("share_memory")

    def compile(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: nothing is compiled."""
        self._refuse("compile")

    def _refuse(self, method: str) -> NoReturn:
        error, reason = MODULE_METHODS[method]
        raise error(f"{type(self).__name__}.{method}: {reason}")

    # ---- state -------------------------------------------------------------------------------------------

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """The parameters and persistent buffers by dotted names, sharing their memory.

        Parameters
        ----------
        destination : the mapping to fill, by default a new OrderedDict, which is returned
        prefix : what the names begin with
        keep_vars : give the parameters themselves, not detached tensors of their memory
        """
        state: Any = OrderedDict() if destination is None else destination
        if destination is None:
            state._metadata = OrderedDict()
        local = {"version": self._version}
        if hasattr(state, "_metadata"):
            state._metadata[prefix[:-1]] = local
        hooks = self._state_hooks
        for hook in hooks.save_pre if hooks is not None else ():
            hook(self, prefix, keep_vars)
        save(self, state, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in hooks.save_post if hooks is not None else ():
            if hook(self, state, prefix, local) is not None:
                raise RuntimeError("state_dict: a post hook must return None; change the state in place")
        filled: dict[str, Tensor] = state
        return filled

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values in by name; nothing is changed if a shape, or with `strict` a name, does not fit.

        Parameters
        ----------
        state_dict : tensors or arrays by dotted names
        strict : whether every name must be there, and no other
        assign : make the given tensors themselves the parameters and buffers, with their dtype

        Raises
        ------
        RuntimeError
            That lists every missing and unexpected name and every shape that does not fit.
        """
        return load(self, state_dict, strict, assign)

    def get_extra_state(self) -> object:
        """What a subclass wants in its `state_dict` beside tensors, together with `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__}: get_extra_state is not written; define it with set_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned."""
        raise RuntimeError(f"{type(self).__name__}: set_extra_state is not written; define it with get_extra_state")

    def _complete_state(self, state: dict[str, Any], prefix: str, version: int | None) -> None:
        """Add to a state that was saved by an older version what the class has kept since."""

    def _has_extra_state(self) -> bool:
        return type(self).get_extra_state is not Module.get_extra_state

    # ---- hooks -------------------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before `forward`; what it returns, unless None, takes the place of the args.

        With `with_kwargs` it is ``hook(module, args, kwargs)``, which returns both.
        """
        return register(self._hooks_of_calls().forward_pre, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after `forward`; what it returns, unless None, is the output.

        With `with_kwargs` it is ``hook(module, args, kwargs, output)``; with `always_call` it is called even if
        `forward` raises.
        """
        return register(self._hooks_of_calls().forward, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known; it may return others."""
        return register(self._hooks_of_calls().backward_pre, Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are known.

        Both are tuples, with None for what requires no gradient. A tuple that the hook returns takes the place of
        `grad_input`.
        """
        return register(self._hooks_of_calls().backward, Hook(hook), prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`register_full_backward_hook` under its deprecated name; PyTorch's sees the last op of the module only."""
        return self.register_full_backward_hook(hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before the state is taken."""
        return register(self._hooks_of_state().save_pre, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after the state was taken."""
        return register(self._hooks_of_state().save_post, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call a function before the state of this module is looked at.

        Its arguments are ``(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs)``; it may change the state dict, which is a copy, in place.
        """
        return register(self._hooks_of_state().load_pre, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after the state was loaded; it may change the lists in place."""
        return register(self._hooks_of_state().load_post, hook)

    def _hooks_of_calls(self) -> CallHooks:
        own = self.__dict__.get("_call_hooks")  # the class has some where there are hooks of all modules
        if own is None or own is FIRST_CALL:
            own = self._call_hooks = CallHooks()
        return own

    def _hooks_of_state(self) -> StateHooks:
        if self._state_hooks is None:
            self._state_hooks = StateHooks()
        return self._state_hooks

    # ---- printing ----------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the parentheses of a module without children."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        return framed(self._get_name(), lines, children)

    def _repr_html_(self) -> str:
        """What a notebook shows: a table of the layers, with shapes once it was called, and parameters."""
        html: str = import_module("tinygrad_cnn.nn.notebook").notebook(self)
        return html


_KINDS = {"_parameters": "a Parameter", "_buffers": "a Tensor", "_modules": "a Module"}


def indented(text: str) -> str:
    """All lines but the first moved to the right by two."""
    return text.replace("\n", "\n  ")


def framed(name: str, lines: list[str], children: list[str]) -> str:
    """A module as it is printed: its settings in one line, or they and its children in several."""
    if not children and len(lines) <= 1:
        return f"{name}({''.join(lines)})"
    return f"{name}(\n  " + "\n  ".join(lines + children) + "\n)"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _route(around: Callable[[Any, Callable[[], Any]], Any] | None) -> None:
    """Let every call of a module go through a function that wants to know of it; None: no longer."""

    def __call__(self: Module, *args: Any, **kwargs: Any) -> Any:
        assert around is not None
        return around(self, lambda: _call(self, *args, **kwargs))

    setattr(Module, "__call__", _call if around is None else __call__)  # noqa: B010  it is a method to type checkers


_call: Any = Module.__call__
answer(_route)
