"""The keys of the slides, and letters that are as large as fit."""

from pathlib import Path

import pytest

pytest.importorskip("markdown_it", reason="comes with rich: pip install -e '.[cli]'")
from scripts import slides

CHAPTER = Path(__file__).parents[2] / "docs" / "course" / "01_by_hand.py"
SHOWN = (
    "return [...document.querySelectorAll('section')].flatMap((s, k) => s.offsetParent || s.offsetHeight ? [k] : [])"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("slides") / "slides.html"
    path.write_text(slides.page(CHAPTER), encoding="utf-8")
    return path


def test_keys_move_and_the_address_says_where(page, file):
    page.load(file.as_uri())
    n = page.run("return document.querySelectorAll('section').length")
    assert n > 10
    assert page.run(SHOWN) == [0]
    for key, at in (
        ("ArrowRight", 1),
        ("PageDown", 2),
        ("ArrowLeft", 1),
        ("End", n - 1),
        ("ArrowRight", n - 1),
        ("Home", 0),
    ):
        page.run("dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0] }))", key)
        assert page.run(SHOWN) == [at]
        assert page.run("return location.hash") == f"#{at + 1}"
    page.load(file.as_uri() + "#4")
    assert page.run(SHOWN) == [3]
    assert page.errors() == []


def test_notes_and_all_slides_can_be_seen(page, file):
    page.load(file.as_uri() + "#3")
    note = "return document.querySelector('section.now aside').offsetHeight > 0"
    assert not page.run(note)
    page.press("n")
    assert page.run(note)
    page.press("p")
    assert len(page.run(SHOWN)) == page.run("return document.querySelectorAll('section').length")


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)])
def test_slides_fit_or_have_small_letters_and_none_is_wider_than_the_window(page, file, size):
    page.load(file.as_uri(), *size)
    for k in range(page.run("return document.querySelectorAll('section').length")):
        page.run("show(arguments[0])", k)
        high, seen, letters, wide = page.run(
            "const s = document.querySelector('section.now'), b = s.querySelector('.body');"
            "return [s.scrollHeight, s.clientHeight, parseFloat(b.style.fontSize), s.scrollWidth]"
        )
        assert high <= seen or letters < 15, k
        assert letters >= 13, k
        assert wide <= size[0], k
