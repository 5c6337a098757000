"""Normalisations: by the statistics of a batch, of instances, groups or layers, or by running ones."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import A, ArrayLike, Shape
from tinygrad_cnn.nn.functional.pooling import avg_pool2d
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.ops.norm import Followed, batch_normalised, check_channels, normalised, scale_channels
from tinygrad_cnn.tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "local_response_norm", "rms_norm"]


def batch_norm(
    input: A,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> A:
    """Normalise each channel: by the batch's statistics in training, else by the running ones (Ioffe & Szegedy 2015).

    In training the running statistics, if given, move towards the batch's by `momentum`, in place; the variance
    that they take up is the unbiased one, as in PyTorch.

    The shape and the floating dtype stay. ValueError in training of one value per channel, or without statistics.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.batch_norm(tg.tensor([[1.0], [3.0]]), tg.tensor([0.0]), tg.tensor([1.0]), training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    if eps < 0:
        raise ArgumentError(f"batch_norm: eps is {eps}; it must be at least 0")
    if not training:
        return _by_running("batch_norm", input, running_mean, running_var, weight, bias, eps)
    _check_statistics("batch_norm", input, running_mean)
    y, mean, variance = batch_normalised(input, weight, bias, eps)
    if running_mean is not None and running_var is not None and mean is not None:
        shape = shape_of(input)
        _follow(running_mean, running_var, mean, variance, shape[0] * math.prod(shape[2:]), momentum)
    return y


def instance_norm(
    input: A,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> A:
    """Normalise each channel of each sample of (N, C, …) over its places (Ulyanov et al. 2016).

    Without `use_input_stats` by the running statistics, which else follow the mean over the samples by `momentum`.

    The shape and the floating dtype stay. ValueError if a channel has one place only.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0], [2.0, 8.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    op = "instance_norm"
    if not use_input_stats:
        return _by_running(op, input, running_mean, running_var, weight, bias, eps)
    shape = shape_of(input)
    if len(shape) < 3:
        raise ArgumentError(f"{op}: input has shape {shape}; expected at least 3 dims, (N, C, …)")
    if math.prod(shape[2:]) == 1:
        raise ArgumentError(f"{op}: input {shape} has one place per channel; statistics need more")
    _check_statistics(op, input, running_mean)
    axes = tuple(range(2, len(shape)))
    check_channels(op, shape, weight, bias)
    y, mean, variance = normalised(input, axes, eps, weight, bias, (1,))
    if running_mean is not None and running_var is not None and mean is not None:
        _follow(running_mean, running_var, mean, variance, math.prod(shape[2:]), momentum)
    return y


def _by_running(
    op: str, x: A, mean: Tensor | None, var: Tensor | None, weight: ArrayLike, bias: ArrayLike, eps: float
) -> A:
    if mean is None or var is None:
        raise ArgumentError(f"{op}: running_mean and running_var are needed where the input's statistics are not used")
    shape = shape_of(x)
    check_ndim(op, "input", x, (2, 3, 4, 5), "(N, C, …)")
    _check_statistics(op, x, mean)
    check_channels(op, shape, weight, bias)
    factor = (var + eps).rsqrt() if weight is None else weight * (var + eps).rsqrt()
    return scale_channels(op, x, factor, -mean * factor if bias is None else bias - mean * factor)


def _check_statistics(op: str, x: ArrayLike, mean: Any) -> None:
    shape = shape_of(x)
    if mean is not None and len(shape) > 1 and shape_of(mean) != shape[1:2]:
        raise ArgumentError(
            f"{op}: input has shape {shape}; the running statistics expect {shape_of(mean)[0]} channels"
        )


@no_grad()
def _follow(mean: Tensor, var: Tensor, mean_now: Any, var_now: Any, count: int, momentum: float) -> None:
    """Move the running statistics towards those of `count` values each, averaged over the samples."""
    for running, value, share in ((mean, mean_now, momentum), (var, var_now, momentum * count / (count - 1))):
        running.copy_(Followed.apply(running, value, keep=1 - momentum, share=share))


def group_norm(input: A, num_groups: int, weight: ArrayLike = None, bias: ArrayLike = None, eps: float = 1e-5) -> A:
    """Normalise each group of channels of each sample of (N, C, …) (Wu & He 2018).

    The shape and the floating dtype stay. ValueError if the groups do not divide the channels.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 2.0, 8.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = shape_of(input)
    if len(shape) < 2:
        raise ArgumentError(f"group_norm: input has shape {shape}; expected at least 2 dims, (N, C, …)")
    if num_groups < 1 or shape[1] % num_groups:
        raise ArgumentError(f"group_norm: {shape[1]} channels of input {shape} cannot be divided into {num_groups}")
    size = shape[1] // num_groups * math.prod(shape[2:])
    if shape[0] * size == 1:
        raise ArgumentError(f"group_norm: input {shape} has one value per group; statistics need more")
    groups = ops.reshape(input, (shape[0], num_groups, size))
    y = ops.reshape(normalised(groups, (2,), eps)[0], shape)
    return scale_channels("group_norm", y, weight, bias)


def rms_norm(input: A, normalized_shape: Sequence[int], weight: ArrayLike = None, eps: float | None = None) -> A:
    """Divide each sample by the root of its mean square over the last dims (Zhang & Sennrich 2019).

    ``x / √(mean x² + eps)``; without `eps` the smallest step of the dtype at 1.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.rms_norm(tg.tensor([[3.0, 4.0]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    shape, last = shape_of(input), tuple(normalized_shape)
    check_last("rms_norm", shape, last, weight=weight)
    floor = float(np.finfo(dtype_of(input)).eps) if eps is None else eps
    axes = tuple(range(len(shape) - len(last), len(shape)))
    return normalised(input, axes, floor, weight, None, axes, centred=False)[0]


def check_last(op: str, shape: Shape, last: Shape, **parameters: Any) -> None:
    """`last` are the last dims of the shape, and the shapes of the parameters."""
    if not last or shape[-len(last) :] != last:
        raise ArgumentError(f"{op}: input has shape {shape}; normalized_shape {last} must be its last dims")
    for name, value in parameters.items():
        if value is not None and shape_of(value) != last:
            raise ArgumentError(f"{op}: {name} has shape {shape_of(value)}; expected {last}")


def local_response_norm(input: A, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> A:
    """``x / (k + alpha m)ᵝ``, with m the mean square over `size` neighbouring channels (Krizhevsky et al. 2012).

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.local_response_norm(tg.tensor([[[1.0], [2.0], [3.0]]]), 2, alpha=1.0)
    tensor([[[0.7378],
             [0.7816],
             [0.6620]]])
    """
    shape = shape_of(input)
    if len(shape) < 3:
        raise ArgumentError(f"local_response_norm: input has shape {shape}; expected at least 3 dims, (N, C, …)")
    if math.prod(shape) == 0:
        return input
    planes = ops.reshape(input * input, (shape[0], 1, shape[1], math.prod(shape[2:])))
    means = avg_pool2d(ops.pad(planes, (0, 0, size // 2, (size - 1) // 2)), (size, 1), 1)
    return input / ops.pow(ops.reshape(means, shape) * alpha + k, beta)


def warn_unlike_features(layer: str, channels: int, num_features: int, dim: int) -> None:
    """An instance norm without weights can take any number of channels: only a warning."""
    if channels != num_features:
        warnings.warn(
            f"{layer}: dim {dim} of the input has {channels} channels, num_features is {num_features}; without affine "
            "the number is not used",
            UserWarning,
            stacklevel=4,
        )
