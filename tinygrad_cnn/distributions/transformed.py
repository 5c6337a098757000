"""Distributions that are images of simpler ones under transforms."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

from tinygrad_cnn import ops
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.categories import CLASSES, ExpRelaxedCategorical
from tinygrad_cnn.distributions.compound import Independent, TransformedDistribution
from tinygrad_cnn.distributions.discrete import PROBS_OR_LOGITS, WithProbs
from tinygrad_cnn.distributions.distribution import Distribution, Shape
from tinygrad_cnn.distributions.gammas import Gamma
from tinygrad_cnn.distributions.location_scale import LOCATION_SCALE, Cauchy, Exponential, Normal, Uniform
from tinygrad_cnn.distributions.parameters import EULER, broadcast_all, clamped, constant, floating, limits, uniform
from tinygrad_cnn.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    ExpTransform,
    PowerTransform,
    SigmoidTransform,
    StickBreakingTransform,
)
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "Gumbel", "HalfCauchy", "HalfNormal", "InverseGamma", "Kumaraswamy", "LogNormal", "LogisticNormal", "Pareto",
    "RelaxedBernoulli", "RelaxedOneHotCategorical", "Weibull",
]  # fmt: skip


class Rebuilt(TransformedDistribution):
    """One whose transforms hold parameters, and are made anew for another batch shape."""

    def _build(self, validate_args: bool | None) -> None:
        """Make base and transforms of the parameters."""
        raise NotImplementedError

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The same for another batch shape."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        for name in self.arg_constraints:
            vars(new)[name] = vars(self)[name].expand(*batch_shape)
        new._build(False)
        new._validate_args = self._validate_args
        return new


class LogNormal(TransformedDistribution):
    """Numbers whose logarithm is normal.

    >>> LogNormal(0.0, 1.0).mode
    tensor(0.3679)
    """

    arg_constraints: ClassVar[Any] = LOCATION_SCALE
    support = constraints.positive
    has_rsample = True
    base_dist: Normal

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithm."""
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The deviation of the logarithm."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        """exp(loc + scale² / 2)."""
        return (self.loc + self.scale.square() / 2).exp()

    @property
    def mode(self) -> Tensor:
        """exp(loc - scale²)."""
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        """(exp(scale²) - 1) exp(2 loc + scale²)."""
        square = self.scale.square()
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        """That of the normal distribution, and loc."""
        return self.base_dist.entropy() + self.loc


class Half(TransformedDistribution):
    """The distance from 0 of numbers that are symmetric about it."""

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base_dist: Any

    @property
    def scale(self) -> Tensor:
        """That of both sides."""
        found: Tensor = self.base_dist.scale
        return found

    @property
    def mode(self) -> Tensor:
        """0."""
        return constant(0, self.scale)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """That of both sides and ln 2; -∞ below 0."""
        given = self._given(value)
        return ops.where(given >= 0, self.base_dist.log_prob(given) + math.log(2), -math.inf)

    def cdf(self, value: ArrayLike) -> Tensor:
        """2 F - 1."""
        found: Tensor = 2 * self.base_dist.cdf(self._given(value)) - 1
        return found

    def icdf(self, value: ArrayLike) -> Tensor:
        """F⁻¹((value + 1) / 2)."""
        found: Tensor = self.base_dist.icdf((self._unchecked(value) + 1) / 2)
        return found

    def entropy(self) -> Tensor:
        """That of both sides, less ln 2."""
        found: Tensor = self.base_dist.entropy() - math.log(2)
        return found


class HalfNormal(Half):
    """The absolute value of normal numbers of mean 0.

    >>> HalfNormal(1.0).mean
    tensor(0.7979)
    """

    def __init__(self, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        """scale √(2/π)."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        """scale² (1 - 2/π)."""
        return self.scale.square() * (1 - 2 / math.pi)


class HalfCauchy(Half):
    """The absolute value of numbers of Cauchy's distribution.

    >>> HalfCauchy(1.0).mean
    tensor(inf)
    """

    def __init__(self, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        """Infinite."""
        return constant(math.inf, self.scale)

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        found: Tensor = self.base_dist.variance
        return found


class Gumbel(Rebuilt):
    """The largest of many numbers, moved and scaled.

    >>> Gumbel(0.0, 1.0).mean
    tensor(0.5772)
    """

    arg_constraints: ClassVar[Any] = LOCATION_SCALE
    support = constraints.real

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        self._build(validate_args)

    def _build(self, validate_args: bool | None) -> None:
        low, high = (constant(v, self.loc) for v in (float(limits(self.loc).tiny), 1 - float(limits(self.loc).eps)))
        turned = AffineTransform(0, constant(-1, self.scale))
        moved = AffineTransform(self.loc, -self.scale)
        parts = [ExpTransform().inv, turned, ExpTransform().inv, moved]
        TransformedDistribution.__init__(self, Uniform(low, high, validate_args), parts, validate_args)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """y - exp y - ln scale with y = (loc - value) / scale."""
        y = (self.loc - self._given(value)) / self.scale
        return y - y.exp() - self.scale.log()

    @property
    def mean(self) -> Tensor:
        """loc + γ scale, with Euler's constant γ."""
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """π / √6 scale."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        """π² / 6 scale²."""
        return self.stddev.square()

    def entropy(self) -> Tensor:
        """ln scale + 1 + γ."""
        return self.scale.log() + (1 + EULER)


class Pareto(Rebuilt):
    """Numbers from `scale` on whose logarithm is exponentially distributed.

    >>> Pareto(1.0, 3.0).mean
    tensor(1.5000)
    """

    arg_constraints: ClassVar[Any] = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: ArrayLike, alpha: ArrayLike, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        self._build(validate_args)

    def _build(self, validate_args: bool | None) -> None:
        parts = [ExpTransform(), AffineTransform(0, self.scale)]
        base = Exponential(self.alpha, validate_args=validate_args)
        TransformedDistribution.__init__(self, base, parts, validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From scale on."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        """alpha scale / (alpha - 1), infinite up to 1."""
        a = self.alpha.clamp(min=1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        """scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale² alpha / ((alpha - 1)² (alpha - 2)), infinite up to 2."""
        a = self.alpha.clamp(min=2)
        return self.scale.square() * a / ((a - 1).square() * (a - 2))

    def entropy(self) -> Tensor:
        """ln(scale / alpha) + 1 + 1 / alpha."""
        return (self.scale / self.alpha).log() + (1 + 1 / self.alpha)


class Weibull(Rebuilt):
    """Exponentially distributed numbers to the power of 1 / `concentration`, scaled.

    >>> Weibull(1.0, 1.0).mean
    tensor(1.)
    """

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: ArrayLike, concentration: ArrayLike, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self._build(validate_args)

    def _build(self, validate_args: bool | None) -> None:
        self.concentration_reciprocal = 1 / self.concentration
        parts = [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]
        base = Exponential(constant(1, self.scale), validate_args=validate_args)
        TransformedDistribution.__init__(self, base, parts, validate_args)

    @property
    def mean(self) -> Tensor:
        """scale Γ(1 + 1/k)."""
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        """scale ((k - 1) / k)^(1/k)."""
        return self.scale * ((self.concentration - 1) / self.concentration) ** self.concentration_reciprocal

    @property
    def variance(self) -> Tensor:
        """scale² (Γ(1 + 2/k) - Γ(1 + 1/k)²)."""
        r = self.concentration_reciprocal
        return self.scale.square() * ((1 + 2 * r).lgamma().exp() - (2 * (1 + r).lgamma()).exp())

    def entropy(self) -> Tensor:
        """γ (1 - 1/k) + ln(scale / k) + 1."""
        r = self.concentration_reciprocal
        return EULER * (1 - r) + (self.scale * r).log() + 1


class Kumaraswamy(Rebuilt):
    """Numbers of [0, 1] that are much like those of Beta, with a distribution function in closed form.

    >>> Kumaraswamy(1.0, 1.0).mean
    tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: ArrayLike, concentration0: ArrayLike, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        self._build(validate_args)

    def _build(self, validate_args: bool | None) -> None:
        a, b = self.concentration1, self.concentration0
        parts = [PowerTransform(1 / b), AffineTransform(1.0, -1.0), PowerTransform(1 / a)]
        base = Uniform(constant(0, b), constant(1, b), validate_args=validate_args)
        TransformedDistribution.__init__(self, base, parts, validate_args)

    def _moment(self, n: int) -> Tensor:
        """b B(1 + n/a, b)."""
        a, b = self.concentration1, self.concentration0
        first = 1 + n / a
        return b * (first.lgamma() + b.lgamma() - (first + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        """b B(1 + 1/a, b)."""
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """((a - 1) / (ab - 1))^(1/a), as PyTorch computes it; not a number if one of them is below 1."""
        a, b = self.concentration1, self.concentration0
        found = (-b).log1p() / b - (-b * a).log1p()
        return ops.where((b < 1) | (a < 1), math.nan, found).exp()

    @property
    def variance(self) -> Tensor:
        """The second moment less the square of the first."""
        return self._moment(2) - self.mean.square()

    def entropy(self) -> Tensor:
        """1 - 1/b + (1 - 1/a)(ψ(b + 1) + γ) - ln ab."""
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + EULER
        return (1 - 1 / b) + (1 - 1 / a) * harmonic - a.log() - b.log()


class InverseGamma(TransformedDistribution):
    """The reciprocal of gamma numbers.

    >>> InverseGamma(2.0, 3.0).mean
    tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True
    base_dist: Gamma

    def __init__(self, concentration: ArrayLike, rate: ArrayLike, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(base, PowerTransform(constant(-1, base.rate, ())), validate_args)

    @property
    def concentration(self) -> Tensor:
        """That of the gamma numbers."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """That of the gamma numbers."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        """β / (α - 1), infinite up to 1."""
        return ops.where(self.concentration > 1, self.rate / (self.concentration - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        """β / (α + 1)."""
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        """β² / ((α - 1)² (α - 2)), infinite up to 2."""
        a = self.concentration
        return ops.where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def entropy(self) -> Tensor:
        """α + ln β + ln Γ(α) - (1 + α) ψ(α)."""
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()


class LogisticNormal(TransformedDistribution):
    """Probabilities that stick breaking makes of normal vectors, one more than these have elements.

    >>> LogisticNormal([0.0, 0.0], [1.0, 1.0]).event_shape
    torch.Size([3])
    """

    arg_constraints: ClassVar[Any] = LOCATION_SCALE
    support = constraints.simplex
    has_rsample = True
    base_dist: Independent[Normal]

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        whole = base if base.batch_shape else base.expand([1])
        super().__init__(whole, StickBreakingTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the vectors."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The deviation of their elements."""
        return self.base_dist.base_dist.scale


class LogitRelaxedBernoulli(WithProbs):
    """The logits of what `RelaxedBernoulli` draws (Maddison et al. 2017)."""

    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        temperature: ArrayLike,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = floating(temperature)
        self._take(probs, logits)
        super().__init__(self._param.shape, (), validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """(logits + a logistic number) / temperature."""
        shape = self._extended_shape(sample_shape)
        probs = clamped(self.probs.expand(*shape))
        even = clamped(uniform(shape, probs))
        return (even.log() - (-even).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: ArrayLike) -> Tensor:
        """Ln t + d - 2 ln(1 + exp d) with d = logits - t · value."""
        d = self.logits - self._given(value) * self.temperature
        return self.temperature.log() + d - 2 * d.exp().log1p()


class Relaxed(TransformedDistribution):
    """Numbers in place of choices, with the parameters of the distribution that they are made of."""

    has_rsample = True
    base_dist: LogitRelaxedBernoulli | ExpRelaxedCategorical

    @property
    def temperature(self) -> Tensor:
        """How far from 0 and 1 they are."""
        return self.base_dist.temperature

    @property
    def probs(self) -> Tensor:
        """The probabilities of the choices."""
        return self.base_dist.probs

    @property
    def logits(self) -> Tensor:
        """Their logits."""
        return self.base_dist.logits


class RelaxedBernoulli(Relaxed):
    """Numbers between 0 and 1 that are the nearer to both, the lower the `temperature`; differentiable by `probs`.

    >>> RelaxedBernoulli(0.5, probs=0.25).batch_shape
    torch.Size([])
    """

    arg_constraints: ClassVar[Any] = PROBS_OR_LOGITS
    support = constraints.unit_interval

    def __init__(
        self,
        temperature: ArrayLike,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(), validate_args)


class RelaxedOneHotCategorical(Relaxed):
    """Vectors of probabilities that are the nearer to one-hot vectors, the lower the `temperature` (Jang et al. 2017).

    >>> RelaxedOneHotCategorical(0.5, probs=[0.25, 0.75]).event_shape
    torch.Size([2])
    """

    arg_constraints: ClassVar[Any] = CLASSES
    support = constraints.simplex

    def __init__(
        self,
        temperature: ArrayLike,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        base: Distribution = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args)
