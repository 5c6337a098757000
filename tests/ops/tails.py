"""Smooth functions at numbers of every size: values, first and second derivatives by mpmath.

A `Jet` is a number with both derivatives, in so many digits that nothing cancels: a formula of jets is its own
derivative.
"""

import contextlib
import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

DIGITS = 1000
"""exp(-745) beside 1, and the square of 1e-300 beside 1, have all their digits."""
SIZES = (
    *(10.0**k for k in (-300, -200, -160, -120, -80, -30, -18, -12, -9, -6, -5, -4, -3)),
    *(3e-8, 0.01, 0.03, 0.1, 0.2, 0.3, 0.45, 0.5, 0.7, 0.75, 0.9, 1.0, 1.2, 1.3, 1.5, 1.7, 2.0, 2.3, 2.5, 2.8),
    *(3.0, 3.3, 3.7, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0, 18.0, 19.0, 20.0, 21.0, 25.0),
    *(30.0, 35.0, 36.0, 37.0, 38.0, 40.0, 50.0, 70.0, 100.0, 200.0, 300.0, 500.0, 700.0, 740.0, 1e3, 3e3, 1e4),
)
REAL = (*SIZES, *(-x for x in SIZES))
NEAR_1 = tuple(1 - 2.0**-k for k in (10, 20, 30, 40, 50, 53))
INSIDE = tuple(x for x in (*SIZES, *NEAR_1) if x < 1)


class Jet(NamedTuple):
    """A value, and its first and second derivative."""

    v: Any
    d: Any = 0
    e: Any = 0

    def through(self, f: Any, f1: Any, f2: Any) -> "Jet":
        """A function of it, by the function's value and derivatives here."""
        return Jet(f, f1 * self.d, f2 * self.d**2 + f1 * self.e)

    def __add__(self, other: Any) -> "Jet":  # type: ignore[override]
        other = jet(other)
        return Jet(self.v + other.v, self.d + other.d, self.e + other.e)

    def __mul__(self, other: Any) -> "Jet":  # type: ignore[override]
        other = jet(other)
        return Jet(
            self.v * other.v,
            self.d * other.v + self.v * other.d,
            self.e * other.v + 2 * self.d * other.d + self.v * other.e,
        )

    def __pow__(self, p: Any) -> "Jet":
        x = self.v
        return self.through(x**p, p * x ** (p - 1), p * (p - 1) * x ** (p - 2))

    __radd__, __rmul__ = __add__, __mul__  # type: ignore[assignment]

    def __neg__(self) -> "Jet":
        return self * -1

    def __sub__(self, other: Any) -> "Jet":
        return self + -jet(other)

    def __rsub__(self, other: Any) -> "Jet":
        return -self + other

    def __truediv__(self, other: Any) -> "Jet":
        return self * jet(other) ** -1

    def __rtruediv__(self, other: Any) -> "Jet":
        return self**-1 * other


def jet(x: Any) -> Jet:
    return x if isinstance(x, Jet) else Jet(x)


def exp(x: Jet) -> Jet:
    y = mp.exp(x.v)
    return x.through(y, y, y)


def log(x: Jet) -> Jet:
    return x.through(mp.log(x.v), 1 / x.v, -1 / x.v**2)


def sin(x: Jet) -> Jet:
    return x.through(mp.sin(x.v), mp.cos(x.v), -mp.sin(x.v))


def cos(x: Jet) -> Jet:
    return x.through(mp.cos(x.v), -mp.sin(x.v), -mp.cos(x.v))


def atan(x: Jet) -> Jet:
    slope = 1 / (1 + x.v**2)
    return x.through(mp.atan(x.v), slope, -2 * x.v * slope**2)


def asin(x: Jet) -> Jet:
    slope = 1 / mp.sqrt(1 - x.v**2)
    return x.through(mp.asin(x.v), slope, x.v * slope**3)


def erfc(x: Jet) -> Jet:
    with mp.workdps(30):
        slope = -2 / mp.sqrt(mp.pi) * mp.exp(-(x.v**2))
        return x.through(mp.erfc(x.v), slope, -2 * x.v * slope)


def erf(x: Jet) -> Jet:
    with mp.workdps(30):
        slope = 2 / mp.sqrt(mp.pi) * mp.exp(-(x.v**2))
        return x.through(mp.erf(x.v), slope, -2 * x.v * slope)


