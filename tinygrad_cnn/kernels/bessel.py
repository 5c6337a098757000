"""Bessel functions of whole order, in float64.

Near 0 power series whose terms do not cancel, or integrals over a period, where the trapezoidal rule is exact to the
last digit with a few points; far out the asymptotic series.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.gamma import by_parts, in_double
from tinygrad_cnn.kernels.tables import by_table

FAR = 22.0


def bessel_i(x: NDArray, n: int, scaled: bool) -> NDArray:
    """Iₙ(x), with the factor exp(-\\|x\\|) if `scaled`."""

    @in_double
    def computed(x: NDArray) -> NDArray:
        size = np.abs(x)
        near = size <= FAR + n * n
        sign = np.where(x < 0, (-1.0) ** n, 1.0)
        return by_parts(size, [(near, series), (size > FAR, asymptotic)]) * sign

    def series(x: NDArray) -> NDArray:
        k = range(round(45 + 2 * n * n))[::-1]
        coefficients = [1 / (math.factorial(j) * math.factorial(n + j)) for j in k]
        square = x * x
        front = x.astype(np.float32).astype(np.float64)
        lost = (front * front - square) + (x - front) * (x + front)  # what rounding took of the square
        y = np.polyval(coefficients, square / 4) * (x / 2) ** n
        y = y + np.where(x > 2, y * lost * (0.5 - 0.25 / np.maximum(x, 2)) / np.maximum(x, 2), 0)
        return np.asarray(y * np.exp(-x) if scaled else y)

    def asymptotic(x: NDArray) -> NDArray:
        x = x if scaled else np.minimum(x, 1e3)  # where it has long overflowed
        term, total = np.ones_like(x), np.ones_like(x)
        for k in range(1, 40):
            term = term * ((2 * k - 1) ** 2 - 4 * n * n) / (8 * k * x)
            total = total + term
        y = total / np.sqrt(2 * math.pi * x)
        return np.asarray(y if scaled else y * np.exp(x / 2) * np.exp(x / 2))

    return by_table(("i", n, scaled), computed, -22, 22, 128 if scaled else 64)(x)


HARMONICS = np.arange(1, 41, dtype=np.float64)
ANGLES = (np.arange(160) + 0.5) * (math.pi / 160)
LOG_SCALE = math.log(2) - 0.5772156649015329
ROWS = 64
"""So many numbers, each with all angles, stay in the processor's cache."""
HARMONIC = [sum(1 / j for j in range(1, k + 1)) for k in range(15)]
"""1 + 1/2 + … + 1/k"""


def _period(x: NDArray, weights: NDArray, phase: NDArray) -> NDArray:
    """The mean over t of the weights times cos(phase - x sin t)."""
    found = [
        np.cos(phase - x[k : k + ROWS, None] * np.sin(ANGLES)) @ (weights / ANGLES.size) for k in range(0, x.size, ROWS)
    ]
    return np.concatenate(found)


def _far_waves(x: NDArray, n: int) -> tuple[NDArray, NDArray]:
    """(J, Y) of large x by Hankel's series."""
    term, sums = np.ones_like(x), [np.ones_like(x), np.zeros_like(x)]
    for k in range(1, 31):
        term = term * (4 * n * n - (2 * k - 1) ** 2) / (8 * k * x)
        sums[k % 2] = sums[k % 2] + term * (1 if k % 4 < 2 else -1)
    size = np.sqrt(2 / (math.pi * x))
    s, c = np.sin(x), np.cos(x)
    turns = [((c + s), (s - c)), ((s - c), (-s - c)), ((-c - s), (c - s)), ((c - s), (s + c))][n % 4]
    cosine, sine = (part * math.sqrt(0.5) for part in turns)  # of x - nπ/2 - π/4
    return size * (sums[0] * cosine - sums[1] * sine), size * (sums[0] * sine + sums[1] * cosine)


def bessel_j(x: NDArray, n: int) -> NDArray:
    """Jₙ(x), for n >= 0; near its zeros the error is that of its largest values."""

    def near(x: NDArray) -> NDArray:
        weights = [(-1) ** k / (math.factorial(k) * math.factorial(n + k)) for k in range(12, -1, -1)]
        return np.asarray((x / 2) ** n * np.polyval(weights, x * x / 4))

    @in_double
    def computed(x: NDArray) -> NDArray:
        size = np.abs(x)
        parts: list[Any] = [
            (size < 2, near),
            (size <= FAR + n * n, lambda x: _period(x, np.ones_like(ANGLES), n * ANGLES)),
            (np.isfinite(size), lambda x: _far_waves(x, n)[0]),
            (size > 0, np.zeros_like),
        ]
        return by_parts(size, parts) * np.where(x < 0, (-1.0) ** n, 1.0)

    return by_table(("j", n), computed, -22, 22, 16, 4)(x)


def bessel_y(x: NDArray, n: int) -> NDArray:
    """Yₙ(x), for n >= 0; -∞ at 0, NaN below."""

    @in_double
    def computed(x: NDArray) -> NDArray:
        start, near = (x > 0) & (x < 2), (x > 0) & (x <= FAR)
        first, second = (
            by_parts(x, [(x == 0, lambda x: x - np.inf), (start, series), (near, waves), *_far_y(x, k)])
            for k, (series, waves) in enumerate(((_y0_series, _y0), (_y1_series, _y1)))
        )
        for k in range(1, n):
            first, second = second, 2 * k / x * second - first
        return first if n == 0 else np.where(x == 0, -np.inf, second)

    return _near_and_far(("y", n), computed)(x)


