"""Networks in PyTorch's spelling. All of it is composed from ops: no derivative is written here."""

from typing import TYPE_CHECKING

from tinygrad_cnn.nn import functional as functional
from tinygrad_cnn.nn import init as init
from tinygrad_cnn.nn import modules as modules
from tinygrad_cnn.nn import parallel as parallel
from tinygrad_cnn.nn import utils as utils
from tinygrad_cnn.nn.layers import *
from tinygrad_cnn.nn.not_here import LAYERS as _LAYERS
from tinygrad_cnn.torch_names.absent import absent as _absent

if not TYPE_CHECKING:
    __all__ = ["functional", "init", "modules", "parallel", "utils"]
    __all__ += [name for name, value in vars().items() if isinstance(value, type)]
    __getattr__ = _absent("nn", _LAYERS)
