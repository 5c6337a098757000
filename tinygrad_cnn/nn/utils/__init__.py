"""What PyTorch keeps in ``torch.nn.utils``: clipping gradients, parameters as one vector, sequences of many lengths."""

from typing import TYPE_CHECKING

from tinygrad_cnn.nn.not_here import UTILS as _UTILS
from tinygrad_cnn.nn.utils import parametrizations as parametrizations
from tinygrad_cnn.nn.utils import parametrize as parametrize
from tinygrad_cnn.nn.utils import rnn as rnn
from tinygrad_cnn.nn.utils.clip_grad import *
from tinygrad_cnn.nn.utils.convert_parameters import *
from tinygrad_cnn.nn.utils.spectral_norm import *
from tinygrad_cnn.nn.utils.weight_norm import *
from tinygrad_cnn.torch_names.absent import absent as _absent

if not TYPE_CHECKING:
    __all__ = ["parametrizations", "parametrize", "rnn"]
    __all__ += [name for name, value in vars().items() if callable(value) and name[0] != "_"]
    __getattr__ = _absent("nn.utils", _UTILS)
