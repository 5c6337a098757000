"""`dtype`: the type of a tensor's elements under PyTorch's name, around NumPy's.

NumPy takes one wherever it takes a dtype, since it looks for the attribute `dtype`; there is one object per type, so
that ``x.dtype is torch.float32`` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.core.errors import DTypeError
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.types import DType

__all__ = [
    "bfloat16", "double", "dtype", "float16", "float32", "float64", "get_default_dtype", "half", "int8", "int16",
    "int32", "int64", "long", "set_default_dtype", "short", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip

_known: dict[DType, dtype] = {}


class dtype:
    """The type of a tensor's elements, such as ``float32``; `dtype` is NumPy's.

    Examples
    --------
    >>> float32
    torch.float32
    >>> float32.itemsize, float32.is_floating_point, float32 == np.float32
    (4, True, True)
    >>> np.zeros(2, dtype=int64).dtype
    dtype('int64')
    """

    __slots__ = ("_hash", "dtype", "itemsize", "kind", "name", "type")

    def __init__(self, numpy_dtype: DType) -> None:
        self.dtype = numpy_dtype
        self.kind, self.name, self.type = numpy_dtype.kind, numpy_dtype.name, numpy_dtype.type
        self.itemsize = numpy_dtype.itemsize
        self._hash = hash(numpy_dtype)

    @property
    def is_floating_point(self) -> bool:
        """Whether its numbers have a fraction."""
        return self.kind == "f"

    @property
    def is_complex(self) -> bool:
        """Whether its numbers are complex."""
        return self.kind == "c"

    @property
    def is_signed(self) -> bool:
        """Whether it has negative numbers."""
        return self.kind in "ifc"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dtype):
            return self is other
        return other is not None and bool(self.dtype == other)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return dtype_named, (self.dtype.str,)


class AbsentDtype(dtype):
    """A dtype that NumPy has not: programs may name it and compare with it; a tensor of it is refused."""

    __slots__ = ()

    def __init__(self, name: str, kind: Any, itemsize: int) -> None:
        self.name, self.kind, self.itemsize, self._hash = name, kind, itemsize, hash(name)

    if not TYPE_CHECKING:

        @property
        def dtype(self) -> Any:
            """NumPy's: refused, and told so by `dtype_named` where NumPy hides it."""
            raise self.refusal()

    def refusal(self) -> DTypeError:
        """What is said when it is used."""
        return DTypeError(f"{self.name}: NumPy has no such dtype; use float16, float32 or float64")

    def __reduce__(self) -> tuple[Any, ...]:
        return absent_dtype, (self.name,)


def absent_dtype(name: str) -> dtype:
    """The one object of this name."""
    found: dtype = globals()[name]
    return found


def dtype_named(value: Any) -> dtype:
    """The one object for what names a dtype: a `dtype`, one of NumPy's, a Python type, a string.

    Raises
    ------
    TypeError
        If it names none.
    """
    if isinstance(value, dtype):
        if type(value) is AbsentDtype:
            raise value.refusal()
        return value
    found = np.dtype(value)
    known = _known.get(found)
    if known is None:
        known = _known[found] = dtype(found)
    return known


float16, float32, float64 = (dtype_named(f"float{bits}") for bits in (16, 32, 64))
int8, int16, int32, int64 = (dtype_named(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (dtype_named(f"uint{bits}") for bits in (8, 16, 32, 64))
bool_ = dtype_named("bool")
bfloat16 = AbsentDtype("bfloat16", "f", 2)
half, float_, double = float16, float32, float64
short, int_, long = int16, int32, int64


def get_default_dtype() -> dtype:
    """The dtype of floating-point tensors made from Python numbers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.get_default_dtype()
    torch.float32
    """
    return dtype_named(default.dtype)


def set_default_dtype(d: Any, /) -> None:
    """Make new tensors of Python floats this dtype.

    TypeError for a dtype that is not floating.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.set_default_dtype(tg.float64)
    >>> tg.tensor([1.0]).dtype
    torch.float64
    >>> tg.set_default_dtype(tg.float32)
    """
    wanted = np.dtype(dtype_named(d))
    if wanted.kind != "f":
        raise TypeError(f"set_default_dtype: {wanted} is not a floating dtype")
    default.dtype = wanted
