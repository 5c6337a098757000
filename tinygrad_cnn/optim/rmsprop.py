"""RMSprop."""

from typing import Any

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import (
    buffer,
    check_settings,
    decayed,
    follow,
    follow_square,
    next_step,
    over,
    root,
    setting,
)
from tinygrad_cnn.tensor import Tensor

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Steps by the gradient over the root of the mean of its squares (Hinton's lecture 6e, 2012).

    With v = αv + (1 - α)g², ``p -= lr · g / (√v + eps)``, as ``torch.optim.RMSprop``. `centered` takes the variance
    v - ḡ² instead of v, with ḡ = αḡ + (1 - α)g (Graves 2013); with `momentum`, ``b = momentum · b + g / (√v + eps)``
    and ``p -= lr · b``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.RMSprop([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([5.9605e-08, 1.0000e+00])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        switches = {"capturable": capturable, "foreach": foreach, "maximize": maximize}
        more = {"weight_decay": weight_decay, **switches, "differentiable": differentiable}
        super().__init__(params, {**defaults, **more})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        numbers = {name: group[name] for name in ("lr", "eps", "momentum", "weight_decay", "alpha")}
        check_settings("RMSprop", **numbers)

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, alpha, momentum = setting(group, "lr"), group["alpha"], group["momentum"]
        next_step(state)
        square = buffer(state, "square_avg", value)
        velocity = buffer(state, "momentum_buffer", value) if momentum > 0 else None
        gradient = decayed(gradient, value, group)
        follow_square(square, gradient, 1 - alpha)
        if group["centered"]:
            mean = buffer(state, "grad_avg", value)
            follow(mean, gradient, 1 - alpha)
            square = square - mean * mean
        step = over(gradient, root(square, group["eps"]))
        if velocity is not None:
            velocity *= momentum
            velocity += step
            step = lr * velocity
        else:
            step *= lr
        value -= step
