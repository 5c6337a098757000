"""What optimisers share: groups of parameters with their own settings, state, hooks, and the loop of a step.

The update rules are one file each; what they keep of a parameter, and how a group's settings are checked, is here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast, overload
from warnings import warn

import numpy as np

from tinygrad_cnn.autograd import enable_grad, note_write
from tinygrad_cnn.autograd.differentiate import zero_gradients
from tinygrad_cnn.autograd.hooks import RemovableHandle, Snapshot
from tinygrad_cnn.core.checks import check_broadcast
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.storage import check_overlap, note_of, owner
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.optim.lookout import OPTIMISERS, Lookout
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.errors import BoundError

__all__ = ["Optimizer"]

Params: TypeAlias = "Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]"
"""What is optimised: tensors, or (name, tensor) pairs, or groups with settings of their own."""
StateDict: TypeAlias = dict[str, Any]

Loss = TypeVar("Loss")
"""What a closure returns, and so `step`: a Tensor, or a number."""
Step = TypeVar("Step", bound=Callable[..., Any])


class _Required:
    """The default of a setting that every group has to name."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def hooked(step: Step) -> Step:
    """`step` with the hooks around it; what `register_step_pre_hook` documents."""

    @wraps(step)
    def with_hooks(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        args = (self, *args)
        for hook in self._hooks["step_pre"]:
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise RuntimeError(f"step: a pre-hook returned {changed!r}; expected None or (args, kwargs)")
                args, kwargs = changed
        self._opt_called = True
        result = step(*args, **kwargs)
        for hook in self._hooks["step_post"]:
            hook(self, args, kwargs)
        lookout = self._lookout
        lookout.steps += 1
        if lookout.steps >= lookout.next:
            lookout.look(self)
        return result

    return cast(Step, with_hooks)


def note_writes(arrays: list[NDArray]) -> None:
    """Say that all of these were written, from one place."""
    if arrays:
        note_write(arrays[0])
        first = note_of(owner(arrays[0]))
        for note in map(note_of, map(owner, arrays[1:])):
            note.time, note.count, note.place = first.time, note.count + 1, first.place


class Optimizer:
    """Changes parameters by their gradients; as ``torch.optim.Optimizer``.

    A subclass writes `update`, the rule for one parameter, at array speed; or, as in PyTorch, its own `step`.

    Parameters
    ----------
    params : tensors, or (name, tensor) pairs such as ``model.named_parameters()``, or dicts
        ``{"params": tensors, "lr": …}``, each a group with settings of its own
    defaults : the settings of groups that do not name them

    Examples
    --------
    >>> from tinygrad_cnn import nn
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     def update(self, value, gradient, state, group):
    ...         value -= group["lr"] * np.sign(gradient)
    >>> w = nn.Parameter([1.0, -1.0])
    >>> (w * w).sum().backward()
    >>> SignDescent([w]).step()
    >>> w.tolist()
    [0.8999999761581421, -0.8999999761581421]
    """

    _scheduled = False  # set by the first schedule, which from then on wants to know of steps

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = hooked(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._hooks: defaultdict[str, Snapshot] = defaultdict(Snapshot)
        self._opt_called = False
        self._lookout = Lookout(type(self).__name__)
        OPTIMISERS.add(self)
        self.check(defaults)
        given = self._listed(params)
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    # ---- groups ------------------------------------------------------------------------------------------

    def _listed(self, params: Any) -> list[Any]:
        """What is to be optimised, as a list; TypeError or ValueError that says what to give."""
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise TypeError(f"{name}: params is one Tensor; give an iterable of them, such as [tensor]")
        if isinstance(params, Module):
            raise TypeError(f"{name}: params is a {type(params).__name__}; give its parameters, net.parameters()")
        if callable(params):
            raise TypeError(f"{name}: params is a {type(params).__name__}; call it, as in net.parameters()")
        given = list(params)
        if not given:
            raise ValueError(
                f"{name}: got no parameters to optimise (an empty parameter list); a network sees no layers in a plain "
                "list, use nn.ModuleList; and what parameters() returns can be gone through only once"
            )
        return given

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with settings of their own; the dict is kept, and completed by the defaults.

        Raises
        ------
        TypeError
            If `param_group` is no dict, or its parameters are a set or no Tensors.
        ValueError
            If a parameter is no leaf or already known, if only some have names, or if a setting is out of its range.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"add_param_group: expected a dict with 'params', got {type(param_group).__name__}")
        name = type(self).__name__
        params, names = _named(name, param_group["params"])
        known = {id(p) for p in self._params()}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    f"{name}: {type(p).__name__} cannot be optimised; expected leaf Tensors, as net.parameters()"
                )
            if not (p.is_leaf or p.retains_grad or self.defaults.get("differentiable")):
                raise ValueError(
                    f"{name}: the result of an op cannot be optimised; expected leaf Tensors, .detach() it first"
                )
            if id(p) in known:
                raise ValueError(f"{name}: a parameter of shape {tuple(p.shape)} stands in more than one group")
        if len({id(p) for p in params}) < len(params):
            warn(f"{name}: a group has duplicate parameters, which are changed twice a step", stacklevel=2)
        if any(("param_names" in group) is not bool(names) for group in self.param_groups):
            raise ValueError(f"{name}: some groups have named parameters, some have not; name all of them or none")
        missing = [k for k, v in self.defaults.items() if v is required and k not in param_group]
        if missing:
            raise ValueError(f"{name}: a group has no {missing[0]!r}, which has no default; give it")
        self.check({**self.defaults, **param_group})
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for setting, value in self.defaults.items():
            param_group.setdefault(setting, value)
        self.param_groups.append(param_group)

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range; subclasses check theirs, too."""
        name = type(self).__name__
        if group.get("capturable"):
            raise BoundError(
                f"{name}: capturable=True is for graphs of a GPU; leave it at False, there is only the CPU"
            )
        for one, other in (("fused", "differentiable"), ("fused", "foreach"), ("foreach", "differentiable")):
            if group.get(one) and group.get(other):
                raise ArgumentError(f"{name}: {one} and {other} cannot both be True; leave {one} at None")

    def _params(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    # ---- stepping ----------------------------------------------------------------------------------------

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Change one parameter in place; `state` is its own, and empty at first. `gradient` is not to be changed."""
        raise NotImplementedError(f"{type(self).__name__}: neither update nor step is written; define one of them")

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...
    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; a closure computes the loss again first, and it is returned."""
        loss = None
        if closure is not None:
            if not callable(closure):
                raise TypeError(
                    f"step: closure is a {type(closure).__name__}; call loss.backward(), then step() without "
                    "arguments, or give a function that computes the loss again"
                )
            with enable_grad():
                loss = closure()
        written: list[NDArray] = []
        try:
            for group in self.param_groups:
                if group.get("differentiable"):
                    self._step_recorded(group)
                else:
                    self._step_group(group, written)
        finally:  # after an interrupt, too
            note_writes(written)
        return loss

    def _step_group(self, group: dict[str, Any], written: list[NDArray]) -> None:
        """Change the parameters of a group at array speed; `written` grows by what may have changed."""
        update, every, negative = self.update, self.state, group.get("maximize")
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            value, gradient = p.array, grad.array
            if value.dtype.kind != "f":
                raise RuntimeError(f"step: a parameter of dtype {value.dtype} cannot be optimised; use floats")
            if gradient.shape != value.shape and check_broadcast("step", value.shape, gradient.shape) != value.shape:
                raise ArgumentError(f"step: .grad was given shape {gradient.shape}, its tensor has {value.shape}")
            if 0 in value.strides:
                check_overlap("step", value)
            written.append(value)
            state = every.get(p, {})
            update(value, -gradient if negative else gradient, state, group)
            if state:
                every[p] = state

    def _step_recorded(self, group: dict[str, Any]) -> None:
        """The same rule on Tensors, so that a loss after the step has gradients by what went into it."""
        for p in group["params"]:
            if p.grad is not None:
                with enable_grad():
                    gradient: Any = -p.grad if group.get("maximize") else p.grad
                    state = self.state.get(p, {})
                    self.update(p, gradient, state, group)
                if state:
                    self.state[p] = state

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or make them 0."""
        lookout = self._lookout
        if lookout.zeroed < lookout.steps:
            lookout.zeroed = lookout.steps
        zero_gradients(self._params(), set_to_none)

    # ---- state -------------------------------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """State and settings, the parameters by their numbers; its Tensors are the optimiser's own, not copies."""
        for hook in self._hooks["state_dict_pre"]:
            hook(self)
        numbers: dict[int, int] = {}
        for p in self._params():
            numbers.setdefault(id(p), len(numbers))
        found: StateDict = {
            "state": {numbers[id(p)] if isinstance(p, Tensor) else p: s for p, s in self.state.items()},
            "param_groups": [{**g, "params": [numbers[id(p)] for p in g["params"]]} for g in self.param_groups],
        }
        for hook in self._hooks["state_dict_post"]:
            found = _or(hook(self, found), found)
        return found

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Take over state and settings of an optimiser with the same groups; arrays become Tensors, all are copied.

        State takes the dtype of its parameter, but for ``step``, which keeps its own.

        Raises
        ------
        KeyError
            If ``"state"`` or ``"param_groups"`` is missing.
        ValueError
            If the groups differ from this optimiser's in their number or their sizes.
        """
        state_dict = dict(state_dict)
        for hook in self._hooks["load_state_dict_pre"]:
            state_dict = _or(hook(self, state_dict), state_dict)
        saved = deepcopy(state_dict["param_groups"])
        have, given = ([len(g["params"]) for g in groups] for groups in (self.param_groups, saved))
        if have != given:
            raise ValueError(f"load_state_dict: groups of {given} parameters given; this optimiser has {have}")
        numbers = [number for group in saved for number in group["params"]]
        params = dict(zip(numbers, self._params(), strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for number, values in state_dict["state"].items():
            if number in params:
                state[params[number]] = {name: _loaded(v, name, params[number]) for name, v in values.items()}
            else:
                state[number] = values
        for group, settings in zip(self.param_groups, saved, strict=True):
            names = {"param_names": group["param_names"]} if "param_names" in group else {}
            settings.update({**names, **settings, "params": group["params"]})
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._hooks["load_state_dict_post"]:
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_hooks" not in self.__dict__:
            self._hooks, self._opt_called = defaultdict(Snapshot), False
            self._lookout = Lookout(type(self).__name__)
            OPTIMISERS.add(self)

    # ---- hooks -------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other ``(args, kwargs)``."""
        return self._register("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._register("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`; what it returns replaces the result."""
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before `load_state_dict`; what it returns is loaded instead."""
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after `load_state_dict`."""
        return self._register("load_state_dict_post", hook, prepend)

    def _register(self, event: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks[event]
        hooks.insert(0 if prepend else len(hooks), hook)
        return RemovableHandle(hooks, hook)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for k, group in enumerate(self.param_groups):
            text += f"\nParameter Group {k}\n"
            text += "".join(f"    {name}: {_number(group[name])}\n" for name in sorted(group) if name != "params")
        return text + ")"


# ---- details -----------------------------------------------------------------------------------------------


def _named(optimiser: str, params: Any) -> tuple[list[Any], list[str]]:
    """Parameters, and their names if they were given as pairs."""
    if isinstance(params, Tensor):
        return [params], []
    if isinstance(params, set):
        raise TypeError(f"{optimiser}: the order of a set is not the same in every run; give the parameters as a list")
    given = list(params)
    names = [p[0] for p in given if isinstance(p, tuple)]
    if names and len(names) != len(given):
        raise ValueError(f"{optimiser}: some parameters have names, some have not; name all of them or none")
    return [p[1] for p in given] if names else given, names


def _loaded(value: Any, name: str, param: Tensor) -> Any:
    """A copy of saved state for this parameter."""
    if isinstance(value, dict):
        return {k: _loaded(v, k, param) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_loaded(v, name, param) for v in value)
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        array = value.array if isinstance(value, Tensor) else np.asarray(value)
        return Tensor.wrap(array.astype(array.dtype if name == "step" or param.dtype.kind != "f" else param.dtype))
    return value


def _number(value: Any) -> Any:
    """A Tensor of one element as its number: so PyTorch prints settings."""
    return value.item() if isinstance(value, Tensor) and value.numel() == 1 else value


def _or(returned: Any, otherwise: Any) -> Any:
    """What a hook returned, unless that is None."""
    return otherwise if returned is None else returned
