"""``torch.linalg``: the linear algebra of `ops` under its names, and with `out`."""

from typing import TYPE_CHECKING

from tinygrad_cnn.ops import decompositions, matrix_functions, products, solving
from tinygrad_cnn.ops.linalg import matmul as matmul
from tinygrad_cnn.ops.solving import SingularError
from tinygrad_cnn.tensor.out import into
from tinygrad_cnn.torch_names.absent import OF_LINALG as _OF_LINALG
from tinygrad_cnn.torch_names.absent import absent as _absent

LinAlgError = SingularError
cholesky = into(decompositions.cholesky, exact=True)
cholesky_ex = into(decompositions.cholesky_ex, exact=True)
cond = into(matrix_functions.cond)
cross = into(products.linalg_cross, exact=True)
det = into(solving.det, exact=True)
diagonal = products.linalg_diagonal
eigh = into(decompositions.eigh, exact=True)
eigvalsh = into(decompositions.eigvalsh, exact=True)
householder_product = into(decompositions.householder_product)
inv = into(solving.inv, exact=True)
inv_ex = into(solving.inv_ex, exact=True)
lstsq = into(matrix_functions.lstsq)
lu = into(decompositions.linalg_lu, exact=True)
lu_factor = into(decompositions.lu_factor, exact=True)
lu_factor_ex = into(decompositions.lu_factor_ex, exact=True)
lu_solve = into(decompositions.lu_solve, exact=True)
matmul = into(matmul, exact=True)
matrix_exp = matrix_functions.matrix_exp
matrix_norm = into(matrix_functions.matrix_norm, exact=True)
matrix_power = into(products.matrix_power)
matrix_rank = into(matrix_functions.matrix_rank)
multi_dot = into(products.multi_dot, exact=True)
norm = into(matrix_functions.norms, exact=True)
pinv = into(matrix_functions.pinv)
qr = into(decompositions.qr, exact=True)
slogdet = into(solving.slogdet, exact=True)
solve = into(solving.solve, exact=True)
solve_ex = into(solving.solve_ex, exact=True)
solve_triangular = into(solving.solve_triangular, exact=True)
svd = into(decompositions.linalg_svd, exact=True)
svdvals = into(decompositions.svdvals, exact=True)
tensorinv = into(matrix_functions.tensorinv)
tensorsolve = into(matrix_functions.tensorsolve)
vander = matrix_functions.linalg_vander
vecdot = into(matrix_functions.vecdot, exact=True)
vector_norm = into(matrix_functions.vector_norm, exact=True)

if not TYPE_CHECKING:
    __all__ = [n for n, v in vars().items() if callable(v) and n[0] != "_" and n not in ("SingularError", "into")]
    __getattr__ = _absent("torch.linalg", _OF_LINALG)
