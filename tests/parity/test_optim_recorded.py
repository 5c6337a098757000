"""What tests/optim compares with, without PyTorch, is what PyTorch gives."""

import json

import numpy as np
import pytest
import torch

from tests.optim.cases import KINDS, RECORDED
from tests.parity.recording import record_if_asked

record_if_asked(KINDS, RECORDED)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_the_recorded_steps_are_those_of_pytorch(kind):
    function, cases = KINDS[kind]
    for case, given in zip(cases, json.loads(RECORDED.read_text(encoding="utf-8"))[kind], strict=True):
        np.testing.assert_allclose(function(torch, *case), given, rtol=1e-6, atol=1e-9, err_msg=str(case))
