"""What optimisers share: groups of parameters with their own settings, state, and the loop of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_cnn.autograd import enable_grad, note_write
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.types import NDArray


class Optimizer:
    """Changes parameters by their gradients; a subclass writes `update` for one parameter, at array speed.

    Parameters
    ----------
    params : tensors, or dicts ``{"params": tensors, "lr": …}``, each a group with settings of its own
    defaults : the settings of groups that do not name them
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        if isinstance(params, Tensor):
            raise TypeError("Optimizer: params is one Tensor; give an iterable of them, such as [tensor]")
        given = list(params)
        if not given:
            raise ValueError("Optimizer: got no parameters to optimise")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with settings of their own."""
        params = param_group["params"]
        group = {
            **self.defaults,
            **param_group,
            "params": [params] if isinstance(params, Tensor) else list(params),
        }
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in group["params"]:
            if not isinstance(p, Tensor):
                raise TypeError(f"Optimizer: {type(p).__name__} cannot be optimised; expected leaf Tensors")
            if not p.is_leaf:
                raise ValueError("Optimizer: the result of an op cannot be optimised; expected leaf Tensors")
            if id(p) in known:
                raise ValueError(f"Optimizer: a parameter of shape {p.shape} stands in more than one group")
            known.add(id(p))
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Change one parameter in place; `state` is its own, and empty at first."""
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; a closure computes the loss again first, and it is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    value, gradient = p._data, p.grad._data
                    if group.get("maximize"):
                        gradient = -gradient
                    self.update(value, gradient, self.state.setdefault(p, {}), group)
                    note_write(value)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or make them 0."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad.detach().zero_()

    def state_dict(self) -> dict[str, Any]:
        """State and settings, the parameters by their numbers."""
        numbers = {p: k for k, p in enumerate(p for g in self.param_groups for p in g["params"])}
        return {
            "state": {numbers[p]: {k: _copied(v) for k, v in s.items()} for p, s in self.state.items()},
            "param_groups": [{**g, "params": [numbers[p] for p in g["params"]]} for g in self.param_groups],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and settings of an optimiser with the same groups."""
        saved = state_dict["param_groups"]
        have, given = ([len(g["params"]) for g in groups] for groups in (self.param_groups, saved))
        if have != given:
            raise ValueError(f"load_state_dict: groups of {given} parameters given; this optimiser has {have}")
        params = [p for g in self.param_groups for p in g["params"]]
        for group, settings in zip(self.param_groups, saved, strict=True):
            group.update({k: v for k, v in settings.items() if k != "params"})
        self.state = {params[k]: {n: _copied(v) for n, v in s.items()} for k, s in state_dict["state"].items()}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def check_settings(optimiser: str, **settings: Any) -> None:
    """Each is a number of at least 0."""
    for name, value in settings.items():
        if not value >= 0.0:
            raise ValueError(f"{optimiser}: {name} is {value}; it must be at least 0")
