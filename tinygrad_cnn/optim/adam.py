"""Adam and AdamW."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_cnn.optim.optimizer import Optimizer, check_settings
from tinygrad_cnn.types import NDArray


class Adam(Optimizer):
    """Steps by the mean of gradients over the root of the mean of their squares (Kingma & Ba 2015).

    As ``torch.optim.Adam``: weight decay is added to the gradient; `amsgrad` (Reddi et al. 2018) divides by the
    largest mean square so far.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "amsgrad": amsgrad, "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        name = type(self).__name__
        check_settings(name, lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        if not all(0.0 <= beta < 1.0 for beta in group["betas"]):
            raise ValueError(f"{name}: betas are {group['betas']}; each must be at least 0 and below 1")

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        beta1, beta2 = group["betas"]
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(value), exp_avg_sq=np.zeros_like(value))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = np.zeros_like(value)
        state["step"] += 1
        if group["weight_decay"]:
            if self.decoupled:
                value *= 1 - group["lr"] * group["weight_decay"]
            else:
                gradient = gradient + group["weight_decay"] * value
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean += (1 - beta1) * (gradient - mean)
        square *= beta2
        square += (1 - beta2) * gradient * gradient
        if group["amsgrad"]:
            square = np.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
        denominator = np.sqrt(square)
        denominator /= math.sqrt(1 - beta2 ** state["step"])
        denominator += group["eps"]
        value -= group["lr"] / (1 - beta1 ** state["step"]) * mean / denominator


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself (Loshchilov & Hutter 2019)."""

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
