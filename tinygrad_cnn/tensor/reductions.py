"""Methods of `Tensor` that reduce dims or run along one, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_cnn import ops
from tinygrad_cnn.tensor.methods import Methods
from tinygrad_cnn.types import Axis

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class ReductionMethods(Methods):
    """Over dims."""

    __slots__ = ()

    def sum(self, dim: Axis = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
        """Sum; see `ops.sum`."""
        return ops.sum(self, dim, keepdim, dtype)

    def mean(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Mean; see `ops.mean`."""
        return ops.mean(self, dim, keepdim)

    def prod(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Product; see `ops.prod`."""
        return ops.prod(self, dim, keepdim)

    def amax(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Maximum, ties sharing the gradient; see `ops.amax`."""
        return ops.amax(self, dim, keepdim)

    def amin(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Minimum, ties sharing the gradient; see `ops.amin`."""
        return ops.amin(self, dim, keepdim)

    def logsumexp(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """ln Σ exp x; see `ops.logsumexp`."""
        return ops.logsumexp(self, dim, keepdim)

    def any(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Whether any element is not 0; see `ops.any`."""
        return ops.any(self, dim, keepdim)

    def all(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Whether every element is not 0; see `ops.all`."""
        return ops.all(self, dim, keepdim)

    def var(self, dim: Axis = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
        """Variance; see `ops.var`."""
        return ops.var(self, dim, correction=correction, keepdim=keepdim)

    def std(self, dim: Axis = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
        """Standard deviation; see `ops.std`."""
        return ops.std(self, dim, correction=correction, keepdim=keepdim)

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The maximum of all, or `(values, indices)` along a dim, or of two tensors; see `ops.max`."""
        return ops.max(self, dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The minimum of all, or `(values, indices)` along a dim, or of two tensors; see `ops.min`."""
        return ops.min(self, dim, keepdim)

    def norm(self, p: float | str = 2.0, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """The p-norm; see `ops.norm`."""
        return ops.norm(self, p, dim, keepdim)

    def cumsum(self, dim: int) -> Tensor:
        """Cumulative sums along a dim."""
        return ops.cumsum(self, dim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the first maximum stands."""
        return ops.argmax(self, dim, keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the first minimum stands."""
        return ops.argmin(self, dim, keepdim)

    def softmax(self, dim: int, dtype: Any = None) -> Tensor:
        """See `ops.softmax`."""
        return ops.softmax(self, dim, dtype)

    def log_softmax(self, dim: int, dtype: Any = None) -> Tensor:
        """See `ops.log_softmax`."""
        return ops.log_softmax(self, dim, dtype)
