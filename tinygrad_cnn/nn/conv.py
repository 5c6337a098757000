"""Convolutions and transposed convolutions of lines, planes and volumes."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import Size2, Size3
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.linear import reset_bias
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.nn.settings import check_sizes, size_of_dims
from tinygrad_cnn.ops.conv import check_groups, check_padding
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.device import check_device

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Size = Size2 | Size3 | tuple[int]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions share: their sizes, weight, bias and description."""

    dims: int
    """Along how many dims the kernel moves."""
    transposed = False
    bias: Parameter | None
    _convolve: Callable[..., Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        layer = type(self).__name__
        check_sizes(layer, in_channels=in_channels, out_channels=out_channels)
        check_groups(layer, groups, in_channels=in_channels, out_channels=out_channels)
        check_device(layer, device)
        if padding_mode not in PADDING_MODES:
            raise ArgumentError(f"{layer}: padding_mode is {padding_mode!r}; it must be one of {PADDING_MODES}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = self._size("kernel_size", kernel_size, 1), self._size("stride", stride, 1)
        self.dilation, self.padding_mode = self._size("dilation", dilation, 1), padding_mode
        self.padding: Any = padding if isinstance(padding, str) else self._size("padding", padding, 0)
        self.output_padding = (0,) * self.dims
        self._borders = self._widths()
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(empty(first, second // groups, *self.kernel_size, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def _size(self, name: str, value: Any, smallest: int) -> Any:
        return size_of_dims(type(self).__name__, self.dims, name, value, smallest)

    def _widths(self) -> list[int]:
        """The padding as `F.pad` takes it: (before, after) of the last dim first."""
        pads = check_padding(type(self).__name__, self.padding, self.kernel_size, self.stride, self.dilation)
        return [n for before_after in reversed(pads) for n in before_after]

    def reset_parameters(self) -> None:
        """Begin anew: evenly in ±1/√(channels of a group · taps of the kernel)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        reset_bias(self.bias, math.prod(self.weight.shape[1:]))

    def extra_repr(self) -> str:
        """The configuration, what is not default."""
        one, zero = (1,) * self.dims, (0,) * self.dims
        text: str = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        text += f", padding={self.padding}" * (self.padding != zero)
        text += f", dilation={self.dilation}" * (self.dilation != one)
        text += f", output_padding={self.output_padding}" * (self.output_padding != zero)
        text += f", groups={self.groups}" * (self.groups != 1)
        text += ", bias=False" * (self.bias is None)
        return text + f", padding_mode={self.padding_mode}" * (self.padding_mode != "zeros")


class _Convolution(_ConvNd):
    """A convolution of the input, behind the border that `padding_mode` makes."""

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._borders, self.padding_mode), 0
        return self._convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Convolution):
    """Convolution of (N, in_channels, H, W), or without N; weight (out_channels, in_channels / groups, KH, KW).

    Weight and bias begin evenly in ±1/√(in_channels / groups · KH · KW). See `ops.conv2d`; `padding_mode` says what
    is around the image: "zeros", or what `F.pad` calls "reflect", "replicate" and "circular".

    Input, weight and bias must have the same dtype, which the result has too. ValueError if channels or sizes do
    not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.Conv2d(3, 8, kernel_size=3, padding=1)
    >>> layer
    Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    >>> layer(tg.zeros(2, 3, 10, 10)).shape
    torch.Size([2, 8, 10, 10])
    """

    dims, _convolve = 2, staticmethod(F.conv2d)


class Conv1d(_Convolution):
    """Convolution of (N, in_channels, L) or (in_channels, L); weight (out_channels, in_channels / groups, K).

    Input, weight and bias must have the same dtype, which the result has too. ValueError if channels or sizes do
    not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.Conv1d(3, 8, kernel_size=3, padding=1)
    >>> layer
    Conv1d(3, 8, kernel_size=(3,), stride=(1,), padding=(1,))
    >>> layer(tg.zeros(2, 3, 10)).shape
    torch.Size([2, 8, 10])
    """

    dims, _convolve = 1, staticmethod(F.conv1d)


class Conv3d(_Convolution):
    """Convolution of (N, in_channels, D, H, W), or without N; weight (out_channels, in_channels / groups, KD, …).

    Input, weight and bias must have the same dtype, which the result has too. ValueError if channels or sizes do
    not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.Conv3d(3, 8, kernel_size=3)
    >>> layer(tg.zeros(2, 3, 5, 5, 5)).shape
    torch.Size([2, 8, 3, 3, 3])
    """

    dims, _convolve = 3, staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """The adjoint of a convolution, applied forwards; weight (in_channels, out_channels / groups, …)."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        layer = type(self).__name__
        if padding_mode != "zeros":
            raise ArgumentError(f"{layer}: padding_mode is {padding_mode!r}; a transposed convolution has only 'zeros'")
        if isinstance(padding, str):
            raise DTypeError(f"{layer}: padding is {padding!r}; a transposed convolution takes numbers")
        sizes = kernel_size, stride, padding, dilation
        super().__init__(in_channels, out_channels, *sizes, groups, bias, padding_mode, device, dtype)
        self.output_padding = self._size("output_padding", output_padding, 0)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self._extra(input, output_size)
        options = self.stride, self.padding, extra, self.groups, self.dilation
        return self._convolve(input, self.weight, self.bias, *options)

    def _extra(self, input: Any, output_size: Sequence[int] | None) -> Any:
        """The `output_padding` that gives the output size, which the stride leaves open."""
        if output_size is None:
            return self.output_padding
        layer, shape, wanted = type(self).__name__, shape_of(input), tuple(output_size)
        if len(wanted) == len(shape):
            wanted = wanted[-self.dims :]
        if len(wanted) != self.dims:
            raise ArgumentError(
                f"{layer}: output_size {wanted} must have {self.dims} or {len(shape)} elements for an input {shape}"
            )
        places = zip(shape[-self.dims :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in places]
        if any(not low <= n < low + s for n, low, s in zip(wanted, least, self.stride, strict=True)):
            most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
            raise ArgumentError(f"{layer}: output_size is {wanted}; for an input {shape} it can be {least} to {most}")
        return tuple(n - low for n, low in zip(wanted, least, strict=True))


class ConvTranspose2d(_ConvTransposeNd):
    """The adjoint of `Conv2d`, applied forwards; weight (in_channels, out_channels / groups, KH, KW).

    Called with `output_size`, it gives that one of the sizes that the convolution takes to the input's.

    Input, weight and bias must have the same dtype, which the result has too. ValueError if channels or sizes do
    not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.ConvTranspose2d(8, 3, kernel_size=2, stride=2)
    >>> layer
    ConvTranspose2d(8, 3, kernel_size=(2, 2), stride=(2, 2))
    >>> layer(tg.zeros(2, 8, 5, 5)).shape
    torch.Size([2, 3, 10, 10])
    """

    dims, _convolve = 2, staticmethod(F.conv_transpose2d)


class ConvTranspose1d(_ConvTransposeNd):
    """The adjoint of `Conv1d`, applied forwards; weight (in_channels, out_channels / groups, K).

    Input, weight and bias must have the same dtype, which the result has too. ValueError if channels or sizes do
    not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.ConvTranspose1d(8, 3, kernel_size=2, stride=2)
    >>> layer(tg.zeros(2, 8, 5)).shape
    torch.Size([2, 3, 10])
    """

    dims, _convolve = 1, staticmethod(F.conv_transpose1d)


class ConvTranspose3d(_ConvTransposeNd):
    """The adjoint of `Conv3d`, applied forwards; weight (in_channels, out_channels / groups, KD, KH, KW).

    Input, weight and bias must have the same dtype, which the result has too. ValueError if channels or sizes do
    not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.ConvTranspose3d(8, 3, kernel_size=2, stride=2)
    >>> layer(tg.zeros(2, 8, 2, 2, 2)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    dims, _convolve = 3, staticmethod(F.conv_transpose3d)
