"""What is wrong with a file: of the kinds that PyTorch's `load` raises, too."""

import pickle

from tinygrad_cnn.utils.reading import FileError

__all__ = ["ModelFileError", "UnreadableFileError"]


class ModelFileError(FileError):
    """A model file is missing, damaged, or holds something else.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> issubclass(tg.io.ModelFileError, ValueError)
    True
    """


class UnreadableFileError(ModelFileError, RuntimeError, pickle.UnpicklingError, EOFError):
    """`load` cannot make sense of a file, or refuses what is in it: a RuntimeError or UnpicklingError in PyTorch.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> issubclass(tg.io.UnreadableFileError, RuntimeError)
    True
    """
