"""Activations: element-wise functions and softmax, as layers."""

from typing import Any

from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn.module import Module


class Activation(Module):
    """The base of activations: its settings are printed, and passed to the function of the same name.

    `inplace` is accepted for PyTorch's sake and changes nothing: the input is never overwritten.
    """

    settings: tuple[str, ...] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The configuration."""
        shown = [f"{name}={getattr(self, name)!r}" for name in self.settings]
        return ", ".join(shown + ["inplace=True"] * self.inplace)


class ReLU(Activation):
    """``max(x, 0)``"""

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.relu(input)


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.sigmoid(input)


class Tanh(Activation):
    """``tanh x``"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.tanh(input)


class SiLU(Activation):
    """``x sigmoid(x)``"""

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.silu(input)


class SELU(Activation):
    """Scaled exponential linear unit (Klambauer et al. 2017)."""

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.selu(input)


class LeakyReLU(Activation):
    """``x`` where positive, else ``negative_slope x``."""

    settings = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.leaky_relu(input, self.negative_slope)


class ELU(Activation):
    """Exponential linear unit (Clevert et al. 2015)."""

    settings = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.elu(input, self.alpha)


class GELU(Activation):
    """Gaussian error linear unit (Hendrycks & Gimpel 2016)."""

    settings = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.gelu(input, self.approximate)


class Softplus(Activation):
    """``ln(1 + exp(beta x)) / beta``, linear above the threshold."""

    settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.softplus(input, self.beta, self.threshold)


class Hardtanh(Activation):
    """Clipped to [min_val, max_val]."""

    settings = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Any) -> Any:
        """Apply element by element."""
        return F.hardtanh(input, self.min_val, self.max_val)


class Softmax(Activation):
    """Exponentials along a dim, normalised."""

    settings = ("dim",)

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Normalise along the dim."""
        return F.softmax(input, self.dim)


class LogSoftmax(Activation):
    """The logarithm of softmax."""

    settings = ("dim",)

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Normalise along the dim."""
        return F.log_softmax(input, self.dim)
