"""NAdam."""

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
    number,
    root,
    setting,
    shrink,
)
from tinygrad_cnn.tensor import Tensor

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016).

    With Adam's m and v, and a momentum μₜ = β₁(1 - ½ · 0.96^(t · momentum_decay)) that grows to β₁,
    ``p -= lr · (g · (1 - μₜ) / (1 - ∏μ₁…μₜ) + m · μₜ₊₁ / (1 - ∏μ₁…μₜ₊₁)) / (√(v / (1 - β₂ᵗ)) + eps)``, as
    ``torch.optim.NAdam``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.NAdam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.8944, 1.8944])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        decays = {"momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay}
        switches = {"maximize": maximize, "foreach": foreach}
        more = {"capturable": capturable, "differentiable": differentiable}
        super().__init__(params, {**defaults, **decays, **switches, **more})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        names = ("lr", "eps", "weight_decay", "momentum_decay")
        check_settings("NAdam", **{name: group[name] for name in names})
        check_betas("NAdam", group["betas"])

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, (beta1, beta2) = setting(group, "lr"), group["betas"]
        t = next_step(state)
        product = number(state, "mu_product", 1.0)
        mean, square = buffer(state, "exp_avg", value), buffer(state, "exp_avg_sq", value)
        if group["decoupled_weight_decay"]:
            shrink(value, group)
        else:
            gradient = decayed(gradient, value, group)
        now, then = (beta1 * (1 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (t, t + 1))
        product *= now
        follow(mean, gradient, 1 - beta1)
        follow_square(square, gradient, 1 - beta2)
        deviation = root(square / (1 - beta2**t), group["eps"])
        value -= lr * (1 - now) / (1 - float(product)) * gradient / deviation
        value -= lr * then / (1 - float(product) * then) * mean / deviation
