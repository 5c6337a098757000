"""Kullback and Leibler's divergence: a rule for each pair of kinds, found by the classes of both."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any, TypeVar

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import enable_grad, grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.distributions.categories import Categorical, OneHotCategorical
from tinygrad_cnn.distributions.compound import Independent, TransformedDistribution
from tinygrad_cnn.distributions.discrete import Bernoulli, Binomial, ContinuousBernoulli, Geometric, Poisson
from tinygrad_cnn.distributions.distribution import Distribution, ExponentialFamily
from tinygrad_cnn.distributions.gammas import Beta, Dirichlet, Gamma
from tinygrad_cnn.distributions.location_scale import Cauchy, Exponential, Laplace, Normal, Uniform
from tinygrad_cnn.distributions.parameters import EULER, constant, sum_rightmost, values
from tinygrad_cnn.distributions.transformed import Gumbel, HalfNormal, Pareto
from tinygrad_cnn.distributions.vectors import (
    LowRankMultivariateNormal,
    MultivariateNormal,
    log_diagonal,
    mahalanobis,
    solve_lower,
    square_sum,
)
from tinygrad_cnn.tensor import Tensor

__all__ = ["kl_divergence", "register_kl"]

Rule = TypeVar("Rule", bound=Callable[[Any, Any], Tensor])
RULES: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """Decorate the rule for a pair of classes and those that derive from them.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Mine(tg.distributions.Normal): pass
    >>> rule = tg.distributions.register_kl(Mine, Mine)(lambda p, q: tg.zeros(()))
    >>> mine = Mine(0.0, 1.0)
    >>> tg.distributions.kl_divergence(mine, mine)
    tensor(0.)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"register_kl: expected subclasses of Distribution, got {kind!r}")

    def register(rule: Rule) -> Rule:
        RULES[type_p, type_q] = rule
        return rule

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The expectation under p of its log_prob less that of q.

    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    kinds = type(p).__mro__, type(q).__mro__
    rule = next((RULES[pair] for pair in product(*kinds) if pair in RULES), None)
    if rule is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}; write one with "
            "register_kl"
        )
    other = next(RULES[a, b] for b, a in product(*reversed(kinds)) if (a, b) in RULES)
    if other is not rule:
        warnings.warn(
            f"Ambiguous kl_divergence({type(p).__name__}, {type(q).__name__}): two rules fit; the nearer to the first "
            "is taken",
            RuntimeWarning,
            stacklevel=2,
        )
    return rule(p, q)


def infinite(like: Tensor) -> Tensor:
    """∞ in each place."""
    return constant(math.inf, like)


def infinite_where(outside: Tensor, found: Tensor) -> Tensor:
    """∞ where p has values that q has not."""
    return ops.where(outside, math.inf, found)


def x_log_x(x: Tensor) -> Tensor:
    """X ln x, 0 at 0."""
    return ops.xlogy(x, x)


