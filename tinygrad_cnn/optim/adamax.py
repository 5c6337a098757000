"""Adamax."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_betas, check_settings, decayed, follow, next_step, raise_to, setting
from tinygrad_cnn.tensor import Tensor

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam with the largest gradient in place of the mean square (Kingma & Ba 2015, section 7.1).

    With ``m = β₁m + (1 - β₁)g`` and ``u = max(β₂u, |g| + eps)``: ``p -= lr / (1 - β₁ᵗ) · m / u``, as
    ``torch.optim.Adamax``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adamax([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.9000, 1.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach}
        switches = {"maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        super().__init__(params, {**defaults, **switches})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("Adamax", lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        check_betas("Adamax", group["betas"])

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        beta1, beta2 = group["betas"]
        t = next_step(state)
        mean, largest = buffer(state, "exp_avg", value), buffer(state, "exp_inf", value)
        gradient = decayed(gradient, value, group)
        follow(mean, gradient, 1 - beta1)
        largest *= beta2
        raise_to(largest, np.abs(gradient) + group["eps"])
        value -= setting(group, "lr") / (1 - beta1**t) * mean / largest
