"""The lower incomplete gamma function, in float64, by its series and by Legendre's continued fraction."""

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.gamma import lgamma

TERMS = 10_000
"""More than either needs for shapes up to 10⁷."""


def gamma_density(a: NDArray, x: NDArray) -> NDArray:
    """xᵃ⁻¹ exp(-x) / Γ(a), in the dtype of x."""
    shape, value = np.asarray(a, np.float64), np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        power = np.where(shape == 1, 0.0, (shape - 1) * np.log(value))
        return np.asarray(np.exp(power - value - lgamma(shape)), np.asarray(x).dtype)


def gammainc(a: NDArray, x: NDArray) -> NDArray:
    """P(a, x) = ∫₀ˣ tᵃ⁻¹ exp(-t) dt / Γ(a), in the dtype of x; NaN for a or x below 0."""
    shape, value = (np.asarray(v, np.float64).reshape(-1) for v in np.broadcast_arrays(a, x))
    found = np.full(shape.shape, np.nan)
    found[(shape >= 0) & (value == 0) & ~((shape == 0) & (value == 0))] = 0.0
    found[(shape > 0) & (value == np.inf)] = 1.0
    found[(shape == 0) & (value > 0)] = 1.0
    inside = (shape > 0) & (value > 0) & np.isfinite(value)
    near = inside & (value < shape + 1)
    far = inside & ~near
    found[near] = _series(shape[near], value[near])
    found[far] = 1 - _fraction(shape[far], value[far])
    return found.reshape(np.broadcast_shapes(np.shape(a), np.shape(x))).astype(np.asarray(x).dtype)


def _series(a: NDArray, x: NDArray) -> NDArray:
    """xᵃ exp(-x) / Γ(a + 1) · Σ xⁿ / ((a + 1)…(a + n))."""
    term = np.ones_like(x)
    total = term.copy()
    for n in range(1, TERMS):
        term *= x / (a + n)
        total += term
        if not np.any(term > total * 1e-17):
            break
    found: NDArray = total * np.exp(a * np.log(x) - x - lgamma(a + 1))
    return found


def _fraction(a: NDArray, x: NDArray) -> NDArray:
    """1 - P by the continued fraction xᵃ exp(-x) / Γ(a) · 1 / (x + 1 - a - (1 - a) / (x + 3 - a - …)) (Lentz)."""
    b = x + 1 - a
    c, d = np.full_like(x, 1e300), 1 / b
    h = d.copy()
    for n in range(1, TERMS):
        factor = -n * (n - a)
        b = b + 2
        d = factor * d + b
        d = 1 / np.where(d == 0, 1e-300, d)
        c = b + factor / c
        c = np.where(c == 0, 1e-300, c)
        h *= d * c
        if not np.any(np.abs(d * c - 1) > 1e-16):
            break
    found: NDArray = np.exp(a * np.log(x) - x - lgamma(a)) * h
    return found
