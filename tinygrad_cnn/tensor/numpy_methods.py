"""How NumPy's functions meet a `Tensor`: what they mean is in `numpy_protocol`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.numpy_protocol import FUNCTIONS, UFUNCS, WITHOUT_GRADIENT
from tinygrad_cnn.tensor.arrays import as_plain
from tinygrad_cnn.tensor.methods import Methods


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
                return self._wrap(np.asarray(ufunc(*(as_plain(v) for v in inputs))))
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
            raise TypeError(
                f"numpy.{func.__name__}: is not defined for Tensors; use .detach().numpy() to leave the graph, or "
                "the methods of Tensor"
            )
        return handler(*args, **kwargs)
