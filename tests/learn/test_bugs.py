"""Find the bug: every student has others, every bug is one, and the teacher's solution is that of the same seed."""

import re

import pytest

from tinygrad_cnn import learn
from tinygrad_cnn.learn import bugs
from tinygrad_cnn.learn.exercise import load
from tinygrad_cnn.learn.judging import check_source

SHEETS = {f"student {k}": None for k in range(60)}


@pytest.fixture(scope="module")
def sheets():
    return {seed: learn.find_the_bug(seed) for seed in SHEETS}


def test_sixty_students_have_sixty_different_sheets(sheets):
    assert len({tuple(bug.file for bug in sheet) for sheet in sheets.values()}) == 60
    assert len({frozenset(bug.file for bug in sheet) for sheet in sheets.values()}) == 60
    assert len({bug.file for sheet in sheets.values() for bug in sheet}) > 100
    assert all(len({bug.exercise for bug in sheet}) == len(sheet) == 2 for sheet in sheets.values())


def test_the_mistakes_are_of_many_kinds(sheets):
    assert len({bug.how for sheet in sheets.values() for bug in sheet}) >= 8
    assert len({bug.exercise for sheet in sheets.values() for bug in sheet}) >= 30


def test_the_solution_of_a_seed_mends_its_bug(sheets):
    for bug in [sheet[0] for sheet in sheets.values()][:12]:
        exercise = load(bug.exercise)
        assert check_source(exercise, bug.file, "/nowhere/bug.py", explain=False, shrink=False).verdict == "wrong"
        changes = re.findall(r"line (\d+): (.+?) should be (.+?)(?=; line |$)", bug.solution())
        assert changes, bug.solution()
        lines = bug.file.splitlines()
        for number, wrong, right in reversed(changes):
            k = int(number) - 1
            if wrong == "nothing":
                lines[k:k] = right.strip("`").split("; ")
            else:
                assert lines[k].strip() == wrong.strip("`").split("; ")[0]
                indent = lines[k][: len(lines[k]) - len(lines[k].lstrip())]
                lines[k : k + len(wrong.split("; "))] = [indent + part for part in right.strip("`").split("; ")]
        result = check_source(exercise, "\n".join(lines) + "\n", "/nowhere/bug.py", explain=False, shrink=False)
        assert result or "for " in bug.solution(), (bug.solution(), result)


def test_the_same_seed_gives_the_same_bugs(sheets):
    bugs.candidates.cache_clear()
    assert learn.find_the_bug("student 7") == sheets["student 7"]
    assert learn.find_the_bug(7) == learn.find_the_bug("7") != sheets["student 7"]
    assert learn.find_the_bug(" Student   7") == sheets["student 7"]


def test_a_change_that_changes_nothing_is_no_bug():
    exercise = load("tanh")
    same = exercise.filled().replace("1 - y**2", "1 - y * y")
    assert not bugs.is_wrong(bugs.Bug("tanh", "none", same))
    raises = exercise.filled().replace("1 - y**2", "1 - z**2")
    assert not bugs.is_wrong(bugs.Bug("tanh", "none", raises))
    assert bugs.is_wrong(bugs.Bug("tanh", "sign", exercise.filled().replace("1 - y**2", "1 + y**2")))
