"""Files that are there whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write to a file beside the target, then put it in its place; a failure leaves the target as it was.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from tinygrad_cnn.utils.atomic import write_atomically
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.txt"
    >>> write_atomically(file, b"whole")
    >>> file.read_bytes()
    b'whole'
    """
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # as open() would have made it; mkstemp's files are private
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def check_writable(path: str | Path) -> None:
    """OSError if `write_atomically` could not write there, found out without touching the target."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(21, "is a folder", str(target))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    Path(name).unlink()
