"""What ``torch.cuda`` answers where there is no GPU: that there is none."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from tinygrad_cnn.torch_names.errors import DeviceError


def is_available() -> bool:
    """Whether there is a GPU: no."""
    return False


def is_initialized() -> bool:
    """Whether CUDA has been used: no."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the GPU has bfloat16: there is no GPU."""
    return False


def device_count() -> int:
    """The number of GPUs: 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the generator of the current GPU: there is none to seed, as in PyTorch's CPU build."""


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs: there are none to seed, as in PyTorch's CPU build."""


def empty_cache() -> None:
    """Give unused memory of the GPU back: there is none."""


def synchronize(device: Any = None) -> NoReturn:
    """Wait for the GPU; refused, as in PyTorch's CPU build."""
    _refuse("synchronize")


def current_device() -> NoReturn:
    """The number of the current GPU; refused, as in PyTorch's CPU build."""
    _refuse("current_device")


def get_device_name(device: Any = None) -> NoReturn:
    """The name of a GPU; refused, as in PyTorch's CPU build."""
    _refuse("get_device_name")


def get_device_properties(device: Any = None) -> NoReturn:
    """What a GPU can do; refused, as in PyTorch's CPU build."""
    _refuse("get_device_properties")


def set_device(device: Any) -> NoReturn:
    """Choose a GPU; refused, as in PyTorch's CPU build."""
    _refuse("set_device")


def _refuse(name: str) -> NoReturn:
    raise DeviceError(f"cuda.{name}: there is no GPU, only the CPU; ask cuda.is_available() first")


if not TYPE_CHECKING:

    def __getattr__(name):
        """`amp`, which is loaded when it is asked for."""
        if name == "amp":
            return import_module("tinygrad_cnn.cuda.amp")
        raise AttributeError(f"module 'tinygrad_cnn.cuda' has no attribute {name!r}")
