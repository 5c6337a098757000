"""Optimisers, schedulers and searches make the steps that PyTorch made, without PyTorch."""

import json

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.optim.cases import KINDS, RECORDED

GIVEN = json.loads(RECORDED.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, k) for kind, (_, cases) in KINDS.items() for k in range(len(cases))]
)
def test_each_step_is_that_of_pytorch(kind, number):
    function, cases = KINDS[kind]
    found = function(tg, *cases[number])
    assert len(found) == len(GIVEN[kind][number])
    np.testing.assert_allclose(found, GIVEN[kind][number], rtol=1e-6, atol=1e-9)  # some numbers are kept in float32
