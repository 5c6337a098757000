"""Every chapter of the course runs from beginning to end, alone, and so do the answers to its exercises."""

import os
import re
import runpy
from pathlib import Path

import pytest

from tinygrad_cnn.learn import exercises

COURSE = Path(__file__).parent.parent / "docs" / "course"
CHAPTERS = sorted(COURSE.glob("[0-9]*.py"))
SETTINGS = "MPLBACKEND"


@pytest.fixture(autouse=True)
def no_window(monkeypatch, tmp_path):
    monkeypatch.setenv(SETTINGS, "Agg")
    monkeypatch.chdir(tmp_path)  # a chapter may write files
    yield
    assert os.getcwd() == str(tmp_path)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_runs_alone_and_so_do_its_answers(chapter):
    names = runpy.run_path(str(chapter))
    comments = "\n".join(
        line.removeprefix("#").removeprefix(" ") for line in chapter.read_text().splitlines() if line[:1] == "#"
    )
    answers = re.findall(r"^:::\{dropdown\} Answer\n(.*?)^:::$", comments, re.M | re.S)
    assert answers
    for answer in answers:
        for block in re.findall(r"^```python\n(.*?)^```$", answer, re.M | re.S):
            exec(compile(block, f"an answer of {chapter.name}", "exec"), dict(names))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_says_what_it_is_for(chapter):
    text = chapter.read_text(encoding="utf-8")
    for part in ("**You will be able to**", "**Time**", "## What we have seen", "## Exercises"):
        assert part in text
    assert f"\n{chapter.stem}\n" in (COURSE / "index.md").read_text(encoding="utf-8")


def test_the_lesson_plan_has_every_chapter_and_names_exercises_that_exist():
    plan = (COURSE / "teacher.md").read_text(encoding="utf-8")
    titles = [re.search(r"^# # (\d+\. .*)$", chapter.read_text(encoding="utf-8"), re.M)[1] for chapter in CHAPTERS]
    parts = dict(re.findall(r"^### (\d+\. .*)\n((?:(?!##).*\n)*)", plan, re.M))
    assert set(titles) <= set(parts)
    known = {exercise.name for exercise in exercises()}
    for title, part in parts.items():
        at_home = re.search(r"^\*At home\*: (.*?)\n\n", part, re.M | re.S)[1]
        named = set(re.findall(r"`(\w+)`", at_home))
        assert named, title
        assert named <= known, (title, named - known)
        minutes = [int(number) for number in re.findall(r"^\| (\d+) \|", part, re.M)]
        assert sum(minutes) == (75 if title[:2] in ("6.", "9.", "11") else 60), title
