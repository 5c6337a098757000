"""Methods of `Tensor` that work element by element, a line each: what they compute is in `ops`."""

from __future__ import annotations

from typing import Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.tensor.facts import FactMethods


class ElementwiseMethods(FactMethods):
    """Element by element."""

    __slots__ = ()

    add = ops.add
    sub = ops.sub
    mul = ops.mul
    neg = ops.neg
    exp = ops.exp
    expm1 = ops.expm1
    log = ops.log
    log1p = ops.log1p
    sqrt = ops.sqrt
    rsqrt = ops.rsqrt
    sin = ops.sin
    cos = ops.cos
    tan = ops.tan
    sinh = ops.sinh
    cosh = ops.cosh
    tanh = ops.tanh
    arcsin = ops.arcsin
    arccos = ops.arccos
    arctan = ops.arctan
    asin = ops.asin
    acos = ops.acos
    atan = ops.atan
    negative = ops.negative
    subtract = ops.subtract
    multiply = ops.multiply
    sigmoid = ops.sigmoid
    digamma = ops.digamma
    erf = ops.erf
    erfc = ops.erfc
    erfinv = ops.erfinv
    i0 = ops.i0
    lgamma = ops.lgamma
    mvlgamma = ops.mvlgamma
    pow = ops.pow
    square = ops.square
    reciprocal = ops.reciprocal
    floor = ops.floor
    ceil = ops.ceil
    trunc = ops.trunc
    fix = ops.fix
    round = ops.round
    frac = ops.frac
    fmod = ops.fmod
    div = ops.div
    divide = ops.divide
    true_divide = ops.true_divide
    log2 = ops.log2
    log10 = ops.log10
    exp2 = ops.exp2
    logaddexp = ops.logaddexp
    logaddexp2 = ops.logaddexp2
    xlogy = ops.xlogy
    logit = ops.logit
    float_power = ops.float_power
    arcsinh = ops.arcsinh
    arccosh = ops.arccosh
    arctanh = ops.arctanh
    asinh = ops.asinh
    acosh = ops.acosh
    atanh = ops.atanh
    arctan2 = ops.arctan2
    atan2 = ops.atan2
    hypot = ops.hypot
    sinc = ops.sinc
    deg2rad = ops.deg2rad
    rad2deg = ops.rad2deg
    lerp = ops.lerp
    addcmul = ops.addcmul
    addcdiv = ops.addcdiv
    copysign = ops.copysign
    sgn = ops.sgn
    nan_to_num = ops.nan_to_num
    angle = ops.angle
    conj_physical = ops.conj_physical
    frexp = ops.frexp
    ldexp = ops.ldexp
    nextafter = ops.nextafter
    eq = ops.eq
    ne = ops.ne
    lt = ops.lt
    le = ops.le
    gt = ops.gt
    ge = ops.ge
    less = ops.less
    less_equal = ops.less_equal
    greater = ops.greater
    greater_equal = ops.greater_equal
    not_equal = ops.not_equal
    equal = ops.equal
    isclose = ops.isclose
    allclose = ops.allclose
    isnan = ops.isnan
    isinf = ops.isinf
    isfinite = ops.isfinite
    isposinf = ops.isposinf
    isneginf = ops.isneginf
    isreal = ops.isreal
    signbit = ops.signbit
    logical_and = ops.logical_and
    logical_or = ops.logical_or
    logical_xor = ops.logical_xor
    logical_not = ops.logical_not
    bitwise_and = ops.bitwise_and
    bitwise_or = ops.bitwise_or
    bitwise_xor = ops.bitwise_xor
    bitwise_not = ops.bitwise_not
    bitwise_left_shift = ops.bitwise_left_shift
    bitwise_right_shift = ops.bitwise_right_shift
    gcd = ops.gcd
    lcm = ops.lcm
    heaviside = ops.heaviside
    floor_divide = ops.floor_divide
    count_nonzero = ops.count_nonzero
    is_nonzero = ops.is_nonzero
    abs = ops.abs
    absolute = ops.absolute
    sign = ops.sign
    remainder = ops.remainder
    relu = ops.relu
    maximum = ops.maximum
    minimum = ops.minimum
    clamp = ops.clamp
    clip = ops.clip
    clamp_min = ops.clamp_min
    clamp_max = ops.clamp_max
    fmax = ops.fmax
    fmin = ops.fmin
    masked_fill = ops.masked_fill

    def where(self, condition: ArrayLike, other: ArrayLike) -> Self:
        """These elements where the condition holds, else those of `other`.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).where(tg.tensor([True, False]), tg.tensor([8.0, 9.0]))
        tensor([1., 9.])
        """
        return ops.where(condition, self, other)

    def polygamma(self, n: int) -> Self:
        """The n-th derivative of `digamma` at these elements.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).polygamma(1)
        tensor([1.6449, 0.6449])
        """
        return ops.polygamma(n, self)
