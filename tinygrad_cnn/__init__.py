"""tinygrad_cnn: an autograd micro-framework in NumPy, in PyTorch's spelling, every gradient checked."""

from tinygrad_cnn import autograd, ops
from tinygrad_cnn.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinygrad_cnn.creation import tensor
from tinygrad_cnn.tensor import Tensor
