"""NumPy's kernels as one set, the default."""

from tinygrad_cnn.kernels.conv import conv2d, conv2d_input, conv2d_weight
from tinygrad_cnn.kernels.elementwise import channel_sums, descend, gate, relu
from tinygrad_cnn.kernels.loss import class_losses, class_losses_input
from tinygrad_cnn.kernels.matmul import matmul
from tinygrad_cnn.kernels.pool import max_pool2d, window_put
from tinygrad_cnn.kernels.random import random_words

__all__ = [
    "channel_sums",
    "class_losses",
    "class_losses_input",
    "conv2d",
    "conv2d_input",
    "conv2d_weight",
    "descend",
    "gate",
    "matmul",
    "max_pool2d",
    "name",
    "random_words",
    "relu",
    "window_put",
]

name = "numpy"
