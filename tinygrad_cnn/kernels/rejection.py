"""Samplers by rejection, one number at a time: gamma, Poisson and binomial, from streams of uniform numbers.

Each draws as PyTorch's CPU kernel does, number by number: with the same stream the samples are the same.
"""

import math
from collections.abc import Callable

Draw = Callable[[], float]
"""The next number of a stream."""
Rounding = Callable[[float], float]
"""To the dtype in which PyTorch computes."""

STIRLING = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
)  # fmt: skip
"""ln k! less Stirling's formula, for k = 0 to 9."""
SQUEEZE = 0.03310000151395798
"""0.0331 in float32: the constant as PyTorch's kernel has it."""
THIRD = 0.3333333432674408
"""1/3 in float32, likewise."""


def gamma(alpha: float, uniform: Draw, normal: Draw, rounded: Rounding) -> float:
    """A number of the gamma distribution of this shape and of rate 1 (Marsaglia & Tsang 2000)."""
    scale = 1.0
    if not alpha >= 1:
        if not alpha > 0:
            return 0.0 if alpha == 0 else math.nan
        scale = math.pow(1 - uniform(), rounded(1 / alpha))
        alpha = rounded(alpha + 1)
    d = rounded(alpha - THIRD)
    c = 1 / math.sqrt(9 * d)
    while True:
        x = normal()
        y = 1 + c * x
        if y <= 0:
            continue
        v = y * y * y
        u = 1 - uniform()
        square = x * x
        if u < 1 - SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def poisson(rate: float, uniform: Draw) -> int:
    """A number of Poisson's distribution (from a rate of 10 on Hörmann 1993, below it by a product of uniform ones)."""
    if rate == 0:
        return 0
    if rate < 10:
        least, count, product = math.exp(-rate), 0, uniform()
        while product > least:
            count += 1
            product *= uniform()
        return count
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b)
        if left <= -rate + k * log_rate - math.lgamma(k + 1):
            return k


def binomial(count: float, chance: float, uniform: Draw, rounded: Rounding) -> float:
    """How many of `count` trials succeed, each with this chance (Hörmann 1993; few by their geometric gaps)."""
    if math.isnan(count) or math.isnan(chance):
        return math.nan
    if count <= 0 or chance <= 0:
        return 0.0
    if chance >= 1:
        return count
    less = chance if chance <= 0.5 else rounded(1 - chance)
    many = rounded(count * less) >= 10
    found = _in_a_box(count, less, uniform, rounded) if many else _by_gaps(count, less, uniform, rounded)
    return found if chance <= 0.5 else count - found


def _by_gaps(count: float, chance: float, uniform: Draw, rounded: Rounding) -> float:
    """Trials up to each success are geometric numbers: those count that end within all trials."""
    log_failure, trials, successes = rounded(math.log1p(-chance)), 0.0, 0
    while True:
        u = uniform()
        trials += math.ceil(math.log(u) / log_failure) if u > 0 else math.inf
        if trials > count:
            return float(successes)
        successes += 1


def _in_a_box(count: float, chance: float, uniform: Draw, rounded: Rounding) -> float:
    """Transformed rejection with squeeze; the names are those of Hörmann's paper."""
    expected = rounded(count * chance)
    deviation = rounded(math.sqrt(rounded(expected * rounded(1 - chance))))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    c = expected + 0.5
    v_r = 0.92 - 4.2 / b
    r = rounded(chance / rounded(1 - chance))
    alpha = (2.83 + 5.1 / b) * deviation
    m = math.floor(rounded(rounded(count + 1) * chance))
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + c)
        if k < 0 or k > count:
            continue
        if us >= 0.07 and v <= v_r:
            return float(k)
        v = log(v * alpha / (a / (us * us) + b))
        bound = (
            (m + 0.5) * math.log((m + 1) / (r * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(r * (count - k + 1) / (k + 1))
            + stirling_tail(m) + stirling_tail(count - m) - stirling_tail(k) - stirling_tail(count - k)
        )  # fmt: skip
        if v <= bound:
            return float(k)


def stirling_tail(k: float) -> float:
    """ln k! less (k + ½) ln(k + 1) - (k + 1) + ½ ln 2π."""
    if k < len(STIRLING):
        return STIRLING[int(k)]
    square = (k + 1) * (k + 1)
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


def log(x: float) -> float:
    """The logarithm, -∞ at 0."""
    return math.log(x) if x > 0 else -math.inf
