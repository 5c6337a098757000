"""`Distribution`: what all have in common: shapes, checks of parameters and of values, what derives from the rest."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, Self

from tinygrad_cnn.autograd import enable_grad, grad, no_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import ArrayLike
from tinygrad_cnn.distributions.constraints import is_dependent, within
from tinygrad_cnn.distributions.parameters import floating, lazy_property, sum_rightmost, unwritten
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import as_tensor
from tinygrad_cnn.torch_names.size import Size

__all__ = ["Distribution", "ExponentialFamily"]

Shape = Sequence[int]


class Distribution:
    """A distribution for each place of `batch_shape`, of events of `event_shape`; a subclass computes.

    `sample(shape)` and `rsample(shape)` have the shape ``shape + batch_shape + event_shape``. A subclass keeps its
    parameters as attributes, and names each in `arg_constraints` with what it must satisfy.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> normal = tg.distributions.Normal(tg.zeros(2), tg.ones(2))
    >>> isinstance(normal, tg.distributions.Distribution), normal.batch_shape
    (True, torch.Size([2]))
    """

    arg_constraints: ClassVar[Any] = {}
    """What each parameter must satisfy, by name."""
    has_rsample: bool = False
    """Whether samples can be functions of the parameters."""
    has_enumerate_support: Any = False
    """Whether all values can be listed."""
    _validate_args = True

    def __init__(self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where `validate_args` is not given."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: value is {value!r}; it must be True or False")
        Distribution._validate_args = value

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            if is_dependent(constraint):
                continue
            if name not in vars(self) and isinstance(getattr(type(self), name), lazy_property):
                continue
            value = getattr(self, name)
            if not within(constraint, value):
                raise ArgumentError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    # ---- shapes ------------------------------------------------------------------------------------------

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters of single distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Shape = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The same distribution with its parameters expanded to another batch shape."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        vars(new).update(vars(self))
        new._batch_shape = Size(batch_shape)
        for name, value in vars(self).items():
            if isinstance(value, Tensor) and name in self.arg_constraints:
                event = value.shape[value.ndim - self.arg_constraints[name].event_dim :]
                setattr(new, name, value.expand(*batch_shape, *event))
            elif isinstance(value, Distribution):
                setattr(new, name, value.expand(batch_shape))
        return new

    # ---- values ------------------------------------------------------------------------------------------

    support = unwritten("support")
    """Where the values lie."""

    def _validate_sample(self, value: Tensor) -> None:
        """ValueError unless the value has the shape of events, and lies in the support."""
        event = len(self._event_shape)
        if tuple(value.shape[value.ndim - event :]) != tuple(self._event_shape):
            raise ArgumentError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        whole = (*self._batch_shape, *self._event_shape)
        if any(1 not in (i, j) and i != j for i, j in zip(reversed(value.shape), reversed(whole), strict=False)):
            raise ArgumentError(f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {whole}.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please initialize the "
                "distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not within(support, value):
            raise ArgumentError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _given(self, value: ArrayLike) -> Tensor:
        """A value as a Tensor, a number in the dtype of the parameters; checked."""
        given = self._unchecked(value)
        if self._validate_args:
            self._validate_sample(given)
        return given

    def _unchecked(self, value: ArrayLike) -> Tensor:
        if isinstance(value, Tensor):
            return value
        return floating(value, self._dtype) if isinstance(value, (bool, int, float)) else as_tensor(value)

    @property
    def _dtype(self) -> Any:
        for value in vars(self).values():
            if isinstance(value, Tensor):
                return value.dtype
            if isinstance(value, Distribution):
                return value._dtype
        return None

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw, without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def sample_n(self, n: int) -> Tensor:
        """The old name of ``sample((n,))``."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Draw as a function of the parameters, so that gradients flow into them."""
        raise NotImplementedError(f"{type(self).__name__}: has no reparametrised samples; use sample() and log_prob()")

    def log_prob(self, value: ArrayLike) -> Tensor:
        """The logarithm of the probability, or of its density, at a value."""
        self._absent("log_prob")

    def cdf(self, value: ArrayLike) -> Tensor:
        """The probability of at most a value."""
        self._absent("cdf")

    def icdf(self, value: ArrayLike) -> Tensor:
        """The value below which a sample lies with this probability."""
        self._absent("icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, along a new first dim; the dims of the batch have size 1 unless `expand`."""
        self._absent("enumerate_support")

    # ---- numbers -----------------------------------------------------------------------------------------

    @property
    def mean(self) -> Tensor:
        """The expectation."""
        self._absent("mean")

    @property
    def mode(self) -> Tensor:
        """The value of the largest probability or density."""
        self._absent("mode")

    @property
    def variance(self) -> Tensor:
        """The expected square of the distance from the mean."""
        self._absent("variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def entropy(self) -> Tensor:
        """The expectation of -log_prob."""
        self._absent("entropy")

    def perplexity(self) -> Tensor:
        """The exponential of the entropy."""
        return self.entropy().exp()

    def _absent(self, name: str) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__}: has no {name}")

    def __repr__(self) -> str:
        shown = ((name, vars(self)[name]) for name in self.arg_constraints if name in vars(self))
        return f"{type(self).__name__}({', '.join(f'{n}: {v if v.numel() == 1 else v.shape}' for n, v in shown)})"


class AroundLoc(Distribution):
    """One whose mean and mode are its parameter `loc`."""

    loc: Tensor

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc


class ExponentialFamily(Distribution):
    """One whose density is exp(⟨t(x), θ⟩ - F(θ) + k(x)).

    A subclass may give `_natural_params` θ, `_log_normalizer` F and `_mean_carrier_measure`, the expectation of k; the
    entropy follows.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> issubclass(tg.distributions.Normal, tg.distributions.ExponentialFamily)
    True
    """

    _mean_carrier_measure = unwritten("closed form of the mean of its carrier measure, so no entropy")

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        self._absent("_natural_params")

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        self._absent("_log_normalizer")

    def entropy(self) -> Tensor:
        """F(θ) - ⟨θ, F'(θ)⟩ less the mean of k (Nielsen & Nock 2010)."""
        given = self._natural_params
        params = [p if p.requires_grad else p.detach().requires_grad_() for p in given]
        with enable_grad():
            normalizer = self._log_normalizer(*params)
            slopes = grad(normalizer.sum(), params, create_graph=True)
            found: Tensor = normalizer - self._mean_carrier_measure
            for p, slope in zip(params, slopes, strict=True):
                found = found - sum_rightmost(p * slope, len(self._event_shape))
        return found if any(p.requires_grad for p in given) else found.detach()
