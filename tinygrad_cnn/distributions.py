"""Probability distributions with PyTorch's names: those that policies and latent variables are made of.

Log-probabilities, entropies and divergences are composed from ops, and so have gradients; `rsample` has one with
respect to the parameters (Kingma & Welling 2014), `sample` has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.types import ArrayLike, NDArray, Shape
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import as_tensor, zeros
from tinygrad_cnn.tensor.sampling import bernoulli, multinomial, normal, rand
from tinygrad_cnn.torch_names.absent import OF_DISTRIBUTIONS, absent
from tinygrad_cnn.torch_names.dtypes import get_default_dtype

__all__ = ["Bernoulli", "Categorical", "Distribution", "Normal", "Uniform", "kl_divergence"]


class Distribution:
    """A distribution for each place of `batch_shape`; a subclass computes.

    `sample(shape)` and `rsample(shape)` have the shape ``shape + batch_shape``.
    """

    parameters: ClassVar[tuple[str, ...]] = ()
    """What `repr` shows."""
    has_rsample = False

    def __init__(self, batch_shape: Shape, validate_args: bool | None = None) -> None:
        self.batch_shape, self.event_shape = batch_shape, ()
        self.validate_args = validate_args is not False

    def _check(self, holds: Any, what: str) -> None:
        if self.validate_args and not np.all(holds):
            raise ValueError(f"{type(self).__name__}: {what}")

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw, without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw as a function of the parameters, so that gradients flow into them."""
        raise NotImplementedError(f"{type(self).__name__}: has no reparametrised samples; use sample() and log_prob()")

    def log_prob(self, value: ArrayLike) -> Tensor:
        """The logarithm of the probability, or of its density, at a value."""
        raise NotImplementedError(f"{type(self).__name__}: has no log_prob")

    def entropy(self) -> Tensor:
        """The expectation of -log_prob."""
        raise NotImplementedError(f"{type(self).__name__}: has no entropy")

    @property
    def mean(self) -> Tensor:
        """The expectation."""
        raise NotImplementedError(f"{type(self).__name__}: has no mean")

    @property
    def variance(self) -> Tensor:
        """The expected square of the distance from the mean."""
        raise NotImplementedError(f"{type(self).__name__}: has no variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def perplexity(self) -> Tensor:
        """The exponential of the entropy."""
        return self.entropy().exp()

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.parameters)
        said = (f"{name}: {v.item() if v.numel() == 1 else v.shape}" for name, v in shown)
        return f"{type(self).__name__}({', '.join(said)})"


class Normal(Distribution):
    """The normal distribution of mean `loc` and deviation `scale` > 0.

    >>> Normal(0.0, 1.0).log_prob(0.0)
    tensor(-0.9189)
    """

    parameters = ("loc", "scale")
    has_rsample = True

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast(loc, scale)
        super().__init__(self.loc.shape, validate_args)
        self._check(values(self.scale) > 0, "every scale must be above 0")

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """loc + scale · ε with ε of the standard normal distribution."""
        shape = (*sample_shape, *self.batch_shape)
        noise = normal(zeros(shape, dtype=self.loc.dtype), 1.0)
        return self.loc + noise * self.scale

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-(value - loc)²/(2 scale²) - ln scale - ln √(2π)."""
        self._check(~np.isnan(values(value)), "a value is not a number")
        distance = (as_tensor(value) - self.loc) / self.scale
        return distance * distance * -0.5 - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def entropy(self) -> Tensor:
        """½ + ½ ln 2π + ln scale."""
        return self.scale.log() + (0.5 + 0.5 * math.log(2 * math.pi))

    def cdf(self, value: ArrayLike) -> Tensor:
        """The probability of less than a value."""
        return ((as_tensor(value) - self.loc) / (self.scale * math.sqrt(2))).erf() * 0.5 + 0.5

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """scale²."""
        return self.scale * self.scale


class Uniform(Distribution):
    """Evenly distributed on [low, high).

    >>> Uniform(0.0, 4.0).entropy()
    tensor(1.3863)
    """

    parameters = ("low", "high")
    has_rsample = True

    def __init__(self, low: ArrayLike, high: ArrayLike, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast(low, high)
        super().__init__(self.low.shape, validate_args)
        self._check(values(self.low) < values(self.high), "every low must be below its high")

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """low + (high - low) · u with u evenly from [0, 1)."""
        drawn = rand((*sample_shape, *self.batch_shape), dtype=self.low.dtype)
        return self.low + drawn * (self.high - self.low)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """-ln(high - low) inside, -∞ at high and outside."""
        given, low, high = values(value), values(self.low), values(self.high)
        self._check((given >= low) & (given <= high), "a value lies outside of [low, high]")
        inside = (given >= low) & (given < high)
        return ops.where(inside, -(self.high - self.low).log(), -math.inf)

    def entropy(self) -> Tensor:
        """ln(high - low)."""
        return (self.high - self.low).log()

    @property
    def mean(self) -> Tensor:
        """(low + high) / 2."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> Tensor:
        """(high - low)² / 12."""
        return (self.high - self.low).square() / 12


