"""Adadelta."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_settings, decayed, follow_square, next_step, over, root, setting
from tinygrad_cnn.tensor import Tensor

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Steps as large as the steps before were, relative to the gradient (Zeiler 2012).

    With v = ρv + (1 - ρ)g², Δ = g · √(u + eps) / √(v + eps) and u = ρu + (1 - ρ)Δ², ``p -= lr · Δ``, as
    ``torch.optim.Adadelta``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adadelta([p])
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.9968, 1.9968])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        switches = {"capturable": capturable, "foreach": foreach, "differentiable": differentiable}
        super().__init__(params, {**defaults, **switches})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("Adadelta", lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        if not 0.0 <= group["rho"] <= 1.0:
            raise ValueError(f"Adadelta: rho is {group['rho']}; it must be at least 0 and at most 1")

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        rho, eps = group["rho"], group["eps"]
        next_step(state)
        square, steps = buffer(state, "square_avg", value), buffer(state, "acc_delta", value)
        gradient = decayed(gradient, value, group)
        follow_square(square, gradient, 1 - rho)
        step = over(np.sqrt(steps + eps), root(square + eps, 0.0))
        step *= gradient
        follow_square(steps, step, 1 - rho)
        value -= setting(group, "lr") * step
