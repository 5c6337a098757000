"""Reads HTML as a browser does, and refuses what is not closed or comes from elsewhere."""

from html.parser import HTMLParser

VOID = {"meta", "input", "br", "hr", "img", "link"}
INLINE = {"a", "b", "code", "em", "i", "span", "strong", "time"}
INNER = {"circle", "image", "line", "path", "polyline", "rect"}


class Reading(HTMLParser):
    """The words, the titles of cells, and the tables of a page or a piece of one."""

    def __init__(self, html):
        super().__init__()
        self.open, self.words, self.titles, self.tables, self.tags = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        assert tag not in ("link", "iframe", "object", "embed", "base")
        address = found.get("src") or found.get("href")
        assert address is None or address.startswith(("#", "data:image/png;base64,"))
        if tag == "svg":
            assert found["role"] == "img"
            assert found["aria-label"]
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "title":
            self.titles.append("")
        if tag not in VOID:
            self.open.append(tag)
        self.words += [] if tag in INLINE else [" "]

    def handle_startendtag(self, tag, attributes):
        assert tag in INNER or tag in VOID
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.words += [] if tag in INLINE else [" "]

    def handle_data(self, text):
        if self.open and self.open[-1] in ("style", "script"):
            return
        if self.open and self.open[-1] == "title":
            self.titles[-1] += text
            return
        self.words.append(text)
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += text
