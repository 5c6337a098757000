"""Methods of `Tensor` that give its elements in another form: numbers, lists, arrays, dtypes, memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Self, TypeAlias

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.promotion import FLOAT32, FLOAT64
from tinygrad_cnn.core.storage import in_order
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.ops.checks import check_dtype
from tinygrad_cnn.ops.shape import Clone, in_format
from tinygrad_cnn.tensor.facts import FactMethods
from tinygrad_cnn.torch_names.conversion import asked_dtype, order_in_memory
from tinygrad_cnn.torch_names.errors import DeviceError

Number: TypeAlias = int | float | bool
Nested: TypeAlias = "Number | list[Nested]"
"""Nested lists of Python numbers: what `tolist` gives."""


class ConversionMethods(FactMethods):
    """Other forms."""

    __slots__ = ()

    def numpy(self, *, force: bool = False) -> NDArray:
        """The array itself, sharing memory; a tensor that requires a gradient must be detached first, or `force`.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
        """
        if self.requires_grad and mode.recording and not force:
            raise RuntimeError(
                "numpy: this tensor requires a gradient, which the array would lose; use .detach().numpy()"
            )
        return in_order(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        """The memory, as a capsule for `from_dlpack` of NumPy, PyTorch, JAX, ..."""
        if self.requires_grad:
            raise BufferError("dlpack: this tensor requires a gradient, which would be lost; use .detach()")
        if options.pop("stream", None) not in (None, -1):
            raise BufferError("dlpack: streams belong to other devices; there is only the CPU")
        array = self.array if self.array.flags.writeable else np.array(self.array)
        return array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """The CPU, in DLPack's numbers."""
        kind, number = self.array.__dlpack_device__()
        return int(kind), int(number)

    def item(self) -> Number:
        """The only element as a Python number.

        RuntimeError unless there is just one element.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([2.5]).item()
        2.5
        """
        if self.array.size != 1:
            raise ArgumentError(
                f"item: only a tensor of one element is a number, this one has shape {self.array_shape}; reduce it, "
                "with .mean() or .sum(), or use .tolist()"
            )
        return self.array.item()

    def tolist(self) -> Nested:
        """Nested lists of Python numbers.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
        return self.array.tolist()

    def __bool__(self) -> bool:
        return bool(self._single("bool"))

    def __float__(self) -> float:
        return float(self._single("float"))

    def __int__(self) -> int:
        return int(self._single("int"))

    def __index__(self) -> int:
        if self.dtype.kind not in "biu":
            raise TypeError(f"index: a tensor of dtype {self.dtype} cannot be an index; expected an integer")
        return int(self._single("index"))

    def _single(self, op: str) -> Any:
        if self.array.size != 1:
            raise ArgumentError(
                f"{op}: a tensor of shape {self.array_shape} has no single value; use .any(), .all() or .item(), "
                "and & and | for `and` and `or`"
            )
        return self.array.item()

    def astype(self, dtype: Any) -> Self:
        """Converted to another dtype; gradients flow back in the own one.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.5, 2.5]).astype(tg.int64)
        tensor([1, 2])
        """
        wanted = check_dtype("astype", dtype)
        return self if wanted == self.dtype else ops.astype(self, wanted)

    def to(self, *args: Any, **options: Any) -> Self:
        """Converted as ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)`` asks, or itself.

        The device is the CPU. `copy=True` makes a new tensor in any case; `non_blocking` means nothing here.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).to(tg.float64)
        tensor([1., 2.], dtype=torch.float64)
        """
        asked = asked_dtype("to", *args, **options)
        converted = self if asked is None else self.astype(asked)
        flags = [flag for flag in args if flag is True or flag is False]  # non_blocking, copy
        converted = in_format("to", converted, options.get("memory_format"))
        return self.clone() if converted is self and (options.get("copy") or any(flags[1:])) else converted

    def cpu(self, memory_format: Any = None) -> Self:
        """On the CPU, where it is already.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).cpu()
        tensor([1, 2])
        """
        return in_format("cpu", self, memory_format)

    def cuda(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> NoReturn:
        """On a GPU; there is none: a RuntimeError (an AssertionError, too, as in PyTorch).

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).cuda()
        Traceback (most recent call last):
            ...
        tinygrad_cnn.torch_names.errors.DeviceError: cuda: there is no GPU, only the CPU; ask cuda.is_available() first
        """
        raise DeviceError("cuda: there is no GPU, only the CPU; ask cuda.is_available() first")

    def clone(self, *, memory_format: Any = None) -> Self:
        """A copy in memory of its own; gradients flow through.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.tensor([1, 2])
        >>> y = x.clone()
        >>> y[0] = 7
        >>> x
        tensor([1, 2])
        """
        return ops.clone(self, memory_format=memory_format)

    def resolve_conj(self) -> Self:
        """The tensor itself, which is not complex.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).resolve_conj()
        tensor([1., 2.])
        """
        return self

    resolve_neg = conj = positive = resolve_conj

    @property
    def real(self) -> Self:
        """The tensor itself, which is not complex.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).real
        tensor([1., 2.])
        """
        return self

    def apply_(self, callable: Callable[[Any], Any]) -> Self:
        """Replace each element by what a Python function makes of it, slowly and without a history.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.0, 2.0]).apply_(lambda x: 10 * x)
        tensor([10., 20.])
        """
        if self.requires_grad:
            raise RuntimeError("apply_: a Python function has no derivative; use it on a detached tensor")
        changed = np.array([callable(v) for v in self.array.ravel().tolist()], self.array_dtype)
        return self.become("apply_", lambda x: self.wrap(changed.reshape(self.array_shape)))

    def contiguous(self, memory_format: Any = None) -> Self:
        """In C order, copied only if it is not.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([[1, 2], [3, 4]]).T.contiguous().is_contiguous()
        True
        """
        if order_in_memory("contiguous", memory_format, self.ndim):
            return in_format("contiguous", self, memory_format)
        return self if self.array.flags.c_contiguous else Clone.apply(self, order="C")

    def pin_memory(self, device: Any = None) -> NoReturn:
        """For transfers to a GPU; there is none.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).pin_memory()  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
            ...
        DeviceError: pin_memory: serves transfers to a GPU, and there is only the CPU
        """
        raise DeviceError("pin_memory: serves transfers to a GPU, and there is only the CPU; leave it out")

    def bfloat16(self, memory_format: Any = None) -> NoReturn:
        """As bfloat16, which NumPy has not.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).bfloat16()
        Traceback (most recent call last):
            ...
        tinygrad_cnn.core.errors.DTypeError: bfloat16: NumPy has no such dtype; use .half() or .float()
        """
        raise DTypeError("bfloat16: NumPy has no such dtype; use .half() or .float()")

    # ---- dtypes: last, since these names are types above ----

    def float(self, *, memory_format: Any = None) -> Self:
        """As float32.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).float()
        tensor([1., 2.])
        """
        return in_format("float", self.astype(FLOAT32), memory_format)

    def double(self, *, memory_format: Any = None) -> Self:
        """As float64.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).double()
        tensor([1., 2.], dtype=torch.float64)
        """
        return in_format("double", self.astype(FLOAT64), memory_format)

    def half(self, *, memory_format: Any = None) -> Self:
        """As float16.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1, 2]).half()
        tensor([1., 2.], dtype=torch.float16)
        """
        return in_format("half", self.astype(np.float16), memory_format)

    def byte(self, *, memory_format: Any = None) -> Self:
        """As uint8.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.5, 2.0]).byte()
        tensor([1, 2], dtype=torch.uint8)
        """
        return in_format("byte", self.astype(np.uint8), memory_format)

    def char(self, *, memory_format: Any = None) -> Self:
        """As int8.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.5, -2.0]).char()
        tensor([ 1, -2], dtype=torch.int8)
        """
        return in_format("char", self.astype(np.int8), memory_format)

    def short(self, *, memory_format: Any = None) -> Self:
        """As int16.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.5, -2.0]).short()
        tensor([ 1, -2], dtype=torch.int16)
        """
        return in_format("short", self.astype(np.int16), memory_format)

    def long(self, *, memory_format: Any = None) -> Self:
        """As int64.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.5, -2.0]).long()
        tensor([ 1, -2])
        """
        return in_format("long", self.astype(np.int64), memory_format)

    def int(self, *, memory_format: Any = None) -> Self:
        """As int32.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([1.5, -2.0]).int()
        tensor([ 1, -2], dtype=torch.int32)
        """
        return in_format("int", self.astype(np.int32), memory_format)

    def bool(self, *, memory_format: Any = None) -> Self:
        """As booleans.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> tg.tensor([0.0, 2.0]).bool()
        tensor([False,  True])
        """
        return in_format("bool", self.astype(np.bool_), memory_format)
