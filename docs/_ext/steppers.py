"""Makes the pages on which a reader steps through a program: one for each script of `docs/steppers/`.

`:::{stepper} NAME` shows such a page in a frame, with a link that opens it alone.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from made import at_the_beginning
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SCRIPTS = Path(__file__).parent.parent / "steppers"
PAGES = Path(__file__).parent.parent / "_static" / "steppers"


def write(app: Sphinx) -> None:
    """Explain every script whose page is older than it is."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for script in sorted(SCRIPTS.glob("*.py")):
        page = PAGES / f"{script.stem}.html"
        if not page.exists() or page.stat().st_mtime < script.stat().st_mtime:
            command = [sys.executable, "-m", "tinygrad_cnn", "explain", str(script), "--out", str(page)]
            subprocess.run(command, check=True, capture_output=True)


class Stepper(SphinxDirective):
    """A page of `docs/steppers/` in a frame."""

    required_arguments = 1
    option_spec: dict[str, Any] = {}

    def run(self) -> list[nodes.Node]:
        """The frame and the link, as HTML."""
        name = self.arguments[0]
        if not (SCRIPTS / f"{name}.py").is_file():
            raise self.error(f"stepper: there is no docs/steppers/{name}.py")
        up = "../" * self.env.docname.count("/")
        address = f"{up}_static/steppers/{name}.html"
        html = (
            f'<iframe class="stepper" src="{address}" title="Step through {name}.py" loading="lazy"></iframe>'
            f'<p class="stepper-link"><a href="{address}">Open it in a window of its own</a></p>'
        )
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("stepper", Stepper)
    return at_the_beginning(app, write)