def _near_and_far(key: tuple[Any, ...], function: Callable[[NDArray], NDArray]) -> Callable[[NDArray], NDArray]:
    """With a table of narrow cells up to 2, near the pole, and one of wide cells from there on."""
    return by_table((*key, "near"), by_table((*key, "far"), function, 2, 22, 16, 4), 0, 2, 256)


def _far_y(x: NDArray, n: int) -> list[Any]:
    return [((x > 0) & np.isfinite(x), lambda x: _far_waves(x, n)[1]), (x > 0, np.zeros_like)]


def _y0_series(x: NDArray) -> NDArray:
    """(2/π) (ln(x/2) + γ) J₀ - (2/π) Σ (-x²/4)ᵏ Hₖ / k!²"""
    weights = [(-1) ** k * HARMONIC[k] / math.factorial(k) ** 2 for k in range(12, -1, -1)]
    return np.asarray((2 / math.pi) * ((np.log(x) - LOG_SCALE) * bessel_j(x, 0) - np.polyval(weights, x * x / 4)))


def _y1_series(x: NDArray) -> NDArray:
    """-Y₀': (2/π) ((ln(x/2) + γ) J₁ - 1/x) - (x/2π) Σ (-x²/4)ᵏ (Hₖ + Hₖ₊₁) / (k! (k+1)!)"""
    weights = [
        (-1) ** k * (HARMONIC[k] + HARMONIC[k + 1]) / (math.factorial(k) * math.factorial(k + 1))
        for k in range(12, -1, -1)
    ]
    rest = x / 4 * np.polyval(weights, x * x / 4)
    return np.asarray((2 / math.pi) * ((np.log(x) - LOG_SCALE) * bessel_j(x, 1) - 1 / x - rest))


def _waves(x: NDArray, of_cosine: NDArray, of_sine: NDArray) -> NDArray:
    """The means over t of cos(x sin t) and sin(x sin t) times their weights, added."""
    found = []
    for k in range(0, x.size, ROWS):
        turned = x[k : k + ROWS, None] * np.sin(ANGLES)
        found.append((np.cos(turned) @ of_cosine + np.sin(turned) @ of_sine) / ANGLES.size)
    return np.concatenate(found)


def _y0(x: NDArray) -> NDArray:
    """(2/π) (ln(x/2) + γ) J₀ - (4/π) Σ (-1)ᵏ J₂ₖ / k"""
    weights, phases = (-1) ** HARMONICS / HARMONICS, 2 * HARMONICS[:, None] * ANGLES
    rest = _waves(x, weights @ np.cos(phases), weights @ np.sin(phases))
    return np.asarray((2 / math.pi) * (np.log(x) - LOG_SCALE) * bessel_j(x, 0) - (4 / math.pi) * rest)


def _y1(x: NDArray) -> NDArray:
    """-Y₀': the derivative of each term of its series."""
    weights, phases = (-1) ** HARMONICS / HARMONICS, 2 * HARMONICS[:, None] * ANGLES
    slope = _waves(x, np.sin(ANGLES) * (weights @ np.sin(phases)), -np.sin(ANGLES) * (weights @ np.cos(phases)))
    logarithm = bessel_j(x, 0) / x - (np.log(x) - LOG_SCALE) * bessel_j(x, 1)
    return np.asarray((4 / math.pi) * slope - (2 / math.pi) * logarithm)


def bessel_k(x: NDArray, n: int, scaled: bool) -> NDArray:
    """Kₙ(x), for n >= 0, with the factor exp(x) if `scaled`; ∞ at 0, NaN below."""

    @in_double
    def computed(x: NDArray) -> NDArray:
        first, second = (
            by_parts(x, [(x == 0, lambda x: x + np.inf), ((x > 0) & (x < 1), near), (x > 0, _k_far(k, scaled))])
            for k, near in ((0, _k_near(0, scaled)), (1, _k_near(1, scaled)))
        )
        for k in range(1, n):
            first, second = second, first + 2 * k / x * second
        return first if n == 0 else np.where(x == 0, np.inf, second)

    return _near_and_far(("k", n, scaled), computed)(x)


def _k_near(n: int, scaled: bool) -> Callable[[NDArray], NDArray]:
    """By the series: K₀ = -(ln(x/2) + γ) I₀ + Σ (x²/4)ᵏ Hₖ / k!²,  K₁ = 1/x + (ln(x/2) + γ) I₁ - …"""

    def computed(x: NDArray) -> NDArray:
        logarithm = np.log(x) - LOG_SCALE
        if n == 0:
            series = np.polyval([HARMONIC[k] / math.factorial(k) ** 2 for k in range(12, -1, -1)], x * x / 4)
            y = series - logarithm * bessel_i(x, 0, False)
        else:
            weights = [
                (HARMONIC[k] + HARMONIC[k + 1]) / (math.factorial(k) * math.factorial(k + 1)) for k in range(12, -1, -1)
            ]
            y = 1 / x + logarithm * bessel_i(x, 1, False) - x / 4 * np.polyval(weights, x * x / 4)
        return np.asarray(y * np.exp(x) if scaled else y)

    return computed


def _k_far(n: int, scaled: bool) -> Callable[[NDArray], NDArray]:
    """∫₀^∞ exp(-x (cosh t - 1)) cosh(nt) dt exp(-x), in the scale in which the integrand falls."""

    def computed(x: NDArray) -> NDArray:
        t = np.arange(1, 70) * 0.1
        u = t / np.sqrt(np.maximum(x / 2, 1))[:, None]
        values = np.exp(-2 * x[:, None] * np.sinh(u / 2) ** 2) * np.cosh(n * u)
        y = (0.5 + values.sum(axis=1)) * u[:, 0]
        return np.asarray(y if scaled else y * np.exp(-x))

    return computed
