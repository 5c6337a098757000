"""The slides of a chapter have all of its headings, what its code prints, and nothing that needs a network."""

import html
import os
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("markdown_it", reason="comes with rich: pip install -e '.[cli]'")
from scripts import slides

COURSE = Path(__file__).parents[2] / "docs" / "course"
CHAPTERS = sorted(COURSE.glob("[0-9]*.py"))
CHAPTER = """# %% [markdown]
# # 1. A title
#
# Short.

# %%
import inspect


def twice(x):
    return 2 * x


# %% [markdown]
# ## Some `code` & a part
#
# A long paragraph begins with this sentence, which says what it is about. The second sentence is not on the slide,
# because the whole of it would be too much to read from the last row; it stands in the notes, with $a_1$ and `$HOME`.
#
# $$ y = \\frac{a}{b} $$

# %%
print(twice(21), "<", inspect.getsource(twice).splitlines()[0])

# %% [markdown]
# After the code.
#
# :::{stepper} chain
# :::
#
# ## Exercises
#
# **1.** What is `twice(1)`?
#
# :::{dropdown} Answer
# Two.
# ```python
# assert twice(1) == 2
# ```
# :::
#
# **2.** And `twice(2)`?
#
# :::{dropdown} Answer
# Four.
# :::
"""


@pytest.fixture
def made(tmp_path):
    chapter = tmp_path / "01_small.py"
    chapter.write_text(CHAPTER, encoding="utf-8")
    return slides.page(chapter)


def sections(page):
    return re.findall(r'<section><div class="body">(.*?)</div><aside>(.*?)</aside></section>', page, re.S)


def plain(part):
    return html.unescape(re.sub(r"<[^>]*>", "", part))


def test_headings_texts_after_code_and_exercises_begin_slides(made):
    headings = [re.match(r"<h(\d)>(.*?)</h\1>", shown).groups() for shown, _ in sections(made)]
    part = ("2", "Some <code>code</code> &amp; a part")
    assert headings == [("1", "1. A title"), part, part, ("2", "Exercises"), ("2", "Exercises")]


def test_code_is_run_and_what_it_prints_is_shown(made):
    shown, _ = sections(made)[1]
    assert '<pre class="output">42 &lt; def twice(x):</pre>' in shown


def test_a_long_paragraph_is_its_first_sentence_and_the_rest_is_in_the_notes(made):
    shown, notes = (plain(part) for part in sections(made)[1])
    assert "which says what it is about." in shown
    assert "second sentence" not in shown
    assert "second sentence" in notes
    assert "$HOME" in notes


def test_answers_are_folded(made):
    answers = re.findall(r"<details><summary>Answer</summary>(.*?)</details>", made, re.S)
    assert [plain(answer).split()[0] for answer in answers] == ["Two.", "Four."]
    assert "assert twice(1) == 2" in plain(answers[0])


def test_formulas_are_pictures(made):
    pytest.importorskip("matplotlib")
    for kind, tex in (("inline", "a_1"), ("display", r"y = \frac{a}{b}")):
        assert re.search(rf'<img class="{kind}" style="[^"]*" alt="{re.escape(tex)}" src="data:image/svg', made)


def test_without_matplotlib_formulas_stand_as_they_are_written(monkeypatch):
    monkeypatch.setattr(slides, "plt", None)
    assert slides.drawn_formula("a < b", True) == '<code class="formula display">a &lt; b</code>'


def test_an_error_in_a_chapter_is_not_hidden(tmp_path):
    before = os.getcwd()
    chapter = tmp_path / "02_wrong.py"
    chapter.write_text("# %% [markdown]\n# # 2. Wrong\n\n# %%\n1 / 0\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        slides.page(chapter)
    assert os.getcwd() == before


def check_page(page, chapter):
    """All headings of the chapter are there, no mark of Markdown is left, and nothing is loaded from elsewhere."""
    wanted = re.findall(r"^# ##? (.*)$", chapter.read_text(encoding="utf-8"), re.M)
    assert wanted
    headings = [plain(shown[: shown.index("</h")]) for shown, _ in sections(page)]
    assert list(dict.fromkeys(headings)) == [re.sub("`", "", heading) for heading in wanted]
    text = re.sub(r"<(pre|code)\b.*?</\1>", "", page.split("<body>")[1].split("<footer>")[0], flags=re.S)
    for mark in (":::", "```", "$", "**", "\x02"):
        assert mark not in plain(text), mark
    assert not re.search(r'\b(?:src|href)="(?!data:|\.\./)', page)
    assert "@import" not in page


def test_the_check_of_a_page_rejects(made, tmp_path):
    chapter = tmp_path / "01_small.py"
    check_page(made, chapter)
    for wrong in (made.replace("Short.", "**Short.**"), made.replace("data:", "https:"), made.replace("A title", "")):
        if wrong != made:
            with pytest.raises(AssertionError):
                check_page(wrong, chapter)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_every_chapter_becomes_slides(chapter, monkeypatch):
    monkeypatch.setattr(slides, "run", lambda *_: "")  # that its code runs is tested in test_course.py
    check_page(slides.page(chapter), chapter)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_every_formula_of_the_course_can_be_drawn(chapter):
    pytest.importorskip("matplotlib")
    for cell in slides.cells_of(chapter.read_text(encoding="utf-8")):
        for part in slides.CODE.split(cell.source)[::2] if not cell.code else ():
            for display, inline in slides.FORMULA.findall(part):
                tex = display or inline
                assert r"\begin" in tex or slides.drawn_formula(tex, bool(display)).startswith("<img"), tex


def test_the_command_writes_a_file_for_each_chapter(tmp_path, capsys):
    shutil.copy(COURSE / "01_by_hand.py", tmp_path)
    slides.main([str(tmp_path / "01_by_hand.py"), "--out", str(tmp_path / "out")])
    file = tmp_path / "out" / "01_by_hand.html"
    assert capsys.readouterr().out.strip() == str(file)
    page = file.read_text(encoding="utf-8")
    check_page(page, COURSE / "01_by_hand.py")
    assert "9 windows hand back 36.0" in page
