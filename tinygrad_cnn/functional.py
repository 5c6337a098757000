"""``torch.functional``: where PyTorch keeps some of its functions of tensors."""

from typing import TYPE_CHECKING

from tinygrad_cnn.tensor.functions import atleast_1d as atleast_1d
from tinygrad_cnn.tensor.functions import atleast_2d as atleast_2d
from tinygrad_cnn.tensor.functions import atleast_3d as atleast_3d
from tinygrad_cnn.tensor.functions import block_diag as block_diag
from tinygrad_cnn.tensor.functions import broadcast_shapes as broadcast_shapes
from tinygrad_cnn.tensor.functions import broadcast_tensors as broadcast_tensors
from tinygrad_cnn.tensor.functions import cartesian_prod as cartesian_prod
from tinygrad_cnn.tensor.functions import cdist as cdist
from tinygrad_cnn.tensor.functions import chain_matmul as chain_matmul
from tinygrad_cnn.tensor.functions import einsum as einsum
from tinygrad_cnn.tensor.functions import meshgrid as meshgrid
from tinygrad_cnn.tensor.functions import norm as norm
from tinygrad_cnn.tensor.functions import split as split
from tinygrad_cnn.tensor.functions import tensordot as tensordot
from tinygrad_cnn.tensor.functions import unique as unique
from tinygrad_cnn.tensor.functions import unique_consecutive as unique_consecutive

if not TYPE_CHECKING:
    __all__ = [name for name, value in vars().items() if callable(value)]
