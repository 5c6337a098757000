"""What parameters and samples must satisfy: `check` says of each event whether it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import full

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property",
    "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval",
    "is_dependent", "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative",
    "nonnegative_integer", "one_hot", "positive", "positive_definite", "positive_integer", "positive_semidefinite",
    "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval",
]  # fmt: skip

Bound: TypeAlias = Tensor | float
"""A number, or a Tensor of one for each place."""


class Constraint:
    """A region; `event_dim` dims from the right make one event, and `check` has one truth for each event."""

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event lies in the region."""
        raise NotImplementedError(f"{type(self).__name__}: has no check")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in vars(self).items())})"


class Dependent(Constraint):
    """A region that depends on other parameters: nothing can be checked without these."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._known = {"is_discrete": is_discrete, "event_dim": event_dim}

    def _asked(self, name: str) -> Any:
        if self._known[name] is NotImplemented:
            raise NotImplementedError(f".{name} cannot be determined statically")
        return self._known[name]

    @property
    def is_discrete(self) -> bool:
        """Whether the region is one of integers."""
        return bool(self._asked("is_discrete"))

    @property
    def event_dim(self) -> int:
        """How many dims make an event."""
        return int(self._asked("event_dim"))

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> Dependent:
        """The same, with what is known of it."""
        known = {**self._known}
        known |= {} if is_discrete is NotImplemented else {"is_discrete": is_discrete}
        known |= {} if event_dim is NotImplemented else {"event_dim": event_dim}
        return Dependent(**known)

    def check(self, value: Tensor) -> Tensor:
        """Refused."""
        raise ValueError("Cannot determine validity of dependent constraint")

    def __repr__(self) -> str:
        return "Dependent()"


class dependent_property(property, Dependent):  # PyTorch's name
    """A property of a distribution that gives a constraint; of the class, a constraint that depends on parameters."""

    def __init__(
        self,
        fn: Callable[[Any], Constraint] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:
        property.__init__(self, fn)
        Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Any) -> Any:  # type: ignore[override]  # a decorator, not the setting of what is known
        """Decorate a method, what is known being given before."""
        return dependent_property(fn, **self._known)

    __repr__ = Dependent.__repr__


def is_dependent(constraint: Any) -> bool:
    """Whether a constraint cannot be checked without other parameters."""
    return isinstance(constraint, Dependent)


# ---- numbers -------------------------------------------------------------------------------------------------


class Real(Constraint):
    """Any number, ±∞ among them; not NaN."""

    def check(self, value: Tensor) -> Tensor:
        """NaN is the only one that is not equal to itself."""
        return value == value


class Boolean(Constraint):
    """0 or 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        """Equal to one of them."""
        return (value == 0) | (value == 1)


class Bounded(Constraint):
    """Numbers on one side of a bound, or between two."""

    lower_bound: Bound
    upper_bound: Bound

    def __init__(self, lower_bound: Bound | None = None, upper_bound: Bound | None = None) -> None:
        if lower_bound is not None:
            self.lower_bound = lower_bound
        if upper_bound is not None:
            self.upper_bound = upper_bound


class GreaterThan(Bounded):
    """(lower_bound, ∞]."""

    def check(self, value: Tensor) -> Tensor:
        """Above it."""
        return value > self.lower_bound


class GreaterThanEq(Bounded):
    """[lower_bound, ∞]."""

    def check(self, value: Tensor) -> Tensor:
        """Not below it."""
        return value >= self.lower_bound


class LessThan(Bounded):
    """[-∞, upper_bound)."""

    def __init__(self, upper_bound: Bound) -> None:
        super().__init__(upper_bound=upper_bound)

    def check(self, value: Tensor) -> Tensor:
        """Below it."""
        return value < self.upper_bound


class Interval(Bounded):
    """[lower_bound, upper_bound]."""

    def check(self, value: Tensor) -> Tensor:
        """Between them, or one of them."""
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class HalfOpenInterval(Bounded):
    """[lower_bound, upper_bound)."""

    def check(self, value: Tensor) -> Tensor:
        """Between them, or the lower one."""
        return (value >= self.lower_bound) & (value < self.upper_bound)


class IntegerInterval(Interval):
    """The integers from lower_bound to upper_bound, both included."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        """Whole, and between them."""
        return (value % 1 == 0) & super().check(value)


class IntegerGreaterThan(GreaterThanEq):
    """The integers from lower_bound on."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        """Whole, and not below it."""
        return (value % 1 == 0) & super().check(value)


# ---- vectors -------------------------------------------------------------------------------------------------


class OneHot(Constraint):
    """Vectors of zeros and a single 1."""

    is_discrete, event_dim = True, 1

    def check(self, value: Tensor) -> Tensor:
        """Zeros and ones whose sum is 1."""
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class Simplex(Constraint):
    """Vectors of numbers of at least 0 whose sum is 1."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        """Up to a rounding of 1e-6."""
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class Multinomial(Constraint):
    """Vectors of numbers of at least 0 whose sum is at most upper_bound."""

    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound: Bound) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        """As PyTorch, the sum may be less."""
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)

    def __repr__(self) -> str:
        return "Multinomial()"


class IndependentConstraint(Constraint):
    """A constraint whose next `reinterpreted_batch_ndims` dims belong to the event, too."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:
        """That of the base."""
        return bool(self.base_constraint.is_discrete)

    @property
    def event_dim(self) -> int:
        """That of the base, and these."""
        return int(self.base_constraint.event_dim) + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        """All of the events that are one."""
        found = self.base_constraint.check(value)
        if found.ndim < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        return found.reshape(*found.shape[: found.ndim - self.reinterpreted_batch_ndims], -1).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """What each component of a mixture has as its support."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:
        """That of the components."""
        return bool(self.base_constraint.is_discrete)

    @property
    def event_dim(self) -> int:
        """That of the components."""
        return int(self.base_constraint.event_dim)

    def check(self, value: Tensor) -> Tensor:
        """In the support of all components."""
        if value.ndim < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        found = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return found.reshape(*found.shape[: value.ndim - self.event_dim], -1).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


# ---- matrices ------------------------------------------------------------------------------------------------


class LowerTriangular(Constraint):
    """Matrices that are 0 above the diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        """Equal to their lower triangle."""
        return (value.tril() == value).all(-1).all(-1)


