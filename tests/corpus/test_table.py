"""The script behind docs/corpus.md: what a cell says, and that a checker's verdict is told from other errors."""

import numpy as np
import pytest

from scripts import five_points
from scripts.corpus_table import ACCEPTS, REJECTS, REPAIRED, UNDECIDED, Answer, answer, cell, fits, own, summary
from tests.corpus import CASES

ONE = next(case for case in CASES if case.name == "tensorflow: product with a zero")
LARGE = next(case for case in CASES if case.name == "nd4j: broadcast addition")


def said(wrong, right):
    return cell(Answer(wrong, 0.0), Answer(right, 0.0))


def test_a_cell_says_what_the_checker_makes_of_bug_and_repair():
    assert said(REJECTS, ACCEPTS) == "ok"
    assert said(ACCEPTS, ACCEPTS) == "**misses it**"
    assert said(REJECTS, REJECTS) == "**false alarm**"
    assert said(REPAIRED, ACCEPTS) == "put right"
    assert said(UNDECIDED, UNDECIDED) == "undecided, undecided on the repair"
    assert said("error: ValueError: shapes", ACCEPTS) == "stops"
    assert said("error: ValueError: shapes", "error: ValueError: shapes") == "stops, **stops on the repair**"


def test_our_checker_is_asked_like_the_others():
    assert answer(own, ONE, ONE.wrong).said == REJECTS
    assert answer(own, ONE, ONE.right).said == ACCEPTS


def test_an_error_of_the_framework_is_no_rejection():
    def stops(case, vjp):
        raise ValueError("shapes do not fit\nin detail")

    assert answer(stops, ONE, ONE.wrong).said == "error: ValueError: shapes do not fit"


def test_a_gradient_that_the_framework_sums_into_shape_is_not_missed():
    assert not fits(LARGE, LARGE.wrong)
    assert fits(LARGE, LARGE.right)
    assert answer(lambda case, vjp: (ACCEPTS, ""), LARGE, LARGE.wrong).said == REPAIRED
    assert answer(lambda case, vjp: (ACCEPTS, ""), ONE, ONE.wrong).said == ACCEPTS


def test_the_summary_adds_up():
    answers = {
        "a": {ONE.name: (Answer(REJECTS, 1.0), Answer(ACCEPTS, 1.0))},
        "b": {ONE.name: (Answer(ACCEPTS, 0.5), Answer(REJECTS, 0.5))},
    }
    rows = [[part.strip(" *") for part in line.split("|")[1:-1]] for line in summary(answers, [ONE])[2:]]
    assert rows == [
        ["a", "1** of 1", "0", "0", "0", "1 of 1", "1", "2.0 s"],
        ["b", "0** of 1", "0", "0", "1", "0 of 1", "0", "1.0 s"],
    ]


def test_gradients_are_taken_for_ones():
    assert np.shape(ONE.f(*ONE.inputs())) == ()
    assert fits(ONE, ONE.right)


def test_five_points_find_the_step_that_julia_finds(monkeypatch):
    """The documentation of FiniteDifferences.jl prints the step for sin at 1, with no bound on how far it may go."""
    monkeypatch.setattr(five_points, "REACH", np.inf)
    formula = five_points.central(5, 1)
    np.testing.assert_allclose(formula.weights, [1 / 12, -2 / 3, 0, 2 / 3, -1 / 12])
    step = five_points.adapted_step(formula, lambda t: np.array([np.sin(1 + t)]))
    assert step == pytest.approx(0.001065235154086019, rel=1e-5)
    assert five_points.derivative(lambda t: np.array([np.sin(1 + t)])) == pytest.approx(np.cos(1), abs=2e-13)


def test_five_points_reject_a_bug_accept_a_repair_and_stop_at_a_shape():
    assert not five_points.accepts(ONE.f, lambda g, x: (ONE.wrong(g, x),), ONE.inputs())
    assert five_points.accepts(ONE.f, lambda g, x: (ONE.right(g, x),), ONE.inputs())
    with pytest.raises(ValueError, match=r"the gradient has shape \(3, 4\), expected \(1, 4\)"):
        five_points.accepts(LARGE.f, LARGE.wrong, LARGE.inputs())
