"""Special functions: the error function and its kin, the gamma function's logarithm and its derivatives, Bessel's.

What they compute is in `kernels`; a rule is made of other functions of these families, so that every order has digits.
"""

import math

import numpy as np

from tinygrad_cnn.core.domain import AwayFrom, Positive, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Elementwise, Kink, Sample, Unary
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.types import A, Array
from tinygrad_cnn.kernels import bessel, gamma, special
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.ops.untracked import plain

__all__ = [
    "digamma", "erf", "erfc", "erfinv", "i0", "lgamma", "mvlgamma", "polygamma",
]  # fmt: skip

SQRT_HALF = math.sqrt(0.5)
AWAY_FROM_POLES = {"x": AwayFrom((-2.0, -1.0, 0.0), gap=0.25, low=-2.5, high=4.0)}


class Gauss(Unary):
    """y = exp(s x²)        dx = 2 s g x y"""

    def forward(x: Array, *, scale: float) -> Array:
        return special.gauss(x, scale)

    def d_x(g: Array, y: Array, x: Array, *, scale: float) -> Array:
        return g * ((2 * scale) * x * y)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"scale": draw.choice([-1.0, -0.5, 0.5])})


class Erf(Unary):
    """y = 2/√π ∫₀ˣ exp(-t²) dt        dx = g 2/√π exp(-x²)"""

    def forward(x: Array) -> Array:
        return special.erf(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * ((2 / math.sqrt(math.pi)) * Gauss.apply(x, scale=-1.0))


class Erfc(Unary):
    """y = 1 - erf x        dx = -g 2/√π exp(-x²)"""

    def forward(x: Array) -> Array:
        return special.erfc(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * ((-2 / math.sqrt(math.pi)) * Gauss.apply(x, scale=-1.0))


class Erfcx(Unary):
    """y = exp(x²) erfc x        dx = g (2 x y - 2/√π)"""

    kinks = (
        Kink("x = 65, where two terms cancel", (65.0,), (-1.3348861490617525e-04,)),
        Kink("x = 1000", (1000.0,), (-5.6418873726549667e-07,)),
    )

    def forward(x: Array) -> Array:
        return special.erfcx(x)

    def d_x(g: Array, y: Array, x: Array) -> Array:
        far = x > 64  # there the two terms cancel: by the series in 1/x² instead
        q = 0.5 / np.where(far, x, 64.0) ** 2
        series = 1 - q * (3 - q * (15 - q * (105 - q * 945)))
        tail, bulk = q * series / -math.sqrt(math.pi), np.where(far, 0.0, x) * y - 1 / math.sqrt(math.pi)
        return g * (2 * np.where(far, tail, bulk))


class Erfinv(Unary):
    """y = the inverse of erf        dx = g √π/2 exp(y²)"""

    domain = {"x": Real(low=-0.9375, high=0.9375)}

    def forward(x: Array) -> Array:
        return special.erfinv(x)

    def d_x(g: Array, y: Array) -> Array:
        return g * ((math.sqrt(math.pi) / 2) * Gauss.apply(y, scale=1.0))


class Ndtr(Unary):
    """y = Φ(x), the normal distribution        dx = g exp(-x²/2) / √2π"""

    def forward(x: Array) -> Array:
        return special.ndtr(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * ((1 / math.sqrt(2 * math.pi)) * Gauss.apply(x, scale=-0.5))


class LogNdtr(Unary):
    """y = ln Φ(x)        dx = g exp(-x²/2) / (√2π Φ(x)) = g √(2/π) / erfcx(-x / √2)"""

    def forward(x: Array) -> Array:
        return special.log_ndtr(x)

    def d_x(g: Array, x: Array) -> Array:
        low = x < 1  # each form where none of its own parts overflows: that would be NaN in the second derivative
        tail = math.sqrt(2 / math.pi) / Erfcx.apply(np.where(low, x, 1.0) * -SQRT_HALF)
        bulk = Gauss.apply(x, scale=-0.5) / (math.sqrt(2 * math.pi) * Ndtr.apply(np.where(low, 1.0, x)))
        return g * np.where(low, tail, bulk)


class Ndtri(Unary):
    """y = the inverse of Φ        dx = g √2π exp(y²/2)"""

    domain = {"x": Real(low=0.0625, high=0.9375)}

    def forward(x: Array) -> Array:
        return special.ndtri(x)

    def d_x(g: Array, y: Array) -> Array:
        return g * (math.sqrt(2 * math.pi) * Gauss.apply(y, scale=0.5))


class Lgamma(Unary):
    """y = ln |Γ(x)|        dx = g ψ(x)"""

    domain = AWAY_FROM_POLES

    def forward(x: Array) -> Array:
        return gamma.lgamma(x)

    def d_x(g: Array, x: Array) -> Array:
        return g * Polygamma.apply(x, n=0)


class Polygamma(Unary):
    """y = ψ⁽ⁿ⁾(x), with ψ = (ln Γ)'        dx = g ψ⁽ⁿ⁺¹⁾(x)"""

    domain = AWAY_FROM_POLES

    def forward(x: Array, *, n: int) -> Array:
        return gamma.polygamma(n, x)

    def d_x(g: Array, x: Array, *, n: int) -> Array:
        return g * Polygamma.apply(x, n=n + 1)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"n": draw.integer(0, 3)})


class BesselI(Unary):
    """y = Iₙ(x), times exp(-|x|) if scaled        dx = g (Iₙ₋₁ + Iₙ₊₁) / 2, and less sign(x) y if scaled"""

    domain = {"x": AwayFrom((0.0,))}
    kinks = (
        Kink("x = 0, scaled", (0.0,), (0.0,), {"n": 0, "scaled": True}),
        Kink("x = 0", (0.0,), (0.5,), {"n": 1, "scaled": False}),
    )

    def forward(x: Array, *, n: int, scaled: bool) -> Array:
        return bessel.bessel_i(x, n, scaled)

    def d_x(g: Array, y: Array, x: Array, *, n: int, scaled: bool) -> Array:
        before, after = (BesselI.apply(x, n=k, scaled=scaled) for k in (abs(n - 1), n + 1))
        slope = 0.5 * (before + after)
        return g * (slope - np.sign(x) * y if scaled else slope)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        scaled = draw.boolean()
        x = draw.array(draw.shape(), cls.domain["x"] if scaled else Real())
        return Sample((x,), {"n": draw.integer(0, 2), "scaled": scaled})


class BesselJ(Unary):
    """y = Jₙ(x)        dx = g (Jₙ₋₁ - Jₙ₊₁) / 2,  -g J₁ for n = 0"""

    def forward(x: Array, *, n: int) -> Array:
        return bessel.bessel_j(x, n)

    def d_x(g: Array, x: Array, *, n: int) -> Array:
        after = BesselJ.apply(x, n=n + 1)
        return g * (0.5 * (BesselJ.apply(x, n=n - 1) - after) if n else -after)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"n": draw.integer(0, 2)})


