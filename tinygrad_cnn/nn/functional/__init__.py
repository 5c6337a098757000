"""PyTorch's functional interface: functions of `ops`, and what is composed of them, by families.

What needs statistics, random numbers or PyTorch's older options is in this package; the mathematics is in `ops`.
"""

from typing import TYPE_CHECKING

from tinygrad_cnn.nn.functional.activation import *
from tinygrad_cnn.nn.functional.adaptive import *
from tinygrad_cnn.nn.functional.attention import *
from tinygrad_cnn.nn.functional.convolution import *
from tinygrad_cnn.nn.functional.ctc import *
from tinygrad_cnn.nn.functional.distance import *
from tinygrad_cnn.nn.functional.dropout import *
from tinygrad_cnn.nn.functional.embedding import *
from tinygrad_cnn.nn.functional.grid import *
from tinygrad_cnn.nn.functional.loss import *
from tinygrad_cnn.nn.functional.multihead import *
from tinygrad_cnn.nn.functional.norm import *
from tinygrad_cnn.nn.functional.pooling import *
from tinygrad_cnn.nn.functional.resampling import *
from tinygrad_cnn.nn.not_here import FUNCTIONS as _FUNCTIONS
from tinygrad_cnn.ops import adaptive_avg_pool2d as adaptive_avg_pool2d
from tinygrad_cnn.ops import avg_pool2d as avg_pool2d
from tinygrad_cnn.ops import conv1d as conv1d
from tinygrad_cnn.ops import conv2d as conv2d
from tinygrad_cnn.ops import conv3d as conv3d
from tinygrad_cnn.ops import conv_transpose2d as conv_transpose2d
from tinygrad_cnn.ops import conv_transpose3d as conv_transpose3d
from tinygrad_cnn.ops import gelu as gelu
from tinygrad_cnn.ops import layer_norm as layer_norm
from tinygrad_cnn.ops import linear as linear
from tinygrad_cnn.ops import max_pool2d as max_pool2d
from tinygrad_cnn.ops import one_hot as one_hot
from tinygrad_cnn.ops import sigmoid as sigmoid
from tinygrad_cnn.ops import tanh as tanh
from tinygrad_cnn.tensor.out import into as _into
from tinygrad_cnn.torch_names.absent import absent as _absent

if not TYPE_CHECKING:
    for _name in ("avg_pool2d", "avg_pool3d", "gelu", "hardshrink", "linear", "logsigmoid", "softplus", "softshrink"):
        globals()[_name] = _into(globals()[_name], True)
    __all__ = [name for name, value in vars().items() if callable(value) and name[0] != "_"]
    __getattr__ = _absent("nn.functional", _FUNCTIONS)
