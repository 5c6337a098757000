"""NumPy's kernels as one set, the default."""

from tinygrad_cnn.kernels.activations import (
    hardswish,
    hardswish_slope,
    log_softmax,
    sigmoid,
    silu,
    silu_slope,
    softmax,
    softplus,
)
from tinygrad_cnn.kernels.attention import attend, attend_back
from tinygrad_cnn.kernels.conv import conv2d, conv2d_input, conv2d_weight
from tinygrad_cnn.kernels.descent import adam, descend, descend_by_velocity
from tinygrad_cnn.kernels.norm import normalize, normalize_back, scale_channels
from tinygrad_cnn.kernels.normal import gelu, gelu_slope
from tinygrad_cnn.kernels.passes import (
    add_rows,
    channel_sums,
    class_losses,
    class_losses_input,
    gate,
    matmul,
    pick,
    random_words,
    relu,
    shuffled,
)
from tinygrad_cnn.kernels.pool import max_pool2d, window_put
from tinygrad_cnn.kernels.recurrent import gru, gru_back, lstm, lstm_back, rnn, rnn_back

__all__ = [
    "adam", "add_rows", "attend", "attend_back", "channel_sums", "class_losses", "class_losses_input", "conv2d",
    "conv2d_input", "conv2d_weight", "descend", "descend_by_velocity", "gate", "gelu", "gelu_slope", "gru", "gru_back",
    "hardswish", "hardswish_slope", "log_softmax", "lstm", "lstm_back", "matmul", "max_pool2d", "name", "normalize",
    "normalize_back", "pick", "random_words", "relu", "rnn", "rnn_back", "scale_channels", "shuffled", "sigmoid",
    "silu", "silu_slope", "softmax", "softplus", "window_put",
]  # fmt: skip

name = "numpy"
