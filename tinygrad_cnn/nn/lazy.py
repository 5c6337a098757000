"""Layers that learn the size of their input from the first one: made without it, they become the layer itself then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from tinygrad_cnn.nn.linear import Linear
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.norm import BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from tinygrad_cnn.nn.parameter import UninitializedParameter
from tinygrad_cnn.random import fork_rng
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import zeros

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class _Lazy(Module):
    """A layer before its first input; `become` is what it is afterwards."""

    become: ClassVar[Any]
    size: ClassVar[str]
    """The argument that is left out, the first one of `become`."""
    dim: ClassVar[int] = 1
    """Where the input has this size."""
    allowed: ClassVar[tuple[int, ...]] = ()
    """The numbers of dims that the input may have, any if empty; the smallest of them is without a batch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        groups = kwargs.get("groups", 1)
        with fork_rng():  # the numbers are drawn when the size is known, as in PyTorch
            self.become.__init__(self, groups, *args, **kwargs)
        for name, p in self._parameters.items():
            if p is not None:
                self._parameters[name] = UninitializedParameter(dtype=p.dtype)
        for name, buffer in self._buffers.items():
            if buffer is not None and buffer.ndim:
                self._buffers[name] = zeros(0, dtype=buffer.dtype)
        setattr(self, self.size, 0)
        self._arguments = args, kwargs

    if not TYPE_CHECKING:  # to type checkers calling it is calling what it becomes

        def __call__(self, *args, **kwargs):
            self.initialize_parameters(*args, **kwargs)
            return self(*args, **kwargs)

    def initialize_parameters(self, input: Any, *rest: Any, **kwargs: Any) -> None:
        """Take the size from an input, draw the weights, and become the layer."""
        shape = shape_of(input)
        if self.allowed and len(shape) not in self.allowed:
            raise ArgumentError(
                f"{self._get_name()}: Expected {self.allowed[0]}D (unbatched) or {self.allowed[1]}D (batched) input, "
                f"but got input of size: {shape}"
            )
        channel_dim = self.dim - 1 if self.allowed and len(shape) == self.allowed[0] else self.dim
        size = shape[channel_dim]
        args, kwargs = self._arguments
        built = self.become(size, *args, **kwargs)
        for name, p in self._parameters.items():
            if isinstance(p, UninitializedParameter):
                p.materialize_as(built._parameters[name])
        for name, buffer in self._buffers.items():
            if buffer is not None and buffer.ndim:
                self._buffers[name] = built._buffers[name].astype(buffer.dtype)
        setattr(self, self.size, size)
        del self._arguments
        self.__class__ = self.become

    def has_uninitialized_params(self) -> bool:
        """Whether no input has been seen: so it is, as long as this is a lazy layer."""
        return True

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        for p in self._parameters.values():
            if isinstance(p, UninitializedParameter):
                p.convert(fn)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self


class LazyLinear(_Lazy, Linear):
    """A `Linear` whose `in_features` is the size of the last dim of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyLinear(4)
    >>> layer(tg.zeros(2, 3)).shape
    torch.Size([2, 4])
    >>> layer
    Linear(in_features=3, out_features=4, bias=True)
    """

    become, size, dim = Linear, "in_features", -1


class LazyConv1d(_Lazy, Conv1d):
    """A `Conv1d` whose `in_channels` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyConv1d(4, 3)
    >>> layer(tg.zeros(1, 2, 8)).shape
    torch.Size([1, 4, 6])
    >>> layer.in_channels
    2
    """

    become, size, allowed = Conv1d, "in_channels", (2, 3)


class LazyConv2d(_Lazy, Conv2d):
    """A `Conv2d` whose `in_channels` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> from tinygrad_cnn import nn, zeros
    >>> net = nn.Sequential(nn.LazyConv2d(6, kernel_size=5), nn.Flatten(), nn.LazyLinear(10))
    >>> y = net(zeros(2, 1, 8, 8))
    >>> net
    Sequential(
      (0): Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))
      (1): Flatten(start_dim=1, end_dim=-1)
      (2): Linear(in_features=96, out_features=10, bias=True)
    )
    """

    become, size, allowed = Conv2d, "in_channels", (3, 4)


