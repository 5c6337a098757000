"""`torch.nn.modules`: some programs name a layer by the file in which PyTorch defines it, as `nn.modules.rnn.GRU`."""

from typing import TYPE_CHECKING, Any

from tinygrad_cnn.nn import layers

if TYPE_CHECKING:
    from tinygrad_cnn.nn import layers as file
    from tinygrad_cnn.nn.layers import *  # noqa: F403
else:

    class _File:
        """Any of PyTorch's files: every layer is found in it."""

        def __getattr__(self, name: str) -> Any:
            # PyTorch's class of the longer name differs from Linear in what is not here
            return getattr(layers, "Linear" if name == "NonDynamicallyQuantizableLinear" else name)

    file = _File()

    def __getattr__(name: str) -> Any:
        return getattr(layers, name)


activation = batchnorm = channelshuffle = container = conv = distance = dropout = flatten = fold = instancenorm = file
lazy = linear = loss = module = normalization = padding = pixelshuffle = pooling = rnn = sparse = file
transformer = upsampling = file