def erfinv(x: Jet) -> Jet:
    with mp.workdps(40):
        y = mp.erfinv(x.v) if abs(x.v) > 1e-15 else mp.sqrt(mp.pi) / 2 * (x.v + mp.pi / 12 * x.v**3)
        slope = mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        return x.through(y, slope, 2 * y * slope**2)


def erfcx(x: Jet) -> Jet:
    with mp.workdps(60):
        y = mp.exp(x.v**2) * mp.erfc(x.v) if x.v < 1e3 else _erfcx_far(x.v)
        return x.through(y, 2 * x.v * y - 2 / mp.sqrt(mp.pi), (2 + 4 * x.v**2) * y - 4 * x.v / mp.sqrt(mp.pi))


def _erfcx_far(x: Any) -> Any:
    terms = [mp.fac2(2 * k - 1) * (-1) ** k / (2 * x * x) ** k for k in range(1, 12)]
    return (1 + sum(terms)) / (x * mp.sqrt(mp.pi))


def ndtr(x: Jet) -> Jet:
    return 0.5 * erfc(x * (-1 / mp.sqrt(2)))


def log_ndtr(x: Jet) -> Jet:
    with mp.workdps(DIGITS):
        phi = mp.exp(-(x.v**2) / 2) / mp.sqrt(2 * mp.pi)
        with mp.workdps(40):
            below, above = mp.erfc(-x.v / mp.sqrt(2)) / 2, mp.erfc(x.v / mp.sqrt(2)) / 2
            h = phi / below
            return x.through(mp.log(below) if x.v < 1 else mp.log1p(-above), h, -h * (x.v + h))


def sinc(x: Jet) -> Jet:
    z = mp.pi * x.v
    s, c = mp.sin(z), mp.cos(z)
    first, second = (z * c - s) / z**2, ((2 - z * z) * s - 2 * z * c) / z**3
    return x.through(s / z, mp.pi * first, mp.pi**2 * second)


def lgamma(x: Jet) -> Jet:
    with mp.workdps(40):
        return x.through(mp.loggamma(x.v).real if x.v > 0 else mp.log(abs(mp.gamma(x.v))), psi(0, x.v), psi(1, x.v))


def polygamma(n: int) -> Callable[[Jet], Jet]:
    def of(x: Jet) -> Jet:
        with mp.workdps(40):
            return x.through(psi(n, x.v), psi(n + 1, x.v), psi(n + 2, x.v))

    return of


def psi(n: int, x: Any) -> Any:
    if abs(x) > 1e-15:
        return mp.psi(n, x)
    return (-1) ** (n + 1) * mp.factorial(n) / x ** (n + 1) + mp.psi(n, 1)


def bessel_i(n: int) -> Callable[[Jet], Jet]:
    def of(x: Jet) -> Jet:
        with mp.workdps(40):
            i = [mp.besseli(k, x.v) for k in range(n + 3)]
            i = {**dict(enumerate(i)), -1: i[1], -2: i[2]}
            return x.through(i[n], (i[n - 1] + i[n + 1]) / 2, (i[n - 2] + 2 * i[n] + i[n + 2]) / 4)

    return of


def sigmoid(x: Jet) -> Jet:
    return 1 / (1 + exp(-x))


def tanh(x: Jet) -> Jet:
    return 2 * sigmoid(2 * x) - 1


def softplus(x: Jet) -> Jet:
    return log(1 + exp(x))


def elu(alpha: float, scale: float, rate: float) -> Callable[[Jet], Jet]:
    return lambda x: scale * (x if x.v > 0 else alpha * (exp(rate * x) - 1))


def gelu_tanh(x: Jet) -> Jet:
    return 0.5 * x * (1 + tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf(0.044715) * x * x * x)))


def softsign(x: Jet) -> Jet:
    return x / (1 + (x if x.v > 0 else -x))


class Function(NamedTuple):
    """Of one number: its name in the package, what it is, and where."""

    call: Callable[[Any, Any], Any]
    """Takes the package (or PyTorch) and a tensor."""
    exact: Callable[[Jet], Jet]
    points: tuple[float, ...] = REAL