# ---- two of a kind -------------------------------------------------------------------------------------------


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    """p (ln p - ln q) + (1 - p)(ln(1 - p) - ln(1 - q))."""
    one = p.probs * (ops.softplus(-q.logits) - ops.softplus(-p.logits))
    one = ops.where(p.probs == 0, 0.0, infinite_where(q.probs == 0, one))
    other = (1 - p.probs) * (ops.softplus(q.logits) - ops.softplus(p.logits))
    return one + ops.where(p.probs == 1, 0.0, infinite_where(q.probs == 1, other))


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    all_p, all_q = p.concentration1 + p.concentration0, q.concentration1 + q.concentration0
    t1 = q.concentration1.lgamma() + q.concentration0.lgamma() + all_p.lgamma()
    t2 = p.concentration1.lgamma() + p.concentration0.lgamma() + all_q.lgamma()
    t3 = (p.concentration1 - q.concentration1) * p.concentration1.digamma()
    t4 = (p.concentration0 - q.concentration0) * p.concentration0.digamma()
    return t1 - t2 + t3 + t4 + (all_q - all_p) * all_p.digamma()


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if (values(p.total_count) < values(q.total_count)).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    each = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return infinite_where(p.total_count > q.total_count, p.total_count * each)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    """Σ p (ln p - ln q)."""
    terms = infinite_where(q.probs == 0, p.probs * (p.logits - q.logits))
    return ops.where(p.probs == 0, 0.0, terms).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    t1 = p.mean * (p.logits - q.logits)
    return t1 + p._log_norm() + (-p.probs).log1p() - q._log_norm() - (-q.probs).log1p()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    all_a, all_b = a.sum(-1), b.sum(-1)
    inner = (a - b) * (a.digamma() - all_a.digamma().unsqueeze(-1))
    return all_a.lgamma() - all_b.lgamma() - (a.lgamma() - b.lgamma()).sum(-1) + inner.sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """Bregman's divergence of the natural parameters: F(η) - F(θ) - ⟨η - θ, F'(θ)⟩."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed using Bregman "
            "divergences"
        )
    given = p._natural_params
    thetas = [t if t.requires_grad else t.detach().requires_grad_() for t in given]
    with enable_grad():
        normalizer = p._log_normalizer(*thetas)
        slopes = grad(normalizer.sum(), thetas, create_graph=True)
        found = q._log_normalizer(*q._natural_params) - normalizer
        for eta, theta, slope in zip(q._natural_params, thetas, slopes, strict=True):
            found = found - sum_rightmost((eta - theta) * slope, len(q.event_shape))
    return found if any(t.requires_grad for t in (*given, *q._natural_params)) else found.detach()


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    t1 = q.concentration * (p.rate / q.rate).log()
    t2 = q.concentration.lgamma() - p.concentration.lgamma()
    t3 = (p.concentration - q.concentration) * p.concentration.digamma()
    return t1 + t2 + t3 + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, q_loc, p_loc = p.scale / q.scale, q.loc / q.scale, p.loc / q.scale
    t1 = -ratio.log() - q_loc + p_loc
    return t1 + ratio * EULER + (q_loc + (1 + ratio).lgamma() - p_loc).exp() - (1 + EULER)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    """½ (σ² + δ² - 1 - ln σ²) with σ the ratio of the scales, δ the distance of the means, both over q's scale."""
    ratio, distance = (p.scale / q.scale).square(), ((p.loc - q.loc) / q.scale).square()
    return 0.5 * (ratio + distance - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    above = ((p.scale + q.scale).square() + (p.loc - q.loc).square()).log()
    return above - (4 * p.scale * q.scale).log()


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return infinite_where(p.scale < q.scale, found)


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    return infinite_where((q.low > p.low) | (q.high < p.high), ((q.high - q.low) / (p.high - p.low)).log())


def check_events(p: Distribution, q: Distribution) -> None:
    """Both have events of one shape."""
    if p.event_shape != q.event_shape:
        raise ArgumentError(
            f"kl_divergence: events of shapes {tuple(p.event_shape)} and {tuple(q.event_shape)}; KL-divergence between "
            "two (Low Rank) Multivariate Normals with different event shapes cannot be computed"
        )


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    check_events(p, q)
    a, b = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    inner = square_sum(solve_lower(b, a)) + mahalanobis(b, q.loc - p.loc) - p.event_shape[0]
    return log_diagonal(b) - log_diagonal(a) + 0.5 * inner


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: LowRankMultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    check_events(p, q)
    inner = _to_low_rank(q, p.cov_factor) + _to_low_rank(q, ops.diag_embed(p.cov_diag.sqrt()))
    return _of_low_rank(q, p, -p._log_determinant(), inner)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _to_low(p: MultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    check_events(p, q)
    factor = p._unbroadcasted_scale_tril
    return _of_low_rank(q, p, -2 * log_diagonal(factor), _to_low_rank(q, factor))


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _from_low(p: LowRankMultivariateNormal, q: MultivariateNormal) -> Tensor:
    check_events(p, q)
    b = q._unbroadcasted_scale_tril
    parts = (p.cov_factor, ops.diag_embed(p.cov_diag.sqrt()))
    inner = sum((square_sum(solve_lower(b, part)) for part in parts), mahalanobis(b, q.loc - p.loc))
    return 0.5 * (2 * log_diagonal(b) - p._log_determinant() + inner - p.event_shape[0])


def _of_low_rank(q: LowRankMultivariateNormal, p: Any, minus_log_determinant: Tensor, trace: Tensor) -> Tensor:
    inner = trace + q._mahalanobis(q.loc - p.loc)
    found: Tensor = 0.5 * (q._log_determinant() + minus_log_determinant + inner - p.event_shape[0])
    return found


def _to_low_rank(q: LowRankMultivariateNormal, factor: Tensor) -> Tensor:
    """The trace of Aᵀ Σ⁻¹ A for q's covariance Σ."""
    weighted = q.cov_factor.mT / q.cov_diag.unsqueeze(-2)
    return square_sum(factor / q.cov_diag.sqrt().unsqueeze(-1)) - square_sum(
        solve_lower(q._capacitance_tril, weighted @ factor)
    )


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    """That of the bases, if the transforms are the same."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence: the transforms of the two differ, so no rule is known")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p: Independent[Any], q: Independent[Any]) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: the two have events of different numbers of dims")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


# ---- p has values that q has not -----------------------------------------------------------------------------


def _never(p: Any, q: Any) -> Tensor:
    """∞."""
    return infinite(next(value for name, value in vars(p).items() if isinstance(value, Tensor)))


BOUNDED = (Beta, ContinuousBernoulli, Pareto, Uniform)
POSITIVE = (Exponential, Gamma)
for _p, _qs in (
    (Exponential, BOUNDED),
    (Gamma, BOUNDED),
    (Gumbel, (*BOUNDED, *POSITIVE)),
    (Laplace, (*BOUNDED, *POSITIVE)),
    (Normal, (*BOUNDED, *POSITIVE)),
    (Pareto, (Beta, ContinuousBernoulli, Uniform)),
    (Poisson, (Bernoulli, Binomial)),
    (ContinuousBernoulli, (Pareto,)),
):
    for _q in _qs:
        register_kl(_p, _q)(_never)


@register_kl(Beta, Pareto)
def _beta_pareto(p: Beta, q: Pareto) -> Tensor:
    return infinite(p.concentration1)


# ---- different kinds -----------------------------------------------------------------------------------------


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


@register_kl(Beta, Exponential)
def _beta_exponential(p: Beta, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p: Beta, q: Gamma) -> Tensor:
    t2 = q.concentration.lgamma() - q.concentration * q.rate.log()
    log_mean = p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    return -p.entropy() + t2 - (q.concentration - 1) * log_mean + q.rate * p.mean


def _to_normal(p: Distribution, q: Normal) -> Tensor:
    """-H(p) + ½ ln 2πσ² + E(x - μ)² / 2σ²."""
    spread = p.variance + (p.mean - q.loc).square()
    return -p.entropy() + 0.5 * math.log(2 * math.pi) + q.scale.log() + 0.5 * spread / q.scale.square()


for _kind in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform):
    register_kl(_kind, Normal)(_to_normal)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Pareto, q: Normal) -> Tensor:
    heavy = p.alpha <= 2
    light = Pareto(p.scale, ops.where(heavy, 3.0, p.alpha))  # whose variance is finite, and so are its slopes
    return infinite_where(heavy, _to_normal(light, q))


@register_kl(Beta, Uniform)
def _beta_uniform(p: Beta, q: Uniform) -> Tensor:
    return infinite_where((q.low > 0) | (q.high < 1), -p.entropy() + (q.high - q.low).log())


@register_kl(ContinuousBernoulli, Exponential)
def _continuous_exponential(p: ContinuousBernoulli, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_uniform(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    return infinite_where((q.low > 0) | (q.high < 1), -p.entropy() + (q.high - q.low).log())


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    ratio = q.rate / p.rate
    return -q.concentration * ratio.log() + ratio + q.concentration.lgamma() + q.concentration * EULER - (1 + EULER)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    product_, ratio = p.rate * q.scale, q.loc / q.scale
    return product_.log() - 1 - ratio + ratio.exp() * product_ / (product_ + 1) + 1 / product_


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Gamma, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    a, product_, ratio = p.concentration, p.rate * q.scale, q.loc / q.scale
    t1 = (a - 1) * a.digamma() - a.lgamma() - a + product_.log() + a / product_
    return t1 + ratio.exp() * (1 + 1 / product_) ** (-a) - ratio


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    ratio, mean, loc = (p.scale / q.scale).square(), p.loc / q.scale, q.loc / q.scale
    tail = (-mean + 0.5 * ratio + loc).exp()
    return -ratio.log() * 0.5 + mean - loc + tail - 0.5 * (1 + math.log(2 * math.pi))


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    distance = p.loc - q.loc
    relative = distance / p.scale
    t2 = math.sqrt(2 / math.pi) * p.scale * (-0.5 * relative.square()).exp()
    t3 = distance * (math.sqrt(0.5) * relative).erf()
    return -(p.scale / q.scale).log() + (t2 + t3) / q.scale - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Pareto, q: Exponential) -> Tensor:
    product_ = p.scale * q.rate
    found = (p.alpha / product_).log() - 1 / p.alpha + p.alpha * product_ / (p.alpha - 1) - 1
    return infinite_where(p.alpha <= 1, found)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Pareto, q: Gamma) -> Tensor:
    log_mean = p.scale.log() + 1 / p.alpha
    t2 = q.concentration.lgamma() - q.concentration * q.rate.log() + (1 - q.concentration) * log_mean
    found = p.alpha.log() - log_mean + t2 + q.rate * p.alpha * p.scale / (p.alpha - 1) - 1
    return infinite_where(p.alpha <= 1, found)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    width = p.high - p.low
    t2 = (q.concentration1 - 1) * (x_log_x(p.high) - x_log_x(p.low) - width) / width
    t3 = (q.concentration0 - 1) * (x_log_x(1 - p.high) - x_log_x(1 - p.low) + width) / width
    t4 = q.concentration1.lgamma() + q.concentration0.lgamma() - (q.concentration1 + q.concentration0).lgamma()
    return infinite_where((p.high > 1) | (p.low < 0), t3 + t4 - width.log() - t2)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    found = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()
    return infinite_where((p.high > 1) | (p.low < 0), found)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    return infinite_where(p.low < 0, q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log())


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    width = p.high - p.low
    t2 = q.concentration.lgamma() - q.concentration * q.rate.log()
    t3 = (1 - q.concentration) * (x_log_x(p.high) - x_log_x(p.low) - width) / width
    return infinite_where(p.low < 0, -width.log() + t2 + t3 + q.rate * (p.high + p.low) / 2)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    ratio, high, low = q.scale / (p.high - p.low), (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return ratio.log() + 0.5 * (high + low) - ratio * ((-high).exp() - (-low).exp())


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    width = p.high - p.low
    t2 = (x_log_x(p.high) - x_log_x(p.low) - width) / width
    return infinite_where(p.low < q.scale, t2 * (q.alpha + 1) - (q.alpha * q.scale**q.alpha * width).log())
