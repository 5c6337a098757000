"""Checking derivatives: against differences, against each other, and against errors planted on purpose.

`strategies` needs the `check` extra (Hypothesis) and is imported only by those who use it.
"""

from tinygrad_cnn.gradcheck.battery import CHECKS, GradientError
from tinygrad_cnn.gradcheck.check import gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.differences import Estimate, derivative
from tinygrad_cnn.gradcheck.planting import PLANTED, planted

__all__ = [
    "CHECKS",
    "PLANTED",
    "Estimate",
    "GradientError",
    "derivative",
    "gradcheck",
    "gradgradcheck",
    "planted",
]
