"""Systems of equations, inverses and determinants."""

import math
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_broadcast, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Shape
from tinygrad_cnn.kernels import matrices
from tinygrad_cnn.ops.checks import check_matrices, check_same_dtype
from tinygrad_cnn.ops.piecewise import where
from tinygrad_cnn.ops.reduce import product_of_others
from tinygrad_cnn.ops.shape import tril, triu
from tinygrad_cnn.ops.untracked import dressed, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "slogdet", "triangular_solve",
]  # fmt: skip


def turned(a: Array) -> Array:
    """The matrices transposed."""
    return np.swapaxes(a, -1, -2)


class Solve(Op):
    """y = a⁻¹ b        db = a⁻ᵀ g,  da = -db yᵀ

    `info` is 0 or, of a singular matrix, the number of its first pivot that is 0; there y is NaN.
    """

    promotes = True
    floating = True
    aux = ("info",)

    def forward(a: Array, b: Array) -> tuple[Array, Array]:
        return matrices.solve(a, b)

    def d_a(g: Array, y: Array, a: Array, a_shape: Any) -> Array:
        back, _ = Solve.apply(turned(a), g)
        return unbroadcast(-(back @ turned(y)), a_shape)

    def d_b(g: Array, a: Array, b_shape: Any) -> Array:
        back, _ = Solve.apply(turned(a), g)
        return unbroadcast(back, b_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n = draw.integer(1, 3)
        m = draw.choice([k for k in range(1, 4) if k != n])  # no b may stand for a: it could be singular
        left, right = draw.broadcastable(2, draw.shape(0, 1, smallest=1))
        return Sample((regular(draw, left, n), draw.array((*right, n, m), Real())), {})


class SolveTriangular(Op):
    """y = a⁻¹ b, of a one triangle read        db = a⁻ᵀ g,  da = that triangle of -db yᵀ"""

    promotes = True
    floating = True

    def forward(a: Array, b: Array, *, upper: bool, unit: bool = False) -> Array:
        return matrices.substitute(a, b, upper=upper, unit=unit)

    def d_a(g: Array, y: Array, a: Array, a_shape: Any, *, upper: bool, unit: bool = False) -> Array:
        whole = -(SolveTriangular.apply(turned(a), g, upper=not upper, unit=unit) @ turned(y))
        return unbroadcast(triu(whole, int(unit)) if upper else tril(whole, -int(unit)), a_shape)

    def d_b(g: Array, a: Array, b_shape: Any, *, upper: bool, unit: bool = False) -> Array:
        return unbroadcast(SolveTriangular.apply(turned(a), g, upper=not upper, unit=unit), b_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample(Solve.sample(draw).inputs, {"upper": draw.boolean(), "unit": draw.boolean()})


class Slogdet(Op):
    """y, s = ln |det a|, the sign of det a        da = g a⁻ᵀ, NaN for a singular matrix"""

    floating = True
    aux = ("sign",)

    def forward(a: Array) -> tuple[Array, Array]:
        sign, size = np.linalg.slogdet(a)
        return size, sign

    def d_a(g: Array, a: Array) -> Array:
        return g[..., None, None] * inverse_or_nan(turned(a))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((regular(draw, draw.shape(0, 1, smallest=1), draw.integer(1, 3)),), {})


class Det(Op):
    """y = det a        da = g cof a, the cofactors: det a · a⁻ᵀ, where a has an inverse"""

    floating = True

    def forward(a: Array) -> Array:
        return np.linalg.det(a)

    def d_a(g: Array, y: Array, a: Array) -> Array:
        well = _is_well_conditioned(plain("det", a))
        return g[..., None, None] * (y[..., None, None] * inverse_or_nan(turned(a)) if well else cofactors(a))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        lead, n = draw.shape(0, 1, smallest=1), draw.integer(1, 4)
        if draw.boolean():
            return Sample((regular(draw, lead, n),), {})
        rank = draw.integer(0, n)
        return Sample((draw.array((*lead, n, rank), Real(-1, 1)) @ draw.array((*lead, rank, n), Real(-1, 1)),), {})


def _is_well_conditioned(a: NDArray) -> bool:
    """Whether an inverse of each matrix keeps half of its digits."""
    eye = np.eye(a.shape[-1], dtype=a.dtype)
    inverse, info = matrices.solve(a, eye)
    if info.any():
        return False
    size, size_of_inverse = (np.abs(x).sum(-1).max(-1, initial=0) for x in (a, inverse))
    return bool(np.all(size * size_of_inverse * math.sqrt(np.finfo(a.dtype).eps) < 1))


def cofactors(a: Array) -> Array:
    """The derivative of the determinant by each element; polynomials, also where a matrix has no inverse.

    Of arrays by their singular values, in n³ steps. What is recorded has a derivative itself: the determinants of all
    minors, in n⁵ steps.
    """
    n = shape_of(a)[-1]
    if isinstance(a, np.ndarray):
        u, sizes, vh = np.linalg.svd(a)
        sign = np.linalg.det(u) * np.linalg.det(vh)
        return sign[..., None, None] * (u * product_of_others(sizes, (sizes.ndim - 1,))[..., None, :]) @ vh
    others = np.array([[k for k in range(n) if k != i] for i in range(n)], dtype=np.int64)
    minors = a[..., others[:, None, :, None], others[None, :, None, :]]
    return Det.apply(minors) * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


def regular(draw: Draw, lead: Shape, n: int) -> NDArray:
    """Matrices with a dominant diagonal."""
    return np.asarray(draw.array((*lead, n, n), Real(-1, 1)) + (n + 1.0) * np.eye(n))


class SingularError(ArgumentError):
    """A matrix that has no inverse; ``torch.linalg.LinAlgError``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.inv(tg.zeros(2, 2))
    Traceback (most recent call last):
        ...
    tinygrad_cnn.ops.solving.SingularError: inv: a matrix of A, of shape (2, 2), is singular; it has no inverse
    """


def check_regular(op: str, name: str, shape: Shape, info: Array) -> None:
    """SingularError if one of the matrices was found to be singular."""
    if plain(op, info).any():
        raise SingularError(f"{op}: a matrix of {name}, of shape {shape}, is singular; it has no inverse")


def solve_ex(A: A, B: ArrayLike, *, left: bool = True, check_errors: bool = False) -> return_types.linalg_solve_ex[A]:
    """``(result, info)``: as `solve`, but of a singular matrix the result is NaN, and info the number of a pivot.

    Shapes and dtypes as of `solve`; info is int32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.solve_ex(2 * tg.eye(2), tg.tensor([2.0, 4.0])).info
    tensor(0, dtype=torch.int32)
    """
    return _solve_ex("solve_ex", A, B, left, check_errors)


def _solve_ex(op: str, a: A, b: ArrayLike, left: bool, check_errors: bool) -> return_types.linalg_solve_ex[A]:
    a_shape, b_shape = check_matrices(op, "A", a, square=True), shape_of(b)
    check_same_dtype(op, a, b)
    vector = len(b_shape) == 1 or (len(b_shape) == len(a_shape) - 1 and b_shape == a_shape[:-1])
    rows: Any = b[..., None] if vector else b
    if vector and not left:
        raise ArgumentError(f"{op}: B is a vector, of shape {b_shape}; it stands on the right, with left=True")
    check_rows(op, a_shape, shape_of(rows), left)
    found, info = Solve.apply(a, rows) if left else Solve.apply(turned(a), turned(rows))
    if check_errors:
        check_regular(op, "A", a_shape, info)
    result = found[..., 0] if vector else found if left else turned(found)
    return return_types.linalg_solve_ex(result, info)


def check_rows(op: str, a: Shape, b: Shape, left: bool) -> None:
    """B has as many rows (or columns, if A stands on the right) as A, and their batches broadcast."""
    if len(b) < 2 or b[-2 if left else -1] != a[-1]:
        what = "rows" if left else "columns"
        raise ArgumentError(f"{op}: A has shape {a}, B {b}; B must have {a[-1]} {what}")
    check_broadcast(op, a[:-2], b[:-2])


def solve(A: A, B: ArrayLike, *, left: bool = True) -> A:
    """The X with ``A @ X = B``, or ``X @ A = B`` if not `left`; B is a matrix, or a vector.

    A is (..., n, n), B (..., n, k) or (..., n); the result has the shape of B. Both must have the same floating
    dtype. LinAlgError of a singular matrix.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.solve(tg.tensor([[2.0, 0.0], [0.0, 4.0]]), tg.tensor([2.0, 4.0]))
    tensor([1., 1.])
    """
    return _solve_ex("solve", A, B, left, True).result


def solve_triangular(A: A, B: ArrayLike, *, upper: bool, left: bool = True, unitriangular: bool = False) -> A:
    """The X with ``A @ X = B`` (``X @ A = B`` if not `left`), of A only one triangle read.

    With `unitriangular` its diagonal counts as 1. Where there is a 0 on it, the result is infinite or NaN.

    A is (..., n, n), B (..., n, k); X has the shape of B. Both must have the same floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.solve_triangular(tg.tensor([[2.0, 1.0], [0.0, 4.0]]), tg.tensor([[4.0], [8.0]]), upper=True)
    tensor([[1.],
            [2.]])
    """
    a = check_matrices("solve_triangular", "A", A, square=True)
    check_matrices("solve_triangular", "B", B)
    check_same_dtype("solve_triangular", A, B)
    check_rows("solve_triangular", a, shape_of(B), left)
    if left:
        return SolveTriangular.apply(A, B, upper=upper, unit=unitriangular)
    return turned(SolveTriangular.apply(turned(A), turned(B), upper=not upper, unit=unitriangular))


def triangular_solve(
    input: A, A: ArrayLike, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> return_types.triangular_solve[A]:
    """``(solution, cloned_coefficient)`` of ``A @ X = input``, or ``Aᵀ @ X = input``; see `linalg.solve_triangular`.

    A is (..., n, n), input (..., n, k). Both must have the same floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.triangular_solve(tg.tensor([[4.0], [8.0]]), tg.tensor([[2.0, 1.0], [0.0, 4.0]])).solution
    tensor([[1.],
            [2.]])
    """
    check_matrices("triangular_solve", "A", A, square=True)
    a: Any = turned(A) if transpose else A
    solution = solve_triangular(a, input, upper=upper != transpose, unitriangular=unitriangular)
    lead = shape_of(solution)[:-2]
    whole = np.broadcast_to(A, (*lead, *shape_of(A)[-2:]))
    one: Any = dressed(np.ones((), plain("triangular_solve", A).dtype), input, A)
    return return_types.triangular_solve(solution, whole * one)


def cholesky_solve(input: A, L: ArrayLike, upper: bool = False) -> A:
    """The X with ``L @ Lᵀ @ X = input``; with `upper`, ``Lᵀ @ L``. L is what `cholesky` returns.

    Both must have the same floating dtype, which the result has too.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cholesky_solve(tg.tensor([[4.0], [8.0]]), tg.tensor([[2.0, 0.0], [0.0, 2.0]]))
    tensor([[1.],
            [2.]])
    """
    check_matrices("cholesky_solve", "L", L, square=True)
    factor: Any = turned(L) if upper else L
    half = solve_triangular(factor, input, upper=False)
    return solve_triangular(turned(factor), half, upper=True)


def cholesky_inverse(L: A, upper: bool = False) -> A:
    """The inverse of ``L @ Lᵀ``; with `upper`, of ``Lᵀ @ L``. L is what `cholesky` returns.

    Shape (..., n, n) and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cholesky_inverse(tg.tensor([[2.0, 0.0], [2.0, 2.0]]))
    tensor([[ 0.5000, -0.2500],
            [-0.2500,  0.2500]])
    """
    shape = check_matrices("cholesky_inverse", "L", L, square=True)
    half = solve_triangular(turned(L) if upper else L, np.eye(shape[-1], dtype=plain("inv", L).dtype), upper=False)
    return turned(half) @ half


def inv_ex(A: A, *, check_errors: bool = False) -> return_types.linalg_inv_ex[A]:
    """``(inverse, info)``: as `inv`, but of a singular matrix the inverse is NaN, and info the number of a pivot.

    A has shape (..., n, n); the inverse has its shape and dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.inv_ex(tg.tensor([[2.0, 0.0], [0.0, 4.0]])).info
    tensor(0, dtype=torch.int32)
    """
    return _inv_ex("inv_ex", A, check_errors)


def _inv_ex(op: str, a: A, check_errors: bool) -> return_types.linalg_inv_ex[A]:
    shape = check_matrices(op, "A", a, square=True)
    found, info = Solve.apply(a, np.eye(shape[-1], dtype=plain(op, a).dtype))
    if check_errors:
        check_regular(op, "A", shape, info)
    return return_types.linalg_inv_ex(found, info)


def inverse_or_nan(a: A) -> A:
    """The inverses of square matrices, NaN for those that have none."""
    return _inv_ex("inv", a, False).inverse


def inv(A: A) -> A:
    """The inverse of square matrices.

    Shape (..., n, n) and the floating dtype stay. LinAlgError of a singular matrix.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.inv(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return _inv_ex("inv", A, True).inverse


def inverse(input: A) -> A:
    """The inverse of square matrices; ``linalg.inv``.

    Shape (..., n, n) and the floating dtype stay. LinAlgError of a singular matrix.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.inverse(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return inv(input)


def det(A: A) -> A:
    """The determinant of square matrices; its derivative are the cofactors, also of a singular one.

    (..., n, n) gives (...); the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.det(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    check_matrices("det", "A", A, square=True)
    return Det.apply(A)


def slogdet(A: A) -> return_types.linalg_slogdet[A]:
    """``(sign, logabsdet)`` of the determinant of square matrices.

    (..., n, n) gives twice (...); the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.slogdet(tg.tensor([[2.0, 0.0], [0.0, -4.0]]))
    torch.return_types.linalg_slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(2.0794))
    """
    check_matrices("slogdet", "A", A, square=True)
    size, sign = Slogdet.apply(A)
    return return_types.linalg_slogdet(level(plain("slogdet", sign), size), size)


def level(values: NDArray, of: A) -> A:
    """The values as a function of `of`, of the same shape, with the derivative 0: PyTorch records them so."""
    return where(np.ones(values.shape, bool), values, of)


def logdet(input: A) -> A:
    """The logarithm of the determinant; NaN if that is negative.

    (..., n, n) gives (...); the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.logdet(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.0794)
    """
    sign, size = slogdet(input)
    return size + np.where(plain("logdet", sign) < 0, math.nan, 0.0).astype(plain("logdet", size).dtype)
