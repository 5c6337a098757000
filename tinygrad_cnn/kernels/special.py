"""Functions that NumPy lacks."""

import numpy as np

from tinygrad_cnn.core.types import NDArray

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


def erf(x: NDArray) -> NDArray:
    """The error function 2/√π ∫₀ˣ exp(-t²) dt, in the dtype of x, computed in float64.

    Rational Chebyshev approximations: W. J. Cody, "Rational Chebyshev approximations for the error function",
    Mathematics of Computation 23 (1969), 631-637. From |x| = 6 on the result is ±1 to the last bit.
    """
    values = np.asarray(x)
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    v = values.astype(np.float64)
    size = np.minimum(np.abs(v), 6.0)
    square = np.minimum(size, 0.5) ** 2
    small = v * np.polyval(SMALL[0], square) / np.polyval(SMALL[1], square)
    middle = 1 - np.exp(-size * size) * np.polyval(MIDDLE[0], size) / np.polyval(MIDDLE[1], size)
    y = np.where(np.abs(v) <= 0.46875, small, np.copysign(middle, v))
    return np.asarray(y, dtype)


def erfinv(y: NDArray) -> NDArray:
    """The x with erf(x) = y, in the dtype of y, computed in float64; ±∞ at ±1, NaN beyond.

    Winitzki's formula, right to 0.2%, and three of Halley's steps.
    """
    values = np.asarray(y)
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    v = values.astype(np.float64)
    inside = np.where(np.abs(v) < 1, v, 0.0)
    decay = np.log1p(-inside * inside)
    a = 0.147
    half = 2 / (np.pi * a) + decay / 2
    x = np.copysign(np.sqrt(np.maximum(np.sqrt(half * half - decay / a) - half, 0)), inside)
    for _ in range(3):
        step = (erf(x) - inside) * (np.sqrt(np.pi) / 2) * np.exp(x * x)
        x = x - step / (1 + x * step)
    edge = np.where(np.abs(v) == 1, np.copysign(np.inf, v), np.nan)
    return np.asarray(np.where(np.abs(v) < 1, x, edge), dtype)
