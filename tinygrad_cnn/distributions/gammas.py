"""Distributions made of gamma numbers: Gamma, χ², Beta, Dirichlet, Student's t, Fisher's F."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.autograd.function import once_differentiable
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.distribution import Distribution, ExponentialFamily, Shape
from tinygrad_cnn.distributions.parameters import (
    broadcast_all,
    floating,
    limits,
    one_hot,
    standard_normal,
    values,
)
from tinygrad_cnn.kernels.implicit import dirichlet_slope, gamma_slope
from tinygrad_cnn.kernels.incomplete import gamma_density, gammainc
from tinygrad_cnn.random import default_generator
from tinygrad_cnn.tensor import Tensor

__all__ = ["Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "StudentT"]


class GammaSample(Function):
    """Gamma numbers of rate 1 as a function of their shape: x' = -(∂F/∂α) / f (implicit: Figurnov et al. 2018)."""

    @staticmethod
    def forward(ctx: Any, alpha: Tensor) -> Tensor:
        """Draw."""
        drawn = default_generator.gamma(np.asarray(alpha.array))
        ctx.alpha, ctx.drawn = alpha.array, drawn
        return Tensor.wrap(drawn)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        """The slope of each number in its own shape."""
        return g * Tensor.wrap(gamma_slope(ctx.alpha, ctx.drawn))


class DirichletSample(Function):
    """Dirichlet vectors as a function of the concentrations, likewise."""

    @staticmethod
    def forward(ctx: Any, alpha: Tensor) -> Tensor:
        """Draw."""
        drawn = default_generator.dirichlet(np.asarray(alpha.array))
        ctx.alpha, ctx.drawn = alpha.array, drawn
        return Tensor.wrap(drawn)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        """Of each element the slope of a Beta number; the others give way in proportion."""
        slope = dirichlet_slope(ctx.drawn, ctx.alpha, ctx.alpha.sum(-1, keepdims=True))
        return (g - (g * Tensor.wrap(ctx.drawn)).sum(-1, keepdim=True)) * Tensor.wrap(slope)


class IncompleteGamma(Function):
    """P(α, x), with a derivative in x, the density, and as in PyTorch none in α."""

    @staticmethod
    def forward(ctx: Any, alpha: Tensor, x: Tensor) -> Tensor:
        """The part of the gamma integral up to x."""
        ctx.save_for_backward(alpha, x)
        return Tensor.wrap(gammainc(alpha.array, x.array))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[None, Tensor]:
        """The density of x."""
        alpha, x = ctx.saved_tensors
        if ctx.needs_input_grad[0]:
            raise NotImplementedError(
                "Gamma.cdf: the derivative by the concentration is not implemented; detach the concentration, or "
                "estimate it from log_prob"
            )
        return None, g * Tensor.wrap(gamma_density(alpha.array, x.array))


def at_least_tiny(value: Tensor) -> Tensor:
    """Lifted to the smallest normal number where it is below, its gradient left as it is."""
    least = limits(value).tiny
    if not np.any(values(value) < least):
        return value
    return value + Tensor.wrap(np.maximum(least - values(value), 0).astype(value.array.dtype))


class Gamma(ExponentialFamily):
    """The time until `concentration` events of this `rate`, for any number above 0.

    >>> Gamma(2.0, 4.0).mean
    tensor(0.5000)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: ArrayLike, rate: ArrayLike, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, (), validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Gamma numbers of rate 1 (Marsaglia & Tsang 2000), over the rate."""
        shape = self._extended_shape(sample_shape)
        drawn: Tensor = GammaSample.apply(self.concentration.expand(*shape))
        return at_least_tiny(drawn / self.rate)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """α ln β + (α - 1) ln x - βx - ln Γ(α)."""
        given = floating(self._unchecked(value)).astype(self.rate.dtype)
        if self._validate_args:
            self._validate_sample(given)
        powers = ops.xlogy(self.concentration, self.rate) + ops.xlogy(self.concentration - 1, given)
        return powers - self.rate * given - self.concentration.lgamma()

    def cdf(self, value: ArrayLike) -> Tensor:
        """The lower incomplete gamma function P(α, βx)."""
        given = self.rate * self._given(value)
        found: Tensor = IncompleteGamma.apply(self.concentration, given)
        return found

    def entropy(self) -> Tensor:
        """α - ln β + ln Γ(α) + (1 - α) ψ(α)."""
        alpha = self.concentration
        return alpha - self.rate.log() + alpha.lgamma() + (1.0 - alpha) * alpha.digamma()

    @property
    def mean(self) -> Tensor:
        """α / β."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """(α - 1) / β, at least 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """α / β²."""
        return self.concentration / self.rate.square()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        x, y = natural_params
        found: Tensor = (x + 1).lgamma() + (x + 1) * (-1 / y).log()
        return found


