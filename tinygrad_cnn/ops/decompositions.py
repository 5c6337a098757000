"""Matrices as products: of orthogonal, triangular and diagonal ones.

An op has one output; one that finds several matrices stacks them in one array, and its function takes them apart. What
a matrix fixes only up to a sign is differentiated as it was found: the sign is constant near by.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.domain import Positive
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import A, Array, ArrayLike, NDArray, Shape
from tinygrad_cnn.kernels import matrices
from tinygrad_cnn.ops.checks import check_matrices, check_same_dtype
from tinygrad_cnn.ops.diagonals import diag_embed
from tinygrad_cnn.ops.indexing import gather
from tinygrad_cnn.ops.shape import cat, tril, triu
from tinygrad_cnn.ops.solving import SingularError, SolveTriangular, check_rows, level, regular, turned
from tinygrad_cnn.ops.untracked import dressed, is_tracked, plain, refuse_gradient
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "geqrf", "lu_unpack", "ormqr",
]  # fmt: skip


def symmetric(a: Array) -> Array:
    """The symmetric part of the matrices."""
    return a * 0.5 + turned(a) * 0.5


def mirrored(a: Array) -> Array:
    """The lower triangle, and its mirror image above the diagonal."""
    return tril(a) + turned(tril(a, -1))


def from_triangle(a: A, upper: bool) -> A:
    """The symmetric matrix of which `a` has one triangle.

    Its derivative is that of a symmetric `a`, half to each side of the diagonal, as PyTorch gives it.
    """
    values = plain("from_triangle", a)
    whole: Any = mirrored(turned(values) if upper else values)
    if is_tracked(a):
        return Tensor.alias(whole, a.edge)
    return Tensor.wrap(whole) if isinstance(a, Tensor) else whole


class Cholesky(Op):
    """y = L, lower triangular, with L Lᵀ = (a + aᵀ) / 2

    da = L⁻ᵀ M L⁻¹ / 2, where M mirrors the lower triangle of Lᵀ g. `info` is 0 or the order of a minor that is not
    positive; there y is NaN.
    """

    floating = True
    aux = ("info",)

    def forward(a: Array) -> tuple[Array, Array]:
        return matrices.cholesky(symmetric(a))

    def d_a(g: Array, y: Array) -> Array:
        across = turned(y)
        half = SolveTriangular.apply(across, mirrored(across @ g), upper=True)
        return SolveTriangular.apply(across, turned(half), upper=True) * 0.5

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((regular(draw, draw.shape(0, 1, smallest=1), draw.integer(1, 3)),), {})


def gaps(x: Array) -> Array:
    """1 / (xⱼ - xᵢ) at (i, j), and 0 on the diagonal."""
    eye = np.eye(shape_of(x)[-1], dtype=plain("gaps", x).dtype)
    difference = x[..., None, :] - x[..., :, None]
    with np.errstate(divide="ignore"):  # equal ones: infinite, as in PyTorch
        return (1 - eye) / (difference + eye)


def counts(g: Array) -> bool:
    """Whether any cotangent came in: without one, 0 / 0 at equal eigenvalues is not asked for."""
    return bool(plain("counts", g).any())


class Eigh(Op):
    """y = the eigenvectors V of (a + aᵀ) / 2, in columns, above the row of the eigenvalues λ

    da = V (diag(gλ) + S) Vᵀ, where S is the symmetric part of Vᵀ gV / (λⱼ - λᵢ) with the diagonal 0.
    """

    floating = True

    def forward(a: Array) -> Array:
        values, vectors = np.linalg.eigh(symmetric(a))
        return np.concatenate([vectors, values[..., None, :]], -2)

    def d_a(g: Array, y: Array) -> Array:
        n = y.shape[-1]
        v, g_v = y[..., :n, :], g[..., :n, :]
        inner = diag_embed(g[..., n, :])
        if counts(g_v):
            inner = inner + symmetric((turned(v) @ g_v) * gaps(y[..., n, :]))
        return v @ inner @ turned(v)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n = draw.integer(1, 2)  # from 3 on LAPACK changes the signs of vectors within a step of the differences
        a, signs = np.asarray(mirrored(separated(draw, n))), signed(draw, n)
        return Sample((signs.T * a * signs - draw.choice([0, 40]) * np.eye(n),), {})


def separated(draw: Draw, n: int, m: int | None = None) -> NDArray:
    """Matrices whose eigenvalues, and singular values, are apart: those on the diagonal, by far the largest elements.

    No sum of products on LAPACK's way is near 0, where the sign of a vector that it finds would change.
    """
    m = n if m is None else m
    lead, k = draw.shape(0, 1, smallest=1), min(n, m)
    a = np.array(draw.array((*lead, n, m), Positive(1, 2)))
    sizes = np.stack([1 + draw.permutation(k) for _ in range(int(np.prod(lead)))]).reshape(*lead, k)
    a[..., range(k), range(k)] += 8.0 * sizes
    return a


def signed(draw: Draw, n: int) -> NDArray:
    """1 and -1, as a row."""
    return np.array([[-1.0 if draw.boolean() else 1.0 for _ in range(n)]])


class SVD(Op):
    """y = the rows of U, of the singular values s, and of V, one below the other; a = U diag(s) Vᵀ

    da = U (diag(gs) + P diag(s) + diag(s) Q) Vᵀ + (1 - U Uᵀ) gU diag(s)⁻¹ Vᵀ + U diag(s)⁻¹ gVᵀ (1 - V Vᵀ), where P is
    Uᵀ gU - gUᵀ U over sⱼ² - sᵢ², and Q the same of V.
    """

    floating = True

    def forward(a: Array) -> Array:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return np.concatenate([u, s[..., None, :], turned(vh)], -2)

    def d_a(g: Array, y: Array, a_shape: Shape) -> Array:
        m, n = a_shape[-2:]
        u, s, v = y[..., :m, :], y[..., m, :], y[..., m + 1 :, :]
        g_u, g_v = g[..., :m, :], g[..., m + 1 :, :]
        inner, right, left = diag_embed(g[..., m, :]), counts(g_v), counts(g_u)
        if left or right:
            apart = gaps(s * s)
            inner = inner + turning(u, g_u) * apart * s[..., None, :] + turning(v, g_v) * apart * s[..., :, None]
        d = u @ inner @ turned(v)
        if left and m > n:
            d = d + outside(u, g_u) / s[..., None, :] @ turned(v)
        if right and n > m:
            d = d + u @ turned(outside(v, g_v) / s[..., None, :])
        return d

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        # up to two singular values, as in Eigh
        n, m = draw.choice([(1, 1), (2, 2), (3, 2), (2, 3), (1, 3), (3, 1), (4, 2)])
        return Sample((signed(draw, n).T * separated(draw, n, m) * signed(draw, m),), {})


def turning(u: Array, g: Array) -> Array:
    """What of a cotangent turns orthogonal columns among themselves."""
    inside = turned(u) @ g
    return inside - turned(inside)


def outside(u: Array, g: Array) -> Array:
    """What of a cotangent leads out of the space of the columns."""
    return g - u @ (turned(u) @ g)


class QR(Op):
    """y = Qᵀ and R side by side; a = Q R, Qᵀ Q = 1, R upper triangular

    da = (gQ + Q M) R⁻ᵀ, where M mirrors the lower triangle of R gRᵀ - gQᵀ Q. The columns of a wide matrix beyond the
    square part b of R are Q times theirs: they add a gᵀ to gQ, and get Q g. What comes from gQ is added to what comes
    from gR at the end: of a small matrix the one may be so large that the other would be lost beside it.
    """

    floating = True

    def forward(a: Array) -> Array:
        q, r = np.linalg.qr(a)
        return np.concatenate([turned(q), r], -1)

    def d_a(g: Array, y: Array, a: Array, a_shape: Shape) -> Array:
        m, n = a_shape[-2:]
        end = m + min(m, n)
        q, r = turned(y[..., :m]), y[..., m:end]
        g_q, g_r, g_beyond = turned(g[..., :m]), g[..., m:end], g[..., end:]
        if n > m:
            g_q = g_q + a[..., m:] @ turned(g_beyond)
        of_q, of_r = g_q - q @ mirrored(turned(g_q) @ q), q @ mirrored(r @ turned(g_r))
        both = SolveTriangular.apply(r, cat([turned(of_q), turned(of_r)], -1), upper=True)
        d = turned(both[..., :m] + both[..., m:])
        return cat([d, q @ g_beyond], -1) if n > m else d

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return SVD.sample(draw)


class LU(Op):
    """y = L - 1 + U, with P L U = a        da = P L⁻ᵀ (low(Lᵀ gL) + up(gU Uᵀ)) U⁻ᵀ, if a is square

    What a tall matrix has below, or a wide one beside, is solved with U, or L, and adds to gU, or gL. `low` is the part
    below the diagonal, `up` the rest. `rows` says which row of a stands where, `pivots` the same by LAPACK's exchanges.
    """

    floating = True
    aux = ("rows", "pivots")

    def forward(a: Array, *, pivot: bool = True) -> tuple[Array, Array, Array]:
        packed, pivots = matrices.lu(a, pivot)
        return packed, matrices.rows_of(pivots, a.shape[-2]), pivots

    def d_a(g: Array, y: Array, rows: Array, a_shape: Shape) -> Array:
        m, n = a_shape[-2:]
        k = min(m, n)
        corner, square = y[..., :k, :k], g[..., :k, :k]
        across = turned(corner)
        below = turned(SolveTriangular.apply(corner, turned(g[..., k:, :k]), upper=True))  # L there is a U⁻¹
        right = SolveTriangular.apply(across, g[..., :k, k:], upper=True, unit=True)  # U there is L⁻¹ a
        inner = tril(times_lower(across, square - right @ turned(y[..., :k, k:])), -1)
        inner = inner + triu(times_upper(square - turned(y[..., k:, :k]) @ below, across))
        inner = SolveTriangular.apply(across, inner, upper=True, unit=True)
        d = turned(SolveTriangular.apply(corner, turned(inner), upper=True))
        d = cat([d, below], -2) if m > n else cat([d, right], -1)
        places = np.argsort(plain("lu", rows), axis=-1)[..., None]
        return gather(d, -2, np.broadcast_to(places, a_shape))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        m, pivot = draw.integer(1, 3), draw.boolean()
        a = separated(draw, m, draw.integer(1, 3))
        return Sample((a[..., draw.permutation(m), :] if pivot else a,), {"pivot": pivot})


def times_lower(across: Array, g: Array) -> Array:
    """Lᵀ g; the transposed factors have L above their diagonal, which counts as 1."""
    return g + triu(across, 1) @ g


def times_upper(g: Array, across: Array) -> Array:
    """g Uᵀ; the transposed factors have U on and below their diagonal."""
    return g @ tril(across)


def permutation(rows: NDArray, dtype: Any) -> NDArray:
    """The matrix that takes these rows of another."""
    return np.eye(rows.shape[-1], dtype=dtype)[rows]


# ---- what PyTorch's `linalg` has of them -----------------------------------------------------------------------------


def cholesky_ex(A: A, *, upper: bool = False, check_errors: bool = False) -> return_types.linalg_cholesky_ex[A]:
    """``(L, info)``: as `cholesky`; where a matrix is not positive definite, L is NaN and info says which minor.

    A has shape (..., n, n). The result keeps its floating dtype; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.cholesky_ex(tg.tensor([[4.0, 2.0], [2.0, 5.0]])).info
    tensor(0, dtype=torch.int32)
    """
    return _cholesky_ex("cholesky_ex", A, upper, check_errors)


def _cholesky_ex(op: str, a: A, upper: bool, check_errors: bool) -> return_types.linalg_cholesky_ex[A]:
    shape = check_matrices(op, "A", a, square=True)
    factor, info = Cholesky.apply(from_triangle(a, upper))
    found = plain(op, info)
    if check_errors and found.any():
        raise SingularError(
            f"{op}: a matrix of A, of shape {shape}, is not positive definite: its leading minor of order "
            f"{found[found > 0].flat[0]} is not positive"
        )
    return return_types.linalg_cholesky_ex(turned(factor) if upper else factor, info)


def cholesky(A: A, *, upper: bool = False) -> A:
    """The triangular factor of positive definite matrices, ``L @ Lᵀ`` or ``Lᵀ @ L``; one triangle is read.

    A has shape (..., n, n) and a floating dtype, which the result has too. LinAlgError where it is not positive
    definite.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    return _cholesky_ex("cholesky", A, upper, True).L


