"""Borders as layers: one width for all sides, or (before, after) of each dim, the last dim first."""

from typing import Any

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """The widths of a border, and what is in it."""

    dims: int
    mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        widths = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)
        if len(widths) != 2 * self.dims:
            layer = type(self).__name__
            raise ArgumentError(f"{layer}: padding is {padding!r}; expected a number, or {2 * self.dims} of them")
        self.padding = widths

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The configuration."""
        return str(self.padding)


class _ConstantPadNd(_Pad):
    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """The configuration."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """A value before and after the last dim.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ConstantPad1d((1, 2), 9.0)(tg.tensor([[1.0, 2.0]]))
    tensor([[9., 1., 2., 9., 9.]])
    """

    dims = 1


class ConstantPad2d(_ConstantPadNd):
    """A value around the last two dims.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ConstantPad2d(1, 9.0)(tg.tensor([[[1.0]]]))
    tensor([[[9., 9., 9.],
             [9., 1., 9.],
             [9., 9., 9.]]])
    """

    dims = 2


class ConstantPad3d(_ConstantPadNd):
    """A value around the last three dims.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ConstantPad3d(1, 9.0)(tg.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    dims = 3


class _ZeroPad(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The configuration."""
        return str(self.padding)


class ZeroPad1d(_ZeroPad):
    """Zeros before and after the last dim.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ZeroPad1d((1, 2))(tg.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0., 0.]])
    """

    dims = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around the last two dims.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ZeroPad2d((1, 0, 0, 1))(tg.tensor([[[1.0, 2.0]]]))
    tensor([[[0., 1., 2.],
             [0., 0., 0.]]])
    """

    dims = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around the last three dims.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ZeroPad3d(1)(tg.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    dims = 3


class _ReflectionPadNd(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """The line reflected at its ends, which are not repeated.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReflectionPad1d(2)(tg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """The plane reflected at its edges, which are not repeated.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReflectionPad2d((1, 1, 0, 0))(tg.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[2., 1., 2., 3., 2.]]])
    """

    dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """The volume reflected at its faces, which are not repeated.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReflectionPad3d(1)(tg.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    dims = 3


class _ReplicationPadNd(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """The ends repeated.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReplicationPad1d(2)(tg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3., 3.]])
    """

    dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """The edges repeated.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReplicationPad2d((1, 1, 0, 0))(tg.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[1., 1., 2., 3., 3.]]])
    """

    dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """The faces repeated.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReplicationPad3d(1)(tg.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    dims = 3


class _CircularPadNd(_Pad):
    mode = "circular"


class CircularPad1d(_CircularPadNd):
    """What leaves at one end comes in at the other.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.CircularPad1d(2)(tg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3., 1., 2., 3., 1., 2.]])
    """

    dims = 1


class CircularPad2d(_CircularPadNd):
    """What leaves at one edge comes in at the other.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.CircularPad2d((1, 1, 0, 0))(tg.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[3., 1., 2., 3., 1.]]])
    """

    dims = 2


class CircularPad3d(_CircularPadNd):
    """What leaves at one face comes in at the other.

    The dtype stays. `padding` is one number, or (before, after) of each dim from the last one backwards.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.CircularPad3d(1)(tg.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    dims = 3
