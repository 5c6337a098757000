"""Methods of `Tensor` from linear algebra, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import Any, Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.tensor.facts import FactMethods


class ProductMethods(FactMethods):
    """Products of matrices."""

    __slots__ = ()

    def matmul(self, other: ArrayLike) -> Self:
        """Matrix product with batch broadcasting; a vector counts as a row on the left, a column on the right."""
        return ops.matmul(self, other)

    def mm(self, mat2: ArrayLike) -> Self:
        """Product of two matrices, without broadcasting."""
        return ops.mm(self, mat2)

    def bmm(self, mat2: ArrayLike) -> Self:
        """Products of two batches of matrices, without broadcasting."""
        return ops.bmm(self, mat2)

    def dot(self, tensor: ArrayLike) -> Self:
        """Inner product of two vectors."""
        return ops.dot(self, tensor)

    def outer(self, vec2: ArrayLike) -> Self:
        """Outer product of two vectors: (n,) and (m,) give (n, m)."""
        return ops.outer(self, vec2)

    def mv(self, vec: ArrayLike) -> Self:
        """Product of a matrix (n, m) and a vector (m,)."""
        return ops.mv(self, vec)

    def addmm(self, mat1: ArrayLike, mat2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """``beta * input + alpha * (mat1 @ mat2)``"""
        return ops.addmm(self, mat1, mat2, beta=beta, alpha=alpha)

    def addmv(self, mat: ArrayLike, vec: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """``beta * input + alpha * (mat @ vec)``"""
        return ops.addmv(self, mat, vec, beta=beta, alpha=alpha)

    def addr(self, vec1: ArrayLike, vec2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """``beta * input + alpha * outer(vec1, vec2)``"""
        return ops.addr(self, vec1, vec2, beta=beta, alpha=alpha)

    def addbmm(self, batch1: ArrayLike, batch2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """``beta * input + alpha * Σ (batch1[i] @ batch2[i])``"""
        return ops.addbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    def baddbmm(self, batch1: ArrayLike, batch2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """``beta * input + alpha * (batch1 @ batch2)``, batch by batch"""
        return ops.baddbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    def inner(self, other: ArrayLike) -> Self:
        """Sums of products over the last dims of both."""
        return ops.inner(self, other)

    def ger(self, vec2: ArrayLike) -> Self:
        """Outer product of two vectors: (n,) and (m,) give (n, m)."""
        return ops.ger(self, vec2)

    def vdot(self, other: ArrayLike) -> Self:
        """Inner product of two vectors."""
        return ops.vdot(self, other)

    def matrix_power(self, n: int) -> Self:
        """A square matrix times itself, `n` times (n >= 0); of batches, each."""
        return ops.matrix_power(self, n)

    def kron(self, other: ArrayLike) -> Self:
        """Kronecker's product: each element of the first times the whole second."""
        return ops.kron(self, other)

    @flexible
    def cross(self, other: ArrayLike, dim: int | None = None) -> Self:
        """Cross product of vectors of 3 elements, along a dim (without one the first of size 3)."""
        return ops.cross(self, other, dim)

    def adjoint(self) -> Self:
        """The last two dims swapped."""
        return ops.adjoint(self)

    def inverse(self) -> Self:
        """The inverse of square matrices."""
        return ops.inverse(self)

    def det(self) -> Self:
        """The determinant of square matrices; of a singular one it has no gradient here."""
        return ops.det(self)

    def slogdet(self) -> Any:
        """``(sign, logabsdet)`` of the determinant of square matrices."""
        return ops.slogdet(self)

    def logdet(self) -> Self:
        """The logarithm of the determinant; NaN if that is negative."""
        return ops.logdet(self)

    def cholesky(self, *, upper: bool = False) -> Self:
        """The triangular factor of positive definite matrices; without a derivative."""
        return ops.cholesky(self, upper=upper)
