"""Adam and AdamW."""

import math
from typing import Any

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import (
    buffer,
    check_betas,
    check_pair_of_betas,
    check_settings,
    decayed,
    follow,
    follow_square,
    next_step,
    over,
    raise_to,
    root,
    setting,
    shrink,
)
from tinygrad_cnn.tensor import Tensor

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps by the mean of gradients over the root of the mean of their squares (Kingma & Ba 2015).

    With m = β₁m + (1 - β₁)g and v = β₂v + (1 - β₂)g², both from 0,
    ``p -= lr · m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + eps)``, as ``torch.optim.Adam``. Weight decay is added to the
    gradient, unless it is decoupled; `amsgrad` (Reddi et al. 2018) divides by the root of the largest v so far.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.9000, 1.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_pair_of_betas(type(self).__name__, betas)
        if not all(isinstance(b, float) for b in betas) and not all(isinstance(b, Tensor) for b in betas):
            raise ValueError(f"{type(self).__name__}: betas are {betas}; expected two floats or two Tensors")
        if foreach and not capturable and any(isinstance(given, Tensor) for given in (lr, *betas)):
            raise ArgumentError(
                f"{type(self).__name__}: with foreach=True lr and betas are numbers; leave foreach at None"
            )
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        switches = {"maximize": maximize, "foreach": foreach, "capturable": capturable}
        more = {"differentiable": differentiable, "fused": fused, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, {**defaults, **switches, **more})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        name = type(self).__name__
        check_settings(name, lr=group["lr"], eps=group["eps"], weight_decay=group["weight_decay"])
        check_betas(name, group["betas"])

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter; the two corrections of the start are numbers, so they cost no pass."""
        lr, (beta1, beta2) = setting(group, "lr"), map(float, group["betas"])
        t = next_step(state)
        bias1, bias2 = 1 - beta1**t, math.sqrt(1 - beta2**t)
        mean, square = buffer(state, "exp_avg", value), buffer(state, "exp_avg_sq", value)
        largest = buffer(state, "max_exp_avg_sq", value) if group["amsgrad"] else None
        rate, eps, new = lr * bias2 / bias1, group["eps"] * bias2, (1 - beta1, 1 - beta2)
        decoupled = group["decoupled_weight_decay"]
        if group["differentiable"]:
            if decoupled:
                shrink(value, group)
            else:
                gradient = decayed(gradient, value, group)
            follow(mean, gradient, new[0])
            follow_square(square, gradient, new[1])
            if largest is not None:
                raise_to(largest, square)
            value -= rate * over(mean, root(square if largest is None else largest, eps))
        else:
            decay = float(group["weight_decay"])
            kept = 1 - lr * decay if decoupled else 1.0
            decay = 0.0 if decoupled else decay
            chosen.adam(value, gradient, mean, square, largest, rate=rate, eps=eps, new=new, decay=decay, kept=kept)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself (Loshchilov & Hutter 2019), as ``torch.optim.AdamW``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.AdamW([p], lr=0.1, weight_decay=0.5)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.8500, 1.8000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
