"""Universal functions: the op of each, and their methods `reduce`, `accumulate` and `outer`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.core.types import Array

UFUNCS: dict[Any, Callable[..., Array]] = {f: op.apply for op in registry.values() for f in op.numpy}
UFUNCS |= {
    np.matmul: ops.matmul,
    np.power: ops.pow,
    np.square: ops.square,
    np.reciprocal: ops.reciprocal,
    np.exp2: ops.exp2,
    np.logaddexp2: ops.logaddexp2,
    np.positive: lambda x: x,
    np.float_power: ops.float_power,
    np.deg2rad: ops.deg2rad,
    np.radians: ops.deg2rad,
    np.rad2deg: ops.rad2deg,
    np.degrees: ops.rad2deg,
    np.fmax: ops.fmax,
    np.fmin: ops.fmin,
    np.copysign: ops.copysign,
    np.cbrt: lambda x: cube_root(x),
    np.vecdot: lambda a, b: ops.sum(a * b, -1),
}

WITHOUT_GRADIENT = {
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_not, np.logical_xor),
    *(np.isfinite, np.isnan, np.isinf, np.signbit, np.heaviside),
    *(np.floor, np.ceil, np.rint, np.trunc, np.floor_divide),
    *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.bitwise_count),
    *(np.gcd, np.lcm),
}
"""Functions that are constant between jumps: their results are Tensors without a history."""

REDUCTIONS: dict[Any, Callable[..., Array]] = {
    np.add: ops.sum,
    np.multiply: ops.prod,
    np.maximum: ops.amax,
    np.minimum: ops.amin,
    np.logical_and: ops.all,
    np.logical_or: ops.any,
}
ACCUMULATIONS: dict[Any, Callable[..., Array]] = {np.add: ops.cumsum, np.multiply: ops.cumprod}


def cube_root(x: Array) -> Array:
    """``np.cbrt``: of negative numbers, too."""
    return ops.copysign(ops.pow(ops.abs(x), 1 / 3), x)


def with_dtype(inputs: tuple[Any, ...], dtype: Any) -> tuple[Any, ...]:
    """The inputs in the dtype in which a function is to be computed.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import numpy as np
    >>> from tinygrad_cnn.numpy_protocol import with_dtype
    >>> with_dtype((tg.tensor([1, 2]),), np.float64)[0].dtype
    torch.float64
    """
    return tuple(ops.astype(x, np.dtype(dtype)) if hasattr(x, "dtype") else x for x in inputs)


def of_method(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """``ufunc.reduce``, `accumulate` and `outer`, where an op means them; NotImplemented elsewhere.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import numpy as np
    >>> from tinygrad_cnn.numpy_protocol import of_method
    >>> of_method(np.add, "reduce", (tg.tensor([1.0, 2.0]),), {})
    tensor(3.)
    >>> np.add.reduce(tg.tensor([1.0, 2.0]))
    tensor(3.)
    """
    if options.pop("dtype", None) is not None:
        return NotImplemented
    if method == "reduce" and ufunc in REDUCTIONS and set(options) <= {"axis", "keepdims"}:
        axis = options.get("axis", (*inputs, 0)[1])
        return REDUCTIONS[ufunc](inputs[0], axis, bool(options.get("keepdims", False)))
    if method == "accumulate" and ufunc in ACCUMULATIONS and set(options) <= {"axis"}:
        return ACCUMULATIONS[ufunc](inputs[0], options.get("axis", (*inputs, 0)[1]))
    if method == "outer" and ufunc in UFUNCS and not options:
        a, b = (x if hasattr(x, "reshape") else np.asarray(x) for x in inputs)
        return UFUNCS[ufunc](a.reshape((*shape_of(a), *(1,) * len(shape_of(b)))), b)
    return NotImplemented
