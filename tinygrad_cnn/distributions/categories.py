"""Distributions over classes: one of them, a vector with a 1, counts of many draws, and smooth stand-ins."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.discrete import Binomial
from tinygrad_cnn.distributions.distribution import Distribution, Shape
from tinygrad_cnn.distributions.parameters import (
    ProbsOrLogits,
    broadcast_all,
    clamped,
    constant,
    factorial_log,
    floating,
    lazy_property,
    limits,
    logits_of,
    one_hot,
    one_of,
    probs_of,
    uniform,
    values,
)
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.sampling import multinomial
from tinygrad_cnn.torch_names.size import Size

__all__ = ["Categorical", "Multinomial", "OneHotCategorical", "OneHotCategoricalStraightThrough"]

CLASSES = {"probs": constraints.simplex, "logits": constraints.real_vector}


class Categorical(ProbsOrLogits, Distribution):
    """One of C classes, along the last dim: `probs` in proportion, or `logits` up to a constant.

    >>> Categorical([1.0, 3.0]).probs.tolist()
    [0.25, 0.75]
    """

    arg_constraints: ClassVar[Any] = CLASSES
    has_enumerate_support = True

    def __init__(self, probs: ArrayLike = None, logits: ArrayLike = None, validate_args: bool | None = None) -> None:
        name = one_of(probs, logits)
        given = floating(logits if probs is None else probs)
        if given.ndim < 1:
            raise ArgumentError(f"`{name}` parameter must be at least one-dimensional.")
        scaled = given - given.logsumexp(-1, keepdim=True) if probs is None else given / given.sum(-1, keepdim=True)
        vars(self)[name] = scaled
        super().__init__(given.shape[:-1], (), validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities, whose sum is 1."""
        return probs_of(self.logits)

    @lazy_property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return logits_of(self.probs)

    @property
    def _num_events(self) -> int:
        return self._param.shape[-1]

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """The integers from 0 to C - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw classes, int64."""
        count = math.prod(sample_shape)
        drawn = multinomial(self.probs.detach().reshape(-1, self._num_events), count, replacement=True)
        return drawn.t().reshape(*self._extended_shape(sample_shape))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """The logarithm of the probability of each class in `value`."""
        places = values(self._given(value)).astype(np.int64)
        shape = np.broadcast_shapes(places.shape, self.batch_shape)
        index = np.broadcast_to(places, shape)[..., None]
        return self.logits.expand(*shape, self._num_events).gather(-1, index).squeeze(-1)

    def entropy(self) -> Tensor:
        """-Σ p ln p."""
        return -(self.logits.clamp(min=float(limits(self.logits).min)) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 to C - 1."""
        found = Tensor.wrap(np.arange(self._num_events).reshape(-1, *(1,) * len(self.batch_shape)))
        return found.expand(-1, *self.batch_shape) if expand else found

    @property
    def mean(self) -> Tensor:
        """Not a number: classes have no mean."""
        return constant(math.nan, self.probs, self.batch_shape)

    @property
    def mode(self) -> Tensor:
        """The likeliest class."""
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        """Not a number, either."""
        return constant(math.nan, self.probs, self.batch_shape)


class OfCategories(Distribution):
    """One whose events are vectors with an element for each class of a `Categorical`."""

    arg_constraints: ClassVar[Any] = CLASSES

    def _take(self, probs: ArrayLike, logits: ArrayLike, validate_args: bool | None) -> None:
        self._categorical = Categorical(probs, logits)
        Distribution.__init__(self, self._categorical.batch_shape, self.param_shape[-1:], validate_args)

    @property
    def probs(self) -> Tensor:
        """The probabilities, whose sum is 1."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def _param(self) -> Tensor:
        return self._categorical._param

    @property
    def param_shape(self) -> Size:
        """The shape of the parameters."""
        return self._categorical.param_shape


class OneHotCategorical(OfCategories):
    """A vector with a 1 at one of the classes.

    >>> OneHotCategorical([1.0, 3.0]).mode
    tensor([0., 1.])
    """

    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: ArrayLike = None, logits: ArrayLike = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits, validate_args)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw vectors."""
        return one_hot(self._categorical.sample(sample_shape), self.event_shape[0], self.probs)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """That of the class of the 1."""
        return self._categorical.log_prob(self._given(value).argmax(-1))

    def entropy(self) -> Tensor:
        """-Σ p ln p."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """The rows of the identity."""
        n = self.event_shape[0]
        found = Tensor.wrap(np.eye(n, dtype=self._param.array.dtype)).reshape(n, *(1,) * len(self.batch_shape), n)
        return found.expand(n, *self.batch_shape, n) if expand else found

    @property
    def mean(self) -> Tensor:
        """probs."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The 1 at the likeliest class."""
        return one_hot(self.probs.argmax(-1), self.event_shape[0], self.probs)

    @property
    def variance(self) -> Tensor:
        """probs (1 - probs)."""
        return self.probs * (1 - self.probs)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """The same, with samples whose gradient is that of `probs` (Bengio et al. 2013).

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([0.25, 0.75], requires_grad=True)
    >>> x = tg.distributions.OneHotCategoricalStraightThrough(p).rsample()
    >>> x.sum().item(), x.requires_grad
    (1.0, True)
    """

    has_rsample = True

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """A sample + probs - probs without its history."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class Multinomial(OfCategories):
    """How often each class comes in `total_count` draws.

    >>> Multinomial(4, [1.0, 3.0]).mean
    tensor([1., 3.])
    """

    total_count: int

    def __init__(
        self,
        total_count: int = 1,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._take(probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts whose sum is total_count."""
        return constraints.multinomial(self.total_count)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw classes, and count them."""
        drawn = values(self._categorical.sample((self.total_count, *sample_shape)))
        counts = (drawn[..., None] == np.arange(self.event_shape[0])).sum(0)
        return Tensor.wrap(counts.astype(self.probs.array.dtype))

    def log_prob(self, value: ArrayLike) -> Tensor:
        """ln n! - Σ ln k! + Σ k ln p."""
        logits, given = broadcast_all(self.logits, self._given(value))
        logits = ops.where((given == 0) & (logits == -math.inf), 0.0, logits)
        found: Tensor = (given.sum(-1) + 1).lgamma() - (given + 1).lgamma().sum(-1) + (logits * given).sum(-1)
        return found

    def entropy(self) -> Tensor:
        """n H(p) - ln n! + Σ over classes and counts of P(count) ln count!."""
        each = Binomial(self.total_count, self.probs, validate_args=False)
        counts = each.enumerate_support(expand=False)[1:]
        expected = (each.log_prob(counts).exp() * (counts + 1).lgamma()).sum([0, -1])
        return self.total_count * self._categorical.entropy() - factorial_log(self.total_count) + expected

    @property
    def mean(self) -> Tensor:
        """n p."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        """n p (1 - p)."""
        return self.total_count * self.probs * (1 - self.probs)


class ExpRelaxedCategorical(OfCategories):
    """The logarithms of what `RelaxedOneHotCategorical` draws."""

    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        temperature: ArrayLike,
        probs: ArrayLike = None,
        logits: ArrayLike = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = floating(temperature)
        self._take(probs, logits, validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """The log-softmax of (logits + Gumbel numbers) / temperature."""
        even = clamped(uniform(self._extended_shape(sample_shape), self.logits))
        scores = (self.logits - (-even.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """ln (K - 1)! + (K - 1) ln t + Σ of the log-softmax of logits - t · value."""
        k = self.event_shape[0]
        score = self.logits - self._given(value) * self.temperature
        score = (score - score.logsumexp(-1, keepdim=True)).sum(-1)
        return score + factorial_log(k - 1) + (k - 1) * self.temperature.log()
