"""The set of wrong gradients: each is wrong, its right one is right, and `gradcheck` says so of both."""

import numpy as np
import pytest

from tests.gradcheck.power import CASES
from tests.gradcheck.power.case import VISIBLE, normal


def differences(case, g, h=1e-6):
    """The gradients by plain central differences: they know nothing of the checker."""
    found = []
    for k, x in enumerate(case.given):
        d = np.zeros(np.shape(x))
        for place in np.ndindex(np.shape(x)):
            ends = []
            for step in (h, -h):
                there = [np.array(a) for a in case.given]
                there[k][place] += step
                ends.append(np.sum(g * case.f(*there)))
            d[place] = (ends[0] - ends[1]) / (2 * h)
        found.append(d)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_wrong_gradient_is_wrong_and_the_right_one_right(case):
    assert case.change() > VISIBLE
    g = normal(1, *np.shape(case.f(*case.given)))
    right, numeric = case.pulled(case.right, g), differences(case, g)
    size = max(np.max(np.abs(d)) for d in numeric)
    for a, b, wrong in zip(right, numeric, case.pulled(case.wrong, g), strict=True):
        assert a.shape == b.shape == wrong.shape
        assert np.max(np.abs(a - b)) <= 1e-7 * size
