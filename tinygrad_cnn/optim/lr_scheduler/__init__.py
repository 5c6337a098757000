"""Schedules of the learning rate, in PyTorch's spelling: each `step` sets the `lr` of every group."""

from typing import TYPE_CHECKING

from tinygrad_cnn.optim.lr_scheduler.combined import *
from tinygrad_cnn.optim.lr_scheduler.cosine import *
from tinygrad_cnn.optim.lr_scheduler.cycles import *
from tinygrad_cnn.optim.lr_scheduler.decay import *
from tinygrad_cnn.optim.lr_scheduler.functions import *
from tinygrad_cnn.optim.lr_scheduler.plateau import *
from tinygrad_cnn.optim.lr_scheduler.scheduler import *

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
