"""Checking derivatives: against differences, against each other, and against errors planted on purpose.

`strategies` needs the `check` extra (Hypothesis) and is imported only by those who use it.
"""

import types
import typing

from tinygrad_cnn.gradcheck.battery import *
from tinygrad_cnn.gradcheck.check import *
from tinygrad_cnn.gradcheck.differences import *
from tinygrad_cnn.gradcheck.functions import *
from tinygrad_cnn.gradcheck.patterns import *
from tinygrad_cnn.gradcheck.planting import *
from tinygrad_cnn.gradcheck.report import *
from tinygrad_cnn.gradcheck.verdicts import *

if not typing.TYPE_CHECKING:
    __all__ = sorted(k for k, v in globals().items() if k[0] != "_" and not isinstance(v, types.ModuleType))
