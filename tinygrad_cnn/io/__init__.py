"""Saving and loading. Nothing here unpickles."""

from tinygrad_cnn.atomic import write_atomically
from tinygrad_cnn.io.npz import ModelFileError, load_npz, save_npz

__all__ = ["ModelFileError", "load_npz", "save_npz", "write_atomically"]
