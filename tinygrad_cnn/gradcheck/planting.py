"""Wrong gradients on purpose: a checker is only worth something if it rejects them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from tinygrad_cnn.core.op import Op, Rule
from tinygrad_cnn.core.types import A, Array

__all__ = ["PLANTED", "planted"]


def off_by_one_percent(d: Array) -> Array:
    """1% too large; 0.01 where it is 0."""
    return np.where(d == 0, d + 0.01, d * 1.01)


def sign_flipped(d: Array) -> Array:
    """The wrong sign."""
    return -d


def doubled(d: Array) -> Array:
    """A factor 2 too much."""
    return d * 2


def zeroed(d: Array) -> Array:
    """No gradient at all, though of the right shape and still recorded."""
    return d * 0


def transposed(d: Array) -> Array:
    """The elements of the last two axes in each other's place, in the same shape."""
    return np.reshape(np.swapaxes(d, -1, -2), d.shape) if len(d.shape) > 1 else np.flip(d)


def overwritten(d: Array) -> Array:
    """Only the last slice along the first axis: as if contributions had been assigned, not added."""
    if not d.shape or d.shape[0] < 2:
        return d * 0
    last = np.zeros(d.shape, d.dtype)
    last[-1:] = 1
    return d * last


class Mistake(Protocol):
    """Makes a wrong gradient out of the right one."""

    def __call__(self, d: A, /) -> A:
        """The wrong one."""
        ...


PLANTED: dict[str, Mistake] = {
    "off by 1%": off_by_one_percent,
    "sign flipped": sign_flipped,
    "factor 2": doubled,
    "zeroed": zeroed,
    "transposed": transposed,
    "overwritten": overwritten,
}


@contextmanager
def planted(op: type[Op], k: int, wrong: Callable[[Array], Array]) -> Iterator[None]:
    """Inside the block, rule k of the op returns what `wrong` makes of its result, and is asked at every pass.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.gradcheck import gradcheck, planted
    >>> from tinygrad_cnn.core.elementwise import Exp
    >>> x = tg.tensor([0.5], dtype=tg.float64, requires_grad=True)
    >>> with planted(Exp, 0, lambda g: 2 * g): report = gradcheck(tg.exp, x, raise_exception=False)
    >>> report.diagnoses[0].kind
    'factor'
    """
    rules, at_once = op.rules, op.at_once
    rule = rules[k]
    if rule is None:
        raise ValueError(f"planted: {op.name} has no derivative for input {op.inputs[k]!r}")
    right = rule.function

    def function(*args: Any, **options: Any) -> Array:
        return wrong(right(*args, **options))

    op.at_once = None
    op.rules = tuple(Rule(rule.name, function, rule.picks, rule.options) if j == k else r for j, r in enumerate(rules))
    try:
        yield
    finally:
        op.rules, op.at_once = rules, at_once
