"""The gamma function's logarithm and its derivatives, in float64: series with coefficients that have a formula.

Near the zeros of a function its Taylor series keeps the digits, from 10 on the asymptotic series; what lies between is
moved into reach by the recurrence, and what is negative is reflected.
"""

import math
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.tables import tabulated

EULER = 0.5772156649015329
ROOT, ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
"""The zero of digamma, and what its float64 leaves out."""
BLOCK = 1 << 13
"""So many elements at a time stay in the processor's cache: erfc of 10⁶ takes half as long."""
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
"""B₂, B₄, …"""


def in_double(function: Callable[..., NDArray]) -> Callable[..., NDArray]:
    """A kernel of float64 arrays for any dtypes and numbers: the result has the floating dtype of the inputs."""

    @wraps(function)
    def called(*arrays: Any) -> NDArray:
        kinds = [a.dtype for a in arrays if getattr(a, "dtype", None) is not None]
        dtype = np.result_type(*kinds) if kinds else np.dtype(np.float64)
        inputs = np.broadcast_arrays(*arrays)
        flat = [a.reshape(-1) for a in inputs]
        out = np.empty(flat[0].size, dtype if dtype.kind == "f" else np.float64)
        with np.errstate(all="ignore"):
            for start in range(0, out.size, BLOCK):
                part = slice(start, start + BLOCK)
                out[part] = function(*(a[part].astype(np.float64) for a in flat))
        return out.reshape(inputs[0].shape)

    return called


def by_parts(x: NDArray, parts: list[tuple[NDArray, Callable[..., NDArray]]], *others: NDArray) -> NDArray:
    """For each element, what the function of the first condition that holds gives; NaN where none does."""
    out, left = np.full(x.shape, np.nan), np.ones(x.shape, np.bool_)
    for condition, function in parts:
        here = condition & left
        if here.any():
            out[here] = function(x[here], *(other[here] for other in others))
        left &= ~condition
    return out


def sin_pi(x: NDArray) -> NDArray:
    """sin πx, right for large x, too, and 0 at whole numbers."""
    rest = x - 2 * np.round(x / 2)
    return np.sin(np.pi * np.where(np.abs(rest) > 0.5, np.copysign(1.0, rest) - rest, rest))


def cot_pi(x: NDArray) -> NDArray:
    """cot πx."""
    rest = x - np.round(x)
    return np.where(np.abs(rest) == 0.5, 0.0, 1 / np.tan(np.pi * rest))


@in_double
def zeta(s: NDArray, q: NDArray) -> NDArray:
    """Hurwitz' zeta function Σ (q + k)⁻ˢ, k = 0, 1, …; ∞ at the poles s = 1 and q = 0, -1, …; NaN for s < 1.

    Euler's and Maclaurin's formula after ten terms. Of negative q the terms left and right of 0 are summed apart, which
    needs a whole s: NaN elsewhere.
    """
    return by_parts(
        q,
        [
            (np.isnan(s) | np.isnan(q) | (s < 1), lambda q, s: q + np.nan),
            ((s == 1) | ((q <= 0) & (q == np.floor(q))), lambda q, s: np.full(q.shape, np.inf)),
            (q > 0, lambda q, s: _zeta(s, q)),
            (s == np.floor(s), lambda q, s: _zeta_left(s, q)),
        ],
        s,
    )


def _zeta(s: NDArray, q: NDArray) -> NDArray:
    total = np.zeros(np.broadcast_shapes(s.shape, q.shape))
    for k in range(10):
        total = total + (q + k) ** -s
    a = q + 10
    power = a**-s
    total = total + a * power / (s - 1) + power / 2
    factor = s * power / a  # s (s+1) … (s+2j) / (2j+2)! a^(-s-2j-1), without the factorial's last two
    for j, number in enumerate(BERNOULLI):
        total = total + factor * (number / math.factorial(2 * j + 2))
        factor = factor * (s + 2 * j + 1) * (s + 2 * j + 2) / (a * a)
    return np.where(np.isinf(q), 0.0, total)


def _zeta_left(s: NDArray, q: NDArray) -> NDArray:
    rest = q - np.round(q)
    odd = np.where(s % 2 == 1, -1.0, 1.0)
    return np.asarray(rest**-s + _zeta(s, 1 + rest) + odd * (_zeta(s, 1 - rest) - _zeta(s, 1 - q)))


