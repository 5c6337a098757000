"""Singular vectors of large matrices, the first few of them, found from products with random ones.

N. Halko, P.-G. Martinsson and J. A. Tropp, "Finding structure with randomness", SIAM Review 53 (2011), 217-288.
"""

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.ops.checks import check_matrices
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import randn

__all__ = [
    "pca_lowrank", "svd_lowrank",
]  # fmt: skip


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """``(U, S, V)``, the first `q` singular values of ``A - M`` and their vectors, after `niter` rounds.

    A is (..., m, n); U, S, V are (..., m, q), (..., q), (..., n, q), in its floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> U, S, V = tg.svd_lowrank(tg.tensor([[3.0, 0.0], [0.0, 4.0]]), q=2)
    >>> S.round(decimals=3)
    tensor([4., 3.])
    """
    shape = check_matrices("svd_lowrank", "A", A)
    a = A if M is None else A - ops.broadcast_to(M, shape)
    wide = shape[-2] < shape[-1]
    u, s, v = _of_tall(a.mT if wide else a, 6 if q is None else q, 2 if niter is None else niter)
    return (v, s, u) if wide else (u, s, v)


def _of_tall(a: Tensor, q: int, niter: int) -> tuple[Tensor, Tensor, Tensor]:
    basis = ops.qr(a @ randn(a.shape[-1], q, dtype=a.dtype)).Q
    for _ in range(niter):
        basis = ops.qr(a.mT @ basis).Q
        basis = ops.qr(a @ basis).Q
    u, s, vh = ops.linalg_svd(basis.mT @ a, full_matrices=False)
    return basis @ u, s, vh.mT


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """``(U, S, V)`` of `svd_lowrank`, of the rows less their mean: the columns of V are the principal directions.

    Shapes and dtypes as in `svd_lowrank`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> U, S, V = tg.pca_lowrank(tg.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), q=1)
    >>> S
    tensor([2.])
    """
    m, n = check_matrices("pca_lowrank", "A", A)[-2:]
    count = min(6, m, n) if q is None else q
    if not 0 <= count <= min(m, n):
        raise ArgumentError(f"pca_lowrank: q is {q}; it must lie between 0 and {min(m, n)}")
    if niter < 0:
        raise ArgumentError(f"pca_lowrank: niter is {niter}; it must be at least 0")
    return svd_lowrank(A - ops.mean(A, -2, True) if center else A, count, niter)
