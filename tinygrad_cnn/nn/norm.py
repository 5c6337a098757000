"""Normalisation layers: by the statistics of batches, instances, groups and layers, or by running ones."""

from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import Shape
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.functional.norm import warn_unlike_features
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.nn.settings import check_sizes
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty, ones, tensor, zeros
from tinygrad_cnn.torch_names.device import check_device

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "LayerNorm", "LocalResponseNorm", "RMSNorm",
]  # fmt: skip


class _Affine(Module):
    """A scale, `weight`, that begins at 1, and a shift, `bias`, that begins at 0; either may be None."""

    weight: Parameter | None
    bias: Parameter | None

    def _scale_and_shift(self, shape: Shape, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        check_device(type(self).__name__, device)
        self.register_parameter("weight", Parameter(empty(shape, dtype=dtype)) if weight else None)
        self.register_parameter("bias", Parameter(empty(shape, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew: the weight at 1, the bias at 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        bias = self._parameters.get("bias")
        if bias is not None:
            init.zeros_(bias)


class _NormBase(_Affine):
    """A normalisation of channels, with running statistics if they are tracked."""

    _version = 2
    dims: tuple[int, ...]
    layout: str
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._scale_and_shift((num_features,), affine, affine and bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget what was seen."""
        for statistic, begin in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if statistic is not None:
                statistic.fill_(begin)

    def _complete_state(self, state: dict[str, Any], prefix: str, version: int | None) -> None:
        """The first version did not count batches."""
        key = f"{prefix}num_batches_tracked"
        if self.num_batches_tracked is not None and (version is None or version < 2) and key not in state:
            state[key] = self.num_batches_tracked

    def _check(self, input: Any) -> None:
        layer, ndim = type(self).__name__, len(shape_of(input))
        if ndim in self.dims:
            return
        places = {2: "1", 3: "1", 4: "2", 5: "3"}.get(ndim)
        other = (
            f"; for {ndim} dims there is {layer[:-2]}{places}d" if places and layer[-2:] in ("1d", "2d", "3d") else ""
        )
        check_ndim(layer, "input", input, self.dims, self.layout + other)

    def extra_repr(self) -> str:
        """The configuration."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """Normalisation of each channel over the batch (Ioffe & Szegedy 2015)."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise; in training, let the running statistics follow."""
        self._check(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1 / self.num_batches_tracked.item()
        by_batch = self.training or self.running_mean is None
        tracked = not self.training or self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if tracked else (None, None)
        return F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L).

    The shape and the floating dtype stay. ValueError if the channels are not as many as said.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.BatchNorm1d(1)(tg.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    >>> tg.nn.BatchNorm1d(3)(tg.zeros(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    dims, layout = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of (N, C, H, W).

    The shape and the floating dtype stay. ValueError if the channels are not as many as said.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.BatchNorm2d(3)
    >>> layer(tg.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    >>> layer.running_mean
    tensor([0.1000, 0.1000, 0.1000])
    """

    dims, layout = (4,), "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of (N, C, D, H, W).

    The shape and the floating dtype stay. ValueError if the channels are not as many as said.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.BatchNorm3d(3)
    >>> layer(tg.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    >>> layer.running_mean
    tensor([0.1000, 0.1000, 0.1000])
    """

    dims, layout = (5,), "(N, C, D, H, W)"


class _InstanceNorm(_NormBase):
    """Normalisation of each channel of each sample (Ulyanov et al. 2016)."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise; in training, let the running statistics, if there are any, follow."""
        self._check(input)
        layer, shape = type(self).__name__, shape_of(input)
        dim = len(shape) - self.dims[0]
        if shape[dim] != self.num_features and self.affine:
            raise ArgumentError(
                f"{layer}: dim {dim} of input {shape} has {shape[dim]} channels; num_features is {self.num_features}"
            )
        warn_unlike_features(layer, shape[dim], self.num_features, dim)
        by_input = self.training or not self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        options = self.running_mean, self.running_var, self.weight, self.bias, by_input, momentum, self.eps
        return F.instance_norm(input, *options) if dim else F.instance_norm(input[None], *options)[0]


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (N, C, L) or (C, L).

    The shape and the floating dtype stay. Other channels than `num_features` are a ValueError if `affine`, else a
    warning.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.InstanceNorm1d(2)(tg.tensor([[[1.0, 3.0], [2.0, 8.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """

    dims, layout = (2, 3), "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of (N, C, H, W) or (C, H, W).

    The shape and the floating dtype stay. Other channels than `num_features` are a ValueError if `affine`, else a
    warning.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.InstanceNorm2d(3)(tg.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    dims, layout = (3, 4), "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of (N, C, D, H, W) or (C, D, H, W).

    The shape and the floating dtype stay. Other channels than `num_features` are a ValueError if `affine`, else a
    warning.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.InstanceNorm3d(3)(tg.zeros(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    dims, layout = (4, 5), "(N, C, D, H, W) or (C, D, H, W)"


class GroupNorm(_Affine):
    """Normalisation of each group of channels of each sample of (N, C, …) (Wu & He 2018).

    The shape and the floating dtype stay. ValueError if the channels are not as many as said.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.GroupNorm(2, 4)(tg.tensor([[1.0, 3.0, 2.0, 8.0]])).detach()
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(f"GroupNorm: {num_channels} channels cannot be divided into {num_groups} groups")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._scale_and_shift((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The configuration."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LayerNorm(_Affine):
    """Normalisation of each sample over its last dims (Ba, Kiros, Hinton 2016).

    The shape and the floating dtype stay. ValueError if the last sizes are not `normalized_shape`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LayerNorm(2)(tg.tensor([[1.0, 3.0], [5.0, 9.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self._scale_and_shift(shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The configuration."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """Each sample divided by the root of its mean square over its last dims (Zhang & Sennrich 2019).

    The shape and the floating dtype stay. ValueError if the last sizes are not `normalized_shape`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.RMSNorm(2)(tg.tensor([[3.0, 4.0]])).detach()
    tensor([[0.8485, 1.1314]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        check_device("RMSNorm", device)
        self.register_parameter("weight", Parameter(empty(shape, dtype=dtype)) if elementwise_affine else None)
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The configuration."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """``x / (k + alpha m)ᵝ``, with m the mean square over `size` neighbouring channels (Krizhevsky et al. 2012).

    The shape and the floating dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LocalResponseNorm(2, alpha=1.0)(tg.tensor([[[1.0], [2.0], [3.0]]]))
    tensor([[[0.7378],
             [0.7816],
             [0.6620]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The configuration."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
