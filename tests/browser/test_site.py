"""The site of the documentation: every link leads somewhere, and pages are whole at 1300 and at 390 pixels.

It looks at docs/_build/html, which `python -m sphinx -b html docs docs/_build/html` makes.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[2] / "docs" / "_build" / "html"
PAGES = (
    "index.html",
    "tutorial/ten-minutes.html",
    "course/01_by_hand.html",
    "course/09_training.html",
    "course/teacher.html",
    "files/tinygrad_cnn/core/engine.html",
    "how-to/define-a-network.html",
    "reference/names/index.html",
    "reference/names/tinygrad_cnn-ops-conv.html",
    "reference/ops/elementwise.html",
    "reference/commands.html",
    "reference/words.html",
    "gradcheck.html",
    "speed.html",
)


class Links(HTMLParser):
    """What a page leads to, and what can be led to in it."""

    def __init__(self, text):
        super().__init__()
        self.leads, self.places = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and tag in ("a", "img", "script", "link", "iframe"):
                self.leads.add(value or "")
            elif name in ("id", "name"):
                self.places.add(value)


def test_every_link_inside_the_site_leads_somewhere(site):
    found = {
        path: Links(path.read_text(encoding="utf-8")) for path in SITE.rglob("*.html") if "_static" not in path.parts
    }
    lost = set()
    for path, links in found.items():
        for lead in links.leads:
            parts = urlsplit(lead)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            known = found.get(target)
            if not target.exists() or (parts.fragment and known and unquote(parts.fragment) not in known.places):
                lost.add(f"{path.relative_to(SITE)}: {lead}")
    assert not sorted(lost)


def test_what_a_page_links_to_in_the_repository_has_a_page_of_its_own(site):
    lost = set()
    for path in SITE.rglob("*.html"):
        outside_of_links = re.sub(r"<a\b.*?</a>", "", path.read_text(encoding="utf-8"), flags=re.S)
        lost |= {(path.name, text) for text in re.findall(r'class="xref myst">(.{,120})', outside_of_links)}
    assert not sorted(lost)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1300, 390])
def test_a_page_is_whole(site, page, name, width):
    page.load(f"{site}/{name}", width=width, phone=width < 500)
    assert page.run("return document.documentElement.scrollWidth") <= width
    assert page.run("return document.querySelector('h1').innerText")
    assert page.run("return [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)") == []


def test_formulas_are_drawn_without_a_network(site, page):
    page.load(f"{site}/course/01_by_hand.html")
    page.until("document.querySelectorAll('mjx-container').length > 3")


def test_the_stepper_stands_in_its_frame_and_steps(site, page):
    page.load(f"{site}/index.html")
    page.run("document.querySelector('iframe.stepper').scrollIntoView()")
    page.until("document.querySelector('iframe.stepper').contentWindow.stepper !== undefined")
    assert page.run("return document.querySelector('iframe.stepper').contentDocument.querySelector('svg') !== null")


def test_the_search_finds_a_function(site, page):
    page.load(f"{site}/search.html?q=conv2d")
    page.until("[...document.querySelectorAll('#search-results a')].some((a) => a.href.includes('conv'))")
