"""``torch.linalg``: the linear algebra of `ops` under its names, and with `out`."""

from typing import TYPE_CHECKING

from tinygrad_cnn.ops import decompositions, matrix_functions, products, solving
from tinygrad_cnn.ops.linalg import matmul
from tinygrad_cnn.ops.solving import SingularError
from tinygrad_cnn.tensor.out import into
from tinygrad_cnn.torch_names.absent import OF_LINALG as _OF_LINALG
from tinygrad_cnn.torch_names.absent import absent as _absent

LinAlgError = SingularError
cholesky = into(decompositions.cholesky)
cholesky_ex = into(decompositions.cholesky_ex)
cond = into(matrix_functions.cond)
cross = into(products.linalg_cross)
det = into(solving.det)
diagonal = products.linalg_diagonal
eigh = into(decompositions.eigh)
eigvalsh = into(decompositions.eigvalsh)
householder_product = into(decompositions.householder_product)
inv = into(solving.inv)
inv_ex = into(solving.inv_ex)
lstsq = into(matrix_functions.lstsq)
lu = into(decompositions.linalg_lu)
lu_factor = into(decompositions.lu_factor)
lu_factor_ex = into(decompositions.lu_factor_ex)
lu_solve = into(decompositions.lu_solve)
matmul = into(matmul)
matrix_exp = matrix_functions.matrix_exp
matrix_norm = into(matrix_functions.matrix_norm)
matrix_power = into(products.matrix_power)
matrix_rank = into(matrix_functions.matrix_rank)
multi_dot = into(products.multi_dot)
norm = into(matrix_functions.norms)
pinv = into(matrix_functions.pinv)
qr = into(decompositions.qr)
slogdet = into(solving.slogdet)
solve = into(solving.solve)
solve_ex = into(solving.solve_ex)
solve_triangular = into(solving.solve_triangular)
svd = into(decompositions.linalg_svd)
svdvals = into(decompositions.svdvals)
tensorinv = into(matrix_functions.tensorinv)
tensorsolve = into(matrix_functions.tensorsolve)
vander = matrix_functions.linalg_vander
vecdot = into(matrix_functions.vecdot)
vector_norm = into(matrix_functions.vector_norm)

if not TYPE_CHECKING:
    __all__ = [n for n, v in vars().items() if callable(v) and n[0] != "_" and n not in ("SingularError", "into")]
    __getattr__ = _absent("torch.linalg", _OF_LINALG)
