"""Every op, declared once: a forward rule, one vector-Jacobian product per input, and how it is tested.

The lower-case functions are the public doors, with PyTorch's signatures: they check their arguments and call
the ops. Given arrays they compute; given Tensors they record.
"""

from typing import TYPE_CHECKING

from tinygrad_cnn.core.op import Elementwise as Elementwise
from tinygrad_cnn.core.op import Op as Op
from tinygrad_cnn.core.op import Unary as Unary
from tinygrad_cnn.core.op import registry as registry
from tinygrad_cnn.ops import attention as attention
from tinygrad_cnn.ops import recurrent as recurrent
from tinygrad_cnn.ops.arrangement import sum_to_size as sum_to_size
from tinygrad_cnn.ops.decompositions import cholesky as cholesky
from tinygrad_cnn.ops.decompositions import eigh as eigh
from tinygrad_cnn.ops.decompositions import linalg_svd as linalg_svd
from tinygrad_cnn.ops.decompositions import qr as qr
from tinygrad_cnn.ops.decompositions import svdvals as svdvals
from tinygrad_cnn.ops.families import *
from tinygrad_cnn.ops.matrix_functions import matrix_norm as matrix_norm
from tinygrad_cnn.ops.matrix_functions import matrix_rank as matrix_rank
from tinygrad_cnn.ops.matrix_functions import pinv as pinv
from tinygrad_cnn.ops.matrix_functions import vector_norm as vector_norm
from tinygrad_cnn.ops.norm import batch_norm as batch_norm
from tinygrad_cnn.ops.norm import drop as drop
from tinygrad_cnn.ops.products import multi_dot as multi_dot
from tinygrad_cnn.ops.solving import inv as inv
from tinygrad_cnn.ops.solving import solve as solve

dropout, svd = drop, linalg_svd
"""Their old names, for one version more."""

if not TYPE_CHECKING:
    __all__ = [name for name, value in vars().items() if callable(value) or name == "registry"]
