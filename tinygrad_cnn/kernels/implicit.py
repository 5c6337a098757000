"""Slopes of gamma and Dirichlet numbers in their parameters, for samples that are functions of these.

A sample x whose distribution function is F moves with a parameter a so that F(x; a) stays: dx/da = -(∂F/∂a) / f.
The approximations, and where each holds, are PyTorch's (rational ones fitted by M. Jankowiak and F. Obermeyer, and
series and saddle points at the edges), right to about 1e-3; computed in float64.
"""

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.gamma import digamma

GAMMA_UV = np.array(
    [
        [0.16009398, -0.094634809, 0.025146376, -0.0030648343, 1, 0.32668115, 0.10406089, 0.0014179084],
        [0.53487893, 0.1298071, 0.065735949, -0.0015649758, 0.16639465, 0.020070113, -0.0035938915, -0.00058392623],
        [0.040121004, -0.0065914022, -0.0026286047, -0.0013441777, 0.017050642, -0.0021309326, 0.00085092367,
         -1.5247877e-07],
    ]
)  # fmt: skip
"""Of powers of u (rows) and v, four of the numerator, four of the denominator."""
BETA_UAB = np.array(
    [
        [
            [[1.003668233, -0.01061107488, -0.0657888334, 0.01201642863],
             [0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033],
             [-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013]],
            [[0.221950385, -0.3187676331, 0.01799915743, 0.01074823814],
             [-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057],
             [0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-05]],
            [[-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565],
             [0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181],
             [0.005900514878, -0.001936558688, -9.495446725e-06, 5.385558597e-05]],
        ],
        [
            [[1, -0.02924021934, -0.04438342661, 0.007285809825],
             [0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521],
             [-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149]],
            [[0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273],
             [0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956],
             [-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-05]],
            [[0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-05],
             [0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-05],
             [-0.0003477407336, 6.959756487e-05, 1.097287507e-05, -1.650964693e-06]],
        ],
    ]
)  # fmt: skip
"""Of powers of u, a and b: the numerator's and the denominator's."""


def gamma_slope(alpha: NDArray, x: NDArray) -> NDArray:
    """The slope of gamma numbers x of rate 1 in their shapes alpha, in the dtype of x."""
    shape, a, v = x.shape, alpha.reshape(-1).astype(np.float64), x.reshape(-1).astype(np.float64)
    near = (a > 8) & (0.9 * a <= v) & (v <= 1.1 * a)
    return _by_case(
        [(v < 0.8, _gamma_near_0), (near, _gamma_at_mean), (a > 8, _gamma_large), (True, _gamma_between)], a, v
    ).reshape(shape).astype(x.dtype)  # fmt: skip


def dirichlet_slope(x: NDArray, alpha: NDArray, total: NDArray) -> NDArray:
    """The slope of Beta(alpha, total - alpha) numbers x in alpha, over 1 - x, in the dtype of x."""
    v, a, t = (np.broadcast_to(y, x.shape).reshape(-1).astype(np.float64) for y in (x, alpha, total))
    edge = t * v * (1 - v)
    return _by_case(
        [
            ((v <= 0.5) & (edge < 2.5), _beta_near_0),
            ((v >= 0.5) & (edge < 0.75), _beta_near_1),
            ((a > 6) & (t - a > 6), _beta_large),
            (True, _beta_between),
        ],
        v, a, t,
    ).reshape(x.shape).astype(x.dtype)  # fmt: skip


def _by_case(cases: list, *arrays: NDArray) -> NDArray:  # type: ignore[type-arg]
    """Each element by the first rule whose condition holds."""
    found, left = np.zeros(arrays[0].shape), np.ones(arrays[0].shape, bool)
    for condition, rule in cases:
        here = left & condition
        left = left & ~here
        with np.errstate(all="ignore"):
            found[here] = rule(*(y[here] for y in arrays))
    return found


