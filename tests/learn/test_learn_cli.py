"""`tinygrad-cnn learn`: what it prints and writes, and its exit status."""

import doctest
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tinygrad_cnn import learn
from tinygrad_cnn.cli import main
from tinygrad_cnn.learn.exercise import load

PACKAGE = Path(learn.__file__).parents[2]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def in_this_process(monkeypatch):
    """The judging of a file, without a process of its own: `test_apart` has that."""
    monkeypatch.setattr(
        learn.apart, "_run", lambda e, name, file, *_: learn.judging.check_source(e, file.read_text(), str(file))
    )


def solved(name="tanh", **changes):
    source = load(name).filled()
    for old, new in changes.values():
        assert old in source
        source = source.replace(old, new)
    return source


def test_the_list_fits_80_columns_and_has_them_all(capsys):
    assert main(["learn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert listed == [e.name for e in learn.exercises()]


def test_start_and_check_from_the_shell(capsys):
    assert main(["learn", "start", "tanh", "answers"]) == 0
    assert "fill in" in capsys.readouterr().out
    path = Path("answers/tanh.py")
    command = [sys.executable, "-m", "tinygrad_cnn", "learn", "check", str(path), "--json", "result.json"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    path.write_text(path.read_text().replace("...  # write this", "return g * (1 - x**2)"))
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1, done.stderr
    assert "✗ tanh: wrong." in done.stdout
    assert "Your gradient of x at" in done.stdout
    assert "other value" not in done.stdout
    written = json.loads(Path("result.json").read_text())
    assert (written["verdict"], written["kind"], written["student"]) == ("wrong", "other value", "answers")


def test_start_writes_over_nothing_unless_it_is_told_to(capsys):
    Path("tanh.py").write_text("mine")
    assert main(["learn", "start", "tanh"]) == 2
    assert "--force" in capsys.readouterr().err
    assert Path("tanh.py").read_text() == "mine"
    assert main(["learn", "start", "tanh", "--force"]) == 0


@pytest.mark.usefixtures("in_this_process")
def test_the_ladder_goes_as_far_as_the_teacher_lets_it(capsys):
    Path("tanh.py").write_text(solved(bug=("1 - y**2", "1 + y**2")))
    told = []
    for hints in "1234":
        assert main(["learn", "check", "tanh.py", "--hints", hints]) == 1
        told.append(capsys.readouterr().out)
    marks = ["wrong.", "The smallest input found that fails", "What kind of mistake: sign", load("tanh").formula]
    for k, out in enumerate(told):
        assert [mark in out for mark in marks] == [True] * (k + 1) + [False] * (3 - k)
        assert (f"--hints {k + 2}" in out) == (k < 3)
    Path("tanh.py").write_text(Path("tanh.py").read_text().replace("\n", "\n# hints: 2\n", 1))
    assert main(["learn", "check", "tanh.py", "--hints", "4"]) == 1
    out = capsys.readouterr().out
    assert marks[1] in out
    assert marks[2] not in out
    assert "--hints" not in out


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(("source", "status"), [(solved(), 0), (load("tanh").start(), 3), ("# exercise: tanh\n(", 3)])
def test_the_exit_status_says_the_verdict(source, status, capsys):
    Path("tanh.py").write_text(source)
    assert main(["learn", "check", "tanh.py"]) == status
    assert "tanh: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("start no_such", "there is no exercise 'no_such'"),
        ("check nowhere.py", "nowhere.py: cannot be read"),
        ("results nowhere", "nowhere is no folder"),
        ("results .", "there is no result of check --json in it"),
        ("start tahn", "did you mean tanh?"),
        ("check mime.py", "did you mean mine.py?"),
        ("check mine.py --json no/where.json", "no/where.json: there is no folder no; make it first"),
    ],
)
def test_what_is_wrong_with_a_command_is_one_line(words, said, capsys):
    Path("mine.py").write_text(solved())
    assert main(["learn", *words.split()]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


class Texts(HTMLParser):
    """The texts of a page, and whether its tags are closed as they were opened."""

    def __init__(self):
        super().__init__()
        self.texts, self.open_, self.tags = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag != "meta":
            self.open_.append(tag)

    def handle_endtag(self, tag):
        assert self.open_.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_of_a_class_counts_and_escapes(capsys):
    eve = "<script>alert(1)</script>"
    results = [
        learn.Result("tanh", "wrong", "wrong.", kind="sign", student=eve),
        learn.Result("tanh", "wrong", "wrong.", kind="sign", student="Ada"),
        learn.Result("relu", "wrong", "wrong.", kind="mask", student="Ada"),
        learn.Result("tanh", "could not run", "it was stopped.", student="Bob"),
    ]
    for k, result in enumerate([*results, learn.Result("relu", "right", "right.", student="Ada")]):
        folder = Path("answers") / str(k % 2)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{k}.json"
        path.write_text(result.to_json())
        os.utime(path, (k, k))  # Ada's right answer to relu is later than her wrong one
    Path("answers/broken.json").write_text("{")
    assert main(["learn", "results", "answers"]) == 0
    assert "4 results of 3 students; 1 file could not be read" in capsys.readouterr().out
    page = Texts()
    page.feed(Path("class.html").read_text(encoding="utf-8"))
    page.close()
    assert page.open_ == []
    assert "script" not in page.tags
    assert eve in page.texts
    text = "".join(page.texts)
    assert "3 students, 2 exercises, 1 of 4 answers are right" in text
    assert re.search(r"sign\s*2", text)
    assert "mask" not in text
    assert "broken.json" in text


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ([], {"Ada": ("1 of 2", "relu ✓, tanh ✗ (sign)"), "Bob": ("0 of 1", "tanh ✗ (sign)")}),
        (
            ["--set", "tanh", "softmax", "--students", "names.txt"],
            {
                "Ada": ("0 of 2", "relu ✓, tanh ✗ (sign), softmax –"),
                "Bob": ("0 of 2", "tanh ✗ (sign), softmax –"),
                "Eve Moss": ("0 of 2", "tanh –, softmax –"),
            },
        ),
    ],
)
def test_a_student_is_asked_for_what_was_set(options, rows):
    Path("answers").mkdir()
    Path("names.txt").write_text("Ada\n\n  Eve Moss \n")
    wrong = [learn.Result("tanh", "wrong", "wrong.", kind="sign", student=name) for name in ("Ada", "Bob")]
    for k, result in enumerate([*wrong, learn.Result("relu", "right", "right.", student="Ada")]):
        Path(f"answers/{k}.json").write_text(result.to_json())
    assert main(["learn", "results", "answers", *options]) == 0
    page = Path("class.html").read_text(encoding="utf-8").split("<h2>Who</h2>")[1]
    cells = [re.sub("<[^>]+>", "", cell) for cell in re.findall("<t[dh].*?</t[dh]>", page.split("</thead>")[1])]
    assert {cells[k]: tuple(cells[k + 1 : k + 3]) for k in range(0, len(cells), 3)} == rows


