"""Saving and loading. Nothing here unpickles."""

from tinygrad_cnn.io import safetensors
from tinygrad_cnn.io.errors import ModelFileError, UnreadableFileError
from tinygrad_cnn.io.npz import load_npz, save_npz
from tinygrad_cnn.io.safetensors import load_file, save_file
from tinygrad_cnn.io.saving import load, save
from tinygrad_cnn.utils.atomic import write_atomically

__all__ = [
    "ModelFileError",
    "UnreadableFileError",
    "load",
    "load_file",
    "load_npz",
    "safetensors",
    "save",
    "save_file",
    "save_npz",
    "write_atomically",
]