class Chi2(Gamma):
    """The sum of the squares of `df` standard normal numbers.

    >>> Chi2(3.0).mean
    tensor(3.)
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * floating(df), 0.5, validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        """The same for another batch shape."""
        new = super().expand(batch_shape, _instance)
        new.concentration, new.rate = self.concentration.expand(*batch_shape), self.rate.expand(*batch_shape)
        return new

    @property
    def df(self) -> Tensor:
        """How many they are."""
        return self.concentration * 2


class Dirichlet(ExponentialFamily):
    """Vectors of probabilities, along the last dim: gamma numbers of these concentrations over their sum.

    >>> Dirichlet([1.0, 3.0]).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: ArrayLike, validate_args: bool | None = None) -> None:
        self.concentration = floating(concentration)
        if self.concentration.ndim < 1:
            raise ArgumentError("`concentration` parameter must be at least one-dimensional.")
        super().__init__(self.concentration.shape[:-1], self.concentration.shape[-1:], validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw, with implicit gradients."""
        drawn: Tensor = DirichletSample.apply(self.concentration.expand(*self._extended_shape(sample_shape)))
        return drawn

    def log_prob(self, value: ArrayLike) -> Tensor:
        """Σ (α - 1) ln x + ln Γ(Σα) - Σ ln Γ(α)."""
        alpha = self.concentration
        powers = ops.xlogy(alpha - 1.0, self._given(value)).sum(-1)
        return powers + alpha.sum(-1).lgamma() - alpha.lgamma().sum(-1)

    def entropy(self) -> Tensor:
        """Σ ln Γ(α) - ln Γ(α₀) - (k - α₀) ψ(α₀) - Σ (α - 1) ψ(α), with α₀ the sum of the k α."""
        alpha, k = self.concentration, self.concentration.shape[-1]
        total = alpha.sum(-1)
        inner = ((alpha - 1.0) * alpha.digamma()).sum(-1)
        return alpha.lgamma().sum(-1) - total.lgamma() - (k - total) * total.digamma() - inner

    @property
    def mean(self) -> Tensor:
        """α / Σα."""
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        """(α - 1) / Σ(α - 1) with α - 1 at least 0; the first corner if all α are below 1, as in PyTorch."""
        above = (self.concentration - 1).clamp(min=0.0)
        total = above.sum(-1, keepdim=True)
        low = (self.concentration < 1).all(-1)
        corner = one_hot(low.long() * 0, above.shape[-1], above)
        return ops.where(low.unsqueeze(-1), corner, above / total)

    @property
    def variance(self) -> Tensor:
        """α (α₀ - α) / (α₀² (α₀ + 1))."""
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total.square() * (total + 1))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        (x,) = natural_params
        found: Tensor = x.lgamma().sum(-1) - x.sum(-1).lgamma()
        return found


class Beta(ExponentialFamily):
    """A probability: the first of two that Dirichlet's distribution gives.

    >>> Beta(1.0, 3.0).mean
    tensor(0.2500)
    """

    arg_constraints = {
        "concentration1": constraints.positive, "concentration0": constraints.positive,
    }  # fmt: skip
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: ArrayLike, concentration0: ArrayLike, validate_args: bool | None = None) -> None:
        both = ops.stack(broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(both, validate_args=validate_args)
        super().__init__(self._dirichlet.batch_shape, (), validate_args)

    @property
    def concentration1(self) -> Tensor:
        """That of the probability."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """That of its opposite."""
        return self._dirichlet.concentration[..., 1]

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw, with implicit gradients."""
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """(α - 1) ln x + (β - 1) ln(1 - x) - ln B(α, β)."""
        given = self._given(value)
        return self._dirichlet.log_prob(ops.stack([given, 1.0 - given], -1))

    def entropy(self) -> Tensor:
        """ln B(α, β) - (α - 1) ψ(α) - (β - 1) ψ(β) + (α + β - 2) ψ(α + β)."""
        return self._dirichlet.entropy()

    @property
    def mean(self) -> Tensor:
        """α / (α + β)."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """The first element of Dirichlet's mode."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        """αβ / ((α + β)² (α + β + 1))."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.square() * (total + 1))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        x, y = natural_params
        found: Tensor = x.lgamma() + y.lgamma() - (x + y).lgamma()
        return found


class StudentT(Distribution):
    """A normal number over the root of an independent χ² one over its `df`; moved by `loc` and scaled.

    >>> StudentT(3.0).variance
    tensor(3.)
    """

    arg_constraints = {
        "df": constraints.positive, "loc": constraints.real, "scale": constraints.positive,
    }  # fmt: skip
    support = constraints.real
    has_rsample = True

    def __init__(
        self, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, validate_args: bool | None = None
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df, validate_args=False)
        super().__init__(self.df.shape, (), validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc + scale · x / √(z / df) with x normal and z of χ²."""
        x = standard_normal(self._extended_shape(sample_shape), self.df)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (x * (z / self.df).rsqrt())

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-½(ν + 1) ln(1 + y²/ν) - ln scale - ½ ln(πν) - ln Γ(ν/2) + ln Γ((ν + 1)/2), y = (value - loc) / scale."""
        y = (self._given(value) - self.loc) / self.scale
        gammas = (0.5 * self.df).lgamma() - (0.5 * (self.df + 1.0)).lgamma()
        normalizer = self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi) + gammas
        return -0.5 * (self.df + 1.0) * (y * y / self.df).log1p() - normalizer

    def entropy(self) -> Tensor:
        """ln scale + ½(ν + 1)(ψ((ν + 1)/2) - ψ(ν/2)) + ½ ln ν + ln B(ν/2, ½)."""
        half, next_half = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = half.lgamma() + math.lgamma(0.5) - next_half.lgamma()
        return self.scale.log() + next_half * (next_half.digamma() - half.digamma()) + 0.5 * self.df.log() + log_beta

    @property
    def mean(self) -> Tensor:
        """loc, for df > 1."""
        return ops.where(self.df <= 1, math.nan, self.loc)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """scale² df / (df - 2) for df > 2, else infinite, and for df ≤ 1 not a number."""
        finite = self.df > 2
        df = ops.where(finite, self.df, 3.0)
        found = ops.where(finite, self.scale.square() * df / (df - 2), math.inf)
        return ops.where(self.df <= 1, math.nan, found)


class FisherSnedecor(Distribution):
    """The quotient of two χ² numbers, each over its degrees of freedom.

    >>> FisherSnedecor(3.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: ArrayLike, df2: ArrayLike, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1, validate_args=False)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2, validate_args=False)
        super().__init__(self.df1.shape, (), validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """The quotient of two gamma numbers, with implicit gradients."""
        above, below = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        return at_least_tiny(above / below)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-ln B(d₁/2, d₂/2) + d₁/2 ln(d₁/d₂) + (d₁/2 - 1) ln x - (d₁ + d₂)/2 ln(1 + x d₁/d₂)."""
        given, a, b, ratio = self._given(value), self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        gammas = (a + b).lgamma() - a.lgamma() - b.lgamma()
        return gammas + a * ratio.log() + (a - 1) * given.log() - (a + b) * (ratio * given).log1p()

    @property
    def mean(self) -> Tensor:
        """d₂ / (d₂ - 2) for d₂ > 2."""
        df2 = ops.where(self.df2 <= 2, math.nan, self.df2)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        """(d₁ - 2) / d₁ · d₂ / (d₂ + 2) for d₁ > 2."""
        found = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return ops.where(self.df1 <= 2, math.nan, found)

    @property
    def variance(self) -> Tensor:
        """2 d₂² (d₁ + d₂ - 2) / (d₁ (d₂ - 2)² (d₂ - 4)) for d₂ > 4."""
        df2 = ops.where(self.df2 <= 4, math.nan, self.df2)
        return 2 * df2.square() * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).square() * (df2 - 4))