def _gamma_near_0(a: NDArray, x: NDArray) -> NDArray:
    """Five terms of the series of the distribution function."""
    term, below = np.ones_like(x), a.copy()
    first, second = term / below, term / (below * below)
    for i in range(1, 6):
        term = term * -x / i
        below = below + 1
        first = first + term / below
        second = second + term / (below * below)
    power = x**a
    slope = (np.log(x) - digamma(a)) * power * first - power * second
    found: NDArray = np.nan_to_num(-slope / (x ** (a - 1) * np.exp(-x)), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return found


def _gamma_at_mean(a: NDArray, x: NDArray) -> NDArray:
    """Rice's saddle point, close to the mean."""
    first = 1 + 24 * a * (1 + 12 * a)
    second = 1440 * a * a + 6 * x * (53 - 120 * x) - 65 * x * x / a + a * (107 + 3600 * x)
    found: NDArray = first * second / (1244160 * a * a * a * a)
    return found


def _gamma_large(a: NDArray, x: NDArray) -> NDArray:
    """Rice's saddle point, away from the mean."""
    below = np.sqrt(8 * a)
    second = below / (a - x)
    third = (x - a - a * np.log(x / a)) ** -1.5
    both = np.where(x < a, second - third, second + third)
    first = np.log(x / a) * both - np.sqrt(2 / a) * (a + x) / ((a - x) * (a - x))
    found: NDArray = -(1 + 1 / (12 * a) * (1 + 1 / (24 * a))) * x * first / below
    return found


def _gamma_between(a: NDArray, x: NDArray) -> NDArray:
    """A quotient of polynomials of ln(x / a) and ln a."""
    u, v = np.log(x / a), np.log(a)
    c = [p + u * (q + u * r) for p, q, r in GAMMA_UV.T]
    above, below = (k[0] + v * (k[1] + v * (k[2] + v * k[3])) for k in (c[:4], c[4:]))
    found: NDArray = np.exp(above / below)
    return found


def _beta_near_0(x: NDArray, a: NDArray, t: NDArray) -> NDArray:
    """The slope in alpha: ten terms of a series in x."""
    b = t - a
    factor = digamma(a) - digamma(t) - np.log(x)
    term = np.ones_like(x)
    series = term / a * (factor + 1 / a)
    for i in range(1, 11):
        term = term * (i - b) * x / i
        series = series + term / (a + i) * (factor + 1 / (a + i))
    found: NDArray = x * (1 - x) ** -b * series
    return np.where(np.isnan(found), 0.0, found)


def _beta_near_1(x: NDArray, a: NDArray, t: NDArray) -> NDArray:
    """The slope in beta of the mirrored number: eight terms in 1 - x."""
    y, a, b = 1 - x, t - a, a
    factor = digamma(t) - digamma(b)
    term, product, slope = np.ones_like(x), np.ones_like(x), np.zeros_like(x)
    series = factor / a
    for i in range(1, 9):
        term = term * -y / i
        slope = slope * (b - i) + product
        product = product * (b - i)
        series = series + term / (a + i) * (slope + factor * product)
    found: NDArray = (1 - y) ** (1 - b) * series
    return np.where(np.isnan(found), 0.0, found)


def _beta_large(x: NDArray, a: NDArray, t: NDArray) -> NDArray:
    """Rice's saddle point; close to the mean a polynomial."""
    b = t - a
    mean, deviation = a / t, np.sqrt(a * b / (t + 1)) / t
    poly = 47 * x * b**4 + a * (
        (43 + 20 * (16 + 27 * b) * x) * b**3
        + a * (3 * (59 + 180 * b - 90 * x) * b**2
               + a * ((453 + 1620 * b * (1 - x) - 455 * x) * b + a * (8 * (1 - x) * (135 * b - 11))))
    )  # fmt: skip
    close = (1 + 12 * a) * (1 + 12 * b) / (t * t) / (1 - x) * poly / (12960 * a**3 * b**2 * (1 + 12 * t))
    stirling = (
        (1 + 1 / (12 * a) + 1 / (288 * a * a)) * (1 + 1 / (12 * b) + 1 / (288 * b * b))
        / (1 + 1 / (12 * t) + 1 / (288 * t * t))
    )  # fmt: skip
    axbx = a * (x - 1) + b * x
    first = (2 * a * a * (x - 1) + a * b * (x - 1) - x * b * b) / (np.sqrt(2 * a / b) * t**1.5 * axbx * axbx)
    second, third = 0.5 * np.log(a / (t * x)), np.sqrt(8 * a * b / t) / axbx
    fourth = (b * np.log(b / (t * (1 - x))) + a * np.log(a / (t * x))) ** -1.5
    terms = first + second * (third + np.where(x < mean, fourth, -fourth))
    far = stirling * -x / np.sqrt(2 * a * b / t) * terms
    found: NDArray = np.where((mean - 0.1 * deviation <= x) & (x <= mean + 0.1 * deviation), close, far)
    return found


def _beta_between(x: NDArray, a: NDArray, t: NDArray) -> NDArray:
    """A rational correction of an analytic approximation."""
    u = np.log(x)
    c = np.log(a) - u
    d = np.log(t) - c
    powers = [[u**i * c**j for j in range(3)] for i in range(3)]
    above, below = (
        sum(
            powers[i][j] * (k[i, j, 0] + d * (k[i, j, 1] + d * (k[i, j, 2] + d * k[i, j, 3])))
            for i in range(3)
            for j in range(3)
        )
        for k in BETA_UAB
    )
    found: NDArray = above / below * x * (digamma(t) - digamma(a)) / (t - a)
    return found
