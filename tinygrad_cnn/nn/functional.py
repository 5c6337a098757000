"""PyTorch's functional interface: mostly the ops' own doors; what needs random numbers or statistics is here."""

import math
from typing import Any

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.ops import (
    adaptive_avg_pool2d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose2d,
    cross_entropy,
    elu,
    embedding,
    gelu,
    hardtanh,
    layer_norm,
    leaky_relu,
    linear,
    log_softmax,
    max_pool2d,
    nll_loss,
    one_hot,
    pad,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.ops.norm import scale_channels
from tinygrad_cnn.random import Generator, default_generator
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "batch_norm",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "hardtanh",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]


def dropout(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Generator | None = None
) -> Any:
    """Zero elements with probability p in training, and scale the others by 1 / (1 - p); else the input itself.

    `inplace` is accepted for PyTorch's sake and changes nothing: the input is never overwritten.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: p is {p}; a probability is between 0 and 1")
    return ops.dropout(input, p, generator or default_generator) if training else input


def batch_norm(
    input: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel: by the batch's statistics in training, else by the running ones.

    In training the running statistics, if given, move towards the batch's by `momentum`, in place; the variance
    that they take up is the unbiased one, as in PyTorch.
    """
    if training or running_mean is None or running_var is None:
        y = ops.batch_norm(input, weight, bias, eps)
        if running_mean is not None and running_var is not None:
            _update(running_mean, running_var, input, momentum)
        return y
    shape = tuple(input.shape)
    check_ndim("batch_norm", "input", input, (2, 3, 4, 5), "(N, C, …)")
    if running_mean.shape != shape[1:2]:
        raise ValueError(
            f"batch_norm: input has shape {shape}; the running statistics expect {running_mean.shape[0]} channels"
        )
    column = (shape[1], *(1,) * (len(shape) - 2))
    y = (input - running_mean.reshape(column)) * (running_var.reshape(column) + eps).rsqrt()
    return scale_channels("batch_norm", y, weight, bias)


@no_grad()
def _update(running_mean: Tensor, running_var: Tensor, x: Any, momentum: float) -> None:
    axes = (0, *range(2, x.ndim))
    count = math.prod(x.shape[a] for a in axes)
    mean, var = ops.mean(x.detach(), axes), ops.var(x.detach(), axes, correction=1 if count > 1 else 0)
    running_mean.copy_(running_mean * (1 - momentum) + mean * momentum)
    running_var.copy_(running_var * (1 - momentum) + var * momentum)


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Mean, sum or single squares of the differences of two arrays of one shape."""
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"mse_loss: input has shape {tuple(input.shape)}, target {tuple(target.shape)}; they must be equal"
        )
    squares = ops.square(input - target)
    if reduction == "none":
        return squares
    if reduction not in ("mean", "sum"):
        raise ValueError(f"mse_loss: reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'")
    return ops.mean(squares) if reduction == "mean" else ops.sum(squares)