class LazyConv3d(_Lazy, Conv3d):
    """A `Conv3d` whose `in_channels` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyConv3d(4, 3)
    >>> layer(tg.zeros(1, 2, 4, 4, 4)).shape
    torch.Size([1, 4, 2, 2, 2])
    >>> layer.in_channels
    2
    """

    become, size, allowed = Conv3d, "in_channels", (4, 5)


class LazyConvTranspose1d(_Lazy, ConvTranspose1d):
    """A `ConvTranspose1d` whose `in_channels` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyConvTranspose1d(4, 2)
    >>> layer(tg.zeros(1, 2, 8)).shape
    torch.Size([1, 4, 9])
    >>> layer.in_channels
    2
    """

    become, size, allowed = ConvTranspose1d, "in_channels", (2, 3)


class LazyConvTranspose2d(_Lazy, ConvTranspose2d):
    """A `ConvTranspose2d` whose `in_channels` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyConvTranspose2d(4, 2)
    >>> layer(tg.zeros(1, 2, 8, 8)).shape
    torch.Size([1, 4, 9, 9])
    >>> layer.in_channels
    2
    """

    become, size, allowed = ConvTranspose2d, "in_channels", (3, 4)


class LazyConvTranspose3d(_Lazy, ConvTranspose3d):
    """A `ConvTranspose3d` whose `in_channels` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyConvTranspose3d(4, 2)
    >>> layer(tg.zeros(1, 2, 4, 4, 4)).shape
    torch.Size([1, 4, 5, 5, 5])
    >>> layer.in_channels
    2
    """

    become, size, allowed = ConvTranspose3d, "in_channels", (4, 5)


class LazyBatchNorm1d(_Lazy, BatchNorm1d):
    """A `BatchNorm1d` whose `num_features` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyBatchNorm1d()
    >>> layer(tg.zeros(2, 3)).shape
    torch.Size([2, 3])
    >>> layer.num_features
    3
    """

    become, size = BatchNorm1d, "num_features"


class LazyBatchNorm2d(_Lazy, BatchNorm2d):
    """A `BatchNorm2d` whose `num_features` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyBatchNorm2d()
    >>> layer(tg.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    >>> layer.num_features
    3
    """

    become, size = BatchNorm2d, "num_features"


class LazyBatchNorm3d(_Lazy, BatchNorm3d):
    """A `BatchNorm3d` whose `num_features` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyBatchNorm3d()
    >>> layer(tg.zeros(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    >>> layer.num_features
    3
    """

    become, size = BatchNorm3d, "num_features"


class _LazyInstanceNorm(_Lazy):
    """As in PyTorch, with weights and running statistics by default, which `InstanceNorm1d` has not."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(eps, momentum, affine, track_running_stats, device=device, dtype=dtype)


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """An `InstanceNorm1d` whose `num_features` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyInstanceNorm1d()
    >>> layer(tg.zeros(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    >>> layer.num_features
    3
    """

    become, size, allowed = InstanceNorm1d, "num_features", (2, 3)


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """An `InstanceNorm2d` whose `num_features` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyInstanceNorm2d()
    >>> layer(tg.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    >>> layer.num_features
    3
    """

    become, size, allowed = InstanceNorm2d, "num_features", (3, 4)


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """An `InstanceNorm3d` whose `num_features` is that of its first input.

    The first input decides once; its dtype must be that of the layer.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.LazyInstanceNorm3d()
    >>> layer(tg.zeros(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    >>> layer.num_features
    3
    """

    become, size, allowed = InstanceNorm3d, "num_features", (4, 5)
