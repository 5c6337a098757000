"""Hypothesis profiles: `ci` for every run, `thorough` for deep ones (HYPOTHESIS_PROFILE=thorough); and the kernels."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tinygrad_cnn.kernels.chosen import get_kernels, set_kernels

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("ci", max_examples=25, derandomize=True, **COMMON)
settings.register_profile("thorough", max_examples=1000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="module", autouse=True)
def same_kernels():
    """The kernels that the tests were started with, also after a module that chooses others."""
    before = get_kernels()
    yield
    set_kernels(before)
