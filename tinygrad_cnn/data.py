"""`tinygrad_cnn.data`: the short name of `tinygrad_cnn.utils.data`, where everything is."""

from tinygrad_cnn.utils.data import *  # noqa: F403 - the same names, listed once
from tinygrad_cnn.utils.data import __all__ as __all__
