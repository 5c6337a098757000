"""Modified Bessel functions, in float64: the power series, whose terms are positive, and far out the asymptotic one."""

import math

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.gamma import by_parts, in_double

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

    return computed(x)
