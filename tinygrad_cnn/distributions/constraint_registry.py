"""`biject_to` and `transform_to`: from any numbers to those that satisfy a constraint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_cnn.distributions import constraints, transforms
from tinygrad_cnn.distributions.constraints import Constraint
from tinygrad_cnn.distributions.transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Of each kind of constraint the function that makes the transform.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> to = tg.distributions.transform_to(tg.distributions.constraints.positive)
    >>> to(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """

    def __init__(self) -> None:
        self._registry: dict[type[Constraint], Callable[[Any], Transform]] = {}

    def register(self, constraint: Any, factory: Any = None) -> Any:
        """Say how the transform of a constraint, or of its class, is made; without `factory` a decorator."""
        if factory is None:
            return lambda made: self.register(constraint, made)
        key = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not isinstance(key, type) or not issubclass(key, Constraint):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[key] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform of a constraint."""
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to = ConstraintRegistry()
"""Invertible maps, for sampling."""
transform_to = ConstraintRegistry()
"""Maps that act on each coordinate alone where that is possible, for optimising."""


def _between(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


def _beyond(bound: Any, sign: int) -> Transform:
    if isinstance(bound, (int, float)) and bound == 0 and sign == 1:
        return transforms.ExpTransform()
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(bound, sign)])


def _register(registry: ConstraintRegistry) -> None:
    """What both share."""
    registry.register(constraints.real, lambda _: transforms.identity_transform)
    registry.register(
        constraints.independent,
        lambda c: transforms.IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims),
    )
    for above in (constraints.greater_than, constraints.greater_than_eq):
        registry.register(above, lambda c: _beyond(c.lower_bound, 1))
    registry.register(constraints.less_than, lambda c: _beyond(c.upper_bound, -1))
    for kind in (constraints.interval, constraints.half_open_interval):
        registry.register(kind, _between)
    registry.register(constraints.corr_cholesky, lambda _: transforms.CorrCholeskyTransform())
    registry.register(
        constraints.cat, lambda c: transforms.CatTransform([registry(part) for part in c.cseq], c.dim, c.lengths)
    )
    registry.register(constraints.stack, lambda c: transforms.StackTransform([registry(p) for p in c.cseq], c.dim))


_register(biject_to)
_register(transform_to)
biject_to.register(constraints.simplex, lambda _: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda _: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda _: transforms.LowerCholeskyTransform())
for _definite in (constraints.positive_definite, constraints.positive_semidefinite):
    transform_to.register(_definite, lambda _: transforms.PositiveDefiniteTransform())
