"""The report: a table that fits a terminal, JSON that comes back, a picture."""

import builtins
import json
import pickle
import re

import numpy as np
import pytest

from tinygrad_cnn.gradcheck import GradientError, Report, Verdict, gradcheck, numpy_pair, problems
from tinygrad_cnn.gradcheck.plotting import folded, folded_place, heat_maps
from tinygrad_cnn.gradcheck.verdicts import Projected


def wrong_row(g, x):
    d = g * np.cos(x)
    d[..., 0] *= 2
    return d


@pytest.fixture
def report():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    return gradcheck(numpy_pair(np.sin, wrong_row), [x], raise_exception=False)


def test_it_is_true_only_if_it_passes(report):
    right = gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.ones(2)])
    assert right
    assert right.verdict is Verdict.PASS
    assert not report
    assert not Report("f", problem="no")
    jump = gradcheck(numpy_pair(np.floor, lambda g, x: 0 * g), [np.ones(1)], raise_exception=False)
    assert not jump
    assert jump.verdict is Verdict.INCONCLUSIVE


def test_the_table_points_at_the_worst_entry(report):
    lines = str(report).splitlines()
    (arrow,) = [line for line in lines if line.startswith("→")]
    worst = report.worst
    assert worst.verdict is Verdict.FAIL
    assert worst.place[-1] == 0
    for cell in ("input 0 2×3×4", str(worst.place), f"{worst.analytic:.8g}", f"{worst.numeric:.8g}", "FAIL"):
        assert cell in arrow
    assert "24 entries: 18 pass, 6 fail, 0 inconclusive" in str(report)
    assert "… and 16 more" in str(report)
    assert all(len(line) <= 100 for line in lines[1:])


def test_it_says_what_is_wrong_and_the_smallest_input(report):
    assert report.diagnoses[0].kind == "other value"
    assert "write `d[..., 0]` for `d[..., 0] *= 2`" in " ".join(str(report).split())
    assert "some elements are multiplied by 2, the others are right" in [d.message for d in report.diagnoses]
    assert [a.shape for a in report.smallest] == [(1, 1, 1)]
    assert not gradcheck(numpy_pair(np.sin, wrong_row), list(report.smallest), raise_exception=False)


def test_json_comes_back(report):
    again = Report.from_json(report.to_json())
    assert again.entries == report.entries
    assert again.diagnoses == report.diagnoses
    assert str(again) == str(report)
    assert json.loads(report.to_json())["verdict"] == "fail"


def test_it_says_what_each_entry_was_allowed():
    x = np.array([1.5, 2.0])
    pair = numpy_pair(np.sin, lambda g, x: 1.25 * g * np.cos(x))
    report = gradcheck(pair, [x], atol=0.0, rtol=0.125, raise_exception=False)
    for e in report.entries:
        assert e.allowed == pytest.approx(0.125 * abs(e.numeric))
        assert e.off > e.allowed + e.error
    assert "allowed" in str(report)
    assert f"{report.worst.allowed:.0e}" in next(line for line in str(report).splitlines() if line.startswith("→"))
    data = json.loads(report.to_json())
    assert [e["allowed"] for e in data["entries"]] == [e.allowed for e in report.entries]
    for e in data["entries"]:
        del e["allowed"]  # as earlier versions wrote it
    assert [e.allowed for e in Report.from_json(json.dumps(data)).entries] == [0.0, 0.0]


@pytest.mark.parametrize("fast", [False, True])
def test_what_passes_is_within_what_it_was_allowed(fast):
    x = np.array([0.5, 1.5, 2.0])
    report = gradcheck(numpy_pair(np.sin, lambda g, x: 1.001 * g * np.cos(x)), [x], rtol=0.01, fast_mode=fast)
    assert all(0 < e.off <= e.allowed + e.error for e in report.entries)


def test_json_knows_numbers_that_are_none():
    bad = gradcheck(numpy_pair(np.sin, lambda g, x: g * np.nan), [np.ones(2)], raise_exception=False)
    text = bad.to_json()
    assert "NaN" not in text
    assert np.isnan(Report.from_json(text).entries[0].analytic)


def test_a_problem_comes_back_too():
    bad = gradcheck(numpy_pair(np.log, lambda g, x: g / x), [-np.ones(2)], raise_exception=False)
    assert Report.from_json(bad.to_json()).problem == bad.problem


def test_the_steps_of_what_passed_are_taken_when_it_is_drawn():
    passed = gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.ones(2)])
    assert passed.worst.steps == ()
    assert len(passed.drawn().worst.steps) > 20
    assert passed.drawn() == passed.drawn().drawn()
    again = Report.from_json(passed.to_json())
    assert again.worst.steps == passed.drawn().worst.steps
    assert pickle.loads(pickle.dumps(passed)) == passed


