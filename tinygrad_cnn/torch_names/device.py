"""`device`: where a tensor lies, which is the CPU. Other devices are refused by name."""

from __future__ import annotations

from typing import Any

from tinygrad_cnn.torch_names.errors import DeviceError

__all__ = [
    "device", "get_default_device", "set_default_device",
]  # fmt: skip

KNOWN = ("cpu", "cuda", "mps", "xpu", "xla", "hpu", "meta", "mkldnn", "opencl", "vulkan", "ipu", "hip", "mtia")


class device:
    """A device, as ``torch.device``: "cpu", or "cpu:0"; also a context in which tensors are made there.

    Raises
    ------
    RuntimeError
        For every other device; there is none. (For "cuda" it is an AssertionError as well, as in PyTorch.)

    Examples
    --------
    >>> device("cpu"), str(device("cpu", 0)), device("cpu").type
    (device(type='cpu'), 'cpu:0', 'cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: str | device = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type = str(type)
        if not isinstance(type, str):
            raise DeviceError(f"device: got {type!r}; the only device is 'cpu'")
        kind, colon, number = type.partition(":")
        if kind not in KNOWN or (colon and (index is not None or not number.isdecimal())):
            raise DeviceError(f"device: {type!r} names no device; the only one is 'cpu'")
        if kind != "cpu":
            raise DeviceError(
                f"device: there is no {kind!r} device, only 'cpu'; choose it as in "
                "device('cuda' if cuda.is_available() else 'cpu')"
            )
        self.type = kind
        self.index: int | None = int(number) if colon else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + (")" if self.index is None else f", index={self.index})")

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing changed on the way in."""


CPU = device("cpu")


def check_device(op: str, value: Any) -> None:
    """The value names the CPU, or is None."""
    if value is None or value is CPU:
        return
    try:
        device(value)
    except DeviceError as error:
        raise DeviceError(f"{op}: {error}") from None


def set_default_device(device: Any) -> None:
    """Make new tensors there: on the CPU, where they are anyway.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.set_default_device("cpu")
    >>> tg.get_default_device()
    device(type='cpu')
    """
    check_device("set_default_device", device)


def get_default_device() -> device:
    """Where new tensors are made.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.get_default_device()
    device(type='cpu')
    """
    return CPU
