"""Distributions of counts: successes, failures, events; and of a single outcome, yes or no."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.distribution import Distribution, ExponentialFamily, Shape
from tinygrad_cnn.distributions.gammas import Gamma
from tinygrad_cnn.distributions.parameters import (
    ProbsOrLogits,
    broadcast_all,
    clamped,
    constant,
    cross_entropy,
    lazy_property,
    limits,
    log_sigmoid,
    logits_of,
    one_of,
    probs_of,
    uniform,
    values,
)
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import bernoulli, binomial, poisson

__all__ = ["Bernoulli", "Binomial", "ContinuousBernoulli", "Geometric", "NegativeBinomial", "Poisson"]

PROBS_OR_LOGITS = {"probs": constraints.unit_interval, "logits": constraints.real}


class WithProbs(ProbsOrLogits, Distribution):
    """One that takes `probs`, or `logits` whose sigmoid they are; the other is computed when it is asked for."""

    arg_constraints: ClassVar[Any] = PROBS_OR_LOGITS

    def _take(self, probs: ArrayLike, logits: ArrayLike, *others: ArrayLike) -> list[Tensor]:
        """Keep the one that is given; parameters that broadcast with it are returned in its dtype."""
        name = one_of(probs, logits)
        given, *more = broadcast_all(logits if probs is None else probs, *others)
        vars(self)[name] = given
        return [other.astype(given.dtype) for other in more]

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return probs_of(self.logits, is_binary=True)

    @lazy_property
    def logits(self) -> Tensor:
        """ln p - ln(1 - p)."""
        return logits_of(self.probs, is_binary=True)

    def _enumerated(self, count: int, expand: bool) -> Tensor:
        found = Tensor.wrap(np.arange(count, dtype=self._param.array.dtype))
        found = found.reshape(-1, *(1,) * len(self.batch_shape))
        return found.expand(-1, *self.batch_shape) if expand else found


class Bernoulli(WithProbs, ExponentialFamily):
    """1 with probability `probs`, the sigmoid of `logits`, else 0. Exactly one of the two is given.

    >>> Bernoulli(logits=[0.0, 2.0]).probs.shape == (2,)
    True
    """

    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs: ArrayLike = None, logits: ArrayLike = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._param.shape, (), validate_args)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw zeros and ones."""
        return bernoulli(self.probs.detach().expand(*self._extended_shape(sample_shape)))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """value · logits - ln(1 + exp logits)."""
        return -cross_entropy(self.logits, self._given(value))

    def entropy(self) -> Tensor:
        """ln(1 + exp logits) - probs · logits."""
        return cross_entropy(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 and 1."""
        return self._enumerated(2, expand)

    @property
    def mean(self) -> Tensor:
        """probs."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """0 or 1, whichever is likelier; not a number for ½."""
        return ops.where(self.probs == 0.5, math.nan, (self.probs >= 0.5).astype(self.probs.dtype))

    @property
    def variance(self) -> Tensor:
        """probs (1 - probs)."""
        return self.probs * (1 - self.probs)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        found: Tensor = ops.softplus(natural_params[0])
        return found


class ContinuousBernoulli(WithProbs, ExponentialFamily):
    """Numbers of [0, 1] with a density in proportion to pˣ(1 - p)¹⁻ˣ (Loaiza-Ganem & Cunningham 2019).

    Between `lims`, close to ½, Taylor polynomials stand for what would be 0 / 0.

    >>> ContinuousBernoulli(0.5).mean
    tensor(0.5000)
    """

    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._take(probs, logits)
        self._lims = lims
        super().__init__(self._param.shape, (), validate_args)
        if probs is not None:
            vars(self)["probs"] = clamped(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The parameters, away from 0 and 1 by a rounding."""
        return clamped(probs_of(self.logits, is_binary=True))

    @property
    def _apart(self) -> tuple[Tensor, Tensor]:
        """Where p is far enough from ½, and p with a number that is in the other places."""
        far = (self.probs <= self._lims[0]) | (self.probs > self._lims[1])
        return far, ops.where(far, self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        """ln of the factor that makes the density's integral 1."""
        far, p = self._apart
        low, high = ops.where(p <= 0.5, p, 0.0), ops.where(p >= 0.5, p, 1.0)
        below = ops.where(p <= 0.5, (-2.0 * low).log1p(), (2.0 * high - 1.0).log())
        x = (self.probs - 0.5).square()
        taylor = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return ops.where(far, ((-p).log1p() - p.log()).abs().log() - below, taylor)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """`icdf` of u evenly from [0, 1)."""
        return self.icdf(uniform(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """That of Bernoulli and the logarithm of the normalizing factor."""
        return -cross_entropy(self.logits, self._given(value)) + self._log_norm()

    def cdf(self, value: ArrayLike) -> Tensor:
        """(pˣ(1 - p)¹⁻ˣ + p - 1) / (2p - 1)."""
        x, (far, p) = self._given(value), self._apart
        found = ops.where(far, (p**x * (1 - p) ** (1 - x) + p - 1) / (2 * p - 1), x)
        return ops.where(x <= 0, 0.0, ops.where(x >= 1, 1.0, found))

    def icdf(self, value: ArrayLike) -> Tensor:
        """(ln(1 - p + u(2p - 1)) - ln(1 - p)) / (ln p - ln(1 - p))."""
        u, (far, p) = self._unchecked(value), self._apart
        none = (-p).log1p()
        return ops.where(far, ((-p + u * (2 * p - 1)).log1p() - none) / (p.log() - none), u)

    def entropy(self) -> Tensor:
        """-mean · logits - ln(1 - p) less the logarithm of the normalizing factor."""
        none = (-self.probs).log1p()
        return self.mean * (none - self.probs.log()) - self._log_norm() - none

    @property
    def mean(self) -> Tensor:
        """p / (2p - 1) + 1 / (ln(1 - p) - ln p)."""
        far, p = self._apart
        x = self.probs - 0.5
        taylor = 0.5 + (1 / 3 + 16 / 45 * x * x) * x
        return ops.where(far, p / (2 * p - 1) + 1 / ((-p).log1p() - p.log()), taylor)

    @property
    def variance(self) -> Tensor:
        """p(p - 1) / (1 - 2p)² + 1 / (ln(1 - p) - ln p)²."""
        far, p = self._apart
        x = (self.probs - 0.5).square()
        taylor = 1 / 12 - (1 / 15 - 128 / 945 * x) * x
        return ops.where(far, p * (p - 1) / (1 - 2 * p).square() + 1 / ((-p).log1p() - p.log()).square(), taylor)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        (x,) = natural_params
        far = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        cut = ops.where(far, x, self._lims[0] - 0.5)
        taylor = 0.5 * x + x.square() / 24 - x**4 / 2880
        found: Tensor = ops.where(far, cut.expm1().abs().log() - cut.abs().log(), taylor)
        return found


class Binomial(WithProbs):
    """How many of `total_count` trials succeed.

    >>> Binomial(4, 0.5).mean
    tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {"total_count": constraints.nonnegative_integer, **PROBS_OR_LOGITS}
    has_enumerate_support = True

    def __init__(
        self,
        total_count: ArrayLike = 1,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        (self.total_count,) = self._take(probs, logits, total_count)
        super().__init__(self._param.shape, (), validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """The integers from 0 to total_count."""
        return constraints.integer_interval(0, self.total_count)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw counts."""
        shape = self._extended_shape(sample_shape)
        return binomial(self.total_count.detach().expand(*shape), self.probs.detach().expand(*shape))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """ln(n over k) + k · logits - n ln(1 + exp logits)."""
        n, k = self.total_count, self._given(value)
        ways = (n + 1).lgamma() - (k + 1).lgamma() - (n - k + 1).lgamma()
        return ways + k * self.logits - n * ops.softplus(self.logits)

    def entropy(self) -> Tensor:
        """-Σ p ln p over all counts; one total_count for all places."""
        found = self.log_prob(self.enumerate_support(False))
        return -(found.exp() * found).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 to total_count, which has to be the same for all places."""
        counts = values(self.total_count)
        if counts.size and counts.min() != counts.max():
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        return self._enumerated(1 + int(counts.max()), expand)

    @property
    def mean(self) -> Tensor:
        """n p."""
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        """⌊(n + 1) p⌋, at most n."""
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        """n p (1 - p)."""
        return self.total_count * self.probs * (1 - self.probs)


class NegativeBinomial(WithProbs):
    """How many successes come before `total_count` failures.

    >>> NegativeBinomial(3, 0.5).mean
    tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        total_count: ArrayLike,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        (self.total_count,) = self._take(probs, logits, total_count)
        super().__init__(self._param.shape, (), validate_args)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Poisson's numbers whose rates are gamma numbers."""
        with no_grad():
            gamma = Gamma(self.total_count, (-self.logits).exp(), validate_args=False)
            return poisson(gamma.sample(sample_shape))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """n ln(1 - p) + k ln p + ln Γ(n + k) - ln Γ(1 + k) - ln Γ(n)."""
        n, k = self.total_count, self._given(value)
        powers = n * log_sigmoid(-self.logits) + k * log_sigmoid(self.logits)
        ways = (n + k).lgamma() - (1.0 + k).lgamma() - n.lgamma()
        return powers + ops.masked_fill(ways, values(n + k) == 0, 0.0)

    @property
    def mean(self) -> Tensor:
        """n p / (1 - p)."""
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        """⌊(n - 1) p / (1 - p)⌋, at least 0."""
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        """n p / (1 - p)²."""
        return self.mean / (-self.logits).sigmoid()


class Geometric(WithProbs):
    """How many failures come before the first success.

    >>> Geometric(0.25).mean
    tensor(3.)
    """

    support = constraints.nonnegative_integer

    def __init__(self, probs: ArrayLike = None, logits: ArrayLike = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._param.shape, (), validate_args)
        if self._validate_args and probs is not None and not (values(self.probs) > 0).all():
            raise ArgumentError(
                f"Expected parameter probs ({type(self.probs).__name__} of shape {tuple(self.probs.shape)}) of "
                f"distribution {self!r} to be positive but found invalid values:\n{self.probs}"
            )

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """⌊ln u / ln(1 - p)⌋ with u evenly from (0, 1)."""
        with no_grad():
            u = uniform(self._extended_shape(sample_shape), self.probs, float(limits(self.probs).tiny), 1.0)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: ArrayLike) -> Tensor:
        """value · ln(1 - p) + ln p."""
        given = self._given(value)
        certain = (self.probs == 1) & (given == 0)
        return given * (-ops.where(certain, 0.0, self.probs)).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        """That of one trial, over p."""
        return cross_entropy(self.logits, self.probs) / self.probs

    @property
    def mean(self) -> Tensor:
        """1 / p - 1."""
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        """0."""
        return constant(0, self.probs)

    @property
    def variance(self) -> Tensor:
        """(1 / p - 1) / p."""
        return (1.0 / self.probs - 1.0) / self.probs


class Poisson(ExponentialFamily):
    """How many events of this `rate` come in a unit of time.

    >>> Poisson(4.0).stddev
    tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: ArrayLike, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, (), validate_args)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw counts."""
        return poisson(self.rate.detach().expand(*self._extended_shape(sample_shape)))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """value ln rate - rate - ln value!."""
        rate, given = broadcast_all(self.rate, self._given(value))
        return ops.xlogy(given, rate) - rate - (given + 1).lgamma()

    @property
    def mean(self) -> Tensor:
        """rate."""
        return self.rate

    @property
    def mode(self) -> Tensor:
        """⌊rate⌋."""
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        """rate."""
        return self.rate

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.rate.log(),)

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        found: Tensor = natural_params[0].exp()
        return found
