"""Text on streams that cannot show all of it: another encoding, and characters that would move the cursor."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["escaping", "printable"]


@contextmanager
def escaping(*streams: Any) -> Iterator[None]:
    """Inside the block the streams write an escape such as ``\\xe9`` for what their encoding does not have.

    Examples
    --------
    >>> import io
    >>> from tinygrad_cnn.display import escaping
    >>> stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    >>> with escaping(stream):
    ...     _ = stream.write("café")
    >>> stream.buffer.getvalue()
    b'caf\\\\xe9'
    """
    before = [(s, s.errors) for s in streams if hasattr(s, "reconfigure") and s.errors in (None, "strict")]
    for stream, _ in before:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in before:
            if not stream.closed:
                stream.reconfigure(errors=errors or "strict")


def printable(text: object) -> str:
    """The text on one line, with escapes for line ends, control characters and halves of characters.

    Examples
    --------
    >>> from tinygrad_cnn.display import printable
    >>> print(printable("a\\nb\\x1b[2J é"))
    a\\nb\\x1b[2J é
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))
