"""``torch.functional``: where PyTorch keeps some of its functions of tensors."""

from typing import TYPE_CHECKING

from tinygrad_cnn.ops.arrangement import atleast_1d as atleast_1d
from tinygrad_cnn.ops.arrangement import atleast_2d as atleast_2d
from tinygrad_cnn.ops.arrangement import atleast_3d as atleast_3d
from tinygrad_cnn.ops.arrangement import broadcast_shapes as broadcast_shapes
from tinygrad_cnn.ops.arrangement import broadcast_tensors as broadcast_tensors
from tinygrad_cnn.ops.arrangement import cartesian_prod as cartesian_prod
from tinygrad_cnn.ops.arrangement import meshgrid as meshgrid
from tinygrad_cnn.ops.diagonals import block_diag as block_diag
from tinygrad_cnn.ops.linalg import einsum as einsum
from tinygrad_cnn.ops.matrix_functions import norm as norm
from tinygrad_cnn.ops.ordering import unique as unique
from tinygrad_cnn.ops.ordering import unique_consecutive as unique_consecutive
from tinygrad_cnn.ops.products import cdist as cdist
from tinygrad_cnn.ops.products import chain_matmul as chain_matmul
from tinygrad_cnn.ops.products import tensordot as tensordot
from tinygrad_cnn.ops.shape import split as split

if not TYPE_CHECKING:
    __all__ = [name for name, value in vars().items() if callable(value)]