def _only_eigenvalues(a: Array) -> Array:
    """As the last row, with nothing above it."""
    return dressed(np.linalg.eigvalsh(plain("eigvalsh", a))[..., None, :], a)


def _eigh(op: str, a: Array, uplo: str, find: Callable[..., Any] = Eigh.apply) -> Array:
    check_matrices(op, "A", a, square=True)
    if str(uplo).upper() not in ("L", "U"):
        raise ArgumentError(f"{op}: UPLO is {uplo!r}; it must be 'L' or 'U'")
    return converged(op, find, from_triangle(a, str(uplo).upper() == "U"))


def converged(op: str, find: Callable[..., Any], a: Array) -> Any:
    """What is found; SingularError if LAPACK gives up, as it does where there are NaN or infinities."""
    try:
        return find(a)
    except np.linalg.LinAlgError as error:
        raise SingularError(f"{op}: {error}; does A, of shape {shape_of(a)}, contain NaN or infinities?") from None


def eigh(A: A, UPLO: str = "L") -> return_types.linalg_eigh[A]:
    """``(eigenvalues, eigenvectors)`` of symmetric matrices, of which one triangle is read.

    Where eigenvalues are equal, the vectors have no derivative.

    A has shape (..., n, n). The result keeps its floating dtype; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.eigh(tg.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    y, n = _eigh("eigh", A, UPLO), shape_of(A)[-1]
    return return_types.linalg_eigh(y[..., n, :], y[..., :n, :])


def eigvalsh(A: A, UPLO: str = "L") -> A:
    """The eigenvalues of symmetric matrices, of which one triangle is read, in ascending order.

    A has shape (..., n, n). The result keeps its floating dtype; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.eigvalsh(tg.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    find = Eigh.apply if is_tracked(A) else _only_eigenvalues
    return _eigh("eigvalsh", A, UPLO, find)[..., -1, :]


def linalg_svd(A: A, full_matrices: bool = True, *, driver: str | None = None) -> return_types.linalg_svd[A]:
    """``(U, S, Vh)``: the singular value decomposition.

    Where singular values are equal, the vectors have no derivative; those that only `full_matrices` adds have none.

    A is (..., m, n), S (..., min(m, n)); the floating dtype stays. Integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.svd(tg.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    _check_driver("svd", driver)
    m, n = check_matrices("svd", "A", A)[-2:]
    y: Any = converged("svd", SVD.apply, A)
    u, s, v = y[..., :m, :], y[..., m, :], y[..., m + 1 :, :]
    if full_matrices and m != n:
        more_u, _, more_vh = np.linalg.svd(plain("svd", A))
        k = min(m, n)
        u = cat([u, dressed(more_u[..., k:], A)], -1) if m > k else u
        v = cat([v, dressed(turned(more_vh)[..., k:], A)], -1) if n > k else v
    return return_types.linalg_svd(u, s, turned(v))


def _only_values(a: NDArray) -> NDArray:
    return np.asarray(np.linalg.svd(a, compute_uv=False))


def _check_driver(op: str, driver: str | None) -> None:
    if driver is not None:
        raise ArgumentError(f"{op}: driver is {driver!r}; it chooses a method of cuSOLVER, on the CPU it must be None")


def svdvals(A: A, *, driver: str | None = None) -> A:
    """The singular values, in descending order.

    A has shape (..., m, n); the result (..., min(m, n)), in its floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.svdvals(tg.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    if not is_tracked(A):
        _check_driver("svdvals", driver)
        check_matrices("svdvals", "A", A)
        return dressed(converged("svdvals", _only_values, plain("svdvals", A)), A)
    return linalg_svd(A, full_matrices=False, driver=driver).S


def qr(A: A, mode: str = "reduced") -> return_types.linalg_qr[A]:
    """``(Q, R)``: orthogonal times upper triangular.

    Q has as many columns as R rows: the smaller size of A, or with "complete" all. With "r" Q is empty, and not even R
    has a derivative; nor has a tall matrix with "complete".

    A is (..., m, n); the floating dtype stays. Integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> Q, R = tg.linalg.qr(tg.tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> R
    tensor([[-5.0000, -2.2000],
            [ 0.0000,  0.4000]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"qr: mode is {mode!r}; it must be 'reduced', 'complete' or 'r'")
    m, n = check_matrices("qr", "A", A)[-2:]
    if mode == "r" or (mode == "complete" and m > n):
        refuse_gradient("qr", "use mode='reduced'", A)
        q, r = np.linalg.qr(plain("qr", A), "complete" if mode == "complete" else "reduced")
        return return_types.linalg_qr(dressed(q[:0].reshape(0) if mode == "r" else q, A), dressed(r, A))
    y: Any = QR.apply(A)
    return return_types.linalg_qr(turned(y[..., :m]), y[..., m:])


def lu_factor_ex(A: A, *, pivot: bool = True, check_errors: bool = False) -> return_types.linalg_lu_factor_ex[A]:
    """``(LU, pivots, info)``: as `lu_factor`, and info, which is 0 or the number of the first 0 on U's diagonal.

    A has shape (..., n, n). The result keeps its floating dtype; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.lu_factor_ex(tg.tensor([[2.0, 1.0], [1.0, 2.0]]))
    torch.return_types.linalg_lu_factor_ex(
    LU=tensor([[2.0000, 1.0000],
            [0.5000, 1.5000]]),
    pivots=tensor([1, 2], dtype=torch.int32),
    info=tensor(0, dtype=torch.int32))
    """
    return _lu_factor_ex("lu_factor_ex", A, pivot, check_errors)


def _lu_factor_ex(op: str, a: A, pivot: bool, check_errors: bool) -> return_types.linalg_lu_factor_ex[A]:
    shape = check_matrices(op, "A", a)
    packed, _, pivots = LU.apply(a, pivot=bool(pivot))
    zeros = np.diagonal(plain(op, packed), axis1=-2, axis2=-1) == 0
    first = np.argmax(zeros, axis=-1) + 1 if zeros.shape[-1] else 0
    info = np.where(zeros.any(-1), first, 0).astype(np.int32)
    if check_errors and info.any():
        raise SingularError(f"{op}: U of a matrix of A, of shape {shape}, has a 0 on its diagonal")
    return return_types.linalg_lu_factor_ex(packed, pivots, dressed(info, a))


def lu_factor(A: A, *, pivot: bool = True) -> return_types.linalg_lu_factor[A]:
    """``(LU, pivots)``: L below the diagonal and U on and above it, in one matrix, and the exchanges of rows.

    A has shape (..., n, n). The result keeps its floating dtype; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.lu_factor(tg.tensor([[2.0, 1.0], [1.0, 2.0]]))
    torch.return_types.linalg_lu_factor(
    LU=tensor([[2.0000, 1.0000],
            [0.5000, 1.5000]]),
    pivots=tensor([1, 2], dtype=torch.int32))
    """
    packed, pivots, _ = _lu_factor_ex("lu_factor", A, pivot, False)
    return return_types.linalg_lu_factor(packed, pivots)


def linalg_lu(A: A, *, pivot: bool = True) -> return_types.linalg_lu[A]:
    """``(P, L, U)``: a permutation, a lower triangle with ones on its diagonal, an upper triangle.

    Without `pivot` P is empty.

    A has shape (..., n, n). The result keeps its floating dtype; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.lu(tg.tensor([[1.0, 2.0], [4.0, 2.0]]))
    torch.return_types.linalg_lu(
    P=tensor([[0., 1.],
            [1., 0.]]),
    L=tensor([[1.0000, 0.0000],
            [0.2500, 1.0000]]),
    U=tensor([[4.0000, 2.0000],
            [0.0000, 1.5000]]))
    """
    check_matrices("lu", "A", A)
    packed, rows, _ = LU.apply(A, pivot=bool(pivot))
    values = plain("lu", packed)
    p = turned(permutation(plain("lu", rows), values.dtype)) if pivot else np.zeros(0, values.dtype)
    lower, upper = triangles(packed)
    return return_types.linalg_lu(dressed(p, A), lower, upper)


def triangles(packed: A) -> tuple[A, A]:
    """L, with ones on its diagonal, and U, of the array that has both."""
    k = min(shape_of(packed)[-2:])
    left: Any = packed[..., :k]
    above: Any = packed[..., :k, :]
    return tril(left, -1) + np.eye(*shape_of(left)[-2:], dtype=plain("lu", packed).dtype), triu(above)


def lu_unpack(
    LU_data: A, LU_pivots: ArrayLike, unpack_data: bool = True, unpack_pivots: bool = True
) -> return_types.lu_unpack[A]:
    """``(P, L, U)`` of what `linalg.lu_factor` returns; what is not to be unpacked is empty.

    LU (..., n, m) gives P (..., n, n), L (..., n, k), U (..., k, m), with k = min(n, m), in its floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> LU, pivots = tg.linalg.lu_factor(tg.tensor([[1.0, 2.0], [4.0, 2.0]]))
    >>> tg.lu_unpack(LU, pivots)[0]
    tensor([[0., 1.],
            [1., 0.]])
    """
    shape = check_pivots("lu_unpack", LU_data, LU_pivots)
    dtype = plain("lu_unpack", LU_data).dtype
    nothing: Any = dressed(np.zeros(0, dtype), LU_data)
    p = nothing
    if unpack_pivots:
        rows = matrices.rows_of(plain("lu_unpack", LU_pivots), shape[-2])
        p = dressed(turned(permutation(rows, dtype)), LU_data)
    lower, upper = triangles(LU_data) if unpack_data else (nothing, nothing)
    return return_types.lu_unpack(p, lower, upper)


def check_pivots(op: str, packed: Array, pivots: Any) -> Shape:
    """The shape of the factors; the pivots fit to it, and are rows of it."""
    shape, given = check_matrices(op, "LU", packed), plain(op, pivots)
    if given.dtype != np.int32:
        raise ArgumentError(f"{op}: the pivots have dtype {given.dtype}; expected int32, as lu_factor returns them")
    if given.shape != (*shape[:-2], min(shape[-2:])):
        raise ArgumentError(
            f"{op}: LU has shape {shape}, the pivots {given.shape}; expected {(*shape[:-2], min(shape[-2:]))}"
        )
    if given.size and (given.min() < 1 or given.max() > shape[-2]):
        raise ArgumentError(f"{op}: the pivots must lie between 1 and {shape[-2]}; pass what lu_factor returns")
    return shape


def lu_solve(LU: A, pivots: ArrayLike, B: ArrayLike, *, left: bool = True, adjoint: bool = False) -> A:
    """The X with ``A @ X = B``, of A the factors given that `lu_factor` returns.

    With `adjoint` ``Aᵀ @ X = B``; if not `left`, X stands before A.

    The result has the shape and dtype of B. All dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> LU, pivots = tg.linalg.lu_factor(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> tg.linalg.lu_solve(LU, pivots, tg.tensor([[2.0], [4.0]]))
    tensor([[1.],
            [1.]])
    """
    shape = check_pivots("lu_solve", LU, pivots)
    check_matrices("lu_solve", "LU", LU, square=True)
    check_matrices("lu_solve", "B", B)
    check_same_dtype("lu_solve", LU, B)
    if not left:
        return turned(lu_solve(LU, pivots, turned(B), adjoint=not adjoint))
    check_rows("lu_solve", shape, shape_of(B), True)
    p: Any = permutation(matrices.rows_of(plain("lu_solve", pivots), shape[-2]), plain("lu_solve", LU).dtype)
    if adjoint:
        half = SolveTriangular.apply(turned(LU), B, upper=False)
        return turned(p) @ SolveTriangular.apply(turned(LU), half, upper=True, unit=True)
    half = SolveTriangular.apply(LU, p @ B, upper=False, unit=True)
    return SolveTriangular.apply(LU, half, upper=True)


def householder_product(input: A, tau: ArrayLike) -> A:
    """The first n columns of the product of reflections ``1 - tau[i] vᵢ vᵢᵀ``.

    Column i of input (..., m, n) has vᵢ below the diagonal; vᵢ is 1 on it and 0 above. See `geqrf`.

    The shape (..., m, n) and the floating dtype stay. Integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.householder_product(tg.tensor([[1.0, 0.0], [1.0, 1.0]]), tg.tensor([1.0, 0.0]))
    tensor([[ 0., -1.],
            [-1.,  0.]])
    """
    m, n = _check_reflections("householder_product", input, tau)
    eye: Any = np.eye(m, n, dtype=plain("householder_product", input).dtype)
    first = level(np.broadcast_to(eye, shape_of(input)), input)
    return _reflected(input, tau, first, backwards=True)


def _check_reflections(op: str, input: Array, tau: Any) -> tuple[int, int]:
    shape, given = check_matrices(op, "input", input), shape_of(tau)
    check_same_dtype(op, input, tau)
    m, n = shape[-2:]
    if m < n:
        raise ArgumentError(f"{op}: input has shape {shape}; it must not have more columns than rows")
    if len(given) != len(shape) - 1 or given[:-1] != shape[:-2] or given[-1] > n:
        raise ArgumentError(
            f"{op}: input has shape {shape}, tau {given}; expected {shape[:-2]} and at most {n} numbers"
        )
    return m, n


def _reflected(input: Any, tau: Any, other: Any, backwards: bool) -> Any:
    """The reflections applied to the columns of `other`, the last one first if `backwards`."""
    count = shape_of(tau)[-1]
    m = shape_of(input)[-2]
    lower = tril(input[..., :count], -1) + np.eye(m, count, dtype=plain("reflections", input).dtype)
    for k in reversed(range(count)) if backwards else range(count):
        v = lower[..., k : k + 1]
        other = other - tau[..., k, None, None] * (v @ (turned(v) @ other))
    return other


def ormqr(input: A, tau: ArrayLike, other: ArrayLike, left: bool = True, transpose: bool = False) -> A:
    """Q (m, m), the product of all reflections (see `householder_product`), times other; with `transpose`, Qᵀ.

    If not `left`, other stands before Q.

    The result has the shape and dtype of other.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ormqr(tg.tensor([[1.0, 0.0], [1.0, 1.0]]), tg.tensor([1.0, 0.0]), tg.eye(2))
    tensor([[ 0., -1.],
            [-1.,  0.]])
    """
    shape, given = check_matrices("ormqr", "input", input), shape_of(tau)
    b = check_matrices("ormqr", "other", other)
    check_same_dtype("ormqr", input, tau, other)
    if len(given) != len(shape) - 1 or given[:-1] != shape[:-2] or given[-1] > min(shape[-2:]):
        raise ArgumentError(f"ormqr: input has shape {shape}, tau {given}; expected one number a column, at most")
    if b[:-2] != shape[:-2] or b[-2 if left else -1] != shape[-2]:
        raise ArgumentError(f"ormqr: input has shape {shape}, other {b}; Q is ({shape[-2]}, {shape[-2]})")
    if left:
        return _reflected(input, tau, other, backwards=not transpose)
    return turned(_reflected(input, tau, turned(other), backwards=transpose))


def geqrf(input: A) -> return_types.geqrf[A]:
    """``(a, tau)``: R on and above the diagonal, below it the reflections of `householder_product`; no derivative.

    The input has shape (..., m, n), a, too, and tau (..., min(m, n)), all in its floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.geqrf(tg.tensor([[3.0, 1.0], [4.0, 2.0]])).tau
    tensor([1.6000, 0.0000])
    """
    check_matrices("geqrf", "input", input)
    refuse_gradient("geqrf", "use linalg.qr", input)
    packed, tau = np.linalg.qr(plain("geqrf", input), "raw")
    return return_types.geqrf(dressed(turned(packed).copy(), input), dressed(tau, input))