class Bernoulli(Distribution):
    """1 with probability `probs`, the sigmoid of `logits`, else 0. Exactly one of the two is given.

    >>> Bernoulli(logits=[0.0, 2.0]).probs.shape == (2,)
    True
    """

    def __init__(self, probs: ArrayLike = None, logits: ArrayLike = None, validate_args: bool | None = None) -> None:
        given = one_of(probs, logits)
        self.parameters = ("logits",) if probs is None else ("probs",)  # type: ignore[misc]
        super().__init__(given.shape, validate_args)
        if probs is None:
            self.logits, self.probs = given, given.sigmoid()
        else:
            self._check((values(given) >= 0) & (values(given) <= 1), "every probability must be between 0 and 1")
            inner = clamped(given)
            self.probs, self.logits = given, inner.log() - (-inner).log1p()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw zeros and ones."""
        return bernoulli(self.probs.detach().expand(*sample_shape, *self.batch_shape))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """value · logits - ln(1 + exp logits)."""
        given = as_tensor(value)
        self._check((values(given) == 0) | (values(given) == 1), "every value must be 0 or 1")
        return given * self.logits - ops.softplus(self.logits)

    def entropy(self) -> Tensor:
        """ln(1 + exp logits) - probs · logits."""
        return ops.softplus(self.logits) - self.probs * self.logits

    @property
    def mean(self) -> Tensor:
        """probs."""
        return self.probs

    @property
    def variance(self) -> Tensor:
        """probs (1 - probs)."""
        return self.probs * (1 - self.probs)


class Categorical(Distribution):
    """One of C classes, along the last dim: `probs` in proportion, or `logits` up to a constant.

    >>> Categorical([1.0, 3.0]).probs.tolist()
    [0.25, 0.75]
    """

    def __init__(self, probs: ArrayLike = None, logits: ArrayLike = None, validate_args: bool | None = None) -> None:
        given = one_of(probs, logits)
        self.parameters = ("logits",) if probs is None else ("probs",)  # type: ignore[misc]
        if given.ndim == 0:
            raise ValueError("Categorical: expected at least one dim, that of the classes")
        super().__init__(given.shape[:-1], validate_args)
        if probs is None:
            self.logits = given - given.logsumexp(-1, keepdim=True)
            self.probs = self.logits.softmax(-1)
        else:
            totals = values(given).sum(-1)
            self._check((values(given) >= 0).all(-1) & (totals > 0), "probabilities are at least 0, and not all 0")
            self.probs = given / given.sum(-1, keepdim=True)
            self.logits = clamped(self.probs).log()
        self.param_shape = given.shape

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw classes, int64."""
        count = math.prod(sample_shape)
        rows = self.probs.detach().reshape(-1, self.param_shape[-1])
        drawn = multinomial(rows, count, replacement=True)
        return drawn.t().reshape(*sample_shape, *self.batch_shape)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """The logarithm of the probability of each class in `value`."""
        given = as_tensor(value)
        places = values(given).astype(np.int64)
        classes = self.param_shape[-1]
        self._check(
            (places == values(given)) & (places >= 0) & (places < classes), f"a class is not in 0…{classes - 1}"
        )
        shape = np.broadcast_shapes(places.shape, self.batch_shape)
        index = np.broadcast_to(places, shape)[..., None]
        return self.logits.expand(*shape, classes).gather(-1, index).squeeze(-1)

    def entropy(self) -> Tensor:
        """-Σ p ln p."""
        return -(self.logits.clamp(min=np.finfo(values(self.logits).dtype).min) * self.probs).sum(-1)

    @property
    def mean(self) -> Tensor:
        """Not a number: classes have no mean."""
        return zeros(*self.batch_shape) + math.nan

    @property
    def variance(self) -> Tensor:
        """Not a number, either."""
        return self.mean


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Kullback and Leibler's divergence of q from p, for two of the same kind."""
    rule = DIVERGENCES.get(type(p)) if type(p) is type(q) else None
    if rule is None:
        raise NotImplementedError(
            f"kl_divergence: no rule for {type(p).__name__} and {type(q).__name__}; there is one for two of "
            f"{', '.join(kind.__name__ for kind in DIVERGENCES)}"
        )
    return rule(p, q)


