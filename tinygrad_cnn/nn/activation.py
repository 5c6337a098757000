"""Activations as layers: each keeps its settings, prints them, and calls the function of the same name."""

from typing import Any

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.nn.settings import Settings, check_sizes
from tinygrad_cnn.ops.checks import check_ndim
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.device import check_device

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax",
    "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


class _InPlace(Settings):
    """An activation that can write its result into its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class Activation(_InPlace):
    """One that prints `inplace` if it is on."""

    def extra_repr(self) -> str:
        """The configuration."""
        return ", ".join([super().extra_repr()] * bool(self.shown) + ["inplace=True"] * self.inplace)


class ReLU(Activation):
    """``max(x, 0)``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReLU()(tg.tensor([-2.0, 3.0]))
    tensor([0., 3.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, self.inplace)


class LeakyReLU(Activation):
    """``x`` where positive, else ``negative_slope x`` (Maas et al. 2013).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LeakyReLU(0.5)(tg.tensor([-2.0, 3.0]))
    tensor([-1.,  3.])
    """

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(Settings):
    """``x`` where positive, else ``weight x`` with a learnt weight, one or one per channel (He et al. 2015).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.PReLU()(tg.tensor([-2.0, 3.0])).tolist()
    [-0.5, 3.0]
    """

    shown = ("num_parameters",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        check_sizes("PReLU", num_parameters=num_parameters)
        check_device("PReLU", device)
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(empty(num_parameters, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew, with `init`."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)


class RReLU(Activation):
    """Leaky rectifier whose slopes are drawn evenly from [lower, upper] in training (Xu et al. 2015).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.RReLU(0.25, 0.75).eval()(tg.tensor([-2.0, 3.0]))
    tensor([-1.,  3.])
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class _WithAlpha(Activation):
    """What is scaled where it is negative."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class ELU(_WithAlpha):
    """``x`` where positive, else ``alpha (exp(x) - 1)`` (Clevert et al. 2015).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ELU()(tg.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)


class CELU(_WithAlpha):
    """``max(0, x) + min(0, alpha (exp(x / alpha) - 1))`` (Barron 2017).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.CELU(alpha=2.0)(tg.tensor([-1.0, 1.0]))
    tensor([-0.7869,  1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


class SELU(Activation):
    """Self-normalising exponential linear unit (Klambauer et al. 2017).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.SELU()(tg.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class GELU(Settings):
    """Gaussian error linear unit, exact or by its tanh approximation (Hendrycks & Gimpel 2016).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.GELU()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """

    shown = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)


class SiLU(Activation):
    """``x sigmoid(x)``, also known as swish (Elfwing et al. 2017).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.SiLU()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(Activation):
    """``x tanh(softplus(x))`` (Misra 2019).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Mish()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class Softplus(Settings):
    """``ln(1 + exp(beta x)) / beta``, linear where ``beta x`` is above the threshold.

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Softplus()(tg.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)


class Hardtanh(Activation):
    """Clipped to [min_val, max_val].

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Hardtanh()(tg.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    shown: tuple[str, ...] = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: None = None,
        max_value: None = None,
    ) -> None:
        super().__init__(inplace)
        if min_value is not None or max_value is not None:
            raise ArgumentError("Hardtanh: min_value and max_value are PyTorch's old names; use min_val and max_val")
        if min_val >= max_val:
            raise HardtanhRangeError(f"Hardtanh: min_val {min_val} must be smaller than max_val {max_val}")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class HardtanhRangeError(ArgumentError, AssertionError):
    """An empty range: a ValueError, and the AssertionError that PyTorch raises."""


class ReLU6(Hardtanh):
    """``min(max(x, 0), 6)``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.ReLU6()(tg.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """

    shown = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Hardsigmoid(_InPlace):
    """``min(max(x + 3, 0), 6) / 6``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Hardsigmoid()(tg.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_InPlace):
    """``x hardsigmoid(x)`` (Howard et al. 2019).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Hardswish()(tg.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


class _Shrink(Module):
    """The width of what becomes 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """The configuration."""
        return str(self.lambd)


class Hardshrink(_Shrink):
    """``x`` outside [-lambd, lambd], 0 inside.

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Hardshrink()(tg.tensor([-1.0, 0.25, 1.0]))
    tensor([-1.,  0.,  1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """``x`` moved towards 0 by lambd, and 0 within [-lambd, lambd].

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Softshrink()(tg.tensor([-1.0, 0.25, 1.0]))
    tensor([-0.5000,  0.0000,  0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class Threshold(Activation):
    """``x`` above the threshold, else `value`.

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Threshold(1.0, 20.0)(tg.tensor([0.5, 2.0]))
    tensor([20.,  2.])
    """

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Sigmoid()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([0.2689, 0.5000, 0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class LogSigmoid(Module):
    """``ln sigmoid(x)``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LogSigmoid()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-1.3133, -0.6931, -0.3133])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Tanh(Module):
    """``tanh x``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Tanh()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.7616,  0.0000,  0.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class Tanhshrink(Module):
    """``x - tanh x``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Tanhshrink()(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2384,  0.0000,  0.2384])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softsign(Module):
    """``x / (1 + |x|)``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Softsign()(tg.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5000,  0.0000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class GLU(Settings):
    """``a sigmoid(b)`` of the two halves of a dim (Dauphin et al. 2016).

    The dim, of even size, is half as long; the floating dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.GLU()(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)


class Softmax(Settings):
    """Exponentials along a dim, normalised to sum 1; without `dim` one is guessed, with a warning.

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Softmax(dim=0)(tg.tensor([1.0, 2.0, 3.0]))
    tensor([0.0900, 0.2447, 0.6652])
    """

    shown = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmin(Softmax):
    """``softmax(-x)``

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Softmin(dim=0)(tg.tensor([1.0, 2.0, 3.0]))
    tensor([0.6652, 0.2447, 0.0900])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)


class LogSoftmax(Softmax):
    """The logarithm of softmax.

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.LogSoftmax(dim=0)(tg.tensor([1.0, 2.0, 3.0]))
    tensor([-2.4076, -1.4076, -0.4076])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W).

    The shape stays, and a floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.Softmax2d()(tg.zeros(4, 1, 2))
    tensor([[[0.2500, 0.2500]],
    <BLANKLINE>
            [[0.2500, 0.2500]],
    <BLANKLINE>
            [[0.2500, 0.2500]],
    <BLANKLINE>
            [[0.2500, 0.2500]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        check_ndim("Softmax2d", "input", input, (3, 4), "(N, C, H, W) or (C, H, W)")
        return F.softmax(input, -3)
