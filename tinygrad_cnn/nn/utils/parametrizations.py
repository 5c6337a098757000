"""Weight and spectral normalisation as parametrizations, as ``torch.nn.utils.parametrizations``."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.nn.conv import ConvTranspose1d, ConvTranspose2d
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.utils.parametrize import register_parametrization
from tinygrad_cnn.nn.utils.spectral_norm import as_matrix, unit
from tinygrad_cnn.nn.utils.weight_norm import norm_except_dim
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor

__all__ = ["spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    """``w = g v / |v|`` (Salimans & Kingma 2016)"""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Length and direction of a weight."""
        return norm_except_dim(weight, self.dim), weight.clone()


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let a weight be the product of its length, ``original0``, and its direction, ``original1``."""
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    """``w / σ`` with σ = uᵀ W v, the largest singular value (Miyato et al. 2018)"""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if n_power_iterations <= 0:
            raise ValueError(
                f"spectral_norm: Expected n_power_iterations to be positive, but got n_power_iterations="
                f"{n_power_iterations}"
            )
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"spectral_norm: dim {dim} is out of range for a weight of shape {tuple(weight.shape)}")
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim % weight.ndim, eps
        if weight.ndim > 1:
            matrix, kind = as_matrix(weight.detach(), self.dim), np.dtype(weight.dtype)
            u, v = (Tensor(unit(default_generator.normal((n,), kind), eps).astype(kind)) for n in matrix.shape)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)
            self._approach(matrix, 15)

    @no_grad()
    def _approach(self, matrix: Any, times: int) -> None:
        for _ in range(times):
            self._u.copy_(unit(ops.matmul(matrix, self._v), self.eps))
            self._v.copy_(unit(ops.matmul(matrix.T, self._u), self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return weight / ops.clamp(ops.norm(weight), min=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._approach(matrix.detach(), self.n_power_iterations)
        return weight / ops.dot(self._u.clone(), ops.matmul(matrix, self._v.clone()))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The weight itself, as one that has the norm 1 already."""
        return value


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Let a weight be ``original`` divided by its largest singular value; see `nn.utils.spectral_norm`."""
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module {module!r} has no parameter or buffer with name {name!r}")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