def test_the_steps_of_the_worst_entry_show_both_regions(report):
    steps = np.array(report.worst.steps)
    off = np.abs(steps[:, 1] - report.worst.numeric)
    best = int(np.argmin(off))
    assert np.all(np.diff(steps[:, 0]) < 0)
    assert off[0] > 1e3 * off[best]
    assert off[-1] > 1e3 * off[best]
    slope = np.log(off[0] / off[6]) / np.log(steps[0, 0] / steps[6, 0])
    assert slope == pytest.approx(2, abs=0.1)


def test_arrays_are_folded_into_matrices():
    a = np.arange(24.0).reshape(2, 3, 4)
    matrix = folded(a)
    assert matrix.shape == (3, 8)
    assert all(matrix[folded_place(place, a.shape)] == a[place] for place in np.ndindex(a.shape))


def test_the_heat_maps_hold_the_entries(report):
    (_, analytic), (_, numeric), (_, difference) = heat_maps(report.worst, report.entries, report.shapes)
    np.testing.assert_array_equal(difference, analytic - numeric)
    assert np.count_nonzero(np.abs(difference) > 1e-9) == 6


def test_the_picture_is_drawn(report, tmp_path):
    pytest.importorskip("matplotlib")
    figure = report.plot(tmp_path / "gradient.png")
    assert (tmp_path / "gradient.png").read_bytes().startswith(b"\x89PNG")
    curve, *maps = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert (curve.get_xscale(), curve.get_yscale()) == ("log", "log")
    assert [axes.get_title() for axes in maps] == ["analytic", "numeric", "analytic − numeric"]
    drawn = [np.asarray(axes.images[0].get_array()) for axes in maps]
    np.testing.assert_allclose(drawn[2], drawn[0] - drawn[1])
    assert report.diagnoses[0].message[:20] in figure.get_suptitle()


def test_a_report_with_nothing_judged_is_drawn_too():
    pytest.importorskip("matplotlib")
    problem = gradcheck(numpy_pair(np.log, lambda g, x: g / x), [-np.ones(2)], raise_exception=False)
    assert "choose inputs inside its domain" in " ".join(problem.plot().get_suptitle().split())


def test_a_missing_matplotlib_is_explained(report, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        raise ImportError(name)

    monkeypatch.setattr("tinygrad_cnn.gradcheck.plotting.import_module", without)
    with pytest.raises(
        ImportError, match=r"Report.plot: matplotlib is not installed; pip install 'tinygrad-cnn\[plot\]"
    ):
        report.plot()
    assert builtins.__import__ is real


def log_vjp(g, x):
    return g / x


@pytest.mark.parametrize(
    ("function", "x", "kind", "base"),
    [
        (np.log, [-1.0, 2.0], problems.OutsideDomain, GradientError),
        (np.log, np.array([1, 2]), problems.WrongType, TypeError),
        (lambda x: x + 0j, [1.0, 2.0], problems.WrongType, TypeError),
        (lambda x: np.argsort(x), [1.0, 2.0], problems.NothingToCheck, ValueError),
        (lambda x: "text", [1.0, 2.0], problems.WrongType, TypeError),
    ],
)
def test_what_cannot_be_judged_is_raised_by_its_class(function, x, kind, base):
    pair, inputs = numpy_pair(function, log_vjp), [np.asarray(x)]
    report = gradcheck(pair, inputs, raise_exception=False)
    assert report.raised is kind
    assert isinstance(report.error(), kind)
    assert isinstance(report.error(), base)
    with pytest.raises(kind, match=f"^{re.escape(report.problem)}"):
        gradcheck(pair, inputs)


def test_an_error_about_a_gradient_has_the_report(report):
    error = report.error()
    assert type(error) is GradientError
    assert error.report is report
    assert str(error) == str(report)


def test_projections_stay_projections_in_json():
    pair = numpy_pair(np.sin, wrong_row)
    report = gradcheck(pair, [np.ones((2, 3))], fast_mode=True, raise_exception=False)
    again = Report.from_json(report.to_json())
    assert again.entries == report.entries
    assert [isinstance(e, Projected) for e in again.entries] == [e.name == "⟨input 0, u⟩" for e in report.entries]
    assert any(isinstance(e, Projected) for e in again.entries)
    data = json.loads(report.to_json())
    for e in data["entries"]:
        del e["projected"]  # as earlier versions wrote it
    assert [e.name for e in Report.from_json(json.dumps(data)).entries] == [e.name for e in report.entries]