class BesselY(Unary):
    """y = Yₙ(x)        dx = g (Yₙ₋₁ - Yₙ₊₁) / 2,  -g Y₁ for n = 0"""

    domain = {"x": Positive(low=0.75)}

    def forward(x: Array, *, n: int) -> Array:
        return bessel.bessel_y(x, n)

    def d_x(g: Array, x: Array, *, n: int) -> Array:
        after = BesselY.apply(x, n=n + 1)
        return g * (0.5 * (BesselY.apply(x, n=n - 1) - after) if n else -after)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"n": draw.integer(0, 2)})


class BesselK(Unary):
    """y = Kₙ(x), times exp(x) if scaled        dx = -g (Kₙ₋₁ + Kₙ₊₁) / 2, and y more if scaled"""

    domain = {"x": Positive(low=0.75)}

    def forward(x: Array, *, n: int, scaled: bool) -> Array:
        return bessel.bessel_k(x, n, scaled)

    def d_x(g: Array, y: Array, x: Array, *, n: int, scaled: bool) -> Array:
        before, after = (BesselK.apply(x, n=k, scaled=scaled) for k in (abs(n - 1), n + 1))
        slope = -0.5 * (before + after)
        return g * (slope + y if scaled else slope)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x,) = super().sample(draw).inputs
        return Sample((x,), {"n": draw.integer(0, 2), "scaled": draw.boolean()})


