"""Every exercise: its solution is right, its common wrong answers get their diagnosis, its gaps are gaps."""

import ast
from pathlib import Path

import pytest

from tinygrad_cnn.gradcheck import naming, patterns
from tinygrad_cnn.learn.exercise import CHAPTERS, ExerciseError, exercises, gaps, hints_in, load, name_in
from tinygrad_cnn.learn.hints import MEANING
from tinygrad_cnn.learn.judging import check_source

ALL = exercises()


def judged(exercise, source, number=0):
    """Without the search for a smaller input, which takes a third of the time and changes no verdict."""
    return check_source(exercise, source, f"/nowhere/{exercise.name}_{number}.py", shrink=False)


def test_there_are_many_in_every_chapter():
    assert len(ALL) >= 45
    assert [c for c in CHAPTERS if sum(e.chapter == c for e in ALL) < 3] == []
    assert {e.chapter for e in ALL} == set(CHAPTERS)


@pytest.mark.parametrize("page", ["README.md", "docs/exercises.md"])
def test_the_pages_say_how_many_there_are(page):
    text = Path(__file__).parents[2].joinpath(page).read_text(encoding="utf-8")
    assert f"{len(ALL)} exercises in derivatives" in text


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_the_solution_is_right(exercise):
    result = judged(exercise, exercise.filled())
    assert result, result.told(4)


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_each_common_wrong_answer_is_wrong_and_gets_its_diagnosis(exercise):
    assert len(exercise.wrongs) >= 2
    for number, wrong in enumerate(exercise.wrongs):
        result = judged(exercise, exercise.filled(exercise.wrong_source(wrong)), number)
        assert (result.verdict, result.kind) == ("wrong", wrong.kind), (wrong, result)
        assert wrong.says, wrong
        assert wrong.says in " ".join(result.hints), (wrong, result)
        assert result.hints[2].startswith(f"What kind of mistake: {wrong.kind}. This means: "), result.hints[2]
        assert exercise.formula in result.hints[3]
        assert exercise.formula not in "".join(result.hints[:3])


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_a_learner_gets_gaps_and_nothing_that_is_hidden(exercise):
    start = exercise.start()
    result = judged(exercise, start)
    assert result.verdict == "not done yet"
    assert f"line {min(gaps(start))} " in result.headline
    assert name_in(start) == exercise.name
    assert ast.get_docstring(ast.parse(start)) == exercise.text
    for secret in ("###", "WRONG", "FORMULA", "CHAPTER", exercise.formula, "def inputs"):
        assert secret not in start
    lines = exercise.source.splitlines()
    marks = [k for k, line in enumerate(lines) if "SOLUTION" in line]
    for begin, end in zip(marks[::2], marks[1::2], strict=True):
        solution = "\n".join(lines[begin + 1 : end])
        assert solution not in start
    assert len(list(gaps(start))) == len(marks) / 2
    assert not list(gaps(exercise.filled()))


def test_a_teacher_sets_how_far_the_hints_go():
    exercise = load("tanh")
    assert hints_in(exercise.start()) is None
    assert hints_in(exercise.start(2)) == 2


def kinds_in(folder):
    """The kinds that are written down where mistakes are named: the second argument of an edit."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Edit", "Named", "self._add"):
                kind = node.args[1] if len(node.args) > 1 else node
                if isinstance(kind, ast.Constant):
                    yield kind.value


def test_every_kind_of_mistake_has_a_meaning_for_learners():
    known = {value.kind for value in vars(patterns).values() if isinstance(value, patterns.Pattern)}
    known |= set(kinds_in(Path(naming.__file__).parent))
    assert {"held constant", "two mistakes"} <= known
    assert sorted(known - MEANING.keys()) == []
    assert sorted({wrong.kind for e in ALL for wrong in e.wrongs} - MEANING.keys()) == []


OWN = '''"""Twice x"""


def forward(x):
    return 2 * x


def backward(g, x):
    ### BEGIN SOLUTION
    return 2 * g
    ### END SOLUTION


### BEGIN HIDDEN TESTS
FORMULA = "2 g"
HINTS = 3


def inputs(random):
    return [random.standard_normal(3)]


WRONG = [("2 * g", "-2 * g", "sign", "sign")]
### END HIDDEN TESTS
'''


def test_a_teachers_own_exercise_is_one_file(tmp_path):
    path = tmp_path / "twice.py"
    path.write_text(OWN)
    exercise = load(str(path))
    assert exercise.title == "Twice x"
    assert judged(exercise, exercise.filled())
    (wrong,) = exercise.wrongs
    result = judged(exercise, exercise.wrong_source(wrong))
    assert (result.verdict, result.kind, len(result.hints)) == ("wrong", "sign", 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('FORMULA = "2 g"', ""), "must define FORMULA"),
        (("### BEGIN SOLUTION", "# solution"), "no solution between"),
        (("FORMULA = ", "FORMULA = 1 / 0, "), "raises ZeroDivisionError"),
    ],
)
def test_an_exercise_that_is_not_whole_is_refused(tmp_path, change, said):
    path = tmp_path / "twice.py"
    path.write_text(OWN.replace(*change))
    with pytest.raises(ExerciseError, match=said):
        load(str(path))


def test_a_wrong_answer_must_replace_what_is_there_once(tmp_path):
    path = tmp_path / "twice.py"
    path.write_text(OWN.replace('("2 * g"', '("2 * h"'))
    exercise = load(str(path))
    with pytest.raises(ExerciseError, match="stands there 0 times"):
        exercise.wrong_source(exercise.wrongs[0])


@pytest.mark.parametrize("name", ["no_such", "../exercises/tanh", "", "no_such.py"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ExerciseError, match=r"there is no exercise|cannot be read"):
        load(name)
