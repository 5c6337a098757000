"""``torch.linalg``: the linear algebra of `ops` under its names."""

from typing import TYPE_CHECKING

from tinygrad_cnn.ops.linalg import matmul as matmul
from tinygrad_cnn.ops.products import cross as cross
from tinygrad_cnn.ops.products import matrix_power as matrix_power
from tinygrad_cnn.ops.products import multi_dot as multi_dot
from tinygrad_cnn.ops.shape import diagonal as diagonal
from tinygrad_cnn.ops.solving import SingularError, linalg_svd, norms
from tinygrad_cnn.ops.solving import cholesky as cholesky
from tinygrad_cnn.ops.solving import det as det
from tinygrad_cnn.ops.solving import eigh as eigh
from tinygrad_cnn.ops.solving import inv as inv
from tinygrad_cnn.ops.solving import matrix_norm as matrix_norm
from tinygrad_cnn.ops.solving import matrix_rank as matrix_rank
from tinygrad_cnn.ops.solving import pinv as pinv
from tinygrad_cnn.ops.solving import qr as qr
from tinygrad_cnn.ops.solving import slogdet as slogdet
from tinygrad_cnn.ops.solving import solve as solve
from tinygrad_cnn.ops.solving import svdvals as svdvals
from tinygrad_cnn.ops.solving import vector_norm as vector_norm
from tinygrad_cnn.torch_names.absent import OF_LINALG as _OF_LINALG
from tinygrad_cnn.torch_names.absent import absent as _absent

LinAlgError = SingularError
norm, svd = norms, linalg_svd

if not TYPE_CHECKING:
    _OTHER_NAMES = {"SingularError", "norms", "linalg_svd"}
    __all__ = [n for n, v in vars().items() if callable(v) and n[0] != "_" and n not in _OTHER_NAMES]
    __getattr__ = _absent("torch.linalg", _OF_LINALG)
