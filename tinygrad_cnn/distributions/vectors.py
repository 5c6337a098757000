"""Normal distributions of vectors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.distribution import AroundLoc, Shape
from tinygrad_cnn.distributions.parameters import floating, lazy_property, standard_normal
from tinygrad_cnn.ops.decompositions import cholesky
from tinygrad_cnn.ops.solving import solve_triangular
from tinygrad_cnn.tensor import Tensor

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal"]


def log_diagonal(matrix: Tensor) -> Tensor:
    """Σ ln of the diagonal: of a triangular matrix, the logarithm of the determinant."""
    return matrix.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Matrices times vectors."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def solve_lower(matrix: Tensor, right: Tensor) -> Tensor:
    """L⁻¹ times a matrix."""
    return solve_triangular(matrix, right, upper=False)


def mahalanobis(scale_tril: Tensor, distance: Tensor) -> Tensor:
    """‖L⁻¹ d‖²."""
    return solve_lower(scale_tril, distance.unsqueeze(-1)).square().sum(-2).squeeze(-1)


def square_sum(matrix: Tensor) -> Tensor:
    """The trace of A Aᵀ."""
    return matrix.square().sum(-1).sum(-1)


class MultivariateNormal(AroundLoc):
    """Normal vectors of mean `loc`, with one of: their covariance, its inverse, or its lower Cholesky factor L.

    >>> MultivariateNormal([0.0, 0.0], scale_tril=[[1.0, 0.0], [1.0, 2.0]]).variance
    tensor([1., 5.])
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: ArrayLike,
        covariance_matrix: ArrayLike = None,
        precision_matrix: ArrayLike = None,
        scale_tril: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril,
        }  # fmt: skip
        named = {name: floating(value) for name, value in given.items() if value is not None}
        centre = floating(loc)
        if centre.ndim < 1:
            raise ArgumentError("loc must be at least one-dimensional.")
        if len(named) != 1:
            raise ArgumentError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = named.items()
        if matrix.ndim < 2:
            raise ArgumentError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        try:
            batch = np.broadcast_shapes(matrix.shape[:-2], centre.shape[:-1])
        except ValueError:
            raise ArgumentError(
                f"MultivariateNormal: loc of shape {centre.shape} and {name} of shape {matrix.shape} do not fit"
            ) from None
        self.loc = centre.expand(*batch, -1)
        vars(self)[name] = matrix.expand(*batch, -1, -1)
        super().__init__(batch, self.loc.shape[-1:], validate_args)
        self._unbroadcasted_scale_tril = {
            "scale_tril": lambda: matrix,
            "covariance_matrix": lambda: cholesky(matrix),
            "precision_matrix": lambda: inverse_factor(matrix),
        }[name]()

    def _whole(self, matrix: Tensor) -> Tensor:
        return matrix.expand(*self._batch_shape, *self._event_shape, *self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """L."""
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """L Lᵀ."""
        return self._whole(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """(L Lᵀ)⁻¹."""
        inverse = solve_lower(self._unbroadcasted_scale_tril, identity(self._unbroadcasted_scale_tril))
        return self._whole(inverse.mT @ inverse)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc + L ε with ε of the standard normal distribution."""
        noise = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + times(self._unbroadcasted_scale_tril, noise)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-½ (k ln 2π + ‖L⁻¹(value - loc)‖²) - ln |L|."""
        distance = mahalanobis(self._unbroadcasted_scale_tril, self._given(value) - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - log_diagonal(self._unbroadcasted_scale_tril)

    def entropy(self) -> Tensor:
        """½ k (1 + ln 2π) + ln |L|."""
        found = 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi)) + log_diagonal(self._unbroadcasted_scale_tril)
        return found.expand(*self._batch_shape) if self._batch_shape else found

    @property
    def variance(self) -> Tensor:
        """The diagonal of the covariance."""
        return self._unbroadcasted_scale_tril.square().sum(-1).expand(*self._batch_shape, *self._event_shape)


def identity(like: Tensor) -> Tensor:
    """The identity of a matrix's size."""
    return Tensor.wrap(np.eye(like.shape[-1], dtype=like.array.dtype))


def inverse_factor(precision: Tensor) -> Tensor:
    """The lower Cholesky factor of the inverse: that of the matrix with both axes turned is its inverse's transpose."""
    turned = cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    return solve_lower(turned, identity(precision))


class LowRankMultivariateNormal(AroundLoc):
    """Normal vectors whose covariance is W Wᵀ + D, with W of few columns and D diagonal.

    >>> LowRankMultivariateNormal([0.0, 0.0], [[1.0], [2.0]], [1.0, 1.0]).variance
    tensor([2., 5.])
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: ArrayLike, cov_factor: ArrayLike, cov_diag: ArrayLike, validate_args: bool | None = None
    ) -> None:
        centre, factor, diagonal = floating(loc), floating(cov_factor), floating(cov_diag)
        if centre.ndim < 1:
            raise ArgumentError("loc must be at least one-dimensional.")
        if factor.ndim < 2:
            raise ArgumentError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        size = centre.shape[-1]
        if factor.shape[-2] != size:
            raise ArgumentError(f"cov_factor must be a batch of matrices with shape {size} x m")
        if diagonal.ndim < 1 or diagonal.shape[-1] != size:
            raise ArgumentError(f"cov_diag must be a batch of vectors with shape {(size,)}")
        try:
            batch = np.broadcast_shapes(centre.shape[:-1], factor.shape[:-2], diagonal.shape[:-1])
        except ValueError:
            raise ArgumentError(
                f"Incompatible batch shapes: loc {centre.shape}, cov_factor {factor.shape}, cov_diag {diagonal.shape}"
            ) from None
        self.loc = centre.expand(*batch, -1)
        self.cov_factor = factor.expand(*batch, -1, -1)
        self.cov_diag = diagonal.expand(*batch, -1)
        super().__init__(batch, (size,), validate_args)

    @property
    def _capacitance_tril(self) -> Tensor:
        """The Cholesky factor of 1 + Wᵀ D⁻¹ W (Woodbury's formula)."""
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        return cholesky(weighted @ self.cov_factor + identity(weighted @ self.cov_factor))

    def _log_determinant(self) -> Tensor:
        return 2 * log_diagonal(self._capacitance_tril) + self.cov_diag.log().sum(-1)

    def _mahalanobis(self, distance: Tensor) -> Tensor:
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        inner = mahalanobis(self._capacitance_tril, times(weighted, distance))
        return (distance.square() / self.cov_diag).sum(-1) - inner

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """W Wᵀ + D."""
        return self.cov_factor @ self.cov_factor.mT + ops.diag_embed(self.cov_diag)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """D⁻¹ - Aᵀ A with A = L⁻¹ Wᵀ D⁻¹."""
        inner = solve_lower(self._capacitance_tril, self.cov_factor.mT / self.cov_diag.unsqueeze(-2))
        return ops.diag_embed(1 / self.cov_diag) - inner.mT @ inner

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc + W ε + √D δ with normal numbers ε and δ."""
        shape = self._extended_shape(sample_shape)
        narrow = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        wide = standard_normal(shape, self.loc)
        return self.loc + times(self.cov_factor, narrow) + self.cov_diag.sqrt() * wide

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-½ (k ln 2π + ln |Σ| + dᵀ Σ⁻¹ d) with d = value - loc."""
        distance = self._mahalanobis(self._given(value) - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_determinant() + distance)

    def entropy(self) -> Tensor:
        """½ (k (1 + ln 2π) + ln |Σ|)."""
        return 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + self._log_determinant())

    @property
    def variance(self) -> Tensor:
        """The diagonal of the covariance."""
        return self.cov_factor.square().sum(-1) + self.cov_diag
