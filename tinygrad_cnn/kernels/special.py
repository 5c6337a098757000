"""The error function and its kin, in float64, by rational Chebyshev approximations.

W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969), 631-637.
"""

import math

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.gamma import by_parts, in_double, sin_pi
from tinygrad_cnn.kernels.tables import by_table, tabulated

SQRT_HALF = math.sqrt(0.5)
SMALL = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e00,
        1.13864154151050156e02,
        3.77485237685302021e02,
        3.20937758913846947e03,
    ),
    (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03),
)
MIDDLE = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01,
        2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
        1.23033935479799725e03,
    ),
    (
        1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
        3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03,
    ),
)  # fmt: skip
FAR = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)  # fmt: skip


@in_double
def gauss(x: NDArray, scale: NDArray) -> NDArray:
    """exp(scale x²), all digits of it: the square is the sum of an exact part and a small one."""
    near = np.clip(np.round(x * 16) / 16, -1e4, 1e4)  # its square has few enough digits to be exact
    rest = np.clip((x - near) * (x + near), -1e9, 1e9)
    return np.asarray(np.exp(scale * near * near) * np.exp(scale * rest))


def _erf_near(x: NDArray) -> NDArray:
    square = x * x
    return np.asarray(x * np.polyval(SMALL[0], square) / np.polyval(SMALL[1], square))


def _erfcx_middle(x: NDArray) -> NDArray:
    return np.asarray(np.polyval(MIDDLE[0], x) / np.polyval(MIDDLE[1], x))


def _erfcx_far(x: NDArray) -> NDArray:
    square = 1 / (x * x)
    rest = square * np.polyval(FAR[0], square) / np.polyval(FAR[1], square)
    return np.asarray((1 / math.sqrt(math.pi) - rest) / x)


def _erfc_right(x: NDArray) -> NDArray:
    """Where x is above 0.46."""
    x = np.minimum(x, 30)
    return np.where(x < 4, _erfcx_middle(np.minimum(x, 4)), _erfcx_far(np.maximum(x, 4))) * gauss(x, -1.0)


@tabulated(-4, 4)
@in_double
def erf(x: NDArray) -> NDArray:
    """The error function 2/√π ∫₀ˣ exp(-t²) dt, in the dtype of x, computed in float64."""
    size = np.abs(x)
    return by_parts(
        x,
        [
            (size <= 0.46875, _erf_near),
            (size < 6, lambda x: np.copysign(1 - _erfcx_middle(np.abs(x)) * np.exp(-x * x), x)),
            (size >= 6, np.sign),
        ],
    )


@tabulated(-4, 10, 256)
@in_double
def erfc(x: NDArray) -> NDArray:
    """1 - erf(x), which keeps its digits where erf is nearly 1."""
    return by_parts(
        x,
        [
            (np.abs(x) <= 0.46875, lambda x: 1 - _erf_near(x)),
            (x > 0, _erfc_right),
            (x < 0, lambda x: 2 - _erfc_right(-x)),
        ],
    )


@tabulated(-3, 16, 128)
@in_double
def erfcx(x: NDArray) -> NDArray:
    """exp(x²) erfc(x), which neither vanishes nor loses digits for large x."""
    return by_parts(
        x,
        [
            (np.abs(x) <= 0.46875, lambda x: (1 - _erf_near(x)) * np.exp(x * x)),
            (x >= 4, _erfcx_far),
            (x > 0, _erfcx_middle),
            (x < 0, lambda x: erfc(x) * gauss(x, 1.0)),
        ],
    )


def erfinv(y: NDArray) -> NDArray:
    """The x with erf(x) = y, in the dtype of y; ±∞ at ±1, NaN beyond.

    Of float32, y times what is smooth in -ln(1 - y²), from a table; near ±1, where the last digit decides, exactly.
    """
    if getattr(y, "dtype", None) != np.float32:
        return _erfinv(y)
    with np.errstate(all="ignore"):
        size = np.abs(y)
        x = np.asarray(y * _erfinv_by_decay(-np.log((1 - size) * (1 + size))))
        near = ~(size < 0.98)
        x[near] = _erfinv(y[near])
        return x


@tabulated(0, 4, 64)
@in_double
def _erfinv_by_decay(decay: NDArray) -> NDArray:
    """erfinv(y) / y by -ln(1 - y²), near 0 by the power series."""
    square = -np.expm1(-decay)
    y = np.sqrt(np.maximum(square, 0.02))
    series = np.polyval([34807 / 182476800, 4369 / 5806080, 127 / 40320, 7 / 480, 1 / 12, 1], math.pi * square)
    return np.where(square < 0.02, math.sqrt(math.pi) / 2 * series, _erfinv(y) / y)