POSITIVE = SIZES
FUNCTIONS: dict[str, Function] = {
    "exp": Function(lambda m, x: m.exp(x), exp),
    "exp2": Function(lambda m, x: m.exp2(x), lambda x: exp(x * mp.log(2))),
    "expm1": Function(lambda m, x: m.expm1(x), lambda x: exp(x) - 1),
    "log": Function(lambda m, x: m.log(x), log, POSITIVE),
    "log1p": Function(lambda m, x: m.log1p(x), lambda x: log(1 + x), (*POSITIVE, *(-x for x in INSIDE))),
    "log2": Function(lambda m, x: m.log2(x), lambda x: log(x) / mp.log(2), POSITIVE),
    "log10": Function(lambda m, x: m.log10(x), lambda x: log(x) / mp.log(10), POSITIVE),
    "sqrt": Function(lambda m, x: m.sqrt(x), lambda x: x ** mp.mpf(0.5), POSITIVE),
    "rsqrt": Function(lambda m, x: m.rsqrt(x), lambda x: x ** mp.mpf(-0.5), POSITIVE),
    "reciprocal": Function(lambda m, x: m.reciprocal(x), lambda x: x**-1),
    "square": Function(lambda m, x: m.square(x), lambda x: x * x),
    "cube": Function(lambda m, x: x**3, lambda x: x * x * x),
    "power of 1.5": Function(lambda m, x: x**1.5, lambda x: x ** mp.mpf(1.5), POSITIVE),
    "power of 2.5, a tensor": Function(
        lambda m, x: m.pow(x, m.full_like(x, 2.5)), lambda x: x ** mp.mpf(2.5), POSITIVE
    ),
    "2 to the power": Function(lambda m, x: m.pow(2.0, x), lambda x: exp(x * mp.log(2))),
    "sin": Function(lambda m, x: m.sin(x), sin),
    "cos": Function(lambda m, x: m.cos(x), cos),
    "tan": Function(lambda m, x: m.tan(x), lambda x: sin(x) / cos(x)),
    "sinh": Function(lambda m, x: m.sinh(x), lambda x: 0.5 * (exp(x) - exp(-x))),
    "cosh": Function(lambda m, x: m.cosh(x), lambda x: 0.5 * (exp(x) + exp(-x))),
    "tanh": Function(lambda m, x: m.tanh(x), tanh),
    "asin": Function(lambda m, x: m.asin(x), asin, (*INSIDE, *(-x for x in INSIDE))),
    "acos": Function(lambda m, x: m.acos(x), lambda x: mp.pi / 2 - asin(x), (*INSIDE, *(-x for x in INSIDE))),
    "atan": Function(lambda m, x: m.atan(x), atan),
    "asinh": Function(lambda m, x: m.asinh(x), lambda x: log(x + (x * x + 1) ** mp.mpf(0.5))),
    "acosh": Function(
        lambda m, x: m.acosh(x),
        lambda x: log(x + (x * x - 1) ** mp.mpf(0.5)),
        (*(x for x in SIZES if x > 1), *(1 + 2.0**-k for k in (10, 20, 30, 40, 50, 52))),
    ),
    "atanh": Function(
        lambda m, x: m.atanh(x), lambda x: 0.5 * (log(1 + x) - log(1 - x)), (*INSIDE, *(-x for x in INSIDE))
    ),
    "sigmoid": Function(lambda m, x: m.sigmoid(x), sigmoid),
    "logsigmoid": Function(lambda m, x: m.nn.functional.logsigmoid(x), lambda x: -softplus(-x)),
    "softplus": Function(lambda m, x: m.nn.functional.softplus(x), softplus, tuple(x for x in REAL if x <= 20)),
    "softplus, no threshold": Function(lambda m, x: m.nn.functional.softplus(x, 1.0, math.inf), softplus),
    "logaddexp": Function(lambda m, x: m.logaddexp(x, m.zeros_like(x)), softplus),
    "logsumexp": Function(lambda m, x: m.logsumexp(m.stack([x, m.zeros_like(x)]), 0), softplus),
    "softmax": Function(lambda m, x: m.softmax(m.stack([x, m.zeros_like(x)]), 0)[0], sigmoid),
    "log_softmax": Function(lambda m, x: m.log_softmax(m.stack([x, m.zeros_like(x)]), 0)[0], lambda x: -softplus(-x)),
    "gelu": Function(lambda m, x: m.nn.functional.gelu(x), lambda x: x * ndtr(x)),
    "gelu, tanh": Function(lambda m, x: m.nn.functional.gelu(x, approximate="tanh"), gelu_tanh),
    "silu": Function(lambda m, x: m.nn.functional.silu(x), lambda x: x * sigmoid(x)),
    "mish": Function(lambda m, x: m.nn.functional.mish(x), lambda x: x * tanh(softplus(x))),
    "elu": Function(lambda m, x: m.nn.functional.elu(x), elu(1.0, 1.0, 1.0)),
    "selu": Function(
        lambda m, x: m.nn.functional.selu(x),
        elu(1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1),
    ),
    "celu": Function(lambda m, x: m.nn.functional.celu(x, 2.0), elu(2.0, 1.0, 0.5)),
    "softsign": Function(lambda m, x: m.nn.functional.softsign(x), softsign),
    "tanhshrink": Function(lambda m, x: m.nn.functional.tanhshrink(x), lambda x: x - tanh(x)),
    "erf": Function(lambda m, x: m.erf(x), erf),
    "erfc": Function(lambda m, x: m.erfc(x), erfc),
    "erfinv": Function(lambda m, x: m.erfinv(x), erfinv, (*INSIDE, *(-x for x in INSIDE))),
    "logit": Function(lambda m, x: m.logit(x), lambda x: log(x / (1 - x)), INSIDE),
    "sinc": Function(lambda m, x: m.sinc(x), sinc),
    "xlogy": Function(lambda m, x: m.xlogy(x, x), lambda x: x * log(x), POSITIVE),
    "hypot": Function(lambda m, x: m.hypot(x, m.full_like(x, 0.75)), lambda x: (x * x + 0.5625) ** mp.mpf(0.5)),
    "atan2": Function(lambda m, x: m.atan2(x, m.full_like(x, 0.75)), lambda x: atan(x / mp.mpf(0.75))),
    "lgamma": Function(lambda m, x: m.lgamma(x), lgamma, POSITIVE),
    "digamma": Function(lambda m, x: m.digamma(x), polygamma(0), POSITIVE),
    "polygamma": Function(lambda m, x: m.polygamma(2, x), polygamma(2), POSITIVE),
    "i0": Function(lambda m, x: m.i0(x), bessel_i(0), tuple(x for x in REAL if abs(x) < 745)),
}