@cache
def _around_two() -> NDArray:
    """ln Γ(2 + d) / d in powers of d, the highest first: 1 - γ, and (-1)ᵏ (ζ(k) - 1) / k for dᵏ⁻¹."""
    k = np.arange(2, 45, dtype=np.float64)
    return np.concatenate([[1 - EULER], (-1) ** k * zeta(k, np.float64(2)) / k])[::-1]


@cache
def _around_root() -> NDArray:
    """ψ(root + d) / d in powers of d, the highest first."""
    k = np.arange(1, 46, dtype=np.float64)
    return ((-1) ** (k + 1) * zeta(k + 1, np.float64(ROOT)))[::-1]


@tabulated(0, 16, 256)
@in_double
def lgamma(x: NDArray) -> NDArray:
    """ln |Γ(x)|; ∞ at 0, -1, -2, …."""
    return by_parts(
        x,
        [
            (x >= 9, _lgamma_far),
            (x >= 0.5, _lgamma_near),
            (x > 0, lambda x: x * np.polyval(_around_two(), x) - np.log1p(x) - np.log(x)),
            ((x == np.floor(x)) | np.isinf(x), lambda x: np.full(x.shape, np.inf)),
            (x < 0, lambda x: np.log(np.pi / np.abs(sin_pi(x))) - lgamma(1 - x)),
        ],
    )


def _lgamma_far(x: NDArray) -> NDArray:
    """Stirling's series."""
    coefficients = [b / ((2 * k + 2) * (2 * k + 1)) for k, b in enumerate(BERNOULLI)][::-1]
    rest = 0.5 * (math.log(2 * math.pi) - 1) + np.polyval(coefficients, 1 / (x * x)) / x
    return np.where(np.isinf(x), x, (x - 0.5) * (np.log(x) - 1) + rest)


def _lgamma_near(x: NDArray) -> NDArray:
    """Γ(x) = (x - 1) (x - 2) … Γ(2 + d), with d in [-¾, ½]."""
    low = x < 1.25
    factors, reduced = np.ones_like(x), np.where(low, x + 1, x)
    for _ in range(7):
        high = reduced >= 2.5
        reduced = np.where(high, reduced - 1, reduced)
        factors = np.where(high, factors * reduced, factors)
    d = np.where(low, x - 1, reduced - 2)
    return d * np.polyval(_around_two(), d) + np.where(low, -np.log(x), np.log(factors))


@tabulated(0, 16, 256)
@in_double
def digamma(x: NDArray) -> NDArray:
    """ψ = (ln Γ)'; ∓∞ at ±0, NaN at -1, -2, …."""
    return by_parts(
        x,
        [
            (x >= 10, _digamma_far),
            (x >= 1, _digamma_near),
            (x > 0, lambda x: _digamma_near(1 + x) - 1 / x),
            (x == 0, lambda x: -1 / x),
            ((x < 0) & (x != np.floor(x)), lambda x: digamma(1 - x) - np.pi * cot_pi(x)),
        ],
    )


def _digamma_far(x: NDArray) -> NDArray:
    coefficients = [b / (2 * k + 2) for k, b in enumerate(BERNOULLI)][::-1]
    square = 1 / (x * x)
    return np.log(x) - 0.5 / x - square * np.polyval(coefficients, square)


def _digamma_near(x: NDArray) -> NDArray:
    """ψ(x) = 1/(x - 1) + 1/(x - 2) + … + ψ(root + d)."""
    terms = np.zeros_like(x)
    for _ in range(8):
        high = x >= 2
        x = np.where(high, x - 1, x)
        terms = np.where(high, terms + 1 / x, terms)
    d = (x - ROOT) - ROOT_REST
    return d * np.polyval(_around_root(), d) + terms


def polygamma(n: int, x: NDArray) -> NDArray:
    """The n-th derivative of digamma, (-1)ⁿ⁺¹ n! ζ(n + 1, x)."""
    if n == 0:
        return digamma(x)
    values = np.asarray(x)
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    with np.errstate(all="ignore"):
        factor = (-1) ** (n + 1) * np.exp(lgamma(np.array(n + 1.0))) if n > 20 else (-1) ** (n + 1) * math.factorial(n)
        return np.asarray(factor * zeta(np.float64(n + 1), values.astype(np.float64)), dtype)
