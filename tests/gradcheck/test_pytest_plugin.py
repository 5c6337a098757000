"""`pytest --gradcheck` in projects of its own: how many inputs, what the summary says, what it costs when unused."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import tinygrad_cnn.gradcheck.strategies
import tinygrad_cnn.gradcheck.watching  # noqa: F401  what a run inside this process imports first, it forgets at its end

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "tinygrad_cnn.gradcheck.pytest_plugin")

TESTS = """
import numpy as np
import pytest
from tinygrad_cnn.gradcheck import numpy_pair
from tinygrad_cnn.gradcheck.strategies import Real, arrays, check_gradients, shapes

sine = numpy_pair(np.sin, lambda g, x: g * np.cos(x))

test_sine = check_gradients(arrays((2,), Real()))(sine)

@pytest.mark.gradcheck(examples=30)
@check_gradients(x=arrays((3,), Real()), examples=4)
def test_square(x):
    return x * x

@check_gradients(x=arrays(shapes(2, 2), Real()))
def test_wrong():
    return numpy_pair(np.sin, lambda g, x: -g * np.cos(x))

def test_fixture(gradcheck):
    assert gradcheck(sine, [np.ones(3)])
    gradcheck(sine, [np.ones(4)])

@pytest.mark.gradcheck
def test_marked():
    pass

def test_other():
    pass
"""


@pytest.fixture
def run(pytester, monkeypatch):
    def run(*options, tests=TESTS):
        monkeypatch.delitem(sys.modules, PLUGIN[1], raising=False)  # pytest wants to import its plugins itself
        pytester.makepyfile(test_theirs=tests)
        return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", *options)

    return run


def found(pytester):
    data = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    return {row["test"].split("::")[-1]: row for row in data["functions"]}


def test_without_the_option_few_inputs_are_drawn(run, pytester):
    result = run("--gradcheck-json", "out.json")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*= gradient checks =*",
            "4 functions on 17 inputs (0 inconclusive), * entries judged in * s: 3 pass, 1 fail, 0 inconclusive",
            "worst error that passed: * of what is allowed, test_theirs.py::*",
            "slowest: * s for * inputs, test_theirs.py::*",
            "FAIL test_theirs.py::test_wrong: the gradient is wrong; the worst element is x at (0, 0): * (sign)",
            "at most 10 inputs per test; --gradcheck draws 200",
        ]
    )
    rows = found(pytester)
    assert {name: row["checks"] for name, row in rows.items()} == {
        "test_sine": 10, "test_square": 4, "test_wrong": 1, "test_fixture": 2,
    }  # fmt: skip
    assert rows["test_fixture"]["entries"] == 7
    assert rows["test_sine"]["entries"] == 20


def test_with_the_option_many_inputs_are_drawn(run, pytester):
    run("--gradcheck", "--gradcheck-json", "out.json").assert_outcomes(passed=5, failed=1)
    rows = found(pytester)
    assert rows["test_sine"]["checks"] == 200
    assert rows["test_square"]["checks"] == 30


def test_what_several_processes_find_is_one_summary(run, pytester):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    result = run("-n", "2", "--gradcheck-json", "out.json")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        ["4 functions on 17 inputs *: 3 pass, 1 fail, 0 inconclusive", "FAIL *test_wrong: *(sign)"]
    )
    rows = found(pytester)
    assert {name: row["checks"] for name, row in rows.items()} == {
        "test_sine": 10, "test_square": 4, "test_wrong": 1, "test_fixture": 2,
    }  # fmt: skip
    assert rows["test_wrong"]["report"]["diagnoses"][0]["kind"] == "sign"


def test_junit_files_say_what_is_wrong(run, pytester):
    run("--junitxml", "out.xml")
    cases = ElementTree.parse(pytester.path / "out.xml").getroot().iter("testcase")
    failures = {case.get("name"): case.find("failure") for case in cases}
    assert {name for name, failure in failures.items() if failure is not None} == {"test_wrong"}
    message = failures["test_wrong"].get("message")
    assert "gradcheck: the gradient is wrong; the worst element is x at (0, 0)" in message
    assert "It looks like this (sign)" in message


def test_junit_files_have_what_was_checked_as_properties(run, pytester):
    run("--gradcheck-examples", "4", "--junitxml", "out.xml")
    cases = ElementTree.parse(pytester.path / "out.xml").getroot().iter("testcase")
    told = {case.get("name"): [p.get("value") for p in case.iter("property")] for case in cases}
    assert told["test_sine"] == ["sin: pass, 4 inputs, 8 entries judged"]
    assert told["test_fixture"] == ["sin: pass, 2 inputs, 7 entries judged"]
    assert told["test_wrong"][0].startswith("sin: fail, sign, 1 input, ")
    assert told["test_marked"] == told["test_other"] == []


PLAINLY = """
import numpy as np
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair

