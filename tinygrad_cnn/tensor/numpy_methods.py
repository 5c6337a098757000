"""How NumPy's functions meet a `Tensor`: what they mean is in `numpy_protocol`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.autograd.writes import note_write
from tinygrad_cnn.errors import ArgumentError
from tinygrad_cnn.numpy_protocol import FUNCTIONS, PLAIN, UFUNCS, WITHOUT_GRADIENT, of_method, with_dtype
from tinygrad_cnn.numpy_protocol.plain import MAKERS
from tinygrad_cnn.tensor.arrays import as_plain, is_tensor
from tinygrad_cnn.tensor.methods import Methods

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


RULED = UFUNCS.keys() | WITHOUT_GRADIENT


class NumpyMethods(Methods):
    """NumPy's protocols."""

    __slots__ = ()

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NEP 13: a NumPy function of a Tensor is the op that means it, recorded."""
        if method == "__call__" and not kwargs:
            op = UFUNCS.get(ufunc)
            if op is not None:
                return op(*inputs)
            if ufunc in WITHOUT_GRADIENT:
                return self.wrap(np.asarray(ufunc(*(as_plain(v) for v in inputs))))
        elif method == "__call__" and set(kwargs) <= {"out", "dtype"} and ufunc in RULED:
            dtype, (out,) = kwargs.get("dtype"), kwargs.get("out") or (None,)
            result = self.__array_ufunc__(ufunc, method, *(inputs if dtype is None else with_dtype(inputs, dtype)))
            return result if out is None else written_into(f"numpy.{ufunc.__name__}", result, out)
        elif method != "__call__":
            result = of_method(ufunc, method, inputs, dict(kwargs))
            if result is not NotImplemented:
                return result
        options = f" with {sorted(kwargs)}" if kwargs else ""
        called = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        raise TypeError(
            f"{called}: has no derivative rule for Tensors{options}; use .detach().numpy() to leave the graph, "
            "or the methods of Tensor"
        )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """NEP 18: the same for NumPy's other functions."""
        handler = FUNCTIONS.get(func)
        if handler is None:
            if func in PLAIN:
                result = func(*plain_tree(args), **plain_tree(kwargs))
                return result if func in MAKERS else self._wrapped(result)
            raise TypeError(
                f"numpy.{func.__name__}: is not defined for Tensors; use .detach().numpy() to leave the graph, or "
                "the methods of Tensor"
            )
        try:
            return handler(*args, **kwargs)
        except TypeError:
            check_arguments(func, handler, args, kwargs)
            raise

    def _wrapped(self, result: Any) -> Any:
        """Arrays as Tensors, in tuples and lists, too."""
        if isinstance(result, (tuple, list)):
            return (
                type(result)(*map(self._wrapped, result))
                if hasattr(result, "_fields")
                else tuple(map(self._wrapped, result))
            )
        return self.wrap(result) if isinstance(result, np.ndarray) else result


def plain_tree(value: Any) -> Any:
    """Tensors as their arrays, in tuples, lists and dicts, too."""
    if isinstance(value, (tuple, list)):
        return type(value)(plain_tree(v) for v in value)
    if isinstance(value, dict):
        return {k: plain_tree(v) for k, v in value.items()}
    return as_plain(value)


def written_into(name: str, result: Tensor, out: Any) -> Any:
    """The result in the memory of `out`: a Tensor is written as in place, an array only where no gradient is lost."""
    if tuple(out.shape) != tuple(result.array_shape):
        raise ArgumentError(f"{name}: out has shape {tuple(out.shape)}, the result {result.array_shape}")
    if is_tensor(out):
        return out.copy_(result)
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
