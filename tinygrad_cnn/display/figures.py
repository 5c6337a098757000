"""Figures of matplotlib as files."""

import io
import os
from pathlib import Path
from typing import Any

from tinygrad_cnn.files import write_atomically

__all__ = ["write_figure"]


def write_figure(figure: Any, path: Any, dpi: int) -> None:
    """Write a figure whole or not at all, in the format that the name ends with; or to a stream.

    As matplotlib does it, a name without an ending gets ``.png``.
    """
    if not isinstance(path, (str, os.PathLike)):
        figure.savefig(path, dpi=dpi)
        return
    target, content = Path(path), io.BytesIO()
    kind = target.suffix[1:].lower()
    figure.savefig(content, format=kind or "png", dpi=dpi)
    write_atomically(target if kind else f"{target}.png", content.getvalue())
