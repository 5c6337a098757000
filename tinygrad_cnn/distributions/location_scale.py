"""Distributions on the real line that a location and a scale, or two bounds, or a rate, say."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.distribution import AroundLoc, Distribution, ExponentialFamily, Shape
from tinygrad_cnn.distributions.parameters import broadcast_all, constant, limits, standard_normal, uniform
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor

__all__ = ["Cauchy", "Exponential", "GeneralizedPareto", "Laplace", "Normal", "Uniform"]

LOCATION_SCALE = {"loc": constraints.real, "scale": constraints.positive}


class LocationScale(AroundLoc):
    """One that is moved by `loc` and stretched by `scale` > 0."""

    arg_constraints: ClassVar[Any] = LOCATION_SCALE
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, (), validate_args)


class Normal(LocationScale, ExponentialFamily):
    """The normal distribution of mean `loc` and deviation `scale` > 0.

    >>> Normal(0.0, 1.0).log_prob(0.0)
    tensor(-0.9189)
    """

    _mean_carrier_measure = 0

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc + scale · ε with ε of the standard normal distribution."""
        return self.loc + standard_normal(self._extended_shape(sample_shape), self.loc) * self.scale

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-(value - loc)²/(2 scale²) - ln scale - ln √(2π)."""
        distance = self._given(value) - self.loc
        return -(distance * distance) / (2 * self.scale * self.scale) - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def entropy(self) -> Tensor:
        """½ + ½ ln 2π + ln scale."""
        return self.scale.log() + (0.5 + 0.5 * math.log(2 * math.pi))

    def cdf(self, value: ArrayLike) -> Tensor:
        """½ (1 + erf((value - loc) / (scale √2)))."""
        return 0.5 * (1 + ((self._given(value) - self.loc) / (self.scale * math.sqrt(2))).erf())

    def icdf(self, value: ArrayLike) -> Tensor:
        """loc + scale √2 erf⁻¹(2 value - 1)."""
        return self.loc + self.scale * (2 * self._unchecked(value) - 1).erfinv() * math.sqrt(2)

    @property
    def stddev(self) -> Tensor:
        """scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale²."""
        return self.scale * self.scale

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.loc / self.scale.square(), -0.5 / self.scale.square()

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        x, y = natural_params
        found: Tensor = -0.25 * x * x / y + 0.5 * (-math.pi / y).log()
        return found


class Laplace(LocationScale):
    """Exponentially distributed distances on both sides of `loc`.

    >>> Laplace(0.0, 1.0).cdf(0.0)
    tensor(0.5000)
    """

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc - scale · sign(u) ln(1 - |u|) with u evenly from (-1, 1)."""
        drawn = uniform(self._extended_shape(sample_shape), self.loc, float(limits(self.loc).eps) - 1, 1)
        return self.loc - self.scale * drawn.sign() * (-drawn.abs()).log1p()

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-ln(2 scale) - |value - loc| / scale."""
        return -(2 * self.scale).log() - (self._given(value) - self.loc).abs() / self.scale

    def cdf(self, value: ArrayLike) -> Tensor:
        """½ - ½ sign(d)(exp(-|d| / scale) - 1) with d = value - loc."""
        distance = self._given(value) - self.loc
        return 0.5 - 0.5 * distance.sign() * (-distance.abs() / self.scale).expm1()

    def icdf(self, value: ArrayLike) -> Tensor:
        """loc - scale · sign(t) ln(1 - 2 |t|) with t = value - ½."""
        term = self._unchecked(value) - 0.5
        return self.loc - self.scale * term.sign() * (-2 * term.abs()).log1p()

    def entropy(self) -> Tensor:
        """1 + ln(2 scale)."""
        return 1 + (2 * self.scale).log()

    @property
    def variance(self) -> Tensor:
        """2 scale²."""
        return 2 * self.scale * self.scale

    @property
    def stddev(self) -> Tensor:
        """√2 scale."""
        return math.sqrt(2) * self.scale


class Cauchy(LocationScale):
    """The quotient of two normal numbers, moved and scaled: it has no mean.

    >>> Cauchy(0.0, 1.0).icdf(0.75)
    tensor(1.)
    """

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc + scale tan(π(u - ½)) with u evenly from [0, 1)."""
        even = default_generator.uniform(self._extended_shape(sample_shape), np.float64)
        return self.loc + Tensor.wrap(np.tan(np.pi * (even - 0.5)).astype(self.loc.array.dtype)) * self.scale

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-ln π - ln scale - ln(1 + ((value - loc) / scale)²)."""
        distance = (self._given(value) - self.loc) / self.scale
        return -math.log(math.pi) - self.scale.log() - (distance * distance).log1p()

    def cdf(self, value: ArrayLike) -> Tensor:
        """atan((value - loc) / scale) / π + ½."""
        return ((self._given(value) - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: ArrayLike) -> Tensor:
        """tan(π(value - ½)) scale + loc."""
        return (math.pi * (self._unchecked(value) - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        """ln(4π scale)."""
        return math.log(4 * math.pi) + self.scale.log()

    @property
    def mean(self) -> Tensor:
        """Not a number: the integral does not converge."""
        return constant(math.nan, self.loc)

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return constant(math.inf, self.loc)


class Uniform(Distribution):
    """Evenly distributed on [low, high).

    >>> Uniform(0.0, 4.0).entropy()
    tensor(1.3863)
    """

    has_rsample = True

    def __init__(self, low: ArrayLike, high: ArrayLike, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, (), validate_args)

    @property
    def arg_constraints(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]  # of each bound by the other
        """Each low is below its high."""
        return {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)}

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """[low, high]."""
        return constraints.interval(self.low, self.high)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """low + (high - low) · u with u evenly from [0, 1)."""
        return self.low + uniform(self._extended_shape(sample_shape), self.low) * (self.high - self.low)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-ln(high - low) inside, -∞ at high and outside."""
        given = self._given(value)
        inside = (given >= self.low) & (given < self.high)
        return ops.where(inside, constant(0, self.low), -math.inf) - (self.high - self.low).log()

    def cdf(self, value: ArrayLike) -> Tensor:
        """(value - low) / (high - low), between 0 and 1."""
        return ((self._given(value) - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: ArrayLike) -> Tensor:
        """value (high - low) + low."""
        return self._unchecked(value) * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        """ln(high - low)."""
        return (self.high - self.low).log()

    @property
    def mean(self) -> Tensor:
        """(low + high) / 2."""
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        """Not a number: all values are as likely."""
        return math.nan * self.high

    @property
    def stddev(self) -> Tensor:
        """(high - low) / √12."""
        return (self.high - self.low) / math.sqrt(12)

    @property
    def variance(self) -> Tensor:
        """(high - low)² / 12."""
        return (self.high - self.low).square() / 12


class Exponential(ExponentialFamily):
    """The time until an event of this `rate`.

    >>> Exponential(2.0).mean
    tensor(0.5000)
    """

    arg_constraints = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, rate: ArrayLike, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, (), validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """-ln(1 - u) / rate with u evenly from [0, 1)."""
        drawn = default_generator.exponential(self._extended_shape(sample_shape), self.rate.array.dtype)
        return Tensor.wrap(drawn) / self.rate

    def log_prob(self, value: ArrayLike) -> Tensor:
        """Ln rate - rate · value."""
        return self.rate.log() - self.rate * self._given(value)

    def cdf(self, value: ArrayLike) -> Tensor:
        """1 - exp(-rate · value)."""
        return 1 - (-self.rate * self._given(value)).exp()

    def icdf(self, value: ArrayLike) -> Tensor:
        """-ln(1 - value) / rate."""
        return -(-self._unchecked(value)).log1p() / self.rate

    def entropy(self) -> Tensor:
        """1 - ln rate."""
        return 1.0 - self.rate.log()

    @property
    def mean(self) -> Tensor:
        """1 / rate."""
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        """0."""
        return constant(0, self.rate)

    @property
    def stddev(self) -> Tensor:
        """1 / rate."""
        return 1 / self.rate

    @property
    def variance(self) -> Tensor:
        """1 / rate²."""
        return self.rate**-2

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (-self.rate,)

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        found: Tensor = -(-natural_params[0]).log()
        return found


class GeneralizedPareto(Distribution):
    """The excess over a high threshold `loc`: heavy tails for `concentration` > 0, bounded ones below 0.

    >>> GeneralizedPareto(0.0, 1.0, 0.5).mean
    tensor(2.)
    """

    arg_constraints = {**LOCATION_SCALE, "concentration": constraints.real}
    has_rsample = True

    def __init__(
        self, loc: ArrayLike, scale: ArrayLike, concentration: ArrayLike, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, (), validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """[loc, ∞), up to loc - scale / concentration if that is below 0."""
        bounded = self.concentration < 0
        xi = ops.where(bounded, self.concentration, -1.0)
        upper = ops.where(bounded, self.loc - self.scale / xi, math.inf)
        return constraints.interval(self.loc, upper)

    @property
    def _bent(self) -> tuple[Tensor, Tensor]:
        """Where the concentration is 0, and the concentration with 1 in these places."""
        zero = ops.isclose(self.concentration, constant(0, self.concentration))
        return zero, ops.where(zero, 1.0, self.concentration)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """`icdf` of u evenly from [0, 1)."""
        return self.icdf(uniform(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-ln scale - (1 / ξ + 1) ln(1 + ξz) with z = (value - loc) / scale; -ln scale - z for ξ = 0."""
        z, (zero, xi) = (self._given(value) - self.loc) / self.scale, self._bent
        power = 1 / xi + 1
        return -self.scale.log() - ops.where(zero, z, ops.where(power == 0, power, power * (xi * z).log1p()))

    def log_survival_function(self, value: ArrayLike) -> Tensor:
        """-ln(1 + ξz) / ξ; -z for ξ = 0."""
        z, (zero, xi) = (self._given(value) - self.loc) / self.scale, self._bent
        return ops.where(zero, -z, -(xi * z).log1p() / xi)

    def log_cdf(self, value: ArrayLike) -> Tensor:
        """The logarithm of `cdf`."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: ArrayLike) -> Tensor:
        """1 - (1 + ξz)^(-1/ξ)."""
        return self.log_cdf(value).exp()

    def icdf(self, value: ArrayLike) -> Tensor:
        """loc + scale ((1 - value)^(-ξ) - 1) / ξ; loc - scale ln(1 - value) for ξ = 0."""
        left, (zero, xi) = (-self._unchecked(value)).log1p(), self._bent
        return ops.where(zero, self.loc - self.scale * left, self.loc + self.scale / xi * (-xi * left).expm1())

    def entropy(self) -> Tensor:
        """Ln scale + ξ + 1."""
        return self.scale.log() + self.concentration + 1

    @property
    def mean(self) -> Tensor:
        """loc + scale / (1 - ξ) for ξ < 1, else not a number."""
        valid = self.concentration < 1
        xi = ops.where(valid, self.concentration, 0.5)
        return ops.where(valid, self.loc + self.scale / (1 - xi), math.nan)

    @property
    def variance(self) -> Tensor:
        """scale² / ((1 - ξ)²(1 - 2ξ)) for ξ < ½, else not a number."""
        valid = self.concentration < 0.5
        xi = ops.where(valid, self.concentration, 0.25)
        return ops.where(valid, self.scale.square() / ((1 - xi).square() * (1 - 2 * xi)), math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc
