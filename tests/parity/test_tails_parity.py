"""Of no value and no derivative in the tails PyTorch has more digits than the package."""

import warnings

import pytest
import torch

import tinygrad_cnn as tg
from tests.ops.tails import FUNCTIONS, errors

BOUND = 8
"""Units in the last place: fewer are not compared."""
ALIKE = 1.25
"""Both round; which of two like formulas is off more at a point is chance."""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_digits_are_lost_that_pytorch_keeps(name, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        here, there = (errors(name, m, dtype) for m in (tg, torch))
    for order, (ours, theirs) in enumerate(zip(here, there, strict=True)):
        assert ours[0][0] <= max(BOUND, ALIKE * theirs[0][0]), (order, ours[0], theirs[0])