def errors(name: str, m: Any, dtype: str) -> list[list[tuple[float, float]]]:
    """For value, first and second derivative: (units in the last place, where), the worst first."""
    function, of = FUNCTIONS[name], np.dtype(dtype)
    x = m.tensor([p for p, _ in exactly(name, dtype)], dtype=getattr(m, dtype), requires_grad=True)
    with np.errstate(all="ignore"):
        y = function.call(m, x)
        (first,) = m.autograd.grad(y.sum(), x, create_graph=True)
        second = m.autograd.grad(first.sum(), x)[0] if first.requires_grad else m.zeros_like(x)
    found = [t.detach().tolist() for t in (y, first, second)]
    return [
        sorted(
            ((ulps(f, e[order], of), p) for f, (p, e) in zip(values, exactly(name, dtype), strict=True)), reverse=True
        )
        for order, values in enumerate(found)
    ]


@cache
def exactly(name: str, dtype: str) -> list[tuple[float, Jet]]:
    """The points in this dtype at which the function is smooth, and what it is there."""
    function = FUNCTIONS[name]
    with np.errstate(under="ignore"):
        points = np.array(function.points, dtype)
    inside = max(map(abs, function.points)) < 1
    kept = sorted({float(p) for p in points if p != 0 and not (inside and abs(p) >= 1)})
    exact = []
    with mp.workdps(DIGITS):
        for p in kept:
            with contextlib.suppress(ZeroDivisionError):
                exact.append((p, function.exact(Jet(mp.mpf(p), 1, 0))))
    return exact


def ulps(found: float, exact: Any, dtype: Any) -> float:
    """The distance in units in the last place of the exact number, or of 64 times the smallest normal one."""
    limits = np.finfo(dtype)
    with mp.workdps(40):
        exact = mp.re(+mp.mpmathify(exact))
        if abs(exact) > float(limits.max) * (1 + 1e-3):
            return 0.0 if found == math.copysign(math.inf, exact) else math.inf
        if not math.isfinite(found):
            return 0.0 if abs(exact) > float(limits.max) * (1 - 1e-6) else math.inf
        unit = float(np.spacing(max(abs(dtype.type(float(exact))), 64 * limits.tiny)))
        return float(abs(mp.mpf(found) - exact) / unit)
