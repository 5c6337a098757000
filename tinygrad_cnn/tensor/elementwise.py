"""Methods of `Tensor` that work element by element, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import Any, Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.tensor.facts import FactMethods


class ElementwiseMethods(FactMethods):
    """Element by element."""

    __slots__ = ()

    def add(self, other: ArrayLike, *, alpha: float = 1) -> Self:
        """Sum: ``input + alpha * other``."""
        return ops.add(self, other, alpha=alpha)

    def sub(self, other: ArrayLike, *, alpha: float = 1) -> Self:
        """Difference: ``input - alpha * other``."""
        return ops.sub(self, other, alpha=alpha)

    def mul(self, other: ArrayLike) -> Self:
        """Product of each two elements."""
        return ops.mul(self, other)

    def neg(self) -> Self:
        """Each element with the other sign."""
        return ops.neg(self)

    def exp(self) -> Self:
        """Exponential of each element: e to its power."""
        return ops.exp(self)

    def expm1(self) -> Self:
        """``exp(x) - 1``, exact for small x, too."""
        return ops.expm1(self)

    def log(self) -> Self:
        """Natural logarithm of each element; NaN below 0."""
        return ops.log(self)

    def log1p(self) -> Self:
        """``log(1 + x)``, exact for small x, too."""
        return ops.log1p(self)

    def sqrt(self) -> Self:
        """Square root of each element; NaN below 0."""
        return ops.sqrt(self)

    def rsqrt(self) -> Self:
        """One over the square root of each element."""
        return ops.rsqrt(self)

    def sin(self) -> Self:
        """Sine of each element, in radians."""
        return ops.sin(self)

    def cos(self) -> Self:
        """Cosine of each element, in radians."""
        return ops.cos(self)

    def tan(self) -> Self:
        """Tangent of each element, in radians."""
        return ops.tan(self)

    def sinh(self) -> Self:
        """Hyperbolic sine of each element."""
        return ops.sinh(self)

    def cosh(self) -> Self:
        """Hyperbolic cosine of each element."""
        return ops.cosh(self)

    def tanh(self) -> Self:
        """Hyperbolic tangent of each element."""
        return ops.tanh(self)

    def arcsin(self) -> Self:
        """Inverse sine in radians, in [-π/2, π/2]; NaN outside [-1, 1]."""
        return ops.arcsin(self)

    def arccos(self) -> Self:
        """Inverse cosine in radians, in [0, π]; NaN outside [-1, 1]."""
        return ops.arccos(self)

    def arctan(self) -> Self:
        """Inverse tangent in radians, in (-π/2, π/2)."""
        return ops.arctan(self)

    def asin(self) -> Self:
        """Inverse sine in radians, in [-π/2, π/2]; NaN outside [-1, 1]."""
        return ops.asin(self)

    def acos(self) -> Self:
        """Inverse cosine in radians, in [0, π]; NaN outside [-1, 1]."""
        return ops.acos(self)

    def atan(self) -> Self:
        """Inverse tangent in radians, in (-π/2, π/2)."""
        return ops.atan(self)

    def negative(self) -> Self:
        """Each element with the other sign."""
        return ops.negative(self)

    def subtract(self, other: ArrayLike, *, alpha: float = 1) -> Self:
        """Difference: ``input - alpha * other``."""
        return ops.subtract(self, other, alpha=alpha)

    def multiply(self, other: ArrayLike) -> Self:
        """Product of each two elements."""
        return ops.multiply(self, other)

    def sigmoid(self) -> Self:
        """Logistic function of each element, ``1 / (1 + exp(-x))``; nothing overflows."""
        return ops.sigmoid(self)

    def erfinv(self) -> Self:
        """The inverse of `erf`: ±∞ at ±1, NaN beyond."""
        return ops.erfinv(self)

    def erf(self) -> Self:
        """Error function of each element: ``2/√π`` times the integral of ``exp(-t²)`` from 0 to x."""
        return ops.erf(self)

    def pow(self, exponent: ArrayLike) -> Self:
        """`input` to the power of `exponent`; a plain number as exponent is cheaper than an array."""
        return ops.pow(self, exponent)

    def square(self) -> Self:
        """The square of each element: ``x * x``."""
        return ops.square(self)

    def reciprocal(self) -> Self:
        """One over each element."""
        return ops.reciprocal(self)

    def floor(self) -> Self:
        """Rounded down."""
        return ops.floor(self)

    def ceil(self) -> Self:
        """Rounded up."""
        return ops.ceil(self)

    def trunc(self) -> Self:
        """Rounded towards 0."""
        return ops.trunc(self)

    def fix(self) -> Self:
        """Rounded towards 0."""
        return ops.fix(self)

    def round(self, *, decimals: int = 0) -> Self:
        """Rounded to this many decimals, halves to the even neighbour."""
        return ops.round(self, decimals=decimals)

    def frac(self) -> Self:
        """The fraction, with the sign of the number: ``x - trunc(x)``."""
        return ops.frac(self)

    def fmod(self, other: ArrayLike) -> Self:
        """What is left of `input` after division by `other`, with the sign of `input`, as C's ``fmod``."""
        return ops.fmod(self, other)

    def div(self, other: ArrayLike, *, rounding_mode: str | None = None) -> Self:
        """Quotient of each two elements, rounded by "floor" or "trunc" if that is asked for."""
        return ops.div(self, other, rounding_mode=rounding_mode)

    def divide(self, other: ArrayLike, *, rounding_mode: str | None = None) -> Self:
        """Quotient of each two elements, rounded by "floor" or "trunc" if that is asked for."""
        return ops.divide(self, other, rounding_mode=rounding_mode)

    def true_divide(self, other: ArrayLike) -> Self:
        """Quotient of each two elements, integers divided as floating-point numbers."""
        return ops.true_divide(self, other)

    def log2(self) -> Self:
        """Logarithm to base 2 of each element; NaN below 0."""
        return ops.log2(self)

    def log10(self) -> Self:
        """Logarithm to base 10 of each element; NaN below 0."""
        return ops.log10(self)

    def exp2(self) -> Self:
        """2 to the power of each element."""
        return ops.exp2(self)

    def logaddexp(self, other: ArrayLike) -> Self:
        """``log(exp(input) + exp(other))``; nothing overflows."""
        return ops.logaddexp(self, other)

    def logaddexp2(self, other: ArrayLike) -> Self:
        """``log2(2 ** input + 2 ** other)``; nothing overflows."""
        return ops.logaddexp2(self, other)

    def xlogy(self, other: ArrayLike) -> Self:
        """``input * log(other)``, 0 where `input` is 0 and `other` is a number."""
        return ops.xlogy(self, other)

    def logit(self, eps: float | None = None) -> Self:
        """``log(p / (1 - p))``, the inverse of `sigmoid`; `eps` keeps p inside [eps, 1 - eps]."""
        return ops.logit(self, eps)

    def float_power(self, exponent: ArrayLike) -> Self:
        """`input` to the power of `exponent`, in float64."""
        return ops.float_power(self, exponent)

    def arcsinh(self) -> Self:
        """Inverse hyperbolic sine of each element."""
        return ops.arcsinh(self)

    def arccosh(self) -> Self:
        """Inverse hyperbolic cosine of each element; NaN below 1."""
        return ops.arccosh(self)

    def arctanh(self) -> Self:
        """Inverse hyperbolic tangent of each element; NaN outside [-1, 1]."""
        return ops.arctanh(self)

    def asinh(self) -> Self:
        """Inverse hyperbolic sine of each element."""
        return ops.asinh(self)

    def acosh(self) -> Self:
        """Inverse hyperbolic cosine of each element; NaN below 1."""
        return ops.acosh(self)

    def atanh(self) -> Self:
        """Inverse hyperbolic tangent of each element; NaN outside [-1, 1]."""
        return ops.atanh(self)

    def arctan2(self, other: ArrayLike) -> Self:
        """The angle, in radians in [-π, π], of the point with ordinate `input` and abscissa `other`."""
        return ops.arctan2(self, other)

    def atan2(self, other: ArrayLike) -> Self:
        """The angle, in radians in [-π, π], of the point with ordinate `input` and abscissa `other`."""
        return ops.atan2(self, other)

    def hypot(self, other: ArrayLike) -> Self:
        """The hypotenuse over two legs: ``sqrt(input² + other²)``; nothing overflows."""
        return ops.hypot(self, other)

    def sinc(self) -> Self:
        """``sin(π x) / (π x)``, 1 at 0."""
        return ops.sinc(self)

    def deg2rad(self) -> Self:
        """Degrees as radians."""
        return ops.deg2rad(self)

    def rad2deg(self) -> Self:
        """Radians as degrees."""
        return ops.rad2deg(self)

    def lerp(self, end: ArrayLike, weight: ArrayLike) -> Self:
        """The point on the way from `input` to `end`: ``input + weight * (end - input)``."""
        return ops.lerp(self, end, weight)

    def addcmul(self, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> Self:
        """``input + value * tensor1 * tensor2``"""
        return ops.addcmul(self, tensor1, tensor2, value=value)

    def addcdiv(self, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> Self:
        """``input + value * tensor1 / tensor2``"""
        return ops.addcdiv(self, tensor1, tensor2, value=value)

    def copysign(self, other: ArrayLike) -> Self:
        """The size of `input` with the sign of `other`, that of -0.0 included."""
        return ops.copysign(self, other)

    def sgn(self) -> Self:
        """-1, 0 or 1 for each element; see `sign`."""
        return ops.sgn(self)

    def nan_to_num(self, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Self:
        """With numbers for NaN (0) and for the infinities (the largest and the least number of the dtype)."""
        return ops.nan_to_num(self, nan, posinf, neginf)

    def eq(self, other: ArrayLike) -> Self:
        """Where two are equal, element by element."""
        return ops.eq(self, other)

    def ne(self, other: ArrayLike) -> Self:
        """Where two differ, element by element."""
        return ops.ne(self, other)

    def lt(self, other: ArrayLike) -> Self:
        """Where `input` is less than `other`."""
        return ops.lt(self, other)

    def le(self, other: ArrayLike) -> Self:
        """Where `input` is at most `other`."""
        return ops.le(self, other)

    def gt(self, other: ArrayLike) -> Self:
        """Where `input` is greater than `other`."""
        return ops.gt(self, other)

    def ge(self, other: ArrayLike) -> Self:
        """Where `input` is at least `other`."""
        return ops.ge(self, other)

    def less(self, other: ArrayLike) -> Self:
        """Where `input` is less than `other`."""
        return ops.less(self, other)

    def less_equal(self, other: ArrayLike) -> Self:
        """Where `input` is at most `other`."""
        return ops.less_equal(self, other)

    def greater(self, other: ArrayLike) -> Self:
        """Where `input` is greater than `other`."""
        return ops.greater(self, other)

    def greater_equal(self, other: ArrayLike) -> Self:
        """Where `input` is at least `other`."""
        return ops.greater_equal(self, other)

    def not_equal(self, other: ArrayLike) -> Self:
        """Where two differ, element by element."""
        return ops.not_equal(self, other)

    def equal(self, other: ArrayLike) -> bool:
        """Whether two have the same shape and the same elements."""
        return ops.equal(self, other)

    def isclose(self, other: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Self:
        """Where ``|input - other| <= atol + rtol |other|``; infinities are close to themselves only."""
        return ops.isclose(self, other, rtol, atol, equal_nan)

    def allclose(self, other: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        """Whether ``|input - other| <= atol + rtol |other|`` everywhere."""
        return ops.allclose(self, other, rtol, atol, equal_nan)

    def isnan(self) -> Self:
        """Where an element is NaN."""
        return ops.isnan(self)

    def isinf(self) -> Self:
        """Where an element is infinite."""
        return ops.isinf(self)

    def isfinite(self) -> Self:
        """Where an element is neither infinite nor NaN."""
        return ops.isfinite(self)

    def isposinf(self) -> Self:
        """Where an element is +∞."""
        return ops.isposinf(self)

    def isneginf(self) -> Self:
        """Where an element is -∞."""
        return ops.isneginf(self)

    def isreal(self) -> Self:
        """Where an element is real: everywhere."""
        return ops.isreal(self)

    def signbit(self) -> Self:
        """Where the sign bit is set, as it is of -0.0, too."""
        return ops.signbit(self)

    def logical_and(self, other: ArrayLike) -> Self:
        """Where both are not 0."""
        return ops.logical_and(self, other)

    def logical_or(self, other: ArrayLike) -> Self:
        """Where one or both are not 0."""
        return ops.logical_or(self, other)

    def logical_xor(self, other: ArrayLike) -> Self:
        """Where just one of the two is not 0."""
        return ops.logical_xor(self, other)

    def logical_not(self) -> Self:
        """Where an element is 0."""
        return ops.logical_not(self)

    def bitwise_and(self, other: ArrayLike) -> Self:
        """The bits that both have set."""
        return ops.bitwise_and(self, other)

    def bitwise_or(self, other: ArrayLike) -> Self:
        """The bits that one or both have set."""
        return ops.bitwise_or(self, other)

    def bitwise_xor(self, other: ArrayLike) -> Self:
        """The bits that just one of the two has set."""
        return ops.bitwise_xor(self, other)

    def bitwise_not(self) -> Self:
        """Every bit turned over; of booleans, not."""
        return ops.bitwise_not(self)

    def bitwise_left_shift(self, other: ArrayLike) -> Self:
        """Bits shifted up: times 2 to the power of `other`."""
        return ops.bitwise_left_shift(self, other)

    def bitwise_right_shift(self, other: ArrayLike) -> Self:
        """Bits shifted down: divided by 2 to the power of `other`, rounded down."""
        return ops.bitwise_right_shift(self, other)

    def gcd(self, other: ArrayLike) -> Self:
        """The greatest common divisor of each two integers."""
        return ops.gcd(self, other)

    def lcm(self, other: ArrayLike) -> Self:
        """The least common multiple of each two integers."""
        return ops.lcm(self, other)

    def heaviside(self, values: ArrayLike) -> Self:
        """0 below 0, 1 above, and `values` at 0."""
        return ops.heaviside(self, values)

    def floor_divide(self, other: ArrayLike) -> Self:
        """The quotient rounded down, element by element; integers stay integers."""
        return ops.floor_divide(self, other)

    def count_nonzero(self, dim: Any = None) -> Self:
        """How many elements are not 0, in all or along dims."""
        return ops.count_nonzero(self, dim)

    def is_nonzero(self) -> bool:
        """Whether the only element is not 0."""
        return ops.is_nonzero(self)

    def abs(self) -> Self:
        """Absolute value of each element; its gradient at 0 is 0, as in PyTorch."""
        return ops.abs(self)

    def absolute(self) -> Self:
        """Absolute value of each element; its gradient at 0 is 0, as in PyTorch."""
        return ops.absolute(self)

    def sign(self) -> Self:
        """-1, 0 or 1 for each element; its gradient is 0."""
        return ops.sign(self)

    def remainder(self, other: ArrayLike) -> Self:
        """What is left of `input` after division by `other`, with the sign of `other`, as Python's ``%``."""
        return ops.remainder(self, other)

    def relu(self) -> Self:
        """Rectifier: each element, or 0 if it is negative; the gradient at 0 is 0, as in PyTorch."""
        return ops.relu(self)

    def maximum(self, other: ArrayLike) -> Self:
        """The larger of each two elements; equal ones get half of the gradient each. NaN where one is NaN."""
        return ops.maximum(self, other)

    def minimum(self, other: ArrayLike) -> Self:
        """The smaller of each two elements; equal ones get half of the gradient each. NaN where one is NaN."""
        return ops.minimum(self, other)

    def clamp(self, min: Any = None, max: Any = None) -> Self:
        """Clip to ``[min, max]``, numbers or arrays, either of which may be None."""
        return ops.clamp(self, min, max)

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """Clip to ``[min, max]``, numbers or arrays, either of which may be None."""
        return ops.clip(self, min, max)

    def clamp_min(self, min: Any) -> Self:
        """Clip from below."""
        return ops.clamp_min(self, min)

    def clamp_max(self, max: Any) -> Self:
        """Clip from above."""
        return ops.clamp_max(self, max)

    def fmax(self, other: ArrayLike) -> Self:
        """The larger of each two elements, a NaN only where both are; see `maximum`."""
        return ops.fmax(self, other)

    def fmin(self, other: ArrayLike) -> Self:
        """The smaller of each two elements, a NaN only where both are; see `minimum`."""
        return ops.fmin(self, other)

    def masked_fill(self, mask: ArrayLike, value: float | ArrayLike) -> Self:
        """`input` with `value` where the mask holds."""
        return ops.masked_fill(self, mask, value)

    def where(self, condition: ArrayLike, other: ArrayLike) -> Self:
        """These elements where the condition holds, else those of `other`."""
        return ops.where(condition, self, other)
