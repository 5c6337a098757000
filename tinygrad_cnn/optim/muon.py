"""Muon."""

import math
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.optimizer import Optimizer, Params
from tinygrad_cnn.optim.rules import buffer, check_settings, follow, shrink

__all__ = ["Muon"]


class Muon(Optimizer):
    """Steps of orthonormal matrices, for the weights of hidden layers (Jordan et al. 2024), as ``torch.optim.Muon``.

    The mean of gradients m = m + (1 - momentum)(g - m) (with `nesterov` g + momentum (m - g)) is brought near to the
    orthonormal matrix U Vᵀ of its singular value decomposition by `ns_steps` of Newton and Schulz's iteration
    ``X = aX + (bA + cA²)X`` with A = X Xᵀ; the weights shrink by ``lr · weight_decay`` first. The rate is
    ``lr √max(1, rows / columns)``, or with ``adjust_lr_fn="match_rms_adamw"`` ``0.2 lr √max(rows, columns)``. The
    iteration is rounded to bfloat16, as in PyTorch.

    Parameters are matrices; give biases and the rest to AdamW.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> optimizer = tg.optim.Muon([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        settings = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov}
        steps = {"ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
        super().__init__(params, {**settings, **steps})
        for p in self._params():
            if p.ndim != 2:
                raise ValueError(f"Muon: a parameter has shape {tuple(p.shape)}; Muon only supports 2D parameters")

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("Muon", lr=group["lr"], momentum=group["momentum"], weight_decay=group["weight_decay"])
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn is {group['adjust_lr_fn']!r}; expected None, 'original' or 'match_rms_adamw'"
            )
        if group["ns_steps"] >= 100:
            raise ValueError(f"Muon: ns_steps is {group['ns_steps']}; it must be less than 100")
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Muon: ns_coefficients are {group['ns_coefficients']}; expected three numbers")

    def update(self, value: NDArray, gradient: NDArray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one matrix."""
        lr, momentum = float(group["lr"]), group["momentum"]
        mean = buffer(state, "momentum_buffer", value)
        follow(mean, gradient, 1 - momentum)
        change = gradient + momentum * (mean - gradient) if group["nesterov"] else mean
        step = orthogonal(change, group["ns_coefficients"], group["ns_steps"], group["eps"])
        shrink(value, group)
        rows, columns = value.shape
        ratio = math.sqrt(max(1, rows / columns))
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        value -= lr * ratio * step.astype(value.dtype)


def orthogonal(matrix: NDArray, coefficients: tuple[float, float, float], steps: int, eps: float) -> NDArray:
    """Near to U Vᵀ of the singular value decomposition, in bfloat16 held in float32."""
    a, b, c = coefficients
    x = bfloat16(matrix)
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T
    x = bfloat16(
        x
        / np.maximum(bfloat16(np.sqrt(np.sum(x * x, dtype=np.float32, keepdims=True))), bfloat16(np.full((1, 1), eps)))
    )
    for _ in range(steps):
        gram = bfloat16(x @ x.T)
        change = bfloat16(np.float32(b) * gram + np.float32(c) * (gram @ gram))
        x = bfloat16(np.float32(a) * x + change @ x)
    return x if wide else x.T


def bfloat16(x: NDArray) -> NDArray:
    """Rounded to the 8 digits of bfloat16, to even in a tie, as float32."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    found = (rounded & np.uint32(0xFFFF0000)).view(np.float32)
    return np.where(np.isnan(x), np.float32(np.nan), found)
