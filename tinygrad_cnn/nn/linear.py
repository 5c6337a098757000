"""Linear and bilinear maps, and the identity."""

import math
from typing import Any

from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.nn.settings import check_sizes
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.device import check_device

__all__ = ["Bilinear", "Identity", "Linear"]


def reset_bias(bias: Parameter | None, fan_in: int) -> None:
    """Evenly in ±1/√fan_in."""
    if bias is not None:
        bound = 1 / math.sqrt(fan_in)
        init.uniform_(bias, -bound, bound)


class Identity(Module):
    """What comes in goes out; any arguments are taken and forgotten.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Identity()(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """``y = x wᵀ + b``: (..., in_features) to (..., out_features).

    Weight (out_features, in_features) and bias begin evenly in ±1/√in_features.

    All dtypes must be equal and stay. ValueError if the last size is not `in_features`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.Linear(3, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    >>> layer(tg.zeros(4, 3)).shape
    torch.Size([4, 2])
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        check_device("Linear", device)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        reset_bias(self.bias, self.in_features)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The configuration."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """``y[k] = x1ᵀ W[k] x2 + b[k]``: (..., in1_features) and (..., in2_features) to (..., out_features).

    Weight (out_features, in1_features, in2_features) and bias begin evenly in ±1/√in1_features.

    ValueError if the last sizes are not those of the weight.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.Bilinear(3, 5, 2)
    >>> layer(tg.zeros(4, 3), tg.zeros(4, 5)).shape
    torch.Size([4, 2])
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_sizes("Bilinear", in1_features=in1_features, in2_features=in2_features, out_features=out_features)
        check_device("Bilinear", device)
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        reset_bias(self.bias, self.in1_features)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The configuration."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
