"""What is wrong with a file: of the kinds that PyTorch's `load` raises, too."""

import pickle

__all__ = ["ModelFileError", "UnreadableFileError"]


class ModelFileError(ValueError):
    """A model file is missing, damaged, or holds something else."""


class UnreadableFileError(ModelFileError, RuntimeError, pickle.UnpicklingError, EOFError):
    """`load` cannot make sense of a file, or refuses what is in it: a RuntimeError or UnpicklingError in PyTorch."""
