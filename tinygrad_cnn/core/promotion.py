"""Which dtype the result of an op has when its inputs differ: rules by rank and category.

Dimensioned arrays outrank zero-dimensional ones, and those outrank Python numbers, within one category
(boolean < integer < floating); a higher category always wins. Integers alone in an op of fractions become the default
floating dtype.
"""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import DType

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


class Default:
    """`dtype`: the floating dtype of what is made from Python numbers."""

    dtype = FLOAT32


default = Default()


def common_dtype(values: list[Any], floating: bool) -> DType:
    """The dtype in which an op computes with these arrays and numbers."""
    ranks: list[list[DType]] = [[], [], []]  # with axes, without, Python numbers
    for value in values:
        if isinstance(value, np.ndarray):
            ranks[0 if value.ndim else 1].append(value.dtype)
        elif isinstance(value, np.generic):
            ranks[1].append(value.dtype)
        else:
            ranks[2].append(_of_number(value))
    result: DType | None = None
    for dtypes in ranks:
        for given in dtypes:
            if result is None or CATEGORY[given.kind] > CATEGORY[result.kind]:
                result = given
            elif dtypes is ranks[0] or (dtypes is ranks[1] and not ranks[0]):
                result = promoted(result, given)
    return default.dtype if result is None or (floating and result.kind in "biu") else result


def _of_number(value: Any) -> DType:
    return np.dtype(bool if isinstance(value, bool) else np.int64) if isinstance(value, int) else default.dtype


def promoted(a: DType, b: DType) -> DType:
    """NumPy's promotion, except that integers and floats give the float."""
    if a.kind == "f" and b.kind in "biu":
        return a
    if b.kind == "f" and a.kind in "biu":
        return b
    return np.promote_types(a, b)
