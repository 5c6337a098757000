"""Distributions made of others: dims of a batch as one event, mixtures, images under transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.categories import Categorical
from tinygrad_cnn.distributions.distribution import Distribution, Shape
from tinygrad_cnn.distributions.parameters import sum_rightmost
from tinygrad_cnn.distributions.transforms import ComposeTransform, Transform
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.size import Size

__all__ = ["Independent", "MixtureSameFamily", "TransformedDistribution"]

D = TypeVar("D", bound=Distribution)


class Independent(Distribution, Generic[D]):
    """A distribution whose last `reinterpreted_batch_ndims` dims of the batch belong to the event.

    >>> from tinygrad_cnn import zeros, ones
    >>> from tinygrad_cnn.distributions import Normal
    >>> Independent(Normal(zeros(2, 3), ones(2, 3)), 1).event_shape
    torch.Size([3])
    """

    arg_constraints: ClassVar[Any] = {}
    base_dist: D

    def __init__(self, base_distribution: D, reinterpreted_batch_ndims: int, validate_args: bool | None = None) -> None:
        batch, event = base_distribution.batch_shape, base_distribution.event_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ArgumentError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {reinterpreted_batch_ndims} vs {len(batch)}"
            )
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        cut = len(batch) - reinterpreted_batch_ndims
        self.has_rsample = bool(base_distribution.has_rsample)
        super().__init__(batch[:cut], batch[cut:] + event, validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The same for another batch shape."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        vars(new).update(vars(self))
        new._batch_shape = Size(batch_shape)
        new.base_dist = self.base_dist.expand((*batch_shape, *self.event_shape[: self.reinterpreted_batch_ndims]))
        return new

    @property
    def has_enumerate_support(self) -> bool:
        """That of the base, if no dims are taken."""
        return not self.reinterpreted_batch_ndims and bool(self.base_dist.has_enumerate_support)

    @constraints.dependent_property
    def support(self) -> Any:
        """That of the base, of all elements of the event."""
        found = self.base_dist.support
        dims = self.reinterpreted_batch_ndims
        return constraints.independent(found, dims) if dims else found

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw from the base."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw from the base."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """The sum over the event."""
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        """The sum over the event."""
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """That of the base, if no dims are taken."""
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError("Enumeration over cartesian product is not implemented")
        return self.base_dist.enumerate_support(expand)

    @property
    def mean(self) -> Tensor:
        """That of the base."""
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        """That of the base."""
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        """That of the base."""
        return self.base_dist.variance

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamily(Distribution):
    """One of K components, the last dim of their batch, chosen by a `Categorical`.

    >>> from tinygrad_cnn import ones, tensor
    >>> from tinygrad_cnn.distributions import Normal
    >>> MixtureSameFamily(Categorical(ones(2)), Normal(tensor([-1.0, 1.0]), ones(2))).mean
    tensor(0.)
    """

    arg_constraints: ClassVar[Any] = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ArgumentError("MixtureSameFamily: the mixture distribution has to be a Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ArgumentError("MixtureSameFamily: the component distribution has to be a Distribution")
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        *batch, components = component_distribution.batch_shape
        choices = mixture_distribution.batch_shape
        if any(1 not in (m, n) and m != n for m, n in zip(reversed(choices), reversed(batch), strict=False)):
            raise ArgumentError(
                f"`mixture_distribution.batch_shape` ({choices}) is not compatible with "
                f"`component_distribution.batch_shape`({Size(batch)})"
            )
        if mixture_distribution._num_events != components:
            raise ArgumentError(
                f"`mixture_distribution component` ({mixture_distribution._num_events}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({components})"
            )
        self._num_component, self._event_ndims = components, len(component_distribution.event_shape)
        super().__init__(batch, component_distribution.event_shape, validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The same for another batch shape."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        vars(new).update(vars(self))
        new._batch_shape = Size(batch_shape)
        new._component_distribution = self._component_distribution.expand((*batch_shape, self._num_component))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        """That of the components."""
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """What chooses."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """What is chosen from."""
        return self._component_distribution

    def _pad(self, x: Tensor) -> Tensor:
        """With a dim for the components."""
        return x.unsqueeze(-1 - self._event_ndims)

    @property
    def _weights(self) -> Tensor:
        """The probabilities, with dims for the event."""
        probs = self._mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1,) * self._event_ndims)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw from every component, and choose."""
        with no_grad():
            choice = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            dim = len(sample_shape) + len(self._batch_shape)
            choice = choice.expand(*sample_shape, *self._batch_shape)
            index = choice.reshape(*choice.shape, 1, *(1,) * self._event_ndims)
            return drawn.gather(dim, index.expand(*choice.shape, 1, *self._event_shape)).squeeze(dim)

    def log_prob(self, value: ArrayLike) -> Tensor:
        """ln Σ p exp(log_prob of each component)."""
        each = self._component_distribution.log_prob(self._pad(self._given(value)))
        return (each + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def cdf(self, value: ArrayLike) -> Tensor:
        """Σ p of each component's."""
        each = self._component_distribution.cdf(self._pad(self._unchecked(value)))
        return (each * self._mixture_distribution.probs).sum(-1)

    @property
    def mean(self) -> Tensor:
        """Σ p of each component's."""
        return (self._weights * self._component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances and the variance of the means."""
        dim, parts = -1 - self._event_ndims, self._component_distribution
        within = (self._weights * parts.variance).sum(dim)
        return within + (self._weights * (parts.mean - self._pad(self.mean)).square()).sum(dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"


class TransformedDistribution(Distribution):
    """What samples of a base distribution become under transforms.

    >>> from tinygrad_cnn.distributions import ExpTransform, Normal
    >>> TransformedDistribution(Normal(0.0, 1.0), ExpTransform()).log_prob(1.0)
    tensor(-0.9189)
    """

    arg_constraints: ClassVar[Any] = {}
    base_dist: Any
    transforms: list[Transform]

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(transforms, (Transform, list)):
            raise ArgumentError(f"transforms must be a Transform or list, but was {transforms}")
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise ArgumentError("transforms must be a Transform or a list of Transforms")
        base: Any = base_distribution
        shape, dims = base.batch_shape + base.event_shape, len(base.event_shape)
        whole = ComposeTransform(self.transforms)
        domain, codomain = whole.domain.event_dim, whole.codomain.event_dim
        if len(shape) < domain:
            raise ArgumentError(f"base_distribution needs to have shape with size at least {domain}, but got {shape}.")
        forward = whole.forward_shape(shape)
        needed = whole.inverse_shape(forward)
        if needed != shape:
            base = base.expand(needed[: len(needed) - dims])
        self.base_dist = Independent(base, domain - dims) if domain > dims else base
        self.has_rsample = bool(base.has_rsample)
        event = max(codomain, dims + codomain - domain)
        cut = len(forward) - event
        super().__init__(forward[:cut], forward[cut:], validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The same for another batch shape."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        vars(new).update(vars(self))
        new._batch_shape = Size(batch_shape)
        shape = ComposeTransform(self.transforms).inverse_shape(new._batch_shape + self._event_shape)
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        for name in self.arg_constraints:
            if name in vars(self):
                setattr(new, name, vars(self)[name].expand(*batch_shape))
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        """Where the last transform leads."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        more = len(self._event_shape) - found.event_dim
        return constraints.independent(found, more) if more > 0 else found

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """The transforms of a sample of the base."""
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """The transforms of a sample of the base."""
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: ArrayLike) -> Tensor:
        """That of the base at the inverse, less the logarithms of the Jacobians' determinants."""
        y, dims = self._given(value), len(self._event_shape)
        terms: list[Tensor] = []
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            terms.append(-sum_rightmost(transform.log_abs_det_jacobian(x, y), dims - transform.domain.event_dim))
            y = x
        terms.append(sum_rightmost(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape)))
        return sum(terms[1:], terms[0])

    def _monotone(self, value: Tensor) -> Tensor:
        """1 - value where the transforms fall."""
        sign = ComposeTransform(self.transforms).sign
        if isinstance(sign, int) and sign == 1:
            return value
        found: Tensor = sign * (value - 0.5) + 0.5
        return found

    def cdf(self, value: ArrayLike) -> Tensor:
        """That of the base at the inverse."""
        y = self._unchecked(value)
        for transform in reversed(self.transforms):
            y = transform.inv(y)
        if self._validate_args:
            self.base_dist._validate_sample(y)
        return self._monotone(self.base_dist.cdf(y))

    def icdf(self, value: ArrayLike) -> Tensor:
        """The transforms of that of the base."""
        return self._forward(self.base_dist.icdf(self._monotone(self._unchecked(value))))
