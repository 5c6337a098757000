"""Checking derivatives: against differences, against each other, and against errors planted on purpose.

`strategies` needs the `check` extra (Hypothesis) and is imported only by those who use it.
"""

from tinygrad_cnn.gradcheck.battery import CHECKS
from tinygrad_cnn.gradcheck.check import gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.diagnosis import Diagnosis
from tinygrad_cnn.gradcheck.differences import Estimate, derivative
from tinygrad_cnn.gradcheck.functions import Checked, jax_function, numpy_pair, tensor_function, torch_function
from tinygrad_cnn.gradcheck.planting import PLANTED, planted
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.gradcheck.verdicts import Entry, GradientError, Verdict

__all__ = [
    "CHECKS",
    "PLANTED",
    "Checked",
    "Diagnosis",
    "Entry",
    "Estimate",
    "GradientError",
    "Report",
    "Verdict",
    "derivative",
    "gradcheck",
    "gradgradcheck",
    "jax_function",
    "numpy_pair",
    "planted",
    "tensor_function",
    "torch_function",
]