@in_double
def _erfinv(y: NDArray) -> NDArray:
    """Winitzki's formula, right to 0.2%, and three of Halley's steps: on erfc above ½, where 1 - |y| is exact."""
    size = np.abs(y)
    inside = np.where(size < 1, size, 0.0)
    decay = np.log1p(-inside * inside)
    a = 0.147
    half = 2 / (np.pi * a) + decay / 2
    x = np.sqrt(np.maximum(np.sqrt(half * half - decay / a) - half, 0))
    for _ in range(3):
        miss = np.where(inside > 0.5, (1 - inside) - erfc(x), erf(x) - inside)
        step = miss * (math.sqrt(math.pi) / 2) * gauss(x, 1.0)
        x = x - step / (1 + x * step)
    edge = np.where(size == 1, np.inf, np.nan)
    return np.copysign(np.where(size < 1, x, edge), y)


@tabulated(-14, 6, 256)
@in_double
def ndtr(x: NDArray) -> NDArray:
    """The normal distribution function erfc(-x / √2) / 2, with its digits where it is small."""
    return by_parts(
        x,
        [
            (x > -1, lambda x: 0.5 * erfc(x * -SQRT_HALF)),
            (x <= -1, lambda x: 0.5 * erfcx(x * -SQRT_HALF) * gauss(x, -0.5)),
        ],
    )


@tabulated(-16, 8, 128)
@in_double
def log_ndtr(x: NDArray) -> NDArray:
    """The logarithm of `ndtr`."""
    return by_parts(
        x,
        [
            (x > -1, lambda x: np.log1p(-ndtr(-x))),
            (x <= -1, lambda x: np.log(0.5 * erfcx(x * -SQRT_HALF)) - 0.5 * x * x),
        ],
    )


@tabulated(0, 1, 1024)
@in_double
def ndtri(p: NDArray) -> NDArray:
    """The x with ndtr(x) = p; ∓∞ at 0 and 1, NaN outside.

    Below 1/10 by Newton's method on the logarithms, from √(-2 ln p).
    """
    return by_parts(
        p,
        [
            ((p < 0) | (p > 1), lambda p: p * np.nan),
            (p == 0, lambda p: p - np.inf),
            (p < 0.1, lambda p: _ndtri_left(np.log(p))),
            (p > 0.9, lambda p: -ndtri(1 - p)),
            (p >= 0.1, lambda p: erfinv(2 * p - 1) / SQRT_HALF),
        ],
    )


def _ndtri_left(goal: NDArray) -> NDArray:
    """By ln p."""
    x = -np.sqrt(-2 * goal)
    x = np.minimum(x + np.log(-2 * math.sqrt(math.pi) * x) / -x, -0.5)
    for _ in range(5):
        x = x - (log_ndtr(x) - goal) * erfcx(x * -SQRT_HALF) * math.sqrt(math.pi / 2)
    return np.asarray(x)


def sinc_derivative(x: NDArray, order: int) -> NDArray:
    """The k-th derivative of sin(πx) / (πx) by x, in float64.

    Near 0 by the power series. Elsewhere, as x sinc x = sin(πx) / π, derived k times:
    x sinc⁽ᵏ⁾ + k sinc⁽ᵏ⁻¹⁾ = πᵏ⁻¹ sin(πx + kπ/2).
    """

    @in_double
    def computed(x: NDArray) -> NDArray:
        size = np.abs(x)
        sign = np.where(x < 0, (-1.0) ** order, 1.0)
        return (
            by_parts(size, [(np.pi * size <= order + 1, series), (np.isfinite(size), forwards), (size > 0, gone)])
            * sign
        )

    def series(x: NDArray) -> NDArray:
        k = np.arange(-(-order // 2), -(-order // 2) + 16 + order)  # the powers from which the derivative leaves some
        coefficients = [(-1.0) ** j * math.perm(2 * j, order) / math.factorial(2 * j + 1) for j in k.tolist()]
        power = math.pi**order * (math.pi * x) ** (order % 2)
        return np.asarray(power * np.polyval(coefficients[::-1], (math.pi * x) ** 2))

    def forwards(x: NDArray) -> NDArray:
        y = sin_pi(x) / (math.pi * x)
        for k in range(1, order + 1):
            y = (math.pi ** (k - 1) * sin_pi(x + k / 2) - k * y) / x
        return np.asarray(y)

    def gone(x: NDArray) -> NDArray:
        return np.zeros_like(x)

    return by_table(("sinc", order), computed, -16, 16)(x)


@tabulated(-9, 9, 256)
@in_double
def tanhshrink(x: NDArray) -> NDArray:
    """x - tanh x; near 0, where they cancel, (x cosh x - sinh x) / cosh x by its power series."""
    coefficients = [2 * k / math.factorial(2 * k + 1) for k in range(11, -1, -1)]
    near = np.clip(x, -1, 1)
    return np.where(np.abs(x) < 1, near * np.polyval(coefficients, near * near) / np.cosh(near), x - np.tanh(x))