def test_bugs_are_written_and_their_solution_printed(capsys):
    assert main(["learn", "bug", "--seed", "Ada", "sheet"]) == 0
    printed = capsys.readouterr().out
    assert main(["learn", "bug", "--seed", "Ada", "--solution"]) == 0
    solution = capsys.readouterr().out.splitlines()
    files = sorted(Path("sheet").iterdir())
    assert len(files) == len(solution) == 2
    assert [str(path) in printed for path in files] == [True, True]
    assert {path.stem.removeprefix("bug_") for path in files} == {line.split(" (")[0] for line in solution}
    assert all(" should be " in line for line in solution)


def test_a_sheet_says_whose_it_is_and_how_far_the_hints_go(capsys):
    assert main(["learn", "bug", "--seed", "Ada autumn", "--student", "Ada", "--hints", "2", "her sheet"]) == 0
    printed = capsys.readouterr().out
    same = learn.find_the_bug("  ada AUTUMN")
    for bug in same:
        written = Path(f"her sheet/bug_{bug.exercise}.py").read_text()
        assert written.splitlines()[1] == "# Find the bug: there is one mistake in the code below. For Ada."
        assert "autumn" not in written
        assert learn.exercise.hints_in(written) == 2
        assert f"learn check 'her sheet/bug_{bug.exercise}.py'" in printed
        number = int(re.search(r"line (\d+): `(.*?)[;`]", bug.solution())[1])
        assert written.splitlines()[number - 1] == bug.file.splitlines()[number - 1]


