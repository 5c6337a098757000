"""`torch.serialization`: saving, loading, and the classes that ``load(…, weights_only=True)`` may make."""

from typing import TYPE_CHECKING

from tinygrad_cnn.io.safe import *
from tinygrad_cnn.io.saving import *

if not TYPE_CHECKING:
    from tinygrad_cnn.io import safe, saving

    __all__ = [*safe.__all__, *saving.__all__]
