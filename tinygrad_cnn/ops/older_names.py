"""The decompositions by the names and arguments that they had before ``torch.linalg``."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike
from tinygrad_cnn.ops import decompositions, matrix_functions
from tinygrad_cnn.ops.decompositions import householder_product, linalg_svd, lu_factor_ex
from tinygrad_cnn.ops.shape import flip
from tinygrad_cnn.ops.solving import SingularError, turned
from tinygrad_cnn.ops.untracked import dressed, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "lu", "lu_solve", "orgqr", "pinverse", "vander",
]  # fmt: skip
# and cholesky, qr and svd, which are those of ``torch.linalg`` in `ops`


def cholesky(input: A, upper: bool = False) -> A:
    """The triangular factor of positive definite matrices; see `linalg.cholesky`.

    Shape (..., n, n) and the floating dtype stay. LinAlgError where a matrix is not positive definite.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    return decompositions.cholesky(input, upper=upper)


def lu(A: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    """``(LU, pivots)``, and with `get_infos` also info; see `linalg.lu_factor_ex`.

    A has shape (..., n, m), LU, too, and pivots (..., min(n, m)), int32. LinAlgError if U has a 0 on its diagonal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.lu(tg.tensor([[1.0, 2.0], [4.0, 2.0]]))[0]
    tensor([[4.0000, 2.0000],
            [0.2500, 1.5000]])
    """
    packed, pivots, info = lu_factor_ex(A, pivot=pivot)
    if get_infos:
        return packed, pivots, info
    if plain("lu", info).any():
        raise SingularError(f"lu: U of a matrix of shape {shape_of(A)} has a 0 on its diagonal; see get_infos")
    return packed, pivots


def lu_solve(b: A, LU_data: ArrayLike, LU_pivots: ArrayLike) -> A:
    """The X with ``A @ X = b``; see `linalg.lu_solve`.

    b has shape (..., n, k), the result, too. Both must have the same floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> LU, pivots = tg.linalg.lu_factor(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> tg.lu_solve(tg.tensor([[2.0], [4.0]]), LU, pivots)
    tensor([[1.],
            [1.]])
    """
    return decompositions.lu_solve(LU_data, LU_pivots, b)


def orgqr(input: A, tau: ArrayLike) -> A:
    """`linalg.householder_product`

    Shape (..., m, n) and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.orgqr(tg.tensor([[1.0, 0.0], [1.0, 1.0]]), tg.tensor([1.0, 0.0]))
    tensor([[ 0., -1.],
            [-1.,  0.]])
    """
    return householder_product(input, tau)


def pinverse(input: A, rcond: float = 1e-15) -> A:
    """The pseudo-inverse; see `linalg.pinv`.

    (..., n, m) gives (..., m, n); the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.pinverse(tg.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    return matrix_functions.pinv(input, rcond)


def qr(input: A, some: bool = True) -> return_types.qr[A]:
    """``(Q, R)``; if not `some`, all columns of Q. See `linalg.qr`.

    A has shape (..., n, m) and a floating dtype, which Q and R have, too; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.qr(tg.tensor([[3.0, 1.0], [4.0, 2.0]])).R
    tensor([[-5.0000, -2.2000],
            [ 0.0000,  0.4000]])
    """
    return return_types.qr(*decompositions.qr(input, "reduced" if some else "complete"))


def svd(input: A, some: bool = True, compute_uv: bool = True) -> return_types.svd[A]:
    """``(U, S, V)`` with ``input = U diag(S) Vᵀ``; if not `some`, all columns. See `linalg.svd`.

    Without `compute_uv` U and V are zeros.

    A has shape (..., n, m) and a floating dtype, which the results have, too; integers are refused.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.svd(tg.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    u, s, vh = linalg_svd(input, full_matrices=not some and compute_uv)
    if not compute_uv:
        *lead, m, n = shape_of(input)
        u, vh = (dressed(np.zeros((*lead, k, k), plain("svd", input).dtype), input) for k in (m, n))
    return return_types.svd(u, s, turned(vh))


def vander(x: A, N: int | None = None, increasing: bool = False) -> A:
    """The powers of each element of a vector: N columns, by default as many as elements, the highest power first.

    The input is a vector of any dtype, which stays. ValueError for other dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.vander(tg.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    shape = shape_of(x)
    if len(shape) != 1:
        raise ArgumentError(f"vander: x has shape {shape}; expected 1 dim")
    count = shape[0] if N is None else N
    if count < 0:
        raise ArgumentError(f"vander: N is {N}; it must be at least 0")
    powers = matrix_functions.powers(x, count)
    return powers if increasing else flip(powers, -1)
