"""PyTorch's names that end in ``_copy``: what shares memory under the name without the ending is copied here."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from tinygrad_cnn.core.types import A
from tinygrad_cnn.ops import arrangement, shape, views
from tinygrad_cnn.ops.shape import clone

__all__ = [
    "alias_copy", "as_strided_copy", "diagonal_copy", "expand_copy", "narrow_copy", "permute_copy", "select_copy",
    "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy", "unbind_copy", "unfold_copy",
    "unsqueeze_copy", "view_copy",
]  # fmt: skip

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _copying(function: _Function) -> _Function:
    """The function, its result (or each of them) copied."""

    @wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        return tuple(clone(part) for part in result) if isinstance(result, (tuple, list)) else clone(result)

    return cast(_Function, called)


def alias_copy(input: A) -> A:
    """A copy.

    Shape and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.alias_copy(tg.tensor([1, 2]))
    tensor([1, 2])
    """
    return clone(input)


as_strided_copy = _copying(views.as_strided)
diagonal_copy = _copying(shape.diagonal)
expand_copy = _copying(shape.expand)
narrow_copy = _copying(shape.narrow)
permute_copy = _copying(shape.permute)
select_copy = _copying(shape.select)
split_copy = _copying(shape.split)
split_with_sizes_copy = _copying(arrangement.split_with_sizes)
squeeze_copy = _copying(shape.squeeze)
t_copy = _copying(shape.t)
transpose_copy = _copying(shape.transpose)
unbind_copy = _copying(shape.unbind)
unfold_copy = _copying(views.unfold_windows)
unsqueeze_copy = _copying(shape.unsqueeze)
view_copy = _copying(views.view)
