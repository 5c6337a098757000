"""Spectral normalisation: a weight divided by its largest singular value (Miyato et al. 2018)."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.nn.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.utils.reparametrized import Reparametrized, find, install, uninstall
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor

__all__ = ["remove_spectral_norm", "spectral_norm"]

M = TypeVar("M", bound=Module)


def as_matrix(weight: Any, dim: int) -> Any:
    """A weight as a matrix, (size of `dim`, all others)."""
    first = ops.movedim(weight, dim, 0)
    return first.reshape(first.shape[0], -1)


def unit(vector: Any, eps: float) -> Any:
    """A vector divided by its length."""
    return vector / max(float(np.linalg.norm(np.asarray(vector))), eps)


class SpectralNorm(Reparametrized):
    """``w / σ`` with σ = uᵀ W v; u and v come nearer to the first singular vectors with every call in training."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__(name)
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: expected n_power_iterations to be positive, but got {n_power_iterations}")
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps

    def compute(self, module: Module) -> Tensor:
        """The weight, after a step of the power iteration if the module is in training."""
        return self.scaled(module, getattr(module, f"{self.name}_orig"), iterate=module.training)

    def scaled(self, module: Module, weight: Any, *, iterate: bool) -> Tensor:
        """The weight divided by its norm."""
        matrix = as_matrix(weight, self.dim)
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        if iterate:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(unit(ops.matmul(matrix.detach().T, u), self.eps))
                    u.copy_(unit(ops.matmul(matrix.detach(), v), self.eps))
            u, v = u.clone(), v.clone()  # the graph keeps these, the next call writes the others
        scaled: Tensor = weight / ops.dot(u, ops.matmul(matrix, v))
        return scaled


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Let a module divide its weight, now ``<name>_orig``, by its largest singular value before every call.

    Parameters
    ----------
    n_power_iterations : steps of the iteration that finds that value, in each call in training
    eps : the smallest length by which vectors are divided
    dim : the dim of the outputs, by default 0, of transposed convolutions 1

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.utils.spectral_norm(tg.nn.Linear(3, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight_orig']
    """
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    norm = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = install(module, norm)
    matrix = as_matrix(weight.detach(), dim)
    kind = np.dtype(weight.dtype)
    u, v = (Tensor(unit(default_generator.normal((n,), kind), eps).astype(kind)) for n in matrix.shape)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the divided weight a parameter again.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.utils.remove_spectral_norm(tg.nn.utils.spectral_norm(tg.nn.Linear(3, 2)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    norm = find(module, name, SpectralNorm)
    with no_grad():
        weight = norm.scaled(module, getattr(module, f"{name}_orig"), iterate=False)
    return uninstall(module, norm, [f"{name}_orig", f"{name}_u", f"{name}_v"], weight)
