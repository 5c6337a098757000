"""`torch.serialization`: saving, loading, and the classes that ``load(…, weights_only=True)`` may make."""

from tinygrad_cnn.io.safe import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from tinygrad_cnn.io.saving import load, save

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]
