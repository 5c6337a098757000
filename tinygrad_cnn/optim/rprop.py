"""Rprop."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_settings, keep_within, next_step
from tinygrad_cnn.tensor import Tensor

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Steps by the sign of the gradient, of a length that each element learns (Riedmiller & Braun 1993).

    The length, at first lr, grows by ``etas[1]`` where the sign stays and shrinks by ``etas[0]`` where it changes,
    within `step_sizes`; where it changed, the element rests for a step. As ``torch.optim.Rprop``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Rprop([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.9000, 1.9000])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach}
        switches = {"maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        super().__init__(params, {**defaults, **switches})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("Rprop", lr=group["lr"])
        if not 0.0 < group["etas"][0] < 1.0 < group["etas"][1]:
            raise ValueError(f"Rprop: etas are {group['etas']}; expected one between 0 and 1, and one above 1")

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        (shrinking, growing), (least, most) = group["etas"], group["step_sizes"]
        next_step(state)
        before, length = buffer(state, "prev", value), buffer(state, "step_size", value, float(group["lr"]))
        agreement = gradient * before
        shorter = np.where(agreement < 0, length * shrinking, length)
        length[...] = np.where(agreement > 0, length * growing, shorter)  # in the dtype of the parameter
        keep_within(length, least, most)
        before[...] = np.where(agreement < 0, 0, gradient)
        value -= np.sign(before) * length
