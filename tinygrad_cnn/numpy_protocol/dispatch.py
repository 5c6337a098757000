"""How NumPy's functions meet a Tensor: the table that `core.tensor.Tensor` looks into."""

import inspect
from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.storage import note_write
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.numpy_protocol import products, reductions, shapes
from tinygrad_cnn.numpy_protocol.plain import MAKERS, PLAIN
from tinygrad_cnn.numpy_protocol.ufuncs import UFUNCS, WITHOUT_GRADIENT, of_method, with_dtype
from tinygrad_cnn.ops.untracked import way_out

FUNCTIONS: dict[Any, Any] = {**shapes.FUNCTIONS, **reductions.FUNCTIONS, **products.FUNCTIONS}
"""Functions that are recorded. What is in neither table is refused by name."""
LEAVE = "use .detach().numpy() to leave the graph, or the methods of Tensor"
RULED = UFUNCS.keys() | WITHOUT_GRADIENT


def of_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A universal function of Tensors, as the op that means it, or plainly where it is constant between jumps."""
    if method == "__call__" and not options:
        op = UFUNCS.get(ufunc)
        if op is not None:
            return op(*inputs)
        if ufunc in WITHOUT_GRADIENT:
            return Tensor.wrap(np.asarray(ufunc(*(plain_tree(v) for v in inputs))))
    elif method == "__call__" and set(options) <= {"out", "dtype"} and ufunc in RULED:
        dtype, (out,) = options.get("dtype"), options.get("out") or (None,)
        result = of_ufunc(ufunc, method, inputs if dtype is None else with_dtype(inputs, dtype), {})
        return result if out is None else written_into(f"numpy.{ufunc.__name__}", result, out)
    elif method != "__call__":
        result = of_method(ufunc, method, inputs, dict(options))
        if result is not NotImplemented:
            return result
    given = f" with {sorted(options)}" if options else ""
    called = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    raise TypeError(f"{called}: has no derivative rule for Tensors{given}; {way_out(LEAVE)}")


def of_function(function: Any, args: Any, options: Any) -> Any:
    """Another function of NumPy's."""
    handler = FUNCTIONS.get(function)
    if handler is None:
        if function in PLAIN:
            result = function(*plain_tree(args), **plain_tree(options))
            return result if function in MAKERS else wrapped(result)
        raise TypeError(f"numpy.{function.__name__}: is not defined for Tensors; {way_out(LEAVE)}")
    try:
        return handler(*args, **options)
    except TypeError:
        check_arguments(function, handler, args, options)
        raise


def wrapped(result: Any) -> Any:
    """Arrays as Tensors, in tuples and lists, too."""
    if isinstance(result, (tuple, list)):
        parts = map(wrapped, result)
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    return Tensor.wrap(result) if isinstance(result, np.ndarray) else result


def plain_tree(value: Any) -> Any:
    """Tensors as their arrays, in tuples, lists and dicts, too."""
    if isinstance(value, (tuple, list)):
        return type(value)(plain_tree(v) for v in value)
    if isinstance(value, dict):
        return {k: plain_tree(v) for k, v in value.items()}
    return value.array if isinstance(value, Tensor) else value


def written_into(name: str, result: Any, out: Any) -> Any:
    """The result in the memory of `out`: a Tensor is written as in place, an array only where no gradient is lost."""
    if tuple(out.shape) != tuple(result.array_shape):
        raise ArgumentError(f"{name}: out has shape {tuple(out.shape)}, the result {result.array_shape}")
    target: Any = out
    if isinstance(out, Tensor):
        return target.copy_(result)
    if result.requires_grad:
        raise RuntimeError(
            f"{name}: an array cannot hold the gradient of the result; write a = a + t instead of a += t, or use "
            "t.detach()"
        )
    np.copyto(out, result.array, casting="same_kind")
    note_write(out)
    return out


def check_arguments(func: Any, handler: Any, args: Any, kwargs: Any) -> None:
    """TypeError in NumPy's name, if the arguments are not those that the handler takes."""
    try:
        inspect.signature(handler).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"numpy.{func.__name__}: {error}; Tensors take {inspect.signature(handler)}") from None
    except ValueError:
        return


MEANINGS: dict[Any, Any] = {**UFUNCS, "ufunc": of_ufunc, "function": of_function}
"""What goes into `core.tensor.Tensor.meanings`."""
