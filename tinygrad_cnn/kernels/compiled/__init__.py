"""The kernels that dominate training, again, as loops compiled by Numba when they are first used (extra `fast`).

The same functions as in the NumPy kernels, chosen by `set_kernels("numba")`. Images lie as (C,H,W,N): the images of
a pixel are one run, which is what vectors want; what these loops do not cover is left to the NumPy kernels.
"""

from tinygrad_cnn.kernels.activations import softplus
from tinygrad_cnn.kernels.compiled.activations import (
    hardswish,
    hardswish_slope,
    log_softmax,
    sigmoid,
    silu,
    silu_slope,
    softmax,
)
from tinygrad_cnn.kernels.compiled.attention import attend, attend_back
from tinygrad_cnn.kernels.compiled.conv import conv2d, conv2d_input, conv2d_weight
from tinygrad_cnn.kernels.compiled.descent import adam, descend, descend_by_velocity
from tinygrad_cnn.kernels.compiled.elementwise import add_rows, channel_sums, gate, pick, relu
from tinygrad_cnn.kernels.compiled.loss import class_losses, class_losses_input
from tinygrad_cnn.kernels.compiled.matmul import matmul
from tinygrad_cnn.kernels.compiled.norm import normalize, normalize_back, scale_channels
from tinygrad_cnn.kernels.compiled.normal import gelu, gelu_slope
from tinygrad_cnn.kernels.compiled.pool import max_pool2d, window_put
from tinygrad_cnn.kernels.compiled.random import random_words, shuffled
from tinygrad_cnn.kernels.compiled.recurrent import gru, gru_back, lstm, lstm_back, rnn, rnn_back

__all__ = [
    "adam", "add_rows", "attend", "attend_back", "channel_sums", "class_losses", "class_losses_input", "conv2d",
    "conv2d_input", "conv2d_weight", "descend", "descend_by_velocity", "gate", "gelu", "gelu_slope", "gru", "gru_back",
    "hardswish", "hardswish_slope", "log_softmax", "lstm", "lstm_back", "matmul", "max_pool2d", "name", "normalize",
    "normalize_back", "pick", "random_words", "relu", "rnn", "rnn_back", "scale_channels", "shuffled", "sigmoid",
    "silu", "silu_slope", "softmax", "softplus", "window_put",
]  # fmt: skip

name = "numba"
