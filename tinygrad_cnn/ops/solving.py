"""Systems of equations, inverses and determinants; decompositions of matrices, which have no derivative here."""

import math
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axes, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.indexing import sum_to_shape
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import A, Array, ArrayLike, Axis, NDArray
from tinygrad_cnn.ops.checks import check_floating
from tinygrad_cnn.ops.piecewise import abs
from tinygrad_cnn.ops.reduce import amax, amin, norm, sum
from tinygrad_cnn.ops.untracked import dressed, plain, refuse_gradient
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "cholesky", "det", "inverse", "logdet", "slogdet",
]  # fmt: skip


class Solve(Op):
    """y = a⁻¹ b        db = a⁻ᵀ g,  da = -db yᵀ"""

    promotes = True
    floating = True

    def forward(a: Array, b: Array) -> Array:
        return np.linalg.solve(a, b)

    def d_a(g: Array, y: Array, a: Array, a_shape: Any) -> Array:
        back = Solve.apply(np.swapaxes(a, -1, -2), g)
        return sum_to_shape(-(back @ np.swapaxes(y, -1, -2)), a_shape)

    def d_b(g: Array, a: Array, b_shape: Any) -> Array:
        return sum_to_shape(Solve.apply(np.swapaxes(a, -1, -2), g), b_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n = draw.integer(1, 3)
        m = draw.choice([k for k in range(1, 4) if k != n])  # no b may stand for a: it could be singular
        left, right = draw.broadcastable(2, draw.shape(0, 1, smallest=1))
        return Sample((_regular(draw, left, n), draw.array((*right, n, m), Real())), {})


class Slogdet(Op):
    """y, s = ln |det a|, the sign of det a        da = g a⁻ᵀ"""

    floating = True
    aux = ("sign",)

    def forward(a: Array) -> tuple[Array, Array]:
        sign, size = np.linalg.slogdet(a)
        return size, sign

    def d_a(g: Array, a: Array) -> Array:
        return g[..., None, None] * np.swapaxes(inv(a), -1, -2)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((_regular(draw, draw.shape(0, 1, smallest=1), draw.integer(1, 3)),), {})


class Det(Op):
    """y = det a        da = g y a⁻ᵀ, for a regular matrix"""

    floating = True

    def forward(a: Array) -> Array:
        return np.linalg.det(a)

    def d_a(g: Array, y: Array, a: Array) -> Array:
        return (g * y)[..., None, None] * np.swapaxes(inv(a), -1, -2)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Slogdet.sample(draw)


def _regular(draw: Draw, lead: tuple[int, ...], n: int) -> NDArray:
    """Matrices with a dominant diagonal."""
    return np.asarray(draw.array((*lead, n, n), Real(-1, 1)) + (n + 1.0) * np.eye(n))


def _check_square(op: str, input: Array) -> None:
    shape = shape_of(input)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ArgumentError(f"{op}: input has shape {shape}; expected square matrices (..., n, n)")
    check_floating(op, "input", input)


class SingularError(ArgumentError):
    """A matrix that has no inverse; ``torch.linalg.LinAlgError``."""


def solve(A: A, B: ArrayLike, *, left: bool = True) -> A:
    """The X with ``A @ X = B``, or ``X @ A = B`` if not `left`; B is a matrix, or a vector."""
    _check_square("solve", A)
    a, b = shape_of(A), shape_of(B)
    vector = len(b) == 1 or (len(b) == len(a) - 1 and b == a[:-1])
    rows = B[..., None] if vector else B
    if not left:
        return np.swapaxes(solve(np.swapaxes(A, -1, -2), np.swapaxes(rows, -1, -2)), -1, -2)
    if shape_of(rows)[-2] != a[-1]:
        raise ArgumentError(f"solve: A has shape {a}, B {b}; their rows must be as many")
    try:
        found = Solve.apply(A, rows)
    except np.linalg.LinAlgError:
        raise SingularError(f"solve: a matrix of A, of shape {a}, is singular; it has no inverse") from None
    return found[..., 0] if vector else found


def inv(A: A) -> A:
    """The inverse of square matrices."""
    _check_square("inv", A)
    n = shape_of(A)[-1]
    try:
        return Solve.apply(A, np.eye(n, dtype=plain("inv", A).dtype))
    except np.linalg.LinAlgError:
        raise SingularError(f"inv: a matrix of shape {shape_of(A)} is singular; it has no inverse") from None


inverse = inv


def det(A: A) -> A:
    """The determinant of square matrices; of a singular one it has no gradient here."""
    _check_square("det", A)
    return Det.apply(A)


def slogdet(A: A) -> return_types.linalg_slogdet[A]:
    """``(sign, logabsdet)`` of the determinant of square matrices."""
    _check_square("slogdet", A)
    size, sign = Slogdet.apply(A)
    return return_types.linalg_slogdet(sign, size)


def logdet(input: A) -> A:
    """The logarithm of the determinant; NaN if that is negative."""
    sign, size = slogdet(input)
    return size + np.where(plain("logdet", sign) < 0, math.nan, 0.0).astype(plain("logdet", size).dtype)


def vector_norm(x: A, ord: float = 2, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """The norm of the elements along dims, all by default, taken as one vector."""
    return norm(x, float(ord), dim, keepdim, dtype=dtype)


def matrix_norm(
    A: A, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> A:
    """The norm of matrices: "fro", "nuc", ±1 (columns), ±inf (rows), ±2 (singular values, without a derivative)."""
    shape = shape_of(A)
    if len(shape) < 2:
        raise ArgumentError(f"matrix_norm: A has shape {shape}; expected at least 2 dims")
    x = A if dtype is None else A.astype(dtype)
    row, column = check_axes("matrix_norm", tuple(dim), len(shape))
    if ord == "fro":
        return norm(x, 2.0, (row, column), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        over, left = (row, column) if ord in (1, -1) else (column, row)
        sums = sum(abs(x), over, True)
        extreme = (amax if ord > 0 else amin)(sums, left, True)
        return extreme if keepdim else extreme.squeeze((row, column))
    if ord not in ("nuc", 2, -2):
        raise ArgumentError(f"matrix_norm: ord is {ord!r}; it must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    refuse_gradient("matrix_norm", "use ord='fro'", A)
    values = np.linalg.norm(plain("matrix_norm", x), ord, axis=(row, column), keepdims=keepdim)
    return dressed(values, A)


def norms(A: A, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """``linalg.norm``: of a vector or, with two dims or an `ord` that is not None and 2-D input, of a matrix."""
    ndim = len(shape_of(A))
    dims = () if dim is None or isinstance(dim, int) else tuple(dim)
    if ord is not None and (len(dims) == 2 or (dim is None and ndim == 2)):
        return matrix_norm(A, ord, dims or (-2, -1), keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise ArgumentError(f"norm: ord {ord!r} needs a matrix: 2-D input, or two dims")
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def matrix_rank(A: A, *, tol: float | None = None, hermitian: bool = False) -> A:
    """The number of singular values that are not negligible."""
    return dressed(np.linalg.matrix_rank(plain("matrix_rank", A), tol, hermitian), A)


def eigh(A: A, UPLO: str = "L") -> return_types.linalg_eigh[A]:
    """``(eigenvalues, eigenvectors)`` of symmetric matrices, of which one triangle is read; without a derivative."""
    _check_square("eigh", A)
    refuse_gradient("eigh", "compute what depends on them another way", A)
    values, vectors = np.linalg.eigh(plain("eigh", A), "L" if UPLO.upper() == "L" else "U")
    return return_types.linalg_eigh(dressed(values, A), dressed(vectors, A))


def linalg_svd(A: A, full_matrices: bool = True) -> return_types.linalg_svd[A]:
    """``(U, S, Vh)``: the singular value decomposition; without a derivative."""
    check_floating("svd", "A", A)
    refuse_gradient("svd", "compute what depends on it another way", A)
    return return_types.linalg_svd(*(dressed(part, A) for part in np.linalg.svd(plain("svd", A), full_matrices)))


def svdvals(A: A) -> A:
    """The singular values; without a derivative."""
    return linalg_svd(A, full_matrices=False).S


def svd_of(input: A, some: bool = True, compute_uv: bool = True) -> return_types.svd[A]:
    """``(U, S, V)`` with ``input = U diag(S) Vᵀ``: PyTorch's older form of ``linalg.svd``; without a derivative."""
    if not compute_uv:
        raise ArgumentError("svd: compute_uv=False is not supported; use linalg.svdvals")
    u, s, vh = linalg_svd(input, full_matrices=not some)
    return return_types.svd(u, s, np.swapaxes(vh, -1, -2))


def qr(A: A, mode: str = "reduced") -> return_types.linalg_qr[A]:
    """``(Q, R)``: orthogonal times triangular; without a derivative."""
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: mode is {mode!r}; it must be 'reduced' or 'complete'")
    check_floating("qr", "A", A)
    refuse_gradient("qr", "compute what depends on it another way", A)
    q, r = np.linalg.qr(plain("qr", A), "reduced" if mode == "reduced" else "complete")
    return return_types.linalg_qr(dressed(q, A), dressed(r, A))


def cholesky(A: A, *, upper: bool = False) -> A:
    """The triangular factor of positive definite matrices; without a derivative."""
    _check_square("cholesky", A)
    refuse_gradient("cholesky", "compute what depends on it another way", A)
    try:
        factor = np.linalg.cholesky(plain("cholesky", A))
    except np.linalg.LinAlgError:
        raise SingularError(f"cholesky: a matrix of shape {shape_of(A)} is not positive definite") from None
    return dressed(np.swapaxes(factor, -1, -2).copy() if upper else factor, A)


def pinv(A: A, *, rtol: float | None = None) -> A:
    """The pseudo-inverse; without a derivative."""
    refuse_gradient("pinv", "use solve() with the normal equations", A)
    values = plain("pinv", A)
    cut = rtol if rtol is not None else max(values.shape[-2:]) * float(np.finfo(values.dtype).eps)
    return dressed(np.linalg.pinv(values, cut), A)
