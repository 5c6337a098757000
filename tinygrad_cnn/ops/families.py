"""The functions of arrays and Tensors, of every family: what `ops` shows, and `tinygrad_cnn` with `out`."""

from typing import TYPE_CHECKING

from tinygrad_cnn.ops.arrangement import *
from tinygrad_cnn.ops.blends import *
from tinygrad_cnn.ops.comparison import *
from tinygrad_cnn.ops.conv import *
from tinygrad_cnn.ops.copies import *
from tinygrad_cnn.ops.decompositions import *
from tinygrad_cnn.ops.diagonals import *
from tinygrad_cnn.ops.elementwise import *
from tinygrad_cnn.ops.indexing import *
from tinygrad_cnn.ops.linalg import *
from tinygrad_cnn.ops.logarithms import *
from tinygrad_cnn.ops.loss import *
from tinygrad_cnn.ops.matrix_functions import *
from tinygrad_cnn.ops.norm import *
from tinygrad_cnn.ops.older_names import *
from tinygrad_cnn.ops.ordering import *
from tinygrad_cnn.ops.piecewise import *
from tinygrad_cnn.ops.pool import *
from tinygrad_cnn.ops.products import *
from tinygrad_cnn.ops.reduce import *
from tinygrad_cnn.ops.rounding import *
from tinygrad_cnn.ops.running import *
from tinygrad_cnn.ops.scatter import *
from tinygrad_cnn.ops.shape import *
from tinygrad_cnn.ops.solving import *
from tinygrad_cnn.ops.special import *
from tinygrad_cnn.ops.statistics import *
from tinygrad_cnn.ops.trigonometry import *
from tinygrad_cnn.ops.views import *

if not TYPE_CHECKING:
    __all__ = [name for name, value in vars().items() if callable(value)]
