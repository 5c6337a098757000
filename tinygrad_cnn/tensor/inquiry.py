"""Questions about tensors and dtypes: what it is, what it would become, how far its numbers reach."""

from typing import Any

import numpy as np

from tinygrad_cnn.core.errors import DTypeError
from tinygrad_cnn.core.promotion import CATEGORY, common_dtype
from tinygrad_cnn.core.promotion import promoted as _promoted
from tinygrad_cnn.tensor import Tensor, as_plain, is_tensor
from tinygrad_cnn.torch_names.dtypes import dtype, dtype_named, get_default_dtype

__all__ = [
    "can_cast", "finfo", "iinfo", "is_complex", "is_floating_point", "is_same_size", "is_storage", "is_tensor", "numel",
    "promote_types", "result_type", "typename",
]  # fmt: skip


class finfo:
    """How far the numbers of a floating dtype reach, as ``torch.finfo``: `eps`, `max`, `min`, `tiny`, `bits`, …

    >>> finfo("float32").bits, finfo("float64").eps
    (32, 2.220446049250313e-16)
    """

    def __init__(self, type: Any = None) -> None:
        kind = get_default_dtype() if type is None else dtype_named(type)
        if not kind.is_floating_point:
            raise TypeError(f"finfo: {kind} is no floating dtype; use iinfo")
        limits = np.finfo(kind.dtype)
        self.dtype, self.bits = kind.name, int(limits.bits)
        self.eps, self.max, self.min = float(limits.eps), float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(limits.resolution)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """How far the numbers of an integer dtype reach, as ``torch.iinfo``: `max`, `min`, `bits`.

    >>> iinfo("uint8").max
    255
    """

    def __init__(self, type: Any) -> None:
        kind = dtype_named(type)
        if kind.kind not in "iu":
            raise TypeError(f"iinfo: {kind} is no integer dtype; use finfo")
        limits = np.iinfo(kind.dtype)
        self.dtype, self.bits, self.max, self.min = kind.name, limits.bits, int(limits.max), int(limits.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


def is_storage(obj: Any) -> bool:
    """Whether an object is one of PyTorch's storages: there are none.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_storage(tg.zeros(2))
    False
    """
    return False


def is_floating_point(input: Tensor) -> bool:
    """Whether the numbers of a tensor have a fraction.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_floating_point(tg.tensor([1.0])), tg.is_floating_point(tg.tensor([1]))
    (True, False)
    """
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the numbers of a tensor are complex: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_complex(tg.tensor([1.0]))
    False
    """
    return input.is_complex()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_same_size(tg.zeros(2, 3), tg.zeros(3, 2))
    False
    """
    return input.is_same_size(other)


def numel(input: Tensor) -> int:
    """The number of elements.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.numel(tg.zeros(2, 3))
    6
    """
    return input.numel()


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype of what arithmetic makes of two tensors or numbers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.result_type(tg.tensor([1, 2]), 1.5)
    torch.float32
    """
    return dtype_named(common_dtype([as_plain(tensor1), as_plain(tensor2)], False))


def promote_types(type1: Any, type2: Any) -> dtype:
    """The smallest dtype that both can become.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.promote_types(tg.int32, tg.float32)
    torch.float32
    """
    return dtype_named(_promoted(np.dtype(type1), np.dtype(type2)))


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a dtype may become another by promotion: not from floating to integer, nor from integer to boolean.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.can_cast(tg.int32, tg.float32), tg.can_cast(tg.float32, tg.int32)
    (True, False)
    """
    a, b = np.dtype(from_), np.dtype(to)
    if a.kind not in CATEGORY or b.kind not in CATEGORY:
        raise DTypeError(f"can_cast: {a} or {b} is not supported")
    return CATEGORY[a.kind] <= CATEGORY[b.kind] and not (a.kind == "i" and b.kind == "u")


def typename(obj: Any) -> str:
    """The name of an object's type: of a tensor, ``torch.FloatTensor`` and the like.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.typename(tg.tensor([1.0]))
    'torch.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return str(obj.type())
    kind = obj if isinstance(obj, type) else type(obj)
    module = "" if kind.__module__ in ("builtins", "__builtin__") else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"
