"""Optimisers and schedules, in PyTorch's spelling and with its numbers."""

from typing import TYPE_CHECKING, NoReturn

from tinygrad_cnn.optim import lr_scheduler as lr_scheduler
from tinygrad_cnn.optim import swa_utils as swa_utils
from tinygrad_cnn.optim.adadelta import *
from tinygrad_cnn.optim.adafactor import *
from tinygrad_cnn.optim.adagrad import *
from tinygrad_cnn.optim.adam import *
from tinygrad_cnn.optim.adamax import *
from tinygrad_cnn.optim.asgd import *
from tinygrad_cnn.optim.lbfgs import *
from tinygrad_cnn.optim.muon import *
from tinygrad_cnn.optim.nadam import *
from tinygrad_cnn.optim.optimizer import *
from tinygrad_cnn.optim.radam import *
from tinygrad_cnn.optim.rmsprop import *
from tinygrad_cnn.optim.rprop import *
from tinygrad_cnn.optim.sgd import *

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
    __all__.sort(key=lambda name: (not name.isupper(), name))
    __all__ += ["lr_scheduler", "swa_utils"]

    _NOT_HERE = {
        "SparseAdam": "gradients are never sparse here; use Adam",
        "swap_in_optimizer_params_and_state": (
            "it is for steps that are recorded; write these with Tensors, w - lr * grad"
        ),
    }

    def __getattr__(name: str) -> NoReturn:
        reason = f": {_NOT_HERE[name]}" if name in _NOT_HERE else f"; it has {', '.join(__all__)}"
        raise AttributeError(f"module 'tinygrad_cnn.optim' has no {name!r}{reason}")
