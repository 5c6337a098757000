"""Layers with weights: linear maps, convolutions, normalisations. Each begins as PyTorch's does."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.creation import empty, ones, tensor, zeros
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.ops.checks import check_pair
from tinygrad_cnn.ops.conv import check_groups
from tinygrad_cnn.types import Pair, Shape, Size2


def _uniform_bias(size: int, fan_in: int) -> Parameter:
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    return Parameter(init.uniform_(empty(size), -bound, bound))


def _check_sizes(layer: str, **sizes: int) -> None:
    for name, n in sizes.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"{layer}: {name} is {n!r}; it must be an integer of at least 1")


class Linear(Module):
    """``y = x wᵀ + b``: (..., in_features) to (..., out_features).

    Weight (out_features, in_features) and bias begin evenly in ±1/√in_features.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        _check_sizes("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(init.kaiming_uniform_(empty(out_features, in_features), a=math.sqrt(5)))
        self.register_parameter("bias", _uniform_bias(out_features, in_features) if bias else None)

    def forward(self, input: Any) -> Any:
        """Map the last dim."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The configuration."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class _Conv(Module):
    """What convolutions share: their sizes, weight, bias and description."""

    def __init__(
        self,
        weight: Shape,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
    ) -> None:
        super().__init__()
        layer = type(self).__name__
        _check_sizes(layer, in_channels=in_channels, out_channels=out_channels)
        check_groups(layer, groups, in_channels=in_channels, out_channels=out_channels)
        if padding_mode != "zeros":
            raise ValueError(
                f"{layer}: padding_mode {padding_mode!r} is not available; use 'zeros', or ops.pad before the layer"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.padding, self.dilation = kernel_size, stride, padding, dilation
        self.weight = Parameter(init.kaiming_uniform_(empty(weight), a=math.sqrt(5)))
        fan_in = math.prod(weight[1:])
        self.register_parameter("bias", _uniform_bias(out_channels, fan_in) if bias else None)

    def extra_repr(self) -> str:
        """The configuration, what is not default."""
        one, zero = (1,) * len(self.kernel_size), (0,) * len(self.kernel_size)
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        text += f", padding={self.padding}" * (self.padding != zero)
        text += f", dilation={self.dilation}" * (self.dilation != one)
        extra = getattr(self, "output_padding", zero)
        text += f", output_padding={extra}" * (extra != zero)
        text += f", groups={self.groups}" * (self.groups != 1)
        return f"{text}, bias=False" if self.bias is None else text


class Conv2d(_Conv):
    """Convolution of (N, in_channels, H, W); weight (out_channels, in_channels / groups, KH, KW).

    Weight and bias begin evenly in ±1/√(in_channels / groups · KH · KW). See `ops.conv2d`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2,
        stride: Size2 = 1,
        padding: Size2 | str = 0,
        dilation: Size2 = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        kernel = check_pair("Conv2d", "kernel_size", kernel_size, 1)
        pads: Pair | str = padding if isinstance(padding, str) else check_pair("Conv2d", "padding", padding, 0)
        super().__init__(
            (out_channels, in_channels // max(groups, 1), *kernel),
            in_channels,
            out_channels,
            kernel,
            check_pair("Conv2d", "stride", stride, 1),
            pads,
            check_pair("Conv2d", "dilation", dilation, 1),
            groups,
            bias,
            padding_mode,
        )

    def forward(self, input: Any) -> Any:
        """Convolve."""
        return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Convolution of (N, in_channels, L); weight (out_channels, in_channels / groups, K)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        _check_sizes("Conv1d", kernel_size=kernel_size, stride=stride, dilation=dilation)
        super().__init__(
            (out_channels, in_channels // max(groups, 1), kernel_size),
            in_channels,
            out_channels,
            (kernel_size,),
            (stride,),
            padding if isinstance(padding, str) else (padding,),
            (dilation,),
            groups,
            bias,
            padding_mode,
        )

    def forward(self, input: Any) -> Any:
        """Convolve."""
        return F.conv1d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_Conv):
    """The adjoint of a convolution, applied forwards; weight (in_channels, out_channels / groups, KH, KW)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2,
        stride: Size2 = 1,
        padding: Size2 = 0,
        output_padding: Size2 = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size2 = 1,
        padding_mode: str = "zeros",
    ) -> None:
        layer = "ConvTranspose2d"
        kernel = check_pair(layer, "kernel_size", kernel_size, 1)
        super().__init__(
            (in_channels, out_channels // max(groups, 1), *kernel),
            in_channels,
            out_channels,
            kernel,
            check_pair(layer, "stride", stride, 1),
            check_pair(layer, "padding", padding, 0),
            check_pair(layer, "dilation", dilation, 1),
            groups,
            bias,
            padding_mode,
        )
        self.output_padding = check_pair(layer, "output_padding", output_padding, 0)

    def forward(self, input: Any) -> Any:
        """Apply the adjoint."""
        return F.conv_transpose2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )


class _BatchNorm(Module):
    """Normalisation of each channel, with running statistics."""

    dims: tuple[int, ...]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        _check_sizes(type(self).__name__, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", Parameter(ones(num_features)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features)) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features) if tracked else None)
        self.register_buffer("running_var", ones(num_features) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0) if tracked else None)

    def forward(self, input: Any) -> Any:
        """Normalise; in training, let the running statistics follow."""
        shape = tuple(input.shape)
        if len(shape) not in self.dims or shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: input has shape {shape}; expected {' or '.join(map(str, self.dims))} dims, "
                f"with {self.num_features} channels in dim 1"
            )
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1 / self.num_batches_tracked.item()
        by_batch = self.training or not self.track_running_stats
        return F.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, by_batch, momentum, self.eps
        )

    def extra_repr(self) -> str:
        """The configuration."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm2d(_BatchNorm):
    """Batch normalisation (Ioffe & Szegedy 2015) of (N, C, H, W)."""

    dims = (4,)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L)."""

    dims = (2, 3)


class LayerNorm(Module):
    """Normalisation of each sample over its last dims (Ba, Kiros, Hinton 2016)."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.register_parameter("weight", Parameter(ones(shape)) if elementwise_affine else None)
        self.register_parameter("bias", Parameter(zeros(shape)) if elementwise_affine and bias else None)

    def forward(self, input: Any) -> Any:
        """Normalise."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The configuration."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
