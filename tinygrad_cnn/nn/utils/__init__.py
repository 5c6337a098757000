"""What PyTorch keeps in ``torch.nn.utils``: clipping gradients, parameters as one vector, sequences of many lengths."""

from tinygrad_cnn.nn.not_here import UTILS
from tinygrad_cnn.nn.utils import parametrizations, parametrize, rnn
from tinygrad_cnn.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from tinygrad_cnn.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from tinygrad_cnn.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from tinygrad_cnn.nn.utils.weight_norm import remove_weight_norm, weight_norm
from tinygrad_cnn.torch_names.absent import absent

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]

__getattr__ = absent("nn.utils", UTILS)
