"""`tinygrad_cnn.data`: the short name of `tinygrad_cnn.utils.data`, where everything is."""

from typing import TYPE_CHECKING

from tinygrad_cnn.utils.data import *

if not TYPE_CHECKING:
    from tinygrad_cnn.utils.data import __all__ as __all__
