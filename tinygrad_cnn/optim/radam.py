"""RAdam."""

import math
from typing import Any

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import (
    buffer,
    check_betas,
    check_settings,
    decayed,
    follow,
    follow_square,
    next_step,
    root,
    setting,
    shrink,
)
from tinygrad_cnn.tensor import Tensor

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Adam that waits to divide until it knows the mean square well enough (Liu et al. 2020).

    With Adam's m̂ and v̂, ρ∞ = 2 / (1 - β₂) - 1 and ρₜ = ρ∞ - 2tβ₂ᵗ / (1 - β₂ᵗ): while ρₜ ≤ 5, ``p -= lr · m̂``; then
    ``p -= lr · r · m̂ / √v̂`` with r² = (ρₜ - 4)(ρₜ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρₜ), as ``torch.optim.RAdam``, which
    adds eps to √v.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.RAdam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.8000, 1.6000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        switches = {"foreach": foreach, "capturable": capturable}
        more = {"decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable}
        super().__init__(params, {**defaults, **switches, **more})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("RAdam", lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        check_betas("RAdam", group["betas"])

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, (beta1, beta2) = setting(group, "lr"), group["betas"]
        t = next_step(state)
        mean, square = buffer(state, "exp_avg", value), buffer(state, "exp_avg_sq", value)
        if group["decoupled_weight_decay"]:
            shrink(value, group)
        else:
            gradient = decayed(gradient, value, group)
        follow(mean, gradient, 1 - beta1)
        follow_square(square, gradient, 1 - beta2)
        rate, bias2 = lr / (1 - beta1**t), 1 - beta2**t
        most = 2 / (1 - beta2) - 1
        length = most - 2 * t * beta2**t / bias2  # of the average that v is, about
        if length > 5:
            rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
            value -= rate * math.sqrt(rectified * bias2) * mean / root(square, group["eps"])
        else:
            value -= rate * mean
