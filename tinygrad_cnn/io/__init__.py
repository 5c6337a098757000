"""Saving and loading. Nothing here unpickles."""

from typing import TYPE_CHECKING

from tinygrad_cnn.files import write_atomically as write_atomically
from tinygrad_cnn.io import safetensors as safetensors
from tinygrad_cnn.io.checkpoints import *
from tinygrad_cnn.io.errors import *
from tinygrad_cnn.io.models import *
from tinygrad_cnn.io.npz import *
from tinygrad_cnn.io.safetensors import load_file as load_file
from tinygrad_cnn.io.safetensors import save_file as save_file
from tinygrad_cnn.io.saving import *
from tinygrad_cnn.utils.reading import FileError as FileError
from tinygrad_cnn.utils.reading import Limits as Limits

if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if str(getattr(value, "__module__", "")).startswith(__name__)]
    __all__ += ["FileError", "Limits", "safetensors", "write_atomically"]
