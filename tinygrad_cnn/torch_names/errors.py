"""The exceptions that are of two kinds, since PyTorch raises another one than Python or NumPy would."""

from tinygrad_cnn.core.errors import ArgumentError, DTypeError


class DeviceError(RuntimeError, AssertionError):
    """A device that is not here: PyTorch's CPU build asserts for CUDA, and raises a RuntimeError for others."""


class OptionError(ValueError, NotImplementedError):
    """An option that is not known, or not here: a ValueError, and the NotImplementedError that PyTorch raises."""


class NameMissingError(KeyError, AttributeError):
    """A name that is not held: a KeyError as of a dict, an AttributeError as PyTorch's `ParameterDict` raises."""


class BoundError(ValueError, AssertionError):
    """A setting of a layer beyond its bounds: a ValueError, and the AssertionError that PyTorch raises."""


class DivisionError(ArgumentError, ZeroDivisionError):
    """An integer divided by 0: Python's ZeroDivisionError, and the RuntimeError that PyTorch raises."""


class EmptyError(ArgumentError, IndexError):
    """No elements where at least one is needed: in PyTorch an IndexError or a RuntimeError, in NumPy a ValueError."""


class KernelMissingError(DTypeError, NotImplementedError):
    """A dtype for which there is no kernel: a DTypeError, and the NotImplementedError that PyTorch raises."""
