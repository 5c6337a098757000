"""The files that a command writes: asked about before the work begins, and written whole; ``-`` is standard output."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from tinygrad_cnn.display import printable
from tinygrad_cnn.files import check_writable, same_file, write_atomically

STDOUT = "-"
"""The name that stands for standard output."""

Named = str | os.PathLike[str]

set_aside: list[TextIO] = []
"""The last is standard output, while what is printed goes elsewhere."""


class OutputError(ValueError):
    """One sentence on a file that cannot be written."""


def check_outputs(outputs: Mapping[str, Named | None], inputs: Mapping[str, Named | None], undone: str) -> None:
    """OutputError if one of the outputs cannot be written, or two of all these files are the same.

    Parameters
    ----------
    outputs, inputs : options and the files that they name; None is left out
    undone : what did not happen, such as "nothing was trained"
    """
    written = {option: path for option, path in outputs.items() if path is not None}
    for option, path in written.items():
        if not is_stdout(path):
            try:
                check_writable(path)
            except OSError as error:
                raise OutputError(f"{cannot(option, path, error)}; {undone}") from None
    read = {option: path for option, path in inputs.items() if path is not None and os.path.isfile(path)}
    for k, (one, path) in enumerate(written.items()):
        for other, second in (*list(written.items())[k + 1 :], *read.items()):
            if not _same(path, second):
                continue
            what = "standard output" if is_stdout(path) else "the same file"
            raise OutputError(f"{_said(one, path)} and {_said(other, second)} name {what}; {undone}")


def write_output(option: str, path: Named, content: bytes) -> None:
    """Write what the option asks for; OutputError if that fails."""
    if is_stdout(path):
        write_to_stdout(content)
        return
    try:
        write_atomically(path, content)
    except OSError as error:
        raise OutputError(cannot(option, path, error)) from None


def write_to_stdout(content: bytes) -> None:
    """Write bytes where text goes otherwise; inside `told_beside` as well."""
    stdout: Any = set_aside[-1] if set_aside else sys.stdout
    stdout.flush()
    if hasattr(stdout, "buffer"):
        stdout.buffer.write(content)
        stdout.buffer.flush()
    else:  # a stream of text that stands for it, as in notebooks
        stdout.write(content.decode())


def is_stdout(path: Named | None) -> bool:
    """Whether the name stands for standard output."""
    return path is not None and os.fspath(path) == STDOUT


@contextlib.contextmanager
def told_beside(*paths: Named | None) -> Iterator[TextIO]:
    """Inside the block, what is printed goes to standard error if an output goes to standard output."""
    set_aside.append(set_aside[-1] if set_aside else sys.stdout)
    out: Any = sys.stderr if any(map(is_stdout, paths)) else sys.stdout
    try:
        with contextlib.redirect_stdout(out):
            yield out
    finally:
        set_aside.pop()


def told(path: Named) -> str:
    """What to call an output in a sentence."""
    return "standard output" if is_stdout(path) else printable(path)


def cannot(option: str, path: Named, error: OSError) -> str:
    """Why a file cannot be written."""
    folder = os.path.dirname(path)
    missing = isinstance(error, FileNotFoundError) and folder and not os.path.isdir(folder)
    why = f"there is no folder {printable(folder)}" if missing else error.strerror or error
    return f"{_said(option, path)}: cannot be written ({why})"


def _said(option: str, path: Named) -> str:
    return f"{option} {printable(path) or repr('')}".strip()


def _same(a: Named, b: Named) -> bool:
    if is_stdout(a) or is_stdout(b):
        return is_stdout(a) and is_stdout(b)
    with contextlib.suppress(OSError):  # an input that is no regular file is none that is written
        return same_file(a, b)
    return False
