"""Data sets, samplers and batches, as ``torch.utils.data``."""

from typing import TYPE_CHECKING

from tinygrad_cnn.torch_names.absent import DATA, absent
from tinygrad_cnn.utils.data.collate import *
from tinygrad_cnn.utils.data.dataloader import *
from tinygrad_cnn.utils.data.dataset import *
from tinygrad_cnn.utils.data.distributed import *
from tinygrad_cnn.utils.data.sampler import *
from tinygrad_cnn.utils.data.workers import *

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
    __getattr__ = absent("torch.utils.data", DATA)
