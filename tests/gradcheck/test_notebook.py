"""What a notebook shows of a report: the verdict, the diagnosis, the table; all that the text has."""

import numpy as np

from tests.display.reading import Reading
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair


def test_a_wrong_gradient_is_shown_with_its_diagnosis_and_its_worst_entries():
    pair = numpy_pair(lambda x: np.sin(x), lambda g, x: 2 * g * np.cos(x))
    report = gradcheck(pair, [np.linspace(0.1, 1, 20)], raise_exception=False, names=["<b>x</script>"])
    html = report._repr_html_()
    assert "<b>x" not in html
    shown = Reading(html)
    assert f"FAIL gradient of {report.function}" in shown.text
    assert f"It looks like this ({report.diagnoses[0].kind}): {report.diagnoses[0].message}" in shown.text
    rows = shown.tables[0]
    assert rows[0][:7] == ["input", "place", "analytic", "numeric", "±", "allowed", "verdict"]
    assert len(rows) == 13
    worst = report.worst
    assert rows[1][0] == "<b>x</script> 20"
    assert rows[1][2:4] == [f"{worst.analytic:.8g}", f"{worst.numeric:.8g}"]
    assert "20 entries: 0 pass, 20 fail, 0 inconclusive" in shown.text
    assert "The smallest input found that fails" in shown.text


def test_a_right_one_passes_and_shows_its_entries():
    report = gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.array([0.5, 2.0])])
    shown = Reading(report._repr_html_())
    assert "pass gradient of sin 2 entries: 2 pass, 0 fail, 0 inconclusive" in shown.text
    assert len(shown.tables[0]) == 3


def test_what_cannot_be_judged_says_why():
    report = gradcheck(lambda x: x.detach(), [np.ones(2)], raise_exception=False)
    assert report.problem.removeprefix("gradcheck: ") in Reading(report._repr_html_()).text
