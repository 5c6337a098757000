"""Adagrad."""

from typing import Any

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_settings, decayed, next_step, number, over, root, setting
from tinygrad_cnn.tensor import Tensor

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Steps by the gradient over the root of the sum of its squares (Duchi, Hazan & Singer 2011).

    With s = s + g² from `initial_accumulator_value`, ``p -= lr / (1 + (t - 1) lr_decay) · g / (√s + eps)``, as
    ``torch.optim.Adagrad``. Its state exists before the first step.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adagrad([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.9000, 1.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        switches = {"foreach": foreach, "maximize": maximize, "differentiable": differentiable, "fused": fused}
        super().__init__(params, {**defaults, "initial_accumulator_value": initial_accumulator_value, **switches})
        for p in self._params():
            number(self.state[p], "step", 0.0)
            buffer(self.state[p], "sum", p.array, initial_accumulator_value)

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        names = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        check_settings("Adagrad", **{name: group[name] for name in names})

    def share_memory(self) -> None:
        """PyTorch's way to share the state among processes; not here."""
        raise NotImplementedError("Adagrad.share_memory: processes share no memory here; train in one process")

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        t = next_step(state)
        total = buffer(state, "sum", value, self.defaults["initial_accumulator_value"])
        gradient = decayed(gradient, value, group)
        total += gradient * gradient
        step = over(gradient, root(total, group["eps"]))
        step *= setting(group, "lr") / (1 + (t - 1) * group["lr_decay"])
        value -= step
