"""Methods of `Tensor` from linear algebra, a line each: what they compute is in `ops`."""

from __future__ import annotations

from tinygrad_cnn import ops
from tinygrad_cnn.ops import older_names
from tinygrad_cnn.tensor.facts import FactMethods


class ProductMethods(FactMethods):
    """Products of matrices."""

    __slots__ = ()

    matmul = ops.matmul
    mm = ops.mm
    bmm = ops.bmm
    dot = ops.dot
    outer = ops.outer
    mv = ops.mv
    addmm = ops.addmm
    addmv = ops.addmv
    addr = ops.addr
    addbmm = ops.addbmm
    baddbmm = ops.baddbmm
    inner = ops.inner
    ger = ops.ger
    vdot = ops.vdot
    matrix_power = ops.matrix_power
    kron = ops.kron
    cross = ops.cross
    adjoint = ops.adjoint
    inverse = ops.inverse
    det = ops.det
    slogdet = ops.slogdet
    logdet = ops.logdet
    cholesky = older_names.cholesky
    cholesky_inverse = ops.cholesky_inverse
    cholesky_solve = ops.cholesky_solve
    geqrf = ops.geqrf
    lu = older_names.lu
    lu_solve = older_names.lu_solve
    matrix_exp = ops.matrix_exp
    orgqr = ops.orgqr
    ormqr = ops.ormqr
    pinverse = ops.pinverse
    qr = older_names.qr
    svd = older_names.svd
    triangular_solve = ops.triangular_solve
