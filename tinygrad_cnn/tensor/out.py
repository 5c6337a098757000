"""Results written into tensors that were there before: PyTorch's `out`."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from tinygrad_cnn.autograd.mode import no_grad
from tinygrad_cnn.core.errors import DTypeError
from tinygrad_cnn.tensor.tensor import Tensor

_Function = TypeVar("_Function", bound=Callable[..., Any])


IN_OUT = frozenset({"cumsum", "cumprod"})
"""Functions that compute in the dtype of `out`."""


PAIRS_EXACT = frozenset({"max", "min"})
"""Functions whose `out` must have the dtypes of the results if there are two, and may have others if there is one."""


def written(op: str, result: Any, out: Any) -> Any:
    """The result, in the memory of `out`, which takes its shape, and must hold its dtype.

    Raises
    ------
    RuntimeError
        If a gradient would flow, which `out` cannot carry, or if the dtype does not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.tensor import written
    >>> out = tg.zeros(2)
    >>> _ = written("exp", tg.tensor([1.0, 2.0]), out)
    >>> out
    tensor([1., 2.])
    """
    if out is None:
        return result
    if isinstance(result, tuple):
        if not isinstance(out, (tuple, list)) or len(out) != len(result):
            raise TypeError(f"{op}: out must be a tuple of {len(result)} tensors")
        parts = [written(op, part, target) for part, target in zip(result, out, strict=True)]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if not isinstance(out, Tensor):
        raise TypeError(f"{op}: out is {type(out).__name__}; expected a Tensor")
    if result.is_recorded or out.is_recorded:
        raise RuntimeError(f"{op}: out= cannot carry a gradient; use the result, or no_grad()")
    check_single(op, out)
    if out.array_shape != result.array_shape:
        if out.numel():
            warnings.warn(
                f"{op}: out has shape {out.array_shape}, the result {result.array_shape}: out is resized; give an "
                "empty tensor, out.resize_(0), or one of the right shape",
                UserWarning,
                stacklevel=3,
            )
        out.resize_(result.array_shape)
    with no_grad():
        out.become(op, lambda x: result)
    return out


def check_dtypes(op: str, result: Any, out: Any) -> None:
    """Each tensor of `out` has the dtype of its result."""
    if isinstance(result, tuple):
        for part, target in zip(result, out if isinstance(out, (tuple, list)) else (), strict=False):
            check_dtypes(op, part, target)
    elif isinstance(out, Tensor) and out.array_dtype != result.array_dtype:
        raise DTypeError(f"{op}: out has dtype {out.array_dtype}, the result {result.array_dtype}; they must be equal")


def check_single(op: str, out: Tensor) -> None:
    """RuntimeError if two elements of `out` lie in one place, as in an expanded tensor."""
    if out.numel() and any(not step and size > 1 for step, size in zip(out.stride(), out.array_shape, strict=True)):
        raise RuntimeError(f"{op}: elements of out share their place in memory; give out.clone()")


def into(function: _Function, exact: bool = False) -> _Function:
    """Let a function of tensors take `out`: a tensor, or several, that its results are written into.

    If `exact`, its dtype must be that of the result, not just one that holds it.
    """

    @wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        if "out" not in options:
            return function(*args, **options)
        out = options.pop("out")
        if function.__name__ in IN_OUT and isinstance(out, Tensor):
            options.setdefault("dtype", out.dtype)
        result = function(*args, **options)
        if exact or (isinstance(result, tuple) and function.__name__ in PAIRS_EXACT):
            check_dtypes(function.__name__, result, out)
        return written(function.__name__, result, out)

    return cast(_Function, called)


def of_tensors(function: _Function, count: int, refused: Callable[[Any], bool] = any) -> _Function:
    """Let a function refuse numbers in place of its first `count` arguments, any of them or all of them.

    There PyTorch takes tensors alone.
    """
    name = function.__name__

    @wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        first = args[:count]
        if len(first) == count and refused([type(value) in NUMBERS for value in first]):
            place, value = next((k, value) for k, value in enumerate(first) if type(value) in NUMBERS)
            raise TypeError(f"{name}: argument {place} is the number {value!r}; expected a Tensor or an array")
        return function(*args, **options)

    return cast(_Function, called)


NUMBERS = frozenset({int, float, bool})
