"""Layers that only reshape: dims made one or split, windows cut out and put back."""

from collections.abc import Sequence
from typing import Any

from tinygrad_cnn import ops
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn.settings import Settings
from tinygrad_cnn.tensor import Tensor

__all__ = ["Flatten", "Fold", "Unflatten", "Unfold"]


class Flatten(Settings):
    """The dims from start to end made one.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Flatten()(tg.zeros(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    shown = ("start_dim", "end_dim")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return ops.flatten(input, self.start_dim, self.end_dim)


class Unflatten(Settings):
    """One dim split into several; one size may be -1.

    The dtype stays. ValueError if the sizes do not multiply to that of the dim.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Unflatten(1, (3, -1))(tg.zeros(2, 12)).shape
    torch.Size([2, 3, 4])
    """

    shown = ("dim", "unflattened_size")

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        sizes = unflattened_size
        if not isinstance(sizes, (tuple, list)) or not all(isinstance(n, int) for n in sizes):
            raise TypeError(f"Unflatten: unflattened_size is {sizes!r}; it must be a tuple of integers")
        self.dim, self.unflattened_size = dim, sizes

    def forward(self, input: Tensor) -> Tensor:
        return ops.unflatten(input, self.dim, self.unflattened_size)


class Unfold(Settings):
    """The windows of a convolution as columns: (N, C, H, W) to (N, C·KH·KW, L).

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Unfold(2)(tg.zeros(1, 3, 4, 4)).shape
    torch.Size([1, 12, 9])
    """

    shown = ("kernel_size", "dilation", "padding", "stride")

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Settings):
    """The adjoint of `Unfold`: columns added up at the places of their windows.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Fold((3, 3), 2)(tg.ones(1, 4, 4))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """

    shown = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
