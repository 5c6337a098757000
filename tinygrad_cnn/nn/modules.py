"""`torch.nn.modules`: some programs name a layer by the file in which PyTorch defines it, as `nn.modules.rnn.GRU`."""

from typing import Any

import tinygrad_cnn.nn as layers

FILES = (
    *("activation", "batchnorm", "channelshuffle", "container", "conv", "distance", "dropout", "flatten", "fold"),
    *("instancenorm", "lazy", "linear", "loss", "module", "normalization", "padding", "pixelshuffle", "pooling", "rnn"),
    *("sparse", "transformer", "upsampling"),
)
OTHER_NAMES = {"NonDynamicallyQuantizableLinear": "Linear"}
"""Classes of PyTorch's that differ from another in what is not here."""


class _File:
    """One of PyTorch's files: any layer is found in it."""

    def __init__(self, name: str) -> None:
        self.__name__ = f"{__name__}.{name}"

    def __getattr__(self, name: str) -> Any:
        return getattr(layers, OTHER_NAMES.get(name, name))


def __getattr__(name: str) -> Any:
    return _File(name) if name in FILES else getattr(layers, name)
