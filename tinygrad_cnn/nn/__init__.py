"""Networks in PyTorch's spelling. All of it is composed from ops: no derivative is written here."""

from typing import TYPE_CHECKING

from tinygrad_cnn.nn import functional as functional
from tinygrad_cnn.nn import init as init
from tinygrad_cnn.nn import modules as modules
from tinygrad_cnn.nn import parallel as parallel
from tinygrad_cnn.nn import utils as utils
from tinygrad_cnn.nn.activation import *
from tinygrad_cnn.nn.attention import *
from tinygrad_cnn.nn.container import *
from tinygrad_cnn.nn.conv import *
from tinygrad_cnn.nn.distance import *
from tinygrad_cnn.nn.dropout import *
from tinygrad_cnn.nn.embedding import *
from tinygrad_cnn.nn.lazy import *
from tinygrad_cnn.nn.linear import *
from tinygrad_cnn.nn.loss import *
from tinygrad_cnn.nn.module import *
from tinygrad_cnn.nn.norm import *
from tinygrad_cnn.nn.not_here import LAYERS as _LAYERS
from tinygrad_cnn.nn.padding import *
from tinygrad_cnn.nn.parallel import *
from tinygrad_cnn.nn.parameter import *
from tinygrad_cnn.nn.parameter_container import *
from tinygrad_cnn.nn.pooling import *
from tinygrad_cnn.nn.resampling import *
from tinygrad_cnn.nn.reshaping import *
from tinygrad_cnn.nn.rnn import *
from tinygrad_cnn.nn.transformer import *
from tinygrad_cnn.torch_names.absent import absent as _absent

if not TYPE_CHECKING:
    __all__ = ["functional", "init", "modules", "parallel", "utils"]
    __all__ += [name for name, value in vars().items() if isinstance(value, type)]
    __getattr__ = _absent("nn", _LAYERS)