def test_plain():
    gradcheck(numpy_pair(np.sin, lambda g, x: 2 * g * np.cos(x)), [np.ones(3)])

def test_other():
    assert 1 + 1 == 3
"""


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_one_markdown_file_has_the_reports_of_what_failed(run, pytester, processes):
    if processes:
        pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    pytester.makepyfile(test_plainly=PLAINLY)
    run("--gradcheck-markdown", "deep/out.md", *processes)
    (folder,) = (pytester.path / "deep").parent.glob("deep")
    assert [file.name for file in folder.iterdir()] == ["out.md"]  # nothing is left of writing it
    text = (folder / "out.md").read_text(encoding="utf-8")
    first, *parts = text.split("\n`test_")
    assert first.startswith("### Gradient checks: 3 pass, 2 fail, 0 inconclusive\n\n5 functions on 18 inputs")
    plain, wrong = sorted(parts)
    assert plain.startswith("plainly.py::test_plain`, `sin`\n\n#### ❌ the gradient is wrong; the worst element is")
    assert "It looks like this (**factor" in plain
    assert wrong.startswith("theirs.py::test_wrong`, `sin`\n\n#### ❌ ")
    assert "It looks like this (**sign**)" in wrong
    assert "| input | place | analytic |" in wrong


def test_the_markdown_file_is_written_even_if_nothing_was_checked(run, pytester):
    run("--gradcheck-markdown", "out.md", "-k", "other")
    assert (pytester.path / "out.md").read_text(encoding="utf-8").endswith("\n\nNo gradient was checked.\n")


def test_the_number_of_inputs_can_be_said(run, pytester):
    run("--gradcheck-examples", "3", "--gradcheck-json", "out.json", "-k", "sine or square")
    assert [row["checks"] for row in found(pytester).values()] == [3, 3]


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_the_number_must_be_one(run, number):
    result = run("--gradcheck-examples", number)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--gradcheck-examples: *{number}*"])


def test_the_json_holds_the_report_of_what_failed(run, pytester):
    run("--gradcheck-json", "deep/out.json")
    (pytester.path / "deep" / "out.json").rename(pytester.path / "out.json")
    rows = found(pytester)
    report = rows["test_wrong"]["report"]
    assert report["verdict"] == rows["test_wrong"]["verdict"] == "fail"
    assert report["diagnoses"][0]["kind"] == "sign"
    assert report["smallest"][0]["shape"] == [1, 1]
    assert rows["test_sine"]["report"] is None


def test_the_failure_is_the_report_and_nothing_else(run):
    result = run("-k", "wrong")
    text = result.stdout.str()
    assert "The smallest input found that fails: [[0.]]" in text
    assert "decorator.py" not in text
    assert "hypothesis" not in text.split("FAILURES")[1]


def test_what_checks_gradients_is_marked(run):
    run("-m", "gradcheck").assert_outcomes(passed=4, failed=1, deselected=1)


def test_a_run_that_checks_nothing_has_no_section(run):
    result = run("-k", "other")
    result.assert_outcomes(passed=1, deselected=5)
    result.stdout.no_fnmatch_line("*gradient checks*")


def test_a_wrong_gradient_in_the_fixture_is_in_the_summary(run):
    tests = """
    import numpy as np
    import pytest
    from tinygrad_cnn.gradcheck import GradientError, gradcheck as check, numpy_pair

    doubled = numpy_pair(np.sin, lambda g, x: 2 * g * np.cos(x))

    def test_first(gradcheck):
        gradcheck(doubled, [np.ones(3)])

    def test_second(gradcheck):
        assert gradcheck.second(lambda x: x**3, [__import__("tinygrad_cnn").ones(2, requires_grad=True)])

    def test_recorded(gradcheck):
        gradcheck.record(check(doubled, [np.ones(3)], raise_exception=False))
    """
    result = run(tests=tests)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["3 functions on 3 inputs (0 inconclusive), *: 1 pass, 2 fail, 0 inconclusive", "FAIL *test_first: *(factor)"]
    )
    assert "watching.py" not in result.stdout.str()


def test_it_can_be_named_twice_and_disabled(run, pytester):
    run("-p", "pytest_tinygrad_cnn", "-k", "sine").assert_outcomes(passed=1, deselected=5)
    result = run("-p", "no:tinygrad_cnn", "-k", "sine")
    result.assert_outcomes(passed=1, deselected=5)
    result.stdout.no_fnmatch_line("*gradient checks*")
    assert run("-p", "no:tinygrad_cnn", "--gradcheck").ret == pytest.ExitCode.USAGE_ERROR


def test_it_lives_with_strict_markers_and_warnings_as_errors(run, pytester):
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error")
    run().assert_outcomes(passed=5, failed=1)
    pytester.runpytest_inprocess(*PLUGIN, "--markers").stdout.fnmatch_lines(["@pytest.mark.gradcheck(examples=N): *"])


def test_unused_it_imports_nothing(tmp_path):
    (tmp_path / "test_theirs.py").write_text("def test_other(): pass\n", encoding="utf-8")
    code = (
        "import sys, pytest\n"
        "assert pytest.main(['-q', '-p', 'pytest_tinygrad_cnn', '-p', 'no:cacheprovider']) == 0\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'tinygrad_cnn', 'numpy', 'hypothesis', 'torch'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_entry_point_is_the_plugin():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points.pytest11]\npytest_tinygrad_cnn = "pytest_tinygrad_cnn"' in text
    assert text.count('"pytest_tinygrad_cnn.py"') + text.count('"/pytest_tinygrad_cnn.py"') == 2


def test_what_could_not_be_judged_is_counted(run, pytester):
    tests = """
    import numpy as np
    from tinygrad_cnn.gradcheck import numpy_pair
    from tinygrad_cnn.gradcheck.strategies import arrays, check_gradients

    test_strict = check_gradients(arrays((8,)))(numpy_pair(lambda x: np.floor(16 * x), lambda g, x: 0 * g))
    test_tolerant = check_gradients(arrays((8,)), inconclusive=1)(numpy_pair(np.floor, lambda g, x: 0 * g))
    """
    result = run("--gradcheck-examples", "30", "--gradcheck-json", "out.json", tests=tests)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["2 functions *: 1 pass, 0 fail, 1 inconclusive", "INCONCLUSIVE *test_strict: *coarse*"]
    )
    rows = found(pytester)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "test_strict": "inconclusive",
        "test_tolerant": "pass",
    }
    assert rows["test_tolerant"]["verdicts"]["inconclusive"] > 0


def test_a_failure_shows_the_line_of_the_test_and_none_of_the_checker(run):
    result = run(
        tests="""
import numpy as np
from tinygrad_cnn import float64, tensor
from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck, numpy_pair
from tinygrad_cnn.gradcheck.strategies import Real, arrays, check_gradients

wrong = numpy_pair(np.sin, lambda g, x: g)

def test_once():
    gradcheck(wrong, [np.ones(1)])

def test_twice():
    x = tensor([0.5], dtype=float64, requires_grad=True)
    gradgradcheck(lambda x: x * x + (x**3).detach() * x, x)

@check_gradients(x=arrays((1,), Real()))
def test_drawn():
    return wrong
"""
    )
    result.assert_outcomes(failed=3)
    text = result.stdout.str()
    assert "test_theirs.py:9: GradientError" in text
    assert "test_theirs.py:13: GradientError" in text
    for frame in ("check.py", "decorator.py", "raise (", "def gradcheck", "def gradgradcheck"):
        assert frame not in text, frame
