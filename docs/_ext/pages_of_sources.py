"""Makes a page of each file outside of the docs that a page of the site links to, so that links lead there.

A page links to the file itself, `../tinygrad_cnn/core/engine.py`, which is right where the repository is read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
LINK = re.compile(r"\]\((?:\.\./)+([\w/]+\.(?:py|md))\)")


class LeadToSources(SphinxTransform):
    """Turns a link to a file outside of the docs, which is taken for a page, into one to the page made of it."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Replace the links of a page."""
        up = "../" * self.env.docname.count("/")
        for node in list(self.document.findall(pending_xref)):
            target = (DOCS / str(node.get("reftarget"))).resolve()  # the ending was taken off, as of a page
            known = any(target.with_suffix(ending).is_file() for ending in (".py", ".md"))
            if node.get("refdomain") == "doc" and known and not target.is_relative_to(DOCS):
                link = nodes.reference("", "", *node.children, internal=True)
                link["refuri"] = f"{up}files/{target.relative_to(ROOT).as_posix()}.html"
                node.replace_self(link)


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    """A page for each file that is linked to."""
    texts = (path.read_text(encoding="utf-8") for kind in ("*.md", "*.py") for path in DOCS.rglob(kind))
    for name in sorted({name for text in texts for name in LINK.findall(text) if (ROOT / name).is_file()}):
        code = highlight((ROOT / name).read_text(encoding="utf-8"), get_lexer_for_filename(name), HtmlFormatter())
        body = f"<h1><code>{name}</code></h1>{code}"
        yield f"files/{name[:-3]}", {"title": name, "body": body}, "page.html"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_transform(LeadToSources)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
