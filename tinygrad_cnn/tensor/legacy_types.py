"""``torch.FloatTensor`` and its like: the older constructors, which are also names for ``isinstance`` and `.type`."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import DTypeError
from tinygrad_cnn.core.types import DType
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.legacy import DTYPES, dtype_of_legacy, legacy_array
from tinygrad_cnn.torch_names.dtypes import set_default_dtype

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor", "set_default_tensor_type",
]  # fmt: skip


class _Kind(type):
    """The tensors of one dtype: not a class that they have, but one that ``isinstance`` answers for."""

    dtype: DType

    def __call__(cls, *data: Any) -> Tensor:
        return Tensor.wrap(legacy_array(data, cls.dtype))

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.array_dtype == cls.dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _kind(name: str) -> _Kind:
    dtype = DTYPES[name]
    doc = (
        f"A {dtype} tensor of a list, or of sizes; PyTorch's older form of ``tensor(…, dtype={dtype})``.\n\n"
        "    The elements of sizes are what the memory holds. ``isinstance`` and `Tensor.type` take the name, too.\n\n"
        "    Examples\n    --------\n    >>> import tinygrad_cnn as tg\n"
        f"    >>> x = tg.{name}([1, 0])\n    >>> x.dtype, isinstance(x, tg.{name})\n    (torch.{dtype}, True)\n    "
    )
    return _Kind(name, (), {"dtype": dtype, "__doc__": doc, "__module__": __name__})


FloatTensor, DoubleTensor, HalfTensor = _kind("FloatTensor"), _kind("DoubleTensor"), _kind("HalfTensor")
ByteTensor, CharTensor, BoolTensor = _kind("ByteTensor"), _kind("CharTensor"), _kind("BoolTensor")
ShortTensor, IntTensor, LongTensor = _kind("ShortTensor"), _kind("IntTensor"), _kind("LongTensor")


def set_default_tensor_type(t: Any) -> None:
    """Make new tensors of Python floats this type, such as ``torch.DoubleTensor`` or its name.

    TypeError for a type that is not floating.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.set_default_tensor_type(tg.DoubleTensor)
    >>> tg.tensor([1.0]).dtype
    torch.float64
    >>> tg.set_default_tensor_type(tg.FloatTensor)
    """
    dtype = dtype_of_legacy(t)
    if np.dtype(dtype).kind != "f":
        raise DTypeError(f"set_default_tensor_type: {t!r} is no floating type; expected one such as torch.DoubleTensor")
    set_default_dtype(dtype)
