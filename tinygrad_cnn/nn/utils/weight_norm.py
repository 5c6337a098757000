"""Weight normalisation: a weight by its length and its direction (Salimans & Kingma 2016)."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from tinygrad_cnn import ops
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.nn.utils.reparametrized import Reparametrized, find, install, uninstall
from tinygrad_cnn.tensor import Tensor

__all__ = ["remove_weight_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Any, dim: int) -> Any:
    """The norms over all dims but one, which stay as dims of size 1; over all dims if it is -1.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.nn.utils.weight_norm import norm_except_dim
    >>> norm_except_dim(tg.tensor([[3.0, 4.0], [6.0, 8.0]]), 0)
    tensor([[ 5.],
            [10.]])
    """
    if dim == -1:
        return ops.norm(v)
    return ops.norm(v, 2.0, tuple(k for k in range(v.ndim) if k != dim), True)


class WeightNorm(Reparametrized):
    """``w = g v / |v|``"""

    def __init__(self, name: str, dim: int | None) -> None:
        super().__init__(name)
        self.dim = -1 if dim is None else dim

    def compute(self, module: Module) -> Tensor:
        """The weight of its two parameters."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        weight: Tensor = v * (g / norm_except_dim(v, self.dim))
        return weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let a module compute its weight from ``<name>_g``, its length, and ``<name>_v``, its direction.

    The length is that over all dims but `dim`, one per output; None takes one length of the whole.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> layer = tg.nn.utils.weight_norm(tg.nn.Linear(3, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight_g', 'weight_v']
    """
    warnings.warn(
        "nn.utils.weight_norm is deprecated in favor of nn.utils.parametrizations.weight_norm.",
        FutureWarning,
        stacklevel=2,
    )
    norm = WeightNorm(name, dim)
    weight = install(module, norm)
    module.register_parameter(f"{name}_g", Parameter(norm_except_dim(weight.detach(), norm.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, norm.compute(module))
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the computed weight a parameter again.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> layer = tg.nn.utils.remove_weight_norm(tg.nn.utils.weight_norm(tg.nn.Linear(3, 2)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    norm = find(module, name, WeightNorm)
    return uninstall(module, norm, [f"{name}_g", f"{name}_v"], norm.compute(module))
