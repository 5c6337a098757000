"""What ``torch.cuda`` answers where there is no GPU: that there is none."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from tinygrad_cnn.torch_names.errors import DeviceError


def is_available() -> bool:
    """Whether there is a GPU: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.is_available()
    False
    """
    return False


def is_initialized() -> bool:
    """Whether CUDA has been used: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.is_initialized()
    False
    """
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the GPU has bfloat16: there is no GPU.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.is_bf16_supported()
    False
    """
    return False


def device_count() -> int:
    """The number of GPUs: 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.device_count()
    0
    """
    return 0


def manual_seed(seed: int) -> None:
    """Seed the generator of the current GPU: there is none to seed, as in PyTorch's CPU build.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> print(tg.cuda.manual_seed(0))
    None
    """


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs: there are none to seed, as in PyTorch's CPU build.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> print(tg.cuda.manual_seed_all(0))
    None
    """


def empty_cache() -> None:
    """Give unused memory of the GPU back: there is none.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> print(tg.cuda.empty_cache())
    None
    """


def synchronize(device: Any = None) -> NoReturn:
    """Wait for the GPU; refused, as in PyTorch's CPU build.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.synchronize()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    DeviceError: cuda.synchronize: there is no GPU, only the CPU
    """
    _refuse("synchronize")


def current_device() -> NoReturn:
    """The number of the current GPU; refused, as in PyTorch's CPU build.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.current_device()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    DeviceError: cuda.current_device: there is no GPU, only the CPU
    """
    _refuse("current_device")


def get_device_name(device: Any = None) -> NoReturn:
    """The name of a GPU; refused, as in PyTorch's CPU build.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.get_device_name()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    DeviceError: cuda.get_device_name: there is no GPU, only the CPU
    """
    _refuse("get_device_name")


def get_device_properties(device: Any = None) -> NoReturn:
    """What a GPU can do; refused, as in PyTorch's CPU build.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.get_device_properties()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    DeviceError: cuda.get_device_properties: there is no GPU, only the CPU
    """
    _refuse("get_device_properties")


def set_device(device: Any) -> NoReturn:
    """Choose a GPU; refused, as in PyTorch's CPU build.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cuda.set_device(0)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    DeviceError: cuda.set_device: there is no GPU, only the CPU
    """
    _refuse("set_device")


def _refuse(name: str) -> NoReturn:
    raise DeviceError(f"cuda.{name}: there is no GPU, only the CPU; ask cuda.is_available() first")


if not TYPE_CHECKING:

    def __getattr__(name):
        """`amp`, which is loaded when it is asked for."""
        if name == "amp":
            return import_module("tinygrad_cnn.cuda.amp")
        raise AttributeError(f"module 'tinygrad_cnn.cuda' has no attribute {name!r}")
