"""The exceptions that are of two kinds: what NumPy's users catch, and what those of tensor libraries do."""


class ArgumentError(ValueError, RuntimeError):
    """Shapes or values that do not fit: a ValueError as in NumPy, and a RuntimeError."""


class DTypeError(TypeError, RuntimeError):
    """A dtype that an op cannot compute with: a TypeError as in NumPy, and a RuntimeError."""


class PlaceError(IndexError, RuntimeError):
    """An index beyond the array: an IndexError as in NumPy, and a RuntimeError."""