class Entr(Unary):
    """y = -x ln x, 0 where x = 0, -∞ below        dx = -g (ln x + 1); NaN below 0"""

    domain = {"x": Positive()}
    kinks = (Kink("x = 0", (0.0,), (math.inf,)), Kink("x < 0", (-1.0,), (math.nan,)))

    def forward(x: Array) -> Array:
        inside = x > 0
        return choose(inside, -x * np.log(choose(inside, x, 1)), choose(x < 0, -np.inf, x))

    def d_x(g: Array, x: Array) -> Array:
        return g * (-np.log(x) - 1)


class Xlog1py(Elementwise):
    """y = a ln(1 + b), 0 where a = 0        da = g ln(1 + b), 0 where a = 0 and b <= -1,  db = g a / (1 + b)"""

    floating = True
    domain = {"b": Real(low=-0.75, high=3)}
    kinks = (
        Kink("a = 0, b = 1", (0.0, 1.0), (math.log(2), 0.0)),
        Kink("a = 0, b = -1", (0.0, -1.0), (0.0, math.nan)),
    )

    def forward(a: Array, b: Array) -> Array:
        b = np.asarray(b, np.result_type(a, b))
        nothing = np.logical_and(a == 0, ~np.isnan(b))
        return choose(nothing, 0.0, a * np.log1p(choose(nothing, 1.0, b)))

    def d_a(g: Array, a: Array, b: Array) -> Array:
        dead = np.logical_and(a == 0, b <= -1)
        return choose(dead, 0.0, g * np.log1p(choose(dead, np.ones_like(g), b)))

    def d_b(g: Array, a: Array, b: Array) -> Array:
        return g * (a / (1 + b))


class Zeta(Elementwise):
    """y = Σ (q + k)⁻ˢ, k = 0, 1, …        dq = -g s ζ(s + 1, q); s is a constant"""

    floating = True
    constant = ("s",)

    def forward(s: Array, q: Array) -> Array:
        return gamma.zeta(s, q)

    def d_q(g: Array, s: Array, q: Array) -> Array:
        return -g * (s * Zeta.apply(s + 1, q))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        first, second = draw.broadcastable(2)
        return Sample((draw.array(first, Real(1.5, 4)), draw.array(second, Positive(low=0.5))), {})


def erf(input: A) -> A:
    """Error function of each element: ``2/√π`` times the integral of ``exp(-t²)`` from 0 to x.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.erf(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return Erf.apply(input)


def erfc(input: A) -> A:
    """``1 - erf(x)``, which keeps its digits where erf is nearly 1.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.erfc(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return Erfc.apply(input)


def erfinv(input: A) -> A:
    """The inverse of `erf`: ±∞ at ±1, NaN beyond.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.erfinv(tg.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.4769,    inf])
    """
    return Erfinv.apply(input)


def lgamma(input: A) -> A:
    """The logarithm of ``|Γ(x)|``; ∞ at 0, -1, -2, ….

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.lgamma(tg.tensor([2.0, 5.0]))  # ln 1!, ln 4!
    tensor([0.0000, 3.1781])
    """
    return Lgamma.apply(input)


def digamma(input: A) -> A:
    """The derivative of `lgamma`, ``Γ'(x) / Γ(x)``; NaN at -1, -2, …, and -∞ at 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.digamma(tg.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """
    return Polygamma.apply(input, n=0)


def polygamma(n: int, input: A) -> A:
    """The n-th derivative of `digamma`.

    The shape stays; integers give the default floating dtype. `n` must not be below 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.polygamma(1, tg.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if n < 0:
        raise ArgumentError(f"polygamma: n is {n}; the number of derivatives is at least 0")
    return Polygamma.apply(input, n=int(n))


def mvlgamma(input: A, p: int) -> A:
    """The logarithm of the multivariate gamma function of dimension p: ``p(p-1)/4 ln π + Σ lgamma(x - k/2)``, k < p.

    The shape stays; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.mvlgamma(tg.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    if p < 1:
        raise ArgumentError(f"mvlgamma: p is {p}; the dimension is at least 1")
    dtype = plain("mvlgamma", input).dtype
    places = np.arange(p, dtype=dtype if dtype.kind == "f" else default.dtype)
    terms = Lgamma.apply(input[..., None] - places / 2)
    return np.sum(terms, axis=-1) + p * (p - 1) / 4 * math.log(math.pi)


def i0(input: A) -> A:
    """The modified Bessel function of the first kind and order 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.i0(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    return BesselI.apply(input, n=0, scaled=False)
