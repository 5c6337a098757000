"""Averaged stochastic gradient descent."""

from typing import Any

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_settings, decayed, follow, next_step, number, rounded
from tinygrad_cnn.tensor import Tensor

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Gradient descent that keeps the average of the parameters, too (Polyak & Juditsky 1992), as ``torch.optim.ASGD``.

    ``p = (1 - lambd · η) p - η · g`` with η = lr / (1 + lambd · lr · t)^alpha; the average, ``state[p]["ax"]``, is of
    all but the first `t0` + 1.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.ASGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.8000, 1.6000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
        switches = {"foreach": foreach, "maximize": maximize}
        more = {"differentiable": differentiable, "capturable": capturable}
        super().__init__(params, {**defaults, **switches, **more})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("ASGD", lr=group["lr"], weight_decay=group["weight_decay"])

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter; η and the share of the average, `mu`, are those that the step before left."""
        lr, lambd = float(group["lr"]), group["lambd"]
        t = next_step(state)
        eta, mu = number(state, "eta", lr), number(state, "mu", 1.0)
        average = buffer(state, "ax", value)
        gradient = decayed(gradient, value, group)
        value *= 1 - lambd * float(eta)
        value -= float(eta) * gradient
        if mu == 1:
            average[...] = value
        else:
            follow(average, value, float(mu))
        eta[...] = rounded(lr / (1 + lambd * lr * t) ** group["alpha"])
        mu[...] = rounded(1 / max(1, t - group["t0"]))
