"""The bounds that docs/reference/digits.md states: each op keeps them, on samples that the page has not seen."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from scripts.digits import NAMES, PAGE, Digits, bounds, given, measured, rounded_up, units, worst
from tests.profiles import THOROUGH
from tinygrad_cnn.core.op import Sample, registry

STATED = bounds(PAGE.read_text(encoding="utf-8"))
SEEDS = range(10_000, 10_400 if THOROUGH else 10_004)


@pytest.mark.parametrize("name", STATED)
def test_an_op_keeps_its_bound(name):
    found = worst(name, SEEDS)
    stated = STATED[name]["numba" if tg.get_kernels() == "numba" else "numpy"]
    for what, error, bound in zip(Digits._fields, found, stated, strict=True):
        if error is not None and bound != "none":
            assert bound != "-", f"{name} has a {what} that the page does not know"
            assert error <= float(bound), f"{name}: the {what} is {error:.3g} ULP off; the page says {bound}"


def test_every_op_with_digits_is_on_the_page():
    missing = [name for name in NAMES if name not in STATED and measured(name, 0).value is not None]
    assert not missing


def test_an_error_of_one_unit_is_one_unit():
    op = registry["Add"]
    x = np.array([1.0, 3.0], np.float32)
    what = given(op, Sample((x, np.array([1.0, -2.0], np.float32)), {}))
    exact = [op.apply(*what.double)]
    assert units([op.apply(*what.single)], exact, what.double) == 0
    wrong = tg.tensor(np.array([2.0, np.float32(1) + np.spacing(np.float32(8))], np.float32))
    assert units([wrong], exact, what.double) == pytest.approx(2)  # of |1| + |3| + |-2| = 6, half that of 8


@pytest.mark.parametrize(("error", "bound"), [(None, "-"), (0.0, "0.5"), (0.5, "2"), (3.0, "16"), (np.inf, "none")])
def test_bounds_are_powers_of_two_above_what_was_found(error, bound):
    assert rounded_up(error) == bound
