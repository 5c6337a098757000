"""``torch.linalg``: the linear algebra of `ops` under its names."""

from tinygrad_cnn.ops.linalg import matmul
from tinygrad_cnn.ops.products import cross, matrix_power, multi_dot
from tinygrad_cnn.ops.shape import diagonal
from tinygrad_cnn.ops.solving import SingularError as LinAlgError
from tinygrad_cnn.ops.solving import (
    cholesky,
    det,
    eigh,
    inv,
    matrix_norm,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
    vector_norm,
)
from tinygrad_cnn.ops.solving import norms as norm
from tinygrad_cnn.torch_names.absent import OF_LINALG, absent

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "vector_norm",
]


__getattr__ = absent("torch.linalg", OF_LINALG)
