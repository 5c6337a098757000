"""What the extensions that write pages share."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def first_sentence(module: Any) -> str:
    """What a file says that it is."""
    return (inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")


def keep(file: Path, text: str) -> None:
    """Write a page whose text has changed; Sphinx reads the others no more."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def at_the_beginning(app: Sphinx, write: Callable[[Sphinx], None]) -> dict[str, bool]:
    """Have pages written before any is read; the answer of an extension's `setup`."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
