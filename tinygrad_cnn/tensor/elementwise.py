"""Methods of `Tensor` that work element by element, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_cnn import ops
from tinygrad_cnn.tensor.methods import Methods
from tinygrad_cnn.types import ArrayLike

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class ElementwiseMethods(Methods):
    """Element by element."""

    __slots__ = ()

    def add(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """``self + alpha * other``"""
        return ops.add(self, other, alpha=alpha)

    def sub(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """``self - alpha * other``"""
        return ops.sub(self, other, alpha=alpha)

    def mul(self, other: ArrayLike) -> Tensor:
        """Product, element by element; see `ops.mul`."""
        return ops.mul(self, other)

    def div(self, other: ArrayLike) -> Tensor:
        """Quotient, element by element; see `ops.div`."""
        return ops.div(self, other)

    def remainder(self, other: ArrayLike) -> Tensor:
        """What is left after division, element by element; see `ops.remainder`."""
        return ops.remainder(self, other)

    def pow(self, exponent: ArrayLike) -> Tensor:
        """Power, element by element; see `ops.pow`."""
        return ops.pow(self, exponent)

    def maximum(self, other: ArrayLike) -> Tensor:
        """Larger of two; equal ones share the gradient, element by element; see `ops.maximum`."""
        return ops.maximum(self, other)

    def minimum(self, other: ArrayLike) -> Tensor:
        """Smaller of two; equal ones share the gradient, element by element; see `ops.minimum`."""
        return ops.minimum(self, other)

    def neg(self) -> Tensor:
        """Element-wise -x."""
        return ops.neg(self)

    def abs(self) -> Tensor:
        """Element-wise |x|."""
        return ops.abs(self)

    def sign(self) -> Tensor:
        """Element-wise -1, 0 or 1."""
        return ops.sign(self)

    def exp(self) -> Tensor:
        """Element-wise eˣ."""
        return ops.exp(self)

    def expm1(self) -> Tensor:
        """Element-wise eˣ - 1."""
        return ops.expm1(self)

    def log(self) -> Tensor:
        """Element-wise ln x."""
        return ops.log(self)

    def log1p(self) -> Tensor:
        """Element-wise ln (1 + x)."""
        return ops.log1p(self)

    def sqrt(self) -> Tensor:
        """Element-wise √x."""
        return ops.sqrt(self)

    def rsqrt(self) -> Tensor:
        """Element-wise 1 / √x."""
        return ops.rsqrt(self)

    def square(self) -> Tensor:
        """Element-wise x²."""
        return ops.square(self)

    def reciprocal(self) -> Tensor:
        """Element-wise 1 / x."""
        return ops.reciprocal(self)

    def sin(self) -> Tensor:
        """Element-wise sin x."""
        return ops.sin(self)

    def cos(self) -> Tensor:
        """Element-wise cos x."""
        return ops.cos(self)

    def tan(self) -> Tensor:
        """Element-wise tan x."""
        return ops.tan(self)

    def sinh(self) -> Tensor:
        """Element-wise sinh x."""
        return ops.sinh(self)

    def cosh(self) -> Tensor:
        """Element-wise cosh x."""
        return ops.cosh(self)

    def tanh(self) -> Tensor:
        """Element-wise tanh x."""
        return ops.tanh(self)

    def arcsin(self) -> Tensor:
        """Element-wise arcsin x."""
        return ops.arcsin(self)

    def arccos(self) -> Tensor:
        """Element-wise arccos x."""
        return ops.arccos(self)

    def arctan(self) -> Tensor:
        """Element-wise arctan x."""
        return ops.arctan(self)

    def asin(self) -> Tensor:
        """Element-wise arcsin x."""
        return ops.asin(self)

    def acos(self) -> Tensor:
        """Element-wise arccos x."""
        return ops.acos(self)

    def atan(self) -> Tensor:
        """Element-wise arctan x."""
        return ops.atan(self)

    def sigmoid(self) -> Tensor:
        """Element-wise 1 / (1 + e⁻ˣ)."""
        return ops.sigmoid(self)

    def erf(self) -> Tensor:
        """Element-wise the error function."""
        return ops.erf(self)

    def relu(self) -> Tensor:
        """Element-wise max(x, 0)."""
        return ops.relu(self)

    def clamp(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Clipped to [min, max]; see `ops.clamp`."""
        return ops.clamp(self, min, max)

    clip = clamp

    def where(self, condition: ArrayLike, other: ArrayLike) -> Tensor:
        """These elements where the condition holds, else those of `other`."""
        return ops.where(condition, self, other)

    def masked_fill(self, mask: ArrayLike, value: float) -> Tensor:
        """With `value` where the mask holds."""
        return ops.masked_fill(self, mask, value)