def _of_normals(p: Normal, q: Normal) -> Tensor:
    """½ (σ² + δ² - 1 - ln σ²) with σ the ratio of the scales, δ the distance of the means, both over q's scale."""
    ratio, distance = (p.scale / q.scale).square(), ((p.loc - q.loc) / q.scale).square()
    return (ratio + distance - 1 - ratio.log()) * 0.5


def _of_categories(p: Categorical, q: Categorical) -> Tensor:
    """Σ p (ln p - ln q)."""
    terms = ops.masked_fill(p.probs * (p.logits - q.logits), values(q.probs) == 0, math.inf)
    return ops.masked_fill(terms, values(p.probs) == 0, 0.0).sum(-1)


def _of_bernoullis(p: Bernoulli, q: Bernoulli) -> Tensor:
    """p (ln p - ln q) + (1 - p)(ln(1 - p) - ln(1 - q))."""
    one = p.probs * (ops.softplus(-q.logits) - ops.softplus(-p.logits))
    other = (1 - p.probs) * (ops.softplus(q.logits) - ops.softplus(p.logits))
    return one + other


DIVERGENCES: dict[type[Distribution], Callable[[Any, Any], Tensor]] = {
    Normal: _of_normals,
    Categorical: _of_categories,
    Bernoulli: _of_bernoullis,
}


def broadcast(a: ArrayLike, b: ArrayLike) -> tuple[Tensor, Tensor]:
    """Two parameters in their common shape."""
    first, second = floating(a), floating(b)
    shape = (first + second).shape
    return first.expand(*shape), second.expand(*shape)


def one_of(probs: ArrayLike, logits: ArrayLike) -> Tensor:
    """The one of the two that is given."""
    if (probs is None) == (logits is None):
        raise ValueError("distribution: give either probs or logits, and not both")
    return floating(logits if probs is None else probs)


def floating(value: ArrayLike) -> Tensor:
    """A tensor of a floating dtype."""
    given = as_tensor(value)
    return given if values(given).dtype.kind == "f" else given.astype(get_default_dtype())


def values(x: ArrayLike) -> NDArray:
    """The numbers alone."""
    return as_tensor(x).detach().numpy()


def clamped(probs: Tensor) -> Tensor:
    """Away from 0 and 1 by a rounding, so that the logarithm is finite, as in PyTorch."""
    eps = float(np.finfo(values(probs).dtype).eps)
    return probs.clamp(eps, 1 - eps)


if not TYPE_CHECKING:
    __getattr__ = absent("torch.distributions", OF_DISTRIBUTIONS)
