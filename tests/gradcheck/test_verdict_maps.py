"""Verdicts at every scale, of the maps in scripts/verdict_maps.py: right gradients do not fail, and wrong ones do."""

import pytest

import tinygrad_cnn as tg
from scripts import verdict_maps as maps
from tinygrad_cnn.gradcheck import Verdict, gradcheck

ONCE_WRONG = ["x - ⌊x⌋", "⌊x⌋ + x", "ln |x|", "tanh(10¹⁴ x)", "x / ‖x‖", "|x|^1.5"]
"""Formulas that were called wrong at some scale."""

TOLD = ["x", "√|x|", "|x|", "max(x, 0)", "the largest of three", "standard deviation", "ln Σ eˣ"]
"""Formulas whose derivative can be told at every scale."""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ONCE_WRONG)
def test_a_right_gradient_fails_at_no_scale(name, dtype):
    x, func = maps.FORMULAS[name]
    letters = "".join(maps.verdict(([x], func, [True]), 10.0**k, dtype, False) for k in maps.EXPONENTS["formulas"])
    assert "F" not in letters
    assert letters.count("o") >= 10


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", TOLD)
def test_a_gradient_off_by_one_percent_fails_at_many_scales(name, dtype):
    x, func = maps.FORMULAS[name]

    def wrong(t):
        between = t.clone()
        between.register_hook(lambda g: g * 1.01)
        return func(between)

    for scale in (1e-2, 1.0, 1e2, 1e6):
        given = tg.Tensor((x * scale).astype(dtype), requires_grad=True)
        report = gradcheck(wrong, given, raise_exception=False, explain=False)
        assert report.verdict is Verdict.FAIL, (name, scale)


def test_the_page_has_a_letter_for_every_check():
    text = maps.page({"formulas": {"x": ["o" * 21, "?" * 21, " " * 21]}}, False)
    assert "| pass | 21 |" in text
    assert "x oooooooooo|o|oooooooooo ??????????|?|??????????" in text


def test_rows_are_functions_of_their_inputs():
    kinds = {kind for kind, _, _ in maps.rows(False)}
    assert kinds == set(maps.KINDS)
    assert sum(kind != "ops" for kind, _, _ in maps.rows(False)) > 100
