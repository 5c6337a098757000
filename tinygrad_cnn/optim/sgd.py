"""Stochastic gradient descent."""

from collections.abc import Iterable
from typing import Any

from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.optim.optimizer import Optimizer, check_settings
from tinygrad_cnn.types import NDArray


class SGD(Optimizer):
    """``p -= lr · v`` with ``v = momentum · v + (1 - dampening)(g + weight_decay · p)``, as ``torch.optim.SGD``.

    Nesterov's momentum (Sutskever et al. 2013) steps by ``g + momentum · v``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "nesterov": nesterov, "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        check_settings("SGD", lr=group["lr"], momentum=group["momentum"], weight_decay=group["weight_decay"])
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and a dampening of 0")

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        momentum = group["momentum"]
        if group["weight_decay"]:
            gradient = gradient + group["weight_decay"] * value
        if momentum:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = state["momentum_buffer"] = gradient.copy()
            else:
                velocity *= momentum
                velocity += (1 - group["dampening"]) * gradient
            gradient = gradient + momentum * velocity if group["nesterov"] else velocity
        chosen.descend(value, gradient, group["lr"])
