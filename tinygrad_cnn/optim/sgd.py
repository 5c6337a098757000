"""Stochastic gradient descent."""

from typing import Any

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_settings, decayed, setting
from tinygrad_cnn.tensor import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """``p -= lr · v`` with ``v = momentum · v + (1 - dampening)(g + weight_decay · p)``, as ``torch.optim.SGD``.

    Nesterov's momentum (Sutskever et al. 2013) steps by ``g + momentum · v``. The first v is g itself, undampened.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.8000, 1.6000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        switches = {"maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused}
        super().__init__(params, {**defaults, "nesterov": nesterov, **switches})
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and a dampening of 0")

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("SGD", lr=group["lr"], momentum=group["momentum"], weight_decay=group["weight_decay"])

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        momentum, nesterov = group["momentum"], group["nesterov"]
        if not momentum:
            gradient = decayed(gradient, value, group)
            if group["differentiable"]:
                value -= setting(group, "lr") * gradient
            else:
                chosen.descend(value, gradient, float(group["lr"]))
            return
        first = state.get("momentum_buffer") is None
        if first:
            state.pop("momentum_buffer", None)
        velocity, dampening = buffer(state, "momentum_buffer", value), 0 if first else group["dampening"]
        if group["differentiable"]:
            gradient = decayed(gradient, value, group)
            velocity *= momentum
            velocity += gradient if dampening == 0 else (1 - dampening) * gradient
            value -= setting(group, "lr") * (gradient + momentum * velocity if nesterov else velocity)
        else:
            rate, decay = float(group["lr"]), float(group["weight_decay"])
            options: dict[str, Any] = {"momentum": momentum, "dampening": dampening, "nesterov": nesterov}
            chosen.descend_by_velocity(value, gradient, velocity, rate, decay=decay, **options)
