"""Pooling as layers: settings, and a call of the function of the same name."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn.functional.pooling import single
from tinygrad_cnn.nn.settings import Settings, size_of_dims
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip


class _MaxPoolNd(Settings):
    """The maximum of each window."""

    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode


class MaxPool1d(_MaxPoolNd):
    """The maximum of each window of (N, C, L) or (C, L); with `return_indices` also where it stood.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MaxPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 4.0]]))
    tensor([[3., 4.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        pool: Any = F.max_pool1d_with_indices if self.return_indices else F.max_pool1d
        return pool(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool2d(_MaxPoolNd):
    """The maximum of each window of (N, C, H, W) or (C, H, W); with `return_indices` also where it stood.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MaxPool2d(2)(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[4.]]])
    >>> tg.nn.MaxPool2d(3, stride=2)(tg.zeros(1, 2, 7, 7)).shape
    torch.Size([1, 2, 3, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        pool: Any = F.max_pool2d_with_indices if self.return_indices else F.max_pool2d
        return pool(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool3d(_MaxPoolNd):
    """The maximum of each window of (N, C, D, H, W) or (C, D, H, W); with `return_indices` also where it stood.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.MaxPool3d(2)(tg.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[7.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        pool: Any = F.max_pool3d_with_indices if self.return_indices else F.max_pool3d
        return pool(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class _MaxUnpoolNd(Settings):
    """The windows whose maxima are put back."""

    shown = ("kernel_size", "stride", "padding")
    dims: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        size = partial(size_of_dims, type(self).__name__, self.dims)
        self.kernel_size = size("kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else size("stride", stride, 1)
        self.padding = size("padding", padding, 0)


class MaxUnpool1d(_MaxUnpoolNd):
    """`MaxPool1d` undone: zeros, with the maxima where they stood; (N, C, L) or (C, L).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.MaxPool1d(2, return_indices=True)(tg.tensor([[1.0, 3.0, 2.0, 4.0]]))
    >>> tg.nn.MaxUnpool1d(2)(y, places)
    tensor([[0., 3., 0., 4.]])
    """

    dims = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """`MaxPool2d` undone: zeros, with the maxima where they stood; (N, C, H, W) or (C, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.MaxPool2d(2, return_indices=True)(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    >>> tg.nn.MaxUnpool2d(2)(y, places)
    tensor([[[0., 0.],
             [0., 4.]]])
    """

    dims = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """`MaxPool3d` undone: zeros, with the maxima where they stood; (N, C, D, H, W) or (C, D, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> y, places = tg.nn.MaxPool3d(2, return_indices=True)(tg.ones(1, 4, 4, 4))
    >>> tg.nn.MaxUnpool3d(2)(y, places).sum()
    tensor(8.)
    """

    dims = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class _AvgPoolNd(Settings):
    """The mean of each window."""

    shown = ("kernel_size", "stride", "padding")


class AvgPool1d(_AvgPoolNd):
    """The mean of each window of (N, C, L) or (C, L).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AvgPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 4.0]]))
    tensor([[2., 3.]])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = (single("AvgPool1d", "kernel_size", kernel_size),)
        self.stride = self.kernel_size if stride is None else (single("AvgPool1d", "stride", stride),)
        self.padding = (single("AvgPool1d", "padding", padding),)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        options = self.padding, self.ceil_mode, self.count_include_pad
        return F.avg_pool1d(input, self.kernel_size, self.stride, *options)


class _AvgPoolOfWindows(_AvgPoolNd):
    """The mean of each window of a plane or a volume."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override


class AvgPool2d(_AvgPoolOfWindows):
    """The mean of each window of (N, C, H, W) or (C, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AvgPool2d(2)(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2.5000]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        options = self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override
        return F.avg_pool2d(input, self.kernel_size, self.stride, *options)


class AvgPool3d(_AvgPoolOfWindows):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AvgPool3d(2)(tg.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        options = self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override
        return F.avg_pool3d(input, self.kernel_size, self.stride, *options)


class _LPPoolNd(Settings):
    """``(Σ xᵖ)^(1/p)`` of each window."""

    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode


class LPPool1d(_LPPoolNd):
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, L) or (C, L).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LPPool1d(2, 2)(tg.tensor([[3.0, 4.0, 6.0, 8.0]]))
    tensor([[ 5., 10.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPoolNd):
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, H, W) or (C, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LPPool2d(2, (1, 2))(tg.tensor([[[3.0, 4.0]]]))
    tensor([[[5.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPoolNd):
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, D, H, W) or (C, D, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LPPool3d(2, (1, 1, 2))(tg.tensor([[[[3.0, 4.0]]]]))
    tensor([[[[5.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _AdaptiveAvgPoolNd(Settings):
    """Means over windows that divide the places into `output_size` parts."""

    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Means over windows that divide (N, C, L) or (C, L) into `output_size` parts.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AdaptiveAvgPool1d(2)(tg.tensor([[1.0, 2.0, 3.0, 4.0]]))
    tensor([[1.5000, 3.5000]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Means over windows that divide (N, C, H, W) or (C, H, W) into `output_size` parts; None keeps a size.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AdaptiveAvgPool2d((1, 2))(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2., 3.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Means over windows that divide (N, C, D, H, W) or (C, D, H, W) into `output_size` parts; None keeps a size.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AdaptiveAvgPool3d((2, None, 3))(tg.ones(1, 2, 4, 5, 6)).shape
    torch.Size([1, 2, 2, 5, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPoolNd(Settings):
    """Maxima over windows that divide the places into `output_size` parts."""

    shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima over windows that divide (N, C, L) or (C, L) into `output_size` parts.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AdaptiveMaxPool1d(2)(tg.tensor([[1.0, 2.0, 3.0, 4.0]]))
    tensor([[2., 4.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        pool: Any = F.adaptive_max_pool1d_with_indices if self.return_indices else F.adaptive_max_pool1d
        return pool(input, self.output_size)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima over windows that divide (N, C, H, W) or (C, H, W) into `output_size` parts; None keeps a size.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AdaptiveMaxPool2d((1, 2))(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[3., 4.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        pool: Any = F.adaptive_max_pool2d_with_indices if self.return_indices else F.adaptive_max_pool2d
        return pool(input, self.output_size)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima over windows that divide (N, C, D, H, W) or (C, D, H, W) into `output_size` parts; None keeps a size.

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.AdaptiveMaxPool3d((2, None, 3))(tg.ones(1, 2, 4, 5, 6)).shape
    torch.Size([1, 2, 2, 5, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        pool: Any = F.adaptive_max_pool3d_with_indices if self.return_indices else F.adaptive_max_pool3d
        return pool(input, self.output_size)


class _FractionalMaxPoolNd(Settings):
    """Maxima of windows that lie at random steps, of a size or a ratio of sizes."""

    dims: int
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        layer = type(self).__name__
        if (output_size is None) == (output_ratio is None):
            raise ArgumentError(f"{layer}: output_size is {output_size}, output_ratio {output_ratio}; give one of them")
        self.kernel_size = size_of_dims(layer, self.dims, "kernel_size", kernel_size, 1)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = output_size and size_of_dims(layer, self.dims, "output_size", output_size, 1)
        ratios = output_ratio if isinstance(output_ratio, Sequence) else (output_ratio,) * self.dims
        self.output_ratio = output_ratio and tuple(ratios)
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ArgumentError(f"{layer}: output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Maxima of windows that lie at random steps over (N, C, H, W) or (C, H, W) (Graham 2014).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.FractionalMaxPool2d(2, output_size=3)(tg.ones(1, 1, 5, 5)).shape
    torch.Size([1, 1, 3, 3])
    """

    dims = 2

    def forward(self, input: Tensor) -> Tensor:
        options = self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        pooled: Any = F.fractional_max_pool2d(input, *options)
        return pooled


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Maxima of windows that lie at random steps over (N, C, D, H, W) or (C, D, H, W).

    The dtype stays. ValueError if a window does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.FractionalMaxPool3d(2, output_size=3)(tg.ones(1, 1, 5, 5, 5)).shape
    torch.Size([1, 1, 3, 3, 3])
    """

    dims = 3

    def forward(self, input: Tensor) -> Tensor:
        options = self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        pooled: Any = F.fractional_max_pool3d(input, *options)
        return pooled
