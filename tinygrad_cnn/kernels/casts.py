"""Values brought to a dtype."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import DType


def brought(value: Any, dtype: DType) -> Any:
    """An array in this dtype; a number of Python as it is, but for an integer dtype taken modulo its range."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value if value.dtype == dtype else np.asarray(value).astype(dtype)
    if dtype.kind in "iu":
        try:
            dtype.type(value)
        except OverflowError:
            return wrapped(value, dtype)
    return value


def wrapped(number: int, dtype: DType) -> Any:
    """An integer as this integer dtype takes it, modulo its range: 300 is 44 as uint8."""
    if not -(2**63) <= number < 2**64:
        raise OverflowError(f"{number}: this integer does not fit into 64 bits; write it as a float")
    return np.array(number % 2**64, np.uint64).astype(dtype)[()]
