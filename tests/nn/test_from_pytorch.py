"""Layers that normalise or recur give what PyTorch gave: outputs, states, gradients, running statistics."""

import json

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.nn.recorded import KINDS, RECORDED

GIVEN = json.loads(RECORDED.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, k) for kind, (_, cases) in KINDS.items() for k in range(len(cases))]
)
def test_each_layer_gives_what_pytorch_gives(kind, number):
    function, cases = KINDS[kind]
    for found, given in zip(function(tg, *cases[number]), GIVEN[kind][number], strict=True):
        np.testing.assert_allclose(found, given, rtol=1e-7, atol=1e-8)