class LowerCholesky(LowerTriangular):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value: Tensor) -> Tensor:
        """Both."""
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class CorrCholesky(LowerCholesky):
    """Those of them whose rows have length 1."""

    def check(self, value: Tensor) -> Tensor:
        """Up to ten roundings for each element of a row."""
        given = value.detach()
        rounding = float(np.finfo(given.numpy().dtype).eps) * value.shape[-1] * 10
        return super().check(value) & ((given.square().sum(-1).sqrt() - 1).abs() <= rounding).all(-1)


class Square(Constraint):
    """Matrices with as many rows as columns."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        """All matrices, or none."""
        return full(value.shape[:-2], value.shape[-2] == value.shape[-1], dtype=np.bool_)


class Symmetric(Square):
    """Matrices equal to their transpose."""

    def check(self, value: Tensor) -> Tensor:
        """Up to 1e-6 and a part in 10⁵."""
        square = super().check(value)
        return ops.isclose(value, value.mT, atol=1e-6).all(-2).all(-1) if square.all() else square


class PositiveSemidefinite(Symmetric):
    """Symmetric matrices without a negative eigenvalue."""

    def check(self, value: Tensor) -> Tensor:
        """By the eigenvalues."""
        symmetric = super().check(value)
        return symmetric & Tensor.wrap(self._fits(eigenvalues(value))) if symmetric.all() else symmetric

    def _fits(self, found: Any) -> Any:
        return (found >= 0).all(-1)


class PositiveDefinite(PositiveSemidefinite):
    """Symmetric matrices with positive eigenvalues."""

    def _fits(self, found: Any) -> Any:
        return (found > 0).all(-1)


def eigenvalues(value: Tensor) -> Any:
    """Of symmetric matrices."""
    return np.linalg.eigvalsh(value.detach().numpy())


# ---- several -------------------------------------------------------------------------------------------------


class Cat(Constraint):
    """Constraints of pieces along a dim, each so many long."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        self.cseq, self.dim = list(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    @property
    def is_discrete(self) -> bool:
        """Whether one of them is."""
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> int:
        """The most of them."""
        most: int = max(c.event_dim for c in self.cseq)
        return most

    def check(self, value: Tensor) -> Tensor:
        """Piece by piece."""
        starts = np.cumsum([0, *self.lengths[:-1]]).tolist()
        pieces = [value.narrow(self.dim, start, n) for start, n in zip(starts, self.lengths, strict=True)]
        return ops.cat([c.check(piece) for c, piece in zip(self.cseq, pieces, strict=True)], self.dim)

    def __repr__(self) -> str:
        return "Cat()"


class Stack(Constraint):
    """Constraints of slices along a dim."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq, self.dim = list(cseq), dim

    @property
    def is_discrete(self) -> bool:
        """Whether one of them is."""
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> int:
        """The most of them, and the dim itself if it lies among these."""
        most: int = max(c.event_dim for c in self.cseq)
        return most + (self.dim + most < 0)

    def check(self, value: Tensor) -> Tensor:
        """Slice by slice."""
        return ops.stack([c.check(value.select(self.dim, k)) for k, c in enumerate(self.cseq)], self.dim)

    def __repr__(self) -> str:
        return "Stack()"


def within(constraint: Constraint, value: Tensor) -> bool:
    """Whether all events lie in the region."""
    with no_grad():
        return bool(constraint.check(value.detach()).all())


dependent = Dependent()
independent = IndependentConstraint
boolean = Boolean()
one_hot = OneHot()
nonnegative_integer = IntegerGreaterThan(0)
positive_integer = IntegerGreaterThan(1)
integer_interval = IntegerInterval
real = Real()
real_vector = independent(real, 1)
positive = GreaterThan(0.0)
nonnegative = GreaterThanEq(0.0)
greater_than = GreaterThan
greater_than_eq = GreaterThanEq
less_than = LessThan
multinomial = Multinomial
unit_interval = Interval(0.0, 1.0)
interval = Interval
half_open_interval = HalfOpenInterval
simplex = Simplex()
lower_triangular = LowerTriangular()
lower_cholesky = LowerCholesky()
corr_cholesky = CorrCholesky()
square = Square()
symmetric = Symmetric()
positive_semidefinite = PositiveSemidefinite()
positive_definite = PositiveDefinite()
cat = Cat
stack = Stack
