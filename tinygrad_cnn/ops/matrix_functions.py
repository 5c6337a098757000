"""Functions of whole matrices: pseudo-inverse, exponential, norms, rank, least squares; and those made of inverses."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axes, check_axis, check_broadcast, dtype_of, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import A, Array, ArrayLike, Axis, NDArray
from tinygrad_cnn.kernels import matrices
from tinygrad_cnn.ops.checks import check_floating, check_matrices, check_same_dtype
from tinygrad_cnn.ops.decompositions import eigvalsh, from_triangle, separated, svdvals
from tinygrad_cnn.ops.piecewise import abs, where
from tinygrad_cnn.ops.reduce import amax, amin, sum
from tinygrad_cnn.ops.reduce import norm as of_elements
from tinygrad_cnn.ops.running import cumprod
from tinygrad_cnn.ops.shape import cat, movedim, reshape, unsqueeze
from tinygrad_cnn.ops.solving import inv, inv_ex, solve, turned
from tinygrad_cnn.ops.untracked import dressed, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "matrix_exp", "norm",
]  # fmt: skip


class Pinv(Op):
    """y = a⁺, the pseudo-inverse        da = -yᵀ g yᵀ + (1 - a y) gᵀ y yᵀ + yᵀ y gᵀ (1 - y a), at constant rank

    Singular values up to the larger of `atol` and `rtol` times the largest one count as 0 (Golub and Pereyra 1973).
    """

    floating = True

    def forward(a: Array, *, atol: Array, rtol: Array) -> Array:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        cut = np.maximum(atol[..., None], rtol[..., None] * s[..., :1])
        inverse = np.where(s > cut, 1 / np.where(s > cut, s, 1), 0).astype(s.dtype)
        return turned(u * inverse[..., None, :] @ vh)

    def d_a(g: Array, y: Array, a: Array) -> Array:
        across, back = turned(y), turned(g)
        left, right = back @ y @ across, across @ y @ back
        return right - right @ y @ a + left - a @ (y @ left) - across @ g @ across

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        a = separated(draw, draw.integer(1, 3), draw.integer(1, 3))
        return Sample((a,), {"atol": np.zeros(()), "rtol": np.full((), 1e-6)})


class MatrixExp(Op):
    """y = Σ aᵏ / k!        da = the upper right block of the exponential of [[aᵀ, g], [0, aᵀ]]"""

    floating = True

    def forward(a: Array) -> Array:
        return matrices.exponential(a)

    def d_a(g: Array, a: Array) -> Array:
        n, across = a.shape[-1], turned(a)
        above, below = cat([across, g], -1), cat([across * 0, across], -1)
        return MatrixExp.apply(cat([above, below], -2))[..., :n, n:]

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n = draw.integer(1, 3)
        return Sample((draw.array((*draw.shape(0, 1, smallest=1), n, n), Real(-2, 2)),), {})


def matrix_exp(input: A) -> A:
    """The exponential ``Σ inputᵏ / k!`` of square matrices.

    Shape (..., n, n) and the floating dtype stay. ValueError unless the matrices are square.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.matrix_exp(tg.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    shape = shape_of(input)
    check_floating("matrix_exp", "input", input)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ArgumentError(f"matrix_exp: input has shape {shape}; expected square matrices (..., n, n)")
    return MatrixExp.apply(input)


def pinv(A: A, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> A:
    """The pseudo-inverse.

    Singular values up to ``max(atol, rtol * largest)`` count as 0; `rtol`, of which `rcond` is the older name, is by
    default the precision times the larger size, or 0 if `atol` is given. With `hermitian` the lower triangle is read.

    (..., m, n) gives (..., n, m); the floating dtype stays. Integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.pinv(tg.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    shape = check_matrices("pinv", "A", A, square=hermitian)
    atol, rtol = _tolerances("pinv", A, atol, rtol if rcond is None else rcond)
    a: Any = from_triangle(A, False) if hermitian else A
    if not math.prod(shape[-2:]):
        return dressed(np.zeros((*shape[:-2], shape[-1], shape[-2]), plain("pinv", A).dtype), A) + turned(a)
    return Pinv.apply(a, atol=atol, rtol=rtol)


def _tolerances(op: str, a: Array, atol: Any, rtol: Any) -> tuple[NDArray, NDArray]:
    """Both as arrays in the dtype of `a`; the default of `rtol` is the precision times the larger size."""
    values = plain(op, a)
    if rtol is None:
        rtol = max(values.shape[-2:]) * float(np.finfo(values.dtype).eps) if _is_zero(op, atol) else 0.0
    absolute, relative = (np.asarray(plain(op, 0.0 if t is None else t)) for t in (atol, rtol))
    for name, given in (("atol", absolute), ("rtol", relative)):
        if given.dtype.kind not in "biuf":
            raise ArgumentError(f"{op}: {name} has dtype {given.dtype}; expected a real number, or one for each matrix")
        check_broadcast(op, values.shape[:-2], given.shape)
    return absolute, relative


def _is_zero(op: str, tolerance: Any) -> bool:
    return tolerance is None or bool(np.all(plain(op, tolerance) == 0))


def matrix_rank(A: A, *, tol: Any = None, hermitian: bool = False, atol: Any = None, rtol: Any = None) -> A:
    """The number of singular values above ``max(atol, rtol * largest)``; `tol` is the older name of `atol`.

    `rtol` is by default the precision times the larger size, or 0 if `atol` is given. With `hermitian` the lower
    triangle is read.

    (..., m, n) gives (...), int64. The dtype must be floating.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.matrix_rank(tg.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    shape = check_matrices("matrix_rank", "A", A, square=hermitian)
    if tol is not None:
        atol, rtol = tol, 0.0 if rtol is None else rtol
    absolute, relative = _tolerances("matrix_rank", A, atol, rtol)
    values = plain("matrix_rank", A)
    if not math.prod(shape[-2:]):
        return dressed(np.zeros(shape[:-2], np.int64), A)
    sizes = np.abs(eigvalsh(values)) if hermitian else svdvals(values)
    cut = np.maximum(absolute, relative * sizes.max(-1))
    return dressed(np.asarray(np.sum(sizes > cut[..., None], axis=-1, dtype=np.int64)), A)


def lstsq(A: A, B: ArrayLike, rcond: float | None = None, *, driver: str | None = None) -> return_types.linalg_lstsq[A]:
    """``(solution, residuals, rank, singular_values)``: the X that makes ``A @ X - B`` least; B is a matrix or vectors.

    Singular values up to `rcond` times the largest one count as 0. The residuals are the squared errors of each column,
    if A is tall and of full rank. The singular values are given by the drivers "gelsd" and "gelss", the rank by all but
    "gels"; what is not given is empty.

    A is (..., m, n), B (..., m, k) or (..., m). Both must have the same floating dtype, which the solution has,
    too.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.lstsq(tg.tensor([[3.0], [4.0]]), tg.tensor([[3.0], [5.0]])).solution
    tensor([[1.1600]])
    """
    a, b = check_matrices("lstsq", "A", A), shape_of(B)
    check_same_dtype("lstsq", A, B)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ArgumentError(f"lstsq: driver is {driver!r}; it must be 'gels', 'gelsy', 'gelsd' or 'gelss'")
    vector = len(b) == len(a) - 1 and b == a[:-1]
    rows: Any = B[..., None] if vector else B
    if not vector and (len(b) < 2 or b[-2] != a[-2]):
        raise ArgumentError(f"lstsq: A has shape {a}, B {b}; B must have {a[-2]} rows")
    check_broadcast("lstsq", a[:-2], b[: -1 if vector else -2])
    values = plain("lstsq", A)
    precision = max(values.shape[-2:]) * float(np.finfo(values.dtype).eps)
    solution: Any = pinv(A, rtol=precision if rcond is None else rcond) @ rows
    sizes = np.linalg.svd(values, compute_uv=False) if values.size else np.zeros((*a[:-2], min(a[-2:])), values.dtype)
    largest = sizes.max(-1, initial=0, keepdims=True)
    rank = np.sum(sizes > (precision if rcond is None else rcond) * largest, axis=-1, dtype=np.int64)
    nothing = np.zeros(0, values.dtype)
    residuals: Any = reshape(solution, (-1,))[:0]
    if a[-2] > a[-1] and driver != "gelsy" and driver is not None and bool(np.all(rank == a[-1])):
        error = A @ solution - rows
        residuals = sum(error * error, -2)
    return return_types.linalg_lstsq(
        solution[..., 0] if vector else solution,
        residuals,
        dressed(np.zeros(0, np.int64) if driver == "gels" else rank, A),
        dressed(sizes if driver in ("gelsd", "gelss") else nothing, A),
    )


def norm(input: A, p: float | str | None = "fro", dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """The p-norm of the elements along the dims (all: of the flattened array); its gradient at 0 is 0.

    "fro" means 2, and 0 counts the elements that are not 0; "nuc" is the sum of the singular values of matrices.

    The result lacks the dims, unless `keepdim`. A floating dtype stays, or `dtype` is given; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.norm(tg.tensor([3.0, 4.0]))
    tensor(5.)
    >>> tg.norm(tg.tensor([[3.0, 4.0], [5.0, 12.0]]), dim=1)
    tensor([ 5., 13.])
    """
    if p != "nuc":
        return of_elements(input, p, dim, keepdim, dtype=dtype)
    ndim = len(shape_of(input))
    axes = check_axes("norm", dim, ndim)
    if len(axes) != 2:
        raise ArgumentError(f"norm: p is 'nuc' and input has shape {shape_of(input)}; it needs a matrix, or two dims")
    return matrix_norm(input, "nuc", axes, keepdim, dtype=dtype)


def vector_norm(x: A, ord: float = 2, dim: Axis = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """The norm of the elements along dims, all by default, taken as one vector.

    The result lacks the dims, unless `keepdim`; it has the floating dtype of x, or `dtype`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.vector_norm(tg.tensor([3.0, -4.0]), ord=1)
    tensor(7.)
    """
    return of_elements(x, float(ord), dim, keepdim, dtype=dtype)


def matrix_norm(
    A: A, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> A:
    """The norm of matrices: "fro", "nuc" (Σ of singular values), ±1 (columns), ±inf (rows), ±2 (a singular value).

    The result lacks the two dims, unless `keepdim`; it has the floating dtype of A, or `dtype`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.matrix_norm(tg.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    shape = shape_of(A)
    if len(shape) < 2:
        raise ArgumentError(f"matrix_norm: A has shape {shape}; expected at least 2 dims")
    check_floating("matrix_norm", "A", A)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) != 2:
        raise ArgumentError(f"matrix_norm: dim is {dim!r}; expected two dims")
    x: Any = A if dtype is None else A.astype(dtype)
    row, column = check_axes("matrix_norm", dims, len(shape))
    if ord == "fro":
        return of_elements(x, 2.0, (row, column), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        over, left = (row, column) if ord in (1, -1) else (column, row)
        sums = sum(abs(x), over, True)
        found: Any = _extreme(sums, ord, left)
    elif ord in ("nuc", 2, -2):
        sizes: Any = svdvals(movedim(x, (row, column), (-2, -1)))
        found = sum(sizes, -1) if ord == "nuc" else _extreme(sizes, ord, -1).squeeze(-1)
        for axis in sorted((row, column)):
            found = unsqueeze(found, axis)
    else:
        raise ArgumentError(f"matrix_norm: ord is {ord!r}; it must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    return found if keepdim else found.squeeze((row, column))


def _extreme(x: Array, ord: float, dim: int) -> Any:
    """The largest, or smallest if `ord` is below 0, along a dim, which stays; the largest of nothing is 0."""
    if ord < 0:
        return amin(x, dim, True)
    return amax(x, dim, True) if shape_of(x)[dim] else sum(x, dim, True)


def norms(A: A, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> A:
    """``linalg.norm``: of a vector or, with two dims or an `ord` that is not None and 2-D input, of a matrix.

    The result lacks the dims, unless `keepdim`. A floating dtype stays, or `dtype` is given; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.norm(tg.tensor([[3.0, 0.0], [0.0, 4.0]]), 2)
    tensor(4.)
    """
    ndim = len(shape_of(A))
    dims = () if dim is None or isinstance(dim, int) else tuple(dim)
    if ord is not None and (len(dims) == 2 or (dim is None and ndim == 2)):
        return matrix_norm(A, ord, dims or (-2, -1), keepdim, dtype=dtype)
    if isinstance(ord, str) or (ord is not None and dim is None and ndim > 2):
        raise ArgumentError(f"norm: ord {ord!r} of shape {shape_of(A)} needs a vector or a matrix: 1 or 2 dims, or dim")
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def cond(A: A, p: Any = None) -> A:
    """The condition number by a norm `p` (see `matrix_norm`): ``norm(A) * norm(inv(A))``; infinite if A is singular.

    A has shape (..., n, n), or (..., m, n) without `p`; the result has the dims before those, in the same floating
    dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.cond(tg.tensor([[1.0, 0.0], [0.0, 4.0]]))
    tensor(4.)
    """
    shape = check_matrices("cond", "A", A, square=p not in (None, 2, -2))
    if not math.prod(shape[-2:]):
        return dressed(np.zeros(shape[:-2], plain("cond", A).dtype), A)
    if p in (None, 2, -2):
        sizes: Any = svdvals(A)
        largest, smallest = sizes[..., 0], sizes[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    inverse, info = inv_ex(A)
    product: Any = matrix_norm(A, p) * matrix_norm(inverse, p)
    infinite = np.where(plain("cond", info) > 0, math.inf, 0.0)
    return where(infinite > 0, dressed(infinite.astype(plain("cond", A).dtype), A), product)


def tensorinv(A: A, ind: int = 2) -> A:
    """The inverse of the map that `tensordot` with A makes of arrays of the last dims, from `ind` on.

    The dtype stays. A must be square when its first `ind` dims, and the others, are made one.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.tensorinv(tg.eye(4).reshape(2, 2, 4), ind=2).shape
    torch.Size([4, 2, 2])
    """
    check_floating("tensorinv", "A", A)
    shape = shape_of(A)
    if not isinstance(ind, int) or ind <= 0:
        raise ArgumentError(f"tensorinv: ind is {ind!r}; it must be above 0")
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise ArgumentError(
            f"tensorinv: A of shape {shape} has {rows} elements before dim {ind} and {columns} after it"
        )
    return reshape(inv(reshape(A, (rows, columns))), (*shape[ind:], *shape[:ind]))


def tensorsolve(A: A, B: ArrayLike, dims: Sequence[int] | None = None) -> A:
    """The X with ``tensordot(A, X, X.ndim) = B``; the dims named are moved to the end of A first.

    Both must have the same floating dtype, which X has, too.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.tensorsolve(2 * tg.eye(2), tg.tensor([2.0, 4.0]))
    tensor([1., 2.])
    """
    check_floating("tensorsolve", "A", A)
    check_same_dtype("tensorsolve", A, B)
    a: Any = A
    if dims is not None:
        axes = check_axes("tensorsolve", tuple(dims), len(shape_of(A)))
        a = movedim(A, axes, tuple(range(-len(axes), 0)))
    left, right = shape_of(a), shape_of(B)
    beyond = left[len(right) :]
    if math.prod(beyond) != math.prod(right) or math.prod(left[: len(right)]) != math.prod(right):
        raise ArgumentError(f"tensorsolve: A has shape {left}, B {right}; A must be square, (*B.shape, *X.shape)")
    n = math.prod(right)
    return reshape(solve(reshape(a, (n, n)), reshape(B, (n,))), beyond)


def linalg_vander(x: A, *, N: int | None = None) -> A:
    """The powers 0 to N - 1 of each element, along a new last dim; N is the size of the last dim, if not given.

    (..., n) gives (..., n, N); the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.vander(tg.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    shape = shape_of(x)
    count = (shape[-1] if shape else 1) if N is None else N
    if count <= 1:
        raise ArgumentError(f"vander: N is {count}; it must be greater than 1")
    if dtype_of(x).kind == "b":
        raise DTypeError("vander: x is boolean; convert it with .long() or .float()")
    return powers(x, count) if shape else unsqueeze(powers(x, count), 0)


def powers(x: Any, count: int) -> Any:
    shape, values = shape_of(x), plain("vander", x)
    dtype = np.int64 if values.dtype.kind in "biu" else values.dtype
    ones: Any = dressed(np.ones((*shape, 1), dtype), x)
    if count <= 1:
        return ones[..., :count]
    repeated = np.broadcast_to(unsqueeze(x, -1), (*shape, count - 1))
    return cat([ones, cumprod(repeated, -1, dtype=dtype)], -1)


def vecdot(x: A, y: ArrayLike, *, dim: int = -1) -> A:
    """The sums of products along a dim, after broadcasting.

    The result lacks the dim. Both must have the same dtype, which stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.vecdot(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    check_floating("vecdot", "x", x)
    check_same_dtype("vecdot", x, y)
    shape = check_broadcast("vecdot", shape_of(x), shape_of(y))
    axis = check_axis("vecdot", dim, len(shape))
    return sum(x * y, axis)
