"""Weight and spectral normalisation, and orthogonal weights, as ``torch.nn.utils.parametrizations``."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.utils.parametrize import register_parametrization
from tinygrad_cnn.nn.utils.spectral_norm import as_matrix, unit
from tinygrad_cnn.nn.utils.weight_norm import norm_except_dim
from tinygrad_cnn.ops.decompositions import geqrf, householder_product, qr
from tinygrad_cnn.ops.matrix_functions import matrix_exp
from tinygrad_cnn.ops.solving import solve
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import eye
from tinygrad_cnn.tensor.sampling import randn
from tinygrad_cnn.torch_names.errors import OptionError

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

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
    """Let a weight be the product of its length, ``original0``, and its direction, ``original1``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(3, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
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
    """Let a weight be ``original`` divided by its largest singular value; see `nn.utils.spectral_norm`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.utils.parametrizations.spectral_norm(tg.nn.Linear(3, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'parametrizations.weight.original']
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module {module!r} has no parameter or buffer with name {name!r}")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


MAPS = "matrix_exp", "cayley", "householder"


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows, if it is wide), made of one without constraints.

    Of its part below the diagonal: ``exp A`` or ``(I - A/2)⁻¹ (I + A/2)`` of the antisymmetric A, or a product of
    Householder's reflections; times `base`, an orthogonal matrix around which it moves (Lezcano-Casado 2019).
    """

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        x = X.mT if wide else X
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            below = ops.tril(x, -1)
            q = householder_product(below, 2.0 / (1.0 + ops.sum(below * below, -2)))
            q = q * ops.unsqueeze(ops.diagonal(x.detach(), 0, -2, -1).sign(), -2)
        else:
            square = ops.pad(ops.tril(x), (0, n - k))
            a = square - square.mT
            if self.orthogonal_map == "matrix_exp":
                q = matrix_exp(a)
            else:
                one = eye(n, dtype=a.dtype)
                q = solve(one - a / 2, one + a / 2)
            q = q[..., :k]
        if self.use_trivialization and self.base is not None:
            q = ops.matmul(self.base, q)
        return q.mT if wide else q

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:
        """Begin at an orthogonal matrix near Q: it becomes the base, or with reflections alone their vectors."""
        if Q.shape != self.shape:
            raise ArgumentError(
                f"orthogonal: Expected a matrix or batch of matrices of shape {tuple(self.shape)}. Got a tensor of "
                f"shape {tuple(Q.shape)}"
            )
        wide = Q.shape[-2] < Q.shape[-1]
        q = Q.mT if wide else Q
        n, k = q.shape[-2:]
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise OptionError(
                    f"orthogonal: a weight cannot be given to {self.orthogonal_map} with use_trivialization=False"
                )
            factors, tau = geqrf(q)
            signs = ops.diagonal(factors, 0, -2, -1).sign()
            signs = ops.where(tau == 0, -signs, signs)
            kept = ops.tril(factors, -1) + ops.triu(factors, 1) + ops.pad(ops.diag_embed(signs), (0, 0, 0, n - k))
            return kept.mT if wide else kept
        if n > k:
            q = ops.cat([q, randn(*q.shape[:-2], n, n - k, dtype=q.dtype)], -1)
        self.base = q.clone() if n == k and _is_orthogonal(q) else _made_orthogonal(q)
        return -eye(self.shape[-2], self.shape[-1], dtype=Q.dtype).expand(self.shape).clone()


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    near = 10 * n * np.finfo(np.dtype(q.dtype)).eps
    return bool(ops.allclose(ops.matmul(q.mT, q), eye(k, dtype=q.dtype), atol=near))


def _made_orthogonal(a: Tensor) -> Tensor:
    """The Q of QR, with the signs with which R has a positive diagonal."""
    q, r = qr(a)
    return q * ops.unsqueeze(ops.diagonal(r, 0, -2, -1).sign(), -2)


def orthogonal(
    module: M, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> M:
    """Keep a weight orthogonal: its columns, or rows if it is wide, stay orthonormal.

    `orthogonal_map` is "matrix_exp" (by default of square weights), "cayley" or "householder" (of others).

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.utils.parametrizations.orthogonal(tg.nn.Linear(2, 2))
    >>> tg.allclose(layer.weight @ layer.weight.T, tg.eye(2), atol=1e-5)
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ArgumentError(f"orthogonal: Module {module} has no parameter or buffer with name {name!r}")
    if weight.ndim < 2:
        raise ArgumentError(
            f"orthogonal: Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in MAPS:
        raise ArgumentError(f"orthogonal: orthogonal_map has to be one of {MAPS}. Got: {orthogonal_map}")
    rule = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, rule, unsafe=True)
