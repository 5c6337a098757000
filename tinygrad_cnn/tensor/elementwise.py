"""Methods of `Tensor` that work element by element, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_cnn import ops
from tinygrad_cnn.tensor.methods import Methods
from tinygrad_cnn.types import ArrayLike

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


class ElementwiseMethods(Methods):
    """Element by element."""

    __slots__ = ()

    def add(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """Sum: ``input + alpha * other``."""
        return ops.add(self, other, alpha=alpha)

    def sub(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """Difference: ``input - alpha * other``."""
        return ops.sub(self, other, alpha=alpha)

    def mul(self, other: ArrayLike) -> Tensor:
        """Product of each two elements."""
        return ops.mul(self, other)

    def neg(self) -> Tensor:
        """Each element with the other sign."""
        return ops.neg(self)

    def exp(self) -> Tensor:
        """Exponential of each element: e to its power."""
        return ops.exp(self)

    def expm1(self) -> Tensor:
        """``exp(x) - 1``, exact for small x, too."""
        return ops.expm1(self)

    def log(self) -> Tensor:
        """Natural logarithm of each element; NaN below 0."""
        return ops.log(self)

    def log1p(self) -> Tensor:
        """``log(1 + x)``, exact for small x, too."""
        return ops.log1p(self)

    def sqrt(self) -> Tensor:
        """Square root of each element; NaN below 0."""
        return ops.sqrt(self)

    def rsqrt(self) -> Tensor:
        """One over the square root of each element."""
        return ops.rsqrt(self)

    def sin(self) -> Tensor:
        """Sine of each element, in radians."""
        return ops.sin(self)

    def cos(self) -> Tensor:
        """Cosine of each element, in radians."""
        return ops.cos(self)

    def tan(self) -> Tensor:
        """Tangent of each element, in radians."""
        return ops.tan(self)

    def sinh(self) -> Tensor:
        """Hyperbolic sine of each element."""
        return ops.sinh(self)

    def cosh(self) -> Tensor:
        """Hyperbolic cosine of each element."""
        return ops.cosh(self)

    def tanh(self) -> Tensor:
        """Hyperbolic tangent of each element."""
        return ops.tanh(self)

    def arcsin(self) -> Tensor:
        """Inverse sine in radians, in [-π/2, π/2]; NaN outside [-1, 1]."""
        return ops.arcsin(self)

    def arccos(self) -> Tensor:
        """Inverse cosine in radians, in [0, π]; NaN outside [-1, 1]."""
        return ops.arccos(self)

    def arctan(self) -> Tensor:
        """Inverse tangent in radians, in (-π/2, π/2)."""
        return ops.arctan(self)

    def asin(self) -> Tensor:
        """Inverse sine in radians, in [-π/2, π/2]; NaN outside [-1, 1]."""
        return ops.asin(self)

    def acos(self) -> Tensor:
        """Inverse cosine in radians, in [0, π]; NaN outside [-1, 1]."""
        return ops.acos(self)

    def atan(self) -> Tensor:
        """Inverse tangent in radians, in (-π/2, π/2)."""
        return ops.atan(self)

    def negative(self) -> Tensor:
        """Each element with the other sign."""
        return ops.negative(self)

    def subtract(self, other: ArrayLike, *, alpha: float = 1) -> Tensor:
        """Difference: ``input - alpha * other``."""
        return ops.subtract(self, other, alpha=alpha)

    def multiply(self, other: ArrayLike) -> Tensor:
        """Product of each two elements."""
        return ops.multiply(self, other)

    def sigmoid(self) -> Tensor:
        """Logistic function of each element, ``1 / (1 + exp(-x))``; nothing overflows."""
        return ops.sigmoid(self)

    def erfinv(self) -> Tensor:
        """The inverse of `erf`: ±∞ at ±1, NaN beyond."""
        return ops.erfinv(self)

    def erf(self) -> Tensor:
        """Error function of each element: ``2/√π`` times the integral of ``exp(-t²)`` from 0 to x."""
        return ops.erf(self)

    def pow(self, exponent: ArrayLike) -> Tensor:
        """`input` to the power of `exponent`; a plain number as exponent is cheaper than an array."""
        return ops.pow(self, exponent)

    def square(self) -> Tensor:
        """The square of each element: ``x * x``."""
        return ops.square(self)

    def reciprocal(self) -> Tensor:
        """One over each element."""
        return ops.reciprocal(self)

    def floor(self) -> Tensor:
        """Rounded down."""
        return ops.floor(self)

    def ceil(self) -> Tensor:
        """Rounded up."""
        return ops.ceil(self)

    def trunc(self) -> Tensor:
        """Rounded towards 0."""
        return ops.trunc(self)

    def fix(self) -> Tensor:
        """Rounded towards 0."""
        return ops.fix(self)

    def round(self, *, decimals: int = 0) -> Tensor:
        """Rounded to this many decimals, halves to the even neighbour."""
        return ops.round(self, decimals=decimals)

    def frac(self) -> Tensor:
        """The fraction, with the sign of the number: ``x - trunc(x)``."""
        return ops.frac(self)

    def fmod(self, other: ArrayLike) -> Tensor:
        """What is left of `input` after division by `other`, with the sign of `input`, as C's ``fmod``."""
        return ops.fmod(self, other)

    def div(self, other: ArrayLike, *, rounding_mode: str | None = None) -> Tensor:
        """Quotient of each two elements, rounded by "floor" or "trunc" if that is asked for."""
        return ops.div(self, other, rounding_mode=rounding_mode)

    def divide(self, other: ArrayLike, *, rounding_mode: str | None = None) -> Tensor:
        """Quotient of each two elements, rounded by "floor" or "trunc" if that is asked for."""
        return ops.divide(self, other, rounding_mode=rounding_mode)

    def true_divide(self, other: ArrayLike) -> Tensor:
        """Quotient of each two elements, integers divided as floating-point numbers."""
        return ops.true_divide(self, other)

    def log2(self) -> Tensor:
        """Logarithm to base 2 of each element; NaN below 0."""
        return ops.log2(self)

    def log10(self) -> Tensor:
        """Logarithm to base 10 of each element; NaN below 0."""
        return ops.log10(self)

    def exp2(self) -> Tensor:
        """2 to the power of each element."""
        return ops.exp2(self)

    def logaddexp(self, other: ArrayLike) -> Tensor:
        """``log(exp(input) + exp(other))``; nothing overflows."""
        return ops.logaddexp(self, other)

    def logaddexp2(self, other: ArrayLike) -> Tensor:
        """``log2(2 ** input + 2 ** other)``; nothing overflows."""
        return ops.logaddexp2(self, other)

    def xlogy(self, other: ArrayLike) -> Tensor:
        """``input * log(other)``, 0 where `input` is 0 and `other` is a number."""
        return ops.xlogy(self, other)

    def logit(self, eps: float | None = None) -> Tensor:
        """``log(p / (1 - p))``, the inverse of `sigmoid`; `eps` keeps p inside [eps, 1 - eps]."""
        return ops.logit(self, eps)

    def float_power(self, exponent: ArrayLike) -> Tensor:
        """`input` to the power of `exponent`, in float64."""
        return ops.float_power(self, exponent)

    def arcsinh(self) -> Tensor:
        """Inverse hyperbolic sine of each element."""
        return ops.arcsinh(self)

    def arccosh(self) -> Tensor:
        """Inverse hyperbolic cosine of each element; NaN below 1."""
        return ops.arccosh(self)

    def arctanh(self) -> Tensor:
        """Inverse hyperbolic tangent of each element; NaN outside [-1, 1]."""
        return ops.arctanh(self)

    def asinh(self) -> Tensor:
        """Inverse hyperbolic sine of each element."""
        return ops.asinh(self)

    def acosh(self) -> Tensor:
        """Inverse hyperbolic cosine of each element; NaN below 1."""
        return ops.acosh(self)

    def atanh(self) -> Tensor:
        """Inverse hyperbolic tangent of each element; NaN outside [-1, 1]."""
        return ops.atanh(self)

    def arctan2(self, other: ArrayLike) -> Tensor:
        """The angle, in radians in [-π, π], of the point with ordinate `input` and abscissa `other`."""
        return ops.arctan2(self, other)

    def atan2(self, other: ArrayLike) -> Tensor:
        """The angle, in radians in [-π, π], of the point with ordinate `input` and abscissa `other`."""
        return ops.atan2(self, other)

    def hypot(self, other: ArrayLike) -> Tensor:
        """The hypotenuse over two legs: ``sqrt(input² + other²)``; nothing overflows."""
        return ops.hypot(self, other)

    def sinc(self) -> Tensor:
        """``sin(π x) / (π x)``, 1 at 0."""
        return ops.sinc(self)

    def deg2rad(self) -> Tensor:
        """Degrees as radians."""
        return ops.deg2rad(self)

    def rad2deg(self) -> Tensor:
        """Radians as degrees."""
        return ops.rad2deg(self)

    def lerp(self, end: ArrayLike, weight: ArrayLike) -> Tensor:
        """The point on the way from `input` to `end`: ``input + weight * (end - input)``."""
        return ops.lerp(self, end, weight)

    def addcmul(self, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> Tensor:
        """``input + value * tensor1 * tensor2``"""
        return ops.addcmul(self, tensor1, tensor2, value=value)

    def addcdiv(self, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> Tensor:
        """``input + value * tensor1 / tensor2``"""
        return ops.addcdiv(self, tensor1, tensor2, value=value)

    def copysign(self, other: ArrayLike) -> Tensor:
        """The size of `input` with the sign of `other`, that of -0.0 included."""
        return ops.copysign(self, other)

    def sgn(self) -> Tensor:
        """-1, 0 or 1 for each element; see `sign`."""
        return ops.sgn(self)

    def nan_to_num(self, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Tensor:
        """With numbers for NaN (0) and for the infinities (the largest and the least number of the dtype)."""
        return ops.nan_to_num(self, nan, posinf, neginf)

    def eq(self, other: ArrayLike) -> Tensor:
        """Where two are equal, element by element."""
        return ops.eq(self, other)

    def ne(self, other: ArrayLike) -> Tensor:
        """Where two differ, element by element."""
        return ops.ne(self, other)

    def lt(self, other: ArrayLike) -> Tensor:
        """Where `input` is less than `other`."""
        return ops.lt(self, other)

    def le(self, other: ArrayLike) -> Tensor:
        """Where `input` is at most `other`."""
        return ops.le(self, other)

    def gt(self, other: ArrayLike) -> Tensor:
        """Where `input` is greater than `other`."""
        return ops.gt(self, other)

    def ge(self, other: ArrayLike) -> Tensor:
        """Where `input` is at least `other`."""
        return ops.ge(self, other)

    def less(self, other: ArrayLike) -> Tensor:
        """Where `input` is less than `other`."""
        return ops.less(self, other)

    def less_equal(self, other: ArrayLike) -> Tensor:
        """Where `input` is at most `other`."""
        return ops.less_equal(self, other)

    def greater(self, other: ArrayLike) -> Tensor:
        """Where `input` is greater than `other`."""
        return ops.greater(self, other)

    def greater_equal(self, other: ArrayLike) -> Tensor:
        """Where `input` is at least `other`."""
        return ops.greater_equal(self, other)

    def not_equal(self, other: ArrayLike) -> Tensor:
        """Where two differ, element by element."""
        return ops.not_equal(self, other)

    def equal(self, other: ArrayLike) -> bool:
        """Whether two have the same shape and the same elements."""
        return ops.equal(self, other)

    def isclose(self, other: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
        """Where ``|input - other| <= atol + rtol |other|``; infinities are close to themselves only."""
        return ops.isclose(self, other, rtol, atol, equal_nan)

    def allclose(self, other: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        """Whether ``|input - other| <= atol + rtol |other|`` everywhere."""
        return ops.allclose(self, other, rtol, atol, equal_nan)

    def isnan(self) -> Tensor:
        """Where an element is NaN."""
        return ops.isnan(self)

    def isinf(self) -> Tensor:
        """Where an element is infinite."""
        return ops.isinf(self)

    def isfinite(self) -> Tensor:
        """Where an element is neither infinite nor NaN."""
        return ops.isfinite(self)

    def isposinf(self) -> Tensor:
        """Where an element is +∞."""
        return ops.isposinf(self)

    def isneginf(self) -> Tensor:
        """Where an element is -∞."""
        return ops.isneginf(self)

    def isreal(self) -> Tensor:
        """Where an element is real: everywhere."""
        return ops.isreal(self)

    def signbit(self) -> Tensor:
        """Where the sign bit is set, as it is of -0.0, too."""
        return ops.signbit(self)

    def logical_and(self, other: ArrayLike) -> Tensor:
        """Where both are not 0."""
        return ops.logical_and(self, other)

    def logical_or(self, other: ArrayLike) -> Tensor:
        """Where one or both are not 0."""
        return ops.logical_or(self, other)

    def logical_xor(self, other: ArrayLike) -> Tensor:
        """Where just one of the two is not 0."""
        return ops.logical_xor(self, other)

    def logical_not(self) -> Tensor:
        """Where an element is 0."""
        return ops.logical_not(self)

    def bitwise_and(self, other: ArrayLike) -> Tensor:
        """The bits that both have set."""
        return ops.bitwise_and(self, other)

    def bitwise_or(self, other: ArrayLike) -> Tensor:
        """The bits that one or both have set."""
        return ops.bitwise_or(self, other)

    def bitwise_xor(self, other: ArrayLike) -> Tensor:
        """The bits that just one of the two has set."""
        return ops.bitwise_xor(self, other)

    def bitwise_not(self) -> Tensor:
        """Every bit turned over; of booleans, not."""
        return ops.bitwise_not(self)

    def bitwise_left_shift(self, other: ArrayLike) -> Tensor:
        """Bits shifted up: times 2 to the power of `other`."""
        return ops.bitwise_left_shift(self, other)

    def bitwise_right_shift(self, other: ArrayLike) -> Tensor:
        """Bits shifted down: divided by 2 to the power of `other`, rounded down."""
        return ops.bitwise_right_shift(self, other)

    def gcd(self, other: ArrayLike) -> Tensor:
        """The greatest common divisor of each two integers."""
        return ops.gcd(self, other)

    def lcm(self, other: ArrayLike) -> Tensor:
        """The least common multiple of each two integers."""
        return ops.lcm(self, other)

    def heaviside(self, values: ArrayLike) -> Tensor:
        """0 below 0, 1 above, and `values` at 0."""
        return ops.heaviside(self, values)

    def floor_divide(self, other: ArrayLike) -> Tensor:
        """The quotient rounded down, element by element; integers stay integers."""
        return ops.floor_divide(self, other)

    def count_nonzero(self, dim: Any = None) -> Tensor:
        """How many elements are not 0, in all or along dims."""
        return ops.count_nonzero(self, dim)

    def is_nonzero(self) -> bool:
        """Whether the only element is not 0."""
        return ops.is_nonzero(self)

    def abs(self) -> Tensor:
        """Absolute value of each element; its gradient at 0 is 0, as in PyTorch."""
        return ops.abs(self)

    def absolute(self) -> Tensor:
        """Absolute value of each element; its gradient at 0 is 0, as in PyTorch."""
        return ops.absolute(self)

    def sign(self) -> Tensor:
        """-1, 0 or 1 for each element; its gradient is 0."""
        return ops.sign(self)

    def remainder(self, other: ArrayLike) -> Tensor:
        """What is left of `input` after division by `other`, with the sign of `other`, as Python's ``%``."""
        return ops.remainder(self, other)

    def relu(self) -> Tensor:
        """Rectifier: each element, or 0 if it is negative; the gradient at 0 is 0, as in PyTorch."""
        return ops.relu(self)

    def maximum(self, other: ArrayLike) -> Tensor:
        """The larger of each two elements; equal ones get half of the gradient each. NaN where one is NaN."""
        return ops.maximum(self, other)

    def minimum(self, other: ArrayLike) -> Tensor:
        """The smaller of each two elements; equal ones get half of the gradient each. NaN where one is NaN."""
        return ops.minimum(self, other)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """Clip to ``[min, max]``, numbers or arrays, either of which may be None."""
        return ops.clamp(self, min, max)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Clip to ``[min, max]``, numbers or arrays, either of which may be None."""
        return ops.clip(self, min, max)

    def clamp_min(self, min: Any) -> Tensor:
        """Clip from below."""
        return ops.clamp_min(self, min)

    def clamp_max(self, max: Any) -> Tensor:
        """Clip from above."""
        return ops.clamp_max(self, max)

    def fmax(self, other: ArrayLike) -> Tensor:
        """The larger of each two elements, a NaN only where both are; see `maximum`."""
        return ops.fmax(self, other)

    def fmin(self, other: ArrayLike) -> Tensor:
        """The smaller of each two elements, a NaN only where both are; see `minimum`."""
        return ops.fmin(self, other)

    def masked_fill(self, mask: ArrayLike, value: float | ArrayLike) -> Tensor:
        """`input` with `value` where the mask holds."""
        return ops.masked_fill(self, mask, value)

    def where(self, condition: ArrayLike, other: ArrayLike) -> Tensor:
        """These elements where the condition holds, else those of `other`."""
        return ops.where(condition, self, other)
