"""`torch.nn.modules`: some programs name a layer by the file in which PyTorch defines it, as `nn.modules.rnn.GRU`.

Each of PyTorch's files is a module here, too, in which every layer is found, and the bases with an underscore.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tinygrad_cnn.nn import conv as _conv
from tinygrad_cnn.nn import dropout as _dropout
from tinygrad_cnn.nn import global_hooks as _global_hooks
from tinygrad_cnn.nn import layers
from tinygrad_cnn.nn import loss as _loss
from tinygrad_cnn.nn import norm as _norm
from tinygrad_cnn.nn import padding as _padding
from tinygrad_cnn.nn import pooling as _pooling
from tinygrad_cnn.nn import tuples as utils

ROOMS = _conv, _dropout, _global_hooks, _loss, _norm, _padding, _pooling
"""Where the bases are that programs ask for by ``isinstance``, and the hooks of all modules."""

if TYPE_CHECKING:
    from tinygrad_cnn.nn import layers as file
    from tinygrad_cnn.nn.layers import *  # noqa: F403
else:

    def _found(name: str) -> Any:
        # PyTorch's class of the longer name differs from Linear in what is not here
        name = "Linear" if name == "NonDynamicallyQuantizableLinear" else name
        for room in ROOMS if name.startswith(("_", "register_module_")) and not name.startswith("__") else ():
            if hasattr(room, name):
                return getattr(room, name)
        return getattr(layers, name)

    class _File(ModuleType):
        """Any of PyTorch's files: every layer is found in it."""

        def __getattr__(self, name: str) -> Any:
            return _found(name)

    def _file(name: str) -> ModuleType:
        made = _File(f"{__name__}.{name}")
        sys.modules[made.__name__] = made
        return made

    sys.modules[f"{__name__}.utils"] = utils

    def __getattr__(name: str) -> Any:
        return _found(name)


if TYPE_CHECKING:
    activation = batchnorm = channelshuffle = container = conv = distance = dropout = flatten = fold = file
    instancenorm = lazy = linear = loss = module = normalization = padding = pixelshuffle = pooling = rnn = file
    sparse = transformer = upsampling = file
else:
    for _name in (
        *("activation", "batchnorm", "channelshuffle", "container", "conv", "distance", "dropout", "flatten", "fold"),
        *("instancenorm", "lazy", "linear", "loss", "module", "normalization", "padding", "pixelshuffle", "pooling"),
        *("rnn", "sparse", "transformer", "upsampling"),
    ):
        globals()[_name] = _file(_name)