def test_gradescopes_autograder_writes_its_results(capsys):
    assert main(["learn", "grader", "gradescope", "tanh", "auto", "--hints", "1"]) == 0
    assert os.access("auto/run_autograder", os.X_OK)
    Path("submission").mkdir()
    Path("results").mkdir()
    Path("submission/tanh.py").write_text(solved(bug=("1 - y**2", "1 + y**2")))
    environment = {**os.environ, "AUTOGRADER": str(Path.cwd()), "PYTHON": sys.executable, "PYTHONPATH": str(PACKAGE)}
    subprocess.run(["bash", "auto/run_autograder"], check=True, env=environment, capture_output=True)
    found = json.loads(Path("results/results.json").read_text())
    (test,) = found["tests"]
    assert (found["score"], test["score"], test["max_score"], test["status"]) == (0.0, 0.0, 1.0, "failed")
    assert test["output"].startswith("✗ tanh: wrong.")
    assert "Your gradient" not in test["output"]


@pytest.mark.usefixtures("in_this_process")
def test_a_right_submission_has_all_points(capsys):
    Path("tanh.py").write_text(solved())
    assert main(["learn", "check", "tanh.py", "--gradescope", "results.json"]) == 0
    found = json.loads(Path("results.json").read_text())
    assert (found["score"], found["tests"][0]["status"]) == (1.0, "passed")


def test_nbgraders_notebook_tests_what_its_solution_cell_defines(capsys):
    assert main(["learn", "grader", "nbgrader", "tanh"]) == 0
    cells = json.loads(Path("tanh.ipynb").read_text(encoding="utf-8"))["cells"]
    text, solution, test = ("".join(cell["source"]) for cell in cells)
    marks = [cell["metadata"]["nbgrader"] for cell in cells]
    assert [(m["grade"], m["solution"], m["locked"]) for m in marks] == [
        (False, False, True),
        (False, True, False),
        (True, False, True),
    ]
    assert {m["schema_version"] for m in marks} == {3}
    assert len({m["grade_id"] for m in marks}) == len({cell["id"] for cell in cells}) == 3
    assert marks[2]["points"] == 1.0
    assert "### BEGIN SOLUTION" in solution
    assert "FORMULA" not in solution + text + test
    names = {}
    exec(solution, names)
    exec(test, names)
    exec(solution.replace("1 - y**2", "1 + y**2"), names)
    with pytest.raises(AssertionError, match="wrong"):
        exec(test, names)


def test_otters_test_is_a_doctest_that_passes_and_fails(capsys):
    assert main(["learn", "grader", "otter", "tanh"]) == 0
    names = {}
    exec(Path("tests/tanh.py").read_text(), names)
    assert names["OK_FORMAT"] is True
    (suite,) = names["test"]["suites"]
    code = suite["cases"][0]["code"]
    for source, failed in ((solved(), 0), (solved(bug=("1 - y**2", "1 + y**2")), 1)):
        answer = {}
        exec(source, answer)
        examples = doctest.DocTestParser().get_doctest(code, answer, "otter", None, None)
        assert doctest.DocTestRunner(verbose=False).run(examples, out=lambda _: None).failed == failed


def test_a_teachers_own_exercise_goes_with_its_grader(capsys):
    Path("twice.py").write_text(load("tanh").source)
    assert main(["learn", "grader", "gradescope", "twice.py", "auto"]) == 0
    assert Path("auto/twice.py").read_text() == load("tanh").source
    assert "--exercise source/twice.py" in Path("auto/run_autograder").read_text()
    assert main(["learn", "grader", "otter", "twice.py"]) == 0
    assert "'twice.py'" in Path("tests/twice.py").read_text()
    assert Path("twice.py").read_text() == load("tanh").source
