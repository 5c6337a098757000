"""``torch.accelerator`` where there is none."""

from typing import NoReturn

from tinygrad_cnn.torch_names.errors import DeviceError


def is_available() -> bool:
    """Whether there is an accelerator: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.accelerator.is_available()
    False
    """
    return False


def device_count() -> int:
    """The number of accelerators: 0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.accelerator.device_count()
    0
    """
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """The device of the accelerator: None, there is none.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> print(tg.accelerator.current_accelerator())
    None
    """


def synchronize(device: object = None) -> NoReturn:
    """Wait for the accelerator; refused, there is none.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.accelerator.synchronize()
    Traceback (most recent call last):
        ...
    tinygrad_cnn.torch_names.errors.DeviceError: accelerator.synchronize: there is no accelerator, only the CPU
    """
    raise DeviceError("accelerator.synchronize: there is no accelerator, only the CPU")
