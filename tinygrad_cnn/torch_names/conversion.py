"""What the arguments of ``.to(...)`` ask for: PyTorch's three forms, read in one place."""

from typing import Any

from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.torch_names.device import check_device, device
from tinygrad_cnn.torch_names.dtypes import dtype, dtype_named
from tinygrad_cnn.torch_names.errors import DeviceError

__all__ = [
    "channels_last", "channels_last_3d", "contiguous_format", "layout", "memory_format", "preserve_format", "strided",
]  # fmt: skip


def asked_dtype(op: str, *args: Any, device: Any = None, dtype: Any = None, **options: Any) -> dtype | None:
    """The dtype that ``to(device, dtype)``, ``to(dtype)`` or ``to(other)`` asks for; None if it is not to change.

    Raises
    ------
    TypeError
        If the arguments have none of these forms.
    RuntimeError
        If the device is not the CPU.
    """
    check_device(op, device)
    for name, value in options.items():
        if name not in ("non_blocking", "copy", "memory_format"):
            raise TypeError(f"{op}: got an unexpected argument {name!r}")
        if name == "memory_format":
            check_memory_format(op, value)
    if not args and device is None and dtype is None:
        if options:
            return None
        raise TypeError(f"{op}: give a device, a dtype or another tensor")
    asked, rest = dtype, args
    if args:
        first, rest = args[0], args[1:]
        if is_device(op, first):
            if rest and (rest[0] is None or not isinstance(rest[0], bool)):
                asked, rest = rest[0], rest[1:]
        elif hasattr(first, "device") and hasattr(first, "requires_grad"):
            asked = first.dtype
        elif first is not None:
            asked = first
    if len(rest) > 3 or any(not isinstance(flag, bool) for flag in rest[:2]):
        raise TypeError(f"{op}: cannot read the arguments {args!r}; expected (device, dtype), (dtype) or (other)")
    return None if asked is None else _read_dtype(op, asked)


def is_device(op: str, value: Any) -> bool:
    """Whether a value is a device or names one; DeviceError if it names one that is not here."""
    if isinstance(value, device):
        return True
    if not isinstance(value, str):
        return False
    try:
        dtype_named(value)
    except TypeError:
        try:
            device(value)
        except DeviceError as error:
            raise DeviceError(f"{op}: {error}") from None
        return True
    return False


def _read_dtype(op: str, value: Any) -> dtype:
    try:
        return dtype_named(value)
    except DTypeError as error:
        raise DTypeError(f"{op}: {error}") from None
    except TypeError:
        raise TypeError(f"{op}: {value!r} is no dtype; give one such as torch.float64") from None


class memory_format:
    """How the elements lie in memory, as ``torch.memory_format``: with the channels last if there is an `order`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.zeros(1, 2, 3, 4).to(memory_format=tg.channels_last)
    >>> x.is_contiguous(memory_format=tg.channels_last)
    True
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def order(self) -> tuple[int, ...]:
        """The axes of images, or of volumes, as they lie one in the other; () if that is as they come."""
        return {"channels_last": (0, 2, 3, 1), "channels_last_3d": (0, 2, 3, 4, 1)}.get(self.name, ())

    def __repr__(self) -> str:
        return f"torch.{self.name}"


channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")


class layout:
    """How a tensor is stored, as ``torch.layout``: only `strided` is here.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.zeros(2).layout
    torch.strided
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


strided = layout("strided")


def check_memory_format(op: str, value: Any) -> None:
    """The value is None or a memory format."""
    if value is not None and not isinstance(value, memory_format):
        raise TypeError(f"{op}: memory_format is {value!r}; expected one such as torch.contiguous_format")


def order_in_memory(op: str, value: Any, ndim: int) -> tuple[int, ...]:
    """The axes as they lie one in the other in memory, for images and volumes whose channels come last; else ()."""
    check_memory_format(op, value)
    order: tuple[int, ...] = () if value is None else value.order
    if order and len(order) != ndim:
        raise ArgumentError(
            f"{op}: required rank {len(order)} tensor to use {getattr(value, 'name', '')} format, not {ndim} dims"
        )
    return order
