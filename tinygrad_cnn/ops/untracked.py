"""Functions without a derivative: applied to the arrays, their results have no history."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.core import engine
from tinygrad_cnn.core.checks import check_broadcast, check_numbers, shape_of
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.promotion import common_dtype
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import Array, NDArray
from tinygrad_cnn.kernels.casts import brought
from tinygrad_cnn.ops.told import made


def array_of(op: str, value: Any) -> Any:
    """The array of a Tensor, without its history; a Python number as it is, anything else as an array."""
    if isinstance(value, Tensor):
        return value.array
    return value if isinstance(value, (int, float)) else check_numbers(op, value)


def dressed(result: Any, *inputs: Any) -> Any:
    """The result as a Tensor if one of the inputs is, as an array if not; in tuples and lists each element."""
    if isinstance(result, tuple):
        return tuple(dressed(part, *inputs) for part in result)
    array = np.asarray(result)
    return Tensor.wrap(array) if any(isinstance(value, Tensor) for value in inputs) else array


def untracked(op: str, function: Callable[..., Any], *inputs: Any) -> Any:
    """`function` of the arrays: a Tensor without a history if one of the inputs is a Tensor."""
    return _called(op, function, [array_of(op, value) for value in inputs], inputs)


def _called(op: str, function: Callable[..., Any], arrays: list[Any], inputs: tuple[Any, ...]) -> Any:
    """`function` of the arrays of these inputs, dressed as they are; an error of their shapes names the op."""
    try:
        result = made(function, *arrays)
    except ValueError:
        check_broadcast(op, *(shape_of(value) for value in inputs))
        raise
    return dressed(result, *inputs)


_NUMBERS = dict.fromkeys("efd", (int, float)) | dict.fromkeys("bBhHiIlLqQ", (int,))
"""The numbers of Python that take part in the dtype of an array, by its letter."""


def paired(op: str, function: Callable[..., Any], *inputs: Any) -> Any:
    """`untracked`, of inputs brought to their common dtype: so bytes are compared with -1 as with 255."""
    if len(inputs) == 2 and type(inputs[0]) is Tensor.kind:  # the commonest cases, in a third of the time
        a, other = inputs[0].array, inputs[1]
        b = other.array if type(other) is Tensor.kind else other
        alike = b.dtype is a.dtype if type(b) is np.ndarray else type(b) in _NUMBERS.get(a.dtype.char, ())
        if alike and (type(b) is not int or a.dtype.kind == "f" or -1 < b < 128):
            try:
                return Tensor.wrap(np.asarray(made(function, a, b)))
            except ValueError:
                check_broadcast(op, a.shape, shape_of(b))
                raise
    arrays = [array_of(op, value) for value in inputs]
    dtype = common_dtype(arrays, False)
    return _called(op, function, [brought(value, dtype) for value in arrays], inputs)


def is_tracked(value: Array) -> bool:
    """Whether a value is a Tensor of which a gradient may be asked."""
    return isinstance(value, Tensor) and mode.recording and value.requires_grad


def plain(op: str, value: Any) -> NDArray:
    """The array of a value, without its history."""
    return np.asarray(array_of(op, value))


def refuse_gradient(op: str, instead: str, *inputs: Any) -> None:
    """RuntimeError if a function that has no derivative here is to be differentiated."""
    if any(is_tracked(value) for value in inputs):
        way = way_out(f"use .detach() if none is needed, or {instead}")
        raise ArgumentError(f"{op}: has no derivative here; {way}")


def way_out(instead: str) -> str:
    """What to do instead; inside a rule that is differentiated itself, leaving the graph would lose a derivative."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code is not engine.ask.__code__:
        frame = frame.f_back
    if frame is None:
        return instead
    node, rule = frame.f_locals["node"], frame.f_locals["rule"]
    return (
        f"{node.op.name}.{rule.name} is differentiated itself here, so write it with functions that record (for NumPy "
        "the page 'NumPy functions that take a Tensor' lists them), or make an Op of this part"
    )
