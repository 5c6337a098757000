"""Adafactor."""

import math
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_settings, follow, next_step, shrink
from tinygrad_cnn.tensor import Tensor

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Steps by the gradient over the root of its mean squares, which a row and a column keep (Shazeer & Stern 2018).

    As ``torch.optim.Adafactor``. With share s = t^beta2_decay, a matrix's mean squares are R·C / mean(R), where the
    columns R and C follow the means of g² along either axis by s; a vector's are kept in full. The step
    U = g / √v is clipped to a root mean square of `d`, and ``p -= max(eps₂, rms(p)) · min(lr, 1/√t) · U``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adafactor([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.detach()
    tensor([0.8419, 1.8419])
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "foreach": foreach, "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("Adafactor", lr=group["lr"], weight_decay=group["weight_decay"])
        eps1, eps2 = group["eps"]
        check_settings("Adafactor", **({} if eps1 is None else {"eps[0]": eps1}), **{"eps[1]": eps2})
        if not group["beta2_decay"] <= 0:
            raise ValueError(f"Adafactor: beta2_decay is {group['beta2_decay']}; it must be at most 0")
        if not group["d"] >= 1:
            raise ValueError(f"Adafactor: d is {group['d']}; it must be at least 1")

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, (eps1, eps2) = float(group["lr"]), group["eps"]
        eps1 = np.finfo(value.dtype).eps if eps1 is None else eps1
        t = next_step(state)
        rate = max(eps2, _rms(value)) * min(lr, 1 / math.sqrt(t))
        shrink(value, group)
        squares, share = gradient * gradient, t ** group["beta2_decay"]
        if gradient.ndim > 1:
            rows, columns = squares.mean(-1, keepdims=True), squares.mean(-2, keepdims=True)
            row, column = buffer(state, "row_var", rows), buffer(state, "col_var", columns)
            follow(row, rows, share)
            follow(column, columns, share)
            variance = row * column / np.maximum(row.mean(-2, keepdims=True), eps1)
        else:
            variance = buffer(state, "variance", value)
            follow(variance, squares, share)
        step = gradient / np.sqrt(np.maximum(variance, eps1 * eps1))
        value -= rate / max(1.0, _rms(step) / group["d"]) * step


def _rms(x: NDArray) -> float:
    """The root of the mean of the squares."""
    return math.sqrt(float(np.mean(x * x)))
