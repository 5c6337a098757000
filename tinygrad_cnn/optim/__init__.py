"""Optimisers and schedules, in PyTorch's spelling and with its numbers."""

from typing import NoReturn

from tinygrad_cnn.optim import lr_scheduler, swa_utils
from tinygrad_cnn.optim.adadelta import Adadelta
from tinygrad_cnn.optim.adafactor import Adafactor
from tinygrad_cnn.optim.adagrad import Adagrad
from tinygrad_cnn.optim.adam import Adam, AdamW
from tinygrad_cnn.optim.adamax import Adamax
from tinygrad_cnn.optim.asgd import ASGD
from tinygrad_cnn.optim.lbfgs import LBFGS
from tinygrad_cnn.optim.nadam import NAdam
from tinygrad_cnn.optim.optimizer import Optimizer
from tinygrad_cnn.optim.radam import RAdam
from tinygrad_cnn.optim.rmsprop import RMSprop
from tinygrad_cnn.optim.rprop import Rprop
from tinygrad_cnn.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]

_NOT_HERE = {
    "SparseAdam": "gradients are never sparse here; use Adam",
    "Muon": "it orthogonalises in bfloat16, which is not here; use AdamW",
    "swap_in_optimizer_params_and_state": "it is for steps that are recorded; write these with Tensors, w - lr * grad",
}


def __getattr__(name: str) -> NoReturn:
    reason = f": {_NOT_HERE[name]}" if name in _NOT_HERE else f"; it has {', '.join(__all__)}"
    raise AttributeError(f"module 'tinygrad_cnn.optim' has no {name!r}{reason}")
